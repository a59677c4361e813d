"""Retained records on a real Kafka, read outside any group."""

from collections.abc import AsyncIterator

import pytest

from router.contract.topics import Cleanup, TopicSpec
from router.runtime.bus.kafka import KafkaBus
from router.runtime.bus.protocol import Outgoing
from tests.kafka_server_fixture import unique
from tests.suites.kafka_members import bus_on, new_topic, numbers, records


@pytest.fixture
async def bus(kafka: str) -> AsyncIterator[KafkaBus]:
    async with bus_on(kafka) as bus:
        yield bus


async def test_history_is_everything_up_to_the_end_as_it_was_and_then_ends(bus: KafkaBus) -> None:
    topic = await new_topic(bus, 5)
    await bus.publish(records(topic, 700, keys=30))
    history = bus.history(topic)
    found = [await anext(history)]
    await bus.publish(records(topic, 50, keys=30, first=700))
    found += [record async for record in history]
    assert sorted(numbers(found)) == list(range(700))
    assert {each.epoch for each in found} == {0}
    for partition in {each.partition for each in found}:
        offsets = [each.offset for each in found if each.partition == partition]
        assert offsets == list(range(len(offsets)))


async def test_history_since_a_time_leaves_older_records_out(bus: KafkaBus) -> None:
    topic = await new_topic(bus, 3)
    for first in range(0, 60, 10):
        await bus.publish(records(topic, 10, keys=10, first=first))
    everything = [record async for record in bus.history(topic)]
    for since_ms in sorted({each.published_at_ms for each in everything}):
        found = [record async for record in bus.history(topic, since_ms=since_ms)]
        expected = [each for each in everything if each.published_at_ms >= since_ms]
        assert sorted(found, key=_place) == sorted(expected, key=_place)
    last = max(each.published_at_ms for each in everything)
    assert [record async for record in bus.history(topic, since_ms=last + 1)] == []


def _place(record: object) -> tuple[object, int]:
    return record.partition, record.offset  # type: ignore[attr-defined]  # a Record


async def test_an_empty_topic_and_an_absent_one_have_no_history(bus: KafkaBus) -> None:
    assert [record async for record in bus.history(await new_topic(bus, 2))] == []
    assert [record async for record in bus.history(unique("absent"))] == []


async def test_tombstones_are_part_of_a_compacted_history(bus: KafkaBus) -> None:
    topic = unique("topic")
    await bus.create_topics([TopicSpec(name=topic, partitions=1, cleanup=Cleanup.COMPACT)])
    await bus.publish([Outgoing(topic=topic, key="k", value=value) for value in (b"1", b"2", None)])
    assert [record.value async for record in bus.history(topic)][-1] is None


async def test_a_history_that_is_broken_off_leaves_nothing_open(bus: KafkaBus) -> None:
    topic = await new_topic(bus)
    await bus.publish(records(topic, 10))
    history = bus.history(topic)
    assert (await anext(history)).offset == 0
    await history.aclose()  # type: ignore[attr-defined]  # an asynchronous generator
    assert [record async for record in history] == []
