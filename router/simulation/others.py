"""Policies that other routers have, for comparison: fixed rules for the advisor, and first come first served or strict
priority for the case. Who may take what is the engine's eligibility for them too.

They go by when a case came, so they want queues whose order is ``fifo``.
"""

from collections.abc import Callable, Sequence
from typing import Final

from router.contract.ids import AdvisorId, CaseId
from router.engine.decide import Waiting
from router.engine.eligibility import eligible, is_eligible
from router.engine.ranking import tie_break
from router.engine.roster import Member, Roster
from router.engine.skill_fit import skill_fit
from router.engine.waiting import WaitClass
from router.simulation.policies import Choice

Advisors = Callable[[Member], float]
"""The least goes first."""
Cases = Callable[[Waiting], tuple[float, ...]]


def by_idle(member: Member) -> float:
    return member.state.idle_since_ms


def by_turn(member: Member) -> float:
    return member.turn_ms


def by_count(member: Member) -> float:
    return len(member.state.work)


def first_come(head: Waiting) -> tuple[float, ...]:
    return (head.score_ms,)


def strict_priority(head: Waiting) -> tuple[float, ...]:
    return (head.waiting.priority, head.score_ms)


class Other:
    """One rule for the advisor, one for the case."""

    wakes_ms: tuple[int, ...] = ()

    def __init__(self, advisors: Advisors, cases: Cases = first_come) -> None:
        self._advisors = advisors
        self._cases = cases

    def first(self, roster: Roster, waiting: WaitClass, case: CaseId, now_ms: int) -> Sequence[AdvisorId]:
        found = self._may_take(roster, waiting, now_ms, now_ms)
        return [one.state.id for one in sorted(found, key=lambda member: self._rank(member, case))[:1]]

    def nominated(self, roster: Roster, head: Waiting, now_ms: int) -> AdvisorId | None:
        found = self._may_take(roster, head.waiting, head.score_ms, now_ms)
        first = min(found, key=lambda member: self._rank(member, head.case), default=None)
        return first.state.id if first else None

    def next_case(self, roster: Roster, advisor: AdvisorId, heads: Sequence[Waiting], now_ms: int) -> Choice | None:
        member = roster.get(advisor)
        if member is None:
            return None
        fitting = (
            head
            for head in heads
            if is_eligible(member, head.waiting) and self._is_open(roster, member, head.waiting, now_ms - head.score_ms)
        )
        first = min(fitting, key=lambda head: (*self._cases(head), head.case), default=None)
        return Choice(first) if first else None

    def _may_take(self, roster: Roster, waiting: WaitClass, came_ms: int, now_ms: int) -> list[Member]:
        members = roster.members(eligible(roster, waiting))
        return [member for member in members if self._is_open(roster, member, waiting, now_ms - came_ms)]

    def _rank(self, member: Member, case: CaseId) -> tuple[float, int]:
        return self._advisors(member), tie_break(case, member.state.id)

    def _is_open(self, roster: Roster, member: Member, waiting: WaitClass, waited_ms: int) -> bool:
        """Whether the case may go to him after so long a wait."""
        return True


class Rings(Other):
    """Skill rings: at first only the fittest are asked, and after each delay those who are next by their levels in the
    skills that the case wants. In a ring, whoever is idle for longest."""

    def __init__(self, delays_ms: Sequence[int]) -> None:
        super().__init__(by_idle)
        self.wakes_ms = tuple(delays_ms)
        self._fits: dict[object, list[float]] = {}

    def _is_open(self, roster: Roster, member: Member, waiting: WaitClass, waited_ms: int) -> bool:
        if waiting.wants not in self._fits:
            found = {skill_fit(one, waiting.wants) for one in roster}
            self._fits[waiting.wants] = sorted(found - {0.0}, reverse=True)
        fits = self._fits[waiting.wants]
        fit = skill_fit(member, waiting.wants)
        ring = fits.index(fit) if fit in fits else 0
        return ring == 0 or waited_ms >= self.wakes_ms[min(ring, len(self.wakes_ms)) - 1]


NAMES: Final[dict[str, tuple[Advisors, Cases]]] = {
    "fifo-round-robin": (by_turn, first_come),
    "fifo-least-count": (by_count, first_come),
    "fifo-longest-idle": (by_idle, first_come),
    "strict-priority": (by_idle, strict_priority),
}
