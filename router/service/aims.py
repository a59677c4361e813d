"""Where decisions under way are aimed: a burst is decided before the first of its acts comes back, and each of
them would see the same advisor as the best."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from router.contract.ids import AdvisorId
from router.contract.plan import Placing


class Aims:
    """The acts under way in this process, by the advisor each tries first."""

    def __init__(self) -> None:
        self._under_way: Counter[AdvisorId] = Counter()

    @contextmanager
    def at(self, placing: Placing) -> Iterator[Placing]:
        """The placing with those first at whom fewest acts are aimed, in the order of the decision among equals;
        it counts until the end of the block. Nobody is left out: the act looks at room and fitness itself."""
        ordered = tuple(sorted(placing.candidates, key=lambda one: self._under_way[one.advisor]))
        if not ordered:
            yield placing
            return
        first = ordered[0].advisor
        self._under_way[first] += 1
        try:
            yield replace(placing, candidates=ordered)
        finally:
            self._under_way[first] -= 1
            if not self._under_way[first]:
                del self._under_way[first]
