"""Who of those who may take a case is tried first: the quick way to what ranking everybody would give."""

import zlib
from collections.abc import Container, Iterable, Sequence
from itertools import compress, islice
from typing import Final

import msgspec

from router.contract.ids import AdvisorId, CaseId
from router.engine.field import Field, Part
from router.engine.order import TURNS
from router.engine.roster import Member, Ranks, Roster, slots_of
from router.engine.strategies import Search, Strategy, Terms, Wish, by_newest, strategy_named

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
WALKED: Final = 4
"""How much quicker a step down an order is than a comparison."""


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """An advisor's terms for one case, the first deciding; the greater goes first. ``tie`` breaks what is left."""

    advisor: AdvisorId
    terms: dict[str, float]
    tie: int


_Pick = tuple[int, int, list[float], int, bytes, Member, Terms]
"""-1 for who is held back, less how often he is asked, his terms, less his lot, and his id: the greater goes first. And
who he is, and his terms by name."""


def tie_break(case: CaseId, advisor: AdvisorId) -> int:
    """A number that differs by case: with ids alone, a burst from three routers would herd on one advisor."""
    return zlib.crc32(advisor.encode(), _turn(case))


def best(roster: Roster, field: Field, strategy: str, wish: Wish, *, count: int) -> list[Scored]:
    """The first ``count`` of a set of members who are online, best first: who isn't held back while he is ramped in,
    who is asked least at the moment, then by a strategy (one that doesn't exist any more counts as ``longest-idle``),
    then by a number that differs by case. Where very many tie, that number is asked of some of them; ``Search`` says
    who else is not looked at."""
    by, turn = strategy_named(strategy), _turn(wish.case)
    late = _held_back(roster, field, wish, turn) if wish.ramp_s and by.search is not Search.MIX else None
    search = _Search(roster, _without(field, late) if late else field, turn)
    picked = [_pick(member, by, wish, turn, 0) for member in search.first(by, wish, count)]
    if late and len(picked) < count:
        picked += [_pick(one, by, wish, turn, -1) for one in _Search(roster, late, turn).first(by, wish, count)]
    picked.sort(reverse=True)
    return _scored(picked[:count])


def rank_all(roster: Roster, field: Field, strategy: str, wish: Wish) -> list[Scored]:
    """All of them in the order of ``best``, each looked at: for who has time."""
    by, turn = strategy_named(strategy), _turn(wish.case)
    late = _held_back(roster, field, wish, turn) if wish.ramp_s and by.search is not Search.MIX else None
    behind = late.bits if late else 0
    picked = [_pick(one, by, wish, turn, -(behind >> one.slot & 1)) for one in roster.members(field.bits)]
    picked.sort(reverse=True)
    return _scored(picked)


def _pick(member: Member, by: Strategy, wish: Wish, turn: int, ahead: int) -> _Pick:
    terms = by.terms(member, wish)
    lot = member.lot
    return ahead, -member.asked, [*terms.values()], -zlib.crc32(lot, turn), lot, member, terms


def _scored(picked: Sequence[_Pick]) -> list[Scored]:
    # In all of them or in none: ranks are compared term by term.
    is_any_late, is_any_asked = bool(picked and picked[-1][0]), any(one[1] for one in picked)
    scored = []
    for ahead, asked, _, tie, _, member, terms in picked:
        first: Terms = {"ramp_in": 1.0 + ahead} if is_any_late else {}
        if is_any_asked:
            first["asked"] = float(asked)
        scored.append(Scored(advisor=member.state.id, terms=first | terms if first else terms, tie=-tie))
    return scored


def _held_back(roster: Roster, field: Field, wish: Wish, turn: int) -> Field | None:
    """Who of them has come online lately and goes behind the others for this case, if anybody: for fewer and fewer
    cases, the longer he is there. Of very many who have come, the last are asked."""
    since_ms, held = wish.now_ms - wish.ramp_s * 1000, 0
    for slot in roster.order(by_newest).slots[:MOST_RAMPED]:
        member = roster.in_slot(slot)
        online_ms = member.state.online_since_ms
        if online_ms <= since_ms:
            break
        lot = zlib.crc32(b"ramp-in", zlib.crc32(member.lot, turn))
        if lot * wish.ramp_s * 1000 >= (wish.now_ms - online_ms) * TURNS:
            held |= 1 << slot
    bits = held & field.bits
    return field._replace(bits=bits, ready=frozenset(slots_of(bits))) if bits else None


class _Others:
    """Slots of some who are not among some others."""

    def __init__(self, some: Container[int], others: Container[int]) -> None:
        self._some = some
        self._others = others

    def __contains__(self, slot: object) -> bool:
        return slot in self._some and slot not in self._others


def _without(field: Field, late: Field) -> Field:
    return field._replace(bits=field.bits ^ late.bits, ready=_Others(field.ready, late.ready))


class _Search:
    """One look for the first of a field."""

    def __init__(self, roster: Roster, field: Field, turn: int) -> None:
        self._roster = roster
        self._field = field
        self._turn = turn

    def first(self, by: Strategy, wish: Wish, count: int) -> Iterable[Member]:
        """Members among whom the first ``count`` are."""
        field, asks = self._field, wish.asks
        # Where preferred skills are a term of their own, more have to be compared.
        widely = max(count, MOST_PREFERRED) if asks.preferred else count
        match by.search:
            case Search.ORDER:
                slots = self._first(field.part, field.bits, by.orders[0], widely)
            case Search.FITTEST:
                slots = self._along(field.part.by_fit(asks.wants), by.orders[0], count)
            case Search.PLAINEST:
                slots = self._along(reversed(field.part.by_fit(asks.hard)), by.orders[0], widely)
            case Search.MIX:
                slots = self._mixed(by, wish, count)
        return map(self._roster.in_slot, slots)

    def _mixed(self, by: Strategy, wish: Wish, count: int) -> list[int]:
        """The first by each order, the fittest, and the last advisor."""
        field = self._field
        if field.bits.bit_count() <= ALL_MIXED:
            return slots_of(field.bits)
        found = self._first(field.part, field.bits, by.orders[0], max(count, MOST_MIXED))
        for order in by.orders[1:]:
            found += self._first(field.part, field.bits, order, MOST_MIXED)
        if wish.asks.wants:
            found += self._along(field.part.by_fit(wish.asks.wants), by.orders[0], MOST_MIXED)
        knows = self._roster.get(AdvisorId(wish.last_advisor)) if wish.last_advisor else None
        if knows is not None and field.bits >> knows.slot & 1:
            found.append(knows.slot)
        return list(dict.fromkeys(found))

    def _along(self, parts: Iterable[Part], order: Ranks, count: int) -> list[int]:
        """The first ``count`` of the first of these parts by an order; who is asked already comes behind all others,
        as in every order."""
        found: list[int] = []
        asked = self._field.bits & self._roster.asked
        fresh = self._field.bits ^ asked
        for part in parts:
            if bits := part.bits & fresh:
                found += self._first(part, bits, order, count - len(found), is_fresh=True)
                if len(found) >= count:
                    return found
        return found + self._compared(asked, order, max(count, ALL_MIXED))

    def _first(self, part: Part, bits: int, order: Ranks, count: int, *, is_fresh: bool = False) -> list[int]:
        """The first ``count`` by an order of a set in a part (those who aren't asked already, if it ``is_fresh``), and
        who stands equal with the last of them, up to ``MOST_TIED`` where very many do."""
        many = bits.bit_count()
        # With few in the set it is quicker to compare them all: on the way down, one is met each len(roster) / many.
        if not self._field.is_ordered or many * many * WALKED < len(self._roster):
            return self._compared(bits, order, count)
        return self._walked(part.flags, order, count, is_fresh=is_fresh)

    def _compared(self, bits: int, order: Ranks, count: int) -> list[int]:
        slots = slots_of(bits)
        if len(slots) <= count:
            return slots
        keyed = sorted([(order(self._roster.in_slot(slot)), slot) for slot in slots])
        last = keyed[count - 1][0]
        return [slot for rank, slot in keyed if rank <= last]

    def _walked(self, flags: bytes, order: Ranks, count: int, *, is_fresh: bool) -> list[int]:
        """Down the order of all who are online and not full, until enough are met of a part."""
        kept, ready, turn = self._roster.order(order), self._field.ready, self._turn
        slots, places, end = kept.slots, kept.places, 0
        found: list[int] = []
        for at in compress(range(len(slots)), map(flags.__getitem__, slots)):
            if at < end or slots[at] not in ready:
                continue
            if is_fresh and places[at][0][0]:
                break
            if kept.is_alone(at):
                found.append(slots[at])
            else:
                group, end = kept.group(at, turn)
                found += islice((slot for slot in group if flags[slot] and slot in ready), MOST_TIED)
            if len(found) >= count:
                break
        return found


def _turn(case: CaseId) -> int:
    return zlib.crc32(f"{case}/".encode())
