"""Cases as acts have last shown them, so that the next act needs no read before it."""

from collections.abc import Callable
from typing import Final

from router.contract.case import CaseState, CaseStatus
from router.contract.ids import CaseId

MAX_STATES: Final = 4_096
MAX_AGE_MS: Final = 600_000
_GONE: Final = frozenset({CaseStatus.CLOSED, CaseStatus.MOVED})


class Latest:
    """The newest state seen of each case; when full, what was seen longest ago is forgotten,
    and ``forgotten`` told.

    A state in here may be out of date. It is good for computing an act, which the store refuses if the case has
    moved on, and for nothing else: never decide by it that there is nothing to do.
    """

    def __init__(self, *, limit: int = MAX_STATES, forgotten: Callable[[], object] = lambda: None) -> None:
        self._limit = limit
        self._forgotten = forgotten
        self._states: dict[CaseId, CaseState] = {}

    def __len__(self) -> int:
        return len(self._states)

    def see(self, state: CaseState) -> None:
        """Remember a state, unless a newer one is known: answers may overtake each other."""
        known = self._states.pop(state.id, None)
        newest = state if known is None or (known.gen, known.ver) <= (state.gen, state.ver) else known
        if newest.state in _GONE:
            return
        self._states[state.id] = newest
        if len(self._states) > self._limit:
            del self._states[next(iter(self._states))]
            self._forgotten()

    def get(self, case: CaseId, *, now_ms: int) -> CaseState | None:
        """What was seen of a case, unless that is long ago: then a later life of the same id could have come to the
        same version."""
        state = self._states.get(case)
        return state if state is not None and now_ms - state.changed_at_ms <= MAX_AGE_MS else None

    def forget(self) -> None:
        """Forget everything: the pool was rebuilt, and the same version of a case may now be another state."""
        self._states.clear()
