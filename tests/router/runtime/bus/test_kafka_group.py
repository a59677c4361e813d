"""Members of a group on a real Kafka: hand-overs, epochs, commits."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from router.runtime.bus.kafka import KafkaBus
from router.runtime.bus.kafka_group import KafkaSubscription
from router.runtime.bus.protocol import Partition, Record, Subscription
from router.runtime.errors import BusUnavailable
from tests.kafka_server_fixture import unique
from tests.suites.eventually import eventually
from tests.suites.kafka_members import (
    Diary,
    bus_on,
    new_topic,
    numbers,
    poll_until,
    read,
    records,
    watermarks,
)


@pytest.fixture
async def bus(kafka: str) -> AsyncIterator[KafkaBus]:
    async with bus_on(kafka) as bus:
        yield bus


async def _member(bus: KafkaBus, group: str, topic: str, diary: Diary | None = None) -> tuple[Diary, Subscription]:
    diary = diary or Diary()
    return diary, await bus.subscribe(group, [topic], diary)


async def test_assigned_comes_before_the_first_record_and_under_its_epoch(bus: KafkaBus) -> None:
    topic = await new_topic(bus, 3)
    await bus.publish(records(topic, 30, keys=10))
    diary, member = await _member(bus, unique("group"), topic)
    found = await read(member, 30)
    assert diary.words == ["assigned"]
    assert {each.epoch for each in found} == set(diary.owned.values())


async def test_a_joining_member_takes_over_from_the_watermark_committed_in_revoked(bus: KafkaBus) -> None:
    topic, group = await new_topic(bus, 4), unique("group")
    await bus.publish(records(topic, 40, keys=20))
    marks: dict[Partition, tuple[int, int]] = {}

    async def commit(partitions: frozenset[Partition]) -> None:
        assert await first.commit(marks) == partitions

    first_diary, first = await _member(bus, group, topic, Diary(commit))
    marks.update(watermarks(await read(first, 40)))
    second_diary, second = await _member(bus, group, topic)
    again = await poll_until(lambda: bool(first_diary.owned and second_diary.owned), first, second)
    assert again == []
    assert first_diary.words == ["assigned", "revoked", "assigned"]
    assert first_diary.owned.keys() | second_diary.owned.keys() == {Partition(topic, n) for n in range(4)}
    assert not first_diary.owned.keys() & second_diary.owned.keys()


async def test_epochs_grow_over_all_members(bus: KafkaBus) -> None:
    topic, group = await new_topic(bus, 2), unique("group")
    seen: list[int] = []
    first_diary, first = await _member(bus, group, topic)
    await poll_until(lambda: bool(first_diary.owned), first)
    seen.append(max(first_diary.owned.values()))
    second_diary, second = await _member(bus, group, topic)
    await poll_until(lambda: bool(second_diary.owned), first, second)
    seen.append(min(second_diary.owned.values()))
    await first.close()
    await poll_until(lambda: len(second_diary.owned) == 2, second)
    seen.append(min(second_diary.owned.values()))
    await second.close()
    third_diary, third = await _member(bus, group, topic)
    await poll_until(lambda: bool(third_diary.owned), third)
    seen.append(min(third_diary.owned.values()))
    assert seen == sorted(set(seen))


async def test_a_commit_of_an_older_epoch_takes_no_effect(bus: KafkaBus) -> None:
    topic, group = await new_topic(bus, 2), unique("group")
    await bus.publish(records(topic, 20, keys=10))
    diary, first = await _member(bus, group, topic)
    stale = watermarks(await read(first, 20))
    other_diary, other = await _member(bus, group, topic)
    again = await poll_until(lambda: bool(other_diary.owned and diary.owned), first, other)
    assert await first.commit(stale) == frozenset()
    again += await read(first, 1) if not again else []
    fresh = watermarks([each for each in again if each.partition in diary.owned])
    assert await first.commit({**stale, **fresh}) == frozenset(fresh)


async def test_a_commit_still_on_its_way_when_its_generation_ends_takes_no_effect(bus: KafkaBus) -> None:
    topic, group = await new_topic(bus, 2), unique("group")
    await bus.publish(records(topic, 20, keys=10))
    diary, first = await _member(bus, group, topic)
    assert isinstance(first, KafkaSubscription)
    marks = watermarks(await read(first, 20))
    offsets = {each: offset for each, (_, offset) in marks.items()}
    ended = max(diary.owned.values())
    other_diary, other = await _member(bus, group, topic)
    await poll_until(lambda: bool(other_diary.owned and diary.owned), first, other)
    assert not await first._member.commit(offsets, ended)
    assert sum((await first.lag()).values()) + sum((await other.lag()).values()) == 20


async def test_a_member_that_does_not_poll_in_time_loses_its_partitions(kafka: str) -> None:
    group = unique("group")
    async with bus_on(kafka, handover_s=0.3) as bus:
        topic = await new_topic(bus)
        await bus.publish(records(topic, 5))
        late_diary, late = await _member(bus, group, topic)
        marks = watermarks(await read(late, 5))
        prompt_diary, prompt = await _member(bus, group, topic)
        await poll_until(lambda: "assigned" in prompt_diary.words or _rejoined(late), prompt)
        assert await late.commit(marks) == frozenset()
        await poll_until(lambda: "lost" in late_diary.words, late, prompt)
        assert "revoked" not in late_diary.words


def _rejoined(late: Subscription) -> bool:
    # A single partition may come back to the late member: its old epoch is over all the same.
    return isinstance(late, KafkaSubscription) and late._member.generation > 1


async def test_an_idle_member_is_out_of_the_group_and_cannot_commit(kafka: str) -> None:
    group = unique("group")
    async with bus_on(kafka, max_poll_interval_s=1) as bus:
        topic = await new_topic(bus, 2)
        await bus.publish(records(topic, 10, keys=10))
        zombie_diary, zombie = await _member(bus, group, topic)
        marks = watermarks(await read(zombie, 10))
        heir_diary, heir = await _member(bus, group, topic)
        again = await poll_until(lambda: len(heir_diary.owned) == 2, heir)
        again += await read(heir, 10 - len(again))
        assert sorted(numbers(again)) == list(range(10))
        assert await heir.commit(watermarks(again)) == set(heir_diary.owned)
        assert await zombie.commit(marks) == frozenset()
        assert sum((await heir.lag()).values()) == 0
        await poll_until(lambda: len(zombie_diary.owned) == 1, zombie, heir)
        assert zombie_diary.words[:2] == ["assigned", "lost"]


async def test_paused_partitions_hand_out_nothing_until_resumed(bus: KafkaBus) -> None:
    topic = await new_topic(bus, 2)
    diary, member = await _member(bus, unique("group"), topic)
    await poll_until(lambda: bool(diary.owned), member)
    await bus.publish(records(topic, 20, keys=10))
    paused = frozenset([Partition(topic, 0)])
    member.pause(paused)
    lag = await member.lag()
    open_count = sum(lag[each] for each in diary.owned.keys() - paused)
    found = await read(member, open_count)
    found += await member.poll(max_records=100, timeout_ms=300)
    assert {each.partition for each in found} == {Partition(topic, 1)}
    member.resume(paused)
    found += await read(member, 20 - open_count)
    assert sorted(numbers(found)) == list(range(20))


async def test_lag_counts_what_is_not_committed(bus: KafkaBus) -> None:
    topic = await new_topic(bus)
    await bus.publish(records(topic, 10))
    _, member = await _member(bus, unique("group"), topic)
    found = await read(member, 10)
    assert await member.lag() == {Partition(topic, 0): 10}
    await member.commit(watermarks(found[:4]))
    assert await member.lag() == {Partition(topic, 0): 6}


async def test_a_batch_is_no_larger_than_asked_for(bus: KafkaBus) -> None:
    topic = await new_topic(bus)
    await bus.publish(records(topic, 25))
    _, member = await _member(bus, unique("group"), topic)
    sizes: list[int] = []
    async with asyncio.timeout(10):
        while sum(sizes) < 25:
            sizes.append(len(await member.poll(max_records=10, timeout_ms=500)))
    assert max(sizes) == 10


async def test_what_cannot_be_read_keeps_nothing_else_back_and_loses_nothing(bus: KafkaBus) -> None:
    topic = await new_topic(bus, 2)
    diary, member = await _member(bus, unique("group"), topic)
    assert isinstance(member, KafkaSubscription)
    await poll_until(lambda: bool(diary.owned), member)
    await bus.publish(records(topic, 40, keys=20))
    buffered = member._member._library._fetcher._records
    await eventually(lambda: len(buffered) == 2)
    *_, last = buffered.values()
    last._partition_records._records_iterator = _broken()
    found: list[Record] = []
    failures = 0
    async with asyncio.timeout(20):
        while len(found) < 40:
            try:
                found += await member.poll(max_records=500, timeout_ms=200)
            except BusUnavailable:
                failures += 1
    assert sorted(numbers(found)) == list(range(40))
    assert failures <= 1


def _broken() -> Iterator[object]:
    yield from ()
    raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "a header's name")


async def test_subscribing_to_an_absent_topic_is_refused(bus: KafkaBus) -> None:
    with pytest.raises(BusUnavailable, match="there is no topic"):
        await bus.subscribe(unique("group"), [unique("absent")], Diary())


async def test_a_closed_subscription_gives_its_partitions_up_and_polls_no_more(bus: KafkaBus) -> None:
    topic = await new_topic(bus)
    diary, member = await _member(bus, unique("group"), topic)
    await poll_until(lambda: bool(diary.owned), member)
    await member.close()
    await member.close()
    assert diary.words == ["assigned", "revoked"]
    assert await member.commit({Partition(topic, 0): (1, 1)}) == frozenset()
    with pytest.raises(BusUnavailable):
        await member.poll(max_records=1, timeout_ms=0)
