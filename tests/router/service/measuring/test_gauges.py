"""Gauges: what Prometheus is told of a pool is what is so."""

from prometheus_client import CollectorRegistry

from router.contract.advisor import Presence
from router.contract.ids import AdvisorId, CaseId
from router.service.measuring.gauges import Gauges, PoolMetrics
from tests.suites.metrics import all_at_zero
from tests.suites.stage import POOL, Stage, stage


async def looked(scene: Stage) -> dict[str, float]:
    registry = CollectorRegistry()
    metrics = PoolMetrics(registry, (POOL,))
    await Gauges(POOL, scene.store, scene.tail, clock=scene.clock, metrics=metrics).look()
    return {
        "/".join((sample.name, *(value for key, value in sample.labels.items() if key != "pool"))): sample.value
        for family in registry.collect()
        for sample in family.samples
    }


async def test_gauges_show_the_waiting_the_present_and_the_load() -> None:
    async with stage() as scene:
        await scene.hire("mina", budget=10)
        await scene.hire("jun", presence=Presence.AWAY)
        await scene.hire("hana", presence=None)
        for name in ("c1", "c2", "c3"):
            await scene.write(name)
        await scene.settle()
        shown = await looked(scene)
        assert shown["turnout_cases_waiting"] == 2
        assert shown["turnout_advisor_load_units"] == 10
        assert [shown[f"turnout_advisors/{presence}"] for presence in ("online", "away", "finishing", "offline")] == [
            1,
            1,
            0,
            1,
        ]
        status = await scene.store.status(POOL)
        assert shown["turnout_outbox_length"] == status.number > 0
        assert shown["turnout_timers_armed"] == status.timers > 0


async def test_a_timer_that_nobody_serves_is_seen_to_be_overdue() -> None:
    async with stage() as scene:
        await scene.write("c1")
        assert (await looked(scene))["turnout_timer_overdue_seconds"] == 0
        first = (await scene.store.status(POOL)).next_timer_ms
        assert first is not None
        await scene.clock.advance_ms(first - scene.clock.now_ms() + 7_000)
        assert (await looked(scene))["turnout_timer_overdue_seconds"] == 7


async def test_advisors_online_are_told_by_their_load() -> None:
    async with stage() as scene:
        for name, budget in (("mina", 10), ("jun", 20), ("hana", 30), ("sora", 5), ("bora", 20)):
            await scene.hire(name, budget=budget)
        await scene.hire("duri", budget=100, presence=Presence.AWAY)
        for number, name in enumerate(("mina", "jun", "sora")):
            await scene.write(f"c{number}", "my invoice")
            await scene.casework.assign(CaseId(f"c{number}"), scene.request(), to=AdvisorId(name), over=True)
        await scene.caught_up()
        shown = await looked(scene)
        loads = {load: shown[f"turnout_advisors_online/{load}"] for load in ("free", "partly", "full", "over")}
        assert loads == {"free": 2, "partly": 1, "full": 1, "over": 1}
        assert shown["turnout_advisor_budget_units"] == 85


async def test_an_empty_pool_shows_zeros() -> None:
    async with stage() as scene:
        registry = CollectorRegistry()
        metrics = PoolMetrics(registry, (POOL,))
        before = all_at_zero(registry)
        await Gauges(POOL, scene.store, scene.tail, clock=scene.clock, metrics=metrics).look()
        assert all_at_zero(registry) == before
        assert before["turnout_advisors"] == len(Presence)
