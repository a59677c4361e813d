import asyncio

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from router.contract.codec import Decoder, encode, header
from router.contract.ids import AccountId, ConversationId, PoolId, ReplyId
from router.contract.messages import Address, Delivery, DeliveryState, Reply
from router.contract.records import record_head
from router.contract.topics import DEAD_LETTERS, DELIVERIES, REPLIES, topic_specs
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.protocol import Outgoing
from router.runtime.clock import ManualClock
from router.runtime.errors import SendLater, StoreUnavailable
from router.runtime.hosting.batches import Batches
from router.runtime.hosting.metrics import ChannelMetrics, ReplySetback
from router.runtime.hosting.reply_account import AccountReplies, Reports, share_of
from router.runtime.hosting.reply_sender import ReplySender
from router.runtime.ledger import LedgerEntry, MemoryLedger
from router.runtime.plugins import SendResult, sent
from tests.suites.channel_world import HeldBus
from tests.suites.eventually import eventually
from tests.suites.replies import REPLY, SHOP

_DELIVERY = Decoder(Delivery)


class Provider:
    """Takes what it is sent; ``busy`` names those that are told to come later."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.busy: set[str] = set()
        self.open = asyncio.Event()
        self.open.set()

    async def send(self, reply: Reply) -> SendResult:
        await self.open.wait()
        if reply.id in self.busy:
            raise SendLater("busy")
        self.sent.append(reply.id)
        return sent()


class Bench:
    """One account of a channel; ``run`` starts it, ``stop`` stops it."""

    def __init__(self) -> None:
        self.bus = HeldBus(MemoryBus())
        self.clock = ManualClock()
        self.ledger = MemoryLedger()
        self.provider = Provider()
        self.registry = CollectorRegistry()
        self.metrics = ChannelMetrics(self.registry, ["post"])
        self.replies: AccountReplies | None = None
        self.task: asyncio.Task[None] | None = None
        self._processes = 0

    async def run(self, *, puts_aside: bool = True, account: str = SHOP) -> None:
        self._processes += 1
        sender = ReplySender(
            self.provider,
            self.ledger,
            deduplicates=True,
            clock=self.clock,
            process=f"p{self._processes}",
        )
        self.replies = AccountReplies(
            self.bus,
            sender,
            share=share_of(AccountId(account))._replace(puts_aside=puts_aside),
            reports=Reports(Batches(self.bus), channel="post", metrics=self.metrics),
            clock=self.clock,
        )
        self.task = asyncio.create_task(self.replies.run())

    async def stop(self) -> None:
        if self.replies is not None and self.task is not None:
            self.replies.stop(5.0)
            await self.task

    async def publish(self, *replies: Reply) -> None:
        for reply in replies:
            head = record_head(reply)
            await self.bus.publish([Outgoing(topic=head.topic, key=head.key, value=encode(reply))])

    async def deliveries(self) -> list[tuple[str, DeliveryState]]:
        found = [_DELIVERY.decode(record.value, Delivery) async for record in self.bus.history(DELIVERIES)]
        return [(delivery.reply, delivery.state) for delivery in found]

    async def delivered(self, count: int) -> list[tuple[str, DeliveryState]]:
        async def enough() -> list[tuple[str, DeliveryState]]:
            found = await self.deliveries()
            return found if len(found) >= count else []

        found: list[tuple[str, DeliveryState]] = await eventually(enough)
        return found

    async def committed(self) -> bool:
        assert self.replies is not None
        return self.replies.consumer.in_flight == 0

    def setbacks(self, kind: ReplySetback) -> float | None:
        labels = {"channel": "post", "kind": kind}
        return self.registry.get_sample_value("turnout_channel_reply_setbacks_total", labels)


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    await made.bus.create_topics(topic_specs((PoolId("default"),), inquiry_partitions=1, partitions=1))
    return made


def reply(id_: str, conversation: str = "v1", account: str = SHOP) -> Reply:
    to = Address(account=AccountId(account), address="customer")
    return replace(REPLY, id=ReplyId(id_), conversation=ConversationId(conversation), to=to)


async def test_replies_of_other_accounts_are_passed_by(bench: Bench) -> None:
    await bench.run()
    await bench.publish(reply("a", account="other"), reply("b"))
    assert await bench.delivered(1) == [("b", DeliveryState.SENT)]
    await eventually(bench.committed)
    assert bench.provider.sent == ["b"]
    await bench.stop()


async def test_one_that_waits_holds_up_its_conversation_and_no_other(bench: Bench) -> None:
    bench.provider.busy = {"a"}
    await bench.run()
    await bench.publish(reply("a"), reply("b"), *(reply(f"o{n}", f"other{n}") for n in range(20)))
    await bench.delivered(20)
    assert set(bench.provider.sent) == {f"o{n}" for n in range(20)}
    bench.provider.busy = set()
    await bench.clock.asleep()
    await bench.clock.advance_ms(1000)
    await bench.delivered(22)
    assert bench.provider.sent[20:] == ["a", "b"]
    await bench.stop()


async def test_nothing_is_committed_before_the_delivery_is_on_the_bus(bench: Bench) -> None:
    await bench.publish(reply("a"))
    bench.bus.hold()
    await bench.run()
    await eventually(lambda: bench.provider.sent)
    await eventually(lambda: bench.bus.waiting)
    assert bench.replies is not None
    assert bench.replies.consumer.in_flight == 1
    bench.bus.release()
    assert await bench.delivered(1) == [("a", DeliveryState.SENT)]
    await eventually(bench.committed)
    await bench.stop()


async def test_a_stop_gives_back_what_waits_and_the_next_process_sends_it(bench: Bench) -> None:
    bench.provider.busy = {"a"}
    await bench.run()
    await bench.publish(reply("a"), reply("b"))
    await bench.clock.asleep()
    await bench.stop()
    assert await bench.deliveries() == []
    bench.provider.busy = set()
    await bench.run()
    await bench.delivered(2)
    assert bench.provider.sent == ["a", "b"]
    await bench.stop()


async def test_a_try_that_is_out_at_the_stop_may_end(bench: Bench) -> None:
    bench.provider.open.clear()
    await bench.run()
    await bench.publish(reply("a"))
    assert bench.replies is not None
    consumer = bench.replies.consumer
    await eventually(lambda: consumer.in_flight)
    stopping = asyncio.create_task(bench.stop())
    await asyncio.sleep(0)
    bench.provider.open.set()
    await stopping
    assert await bench.deliveries() == [("a", DeliveryState.SENT)]


async def test_a_bus_or_store_that_is_away_is_waited_for(bench: Bench) -> None:
    claim = bench.ledger.claim

    async def away(reply: ReplyId, *, attempt: str, now_ms: int, **_: object) -> LedgerEntry | None:
        if bench.setbacks(ReplySetback.STORE_AWAY) == 0:
            raise StoreUnavailable("away")
        return await claim(reply, attempt=attempt, now_ms=now_ms)

    bench.ledger.claim = away  # type: ignore[method-assign]  # a store that is away once
    await bench.publish(reply("a"))
    await bench.run()
    await bench.clock.asleep()
    bench.bus.is_down = True
    await bench.clock.advance_ms(500)
    await eventually(lambda: bench.setbacks(ReplySetback.BUS_AWAY))
    bench.bus.is_down = False
    await bench.clock.asleep()
    await bench.clock.advance_ms(500)
    assert await bench.delivered(1) == [("a", DeliveryState.SENT)]
    assert bench.provider.sent == ["a"]
    await bench.stop()


async def _poison(bench: Bench) -> None:
    await bench.bus.publish([Outgoing(topic=REPLIES, key="v9", value=b"{", headers=(("ce_id", b"x"),))])


async def test_what_cannot_be_read_goes_to_the_dead_letters_once(bench: Bench) -> None:
    await _poison(bench)
    await bench.publish(reply("a"))
    await bench.run()
    await bench.delivered(1)
    await bench.stop()
    await bench.run(puts_aside=False, account="other")
    await eventually(bench.committed)
    await bench.stop()
    (letter,) = [record async for record in bench.bus.history(DEAD_LETTERS)]
    assert (letter.key, letter.value) == ("v9", b"{")
    assert header(letter.headers, "ce_id") == "x"
    assert header(letter.headers, "turnout-topic") == REPLIES
    assert "Undecodable" in header(letter.headers, "turnout-reason")
    assert bench.setbacks(ReplySetback.UNDECODABLE) == 1


async def test_a_dead_letter_waits_for_the_bus(bench: Bench) -> None:
    await _poison(bench)
    bench.bus.is_down = True
    await bench.run()
    await bench.clock.asleep()
    bench.bus.is_down = False
    await bench.clock.advance_ms(500)

    async def letters() -> int:
        return len([record async for record in bench.bus.history(DEAD_LETTERS)])

    assert await eventually(letters) == 1
    await bench.stop()
