"""A version that doesn't know a pool's format: it keeps off, says so, and ends when the format rises under it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from router.contract.ids import PoolId
from router.service.errors import Superseded
from router.service.format_watch import FormatWatch
from router.store.library import FORMAT
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
    watch = FormatWatch(POOL, scene.store, clock=scene.clock)
    await watch.enter()
    assert watch.problem() is None


async def test_a_pool_that_is_not_there_is_no_newer_one(scene: Stage) -> None:
    watch = FormatWatch(PoolId("nowhere"), scene.store, clock=scene.clock)
    await watch.enter()
    assert watch.problem() is None


async def test_a_newer_state_is_waited_for_and_said(scene: Stage, caplog: pytest.LogCaptureFixture) -> None:
    write_by_newer(scene)
    watch = FormatWatch(POOL, scene.store, clock=scene.clock)
    entering = asyncio.create_task(watch.enter())
    for _ in range(3):
        await scene.clock.asleep()
        assert watch.problem() == SAYS
        await scene.clock.advance_ms(LOOK_MS)
    assert not entering.done()
    assert [record.getMessage() for record in caplog.records if record.name == "router.service.format_watch"] == [SAYS]
    write_by_newer(scene, 0)  # the store was put back
    await scene.clock.advance_ms(LOOK_MS)
    await entering
    assert watch.problem() is None


async def test_a_format_that_rises_ends_the_process(scene: Stage) -> None:
    watch = FormatWatch(POOL, scene.store, clock=scene.clock)
    watching = asyncio.create_task(watch.run())
    await scene.clock.advance_ms(3 * LOOK_MS)
    assert not watching.done()
    write_by_newer(scene)
    await scene.clock.advance_ms(LOOK_MS)
    with pytest.raises(Superseded, match=SAYS):
        await watching
