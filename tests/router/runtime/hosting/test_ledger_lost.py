"""Replies that are read again after their ledger was lost."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from router.contract.codec import Decoder, encode
from router.contract.ids import ConversationId, PoolId, ReplyId
from router.contract.messages import Delivery, DeliveryState, Reply
from router.contract.records import record_head
from router.contract.topics import DELIVERIES, topic_specs
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.protocol import Outgoing, Record
from router.runtime.clock import ManualClock
from router.runtime.errors import BusUnavailable
from router.runtime.hosting.batches import Batches
from router.runtime.hosting.metrics import ChannelMetrics
from router.runtime.hosting.reply_account import AccountReplies, Reports, share_of
from router.runtime.hosting.reply_sender import ReplySender
from router.runtime.ledger import LivedLedger, MemoryLedger
from router.runtime.ledger_redis import RedisLedger
from router.runtime.ledger_settling import SettlingLedger
from router.runtime.plugins import SendResult, sent
from router.runtime.redis import connect
from tests.servers import Server
from tests.suites.eventually import eventually
from tests.suites.ledger import Lose
from tests.suites.replies import REPLY, SHOP

LONG_MS = 60_000
_DELIVERY = Decoder(Delivery)


class Provider:
    """Takes what it is sent; while ``is_mute`` it answers nobody."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.is_mute = False

    async def send(self, reply: Reply) -> SendResult:
        self.sent.append(reply.id)
        if self.is_mute:
            await asyncio.Event().wait()
        return sent(f"p-{reply.id}")


class Process:
    """One process that sends for the account, with a group that reads everything from the first record on."""

    def __init__(self, world: "World", number: int, *, deduplicates: bool) -> None:
        ledger = SettlingLedger(world.ledger, world.bus, clock=world.clock, settled=world.count)
        name = f"p{number}"
        self._sender = ReplySender(world.provider, ledger, deduplicates=deduplicates, clock=world.clock, process=name)
        self.replies = AccountReplies(
            world.bus,
            self._sender,
            share=share_of(SHOP)._replace(group=name),
            reports=Reports(Batches(world.bus), channel="post", metrics=world.metrics),
            clock=world.clock,
        )
        self._task = asyncio.create_task(self.replies.run())

    async def kill(self) -> None:
        """It ends without a word: what was at the provider stays ``sending``."""
        await self._sender.close(0)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


class World:
    """Bus and clock of a ledger that ``lose`` empties; any number of processes, one after the other."""

    def __init__(self, ledger: LivedLedger, lose: Lose) -> None:
        self.clock = ManualClock()
        self.bus = MemoryBus(wall_ms=self.clock.now_ms)
        self.ledger = ledger
        self.lose = lose
        self.provider = Provider()
        self.metrics = ChannelMetrics(CollectorRegistry(), ["post"])
        self.settled = 0
        self._processes: list[Process] = []

    async def begin(self) -> None:
        """An installation that is settled, and has been for a while."""
        await self.bus.create_topics(topic_specs((PoolId("default"),), inquiry_partitions=1, partitions=1))
        await self.settle()
        await self.clock.advance_ms(LONG_MS)

    async def settle(self) -> None:
        """As ``SettlingLedger.run`` does it."""
        settling = asyncio.create_task(SettlingLedger(self.ledger, self.bus, clock=self.clock).run())
        await self.clock.asleep()
        settling.cancel()
        await asyncio.gather(settling, return_exceptions=True)

    def count(self) -> None:
        self.settled += 1

    async def process(self, *, deduplicates: bool = False) -> Process:
        """One that has its partitions."""
        process = Process(self, len(self._processes), deduplicates=deduplicates)
        self._processes.append(process)
        await eventually(lambda: process.replies.consumer.owned)
        return process

    async def publish(self, *names: str) -> None:
        for name in names:
            reply = replace(REPLY, id=ReplyId(name), conversation=ConversationId(name))
            head = record_head(reply)
            await self.bus.publish([Outgoing(topic=head.topic, key=head.key, value=encode(reply))])

    async def delivered(self, *names: str, times: int = 1) -> dict[str, DeliveryState]:
        """What is told of replies once all of these are told of so often; the same thing of each each time."""

        async def told() -> dict[str, DeliveryState]:
            found: dict[str, DeliveryState] = {}
            count = Counter[str]()
            async for record in self.bus.history(DELIVERIES):
                delivery = _DELIVERY.decode(record.value, Delivery)
                assert found.setdefault(delivery.reply, delivery.state) is delivery.state
                count[delivery.reply] += 1
            return found if all(count[name] >= times for name in names) else {}

        return await eventually(told)

    async def close(self) -> None:
        for process in self._processes:
            await process.kill()


@pytest.fixture(params=["memory", "redis"])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    opened: list[Callable[[], Awaitable[object]]] = []
    if request.param == "memory":
        memory = MemoryLedger()

        async def lose() -> None:
            memory.lose()

        made = World(memory, lose)
    else:
        server: Server = request.getfixturevalue("valkey")
        client = connect(server.url)
        opened.append(client.close)
        made = World(RedisLedger(client), lambda: client.call("FLUSHALL"))
    await made.begin()
    yield made
    await made.close()
    for close in opened:
        await close()


@pytest.mark.parametrize("deduplicates", [True, False])
async def test_what_was_delivered_is_not_sent_again(world: World, deduplicates: bool) -> None:
    first = await world.process(deduplicates=deduplicates)
    await world.publish("a", "b")
    await world.delivered("a", "b")
    await first.kill()  # before its offsets were committed
    await world.lose()
    await world.process(deduplicates=deduplicates)
    assert await world.delivered("a", "b", times=2) == {"a": DeliveryState.SENT, "b": DeliveryState.SENT}
    assert sorted(world.provider.sent) == ["a", "b"]


async def half_sent(world: World, *, deduplicates: bool) -> None:
    """A process has died with a reply at its provider, and then its ledger was lost."""
    first = await world.process(deduplicates=deduplicates)
    world.provider.is_mute = True
    await world.publish("a")
    await eventually(lambda: world.provider.sent == ["a"])
    await first.kill()
    world.provider.is_mute = False
    await world.lose()


async def test_what_may_be_out_is_sent_again_where_repeats_are_dropped(world: World) -> None:
    await half_sent(world, deduplicates=True)
    await world.process(deduplicates=True)
    assert await world.delivered("a") == {"a": DeliveryState.SENT}
    assert world.provider.sent == ["a", "a"]


async def test_what_may_be_out_is_unknown_where_they_are_not(world: World) -> None:
    await half_sent(world, deduplicates=False)
    await world.process()
    await world.clock.asleep()
    await world.clock.advance_ms(LONG_MS)
    assert await world.delivered("a") == {"a": DeliveryState.UNKNOWN}
    assert world.provider.sent == ["a"]


async def test_whoever_had_it_all_along_sends_it(world: World) -> None:
    process = await world.process()
    await world.publish("a")
    await world.delivered("a")
    await world.clock.advance_ms(LONG_MS)
    await world.lose()
    await world.publish("b")
    assert await world.delivered("b") == {"a": DeliveryState.SENT, "b": DeliveryState.SENT}
    await eventually(lambda: process.replies.consumer.in_flight == 0)
    assert world.provider.sent == ["a", "b"]


async def test_what_is_written_after_a_loss_is_sent_at_once_whoever_has_it(world: World) -> None:
    await world.publish("a")
    await world.lose()
    await world.settle()
    await world.clock.advance_ms(1)
    await world.publish("b")
    await world.process()
    await world.delivered("b")
    assert world.provider.sent == ["b"]


async def test_a_bus_that_is_away_is_waited_for(world: World) -> None:
    first = await world.process()
    await world.publish("a")
    await world.delivered("a")
    await world.lose()
    history, refusals = world.bus.history, [BusUnavailable("away"), BusUnavailable("away")]

    def shaky(topic: str, *, since_ms: int = 0) -> AsyncIterator[Record]:
        if refusals:
            raise refusals.pop()
        return history(topic, since_ms=since_ms)

    world.bus.history = shaky  # type: ignore[method-assign]  # a bus that is away twice
    await world.clock.advance_ms(LONG_MS)
    await world.publish("b")
    for _ in range(2):
        await world.clock.asleep()
        await world.clock.advance_ms(500)
    await world.delivered("b")
    assert world.provider.sent == ["a", "b"]
    await first.kill()
