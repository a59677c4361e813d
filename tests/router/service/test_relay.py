"""The relay: everything of the outbox comes to the bus, in order, the same however often; then it is forgotten."""

import asyncio
from collections.abc import Sequence

import pytest

from router.contract import topics
from router.contract.advisor import Advisor
from router.contract.codec import Decoder
from router.contract.events import CaseEvent
from router.contract.ids import CaseId
from router.contract.messages import Notice, Reply
from router.contract.topics import topic_specs
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.protocol import Outgoing, Position
from router.runtime.errors import BusUnavailable
from router.service.errors import Superseded
from router.service.relay import Relay, records_of
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
