"""Timers in a simulation: what the service's timer loop would do, for the timers that a simulated case can have."""

from typing import Any

from msgspec.structs import replace

from router.contract.case import CaseDetail, CaseState, CaseStatus
from router.contract.ids import AdvisorId, CaseId
from router.engine import climbing, offers, plans, relaxation
from router.engine.plans import Scene
from router.engine.roster import Roster
from router.store.acts import AnyAct, Escalate, Expire, PresenceAct, Rejudge, Replan, TimerClaim, WrapUp


def of_advisor(claim: TimerClaim, common: dict[str, Any]) -> AnyAct:
    """The act that serves a timer of an advisor."""
    kind, _, name = claim.timer.partition("|")
    spent, advisor = (claim.timer, claim.deadline_ms), AdvisorId(claim.id)
    if kind == "wrap_up":
        return WrapUp(**common, advisor=advisor, case=CaseId(name), claim=spent)
    return PresenceAct(**common, advisor=advisor, claim=spent)


def of_case(
    claim: TimerClaim, state: CaseState, detail: CaseDetail, scene: Scene, roster: Roster, common: dict[str, Any]
) -> AnyAct:
    """The act that serves a timer of a case."""
    kind, _, number = claim.timer.partition("|")
    given = {**common, "case": state.id, "claim": (claim.timer, claim.deadline_ms)}
    spent = plans.spent(state, claim.timer)
    match kind:
        case "offer":
            book, now_ms = scene.rulebook, scene.now_ms
            after = offers.missed(state, int(number), roster=roster, rulebook=book, now_ms=now_ms)
            away = scene.rulebook.away_after
            plan = plans.plan(state, after, scene)
            return Expire(**given, plan=plan, offer_ver=int(number), away_after=away)
        case "step" if climbed := _climbed(state, detail, int(number), scene=scene, roster=roster):
            on = plans.weighed(replace(spent, step=int(number)), climbed.detail, scene)
            plan = plans.placed(on, climbed.detail, scene) if climbed.take else plans.plan(on, climbed.detail, scene)
            return Escalate(**given, plan=plan, step=int(number), take=climbed.take)
        case "relax" if state.state in {CaseStatus.QUEUED, CaseStatus.OFFERED}:
            return Rejudge(**given, plan=plans.plan(spent, relaxation.take(detail), scene))
        case "cooldown" | "hold":
            return Rejudge(**given, plan=plans.plan(state, offers.released(detail, scene.now_ms), scene))
        case _:
            return Replan(**given, plan=plans.plan(state, detail, scene))


def _climbed(
    state: CaseState, detail: CaseDetail, number: int, *, scene: Scene, roster: Roster
) -> climbing.Climbed | None:
    """The case a step further; None when its ladder has no such step."""
    cause = climbing.Cause(trigger="timer")
    return climbing.climb(state, detail, number, cause, rulebook=scene.rulebook, roster=roster, now_ms=scene.now_ms)
