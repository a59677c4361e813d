"""Progress: who waits for a number is woken when the relay has brought it to the bus, and not before."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from router.contract.ids import PoolId
from router.service.progress import Progress
from tests.suites.eventually import eventually

POOL = PoolId("p")


class Relayed:
    """An outbox whose relay goes on when told."""

    def __init__(self) -> None:
        self.numbers: asyncio.Queue[int] = asyncio.Queue()

    async def relayed(self, _pool: PoolId, _after: int, *, wait_ms: int) -> int:
        assert wait_ms > 0
        return await self.numbers.get()


@pytest.fixture
def relay() -> Relayed:
    return Relayed()


@pytest.fixture
async def progress(relay: Relayed) -> AsyncIterator[Progress]:
    progress = Progress(POOL, relay)  # type: ignore[arg-type]  # the one method that it asks for
    running = asyncio.create_task(progress.run())
    yield progress
    running.cancel()


async def test_each_is_woken_at_his_number(progress: Progress, relay: Relayed) -> None:
    waits = {number: progress.confirmation(number) for number in (7, 3, 5)}

    def woken() -> list[int]:
        return sorted(number for number, wait in waits.items() if wait is not None and wait.done())

    assert woken() == []
    for reached, expected in ((2, []), (5, [3, 5]), (4, [3, 5]), (9, [3, 5, 7])):
        relay.numbers.put_nowait(reached)
        await eventually(lambda: relay.numbers.empty() and woken() == expected)  # noqa: B023 (awaited at once)


async def test_what_is_there_needs_no_wait(progress: Progress, relay: Relayed) -> None:
    relay.numbers.put_nowait(5)
    await progress.reached(5)
    assert progress.confirmation(5) is None
    assert progress.confirmation(0) is None
    await progress.reached(4)
    assert await progress.reached_within(5, 0.0)


async def test_who_gives_up_is_told_so_and_harms_nobody(progress: Progress, relay: Relayed) -> None:
    assert not await progress.reached_within(3, 0.0)
    other = progress.confirmation(3)
    assert other is not None
    relay.numbers.put_nowait(3)
    await other


async def test_those_who_gave_up_are_forgotten_while_the_relay_stands(progress: Progress, relay: Relayed) -> None:
    patient = progress.confirmation(5_000)
    for number in range(1, 5_000):
        assert not await progress.reached_within(number, 0)
    assert len(progress._waiting) < 1_100
    relay.numbers.put_nowait(5_000)
    assert patient is not None
    await patient
