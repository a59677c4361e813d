"""What the tests of the bus on Kafka share: a bus with small time-outs, and members that keep a diary."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec

from router.contract.topics import TopicSpec
from router.runtime.bus.kafka import KafkaBus
from router.runtime.bus.kafka_client import KafkaOptions
from router.runtime.bus.protocol import Outgoing, Partition, Record, Subscription
from tests.kafka_server_fixture import unique

QUICK = KafkaOptions(
    bootstrap="",
    request_s=3,
    publish_s=3,
    stop_s=3,
    session_s=6,
    heartbeat_s=0.2,
    max_poll_interval_s=30,
    handover_s=5,
    rebalance_s=10,
)


@contextlib.asynccontextmanager
async def bus_on(bootstrap: str, **options: Any) -> AsyncIterator[KafkaBus]:
    """A bus with time-outs fit for tests; closed at the end."""
    bus = KafkaBus(msgspec.structs.replace(QUICK, bootstrap=bootstrap, **options))
    try:
        yield bus
    finally:
        await bus.close()


async def new_topic(bus: KafkaBus, partitions: int = 1) -> str:
    name = unique("topic")
    await bus.create_topics([TopicSpec(name=name, partitions=partitions)])
    return name


def records(topic: str, count: int, *, keys: int = 1, first: int = 0) -> list[Outgoing]:
    """Numbered records, the keys in turn; the number is the value."""
    numbers = range(first, first + count)
    return [Outgoing(topic=topic, key=f"key-{n % keys}", value=str(n).encode()) for n in numbers]


class Diary:
    """A ``Rebalance`` that writes down what it is told, and calls ``on_revoked`` in time for commits."""

    def __init__(self, on_revoked: Callable[[frozenset[Partition]], Awaitable[None]] | None = None) -> None:
        self.entries: list[tuple[str, frozenset[Partition]]] = []
        self.owned: dict[Partition, int] = {}
        self._on_revoked = on_revoked

    async def assigned(self, partitions: Mapping[Partition, int]) -> None:
        self.entries.append(("assigned", frozenset(partitions)))
        self.owned = dict(partitions)

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        if self._on_revoked is not None:
            await self._on_revoked(partitions)
        self.entries.append(("revoked", partitions))
        self.owned = {}

    async def lost(self, partitions: frozenset[Partition]) -> None:
        self.entries.append(("lost", partitions))
        self.owned = {}

    @property
    def words(self) -> list[str]:
        return [word for word, _ in self.entries]


async def read(subscription: Subscription, count: int, *, within_s: float = 20) -> list[Record]:
    """Poll until there are so many records."""
    found: list[Record] = []
    async with asyncio.timeout(within_s):
        while len(found) < count:
            found += await subscription.poll(max_records=500, timeout_ms=200)
    return found


async def poll_until(holds: Callable[[], bool], *subscriptions: Subscription, within_s: float = 20) -> list[Record]:
    """Poll all of them in turn until it holds; what they handed out meanwhile."""
    found: list[Record] = []
    async with asyncio.timeout(within_s):
        while not holds():
            for each in subscriptions:
                found += await each.poll(max_records=500, timeout_ms=50)
    return found


def watermarks(found: Sequence[Record]) -> dict[Partition, tuple[int, int]]:
    """What to commit once all of these are handled."""
    return {each.partition: (each.epoch, each.offset + 1) for each in found}


def numbers(found: Sequence[Record]) -> list[int]:
    return [int(each.value or b"-1") for each in found]


async def seconds(doing: Awaitable[object]) -> float:
    """How long it took, however it ended."""
    started = time.monotonic()
    with contextlib.suppress(Exception):
        await doing
    return time.monotonic() - started
