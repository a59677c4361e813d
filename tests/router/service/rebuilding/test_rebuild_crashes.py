"""The rebuilder may end before or after any of its steps: the next attempt makes the pool whole all the same."""

from typing import Any

import pytest

from router.contract.ids import PoolId
from router.runtime.bus.memory import MemoryBus
from router.runtime.errors import StoreUnavailable
from router.service.rebuilding.rebuild import LEASE_MS, Rebuilder
from router.store.rebuilds import Rebuilds
from tests.suites.rebuild_stage import ALL_TOPICS, RandomDay, RebuildStage, rebuild_stage
from tests.suites.stage import POOL

STEPS = ("begin_rebuild", "clear", "restore", "finish_rebuild")


class Ends:
    """A store whose calls end at one of them, counted by name: before it takes effect, or after."""

    def __init__(self, inner: Rebuilds, step: str, *, after: bool, times: int) -> None:
        self._inner = inner
        self._step = step
        self._after = after
        self._left = times

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._inner, name)
        if name != self._step:
            return call

        async def ending(pool: PoolId, *args: Any, **more: Any) -> Any:
            self._left -= 1
            if self._left:
                return await call(pool, *args, **more)
            if self._after:
                await call(pool, *args, **more)
            raise StoreUnavailable("the process ends here")

        return ending


async def _lost(lossy: RebuildStage) -> None:
    day = RandomDay(lossy, 3)
    await day.open()
    await day.run(60)
    await lossy.relay()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(("step", "times"), [*((step, 1) for step in STEPS), ("restore", 2)])
async def test_wherever_it_ends_the_next_one_makes_it_whole(step: str, times: int, *, after: bool) -> None:
    bus = MemoryBus()
    await bus.create_topics(ALL_TOPICS)
    async with rebuild_stage(bus) as lossy:
        await _lost(lossy)
        before = await lossy.picture()
        await lossy.lose()
        first = _rebuilder(lossy, Ends(lossy.rebuilds, step, after=after, times=times))
        with pytest.raises(StoreUnavailable):
            await first.run()
        if step != "finish_rebuild" or not after:
            assert not (await lossy.rebuilds.inspect(POOL)).verified
        await lossy.scene.clock.advance_ms(LEASE_MS)
        rebuilt = await lossy.rebuilder("two").run()
        assert rebuilt is not None
        assert rebuilt.gen >= 2
        assert (await lossy.picture()).differences(before) == {}
        await lossy.go_on()
        await lossy.scene.nobody_waits_in_vain()


def _rebuilder(lossy: RebuildStage, store: Any) -> Rebuilder:
    whole = lossy.rebuilds
    lossy.rebuilds = store
    try:
        return lossy.rebuilder()
    finally:
        lossy.rebuilds = whole
