"""Two relays on real servers: a paused one that wakes up changes nothing any more."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from router.contract.ids import PoolId
from router.contract.topics import topic_specs
from router.runtime.clock import SystemClock
from router.service.measuring.metrics import ServiceMetrics
from router.service.relaying.relay import Relay
from router.store.protocol import OutboxEntry, RelayLease
from tests.servers import KINDS, Server
from tests.suites.eventually import eventually
from tests.suites.relays import RelayBus, events_of
from tests.suites.store.bench import POOL, Desk, WholeStore
from tests.suites.store.benches import redis_desk

SILENT_S = 0.4


class Pausable:
    """The outbox as a process sees it that can be stopped and continued."""

    def __init__(self, store: WholeStore) -> None:
        self._store = store
        self.running = asyncio.Event()
        self.running.set()
        self.lease = store.lease
        self.take = store.take
        self.take_over = store.take_over
        self.release = store.release
        self.relayed = store.relayed
        self.trims: list[bool] = []

    async def pending(self, pool: PoolId, after: int, *, limit: int = 100, wait_ms: int = 0) -> Sequence[OutboxEntry]:
        await self.running.wait()
        return await self._store.pending(pool, after, limit=limit, wait_ms=min(wait_ms, 100))

    async def trim(self, pool: PoolId, lease: RelayLease, upto: int) -> bool:
        await self.running.wait()
        self.trims.append(await self._store.trim(pool, lease, upto))
        return self.trims[-1]


class HeldBus(RelayBus):
    """Stops its relay's process as soon as it has taken what it was given."""

    outbox: Pausable

    async def publish(self, records: Sequence[Any]) -> Sequence[Any]:
        positions = await super().publish(records)
        self.outbox.running.clear()
        return positions


@pytest.fixture(params=KINDS)
async def desk(request: pytest.FixtureRequest) -> AsyncIterator[Desk]:
    server: Server = request.getfixturevalue(request.param)
    async with redis_desk(server.url) as desk:
        yield desk


def relay_of(outbox: Pausable, bus: RelayBus) -> Relay:
    metrics = ServiceMetrics(CollectorRegistry())
    return Relay(POOL, outbox, bus, clock=SystemClock(), metrics=metrics, silent_s=SILENT_S)


async def test_a_paused_owner_can_neither_trim_nor_move_the_progress(desk: Desk) -> None:
    bus, first_bus = RelayBus(), HeldBus()
    await bus.create_topics(topic_specs((POOL,), inquiry_partitions=1, partitions=1))
    first_bus._topics, first_bus._logs = bus._topics, bus._logs
    first_bus.outbox = paused = Pausable(desk.store)
    first, second = relay_of(paused, first_bus), relay_of(Pausable(desk.store), bus)
    tasks = [asyncio.create_task(first.run())]
    try:
        await eventually(first.is_owner)
        await desk.admit("c1")
        await eventually(lambda: not paused.running.is_set())
        tasks.append(asyncio.create_task(second.run()))
        await eventually(second.is_owner)
        await desk.admit("c2")
        await eventually(lambda: is_relayed(desk, 2))
        before = await desk.store.lease(POOL)
        paused.trims.clear()
        paused.running.set()
        await eventually(lambda: not first.is_owner())
        assert paused.trims
        assert not any(paused.trims)
        after = await desk.store.lease(POOL)
        assert (after.epoch, after.trimmed, after.held) == (before.epoch, 2, True)
        assert second.is_owner()
    finally:
        for relay, task in zip((first, second), tasks, strict=False):
            relay.stop()
            await asyncio.wait_for(task, 10)
    assert await events_of(bus) == ["c1", "c1", "c2"]
    assert not (await desk.store.lease(POOL)).held


async def is_relayed(desk: Desk, number: int) -> bool:
    return (await desk.store.lease(POOL)).trimmed == number
