"""In which order eligible advisors are tried. A strategy is one small pure function, found by name."""

import heapq
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from router.contract.ids import AdvisorId, CaseId
from router.engine.roster import Member


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

    order: Callable[[Member], tuple[float, float]]
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


def tie_break(case: CaseId, advisor: AdvisorId) -> int:
    """A number that differs by case: with ids alone, a burst from three routers would herd on one advisor."""
    return zlib.crc32(f"{case}/{advisor}".encode())


def best(
    members: Iterable[Member],
    case: CaseId,
    strategy: str,
    *,
    count: int,
    now_ms: int,
    asked: Mapping[AdvisorId, int] = NOBODY,
) -> list[Scored]:
    """The first ``count`` of the members, best first: who is asked least at the moment, and then by a strategy;
    one that doesn't exist any more counts as ``longest-idle``."""
    order, terms = STRATEGIES.get(strategy, LONGEST_IDLE)
    keyed = [(asked.get(member.state.id, 0), *order(member), member) for member in members]
    if len(keyed) > count:
        last = heapq.nsmallest(count, [one[:3] for one in keyed])[-1]
        keyed = [one for one in keyed if one[:3] <= last]
    # Only now, as in a quiet hour many tie, and no more than a few are left as a rule.
    tied = [(*one[:3], tie_break(case, one[3].state.id), one[3]) for one in keyed]
    first = heapq.nsmallest(count, tied, key=lambda one: one[:4])
    scored = []
    for aimed, _, _, tie, member in first:
        # In all of them or in none: ranks are compared term by term.
        known = {"asked": 0.0 - aimed, **terms(member, now_ms)} if asked else terms(member, now_ms)
        scored.append(Scored(advisor=member.state.id, terms=known, tie=tie))
    return scored
