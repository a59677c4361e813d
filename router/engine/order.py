"""An order that is kept: taking the first few of ten thousand costs what they cost, and moving one a search."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from itertools import chain
from operator import itemgetter
from typing import Final

Rank = tuple[float, ...]
Place = tuple[Rank, str, int]
"""Its rank, its name, and the slot of who has that name."""

_RANK: Final = itemgetter(0)
_RANK_AND_NAME: Final = itemgetter(0, 1)
TURNS: Final = 1 << 32


class Order:
    """Slots by name, the least rank first. Names are unique; those of one rank stand by name.

    ``places`` are all of them in order, ``slots`` the same without ranks and names: a long way down is walked along
    these. Both are to be read before anything changes.
    """

    def __init__(self) -> None:
        self.places: list[Place] = []
        # Ten thousand numbers side by side: as objects all over the memory they take longer to fetch than to look at.
        self.slots = array("L")
        self._held: dict[str, Place] = {}

    def __len__(self) -> int:
        return len(self.places)

    def fill(self, places: Iterable[Place]) -> None:
        """Begin anew with all of these: cheaper than one by one."""
        self.places = sorted(places, key=_RANK_AND_NAME)
        self.slots = array("L", [place[2] for place in self.places])
        self._held = {place[1]: place for place in self.places}

    def put(self, name: str, rank: Rank, slot: int) -> None:
        """Give a slot its place, or another one. The same rank again changes nothing."""
        held = self._held.get(name)
        if held is not None:
            if held[0] == rank:
                return
            self._take_out(held)
        place = self._held[name] = (rank, name, slot)
        at = bisect_left(self.places, place)
        self.places.insert(at, place)
        self.slots.insert(at, slot)

    def drop(self, name: str) -> None:
        """Take a slot out; one that isn't there needs nothing."""
        held = self._held.pop(name, None)
        if held is not None:
            self._take_out(held)

    def _take_out(self, place: Place) -> None:
        at = bisect_left(self.places, place)
        del self.places[at]
        del self.slots[at]

    def is_alone(self, at: int) -> bool:
        """Whether nobody else has the rank that the place at an index has."""
        places = self.places
        rank = places[at][0]
        return (at == 0 or places[at - 1][0] != rank) and (at + 1 == len(places) or places[at + 1][0] != rank)

    def group(self, at: int, turn: int) -> tuple[Iterable[int], int]:
        """The slots of the rank that the place at an index has, and the index after them. They begin at ``turn`` of
        ``TURNS`` of their number, and go round."""
        places, rank = self.places, self.places[at][0]
        begin = bisect_left(places, rank, 0, at, key=_RANK)
        end = bisect_right(places, rank, at, key=_RANK)
        middle = begin + ((end - begin) * turn // TURNS)
        return map(self.slots.__getitem__, chain(range(middle, end), range(begin, middle))), end
