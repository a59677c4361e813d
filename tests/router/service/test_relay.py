"""The relay: everything of the outbox comes to the bus, in order, the same however often; then it is forgotten."""

import asyncio
from collections.abc import Sequence

import pytest

from router.contract import topics
from router.contract.advisor import Advisor
from router.contract.codec import Decoder
from router.contract.events import CaseEvent
from router.contract.ids import CaseId, PoolId
from router.contract.messages import Notice, Reply
from router.contract.topics import topic_specs
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.protocol import Outgoing, Position
from router.runtime.errors import BusUnavailable, StoreUnavailable
from router.service.errors import Superseded
from router.service.relay import Relay, records_of
from router.store.protocol import Outbox, OutboxEntry
from tests.suites.eventually import eventually
from tests.suites.stage import POOL, Stage, stage

_EVENT = Decoder(CaseEvent)


class LameBus(MemoryBus):
    """Refuses the first publishes, though it has taken what they held: an acknowledgement that was lost."""

    lost = 0

    async def publish(self, records: Sequence[Outgoing]) -> Sequence[Position]:
        positions = await super().publish(records)
        if self.lost:
            self.lost -= 1
            raise BusUnavailable("no answer")
        return positions


class Watched:
    """An outbox that remembers what it has given, and may fail at its nth read."""

    def __init__(self, outbox: Outbox, *, fails_at: int = 0) -> None:
        self._outbox = outbox
        self._fails_at = fails_at
        self._reads = 0
        self.given: list[OutboxEntry] = []
        self.take = outbox.take
        self.trim = outbox.trim
        self.relayed = outbox.relayed

    async def pending(self, pool: PoolId, after: int, *, limit: int = 100, wait_ms: int = 0) -> Sequence[OutboxEntry]:
        self._reads += 1
        if self._reads == self._fails_at:
            raise StoreUnavailable("it is away")
        entries = await self._outbox.pending(pool, after, limit=limit, wait_ms=wait_ms)
        self.given.extend(entries)
        return entries


async def bus_of() -> LameBus:
    bus = LameBus()
    await bus.create_topics(topic_specs((POOL,), inquiry_partitions=4, partitions=4))
    return bus


def relay_of(scene: Stage, bus: MemoryBus) -> Relay:
    return Relay(POOL, scene.store, bus, clock=scene.clock, metrics=scene.metrics)


async def all_relayed(scene: Stage) -> None:
    async def is_empty() -> bool:
        status = await scene.store.status(POOL)
        return status.trimmed == status.number

    await eventually(is_empty)


async def a_short_life(scene: Stage) -> None:
    await scene.hire("mina")
    await scene.write("c1")
    await scene.accept("c1")
    await scene.casework.reply(CaseId("c1"), scene.request("mina"), text="안녕하세요")
    await scene.resolve("c1")
    await scene.pass_s(8 * 86_400)


async def test_events_replies_and_tombstones_reach_their_topics_in_order() -> None:
    async with stage() as scene:
        bus = await bus_of()
        await a_short_life(scene)
        relaying = asyncio.create_task(relay_of(scene, bus).run())
        await all_relayed(scene)
        relaying.cancel()
        events = [_EVENT.decode(record.value, CaseEvent) async for record in bus.history(topics.EVENTS)]
        of_case = [event for event in events if event.subject == "c1"]
        assert [event.type.split(".")[2] for event in of_case] == ["admit", "accept", "reply", "resolve", "close"]
        assert [event.ver for event in of_case] == [1, 2, 3, 4, 5]
        replies = [record async for record in bus.history(topics.REPLIES)]
        assert [Decoder(Reply).decode(record.value, Reply).text for record in replies] == ["안녕하세요"]
        last = [record async for record in bus.history(topics.CASES)][-1]
        assert (last.key, last.value) == ("c1", None)
        advisors = [record.key async for record in bus.history(topics.ADVISORS)]
        assert set(advisors) == {"mina"}


async def test_a_lost_acknowledgement_repeats_the_same_bytes_and_loses_nothing() -> None:
    async with stage() as scene:
        bus = await bus_of()
        bus.lost = 1
        await scene.write("c1")
        relaying = asyncio.create_task(relay_of(scene, bus).run())
        await scene.clock.asleep()
        await scene.clock.advance_ms(1_000)
        await all_relayed(scene)
        relaying.cancel()
        values = [record.value async for record in bus.history(topics.EVENTS)]
        assert len(values) == 2
        assert values[0] == values[1]


async def test_a_relay_that_was_superseded_is_told_at_its_next_batch() -> None:
    async with stage() as scene:
        bus = await bus_of()
        old = asyncio.create_task(relay_of(scene, bus).run())
        await scene.write("c1")
        await all_relayed(scene)
        await scene.store.take(POOL)
        await scene.write("c2")
        with pytest.raises(Superseded):
            await asyncio.wait_for(old, 10)
        assert (await scene.store.status(POOL)).trimmed < (await scene.store.status(POOL)).number


class SlowBus(MemoryBus):
    """Takes nothing before it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()
        self.let = asyncio.Event()

    async def publish(self, records: Sequence[Outgoing]) -> Sequence[Position]:
        self.asked.set()
        await self.let.wait()
        return await super().publish(records)


async def test_the_next_batch_is_read_but_not_sent_while_one_is_on_its_way() -> None:
    async with stage() as scene:
        bus = SlowBus()
        await bus.create_topics(topic_specs((POOL,), inquiry_partitions=4, partitions=4))
        read = Watched(scene.store)
        relaying = asyncio.create_task(Relay(POOL, read, bus, clock=scene.clock, metrics=scene.metrics).run())
        await scene.write("c1")
        await asyncio.wait_for(bus.asked.wait(), 10)
        await scene.write("c2")
        await eventually(lambda: len(read.given) == 2)
        assert [record async for record in bus.history(topics.EVENTS)] == []
        assert (await scene.store.status(POOL)).trimmed == 0
        bus.let.set()
        await all_relayed(scene)
        relaying.cancel()
        events = [_EVENT.decode(record.value, CaseEvent) async for record in bus.history(topics.EVENTS)]
        assert sorted(event.subject for event in events) == ["c1", "c2"]


async def test_a_store_that_fails_while_a_batch_goes_out_ends_the_relay_after_it() -> None:
    async with stage() as scene:
        bus = await bus_of()
        read = Watched(scene.store, fails_at=2)
        await scene.write("c1")
        with pytest.raises(StoreUnavailable):
            await asyncio.wait_for(Relay(POOL, read, bus, clock=scene.clock, metrics=scene.metrics).run(), 10)
        status = await scene.store.status(POOL)
        assert status.trimmed == status.number == 1


async def test_a_step_of_a_ladder_sends_its_notice_once() -> None:
    async with stage() as scene:
        await scene.write("c1")
        await scene.pass_s(3601)
        entries = await scene.store.pending(POOL, 0, limit=1000)
        records = [record for entry in entries for record in records_of(POOL, entry)]
        notices = [Decoder(Notice).decode(record.value, Notice) for record in records if record.topic == topics.NOTICES]
        assert [(notice.kind, notice.target, notice.step) for notice in notices] == [("step", "webhook", 1)]


async def test_missed_offers_that_set_an_advisor_to_away_are_told_to_the_advisors_topic() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await scene.write("c1")
        await scene.pass_s(400)
        entries = await scene.store.pending(POOL, 0, limit=1000)
        records = [record for entry in entries for record in records_of(POOL, entry)]
        told = [Decoder(Advisor).decode(record.value, Advisor) for record in records if record.topic == topics.ADVISORS]
        assert [advisor.presence for advisor in told][-2:] == ["online", "away"]
