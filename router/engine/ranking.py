"""In which order eligible advisors are tried. A strategy is one small pure function, found by name."""

import heapq
import zlib
from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from router.contract.ids import AdvisorId, CaseId
from router.engine.order import Rank
from router.engine.roster import Member, Roster

MOST_TIED: Final = 16
"""Of so many the tie is broken, where more stand equal."""


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """An advisor's terms for one case, the first deciding; the greater goes first. ``tie`` breaks what is left."""

    advisor: AdvisorId
    terms: dict[str, float]
    tie: int

    @property
    def rank(self) -> tuple[float, ...]:
        return (*(-value for value in self.terms.values()), float(self.tie))


class Strategy(NamedTuple):
    """``order`` sorts members, the first first: by how often each is asked already, then as the terms do. It
    costs little, and the roster keeps its order up. ``terms`` says it in words, for the few who are tried."""

    order: Callable[[Member], Rank]
    terms: Callable[[Member, int], dict[str, float]]


def _idle_s(member: Member, now_ms: int) -> float:
    return (now_ms - member.state.idle_since_ms) / 1000


LONGEST_IDLE: Final = Strategy(
    order=lambda member: (member.asked, member.state.idle_since_ms, -member.free_share),
    terms=lambda member, now_ms: {"idle_s": _idle_s(member, now_ms), "free_share": member.free_share},
)
"""Who has been without a change of work for longest; among those, who has the greatest free share."""

LEAST_LOADED: Final = Strategy(
    order=lambda member: (member.asked, -member.free_share, member.state.idle_since_ms),
    terms=lambda member, now_ms: {"free_share": member.free_share, "idle_s": _idle_s(member, now_ms)},
)
"""Who has the greatest free share of his budget; among those, the longest idle."""

STRATEGIES: Final[dict[str, Strategy]] = {"longest-idle": LONGEST_IDLE, "least-loaded": LEAST_LOADED}


class _Pick(NamedTuple):
    """A member at his place."""

    rank: Rank
    tie: int
    name: str
    member: Member


def tie_break(case: CaseId, advisor: AdvisorId) -> int:
    """A number that differs by case: with ids alone, a burst from three routers would herd on one advisor."""
    return zlib.crc32(advisor.encode(), _turn(case))


def best(roster: Roster, bits: int, case: CaseId, strategy: str, *, count: int, now_ms: int) -> list[Scored]:
    """The first ``count`` of a set of members who are online, best first: who is asked least at the moment, then
    by a strategy (one that doesn't exist any more counts as ``longest-idle``), then by a number that differs by
    case. Where very many tie, that number is asked of some of them."""
    by, turn = STRATEGIES.get(strategy, LONGEST_IDLE), _turn(case)
    # With few in the set it is quicker to compare them all: on the way down, one is met each len(roster) / many.
    many = bits.bit_count()
    if many * many <= 2 * len(roster):
        picked = heapq.nsmallest(count, (_pick(by.order(one), one, turn) for one in roster.members(bits)))
    else:
        picked = _along_order(roster, bits, by, turn, count)
    is_any_asked = any(one.member.asked for one in picked)
    scored = []
    for one in picked:
        terms = by.terms(one.member, now_ms)
        # In all of them or in none: ranks are compared term by term.
        known = {"asked": 0.0 - one.member.asked, **terms} if is_any_asked else terms
        scored.append(Scored(advisor=one.member.state.id, terms=known, tie=one.tie))
    return scored


def _along_order(roster: Roster, bits: int, by: Strategy, turn: int, count: int) -> list[_Pick]:
    """Walk down the order of all who are online until enough of the set have been met: with many in it, that is
    soon."""
    # In bytes, eight slots in each: to look at one bit of a long integer costs its whole length.
    among = bits.to_bytes(-(-len(roster) // 8), "little")
    picked: list[_Pick] = []
    for group in roster.order(by.order).groups(turn):
        equal = []
        for rank, _, member in group:
            if among[member.slot >> 3] >> (member.slot & 7) & 1:
                equal.append(_pick(rank, member, turn))
                if len(equal) == MOST_TIED:
                    break
        if equal:
            picked += sorted(equal) if len(equal) > 1 else equal
            if len(picked) >= count:
                break
    return picked[:count]


def _pick(rank: Rank, member: Member, turn: int) -> _Pick:
    name = member.state.id
    return _Pick(rank, zlib.crc32(name.encode(), turn), name, member)


def _turn(case: CaseId) -> int:
    return zlib.crc32(f"{case}/".encode())
