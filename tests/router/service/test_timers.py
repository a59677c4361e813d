"""Timers that have lost their meaning are dropped; rulebooks of before are found again."""

import pytest

from router.contract.advisor import Presence
from router.contract.case import CaseState
from router.contract.ids import AdvisorId, CaseId
from router.contract.plan import Plan
from router.service.configuration.policies import KEPT, Policies
from router.store.acts import Due, Replan
from tests.suites.stage import POOL, RULES, Stage, rulebook, stage

MINA = AdvisorId("mina")
_LEFT = "a timer of an unknown kind is left to others"


async def arm(scene: Stage, timer: str, in_ms: int) -> None:
    state = await scene.case("c1")
    at = scene.clock.now_ms() + in_ms
    plan = Plan(ver=state.ver, class_key=state.class_key, score=state.score, timers={timer: at})
    await scene.actor.one(Replan(**scene.common(), case=CaseId("c1"), plan=plan))


async def test_a_close_timer_on_a_case_that_is_open_is_dropped() -> None:
    async with stage() as scene:
        await scene.write("c1")
        await arm(scene, "close|0", 1_000)
        await scene.pass_s(5)
        assert "close|0" not in (await scene.case("c1")).timers


async def test_a_timer_of_a_kind_that_only_a_newer_version_knows_is_left_to_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with stage() as scene:
        await scene.write("c1")
        await arm(scene, "mystery|0", 1_000)
        await scene.pass_s(5)
        before = (await scene.case("c1")).timers["mystery|0"]
        now = scene.clock.now_ms()
        assert now < before <= now + 1_000
        # Whatever this version does with the case, it stays.
        await scene.hire("mina")
        await scene.accept("c1")
        await scene.casework.label(CaseId("c1"), scene.request(), add=("new",))
        await scene.resolve("c1")
        assert (await scene.case("c1")).timers["mystery|0"] == before
        await scene.pass_s(1)
        (claim,) = (await scene.actor.one(Due(**(scene.common() | {"now_ms": before + 1_000})))).claims
        assert (claim.timer, claim.id) == ("mystery|0", "c1")
        assert [record.getMessage() for record in caplog.records].count(_LEFT) == 1


async def test_an_advisors_timer_that_only_a_newer_version_knows_is_left_to_it() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        rows = scene.store.made(POOL)
        rows.advisors[MINA].timers["mystery|c1"] = at = scene.clock.now_ms() + 1_000
        rows.timers.set("a|mina|mystery|c1", at)
        await scene.pass_s(5)
        await scene.presence("mina", Presence.AWAY)
        assert "mystery|c1" in rows.advisors[MINA].timers
        await scene.pass_s(5)
        assert rows.advisors[MINA].timers["mystery|c1"] > scene.clock.now_ms()


async def judged(scene: Stage) -> CaseState:
    await scene.write("c1")
    state = await scene.store.case(POOL, CaseId("c1"))
    assert state is not None
    return state


async def test_scenario_22_a_waiting_case_keeps_the_rulebook_it_was_judged_by() -> None:
    async with stage() as scene:
        state = await judged(scene)
        old = scene.policies.active
        newer = rulebook(RULES.replace("backoff_s: 15", "backoff_s: 30"))
        scene.policies.activate(newer)
        assert (scene.policies.judged_by(state), scene.policies.active) == (old, newer)
        assert old.hash in (await scene.case("c1")).why


async def test_a_rulebook_from_before_a_restart_is_looked_up() -> None:
    async with stage() as scene:
        state = await judged(scene)
        old, newer = scene.policies.active, rulebook(RULES.replace("backoff_s: 15", "backoff_s: 30"))
        restarted = Policies(newer, {old.hash: old}.get)
        assert restarted.judged_by(state) is old
        assert Policies(newer).judged_by(state) is newer


def test_the_active_rulebook_is_never_forgotten_for_others() -> None:
    policies = Policies(rulebook())
    for number in range(KEPT * 2):
        policies.add(rulebook(RULES.replace("backoff_s: 15", f"backoff_s: {number + 100}")))
    assert policies.active.hash == rulebook().hash
