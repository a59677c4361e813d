"""In which order eligible advisors are tried. A strategy is one small pure function, found by name."""

import zlib
from collections.abc import Callable
from typing import Final

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


Strategy = Callable[[Member, int], dict[str, float]]


def longest_idle(member: Member, now_ms: int) -> dict[str, float]:
    """Who has been without a change of work for longest; among those, who has the greatest free share."""
    return {"idle_s": _idle_s(member, now_ms), "free_share": member.free_share}


def least_loaded(member: Member, now_ms: int) -> dict[str, float]:
    """Who has the greatest free share of his budget; among those, the longest idle."""
    return {"free_share": member.free_share, "idle_s": _idle_s(member, now_ms)}


def _idle_s(member: Member, now_ms: int) -> float:
    return (now_ms - member.state.idle_since_ms) / 1000


STRATEGIES: Final[dict[str, Strategy]] = {"longest-idle": longest_idle, "least-loaded": least_loaded}


def tie_break(case: CaseId, advisor: AdvisorId) -> int:
    """A number that differs by case: with ids alone, a burst from three routers would herd on one advisor."""
    return zlib.crc32(f"{case}/{advisor}".encode())


def score(member: Member, case: CaseId, strategy: str, now_ms: int) -> Scored:
    """A member's terms by a strategy; one that doesn't exist any more counts as ``longest-idle``."""
    terms = STRATEGIES.get(strategy, longest_idle)(member, now_ms)
    return Scored(advisor=member.state.id, terms=terms, tie=tie_break(case, member.state.id))
