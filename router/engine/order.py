"""An order that is kept: taking the first few of ten thousand costs what they cost, and moving one a search."""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Sequence
from itertools import chain
from operator import itemgetter
from typing import Final, Generic, TypeVar

T = TypeVar("T")

Rank = tuple[float, ...]
Place = tuple[Rank, str, T]
"""Its rank, its name, and what has that name."""

_RANK: Final = itemgetter(0)
_RANK_AND_NAME: Final = itemgetter(0, 1)
TURNS: Final = 1 << 32


class Order(Generic[T]):
    """Items by name, the least rank first. Names are unique; those of one rank stand by name."""

    def __init__(self) -> None:
        self._places: list[Place[T]] = []
        self._held: dict[str, Place[T]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def fill(self, places: Iterable[Place[T]]) -> None:
        """Begin anew with all of these: cheaper than one by one."""
        self._places = sorted(places, key=_RANK_AND_NAME)
        self._held = {place[1]: place for place in self._places}

    def put(self, name: str, rank: Rank, item: T) -> None:
        """Give an item its place, or another one. The same rank again changes nothing."""
        held = self._held.get(name)
        if held is not None:
            if held[0] == rank:
                return
            del self._places[bisect_left(self._places, held)]
        place = self._held[name] = (rank, name, item)
        insort(self._places, place)

    def drop(self, name: str) -> None:
        """Take an item out; one that isn't there needs nothing."""
        held = self._held.pop(name, None)
        if held is not None:
            del self._places[bisect_left(self._places, held)]

    @property
    def places(self) -> Sequence[Place[T]]:
        """All of them, the first first; to be read before anything changes."""
        return self._places

    def group(self, at: int, turn: int) -> tuple[Iterable[Place[T]], int]:
        """The places of the rank that the place at an index has, and the index after them. They begin at ``turn`` of
        ``TURNS`` of their number, and go round."""
        places, rank, size = self._places, self._places[at][0], len(self._places)
        is_first = at == 0 or places[at - 1][0] != rank
        if is_first and (at + 1 == size or places[at + 1][0] != rank):
            return (places[at],), at + 1
        begin = at if is_first else bisect_left(places, rank, 0, at, key=_RANK)
        end = bisect_right(places, rank, at, key=_RANK)
        middle = begin + ((end - begin) * turn // TURNS)
        return map(places.__getitem__, chain(range(middle, end), range(begin, middle))), end
