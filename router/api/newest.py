"""The newest view of each case that a session has told."""

from collections import OrderedDict

from router.api.views import CaseView


class Newest:
    """Keeps the order of what one session is told of a case: an act's answer waits for the bus, and what was asked
    later may have been answered meanwhile with a newer state. Knows the last ``most`` cases."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._told: OrderedDict[str, CaseView] = OrderedDict()

    def of(self, view: CaseView) -> CaseView:
        """What to tell now instead of ``view``: itself, or the newer one that was told before it."""
        told = self._told.pop(view.id, view)
        newest = view if view.ver >= told.ver else told
        self._told[view.id] = newest
        if len(self._told) > self._most:
            self._told.popitem(last=False)
        return newest
