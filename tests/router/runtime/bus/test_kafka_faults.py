"""The bus while its Kafka is frozen, killed and started again; and members that freeze themselves."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from router.runtime.bus.kafka import KafkaBus
from router.runtime.bus.protocol import Record, Subscription
from router.runtime.errors import BusUnavailable
from tests.kafka_server_fixture import Broker, unique
from tests.suites.kafka_members import (
    Diary,
    bus_on,
    new_topic,
    numbers,
    poll_until,
    read,
    records,
    seconds,
    watermarks,
)

SLACK_S = 1.0
MEMBER = Path(__file__).parents[3] / "suites" / "kafka_member_process.py"


@pytest.fixture
def broker(own_kafka: Broker) -> Iterator[Broker]:
    """Thawed and running again for the next test."""
    yield own_kafka
    own_kafka.thaw()


@pytest.fixture
async def bus(broker: Broker) -> AsyncIterator[KafkaBus]:
    async with bus_on(broker.bootstrap) as bus:
        yield bus


async def test_publishing_to_a_frozen_broker_fails_within_its_deadline_and_later_works(
    broker: Broker, bus: KafkaBus
) -> None:
    topic = await new_topic(bus)
    await bus.publish(records(topic, 1))
    broker.freeze()
    calls = await asyncio.gather(*(seconds(bus.publish(records(topic, 1, first=n))) for n in (1, 2)))
    assert all(2.0 < each < 3.0 + SLACK_S for each in calls)
    with pytest.raises(BusUnavailable):
        await bus.publish(records(topic, 1, first=3))
    broker.thaw()
    await bus.publish(records(topic, 1, first=4))
    found = [record async for record in bus.history(topic)]
    assert {0, 4} <= set(numbers(found))


async def test_a_bus_on_a_frozen_broker_closes_within_its_deadline(broker: Broker) -> None:
    async with bus_on(broker.bootstrap) as bus:
        topic = await new_topic(bus, 3)
        await bus.publish(records(topic, 10, keys=10))
        diary = Diary()
        member = await bus.subscribe(unique("group"), [topic], diary)
        await read(member, 10)
        broker.freeze()
        publishing = asyncio.create_task(bus.publish(records(topic, 1)))
        assert await member.poll(max_records=10, timeout_ms=300) == ()
        assert await seconds(bus.close()) < 3.0 + SLACK_S
        assert diary.words == ["assigned", "revoked"]
        with pytest.raises(BusUnavailable):
            await publishing


async def test_a_subscription_on_a_frozen_broker_closes_within_its_deadline(broker: Broker, bus: KafkaBus) -> None:
    topic = await new_topic(bus)
    await bus.publish(records(topic, 5))
    outcomes: list[object] = []

    async def commit(_: object) -> None:
        try:
            outcomes.append(await member.commit(marks))
        except BusUnavailable as exc:
            outcomes.append(exc)

    member = await bus.subscribe(unique("group"), [topic], Diary(commit))
    marks = watermarks(await read(member, 5))
    broker.freeze()
    assert await seconds(member.close()) < 3.0 + SLACK_S
    assert not any(isinstance(each, frozenset) for each in outcomes)


async def test_nothing_outlasts_its_deadline_on_a_frozen_broker(broker: Broker, bus: KafkaBus) -> None:
    topic, group = await new_topic(bus), unique("group")
    await bus.publish(records(topic, 5))
    member = await bus.subscribe(group, [topic], Diary())
    marks = watermarks(await read(member, 5))
    broker.freeze()
    calls = (
        member.commit(marks),
        member.lag(),
        bus.subscribe(group, [topic], Diary()),
        anext(bus.history(topic)),
    )
    for took in await asyncio.gather(*(seconds(each) for each in calls)):
        assert took < 3.0 + 3 * SLACK_S
    broker.thaw()
    assert await member.commit(marks) == set(marks)


async def test_a_bus_survives_its_broker_being_killed_and_started_again(broker: Broker) -> None:
    async with bus_on(broker.bootstrap, publish_s=2, session_s=20) as bus:
        topic = await new_topic(bus, 2)
        await bus.publish(records(topic, 10, keys=10))
        member = await bus.subscribe(unique("group"), [topic], Diary())
        found = await read(member, 10)
        await member.commit(watermarks(found))
        await broker.server.kill()
        with pytest.raises(BusUnavailable):
            await bus.publish(records(topic, 1, first=10))
        with pytest.raises(BusUnavailable):
            await poll_until(lambda: False, member)
        await broker.server.restart()
        await _publish_until_it_works(bus, topic)
        async with asyncio.timeout(30):
            while 11 not in numbers(found):
                found += await _poll(member)
        assert {each.offset for each in found if int(each.value or b"") < 10} <= set(range(10))


async def test_epochs_go_on_growing_after_the_broker_was_killed(broker: Broker) -> None:
    group = unique("group")
    async with bus_on(broker.bootstrap) as bus:
        topic = await new_topic(bus)
        epochs: list[int] = []
        for is_last in (False, False, True):
            diary = Diary()
            member = await bus.subscribe(group, [topic], diary)
            await poll_until(lambda diary=diary: bool(diary.owned), member)  # type: ignore[misc]
            epochs += diary.owned.values()
            await member.close()
            if not is_last:
                await broker.server.kill()
                await broker.server.restart()
    assert epochs == sorted(set(epochs))


async def _poll(member: Subscription) -> list[Record]:
    try:
        return list(await member.poll(max_records=100, timeout_ms=200))
    except BusUnavailable:
        return []


async def _publish_until_it_works(bus: KafkaBus, topic: str) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                await bus.publish(records(topic, 1, first=11))
            except BusUnavailable:
                continue
            return


async def test_a_broker_restarted_within_the_deadline_is_not_even_noticed(broker: Broker) -> None:
    async with bus_on(broker.bootstrap, publish_s=30, request_s=10) as bus:
        topic = await new_topic(bus)
        await bus.publish(records(topic, 1))
        await broker.server.kill()
        publishing = asyncio.create_task(bus.publish(records(topic, 3, first=1)))
        await broker.server.restart()
        await publishing
        assert numbers([record async for record in bus.history(topic)]) == [0, 1, 2, 3]


@pytest.fixture
async def member_process(broker: Broker) -> AsyncIterator["MemberProcess"]:
    """A member in a process of its own, which prints what it does and commits when told to."""
    member = MemberProcess(broker)
    yield member
    await member.end()


class MemberProcess:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._process: Process | None = None

    async def start(self, group: str, topic: str) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, str(MEMBER), self._broker.bootstrap, group, topic),
            stdin=PIPE,
            stdout=PIPE,
            env={**os.environ, "PYTHONPATH": str(MEMBER.parents[2])},
        )

    @property
    def process(self) -> Process:
        assert self._process is not None
        return self._process

    async def says(self, word: str) -> str:
        """The rest of its next line that begins so."""
        assert self.process.stdout is not None
        async with asyncio.timeout(30):
            async for line in self.process.stdout:
                said, _, rest = line.decode().strip().partition(" ")
                if said == word:
                    return rest
        raise AssertionError(f"the member ended without a word of {word!r}")

    def tell(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(word.encode() + b"\n")

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def end(self) -> None:
        if self._process is not None:
            if self._process.returncode is None:
                self._process.kill()
            await self._process.communicate()


async def test_a_member_killed_before_its_commit_hands_its_records_out_again(
    broker: Broker, member_process: MemberProcess
) -> None:
    async with bus_on(broker.bootstrap) as bus:
        topic, group = await new_topic(bus, 2), unique("group")
        await bus.publish(records(topic, 20, keys=10))
        await member_process.start(group, topic)
        assert await member_process.says("read") == "20"
        member_process.signal(signal.SIGKILL)
        diary = Diary()
        heir = await bus.subscribe(group, [topic], diary)
        assert sorted(numbers(await read(heir, 20))) == list(range(20))


async def test_a_member_frozen_past_its_session_cannot_commit_when_it_wakes(
    broker: Broker, member_process: MemberProcess
) -> None:
    async with bus_on(broker.bootstrap) as bus:
        topic, group = await new_topic(bus), unique("group")
        await bus.publish(records(topic, 20))
        await member_process.start(group, topic)
        epoch = int(await member_process.says("epoch"))
        assert await member_process.says("read") == "20"
        member_process.signal(signal.SIGSTOP)
        diary = Diary()
        heir = await bus.subscribe(group, [topic], diary)
        found = await read(heir, 20)
        assert min(each.epoch for each in found) > epoch
        assert await heir.commit(watermarks(found[:5])) == {found[0].partition}
        member_process.tell("commit")
        member_process.signal(signal.SIGCONT)
        assert await member_process.says("committed") == "0"
        assert await heir.lag() == {found[0].partition: 15}
        member_process.tell("poll")
        await poll_until(lambda: "revoked" in diary.words, heir)
        assert await member_process.says("told") == "lost"
