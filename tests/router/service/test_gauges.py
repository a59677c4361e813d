"""Gauges: what Prometheus is told of a pool is what is so."""

from prometheus_client import CollectorRegistry

from router.contract.advisor import Presence
from router.service.gauges import Gauges, PoolMetrics
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


async def test_an_empty_pool_shows_zeros() -> None:
    async with stage() as scene:
        shown = await looked(scene)
        assert set(shown.values()) == {0.0}
        assert len(shown) == 7 + len(Presence)
