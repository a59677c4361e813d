"""An owner's turn: a store or a bus that is away, that has gone back, that hangs."""

import asyncio
from collections.abc import Sequence

import pytest

from router.contract.ids import PoolId
from router.runtime.bus.protocol import Bus, Outgoing, Position
from router.runtime.errors import StoreUnavailable
from router.service.relaying.notes import last_note, note_record
from router.service.relaying.relay import Relay
from router.service.relaying.turn import unless_vouched
from router.store.memory import MemoryStore
from router.store.memory.rows import PoolRows
from router.store.protocol import OutboxEntry, RelayLease
from tests.suites.relays import RelayBus, Relaying, bus_of, events_of, is_all_relayed
from tests.suites.stage import POOL, Stage, stage


def rows(scene: Stage) -> PoolRows:
    return scene.store._pools[POOL]


def counted(scene: Stage, counter: str, label: str) -> float:
    return float(getattr(scene.metrics.relay, counter).labels(label)._value.get())


async def test_nothing_is_relayed_from_a_store_that_nobody_has_vouched_for() -> None:
    async with stage() as scene:
        bus, rebuilds = await bus_of(), scene.store.rebuilds
        await bus.publish([note_record(POOL, 1, 2, at_ms=1)])
        await scene.write("c1")
        rebuilds.life += 1  # it came back, with less than the bus has
        check = unless_vouched(POOL, rebuilds)
        relay = Relay(POOL, scene.store, bus, clock=scene.clock, metrics=scene.metrics, check=check)
        async with Relaying(scene, bus, relay=relay) as relaying:
            await relaying.pass_s(60)
            assert not relay.is_owner()
            assert "compared with the bus" in (relay.unready() or "")
            assert await events_of(bus) == []
            assert (await scene.store.lease(POOL)).epoch == 0
            assert await number_noted(bus) == 2
            assert await rebuilds.vouch(POOL, await rebuilds.inspect(POOL))
            await relaying.until_all_relayed()
        assert await events_of(bus) == ["c1"]


async def number_noted(bus: Bus) -> int:
    note = await last_note(bus, POOL)
    return note.number if note else 0


class StageStore(MemoryStore):
    """The stage's own store, whose reads of the outbox wait by the stage's clock."""

    def __init__(self, scene: Stage) -> None:
        super().__init__(scene.clock.now_ms)
        self._pools = scene.store._pools
        self._clock = scene.clock

    async def pending(self, pool: PoolId, after: int, *, limit: int = 100, wait_ms: int = 0) -> Sequence[OutboxEntry]:
        found = await super().pending(pool, after, limit=limit)
        if found or not wait_ms:
            return found
        await self._clock.sleep_until_ms(self._clock.now_ms() + wait_ms)
        return await super().pending(pool, after, limit=limit)


async def test_a_store_that_goes_back_under_an_owner_is_begun_with_anew() -> None:
    async with stage() as scene:
        bus = await bus_of()
        relay = Relay(POOL, StageStore(scene), bus, clock=scene.clock, metrics=scene.metrics)
        async with Relaying(scene, bus, relay=relay) as relaying:
            await scene.write("c1")
            await relaying.until_all_relayed()
            await relaying.pass_s(2)
            rows(scene).trimmed = rows(scene).number = 0
            await relaying.until(lambda: counted(scene, "left", "store-behind") == 1)
            await relaying.until(relay.is_owner)
            await scene.write("c2")
            await relaying.until_all_relayed()
        assert await events_of(bus) == ["c1", "c2"]


class MoodyStore(MemoryStore):
    """Doesn't answer while it is away."""

    away = False

    async def lease(self, pool: PoolId) -> RelayLease:
        self._asked()
        return await super().lease(pool)

    async def pending(self, pool: PoolId, after: int, *, limit: int = 100, wait_ms: int = 0) -> Sequence[OutboxEntry]:
        self._asked()
        found = await super().pending(pool, after, limit=limit, wait_ms=wait_ms)
        self._asked()
        return found

    async def trim(self, pool: PoolId, lease: RelayLease, upto: int) -> bool:
        self._asked()
        return await super().trim(pool, lease, upto)

    def _asked(self) -> None:
        if self.away:
            raise StoreUnavailable("it is away")


@pytest.mark.parametrize("owns", [True, False])
async def test_a_store_that_is_away_is_ridden_out(owns: bool) -> None:
    async with stage() as scene:
        store = MoodyStore(scene.clock.now_ms)
        store._pools = scene.store._pools
        bus = await bus_of()
        relay = Relay(POOL, store, bus, clock=scene.clock, metrics=scene.metrics)
        if not owns:
            store.away = True
        async with Relaying(scene, bus, relay=relay) as relaying:
            if owns:
                await relaying.until(relay.is_owner)
                store.away = True
            await scene.write("c1")
            store._wake()
            await relaying.pass_s(120)
            assert (await is_all_relayed(scene), relay.problem(30)) == (False, None)
            store.away = False
            await relaying.until_all_relayed()
        assert counted(scene, "retries", "store") > 0


class DeafBus(RelayBus):
    """Never answers what isn't a note."""

    async def publish(self, records: Sequence[Outgoing]) -> Sequence[Position]:
        await asyncio.Event().wait()
        return []


async def test_a_relay_that_hangs_is_told_from_one_that_is_idle() -> None:
    async with stage() as scene:
        bus = DeafBus()
        relay = Relay(POOL, StageStore(scene), bus, clock=scene.clock, metrics=scene.metrics)
        async with Relaying(scene, bus, relay=relay) as relaying:
            await relaying.until(relay.is_owner)
            await relaying.pass_s(60)
            assert relay.problem(30) is None
            await scene.write("c1")
            await relaying.pass_s(25)
            assert relay.problem(30) is None
            await relaying.pass_s(8)
            assert "has not moved for 3" in (relay.problem(30) or "")
