"""The newest view of each case that a session has told."""

from collections import OrderedDict

from router.api.views import CaseView, case_view
from router.contract.case import CaseState
from router.contract.ids import CaseId


class Newest:
    """Keeps the order of what one session is told of a case: an act's answer waits for the bus, and what was asked
    later may have been answered meanwhile with a newer state. A rebuilt store's state is newer than any before, also
    one of a lower version. Knows the last ``most`` cases."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._told: OrderedDict[CaseId, tuple[int, CaseView]] = OrderedDict()

    def view(self, state: CaseState) -> CaseView:
        """What to tell of it now: the state, or the newer one that was told before it."""
        told = self._told.pop(state.id, None)
        is_older = told is not None and (state.gen, state.ver) < (told[0], told[1].ver)
        newest = told if told is not None and is_older else (state.gen, case_view(state))
        self._told[state.id] = newest
        if len(self._told) > self._most:
            self._told.popitem(last=False)
        return newest[1]
