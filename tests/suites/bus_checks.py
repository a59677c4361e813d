"""What the bus's suites share: what they need of a broker, how they talk to it, what must hold."""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from router.contract.topics import Cleanup, TopicSpec
from router.runtime.bus.lanes import Consumer, Limits
from router.runtime.bus.protocol import Bus, Outgoing, Partition, Record, Subscription
from tests.suites.bus_members import Handled
from tests.suites.eventually import eventually

PATIENCE_S = 30.0


class Cluster(Protocol):
    """A broker, as the suite needs it."""

    child_target: str | None
    """How a process of its own reaches it (``bus_members.open_bus``); None when none can."""

    compacts_at_once: bool
    """Whether a superseded record is gone at once; otherwise only some day."""

    def open(self) -> Bus:
        """A bus as a process has it. Leases are about a second."""

    async def outlast_lease(self) -> None:
        """Let time pass where it is the test's; elsewhere it passes by itself."""


class FragileCluster(Cluster, Protocol):
    """A broker of the test's own."""

    def kill(self) -> None:
        """SIGKILL."""

    async def restart(self) -> None:
        """Start it again on its data, where it was."""

    def freeze(self) -> None: ...

    def thaw(self) -> None: ...


def unique(name: str) -> str:
    return f"{name}-{uuid.uuid4().hex[:10]}"


@asynccontextmanager
async def opened(cluster: Cluster) -> AsyncIterator[Bus]:
    bus = cluster.open()
    try:
        yield bus
    finally:
        await bus.close()


async def new_topic(bus: Bus, partitions: int, *, cleanup: Cleanup = Cleanup.DELETE) -> str:
    name = unique("topic")
    await bus.create_topics([TopicSpec(name=name, partitions=partitions, cleanup=cleanup)])
    return name


def records_of(topic: str, *values: str, key: str | None = None) -> list[Outgoing]:
    """A record for each value; its key is what stands before the colon, unless given."""
    return [Outgoing(topic=topic, key=key or value.partition(":")[0], value=value.encode()) for value in values]


async def history_of(bus: Bus, topic: str, *, since_ms: int = 0) -> list[Record]:
    return [record async for record in bus.history(topic, since_ms=since_ms)]


def texts(records: Sequence[Record]) -> list[str]:
    return [(record.value or b"").decode() for record in records]


async def poll_until(subscription: Subscription, count: int) -> list[Record]:
    """Poll until so many records have come."""
    found: list[Record] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(found) < count:
            found += await subscription.poll(max_records=100, timeout_ms=100)
    return found


def watermarks_of(records: Sequence[Record]) -> dict[Partition, tuple[int, int]]:
    return {record.partition: (record.epoch, record.offset + 1) for record in records}


def check_handled(handled: Handled) -> None:
    """Each partition has one owner an epoch, epochs never go back, nor do offsets within one."""
    owners: dict[tuple[Partition, int], str] = {}
    last: dict[Partition, tuple[int, int]] = {}
    for name, record in handled.records:
        assert owners.setdefault((record.partition, record.epoch), name) == name
        at = (record.epoch, record.offset)
        before = last.get(record.partition, (0, -1))
        assert at > before, f"{record.partition}: {at} handled after {before}"
        last[record.partition] = at


def check_order_by_key(values: Sequence[str], rounds: int) -> None:
    """The first time each value ``KEY:ROUND`` was handled, the rounds of its key were in order."""
    seen: dict[str, list[int]] = defaultdict(list)
    for value in dict.fromkeys(values):
        key, _, number = value.partition(":")
        seen[key].append(int(number))
    assert {key: numbers for key, numbers in seen.items() if numbers != list(range(rounds))} == {}


async def polled_again(consumer: Consumer) -> None:
    before = consumer.polled_at
    await eventually(lambda: consumer.polled_at != before)


class NoHooks:
    async def on_assigned(self, partitions: Mapping[Partition, int]) -> None: ...

    async def on_poison(self, record: Record, exc: Exception) -> None:
        raise exc


class Flow:
    """Rounds of 100 keys through several consumers; notes who was at work on a key that another had."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._at_work: dict[str, str] = {}
        self.sent = 0
        self.done: list[str] = []
        self.met: list[str] = []
        self.workers: set[str] = set()

    def next_round(self) -> list[Outgoing]:
        number = self.sent // 100
        self.sent += 100
        return records_of(self._topic, *(f"k{n}:{number}" for n in range(100)))

    @asynccontextmanager
    async def consuming(self, bus: Bus, group: str, name: str) -> AsyncIterator[None]:
        async def handle(record: Record) -> None:
            self.workers.add(name)
            if record.key in self._at_work:
                self.met.append(f"{record.key}: {name} and {self._at_work[record.key]}")
            self._at_work[record.key] = name
            for _ in range(100):  # long enough to be met at work
                await asyncio.sleep(0)
            self.done.append((record.value or b"").decode())
            del self._at_work[record.key]

        limits = Limits(lanes=8, poll_ms=20, commit_s=0.01, max_poll_records=50)
        consumer = Consumer(bus, group, [self._topic], handle=handle, hooks=NoHooks(), limits=limits)
        running = asyncio.create_task(consumer.run())
        try:
            yield
        finally:
            consumer.stop()
            await running
