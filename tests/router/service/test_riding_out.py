"""A loop that a store in trouble has ended begins again; any other failure ends it."""

import asyncio

import pytest

from router.runtime.clock import ManualClock
from router.runtime.errors import StoreUnavailable
from router.service.errors import Contended, PoolUnsettled, Superseded
from router.service.riding_out import ride_out


@pytest.mark.parametrize("failure", [StoreUnavailable("away"), PoolUnsettled("doubt"), Contended("busy")])
async def test_what_may_pass_is_ridden_out(failure: Exception) -> None:
    clock, runs = ManualClock(), []

    async def loop() -> None:
        runs.append(clock.now_ms())
        if len(runs) < 3:
            raise failure

    riding = asyncio.create_task(ride_out(loop, "loop", clock=clock))
    for _ in range(2):
        await clock.asleep()
        await clock.advance_ms(500)
    await riding
    assert [at - runs[0] for at in runs] == [0, 500, 1_000]


async def test_any_other_failure_ends_it() -> None:
    async def loop() -> None:
        raise Superseded("another one")

    with pytest.raises(Superseded):
        await ride_out(loop, "loop", clock=ManualClock())
