"""A version that doesn't know a pool's format, a host whose clock is off: it keeps off, says so, and ends when that is
found under it."""

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import pytest

from router.contract.ids import PoolId
from router.runtime.clock import ManualClock
from router.service.errors import SkewedClock, Superseded
from router.service.pool_watch import PoolWatch
from router.store.library import FORMAT
from router.store.protocol import PoolStatus, Reads
from tests.suites.stage import POOL, Stage, stage

LOOK_MS = 5_000
SAYS = f"the state of pool default has format {FORMAT + 1}, this version knows {FORMAT}: upgrade this process"


@pytest.fixture
async def scene() -> AsyncIterator[Stage]:
    async with stage() as made:
        yield made


def write_by_newer(scene: Stage, newer: int = 1) -> None:
    scene.store._pools[POOL].format = FORMAT + newer


async def test_a_state_that_is_known_is_entered_at_once(scene: Stage) -> None:
    watch = PoolWatch(POOL, scene.store, clock=scene.clock)
    await watch.enter()
    assert watch.problem() is None


async def test_a_pool_that_is_not_there_is_no_newer_one(scene: Stage) -> None:
    watch = PoolWatch(PoolId("nowhere"), scene.store, clock=scene.clock)
    await watch.enter()
    assert watch.problem() is None


async def test_a_newer_state_is_waited_for_and_said(scene: Stage, caplog: pytest.LogCaptureFixture) -> None:
    write_by_newer(scene)
    watch = PoolWatch(POOL, scene.store, clock=scene.clock)
    entering = asyncio.create_task(watch.enter())
    for _ in range(3):
        await scene.clock.asleep()
        assert watch.problem() == SAYS
        await scene.clock.advance_ms(LOOK_MS)
    assert not entering.done()
    assert [record.getMessage() for record in caplog.records if record.name == "router.service.pool_watch"] == [SAYS]
    write_by_newer(scene, 0)  # the store was put back
    await scene.clock.advance_ms(LOOK_MS)
    await entering
    assert watch.problem() is None


async def test_a_format_that_rises_ends_the_process(scene: Stage) -> None:
    watch = PoolWatch(POOL, scene.store, clock=scene.clock)
    watching = asyncio.create_task(watch.run())
    await scene.clock.advance_ms(3 * LOOK_MS)
    assert not watching.done()
    write_by_newer(scene)
    await scene.clock.advance_ms(LOOK_MS)
    with pytest.raises(Superseded, match=SAYS):
        await watching


HOUR_MS = 3_600_000
TOO_MUCH_MS = 5_001


def off_by(scene: Stage, skew_ms: int) -> PoolWatch:
    """A watch of a host whose clock is off, and stands still, on a pool where something has just happened."""
    scene.store._pools[POOL].now_ms = scene.clock.now_ms()
    return PoolWatch(POOL, scene.store, clock=ManualClock(scene.clock.now_ms() + skew_ms))


@pytest.mark.parametrize("skew_ms", [HOUR_MS, TOO_MUCH_MS, -TOO_MUCH_MS, -2 * HOUR_MS])
async def test_a_clock_that_is_off_keeps_off_says_so_and_ends(scene: Stage, skew_ms: int) -> None:
    watch = off_by(scene, skew_ms)
    with pytest.raises(SkewedClock, match="ahead" if skew_ms > 0 else "behind"):
        await watch.run()
    assert "correct it and restart" in (watch.problem() or "")


@pytest.mark.parametrize("skew_ms", [5_000, -5_000])
async def test_a_clock_that_is_off_by_little_is_none(scene: Stage, skew_ms: int) -> None:
    watch = off_by(scene, skew_ms)
    await watch.enter()
    assert watch.problem() is None


async def test_a_pool_that_stood_still_and_a_server_behind_say_nothing_alone(scene: Stage) -> None:
    """The pool's time is that of its last act; the server's may be off itself."""
    scene.store._witness = lambda: scene.clock.now_ms() - HOUR_MS
    right = PoolWatch(POOL, scene.store, clock=scene.clock)
    scene.store._pools[POOL].now_ms = scene.clock.now_ms()
    await right.enter()
    scene.store._witness = lambda: scene.clock.now_ms() + HOUR_MS
    await right.enter()
    scene.store._witness = scene.clock.now_ms
    scene.store._pools[POOL].now_ms = scene.clock.now_ms() - HOUR_MS
    await right.enter()
    assert right.problem() is None


async def test_an_answer_that_takes_its_time_is_no_clock_that_is_off(scene: Stage) -> None:
    class Slow:
        async def status(self, pool: PoolId) -> PoolStatus:
            await scene.clock.advance_ms(HOUR_MS // 2)
            found = await scene.store.status(pool)
            await scene.clock.advance_ms(HOUR_MS // 2)
            return found

    watch = PoolWatch(POOL, cast("Reads", Slow()), clock=scene.clock)
    await watch.enter()
    assert watch.problem() is None
