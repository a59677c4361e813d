"""The consumer when it is fenced, when poison can't be put aside, and what it tells its journal and its watch."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest

from router.contract.topics import TopicSpec
from router.runtime.bus.lanes import Consumer, Handler, Limits
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.memory_group import MemorySubscription
from router.runtime.bus.protocol import Outgoing, Partition, Rebalance, Record
from router.runtime.clock import ManualClock
from router.runtime.errors import BusUnavailable, PartitionFenced
from router.runtime.watches import ConsumerWatch
from tests.suites.eventually import eventually

FAST = Limits(
    lanes=4, poll_ms=10, commit_s=0.0, lag_s=0.0, revoke_wait_s=0.2, first_retry_s=0.001, longest_retry_s=0.01
)
ONLY = Partition("t", 0)


class Owner:
    """Hooks and journal, and what they were told. ``fences`` counts how often a fence was taken."""

    def __init__(self) -> None:
        self.fences = 0
        self.poison: list[str] = []
        self.away = 0
        self.out: list[str] = []
        self.marks: list[int] = []
        self.verdicts: list[bool] = []
        self.freed: list[frozenset[Partition]] = []

    async def on_assigned(self, partitions: Mapping[Partition, int]) -> None:
        self.fences += 1

    async def on_poison(self, record: Record, exc: Exception) -> None:
        if self.away:
            self.away -= 1
            raise BusUnavailable("no dead letters now")
        self.poison.append(text_of(record))

    def handed_out(self, records: Sequence[Record]) -> None:
        self.out += [text_of(record) for record in records]

    def committed(self, watermarks: Mapping[Partition, tuple[int, int]]) -> None:
        self.marks += [offset for _, offset in watermarks.values()]

    def fenced(self, partition: Partition, *, is_ours: bool) -> None:
        self.verdicts.append(is_ours)

    async def released(self, partitions: frozenset[Partition]) -> None:
        self.freed.append(partitions)

    async def run(self) -> None:
        await asyncio.Event().wait()


def text_of(record: Record) -> str:
    return (record.value or b"").decode()


@pytest.fixture
async def bus() -> AsyncIterator[MemoryBus]:
    bus = MemoryBus()
    await bus.create_topics([TopicSpec(name="t", partitions=1)])
    yield bus
    await bus.close()


async def publish(bus: MemoryBus, *texts: str) -> None:
    await bus.publish([Outgoing(topic="t", key=text[0], value=text.encode()) for text in texts])


@asynccontextmanager
async def consuming(bus: MemoryBus, handle: Handler, owner: Owner) -> AsyncIterator[Consumer]:
    consumer = Consumer(bus, "g", ["t"], handle=handle, hooks=owner, limits=FAST)
    consumer.keep(owner)
    running = asyncio.create_task(consumer.run())
    try:
        yield consumer
    finally:
        consumer.stop(deadline_s=1)
        await asyncio.wait_for(running, 5)


async def test_an_owner_that_is_fenced_takes_a_new_fence_and_goes_on(bus: MemoryBus) -> None:
    owner, seen = Owner(), []

    async def handle(record: Record) -> None:
        if owner.fences < 2:
            raise PartitionFenced("a late zombie took a fence")
        seen.append(text_of(record))

    await publish(bus, "a0", "b0", "a1", "c0")
    async with consuming(bus, handle, owner) as consumer:
        await eventually(lambda: len(seen) == 4 and consumer.in_flight == 0)
        await eventually(lambda: owner.marks[-1:] == [4])
    assert seen.index("a0") < seen.index("a1")
    assert owner.verdicts == [True]
    assert owner.fences == 2
    assert owner.poison == []


class TakenOver(MemoryBus):
    """Its groups refuse all commits: somebody else owns the partitions by now, and nobody has said so yet."""

    async def subscribe(self, group: str, topics: Sequence[str], rebalance: Rebalance) -> MemorySubscription:
        subscription = await super().subscribe(group, topics, rebalance)

        async def refuse(watermarks: Mapping[Partition, tuple[int, int]]) -> frozenset[Partition]:
            return frozenset()

        subscription.commit = refuse  # type: ignore[method-assign]  # the one thing that is otherwise
        return subscription


async def test_one_that_owns_it_no_longer_drops_what_it_holds() -> None:
    bus, zombie, tried = TakenOver(), Owner(), []
    await bus.create_topics([TopicSpec(name="t", partitions=1)])

    async def handle(record: Record) -> None:
        tried.append(text_of(record))
        raise PartitionFenced("another has a newer fence")

    await publish(bus, "a0", "a1", "a2")
    async with consuming(bus, handle, zombie) as consumer:
        await eventually(lambda: zombie.verdicts)
        await eventually(lambda: consumer.in_flight == 0)
        assert consumer.owned == 0
    assert (tried, zombie.verdicts, zombie.fences) == (["a0"], [False], 1)
    assert zombie.poison == []
    await bus.close()


async def test_poison_waits_for_the_dead_letters_to_come_back(bus: MemoryBus) -> None:
    owner, seen = Owner(), []
    owner.away = 3

    async def handle(record: Record) -> None:
        if text_of(record) == "a0":
            raise KeyError("field")
        seen.append(text_of(record))

    await publish(bus, "a0", "a1", "b0")
    async with consuming(bus, handle, owner):
        await eventually(lambda: sorted(seen) == ["a1", "b0"])
    assert owner.poison == ["a0"]
    assert owner.away == 0


async def test_the_journal_is_told_what_is_out_what_is_done_and_what_is_given_up(bus: MemoryBus) -> None:
    owner, begun = Owner(), []

    async def handle(record: Record) -> None:
        assert text_of(record) in owner.out  # told before
        begun.append(text_of(record))

    await publish(bus, "a0", "b0")
    async with consuming(bus, handle, owner):
        await eventually(lambda: owner.marks[-1:] == [2])
        assert owner.freed == []
    assert owner.out == ["a0", "b0"]
    assert owner.freed == [frozenset([ONLY])]


async def test_a_partition_with_work_that_does_not_end_is_not_given_up_in_order(bus: MemoryBus) -> None:
    owner, begun = Owner(), asyncio.Event()

    async def handle(record: Record) -> None:
        begun.set()
        await asyncio.Event().wait()

    await publish(bus, "a0")
    consumer = Consumer(bus, "g", ["t"], handle=handle, hooks=owner, limits=FAST)
    consumer.keep(owner)
    running = asyncio.create_task(consumer.run())
    await begun.wait()
    consumer.stop(deadline_s=0.1)
    await asyncio.wait_for(running, 5)
    assert owner.freed == [frozenset()]


async def test_a_handler_that_does_not_return_shows_to_the_watch(bus: MemoryBus) -> None:
    clock, begun, goes_on = ManualClock(), asyncio.Event(), asyncio.Event()
    watch = ConsumerWatch("inquiries", clock, limit_s=60)

    async def handle(record: Record) -> None:
        begun.set()
        await goes_on.wait()

    await publish(bus, "a0")
    consumer = Consumer(bus, "g", ["t"], handle=handle, hooks=Owner(), limits=FAST)
    consumer.report_to(watch)
    running = asyncio.create_task(consumer.run())
    await begun.wait()
    await clock.advance_ms(61_000)
    stuck = "a handler of the consumer inquiries has not returned for 61 s"
    await eventually(lambda: watch.problem() == stuck)  # it polls on, and holds records: all else is well
    goes_on.set()
    await eventually(lambda: watch.problem() is None)
    consumer.stop(deadline_s=1)
    await asyncio.wait_for(running, 5)
