"""The tally: what acts mean for offers, assignments, SLA targets and ladders, counted as their outcomes come."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from router.contract.advisor import AdvisorState, Work, WorkKind
from router.contract.case import CaseState
from router.contract.ids import AdvisorId
from router.contract.plan import Plan
from router.engine.roster import Roster
from router.service.measuring.case_metrics import CaseMetrics
from router.service.measuring.metrics import ServiceMetrics
from router.store.acts import (
    Accept,
    Admit,
    AnyAct,
    Assign,
    Consult,
    Decline,
    Escalate,
    Expire,
    HandBack,
    Label,
    Match,
    Outcome,
    Requeue,
    Result,
    Transfer,
    Unpark,
    WrapUp,
)
from rules import Clock


class _Verdict(msgspec.Struct, frozen=True):
    policy: str
    ladder: str | None = None


class _Finished(msgspec.Struct, frozen=True):
    clock: str
    ver: int
    margin_ms: int


class _Climb(msgspec.Struct, frozen=True):
    ladder: str = ""
    rung: int = 0


class _Detail(msgspec.Struct, frozen=True):
    """As much of a case's detail as is counted by: reading it whole takes twice as long."""

    verdict: _Verdict
    finished: tuple[_Finished, ...] = ()
    placed_at_ms: int = 0
    reopened: int = 0
    climbed: tuple[_Climb, ...] = (_Climb(),)


_DETAIL: Final = msgspec.json.Decoder(_Detail)
_BREACH: Final = "breach."
_PLACED: Final = frozenset({Result.OFFERED, Result.ASSIGNED, Result.RETURNED})
_ENDED_BY: Final[Mapping[type[Any], str]] = {Decline: "declined", Expire: "expired"}
_CONSULT_ENDED_BY: Final[Mapping[type[Any], str]] = {Accept: "accepted", **_ENDED_BY}
_OF_CONSULTS: Final = (Accept, Decline, Expire, HandBack, Consult)
_PLACING: Final = (Admit, Match, Assign, Accept, Requeue, Transfer, Unpark)


class Tally:
    """Counts each act once, by its first answer: one that was repeated, or wrote nothing, doesn't count.

    ``roster`` has to be as it was before the act: it tells which offers the act has ended.
    """

    def __init__(self, metrics: ServiceMetrics, roster: Roster) -> None:
        self._metrics = metrics.cases
        self._last_decision = metrics.last_decision
        self._escalations = metrics.escalations
        self._roster = roster

    def observe(self, act: AnyAct, outcome: Outcome) -> None:
        """Count an act by its outcome."""
        if isinstance(act, WrapUp):
            self._count_wrap_up(act, outcome)
        state = outcome.case
        if state is None or outcome.repeated or not outcome.number:
            return
        if not self._count_consult(act, state, outcome):
            self._count_ended(act, state, outcome)
        if isinstance(act, _PLACING) and outcome.result in _PLACED:
            self._count_placed(act, state, outcome.result)
        if isinstance(act, Label | Escalate) and state.over and self._grew(state):
            self._metrics.over.inc()
        plan: Plan | None = getattr(act, "plan", None)
        if plan is not None:
            self._count_met(plan, state)
        if isinstance(act, Escalate) and not act.lower:
            self._escalations.labels("step").inc()
            taken = _DETAIL.decode(state.detail).climbed[-1]
            self._metrics.step(taken.ladder, taken.rung)

    def _grew(self, state: CaseState) -> bool:
        """Whether its owner had it already when it weighed less."""
        item = self._work_before(AdvisorId(state.owner), state)
        return item is not None and item.units < state.units

    def _count_consult(self, act: AnyAct, state: CaseState, outcome: Outcome) -> bool:
        """What the act means for who is, or was, rung for advice; whether that is all it was about."""
        is_all = isinstance(act, _OF_CONSULTS) and bool(state.owner) and outcome.result is not Result.ASSIGNED
        by = _CONSULT_ENDED_BY.get(type(act), "taken_back")
        was_one = is_all and type(act) in _CONSULT_ENDED_BY
        ended = 1 if was_one else sum(self._was_rung(each, state) for each in outcome.advisors)
        if is_all:
            self._metrics.consult("made", sum(offer.ver == state.ver for offer in state.offers))
        self._metrics.consult(by, ended)
        return is_all

    def _was_rung(self, now: AdvisorState, state: CaseState) -> bool:
        before, after = self._work_before(now.id, state), now.work.get(state.id)
        is_rung = after is not None and after.kind is WorkKind.CONSULT_OFFER
        return before is not None and before.kind is WorkKind.CONSULT_OFFER and not is_rung

    def _count_wrap_up(self, act: WrapUp, outcome: Outcome) -> None:
        if outcome.result is Result.DONE and not outcome.repeated:
            end = "extended" if act.until_ms else "elapsed" if act.claim else "early"
            self._metrics.wrap_ups.labels(end).inc()

    def _count_placed(self, act: AnyAct, state: CaseState, result: Result) -> None:
        if state.over:
            self._metrics.over.inc()
        if result is Result.OFFERED:
            self._metrics.offer("made", sum(offer.ver == state.ver for offer in state.offers))
        else:
            self._count_assigned(act, state, result)
        if not isinstance(act, Assign | Accept | Unpark):
            self._last_decision.set(state.changed_at_ms / 1000)

    def _count_assigned(self, act: AnyAct, state: CaseState, result: Result) -> None:
        if isinstance(act, Accept):
            by = "accepted"
            self._metrics.offer("accepted")
        elif isinstance(act, Assign):
            by = "person"
        else:
            by = "returned" if result is Result.RETURNED else "automatic"
        self._metrics.assigned(by)
        if isinstance(act, Accept | Admit | Match) and by != "returned":
            waited_ms = state.changed_at_ms - _DETAIL.decode(state.detail).placed_at_ms
            self._metrics.assignment_seconds.observe(max(0, waited_ms) / 1000)

    def _count_ended(self, act: AnyAct, state: CaseState, outcome: Outcome) -> None:
        """The offers of the case that stood before and don't any more, without having been accepted."""
        if isinstance(act, Decline):
            ended = 1
        elif isinstance(act, Expire):
            ended = len(outcome.advisors)
        else:
            ended = sum(self._was_offered(each.id, state, each.work) for each in outcome.advisors)
            ended -= isinstance(act, Accept) and self._was_offered(act.advisor, state, {})
        if ended > 0:
            self._metrics.offer(_ENDED_BY.get(type(act), "taken_back"), ended)

    def _was_offered(self, advisor: Any, state: CaseState, work: Mapping[str, Any]) -> bool:
        before, now = self._work_before(advisor, state), work.get(state.id)
        still = now is not None and now.kind is WorkKind.OFFER
        return before is not None and before.kind is WorkKind.OFFER and not still

    def _work_before(self, advisor: AdvisorId, state: CaseState) -> Work | None:
        member = self._roster.get(advisor)
        return member.state.work.get(state.id) if member else None

    def _count_met(self, plan: Plan, state: CaseState) -> None:
        """A clock that the act brought to its end before it breached: its breach was still armed."""
        taken = plan.taken.timers if plan.taken is not None and state.owner else {}
        if not any(at == 0 and timer.startswith(_BREACH) for timer, at in (*plan.timers.items(), *taken.items())):
            return
        detail = _DETAIL.decode(state.detail)
        for ended in detail.finished:
            if ended.ver == state.ver and ended.margin_ms > 0 and not _is_counted(detail, ended.clock):
                self._metrics.target(detail.verdict.policy, ended.clock, met=True)


def count_breach(metrics: CaseMetrics, state: CaseState, timer: str) -> None:
    """A clock of the case has breached: its timer has fired, which it does once."""
    detail, target = _DETAIL.decode(state.detail), _target(timer)
    if target and not _is_counted(detail, target):
        metrics.target(detail.verdict.policy, target, met=False)


def _target(timer: str) -> str:
    """The clock of a timer ``breach.<clock>|n``; empty for another."""
    return timer.removeprefix(_BREACH).partition("|")[0] if timer.startswith(_BREACH) else ""


def _is_counted(detail: _Detail, target: str) -> bool:
    """Whether the target was counted before: resolving counts, and a case may be resolved again."""
    return target == Clock.RESOLUTION and detail.reopened > 0
