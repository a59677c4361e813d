import asyncio

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from router.contract.codec import Decoder, encode
from router.contract.ids import AccountId, CaseId, ConversationId, PoolId, ReplyId
from router.contract.messages import Address, Delivery, DeliveryState, Reply
from router.contract.records import record_head
from router.contract.topics import DEAD_LETTERS, DELIVERIES, REPLIES, topic_specs
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.protocol import Outgoing
from router.runtime.clock import ManualClock
from router.runtime.hosting.batches import Batches
from router.runtime.hosting.metrics import ChannelMetrics
from router.runtime.hosting.reply_account import Reports
from router.runtime.hosting.reply_unassigned import GRACE_S, UNASSIGNED, UnassignedReplies
from router.runtime.ledger import LedgerState, MemoryLedger, final_entry
from tests.suites.eventually import eventually

GRACE_MS = round(GRACE_S * 1000)
_DELIVERY = Decoder(Delivery)


class Bench:
    """Processes whose settings have the account ``shop``."""

    def __init__(self) -> None:
        self.bus = MemoryBus()
        self.clock = ManualClock()
        self.ledger = MemoryLedger()
        self.registry = CollectorRegistry()
        self._metrics = ChannelMetrics(self.registry, [])
        self._running: list[tuple[UnassignedReplies, asyncio.Task[None]]] = []

    async def run(self, *accounts: str) -> UnassignedReplies:
        replies = UnassignedReplies(
            self.bus,
            self.ledger,
            accounts=[AccountId(account) for account in accounts or ("shop",)],
            reports=Reports(Batches(self.bus), channel=UNASSIGNED, metrics=self._metrics),
            clock=self.clock,
            process=f"p{len(self._running)}",
        )
        self._running.append((replies, asyncio.create_task(replies.run())))
        return replies

    async def stop(self) -> None:
        for replies, task in self._running:
            await replies.stop(5.0)
            await task
        self._running.clear()

    def reply(self, name: str, account: str = "gone", *, age_ms: int = 0) -> Reply:
        return Reply(
            id=ReplyId(name),
            pool=PoolId("default"),
            case=CaseId("c1"),
            conversation=ConversationId("v1"),
            to=Address(account=AccountId(account), address="customer"),
            text="hello",
            created_at_ms=self.clock.now_ms() - age_ms,
        )

    async def publish(self, *replies: Reply) -> None:
        for reply in replies:
            head = record_head(reply)
            await self.bus.publish([Outgoing(topic=head.topic, key=head.key, value=encode(reply))])

    async def deliveries(self) -> list[Delivery]:
        return [_DELIVERY.decode(record.value, Delivery) async for record in self.bus.history(DELIVERIES)]

    async def delivered(self, count: int) -> list[Delivery]:
        async def enough() -> list[Delivery]:
            found = await self.deliveries()
            return found if len(found) >= count else []

        found: list[Delivery] = await eventually(enough)
        return found


@pytest.fixture
async def bench() -> Bench:
    made = Bench()
    await made.bus.create_topics(topic_specs((PoolId("default"),), inquiry_partitions=1, partitions=1))
    return made


async def test_a_reply_to_an_account_that_is_gone_fails_with_the_reason(bench: Bench) -> None:
    await bench.publish(bench.reply("r1", age_ms=GRACE_MS), bench.reply("r2", "shop", age_ms=GRACE_MS))
    one = await bench.run()
    (told,) = await bench.delivered(1)
    assert (told.reply, told.case, told.account, told.state) == ("r1", "c1", "gone", DeliveryState.FAILED)
    assert told.reason == "no account gone is in the settings any more: nothing was sent"
    await eventually(lambda: one.consumer.in_flight == 0)
    assert await bench.ledger.find(ReplyId("r2")) is None
    await bench.stop()
    # It was committed: whoever comes next has nothing to say.
    again = await bench.run()
    await eventually(lambda: again.consumer.polled_at is not None)
    await bench.stop()
    assert len(await bench.deliveries()) == 1
    labels = {"channel": UNASSIGNED, "state": "failed"}
    assert bench.registry.get_sample_value("turnout_channel_replies_total", labels) == 1


async def test_others_have_ten_minutes_to_send_it(bench: Bench) -> None:
    await bench.publish(bench.reply("sent"), bench.reply("left"), bench.reply("begun"))
    await bench.run()
    await bench.clock.asleep()
    # A process that has the account, by settings newer or older than ours, takes its replies.
    now_ms = bench.clock.now_ms()
    await bench.ledger.settle(ReplyId("sent"), final_entry(DeliveryState.SENT, now_ms))
    await bench.clock.advance_ms(GRACE_MS - 1)
    assert await bench.deliveries() == []
    await bench.ledger.claim(ReplyId("begun"), attempt="other", now_ms=bench.clock.now_ms())
    await bench.clock.advance_ms(1)
    told = {delivery.reply: delivery.state for delivery in await bench.delivered(2)}
    assert told == {"sent": DeliveryState.SENT, "left": DeliveryState.FAILED}
    # One that was left in the middle may be out: that is said, and not before its sender had his time.
    await bench.clock.asleep()
    await bench.clock.advance_ms(60_000)
    assert (await bench.delivered(3))[2].state is DeliveryState.UNKNOWN
    await bench.stop()


async def test_a_stop_leaves_what_waits_to_the_next_process(bench: Bench) -> None:
    await bench.publish(bench.reply("r1"))
    await bench.run()
    await bench.clock.asleep()
    await bench.stop()
    assert (await bench.deliveries(), await bench.ledger.find(ReplyId("r1"))) == ([], None)
    await bench.clock.advance_ms(GRACE_MS)
    await bench.run()
    assert [delivery.reply for delivery in await bench.delivered(1)] == ["r1"]
    await bench.stop()


async def test_an_account_that_comes_back_gets_its_replies_sent(bench: Bench) -> None:
    await bench.publish(bench.reply("r1"))
    await bench.run()
    await bench.clock.asleep()
    await bench.stop()
    await bench.clock.advance_ms(GRACE_MS)
    back = await bench.run("shop", "gone")
    await eventually(lambda: back.consumer.polled_at is not None and back.consumer.in_flight == 0)
    assert await bench.ledger.find(ReplyId("r1")) is None
    await bench.stop()


async def test_a_clock_that_was_ahead_makes_nobody_wait_longer(bench: Bench) -> None:
    await bench.publish(replace(bench.reply("r1"), created_at_ms=bench.clock.now_ms() + 10 * GRACE_MS))
    await bench.run()
    await bench.clock.asleep()
    await bench.clock.advance_ms(GRACE_MS)
    assert (await bench.delivered(1))[0].state is DeliveryState.FAILED
    entry = await bench.ledger.find(ReplyId("r1"))
    assert entry is not None
    assert entry.state is LedgerState.FAILED
    await bench.stop()


async def test_without_any_account_what_cannot_be_read_is_put_aside(bench: Bench) -> None:
    await bench.bus.publish([Outgoing(topic=REPLIES, key="v9", value=b"{")])
    await bench.run()

    async def letters() -> int:
        return len([record async for record in bench.bus.history(DEAD_LETTERS)])

    assert await eventually(letters) == 1
    await bench.stop()
