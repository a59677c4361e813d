"""One relay at a time: who stands by, who takes over and when, who stands back."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from router.contract import topics
from router.runtime.bus.protocol import Outgoing, Position
from router.service.relaying.relay import SILENT_S
from router.store.memory.rows import PoolRows
from tests.suites.relays import RelayBus, Relaying, bus_of, events_of
from tests.suites.stage import POOL, Stage, stage


def rows(scene: Stage) -> PoolRows:
    return scene.store._pools[POOL]


def counted(scene: Stage, counter: str, label: str) -> float:
    return float(getattr(scene.metrics.relay, counter).labels(label)._value.get())


async def test_who_is_second_stands_by_as_long_as_the_owner_lives() -> None:
    async with stage() as scene:
        bus = await bus_of()
        async with Relaying(scene, bus) as first:
            assert first.relay.unready() == "has not looked at the outbox yet"
            await first.until(first.relay.is_owner)
            async with Relaying(scene, bus) as second:
                await first.pass_s(600)
                assert first.relay.is_owner()
                assert first.relay.standby() is None
                assert second.relay.standby() == "stands by: another relay serves the pool"
                assert (second.relay.unready(), second.relay.problem(30)) == (None, None)
        assert rows(scene).relay.epoch == 1


async def test_an_owner_whose_bus_is_away_stays_the_owner() -> None:
    async with stage() as scene:
        bus = await bus_of()
        await scene.write("c1")
        bus.away = True
        async with Relaying(scene, bus) as first:
            await first.until(first.relay.is_owner)
            async with Relaying(scene, await bus_of()) as second:
                await first.pass_s(120)
                assert first.relay.is_owner()
                assert not second.relay.is_owner()


async def test_an_owner_who_has_fallen_silent_is_followed_after_his_time_and_not_before() -> None:
    async with stage() as scene:
        await scene.store.take(POOL)
        async with Relaying(scene, await bus_of()) as second:
            await second.pass_s(SILENT_S - 0.5)
            assert not second.relay.is_owner()
            await second.pass_s(1.5)
            assert second.relay.is_owner()
        assert counted(scene, "taken", "silent") == 1


async def test_what_was_given_up_is_taken_within_a_second() -> None:
    async with stage() as scene:
        bus = await bus_of()
        async with Relaying(scene, bus) as first:
            await first.until(first.relay.is_owner)
            async with Relaying(scene, bus) as second:
                await first.pass_s(2)
                first.relay.stop()
                await first.pass_s(1)
                assert (first.task.done(), second.relay.is_owner()) == (True, True)
        assert counted(scene, "taken", "free") == 2


async def test_one_that_is_alone_takes_at_once_what_a_crash_has_left_but_only_at_its_start() -> None:
    async with stage() as scene:
        await scene.store.take(POOL)
        async with Relaying(scene, await bus_of(), alone=True) as relaying:
            await scene.clock.asleep()
            assert relaying.relay.is_owner()
            await scene.store.take(POOL)
            await scene.write("c1")
            await relaying.until(lambda: not relaying.relay.is_owner())
            await relaying.pass_s(1)
            assert not relaying.relay.is_owner()


@asynccontextmanager
async def an_owner_who_froze(scene: Stage, bus: RelayBus) -> AsyncIterator[tuple[Relaying, Relaying]]:
    """The first relay stands still with a batch on the bus that it has not trimmed; the second has taken over."""
    frozen = FrozenBus()
    frozen.take(bus)
    async with Relaying(scene, frozen) as first:
        await first.until(first.relay.is_owner)
        await scene.write("c1")
        await asyncio.wait_for(frozen.asked.wait(), 10)
        silent = rows(scene).relay.beat
        async with Relaying(scene, bus) as second:
            for _ in range(100):
                rows(scene).relay.beat = silent  # as if the first one's words had not been said
                await second.pass_s(0.25)
                if second.relay.is_owner():
                    break
            await second.until_all_relayed()
            yield first, second
            frozen.let.set()
            await second.pass_s(20)


class FrozenBus(RelayBus):
    """A bus whose first publish is held until it is let; what it takes lies on another."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.let = asyncio.Event(), asyncio.Event()

    def take(self, other: RelayBus) -> None:
        self._topics, self._logs = other._topics, other._logs

    async def publish(self, records: Sequence[Outgoing]) -> Sequence[Position]:
        self.asked.set()
        await self.let.wait()
        return await super().publish(records)


async def test_a_paused_owner_who_wakes_up_repeats_the_same_and_stands_back() -> None:
    async with stage() as scene:
        bus = await bus_of()
        async with an_owner_who_froze(scene, bus) as (first, second):
            await scene.write("c2")
            await second.until_all_relayed()
            owner, trimmed = rows(scene).relay.epoch, rows(scene).trimmed
        assert (rows(scene).relay.epoch, rows(scene).trimmed) == (owner, trimmed)
        assert not first.relay.is_owner()
        assert counted(scene, "left", "superseded") == 1
        values = [record.value async for record in bus.history(topics.EVENTS) if record.key == "c1"]
        assert len(values) == 2
        assert values[0] == values[1]


async def test_a_stolen_turn_comes_back_without_a_fight() -> None:
    async with stage() as scene:
        bus = await bus_of()
        async with Relaying(scene, bus) as relaying:
            await relaying.until(relaying.relay.is_owner)
            await scene.store.take(POOL)
            await scene.write("c1")
            await relaying.until(lambda: not relaying.relay.is_owner())
            await relaying.until(relaying.relay.is_owner)
            await relaying.until_all_relayed()
        assert rows(scene).relay.epoch == 3


async def test_two_relays_that_take_the_turn_from_one_another_lose_nothing() -> None:
    async with stage() as scene:
        bus = await bus_of()
        async with Relaying(scene, bus) as first, Relaying(scene, bus):
            for n in range(20):
                await scene.write(f"c{n}")
                await first.pass_s(0.5)
                if n % 4 == 3:
                    await scene.store.take(POOL)
            await first.until_all_relayed()
        events = await events_of(bus)
        assert sorted(set(events)) == sorted(f"c{n}" for n in range(20))
        firsts = list(dict.fromkeys(events))
        partitions = [[r.key async for r in bus.history(topics.EVENTS) if r.partition.number == at] for at in range(4)]
        assert all(
            list(dict.fromkeys(part)) == sorted(set(part), key=lambda name: int(name[1:])) for part in partitions
        ), firsts
