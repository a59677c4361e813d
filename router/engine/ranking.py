"""Who of those who may take a case is tried first: the quick way to what ranking everybody would give."""

import zlib
from collections.abc import Iterable, Sequence
from itertools import islice
from operator import itemgetter
from typing import Final

import msgspec

from router.contract.ids import AdvisorId, CaseId
from router.engine.bits import slots_of
from router.engine.field import Field
from router.engine.order import TURNS
from router.engine.roster import Member, Ranks, Roster
from router.engine.strategies import Ranking, Search, Strategy, Values, Wish, by_newest, strategy_named

MOST_TIED: Final = 16
"""Of so many the tie is broken, where more stand equal."""
MOST_PREFERRED: Final = 16
"""So many are compared by preferred skills."""
MOST_MIXED: Final = 4
"""So many are looked at for each term that has an order, and as many as are asked for of the first."""
ALL_MIXED: Final = 20
"""Up to so many are all looked at."""
MOST_RAMPED: Final = 64
"""So many are ramped in at once."""
FEW_TIED: Final = 4
"""All who tie are looked at where so many times the square of the set is less than the roster."""
FEW: Final = 50
"""All of a set are compared where so many times its square is less than the roster: in few blocks of an order is one
of them."""


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """An advisor's terms for one case, the first deciding; the greater goes first. ``tie`` breaks what is left."""

    advisor: AdvisorId
    terms: dict[str, float]
    tie: int


_Pick = tuple[int, int, Values, int, bytes, Member]
"""-1 for who is held back, less how often he is asked, his values, less his lot, and his id: the greater goes first.
And who he is."""


_ASKED: Final = itemgetter(1)


class Ranked(msgspec.Struct, frozen=True):
    """Members in their order; ``names`` are those of their terms."""

    picks: Sequence[_Pick]
    names: tuple[str, ...]

    @property
    def members(self) -> list[Member]:
        return [pick[5] for pick in self.picks]

    def scored(self, count: int | None = None, *, places: int | None = None) -> tuple[Scored, ...]:
        """The first so many, or all, with the terms that have put them in their order, rounded where ``places`` are
        said."""
        # In all of them or in none: ranks are compared term by term.
        is_any_late, is_any_asked = bool(self.picks and self.picks[-1][0]), any(map(_ASKED, self.picks))
        scored = []
        for ahead, asked, values, tie, _, member in self.picks[:count]:
            shown: Sequence[float] = values if places is None else [round(value, places) for value in values]
            terms = dict(zip(self.names, shown, strict=True))
            if is_any_asked:
                terms = {"asked": float(asked), **terms}
            if is_any_late:
                terms = {"ramp_in": 1.0 + ahead, **terms}
            scored.append(Scored(advisor=member.state.id, terms=terms, tie=-tie))
        return tuple(scored)


def tie_break(case: CaseId, advisor: AdvisorId) -> int:
    """A number that differs by case: with ids alone, a burst from three routers would herd on one advisor."""
    return zlib.crc32(advisor.encode(), _turn(case))


def best(roster: Roster, field: Field, strategy: str, wish: Wish, *, count: int) -> Ranked:
    """The first ``count`` of a set of members who are online, best first: who isn't held back while he is ramped in,
    who is asked least at the moment, then by a strategy (one that doesn't exist any more counts as ``longest-idle``),
    then by a number that differs by case. Where very many tie, that number is asked of some of them; ``Search`` says
    who else is not looked at."""
    by, turn = strategy_named(strategy), _turn(wish.case)
    late = _held_back(roster, field, wish, turn) if wish.ramp_s and by.search is not Search.MIX else 0
    rank = by.rank(wish)
    picked = _picks(_Search(roster, field, field.bits ^ late, turn).first(by, wish, count), rank, turn, 0)
    if late and len(picked) < count:
        picked += _picks(_Search(roster, field, late, turn).first(by, wish, count), rank, turn, -1)
    picked.sort(reverse=True)
    return Ranked(picked[:count], by.names(wish))


def rank_all(roster: Roster, field: Field, strategy: str, wish: Wish) -> Ranked:
    """All of them in the order of ``best``, each looked at: for who has time."""
    by, turn = strategy_named(strategy), _turn(wish.case)
    late = _held_back(roster, field, wish, turn) if wish.ramp_s and by.search is not Search.MIX else 0
    rank = by.rank(wish)
    picked = _picks(roster.members(field.bits ^ late), rank, turn, 0) + _picks(roster.members(late), rank, turn, -1)
    picked.sort(reverse=True)
    return Ranked(picked, by.names(wish))


def _picks(members: Iterable[Member], rank: Ranking, turn: int, ahead: int) -> list[_Pick]:
    crc32 = zlib.crc32
    return [(ahead, -one.asked, rank(one), -crc32(one.lot, turn), one.lot, one) for one in members]


def _held_back(roster: Roster, field: Field, wish: Wish, turn: int) -> int:
    """Who of them has come online lately and goes behind the others for this case: for fewer and fewer cases, the
    longer he is there. Of very many who have come, the last are asked."""
    since_ms, held = wish.now_ms - wish.ramp_s * 1000, 0
    for slot in islice(roster.order(by_newest), MOST_RAMPED):
        member = roster.in_slot(slot)
        online_ms = member.state.online_since_ms
        if online_ms <= since_ms:
            break
        lot = zlib.crc32(b"ramp-in", zlib.crc32(member.lot, turn))
        if lot * wish.ramp_s * 1000 >= (wish.now_ms - online_ms) * TURNS:
            held |= 1 << slot
    return held & field.bits


class _Search:
    """One look for the first of some of a field."""

    __slots__ = ("_bits", "_is_ordered", "_part", "_roster", "_turn")

    def __init__(self, roster: Roster, field: Field, bits: int, turn: int) -> None:
        self._roster = roster
        self._part = field.part
        self._is_ordered = field.is_ordered
        self._bits = bits
        self._turn = turn

    def first(self, by: Strategy, wish: Wish, count: int) -> Iterable[Member]:
        """Members among whom the first ``count`` are."""
        part, asks = self._part, wish.asks
        # Where preferred skills are a term of their own, more have to be compared.
        widely = max(count, MOST_PREFERRED) if asks.preferred else count
        slots: Iterable[int]
        match by.search:
            case Search.ORDER:
                slots = self._first(self._bits, by.orders[0], widely)
            case Search.FITTEST:
                slots = self._along(part.by_fit(asks.wants), by.orders[0], count)
            case Search.PLAINEST:
                slots = self._along(reversed(part.by_fit(asks.hard)), by.orders[0], widely)
            case Search.MIX:
                slots = self._mixed(by, wish, count)
        return self._roster.in_slots(slots)

    def _mixed(self, by: Strategy, wish: Wish, count: int) -> Iterable[int]:
        """The first by each order, the fittest, and the last advisor."""
        bits = self._bits
        if bits.bit_count() <= ALL_MIXED:
            return slots_of(bits)
        found = {*self._first(bits, by.orders[0], max(count, MOST_MIXED))}
        for order in by.orders[1:]:
            found.update(self._first(bits, order, MOST_MIXED))
        if wish.asks.wants:
            found.update(self._along(self._part.by_fit(wish.asks.wants), by.orders[0], MOST_MIXED))
        knows = self._roster.get(AdvisorId(wish.last_advisor)) if wish.last_advisor else None
        if knows is not None and bits >> knows.slot & 1:
            found.add(knows.slot)
        return found

    def _along(self, parts: Iterable[int], order: Ranks, count: int) -> list[int]:
        """The first ``count`` of the first of these parts by an order; who is asked already comes behind all others,
        as in every order."""
        found: list[int] = []
        asked = self._bits & self._roster.asked
        fresh = self._bits ^ asked
        for part in parts:
            if bits := part & fresh:
                found += self._first(bits, order, count - len(found))
                if len(found) >= count:
                    return found
        return found + self._compared(asked, order, max(count, ALL_MIXED))

    def _first(self, bits: int, order: Ranks, count: int) -> list[int]:
        """The first ``count`` by an order of a set, and who stands equal with the last of them, up to ``MOST_TIED``
        where very many do."""
        many, size = bits.bit_count(), len(self._roster)
        if not self._is_ordered or many * many * FEW < size or many <= count:
            return self._compared(bits, order, count)
        most_tied = many if many * many * FEW_TIED < size else MOST_TIED
        return self._roster.order(order).first(bits, count, self._turn, most_tied=most_tied)

    def _compared(self, bits: int, order: Ranks, count: int) -> list[int]:
        slots = slots_of(bits)
        if len(slots) <= count:
            return slots
        keyed = sorted([(order(self._roster.in_slot(slot)), slot) for slot in slots])
        last = keyed[count - 1][0]
        return [slot for rank, slot in keyed if rank <= last]


def _turn(case: CaseId) -> int:
    return zlib.crc32(f"{case}/".encode())
