"""The relay: everything of the outbox comes to the bus, in order, the same however often; then it is forgotten."""

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace

from router.contract import topics
from router.contract.codec import Decoder, header
from router.contract.events import CaseEvent
from router.contract.ids import CaseId, PoolId
from router.contract.messages import Reply
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.protocol import Outgoing, Position
from router.service.relaying.notes import last_note
from router.service.relaying.reading import MAX_ENTRIES
from router.service.relaying.relay import Relay
from router.store.memory import MemoryStore
from router.store.protocol import Outbox, OutboxEntry
from tests.suites.eventually import eventually
from tests.suites.relays import Relaying, all_relayed, bus_of, events_of, with_topics
from tests.suites.stage import POOL, Stage, stage

_EVENT = Decoder(CaseEvent)


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
        async with Relaying(scene, bus):
            await all_relayed(scene)
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
        async with Relaying(scene, bus) as relaying:
            await relaying.until(lambda: bus.lost == 0)
            await relaying.until_all_relayed()
        values = [record.value async for record in bus.history(topics.EVENTS)]
        assert len(values) == 2
        assert values[0] == values[1]


async def test_a_bus_that_is_away_for_minutes_is_ridden_out() -> None:
    async with stage() as scene:
        bus = await bus_of()
        bus.away = True
        await scene.write("c1")
        async with Relaying(scene, bus) as relaying:
            await relaying.until(lambda: scene.clock.monotonic() > 600)
            assert relaying.relay.problem(30) is None
            assert relaying.relay.age_s() > 590
            assert bus.refusals < 300
            bus.away = False
            await relaying.until_all_relayed()
            assert relaying.relay.age_s() == 0
        assert await events_of(bus) == ["c1"]


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


class Watched:
    """An outbox that remembers what it has given."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self.given: list[OutboxEntry] = []
        self.lease = outbox.lease
        self.take = outbox.take
        self.take_over = outbox.take_over
        self.release = outbox.release
        self.trim = outbox.trim
        self.relayed = outbox.relayed

    async def pending(self, pool: PoolId, after: int, *, limit: int = 100, wait_ms: int = 0) -> Sequence[OutboxEntry]:
        entries = await self._outbox.pending(pool, after, limit=limit, wait_ms=wait_ms)
        self.given.extend(entries)
        return entries


async def test_the_next_batch_is_read_but_not_sent_while_one_is_on_its_way() -> None:
    async with stage() as scene:
        bus = await with_topics(SlowBus())
        read = Watched(scene.store)
        relay = Relay(POOL, read, bus, clock=scene.clock, metrics=scene.metrics)
        async with Relaying(scene, bus, relay=relay):
            await scene.write("c1")
            await asyncio.wait_for(bus.asked.wait(), 10)
            await scene.write("c2")
            await eventually(lambda: len(read.given) == 2)
            await scene.write("c3")
            assert await events_of(bus) == []
            assert (await scene.store.status(POOL)).trimmed == 0
            bus.let.set()
            await all_relayed(scene)
        assert sorted(await events_of(bus)) == ["c1", "c2", "c3"]
        assert [entry.number for entry in read.given] == [1, 2, 3]


async def test_what_has_gathered_goes_out_in_bounded_batches() -> None:
    async with stage() as scene:
        bus = await bus_of()
        for n in range(MAX_ENTRIES + 150):
            await scene.write(f"c{n}")
        async with Relaying(scene, bus):
            await all_relayed(scene)
        assert bus.batches == [2 * MAX_ENTRIES, 2 * 150]
        assert scene.metrics.relay.relayed._value.get() == MAX_ENTRIES + 150


async def test_a_refused_record_becomes_a_dead_letter_and_the_rest_goes_on() -> None:
    async with stage() as scene:
        bus = await bus_of()
        bus.hated = "c2"
        for name in ("c1", "c2", "c3"):
            await scene.write(name)
        async with Relaying(scene, bus):
            await all_relayed(scene)
        assert sorted(await events_of(bus)) == ["c1", "c3"]
        letters = [record async for record in bus.history(topics.DEAD_LETTERS)]
        assert {(letter.key, header(letter.headers, "turnout-topic")) for letter in letters} == {
            ("c2", topics.EVENTS),
            ("c2", topics.CASES),
        }
        assert all("too bad" in header(letter.headers, "turnout-reason") for letter in letters)
        assert all(_EVENT.decode(letter.value, CaseEvent).subject == "c2" for letter in letters)
        assert scene.metrics.relay.refused._value.get() == 2


async def test_a_record_that_is_refused_even_as_a_dead_letter_lies_there_without_its_value() -> None:
    async with stage() as scene:
        bus = await bus_of()
        bus.max_bytes = 100
        await scene.write("c1")
        async with Relaying(scene, bus):
            await all_relayed(scene)
        letters = [record async for record in bus.history(topics.DEAD_LETTERS)]
        assert [(letter.key, letter.value) for letter in letters] == [("c1", None)] * 2


def spoil_first(store: MemoryStore) -> None:
    """Make the detail of the first entry's case something that isn't JSON."""
    outbox = store._pools[POOL].outbox
    case = outbox[0].case
    assert case is not None
    outbox[0] = replace(outbox[0], case=replace(case, detail="{"))


async def test_an_entry_that_no_record_can_be_made_of_becomes_a_dead_letter() -> None:
    async with stage() as scene:
        bus = await bus_of()
        await scene.write("c1")
        await scene.write("c2")
        spoil_first(scene.store)
        async with Relaying(scene, bus):
            await all_relayed(scene)
        assert await events_of(bus) == ["c2"]
        (letter,) = [record async for record in bus.history(topics.DEAD_LETTERS)]
        assert (letter.key, header(letter.headers, "turnout-outbox")) == ("c1", f"{POOL}/1.1")
        assert b'"kind":"admit"' in (letter.value or b"")


async def test_how_far_it_has_come_is_noted() -> None:
    async with stage() as scene:
        bus = await bus_of()
        await scene.write("c1")
        async with Relaying(scene, bus) as relaying:
            await relaying.until_all_relayed()
            await scene.write("c2")
            await relaying.until_all_relayed()
            await relaying.pass_s(2)
            note = await last_note(bus, POOL)
            assert note is not None
            assert (note.gen, note.number) == (1, 2)


async def test_a_relay_that_is_stopped_ends_after_what_is_on_its_way() -> None:
    async with stage() as scene:
        bus = await with_topics(SlowBus())
        await scene.write("c1")
        async with Relaying(scene, bus) as relaying:
            await asyncio.wait_for(bus.asked.wait(), 10)
            relaying.relay.stop()
            bus.let.set()
            await asyncio.wait_for(relaying.task, 10)
        lease = await scene.store.lease(POOL)
        assert (lease.trimmed, lease.held) == (1, False)


async def test_a_relay_that_is_stopped_while_the_bus_is_away_ends_at_once() -> None:
    async with stage() as scene:
        bus = await bus_of()
        bus.away = True
        await scene.write("c1")
        async with Relaying(scene, bus) as relaying:
            await eventually(lambda: bus.refusals > 0)
            relaying.relay.stop()
            await asyncio.wait_for(relaying.task, 10)
        lease = await scene.store.lease(POOL)
        assert (lease.trimmed, lease.held) == (0, False)
