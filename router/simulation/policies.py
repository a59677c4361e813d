"""Policies: who gets which case. Ours are the engine's own decisions; those of others are written out here.

A policy answers the two questions that a router is asked: who is tried for a case that has just come, and which of the
waiting cases an advisor with room should have. Who may take a case at all is never a policy's business: that is the
engine's eligibility, for all of them.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from router.contract.ids import AdvisorId, CaseId
from router.engine.decide import Waiting, next_for, nominate
from router.engine.roster import Roster
from router.engine.waiting import WaitClass
from rules import Rulebook


class Choice(NamedTuple):
    """A waiting case for an advisor, and what he parks for it."""

    head: Waiting
    park: Sequence[CaseId] = ()


class Policy(Protocol):
    """Asked for one pool, in the order of time."""

    @property
    def wakes_ms(self) -> tuple[int, ...]:
        """The times after its arrival at which a waiting case is looked at again."""

    def first(self, roster: Roster, waiting: WaitClass, case: CaseId, now_ms: int) -> Sequence[AdvisorId]:
        """Whom to try for a case that has just come, in order; nobody when all are busy."""

    def nominated(self, roster: Roster, head: Waiting, now_ms: int) -> AdvisorId | None:
        """For whom to decide when a wait class asks for a look."""

    def next_case(self, roster: Roster, advisor: AdvisorId, heads: Sequence[Waiting], now_ms: int) -> Choice | None:
        """What an advisor should have next: one of these that he may be offered, or None."""


class Ours:
    """What the engine decides by a rulebook: as in production."""

    wakes_ms: tuple[int, ...] = ()

    def __init__(self, rulebook: Rulebook) -> None:
        self._rulebook = rulebook

    def first(self, roster: Roster, waiting: WaitClass, case: CaseId, now_ms: int) -> Sequence[AdvisorId]:
        # The first of the candidates: in one office nobody is a moment behind, so none of the others is needed.
        first = self.nominated(roster, Waiting(class_key=waiting.key, score_ms=now_ms, case=case), now_ms)
        return [first] if first else []

    def nominated(self, roster: Roster, head: Waiting, now_ms: int) -> AdvisorId | None:
        member = nominate(roster, head, self._rulebook, now_ms)
        return member.state.id if member else None

    def next_case(self, roster: Roster, advisor: AdvisorId, heads: Sequence[Waiting], now_ms: int) -> Choice | None:
        turn = next_for(roster, advisor, heads, self._rulebook, now_ms)
        return Choice(turn.head, turn.park) if turn else None
