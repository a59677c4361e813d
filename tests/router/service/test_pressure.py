"""Pressure: the level follows the server's memory and the outbox, and what waits for memory comes afterwards."""

import logging
from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry

from router.contract.case import CaseState, CaseStatus
from router.contract.ids import CaseId
from router.contract.plan import Plan
from router.runtime.server_memory import MemoryUse
from router.service.errors import IntakeHeldBack
from router.service.pressure import Barometer, PressureMetrics, level_of
from router.store.acts import Replan
from router.store.marks import LEVEL_LIFE_MS, Level
from tests.suites.stage import POOL, Stage, stage

FINE, SOFT, HARD = Level.FINE, Level.SOFT, Level.HARD


@pytest.mark.parametrize(
    ("memory", "outbox", "before", "level"),
    [
        (None, 0.0, FINE, FINE),
        (0.799, 0.0, FINE, FINE),
        (0.8, 0.0, FINE, SOFT),
        (0.899, 0.0, SOFT, SOFT),
        (0.9, 0.0, SOFT, HARD),
        (1.2, 0.0, FINE, HARD),
        (0.85, 0.0, HARD, HARD),
        (0.849, 0.0, HARD, SOFT),
        (0.75, 0.0, SOFT, SOFT),
        (0.75, 0.0, HARD, SOFT),
        (0.749, 0.0, HARD, FINE),
        (None, 0.999, FINE, FINE),
        (None, 1.0, FINE, SOFT),
        (None, 5.0, SOFT, SOFT),
        (None, 0.8, SOFT, SOFT),
        (None, 0.799, SOFT, FINE),
        (0.95, 1.0, FINE, HARD),
        (0.1, 1.0, FINE, SOFT),
    ],
)
def test_a_level_rises_at_its_mark_and_falls_below_it(
    memory: float | None, outbox: float, before: Level, level: Level
) -> None:
    assert level_of(memory, outbox, before) is level


class Office:
    """A stage with the barometers of two routers."""

    def __init__(self, scene: Stage) -> None:
        self.scene = scene
        self.registry = CollectorRegistry()
        metrics = PressureMetrics(self.registry, (POOL,))
        self.first, self.second = (Barometer(POOL, scene.store, clock=scene.clock, metrics=metrics) for _ in range(2))

    def use(self, percent: int | None) -> None:
        self.scene.store.use = None if percent is None else MemoryUse(used_bytes=percent, max_bytes=100)

    async def after_ms(self, ms: int) -> Level:
        """What the first router finds then."""
        await self.scene.clock.advance_ms(ms)
        return await self.first.look()

    def shown(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0.0


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with stage() as scene:
        yield Office(scene)


async def test_a_full_server_holds_new_work_back_until_it_has_room(office: Office) -> None:
    office.use(85)
    assert await office.after_ms(1_000) is SOFT
    with pytest.raises(IntakeHeldBack):
        await office.scene.write("c1")
    office.use(50)
    assert await office.after_ms(1_000) is FINE
    await office.scene.write("c1")


async def test_one_router_looks_for_all(office: Office) -> None:
    office.use(85)
    assert await office.after_ms(1_000) is SOFT
    office.use(50)
    # The other has just looked: what it found holds for this one, too.
    assert await office.second.look() is SOFT
    await office.scene.clock.advance_ms(1_000)
    assert await office.second.look() is FINE


async def test_a_long_outbox_counts_where_memory_is_unknown(office: Office) -> None:
    office.use(None)
    office.scene.store._pools[POOL].outbox_mark = 2
    await office.scene.write("c1")
    await office.scene.write("c2")
    assert await office.after_ms(1_000) is SOFT
    store = office.scene.store
    await store.trim(POOL, await store.take(POOL), (await store.status(POOL)).number)
    assert await office.after_ms(1_000) is FINE


async def test_a_level_ends_when_nobody_looks_any_more(office: Office) -> None:
    office.use(95)
    assert await office.after_ms(1_000) is HARD
    await office.scene.clock.advance_ms(LEVEL_LIFE_MS + 1)
    await office.scene.write("c1")


async def test_it_shows_what_it_finds(office: Office) -> None:
    office.use(93)
    await office.after_ms(1_000)
    assert office.shown("turnout_pressure_level", pool=POOL) == 2
    assert office.shown("turnout_store_memory_ratio") == 0.93
    office.use(None)
    await office.after_ms(1_000)
    assert office.shown("turnout_store_memory_ratio") == 0


async def test_it_says_a_change_once(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "router.service.pressure")
    for percent in (None, None, 85, 85, 95, 50, 50):
        office.use(percent)
        await office.after_ms(1_000)
    events = [getattr(record, "event", "") for record in caplog.records]
    assert events == ["pressure.unknown", "pressure.level", "pressure.level", "pressure.level"]
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING", "WARNING", "INFO"]


async def test_work_that_is_there_ends_under_pressure(office: Office) -> None:
    scene = office.scene
    await scene.hire("mina")
    await scene.write("c1")
    await scene.write("c2")
    office.use(95)
    await office.after_ms(1_000)
    await scene.settle()
    await scene.accept("c1")
    await scene.resolve("c1")
    assert (await scene.case("c1")).state is CaseStatus.RESOLVED


async def arm(scene: Stage, timer: str, in_ms: int) -> CaseState:
    state = await scene.case("c1")
    plan = Plan(ver=state.ver, class_key=state.class_key, score=state.score)
    plan.timers[timer] = scene.clock.now_ms() + in_ms
    outcome = await scene.actor.one(Replan(**scene.common(), case=CaseId("c1"), plan=plan))
    assert outcome.case is not None
    return outcome.case


async def test_a_ladder_step_waits_and_says_how_late_it_comes(office: Office) -> None:
    scene = office.scene
    await scene.write("c1")
    armed = await arm(scene, "step|1", 500)
    office.use(95)
    assert await office.after_ms(1_000) is HARD
    await scene.timers.serve()
    assert (await scene.case("c1")).step == 0
    assert scene.registry.get_sample_value("turnout_timers_put_off_total") == 1
    office.use(50)
    await office.after_ms(10_000)
    await scene.timers.serve()
    assert (await scene.case("c1")).step == 1
    late_ms = scene.clock.now_ms() - armed.timers["step|1"]
    last = (await scene.store.pending(POOL, 0, limit=1_000))[-1]
    assert (last.kind, last.reason) == ("escalate", f"late by {late_ms} ms: memory was short")
