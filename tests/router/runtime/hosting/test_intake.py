import asyncio
from typing import Any

import pytest
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from router.contract.codec import Decoder, header
from router.contract.ids import AccountId, CaseId, ConversationId, InquiryId, PoolId, ReplyId
from router.contract.limits import SHORTENED
from router.contract.messages import MAX_INQUIRY_BYTES, Address, Customer, Delivery, DeliveryState, Inquiry
from router.contract.topics import DELIVERIES, inquiries, topic_specs
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.protocol import Record
from router.runtime.clock import ManualClock
from router.runtime.errors import BusUnavailable, IntakeFull, RecordRefused
from router.runtime.hosting.batches import Batches
from router.runtime.hosting.intake import Intake, IntakeLimits
from router.runtime.hosting.masks import Masks
from router.runtime.hosting.metrics import ChannelMetrics, Refusal
from router.runtime.server_memory import Room
from router.runtime.settings.model import Settings
from router.runtime.token_bucket import Rate
from tests.suites.channel_world import HeldBus
from tests.suites.eventually import eventually

POOL = PoolId("default")
INQUIRY = Inquiry(
    id=InquiryId("i1"),
    pool=POOL,
    account=AccountId("shop"),
    channel="webhook",
    conversation=ConversationId("v1"),
    customer=Customer(id="c1"),
    reply_to=Address(account=AccountId("shop"), address="c1"),
    received_at_ms=1_760_000_000_000,
    text="hello",
)
_DECODER = Decoder(Inquiry)


class Bench:
    """An intake on a bus in memory."""

    def __init__(self, limits: IntakeLimits) -> None:
        self.bus = HeldBus(MemoryBus())
        self.registry = CollectorRegistry()
        self.clock = ManualClock()
        self.batches = Batches(self.bus)
        self.intake = Intake(
            self.batches,
            masks=Masks(Settings().masks),
            clock=self.clock,
            metrics=ChannelMetrics(self.registry, ["webhook"]),
            limits=limits,
        )

    async def records(self, topic: str) -> list[Record]:
        return [record async for record in self.bus.history(topic)]

    def count(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, {"channel": "webhook", **labels})


async def bench(**limits: Any) -> Bench:
    made = Bench(IntakeLimits(**limits))
    await made.bus.create_topics(topic_specs((POOL,), inquiry_partitions=2, partitions=2))
    return made


async def test_an_inquiry_lies_under_its_conversation_with_the_headers_of_the_wire() -> None:
    made = await bench()
    await made.intake.accept(INQUIRY)
    (record,) = await made.records(inquiries(POOL))
    assert record.key == INQUIRY.conversation
    assert _DECODER.decode(record.value, Inquiry) == INQUIRY
    assert header(record.headers, "ce_id") == INQUIRY.id
    assert header(record.headers, "ce_type") == "turnout.inquiry.v1"
    assert made.count("turnout_channel_inquiries_total") == 1


async def test_a_bounce_is_reported_as_a_delivery() -> None:
    made = await bench()
    delivery = Delivery(
        reply=ReplyId("r"),
        pool=POOL,
        case=CaseId("c"),
        account=AccountId("shop"),
        conversation=ConversationId("v1"),
        state=DeliveryState.FAILED,
        at_ms=1,
    )
    await made.intake.report(delivery)
    (record,) = await made.records(DELIVERIES)
    assert record.key == "v1"


@pytest.mark.parametrize(
    "long",
    [
        {"text": "한국어 " * 100_000},
        {"text": "x" * 20_000_000},
        {"quoted": "x" * 20_000_000},
        {"fields": {f"f{n}": "1 " * 50_000 for n in range(200)}},
        {"fields": {"one": "x" * 20_000_000}},
    ],
)
async def test_what_is_too_long_is_shortened_and_says_so(long: dict[str, Any]) -> None:
    made = await bench()
    await made.intake.accept(replace(INQUIRY, **long))
    (record,) = await made.records(inquiries(POOL))
    assert record.value is not None
    assert len(record.value) <= MAX_INQUIRY_BYTES
    assert SHORTENED in _DECODER.decode(record.value, Inquiry).labels
    assert made.count("turnout_channel_shortened_total") == 1


@pytest.mark.parametrize(
    "impossible",
    [replace(INQUIRY, text="half \ud800"), replace(INQUIRY, thread={"references": "x" * MAX_INQUIRY_BYTES})],
)
async def test_what_has_no_form_on_the_wire_is_refused_for_good(impossible: Inquiry) -> None:
    made = await bench()
    with pytest.raises(RecordRefused):
        await made.intake.accept(impossible)
    assert made.count("turnout_channel_refused_total", reason=Refusal.NEVER) == 1
    assert await made.records(inquiries(POOL)) == []


@pytest.mark.parametrize("limits", [{"records": 3}, {"size_bytes": 600}])
async def test_beyond_its_bound_the_intake_is_full_until_the_bus_answers(limits: dict[str, int]) -> None:
    made = await bench(**limits)
    made.bus.hold()
    held = [asyncio.create_task(made.intake.accept(replace(INQUIRY, id=InquiryId(f"i{n}")))) for n in range(3)]
    await eventually(lambda: made.bus.waiting == 3)
    with pytest.raises(IntakeFull) as caught:
        await made.intake.accept(INQUIRY)
    assert caught.value.retryable
    assert caught.value.after_s > 0
    assert made.count("turnout_channel_refused_total", reason=Refusal.FULL) == 1
    made.bus.release()
    await asyncio.gather(*held)
    await made.intake.accept(INQUIRY)
    assert len(await made.records(inquiries(POOL))) == 4


async def test_a_sender_that_writes_too_fast_is_slowed_down_and_no_other() -> None:
    made = await bench(sender=Rate(1, 2))
    for _ in range(2):
        await made.intake.accept(INQUIRY)
    with pytest.raises(IntakeFull) as caught:
        await made.intake.accept(INQUIRY)
    assert caught.value.after_s == 1
    assert made.count("turnout_channel_refused_total", reason=Refusal.SENDER_RATE) == 1
    await made.intake.accept(replace(INQUIRY, customer=Customer(id="c2")))
    await made.clock.advance_ms(1000)
    await made.intake.accept(INQUIRY)


async def test_an_account_has_a_rate_over_all_its_senders() -> None:
    made = await bench(account=Rate(1, 2))
    for number in range(2):
        await made.intake.accept(replace(INQUIRY, customer=Customer(id=f"c{number}")))
    with pytest.raises(IntakeFull):
        await made.intake.accept(INQUIRY)
    assert made.count("turnout_channel_refused_total", reason=Refusal.ACCOUNT_RATE) == 1


async def test_a_server_without_room_takes_nothing_from_outside_until_it_has_some() -> None:
    used = {"percent": 90}

    async def call(*_: object) -> object:
        return f"used_memory:{used['percent']}\r\nmaxmemory:100\r\n".encode()

    made = await bench()
    made.intake._room = Room(call, made.clock)
    with pytest.raises(IntakeFull) as caught:
        await made.intake.accept(INQUIRY)
    assert caught.value.after_s == 5
    assert made.count("turnout_channel_refused_total", reason=Refusal.MEMORY) == 1
    assert await made.records(inquiries(POOL)) == []
    used["percent"] = 70
    await made.clock.advance_ms(1_000)
    await made.intake.accept(INQUIRY)
    assert len(await made.records(inquiries(POOL))) == 1


async def test_a_bus_that_is_away_is_told_and_counted() -> None:
    made = await bench()
    made.bus.is_down = True
    with pytest.raises(BusUnavailable):
        await made.intake.accept(INQUIRY)
    assert made.count("turnout_channel_refused_total", reason=Refusal.BUS) == 1
    assert made.count("turnout_channel_inquiries_total") == 0


async def test_every_series_is_there_at_zero() -> None:
    made = await bench()
    for reason in Refusal:
        assert made.count("turnout_channel_refused_total", reason=reason) == 0
    for state in DeliveryState:
        assert made.count("turnout_channel_replies_total", state=state) == 0
