"""Clocks, ladders and plans: when things are due, and that nothing fires twice or never."""

import itertools

import pytest

from router.contract.case import CaseDetail, CaseState, CaseStatus, Clock, read_detail
from router.contract.ids import AccountId, CaseId, ConversationId, InquiryId
from router.engine import escalation, plans, sla
from router.engine.plans import Scene
from router.engine.roster import Roster
from router.engine.telling import Teller
from router.engine.waiting import effective_priority, governing, read_class, urgency, wait_class
from rules import Policy, Verdict
from rules.policies import Cue
from tests.suites.clock_terms import terms_from
from tests.suites.stage import inquiry, rulebook

RULES = rulebook()
TERMS = terms_from(Policy(first_response_s=100, resolution_s=1000, warn_share=0.8))
T0 = 1_000_000


def detail(**members: object) -> CaseDetail:
    verdict = Verdict(queue="general", policy="standard", ladder="standard", rulebook=RULES.hash)
    known = {"account": AccountId("a"), "origin": InquiryId("i"), "customer": "c", "verdict": verdict}
    return CaseDetail(**{**known, **members})  # type: ignore[arg-type]


def state(**members: object) -> CaseState:
    known = {
        "id": CaseId("c1"),
        "state": CaseStatus.ASSIGNED,
        "ver": 3,
        "gen": 1,
        "conversation": ConversationId("t"),
        "channel": "email",
        "units": 10,
        "opened_at_ms": T0,
        "changed_at_ms": T0,
    }
    return CaseState(**{**known, **members})  # type: ignore[arg-type]


def _at(now_ms: int) -> Scene:
    return Scene(rulebook=RULES, now_ms=now_ms)


def test_a_new_case_is_due_at_its_targets_and_warns_before() -> None:
    armed = sla.timers(sla.start(TERMS, T0), TERMS, armed={}, now_ms=T0)
    assert armed == {
        "warn.first_response|0": T0 + 80_000,
        "breach.first_response|0": T0 + 100_000,
        "warn.resolution|0": T0 + 800_000,
        "breach.resolution|0": T0 + 1_000_000,
    }


def test_a_pause_moves_the_due_time_by_as_long_as_it_lasts() -> None:
    paused = sla.pend(sla.start(TERMS, T0), "customer", TERMS, T0 + 30_000)
    assert sla.timers(paused, TERMS, armed={"breach.first_response|0": T0 + 100_000}, now_ms=T0 + 30_000) == {
        "breach.first_response|0": 0
    }
    resumed = sla.resume(paused, TERMS, T0 + 530_000)
    assert resumed["first_response"].due_at_ms == T0 + 600_000


def test_pausing_twice_and_resuming_twice_changes_nothing_more() -> None:
    paused = sla.pend(sla.start(TERMS, T0), "customer", TERMS, T0 + 10)
    assert sla.pend(paused, "customer", TERMS, T0 + 20) == paused
    resumed = sla.resume(paused, TERMS, T0 + 30)
    assert sla.resume(resumed, TERMS, T0 + 40) == resumed


def test_a_met_clock_neither_runs_on_nor_starts_again() -> None:
    met = sla.hear(sla.start(TERMS, T0), Cue.REPLY, TERMS, T0 + 5)
    assert sla.resume(sla.pend(met, "customer", TERMS, T0 + 6), TERMS, T0 + 7)["first_response"].due_at_ms is None
    assert sla.hear(met, Cue.REPLY, TERMS, T0 + 99)["first_response"].met_at_ms == T0 + 5


@pytest.mark.parametrize("armed", [{}, {"warn.first_response|0": T0 + 80_000}])
def test_a_deadline_that_has_passed_is_neither_armed_again_nor_taken_away(armed: dict[str, int]) -> None:
    changes = sla.timers(sla.start(TERMS, T0), TERMS, armed=armed, now_ms=T0 + 90_000)
    assert "warn.first_response|0" not in changes
    stopped = sla.pend(sla.start(TERMS, T0), "customer", TERMS, T0 + 90_000)
    assert sla.timers(stopped, TERMS, armed=armed, now_ms=T0 + 90_000) == {}


def test_a_policy_that_is_gone_fires_nothing_more() -> None:
    armed = {"breach.first_response|0": T0 + 100_000}
    assert sla.timers(sla.start(TERMS, T0), {}, armed=armed, now_ms=T0) == {"breach.first_response|0": 0}


def test_a_step_that_is_overdue_and_not_taken_comes_at_once() -> None:
    clocks = {"first_response": Clock(target_ms=100_000, used_ms=150_000, running_since_ms=T0)}
    assert escalation.timers(state(), detail(clocks=clocks), RULES, T0) == {"step|1": T0}
    assert escalation.timers(state(step=1), detail(clocks=clocks), RULES, T0) == {}


def test_a_step_that_somebody_has_claimed_is_left_to_him() -> None:
    clocks = {"first_response": Clock(target_ms=100_000, running_since_ms=T0)}
    armed = {"step|1": T0 + 101_000}
    assert escalation.timers(state(timers=armed), detail(clocks=clocks), RULES, T0 + 100_500) == {}


def test_the_notices_of_a_step_are_the_same_however_often_they_are_made() -> None:
    teller, step = Teller(inquiry("x").pool, RULES, Roster(), T0), RULES.ladders["standard"].steps[0]
    told = [
        escalation.notices(teller, state(step=1), detail=detail(), step=step, told=("a", "b", "a")) for _ in range(2)
    ]
    assert told[0] == told[1]
    assert len(told[0]) == 2


def test_a_plan_writes_class_place_and_timers_from_the_whole_case() -> None:
    known = plans.opened(inquiry("x"), detail().verdict, Scene(rulebook=RULES, now_ms=T0))
    plan = plans.plan(state(), known, Scene(rulebook=RULES, now_ms=T0))
    assert (plan.ver, plan.score) == (3, T0 + 3_600_000)
    assert read_class(plan.class_key).clock == "first_response"
    assert set(plan.timers) == {
        "warn.first_response|0",
        "breach.first_response|0",
        "warn.resolution|0",
        "breach.resolution|0",
        "step|1",
    }
    assert plan.detail is not None
    assert read_detail(plan.detail) == known


def test_members_that_a_newer_version_wrote_survive_a_plan() -> None:
    newer = state(detail=plans.plan(state(), detail(), Scene(rulebook=RULES, now_ms=T0)).detail[:-1] + ',"later":[1]}')  # type: ignore[index]
    plan = plans.plan(newer, read_detail(newer.detail), Scene(rulebook=RULES, now_ms=T0))
    assert plan.detail is not None
    assert '"later":[1]' in plan.detail


def test_an_automatic_reply_stops_no_clock_and_a_persons_reply_meets_the_first_response() -> None:
    known = detail(clocks=sla.start(TERMS, T0))
    automatic = plans.with_reply(known, "r1", _at(T0 + 1), automatic=True)  # type: ignore[arg-type]
    assert automatic.clocks == known.clocks
    answered = plans.with_reply(automatic, "r2", _at(T0 + 2), advisor="mina")  # type: ignore[arg-type]
    assert answered.clocks["first_response"].met_at_ms == T0 + 2
    assert (answered.replies_count, answered.acknowledged) == (2, True)


def test_a_delivery_is_noted_once_and_a_foreign_one_not_at_all() -> None:
    known = plans.with_reply(detail(), "r1", _at(T0), advisor="mina")  # type: ignore[arg-type]
    seen = state(detail=plans.plan(state(), known, Scene(rulebook=RULES, now_ms=T0)).detail)
    changed = plans.delivered(seen, "r1", "failed", "gone")  # type: ignore[arg-type]
    assert changed is not None
    assert (changed.replies[0].state, changed.replies[0].reason) == ("failed", "gone")
    assert plans.delivered(seen, "other", "sent", "") is None  # type: ignore[arg-type]


def test_urgency_grows_with_time_ever_faster_and_doubles_with_priority() -> None:
    waiting = wait_class(detail(clocks=sla.start(TERMS, T0)), channel="email", units=10, rulebook=RULES, now_ms=T0)
    due = T0 + 3_600_000
    steps = [urgency(waiting, due, RULES, T0 + share * 360_000) for share in range(12)]
    growth = [later - earlier for earlier, later in itertools.pairwise(steps)]
    assert all(value > 0 for value in growth)
    assert growth == sorted(growth)


def test_escalation_raises_priority_no_further_than_the_highest() -> None:
    assert effective_priority(detail(raised=99)) == 1


def test_the_clock_due_first_governs_and_none_when_all_stand_still() -> None:
    clocks = sla.start(TERMS, T0)
    assert governing(clocks) == ("first_response", T0 + 100_000)
    assert governing(sla.pend(clocks, "customer", TERMS, T0)) == ("age", None)
