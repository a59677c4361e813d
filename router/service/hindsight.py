"""The roster as it was, for a while: what a decision saw, so that it can be looked at as a whole afterwards.

Nothing is kept for a decision itself. It names the change of the roster that it had seen; here are the rows of before,
as changes replaced them, encoded, for an hour or as many as fit.
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

import msgspec

from router.contract.advisor import AdvisorState
from router.contract.ids import AdvisorId
from router.engine.roster import Roster

MOST_CHANGES: Final = 20_000
"""A row has some hundred bytes."""
KEPT_MS: Final = 3_600_000
_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(AdvisorState)

Rows = Sequence[bytes]


class _Row(NamedTuple):
    change: int
    at_ms: int
    advisor: AdvisorId
    state: bytes


class Hindsight:
    """Of one pool, as this process has seen it since it started or had to read the roster anew."""

    def __init__(self, now_ms: Callable[[], int], *, most: int = MOST_CHANGES) -> None:
        self._now_ms = now_ms
        self._most = most
        self._gen, self._first, self._last = 0, 1, 0
        self._before: dict[AdvisorId, bytes] = {}
        self._since: deque[_Row] = deque()

    def begin(self, gen: int, change: int, states: Iterable[AdvisorState]) -> None:
        """The roster was read as a whole at a change; what was before is not known any more."""
        self._gen, self._first, self._last = gen, change, change
        self._before = {state.id: _ENCODER.encode(state) for state in states}
        self._since.clear()

    def note(self, change: int, state: AdvisorState) -> None:
        """An advisor's row has changed."""
        now_ms = self._now_ms()
        self._last = change
        self._since.append(_Row(change, now_ms, state.id, _ENCODER.encode(state)))
        while len(self._since) > self._most or self._since[0].at_ms < now_ms - KEPT_MS:
            oldest = self._since.popleft()
            self._before[oldest.advisor] = oldest.state
            self._first = oldest.change

    def rows(self, gen: int, change: int) -> Rows | None:
        """Every advisor's row as of a change; None when that is too long ago, not seen yet, or of another life of the
        pool."""
        if gen != self._gen or not self._first <= change <= self._last:
            return None
        found = dict(self._before)
        for row in self._since:
            if row.change > change:
                break
            found[row.advisor] = row.state
        return list(found.values())


def roster_of(rows: Rows) -> Roster:
    """The roster that these rows make. Takes its time with many: call it in a thread."""
    roster = Roster()
    for row in rows:
        roster.apply(_DECODER.decode(row))
    return roster
