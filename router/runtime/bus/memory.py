"""The bus in memory: deterministic, for tests and simulations. Nothing outlives the object."""

import asyncio
import bisect
import itertools
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

from router.contract.topics import HOUR_MS, Cleanup, TopicSpec
from router.runtime.bus.memory_group import MemoryGroup, MemorySubscription
from router.runtime.bus.memory_tail import MemoryTail
from router.runtime.bus.partitioner import partition_of
from router.runtime.bus.protocol import Outgoing, Partition, Position, Rebalance, Record
from router.runtime.errors import BusUnavailable, RecordRefused, TopicDiffers

MAX_RECORD_BYTES: Final = 1_048_576
_CLOSED: Final = "the bus is closed"


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class _Log:
    """The retained records of one partition."""

    def __init__(self, spec: TopicSpec) -> None:
        self.spec = spec
        self.records: list[Record] = []
        self.next_offset = 0

    def index_of(self, offset: int) -> int:
        return bisect.bisect_left(self.records, offset, key=lambda record: record.offset)

    def append(self, record: Record) -> None:
        self.records.append(record)
        self.next_offset = record.offset + 1

    def clean(self, now_ms: int, lowest_cursor: int) -> None:
        if self.spec.cleanup is Cleanup.DELETE:
            oldest = now_ms - self.spec.retention_ms
            kept = (r for r in self.records if r.published_at_ms >= oldest or r.offset >= lowest_cursor)
            self.records = list(kept)
            return
        last = {record.key: record.offset for record in self.records}
        self.records = [record for record in self.records if not self._is_obsolete(record, last[record.key], now_ms)]

    def _is_obsolete(self, record: Record, last_offset: int, now_ms: int) -> bool:
        age_ms = now_ms - record.published_at_ms
        if record.offset != last_offset:
            return age_ms >= self.spec.min_compaction_lag_ms
        return record.value is None and age_ms >= HOUR_MS


class MemoryBus:
    """A bus of one process; its members are its subscriptions. Clocks can be given by a test."""

    def __init__(
        self,
        *,
        wall_ms: Callable[[], int] = _wall_ms,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.monotonic = monotonic
        self._wall_ms = wall_ms
        self._topics: dict[str, TopicSpec] = {}
        self._logs: dict[Partition, _Log] = {}
        self._groups: dict[str, MemoryGroup] = {}
        self._epochs = itertools.count(1)
        self._members = itertools.count(1)
        self._subscriptions: list[MemorySubscription] = []
        self._change: asyncio.Future[None] | None = None
        self._closed = False

    async def create_topics(self, specs: Sequence[TopicSpec]) -> None:
        for spec in specs:
            there = self._topics.setdefault(spec.name, spec)
            if (there.partitions, there.cleanup) != (spec.partitions, spec.cleanup):
                raise TopicDiffers(
                    f"topic {spec.name} has {there.partitions} partitions and cleanup {there.cleanup}, "
                    f"not {spec.partitions} and {spec.cleanup}"
                )
            for number in range(spec.partitions):
                self._logs.setdefault(Partition(spec.name, number), _Log(spec))

    async def publish(self, records: Sequence[Outgoing]) -> Sequence[Position]:
        if self._closed:
            raise BusUnavailable(_CLOSED)
        for index, record in enumerate(records):
            if record.topic not in self._topics:
                raise RecordRefused(index, f"there is no topic {record.topic}")
            if len(record.value or b"") > MAX_RECORD_BYTES:
                raise RecordRefused(index, f"it is larger than {MAX_RECORD_BYTES} bytes")
        positions = [self._append(record) for record in records]
        for partition in {position.partition for position in positions}:
            cursors = (group.cursors.get(partition) for group in self._groups.values())
            lowest = min((cursor or 0 for cursor in cursors), default=self._logs[partition].next_offset)
            self._logs[partition].clean(self._wall_ms(), lowest)
        self.wake()
        return positions

    def _append(self, record: Outgoing) -> Position:
        number = partition_of(record.key, self._topics[record.topic].partitions)
        partition = Partition(record.topic, number)
        log = self._logs[partition]
        log.append(
            Record(
                partition=partition,
                offset=log.next_offset,
                epoch=0,
                key=record.key,
                value=record.value,
                headers=record.headers,
                published_at_ms=self._wall_ms(),
            )
        )
        return Position(partition, log.next_offset - 1)

    async def subscribe(self, group: str, topics: Sequence[str], rebalance: Rebalance) -> MemorySubscription:
        if self._closed:
            raise BusUnavailable(_CLOSED)
        names = frozenset(topics)
        if missing := names - self._topics.keys():
            raise BusUnavailable(f"there is no topic {', '.join(sorted(missing))}: create it first")
        if group not in self._groups:
            self._groups[group] = MemoryGroup(lambda: self._partitions_of(names), self._epochs)
        member = f"member-{next(self._members)}"
        subscription = MemorySubscription(self, self._groups[group], member, rebalance)
        self._subscriptions.append(subscription)
        return subscription

    def _partitions_of(self, topics: frozenset[str]) -> list[Partition]:
        return sorted(partition for partition in self._logs if partition.topic in topics)

    async def history(self, topic: str, *, since_ms: int = 0) -> AsyncIterator[Record]:
        found = [r for partition in self._partitions_of(frozenset([topic])) for r in self.stored(partition, 0)]
        for record in found:
            if record.published_at_ms >= since_ms:
                yield record

    async def tail(self, topic: str, *, since_ms: int | None = None) -> MemoryTail:
        if self._closed or topic not in self._topics:
            raise BusUnavailable(f"there is no topic {topic}: create it first" if not self._closed else _CLOSED)
        partitions = self._partitions_of(frozenset([topic]))
        return MemoryTail(self, {partition: self._start(self._logs[partition], since_ms) for partition in partitions})

    @staticmethod
    def _start(log: _Log, since_ms: int | None) -> int:
        found = () if since_ms is None else (r.offset for r in log.records if r.published_at_ms >= since_ms)
        return next(iter(found), log.next_offset)

    @property
    def is_closed(self) -> bool:
        return self._closed

    async def close(self) -> None:
        self._closed = True
        self.wake()
        for subscription in self._subscriptions:
            await subscription.close()
        self._subscriptions.clear()

    def stored(self, partition: Partition, start: int, limit: int | None = None) -> Sequence[Record]:
        """The retained records from an offset on. For the bus's own subscriptions."""
        log = self._logs[partition]
        first = log.index_of(start)
        return log.records[first : None if limit is None else first + max(limit, 0)]

    def count_from(self, partition: Partition, start: int) -> int:
        return len(self._logs[partition].records) - self._logs[partition].index_of(start)

    def change(self) -> asyncio.Future[None]:
        """Done at the next change of records or members."""
        loop = asyncio.get_running_loop()
        if self._change is None or self._change.done() or self._change.get_loop() is not loop:
            self._change = loop.create_future()
        return self._change

    def wake(self) -> None:
        if self._change is not None and not self._change.done():
            self._change.set_result(None)
