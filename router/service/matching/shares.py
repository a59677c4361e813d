"""Shares: which of a pool's work items this router looks at, so that several don't do the same twice.

An item falls on an input partition by its hash, and is served by the router that owns it. That is for economy
only: whoever serves an item, the acts check for themselves.
"""

from collections import deque
from collections.abc import Callable
from typing import Final

from router.store.protocol import EVERYTHING, Share

_ABANDONED_MS: Final = 900
_KEPT_MS: Final = 5_000
_BUSY_HELP_MS: Final = 1_000
_MAX_MARKS: Final = 64

Owned = Callable[[], frozenset[int]]


class Shares:
    """One router's part of a pool's work: the items of the partitions it owns now, of ``of`` in all.

    What nobody has served for about a second is anybody's, so a router that is dead makes no one wait until its
    partitions have another owner. That time is told from the stamps seen before: places grow, so all that stands
    at a place below an old stamp is as old.
    """

    def __init__(self, owned: Owned, *, of: int) -> None:
        self._owned = owned
        self._of = of
        self._held: frozenset[int] = frozenset()
        self._held_at_ms = 0
        self._marks: deque[tuple[int, int]] = deque()  # (when, the newest stamp then)
        self._cleared = 0  # nothing stands at places up to here
        self._helped_at_ms = 0

    def own(self, now_ms: int) -> Share:
        """The items that are this router's. While partitions change hands nobody owns any: what was owned last
        counts for a while, since serving an item twice is better than not at all."""
        owned = self._owned()
        if owned:
            self._held, self._held_at_ms = owned, now_ms
        elif now_ms - self._held_at_ms > _KEPT_MS:
            self._held = owned
        return Share(partitions=self._held, of=self._of)

    def has_first(self) -> bool:
        """Whether this router is the one of them all that has the first partition: it does what only one need do."""
        return 0 in self._owned()

    def looked(self, newest: int, now_ms: int) -> None:
        """A look at the work has shown the newest stamp."""
        if self._marks and newest < self._marks[-1][1]:
            self._marks.clear()  # the store begins anew, and so do its places
            self._cleared = 0
        if not self._marks or newest > self._marks[-1][1]:
            self._marks.append((now_ms, newest))
        if len(self._marks) > _MAX_MARKS:
            self._marks = deque(list(self._marks)[::2])

    def abandoned(self, now_ms: int, *, is_busy: bool) -> Share | None:
        """What nobody has served, whoever's it is; None when there can't be any, or this router, busy with its
        own, has helped within a second: under a load that is too high for all, everything is late."""
        if len(self._held) == self._of or (is_busy and now_ms - self._helped_at_ms < _BUSY_HELP_MS):
            return None
        while len(self._marks) > 1 and now_ms - self._marks[1][0] >= _ABANDONED_MS:
            self._marks.popleft()
        if not self._marks or now_ms - self._marks[0][0] < _ABANDONED_MS or self._marks[0][1] <= self._cleared:
            return None
        self._helped_at_ms = now_ms
        return Share(partitions=frozenset(), of=self._of, until=self._marks[0][1])

    def found_none(self, share: Share) -> None:
        """A look at what was abandoned has found nothing there: nothing will ever stand there again."""
        self._cleared = max(self._cleared, share.until)


class WholeShare(Shares):
    """All of it: for a router that is alone."""

    def __init__(self) -> None:
        super().__init__(lambda: EVERYTHING.partitions, of=EVERYTHING.of)
