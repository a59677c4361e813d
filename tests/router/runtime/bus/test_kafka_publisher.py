"""Publishing to a real Kafka: order, refusals, and what a refusal leaves behind."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from router.contract.topics import TopicSpec
from router.runtime.bus.kafka import KafkaBus
from router.runtime.bus.kafka_client import MAX_RECORD_BYTES, Admin, KafkaOptions, NewTopicRequest
from router.runtime.bus.kafka_publisher import refusal
from router.runtime.bus.protocol import Outgoing, Record
from router.runtime.errors import BusUnavailable, RecordRefused
from tests.kafka_server_fixture import unique
from tests.suites.kafka_members import bus_on, new_topic, numbers, records


@pytest.fixture
async def bus(kafka: str) -> AsyncIterator[KafkaBus]:
    async with bus_on(kafka) as bus:
        yield bus


async def _all(bus: KafkaBus, topic: str) -> list[Record]:
    return [record async for record in bus.history(topic)]


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (Outgoing(topic="t", key="k", value=b"x" * (MAX_RECORD_BYTES - 200)), None),
        (Outgoing(topic="t", key="k", value=None), None),
        (Outgoing(topic="t", key="k", value=b"x" * MAX_RECORD_BYTES), "bytes are more than"),
        (Outgoing(topic="t", key="k", value=b"", headers=(("h", b"x" * MAX_RECORD_BYTES),)), "bytes are more than"),
        (Outgoing(topic="t", key="\ud800", value=b""), "no valid Unicode"),
        (Outgoing(topic="t", key="k", value=b"", headers=(("\ud800", b""),)), "no valid Unicode"),
    ],
)
def test_a_record_shows_by_itself_whether_it_is_refused(record: Outgoing, reason: str | None) -> None:
    assert (refusal(record) or "") == "" if reason is None else reason in (refusal(record) or "")


async def test_positions_come_in_the_order_of_the_call_and_say_where_each_lies(bus: KafkaBus) -> None:
    topic = await new_topic(bus, 4)
    outgoing = records(topic, 300, keys=40)
    positions = await bus.publish(outgoing)
    stored = {(each.partition, each.offset): each.value for each in await _all(bus, topic)}
    assert [stored[position] for position in positions] == [each.value for each in outgoing]


@pytest.mark.parametrize(
    ("key", "hashed"),
    # Test vectors of Kafka's own client.
    [("21", -973932308), ("foobar", -790332482), ("a-little-bit-long-string", -985981536)],
)
async def test_a_key_lies_where_every_client_of_kafka_puts_it(bus: KafkaBus, key: str, hashed: int) -> None:
    topic = await new_topic(bus, 16)
    (position,) = await bus.publish([Outgoing(topic=topic, key=key, value=b"x")])
    assert position.partition.number == (hashed & 0x7FFFFFFF) % 16


async def test_a_record_comes_back_as_it_went(bus: KafkaBus) -> None:
    topic = await new_topic(bus)
    headers = (("ce_id", b"1"), ("이름", b""), ("ce_id", b"\xff"))
    await bus.publish([Outgoing(topic=topic, key="키", value=b"\x00\xff", headers=headers)])
    await bus.publish([Outgoing(topic=topic, key="", value=None)])
    first, second = await _all(bus, topic)
    assert (first.key, first.value, first.headers, first.epoch) == ("키", b"\x00\xff", headers, 0)
    assert (second.key, second.value, second.headers) == ("", None, ())
    assert second.published_at_ms >= first.published_at_ms > 0


async def test_concurrent_calls_keep_the_order_within_each_call(bus: KafkaBus) -> None:
    topic = await new_topic(bus, 4)
    await asyncio.gather(*(bus.publish(records(topic, 20, keys=3, first=1000 * call)) for call in range(40)))
    found = numbers(await _all(bus, topic))
    assert len(found) == 800
    for call in range(40):
        for key in range(3):
            mine = [n for n in found if n // 1000 == call and n % 1000 % 3 == key % 3]
            assert mine == sorted(mine)


async def test_the_largest_record_that_is_not_refused_is_taken(bus: KafkaBus) -> None:
    topic = await new_topic(bus)
    largest = Outgoing(topic=topic, key="k", value=b"x" * (MAX_RECORD_BYTES - 121))
    assert refusal(largest) is None
    await bus.publish([largest])
    assert len(await _all(bus, topic)) == 1


async def test_an_oversize_record_is_refused_by_its_index_and_the_bus_goes_on(bus: KafkaBus) -> None:
    topic = await new_topic(bus)
    outgoing = records(topic, 3)
    outgoing[1] = Outgoing(topic=topic, key="k", value=b"x" * (MAX_RECORD_BYTES + 1))
    with pytest.raises(RecordRefused) as caught:
        await bus.publish(outgoing)
    assert caught.value.index == 1
    await bus.publish([outgoing[0], outgoing[2]])
    assert numbers(await _all(bus, topic)) == [0, 2]


async def test_a_record_the_broker_refuses_is_found_among_those_of_its_batch(kafka: str, bus: KafkaBus) -> None:
    topic = await _small_topic(kafka, 2000)
    await bus.publish(records(topic, 1, first=98))  # from here on the broker counts the producer's batches
    outgoing = records(topic, 6)
    outgoing[4] = Outgoing(topic=topic, key="k", value=b"x" * 5000)
    with pytest.raises(RecordRefused) as caught:
        await bus.publish(outgoing)
    assert caught.value.index == 4
    await bus.publish(records(topic, 1, first=99))
    assert set(numbers(await _all(bus, topic))) >= {98, 0, 1, 2, 3, 99}


async def test_records_that_only_their_batch_makes_too_large_are_published(kafka: str, bus: KafkaBus) -> None:
    topic = await _small_topic(kafka, 2000)
    outgoing = [Outgoing(topic=topic, key="k", value=b"%d" % n + b"." * 500) for n in range(8)]
    positions = await bus.publish(outgoing)
    stored = {(each.partition, each.offset): each.value for each in await _all(bus, topic)}
    assert [stored[position] for position in positions] == [each.value for each in outgoing]


async def _small_topic(kafka: str, max_bytes: int) -> str:
    """A topic that somebody else made with a lower limit than ours."""
    name = unique("topic")
    admin = Admin(KafkaOptions(bootstrap=kafka))
    try:
        await admin.start()
        await admin.create([NewTopicRequest(name, 1, 1, {"max.message.bytes": str(max_bytes)})])
    finally:
        await admin.stop()
    return name


async def test_a_record_for_an_absent_topic_is_refused(bus: KafkaBus) -> None:
    topic = await new_topic(bus)
    absent = Outgoing(topic=unique("absent"), key="k", value=b"")
    with pytest.raises(RecordRefused, match="there is no topic") as caught:
        await bus.publish([*records(topic, 2), absent])
    assert caught.value.index == 2
    await bus.publish(records(topic, 1))


async def test_a_topic_made_after_a_refusal_is_found(bus: KafkaBus) -> None:
    name = unique("absent")
    with pytest.raises(RecordRefused):
        await bus.publish(records(name, 1))
    await bus.create_topics([TopicSpec(name=name, partitions=1)])
    assert len(await bus.publish(records(name, 1))) == 1


async def test_publishing_nothing_needs_no_broker() -> None:
    async with bus_on("127.0.0.1:1") as bus:
        assert list(await bus.publish([])) == []


async def test_without_a_broker_everything_is_unavailable() -> None:
    async with bus_on("127.0.0.1:1", publish_s=1, request_s=1) as bus:
        with pytest.raises(BusUnavailable):
            await bus.publish(records("t", 1))
        with pytest.raises(BusUnavailable):
            await _all(bus, "t")


async def test_a_closed_bus_publishes_no_more(kafka: str) -> None:
    async with bus_on(kafka) as bus:
        topic = await new_topic(bus)
        await bus.publish(records(topic, 1))
        await bus.close()
        await bus.close()
        with pytest.raises(BusUnavailable):
            await bus.publish(records(topic, 1))
