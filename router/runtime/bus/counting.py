"""A bus whose failed calls are counted and whose groups show their lag, whatever carries it."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager

from prometheus_client import Counter, Gauge

from router.contract.topics import TopicSpec
from router.runtime.bus.protocol import Bus, Outgoing, Partition, Position, Rebalance, Record, Subscription, Tail
from router.runtime.errors import BusError, BusUnavailable
from router.runtime.metrics import BusOperation, RuntimeMetrics
from router.runtime.watches import PublisherWatch


class CountingBus:
    """Implements ``Bus`` by another. Only failures are counted: what a caller gives up himself is none. A group's
    lag is shown whenever its member asks for it, its pauses are counted. ``watch`` is told whether publishing works."""

    def __init__(self, bus: Bus, metrics: RuntimeMetrics, watch: PublisherWatch | None = None) -> None:
        self._bus = bus
        self._count = _Count(metrics)
        self._watch = watch

    async def create_topics(self, specs: Sequence[TopicSpec]) -> None:
        await self._bus.create_topics(specs)

    async def publish(self, records: Sequence[Outgoing]) -> Sequence[Position]:
        try:
            with self._count.failures(BusOperation.PUBLISH):
                positions = await self._bus.publish(records)
        except (BusUnavailable, TimeoutError):
            if self._watch is not None:
                self._watch.failed()
            raise
        if self._watch is not None:
            self._watch.succeeded()
        return positions

    async def subscribe(self, group: str, topics: Sequence[str], rebalance: Rebalance) -> Subscription:
        """Failing to join counts as a failed poll: nothing is read."""
        with self._count.failures(BusOperation.POLL):
            subscription = await self._bus.subscribe(group, topics, rebalance)
        return _CountingSubscription(subscription, self._count, self._count.series(group, topics))

    async def history(self, topic: str, *, since_ms: int = 0) -> AsyncIterator[Record]:
        with self._count.failures(BusOperation.POLL):
            async for record in self._bus.history(topic, since_ms=since_ms):
                yield record

    async def tail(self, topic: str, *, since_ms: int | None = None) -> Tail:
        with self._count.failures(BusOperation.POLL):
            return _CountingTail(await self._bus.tail(topic, since_ms=since_ms), self._count)

    async def close(self) -> None:
        await self._bus.close()


class _Count:
    def __init__(self, metrics: RuntimeMetrics) -> None:
        self._errors = {operation: metrics.bus_errors.labels(operation) for operation in BusOperation}
        self._lag = metrics.consumer_lag
        self._pauses = metrics.consumer_pauses

    def series(self, group: str, topics: Sequence[str]) -> dict[str, tuple[Gauge, Counter]]:
        """A group's lag and pauses by topic, at zero."""
        return {topic: (self._lag.labels(topic, group), self._pauses.labels(topic, group)) for topic in topics}

    @contextmanager
    def failures(self, operation: BusOperation) -> Iterator[None]:
        try:
            yield
        except (BusError, TimeoutError):
            self._errors[operation].inc()
            raise


class _CountingSubscription:
    """Implements ``Subscription``."""

    def __init__(self, subscription: Subscription, count: _Count, series: Mapping[str, tuple[Gauge, Counter]]) -> None:
        self._count = count
        self._series = series
        self._subscription = subscription
        self._paused: frozenset[str] = frozenset()
        self.close = subscription.close

    def pause(self, partitions: frozenset[Partition]) -> None:
        """A topic counts once, until something is resumed."""
        topics = frozenset(partition.topic for partition in partitions)
        for topic in topics - self._paused:
            self._series[topic][1].inc()
        self._paused |= topics
        self._subscription.pause(partitions)

    def resume(self, partitions: frozenset[Partition]) -> None:
        self._paused = frozenset()
        self._subscription.resume(partitions)

    async def lag(self) -> Mapping[Partition, int]:
        with self._count.failures(BusOperation.POLL):
            lag = await self._subscription.lag()
        for topic, (gauge, _) in self._series.items():
            gauge.set(sum(records for partition, records in lag.items() if partition.topic == topic))
        return lag

    async def poll(self, *, max_records: int, timeout_ms: int) -> Sequence[Record]:
        with self._count.failures(BusOperation.POLL):
            return await self._subscription.poll(max_records=max_records, timeout_ms=timeout_ms)

    async def commit(self, watermarks: Mapping[Partition, tuple[int, int]]) -> frozenset[Partition]:
        with self._count.failures(BusOperation.COMMIT):
            return await self._subscription.commit(watermarks)


class _CountingTail:
    """Implements ``Tail``."""

    def __init__(self, tail: Tail, count: _Count) -> None:
        self._count = count
        self._tail = tail
        self.close = tail.close

    async def poll(self, *, max_records: int, timeout_ms: int) -> Sequence[Record]:
        with self._count.failures(BusOperation.POLL):
            return await self._tail.poll(max_records=max_records, timeout_ms=timeout_ms)
