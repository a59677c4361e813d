"""How fast advisors are handed cases, as the roster's tail shows it."""

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from router.contract.advisor import AdvisorState, WorkKind
from router.contract.ids import AdvisorId
from router.engine.roster import Roster

KEPT: Final = 1_024
_HANDED: Final = frozenset({WorkKind.OFFER, WorkKind.CASE})
_HIS: Final = _HANDED | {WorkKind.PARKED}


class Pace:
    """When whom a case was handed to, the last 1,024 of them as this process has seen it since it started; ``look`` is
    for ``RosterTail.listen``. A case that is offered to another advisor was handed out again; one that is parked and
    taken up again was not."""

    def __init__(self, roster: Roster, now_ms: Callable[[], int]) -> None:
        self._roster = roster
        self._now_ms = now_ms
        self._work: dict[AdvisorId, frozenset[str]] = {}
        self._handed: deque[tuple[int, AdvisorId]] = deque(maxlen=KEPT)

    def look(self, state: AdvisorState) -> None:
        """Take note of what an advisor has now that he had not. What he had when first seen is no news."""
        mine = frozenset(case for case, work in state.work.items() if work.kind in _HANDED)
        fresh = mine - self._work.get(state.id, mine)
        self._work[state.id] = frozenset(case for case, work in state.work.items() if work.kind in _HIS)
        self._handed.extend((self._now_ms(), state.id) for _ in fresh)

    def latest(self, advisors: int, most: int) -> Sequence[int]:
        """When cases were handed to any of a set of the roster, the last first, at most so many."""
        found: list[int] = []
        for at_ms, advisor in reversed(self._handed):
            if len(found) == most:
                break
            if self._roster.bit(advisor) & advisors:
                found.append(at_ms)
        return found
