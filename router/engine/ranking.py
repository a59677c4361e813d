"""In which order eligible advisors are tried. A strategy is one small pure function, found by name."""

import heapq
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from router.contract.ids import AdvisorId, CaseId
from router.engine.order import Place, Rank
from router.engine.roster import Member, Roster

FEW: Final = 64
MOST_TIED: Final = 16


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """An advisor's terms for one case, the first deciding; the greater goes first. ``tie`` breaks what is left."""

    advisor: AdvisorId
    terms: dict[str, float]
    tie: int

    @property
    def rank(self) -> tuple[float, ...]:
        return (*(-value for value in self.terms.values()), float(self.tie))


class Strategy(NamedTuple):
    """``order`` sorts members, the first first, as the terms do: it costs little, and is asked of all who are
    eligible. ``terms`` says it in words, for the few who are tried."""

    order: Callable[[Member], Rank]
    terms: Callable[[Member, int], dict[str, float]]


def _idle_s(member: Member, now_ms: int) -> float:
    return (now_ms - member.state.idle_since_ms) / 1000


LONGEST_IDLE: Final = Strategy(
    order=lambda member: (member.state.idle_since_ms, -member.free_share),
    terms=lambda member, now_ms: {"idle_s": _idle_s(member, now_ms), "free_share": member.free_share},
)
"""Who has been without a change of work for longest; among those, who has the greatest free share."""

LEAST_LOADED: Final = Strategy(
    order=lambda member: (-member.free_share, member.state.idle_since_ms),
    terms=lambda member, now_ms: {"free_share": member.free_share, "idle_s": _idle_s(member, now_ms)},
)
"""Who has the greatest free share of his budget; among those, the longest idle."""

STRATEGIES: Final[dict[str, Strategy]] = {"longest-idle": LONGEST_IDLE, "least-loaded": LEAST_LOADED}


NOBODY: Final[Mapping[AdvisorId, int]] = {}


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """By what members are compared: a strategy (one that doesn't exist any more counts as ``longest-idle``), and
    before it how often each is asked already."""

    strategy: str
    now_ms: int
    asked: Mapping[AdvisorId, int] = NOBODY


class _Pick(NamedTuple):
    """A member at his place: asked the least, then by rank, then by tie."""

    asked: int
    rank: Rank
    tie: int
    advisor: AdvisorId
    member: Member


Picker = Callable[[int, Member], _Pick]
"""Gives the place of a member who is asked so often."""


def tie_break(case: CaseId, advisor: AdvisorId) -> int:
    """A number that differs by case: with ids alone, a burst from three routers would herd on one advisor."""
    return zlib.crc32(advisor.encode(), _begun(case))


def best(roster: Roster, bits: int, case: CaseId, *, count: int, by: Measure) -> list[Scored]:
    """The first ``count`` of a set of members who are online, best first: who is asked least at the moment, then
    by the strategy, then by a number that differs by case. Where very many tie, it is asked of some of them."""
    strategy, begun = STRATEGIES.get(by.strategy, LONGEST_IDLE), _begun(case)

    def pick(asked: int, member: Member) -> _Pick:
        name = member.state.id
        return _Pick(asked, strategy.order(member), zlib.crc32(name.encode(), begun), name, member)

    if bits.bit_count() <= FEW:
        everyone = (pick(by.asked.get(member.state.id, 0), member) for member in roster.members(bits))
        picked = heapq.nsmallest(count, everyone)
    else:
        picked = _first_in_order(
            roster.order(strategy.order).groups(begun), _flags(roster, bits), pick, count, by.asked
        )
    scored = []
    for one in picked:
        terms = strategy.terms(one.member, by.now_ms)
        # In all of them or in none: ranks are compared term by term.
        known = {"asked": 0.0 - one.asked, **terms} if by.asked else terms
        scored.append(Scored(advisor=one.advisor, terms=known, tie=one.tie))
    return scored


def _first_in_order(
    groups: Iterable[Iterable[Place[Member]]], among: bytes, pick: Picker, count: int, asked: Mapping[AdvisorId, int]
) -> list[_Pick]:
    """Walk down the order of all who are online until enough of the set have been met: with many in it, that is
    soon."""
    picked: list[_Pick] = []
    behind: list[tuple[int, Member]] = []
    for group in groups:
        free = []
        for _, _, name, member in group:
            if among[member.slot >> 3] >> (member.slot & 7) & 1:
                aimed = asked.get(AdvisorId(name))
                if aimed:
                    behind.append((aimed, member))
                else:
                    free.append(pick(0, member))
                    if len(free) == MOST_TIED:
                        break
        if free:
            picked += sorted(free) if len(free) > 1 else free
            if len(picked) >= count:
                return picked[:count]
    return picked + heapq.nsmallest(count - len(picked), (pick(*one) for one in behind))


def _flags(roster: Roster, bits: int) -> bytes:
    """A set in bytes, eight slots in each: a bit of a long integer costs its whole length."""
    return bits.to_bytes(-(-len(roster) // 8), "little")


def _begun(case: CaseId) -> int:
    return zlib.crc32(f"{case}/".encode())
