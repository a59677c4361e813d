"""The tally: what happened to cases, counted once, whatever the way it came about."""

import pytest
from prometheus_client import CollectorRegistry

from router.contract.advisor import Presence
from router.contract.case import Pending
from router.contract.ids import AdvisorId, CaseId
from router.engine.consulting import Whom
from router.service.measuring.case_metrics import MAX_NAMES, CaseMetrics
from router.store.acts import Result
from tests.suites.metrics import all_at_zero, shown
from tests.suites.stage import RULES, Stage, rulebook, stage

OFFERS = "turnout_offers_total"
ADVICE = "turnout_consults_total"
BY = "turnout_assignments_total"
SLA = "turnout_sla_targets_total"
STEPS = "turnout_escalation_steps_total"
OVER = "turnout_assigned_over_capacity_total"


async def accepted(scene: Stage, name: str = "c1", *, talk: str = "") -> None:
    await scene.write(name, talk=talk)
    await scene.accept(name)


async def reply(scene: Stage, name: str = "c1") -> None:
    owner = (await scene.case(name)).owner
    assert (await scene.casework.reply(CaseId(name), scene.request(owner), text="hello")).result is Result.DONE


async def test_an_offer_that_is_accepted() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await scene.write("c1")
        await scene.pass_s(12)
        await scene.accept("c1")
        assert shown(scene.registry, OFFERS) == {"made": 1, "accepted": 1}
        assert shown(scene.registry, BY) == {"accepted": 1}
        assert shown(scene.registry, "turnout_time_to_assignment_seconds_sum") == {"": 12}


async def test_an_offer_that_is_accepted_again_counts_once() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await scene.write("c1")
        offer = (await scene.case("c1")).offers[0]
        request = scene.request("mina")
        for _ in range(2):
            await scene.casework.accept(CaseId("c1"), request, advisor=offer.advisor, offer_ver=offer.ver)
        assert shown(scene.registry, OFFERS) == {"made": 1, "accepted": 1}


async def test_offers_that_are_declined_and_expire() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await scene.hire("jun")
        await scene.write("c1")
        await scene.decline("c1")
        await scene.settle()
        await scene.pass_s(30)
        assert shown(scene.registry, OFFERS) == {"made": 2, "declined": 1, "expired": 1}
        assert shown(scene.registry, BY) == {}


@pytest.mark.parametrize("way", ["requeue", "transfer", "assign", "resolve"])
async def test_an_offer_that_is_taken_back(way: str) -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await scene.write("c1")
        await scene.hire("jun")
        work, case, request = scene.casework, CaseId("c1"), scene.request()
        acts = {
            "requeue": lambda: work.requeue(case, request),
            "transfer": lambda: work.transfer(case, request, queue="billing"),
            "assign": lambda: work.assign(case, request, to=AdvisorId("jun")),
            "resolve": lambda: work.resolve(case, request, outcome="solved"),
        }
        await acts[way]()
        assert shown(scene.registry, OFFERS)["taken_back"] == 1
        assert shown(scene.registry, BY) == ({"person": 1} if way == "assign" else {})


async def test_what_an_advisor_had_is_no_offer_taken_back() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await accepted(scene)
        await scene.resolve("c1")
        assert shown(scene.registry, OFFERS) == {"made": 1, "accepted": 1}


@pytest.mark.parametrize("way", ["requeue", "transfer", "assign", "resolve", "hand_back", "pend"])
async def test_advice_that_is_not_asked_for_any_more(way: str) -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await accepted(scene)
        await scene.hire("jun")
        work, case, request = scene.casework, CaseId("c1"), scene.request()
        await work.consult(case, scene.request("mina"), whom=Whom(to=AdvisorId("jun")))
        assert shown(scene.registry, ADVICE) == {"made": 1}
        pending = Pending(on="customer", since_ms=scene.clock.now_ms())
        acts = {
            "requeue": lambda: work.requeue(case, request),
            "transfer": lambda: work.transfer(case, request, queue="billing"),
            "assign": lambda: work.assign(case, request, to=AdvisorId("jun")),
            "resolve": lambda: work.resolve(case, request, outcome="solved"),
            "hand_back": lambda: work.hand_back(case, scene.request("mina"), advisor=AdvisorId("jun")),
            "pend": lambda: work.pend(case, scene.request("mina"), pending=pending),
        }
        await acts[way]()
        assert shown(scene.registry, ADVICE) == {"made": 1, "taken_back": 1}
        assert shown(scene.registry, OFFERS) == {"made": 1, "accepted": 1}


async def test_the_end_of_advice_that_was_given_is_none_of_a_ring() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await accepted(scene)
        await scene.hire("jun")
        await scene.casework.consult(CaseId("c1"), scene.request("mina"), whom=Whom(to=AdvisorId("jun")))
        await scene.accept("c1")
        await scene.casework.hand_back(CaseId("c1"), scene.request("jun"), advisor=AdvisorId("jun"))
        assert shown(scene.registry, ADVICE) == {"made": 1, "accepted": 1}
        assert shown(scene.registry, BY) == {"accepted": 1}


async def test_a_queue_that_assigns_without_asking() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await scene.write("c1", labels=("direct",))
        assert shown(scene.registry, OFFERS) == {}
        assert shown(scene.registry, BY) == {"automatic": 1}
        assert shown(scene.registry, "turnout_time_to_assignment_seconds_count") == {"": 1}


async def test_a_case_that_comes_back_to_its_owner() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await accepted(scene, talk="t")
        pending = Pending(on="customer", since_ms=scene.clock.now_ms())
        await scene.casework.pend(CaseId("c1"), scene.request("mina"), pending=pending)
        await scene.write("again", talk="t")
        assert shown(scene.registry, BY) == {"accepted": 1, "returned": 1}


async def test_an_assignment_above_capacity_is_counted_apart() -> None:
    async with stage() as scene:
        await scene.hire("mina", budget=10)
        await accepted(scene)
        await scene.write("c2")
        refused = await scene.casework.assign(CaseId("c2"), scene.request(), to=AdvisorId("mina"))
        assert (refused.result, shown(scene.registry, OVER)) == (Result.NO_ROOM, {})
        await scene.casework.assign(CaseId("c2"), scene.request(), to=AdvisorId("mina"), over=True)
        assert shown(scene.registry, OVER) == {"": 1}


async def test_the_first_reply_meets_its_target_once() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await accepted(scene)
        await reply(scene)
        await reply(scene)
        assert shown(scene.registry, SLA) == {"standard/first_response/met": 1}


async def test_a_reply_that_comes_too_late_is_missed_once() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await accepted(scene)
        await scene.pass_s(3_600)
        await reply(scene)
        assert shown(scene.registry, SLA) == {"standard/first_response/missed": 1}
        assert shown(scene.registry, "turnout_escalations_total") == {"warn": 1, "breach": 1, "step": 1}


async def test_clocks_that_stand_still_meet_nothing() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await accepted(scene)
        pending = Pending(on="customer", since_ms=scene.clock.now_ms())
        await scene.casework.pend(CaseId("c1"), scene.request("mina"), pending=pending)
        assert shown(scene.registry, SLA) == {}


async def test_a_resolution_is_met_once_however_often_the_case_is_reopened() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await accepted(scene, talk="t")
        await reply(scene)
        await scene.resolve("c1")
        met = {"standard/first_response/met": 1, "standard/resolution/met": 1}
        assert shown(scene.registry, SLA) == met
        await scene.write("again", talk="t")
        await scene.settle()
        await scene.accept("c1")
        await scene.resolve("c1")
        assert shown(scene.registry, SLA) == met


async def test_a_resolution_that_is_late_is_missed_also_when_it_is_reopened() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await accepted(scene, talk="t")
        await reply(scene)
        await scene.pass_s(86_400)
        await scene.resolve("c1")
        assert shown(scene.registry, SLA) == {"standard/first_response/met": 1, "standard/resolution/missed": 1}


async def test_a_breach_after_the_first_resolution_is_not_counted_again() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await accepted(scene, talk="t")
        await reply(scene)
        await scene.resolve("c1")
        await scene.write("again", talk="t")
        await scene.pass_s(86_400)
        assert shown(scene.registry, SLA) == {"standard/first_response/met": 1, "standard/resolution/met": 1}


async def test_steps_are_counted_by_ladder() -> None:
    async with stage() as scene:
        await scene.write("c1")
        await scene.write("c2")
        await scene.pass_s(3_600)
        assert shown(scene.registry, STEPS) == {"standard/1": 2}


async def test_decisions_are_timed_whoever_makes_them() -> None:
    async with stage() as scene:
        count = "turnout_decision_seconds_count"
        await scene.write("c1")
        assert shown(scene.registry, count) == {"": 1}
        await scene.settle()
        await scene.hire("mina")
        assert shown(scene.registry, count)[""] > 1


async def test_a_decision_leaves_its_time() -> None:
    async with stage() as scene:
        await scene.hire("mina", presence=None)
        await scene.write("c1")
        assert shown(scene.registry, "turnout_last_decision_timestamp_seconds") == {}
        await scene.presence("mina", Presence.ONLINE)
        await scene.settle()
        now_s = scene.clock.now_ms() / 1000
        assert shown(scene.registry, "turnout_last_decision_timestamp_seconds") == {"": now_s}


def test_a_rulebooks_labels_begin_at_zero_and_a_new_ones_are_added() -> None:
    registry = CollectorRegistry()
    metrics = CaseMetrics(registry)
    bare = all_at_zero(registry)
    assert (bare[SLA], bare[STEPS]) == (14, 1)
    metrics.adopt(rulebook())
    metrics.target("standard", "resolution", met=True)
    gold = RULES.replace("policies:\n", "policies:\n  gold: {first_response_s: 60, resolution_s: 600}\n")
    for _ in range(2):
        metrics.adopt(rulebook(gold.replace("{at: breach,", "{at: 0.5, raise_priority: 1}, {at: breach,")))
    assert shown(registry, SLA) == {"standard/resolution/met": 1}
    series = [sample for family in registry.collect() for sample in family.samples]
    assert sum(sample.name == SLA for sample in series) == 42
    assert [sample.labels["step"] for sample in series if sample.name == STEPS] == ["other", "1", "other", "2"]


def test_names_that_no_rulebook_had_or_that_are_too_many_are_counted_as_others() -> None:
    registry = CollectorRegistry()
    metrics = CaseMetrics(registry)
    metrics.target("gone", "resolution", met=False)
    metrics.step("gone", 3)
    assert shown(registry, SLA) == {"other/resolution/missed": 1}
    assert shown(registry, STEPS) == {"other/other": 1}
    many = "".join(f"  p{n}: {{first_response_s: 60, resolution_s: 600}}\n" for n in range(MAX_NAMES + 50))
    metrics.adopt(rulebook(RULES.replace("policies:\n", "policies:\n" + many)))
    names = {
        sample.labels["policy"] for family in registry.collect() for sample in family.samples if sample.name == SLA
    }
    assert len(names) == MAX_NAMES + 1
