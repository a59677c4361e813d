"""Who of those who may take a case is tried first: the quick way to what ranking everybody would give."""

import heapq
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from operator import itemgetter
from typing import Final, NamedTuple

import msgspec

from router.contract.ids import AdvisorId, CaseId
from router.engine.order import TURNS, Rank
from router.engine.roster import Member, Roster
from router.engine.skill_fit import by_fit
from router.engine.strategies import LONGEST_IDLE, STRATEGIES, Search, Strategy, Terms, Wish, by_newest
from router.engine.waiting import ClassWant

MOST_TIED: Final = 16
"""Of so many the tie is broken, where more stand equal."""
MOST_PREFERRED: Final = 16
"""So many are compared by preferred skills."""
MOST_MIXED: Final = 5
"""So many are looked at for each term that has an order."""
ALL_MIXED: Final = 20
"""Up to so many are all looked at."""
MOST_RAMPED: Final = 64
"""So many are ramped in at once."""


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """An advisor's terms for one case, the first deciding; the greater goes first. ``tie`` breaks what is left."""

    advisor: AdvisorId
    terms: dict[str, float]
    tie: int

    @property
    def rank(self) -> tuple[float, ...]:
        return (*(-value for value in self.terms.values()), float(self.tie))


class _Pick(NamedTuple):
    """A member at his place."""

    is_late: bool
    asked: int
    rank: Rank
    tie: int
    name: AdvisorId
    terms: Terms


def tie_break(case: CaseId, advisor: AdvisorId) -> int:
    """A number that differs by case: with ids alone, a burst from three routers would herd on one advisor."""
    return zlib.crc32(advisor.encode(), _turn(case))


def best(roster: Roster, bits: int, strategy: str, wish: Wish, *, count: int) -> list[Scored]:
    """The first ``count`` of a set of members who are online, best first: who isn't held back while he is ramped in,
    who is asked least at the moment, then by a strategy (one that doesn't exist any more counts as ``longest-idle``),
    then by a number that differs by case. Where very many tie, that number is asked of some of them; ``Search`` says
    who else is not looked at."""
    by, turn = STRATEGIES.get(strategy, LONGEST_IDLE), _turn(wish.case)
    late = bits & _held_back(roster, wish, turn) if wish.ramp_s and by.search is not Search.MIX else 0
    picked = [_pick(member, by, wish, turn) for member in _shortlist(roster, bits ^ late, by, wish, count)]
    if late and len(picked) < count:
        picked += [_pick(one, by, wish, turn, is_late=True) for one in _shortlist(roster, late, by, wish, count)]
    picked.sort()
    del picked[count:]
    # In all of them or in none: ranks are compared term by term.
    is_any_late, is_any_asked = any(one.is_late for one in picked), any(one.asked for one in picked)
    scored = []
    for one in picked:
        ahead: Terms = {"ramp_in": 1.0 - one.is_late} if is_any_late else {}
        asked = {"asked": 0.0 - one.asked} if is_any_asked else {}
        scored.append(Scored(advisor=one.name, terms={**ahead, **asked, **one.terms}, tie=one.tie))
    return scored


def _pick(member: Member, by: Strategy, wish: Wish, turn: int, *, is_late: bool = False) -> _Pick:
    name, terms = member.state.id, by.terms(member, wish)
    rank = tuple([-value for value in terms.values()])
    return _Pick(is_late, member.asked, rank, zlib.crc32(name.encode(), turn), name, terms)


def _held_back(roster: Roster, wish: Wish, turn: int) -> int:
    """Who has come online lately and goes behind the others for this case: for fewer and fewer cases, the longer he is
    there. Of very many who have come, the last are asked."""
    since_ms, held = wish.now_ms - wish.ramp_s * 1000, 0
    for _, name, member in islice(roster.order(by_newest).places, MOST_RAMPED):
        online_ms = member.state.online_since_ms
        if online_ms <= since_ms:
            break
        lot = zlib.crc32(b"ramp-in", zlib.crc32(name.encode(), turn))
        if lot * wish.ramp_s * 1000 >= (wish.now_ms - online_ms) * TURNS:
            held |= 1 << member.slot
    return held


def _shortlist(roster: Roster, bits: int, by: Strategy, wish: Wish, count: int) -> list[Member]:
    """Members among whom the first ``count`` are."""
    first, turn = by.orders[0], _turn(wish.case)
    # Where preferred skills are a term of their own, more have to be compared.
    widely = max(count, MOST_PREFERRED) if wish.preferred else count
    match by.search:
        case Search.ORDER:
            return _first(roster, bits, first, turn, widely)
        case Search.FITTEST:
            return _along_parts(roster, _parts(roster, bits, wish.wants, fittest_first=True), first, turn, count)
        case Search.PLAINEST:
            return _along_parts(roster, _parts(roster, bits, wish.hard, fittest_first=False), first, turn, widely)
        case Search.MIX:
            return _mixed(roster, bits, by, wish, max(count, MOST_MIXED))


def _parts(roster: Roster, bits: int, wants: Sequence[ClassWant], *, fittest_first: bool) -> Iterator[int]:
    """A set in parts of equal skill fit; who is asked already comes behind all others, as in every order."""
    yield from by_fit(roster, bits & ~roster.asked, wants, fittest_first=fittest_first)
    if asked := bits & roster.asked:
        yield asked


def _along_parts(
    roster: Roster, parts: Iterator[int], order: Callable[[Member], Rank], turn: int, count: int
) -> list[Member]:
    """The first ``count`` of the first parts by an order."""
    found: list[Member] = []
    for part in parts:
        found += _first(roster, part, order, turn, count - len(found))
        if len(found) >= count:
            break
    return found


def _mixed(roster: Roster, bits: int, by: Strategy, wish: Wish, count: int) -> list[Member]:
    """The first by each order, the fittest, and the last advisor."""
    turn = _turn(wish.case)
    if bits.bit_count() <= ALL_MIXED:
        return list(roster.members(bits))
    found = {member.slot: member for order in by.orders for member in _first(roster, bits, order, turn, count)}
    if wish.wants:
        parts = _parts(roster, bits, wish.wants, fittest_first=True)
        found |= {member.slot: member for member in _along_parts(roster, parts, by.orders[0], turn, count)}
    knows = roster.get(AdvisorId(wish.last_advisor))
    if knows is not None and bits >> knows.slot & 1:
        found[knows.slot] = knows
    return list(found.values())


def _first(roster: Roster, bits: int, order: Callable[[Member], Rank], turn: int, count: int) -> list[Member]:
    """The first ``count`` of a set by an order, and who stands equal with the last of them, up to ``MOST_TIED``
    where very many do."""
    many = bits.bit_count()
    # With few in the set it is quicker to compare them all: on the way down, one is met each len(roster) / many.
    # Who would have to park something first may be full, and then stands in no order.
    if many * many > len(roster) and not bits & ~roster.roomy:
        return _along_order(roster, bits, order, turn, count)
    if many <= count:
        return list(roster.members(bits))
    keyed = [(order(member), member) for member in roster.members(bits)]
    last = heapq.nsmallest(count, map(itemgetter(0), keyed))[-1]
    return [member for rank, member in keyed if rank <= last]


def _along_order(roster: Roster, bits: int, order: Callable[[Member], Rank], turn: int, count: int) -> list[Member]:
    """Walk down the order of all who are online and not full until enough of the set have been met: with many in it,
    that is soon."""
    # In bytes, eight slots in each: to look at one bit of a long integer costs its whole length.
    among = bits.to_bytes(-(-len(roster) // 8), "little")
    kept = roster.order(order)
    places, size, begin = kept.places, len(kept), 0
    found: list[Member] = []
    while len(found) < count:
        for at in range(begin, size):
            slot = places[at][2].slot
            if among[slot >> 3] >> (slot & 7) & 1:
                break
        else:
            break
        group, begin = kept.group(at, turn)
        fitting = (one for _, _, one in group if among[one.slot >> 3] >> (one.slot & 7) & 1)
        found += islice(fitting, MOST_TIED)
    return found


def _turn(case: CaseId) -> int:
    return zlib.crc32(f"{case}/".encode())
