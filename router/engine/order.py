"""An order that is kept: the first few of ten thousand are met in a few dozen ANDs, and moving one costs a search.

It stands in blocks of some dozens, each with the set of who is in it: a block where nobody of a set stands is passed
over at once.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from operator import itemgetter
from typing import Final

from router.engine.bits import slots_of

Rank = tuple[float, ...]
Place = tuple[Rank, str, int]
"""Its rank, its name, and the slot of who has that name."""

_RANK: Final = itemgetter(0)
_SLOT: Final = itemgetter(2)
TURNS: Final = 1 << 32
BLOCK: Final = 64
"""So many are in a block at the most; two that stand side by side and have half as many together become one."""
DENSE: Final = 4
"""Where one of so many is in a set, a block is walked to meet them; where fewer are, they are taken out and sorted."""
_NOBODY: Final[Rank] = ()


class _Block:
    __slots__ = ("bits", "places")

    def __init__(self, places: list[Place]) -> None:
        self.places = places
        self.bits = sum([1 << place[2] for place in places])


class Order:
    """Slots by name, the least rank first; iterating gives all of them. Names are unique, and so are slots; those of
    one rank stand by name. Nothing may change while a search is under way."""

    def __init__(self) -> None:
        self._blocks: list[_Block] = []
        self._lasts: list[Place] = []
        self._held: dict[int, Place] = {}

    def __len__(self) -> int:
        return len(self._held)

    def __iter__(self) -> Iterator[int]:
        return map(_SLOT, chain.from_iterable(block.places for block in self._blocks))

    def fill(self, places: Iterable[Place]) -> None:
        """Begin anew with all of these: cheaper than one by one."""
        every = sorted(places)
        self._held = {place[2]: place for place in every}
        self._blocks = [_Block(every[at : at + BLOCK // 2]) for at in range(0, len(every), BLOCK // 2)]
        self._lasts = [block.places[-1] for block in self._blocks]

    def put(self, name: str, rank: Rank, slot: int) -> None:
        """Give a slot its place, or another one. The same rank again changes nothing."""
        held = self._held.get(slot)
        if held is not None:
            if held[0] == rank:
                return
            self._take_out(held)
        place = self._held[slot] = (rank, name, slot)
        if not self._blocks:
            self._put_block(0, [place])
            return
        at = min(bisect_left(self._lasts, place), len(self._blocks) - 1)
        block = self._blocks[at]
        insort(block.places, place)
        block.bits ^= 1 << slot
        self._lasts[at] = block.places[-1]
        if len(block.places) > BLOCK:
            del self._blocks[at], self._lasts[at]
            self._put_block(at, block.places[: BLOCK // 2])
            self._put_block(at + 1, block.places[BLOCK // 2 :])

    def drop(self, slot: int) -> None:
        """Take a slot out; one that isn't there needs nothing."""
        held = self._held.pop(slot, None)
        if held is not None:
            self._take_out(held)

    def first(self, bits: int, count: int, turn: int, *, most_tied: int) -> list[int]:
        """The first ``count`` of a set, and who stands equal with the last of them: all, or where more than
        ``most_tied`` (no less than ``count``) stand equal, so many of them from ``turn`` of ``TURNS`` of their rank,
        and round."""
        found: list[int] = []
        rank, since = _NOBODY, 0
        for other, _, slot in self._met(bits):
            if other != rank:
                if len(found) >= count:
                    break
                rank, since = other, len(found)
            elif len(found) - since == most_tied:
                found[since:] = islice(self._around(rank, turn, bits), most_tied)
                break
            found.append(slot)
        return found

    def _met(self, bits: int) -> Iterator[Place]:
        """The places of a set, the least rank first."""
        if bits.bit_count() * DENSE > len(self._held):
            for block in self._blocks:
                for place in block.places:
                    if bits >> place[2] & 1:
                        yield place
            return
        held = self._held
        for block in self._blocks:
            if here := block.bits & bits:
                slot = here.bit_length() - 1
                if others := here ^ 1 << slot:
                    yield from sorted([held[slot], *map(held.__getitem__, slots_of(others))], key=_RANK)
                else:
                    yield held[slot]

    def _around(self, rank: Rank, turn: int, bits: int) -> Iterator[int]:
        """The slots of a set that have a rank: from ``turn`` of ``TURNS`` of all that have it, and round."""
        first, last = (side(self._lasts, rank, key=_RANK) for side in (bisect_left, bisect_right))
        blocks = [block.places for block in self._blocks[first : last + 1]]
        start, end = bisect_left(blocks[0], rank, key=_RANK), bisect_right(blocks[-1], rank, key=_RANK)
        many = sum(map(len, blocks)) - start - (len(blocks[-1]) - end)
        blocks[-1] = blocks[-1][:end]
        blocks[0] = blocks[0][start:]
        skipped, at = many * turn // TURNS, 0
        while skipped >= len(blocks[at]):
            skipped -= len(blocks[at])
            at += 1
        around = (blocks[at][skipped:], *blocks[at + 1 :], *blocks[:at], blocks[at][:skipped])
        return (slot for _, _, slot in chain.from_iterable(around) if bits >> slot & 1)

    def _take_out(self, place: Place) -> None:
        at = bisect_left(self._lasts, place)
        block = self._blocks[at]
        del block.places[bisect_left(block.places, place)]
        block.bits ^= 1 << place[2]
        if block.places:
            self._lasts[at] = block.places[-1]
        else:
            del self._blocks[at], self._lasts[at]
        self._join(at)
        self._join(at - 1)

    def _join(self, at: int) -> None:
        """Make one of a block and the next where both have become small."""
        if not 0 <= at < len(self._blocks) - 1:
            return
        one, other = self._blocks[at], self._blocks[at + 1]
        if len(one.places) + len(other.places) <= BLOCK // 2:
            del self._blocks[at : at + 2], self._lasts[at : at + 2]
            self._put_block(at, one.places + other.places)

    def _put_block(self, at: int, places: list[Place]) -> None:
        self._blocks.insert(at, _Block(places))
        self._lasts.insert(at, places[-1])
