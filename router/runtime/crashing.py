"""Bus and ledger with crash points: for tests of crashes only (setting ``crash_at``)."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

from router.contract.ids import ReplyId
from router.contract.topics import EVENTS, TopicSpec
from router.runtime.bus.protocol import Bus, Outgoing, Partition, Position, Rebalance, Record, Subscription, Tail
from router.runtime.crash_points import CrashPoint, CrashPoints
from router.runtime.ledger import Ledger, LedgerEntry, LedgerOver

_INQUIRIES: Final = "turnout.inquiries."


class CrashingBus:
    """A bus that can crash around the produce of events, and, for inquiries, around commits and in rebalances."""

    def __init__(self, bus: Bus, points: CrashPoints) -> None:
        self._bus = bus
        self._points = points

    async def create_topics(self, specs: Sequence[TopicSpec]) -> None:
        await self._bus.create_topics(specs)

    async def publish(self, records: Sequence[Outgoing]) -> Sequence[Position]:
        tells = any(record.topic == EVENTS for record in records)
        if tells:
            self._points.reached(CrashPoint.BEFORE_PRODUCE)
        places = await self._bus.publish(records)
        if tells:
            self._points.reached(CrashPoint.AFTER_PRODUCE)
        return places

    async def subscribe(self, group: str, topics: Sequence[str], rebalance: Rebalance) -> Subscription:
        if not any(topic.startswith(_INQUIRIES) for topic in topics):
            return await self._bus.subscribe(group, topics, rebalance)
        inner = await self._bus.subscribe(group, topics, _CrashingRebalance(rebalance, self._points))
        return _CrashingSubscription(inner, self._points)

    def history(self, topic: str, *, since_ms: int = 0) -> AsyncIterator[Record]:
        return self._bus.history(topic, since_ms=since_ms)

    async def tail(self, topic: str, *, since_ms: int | None = None) -> Tail:
        return await self._bus.tail(topic, since_ms=since_ms)

    async def close(self) -> None:
        await self._bus.close()


class _CrashingRebalance:
    def __init__(self, inner: Rebalance, points: CrashPoints) -> None:
        self._inner = inner
        self._points = points

    async def assigned(self, partitions: Mapping[Partition, int]) -> None:
        await self._inner.assigned(partitions)
        self._points.reached(CrashPoint.IN_ASSIGNED)

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        self._points.reached(CrashPoint.IN_REVOKED)
        await self._inner.revoked(partitions)

    async def lost(self, partitions: frozenset[Partition]) -> None:
        await self._inner.lost(partitions)


class _CrashingSubscription:
    def __init__(self, inner: Subscription, points: CrashPoints) -> None:
        self._inner = inner
        self._points = points

    async def poll(self, *, max_records: int, timeout_ms: int) -> Sequence[Record]:
        return await self._inner.poll(max_records=max_records, timeout_ms=timeout_ms)

    async def commit(self, watermarks: Mapping[Partition, tuple[int, int]]) -> frozenset[Partition]:
        self._points.reached(CrashPoint.BEFORE_COMMIT)
        taken = await self._inner.commit(watermarks)
        self._points.reached(CrashPoint.AFTER_COMMIT)
        return taken

    def pause(self, partitions: frozenset[Partition]) -> None:
        self._inner.pause(partitions)

    def resume(self, partitions: frozenset[Partition]) -> None:
        self._inner.resume(partitions)

    async def lag(self) -> Mapping[Partition, int]:
        return await self._inner.lag()

    async def close(self) -> None:
        await self._inner.close()


class CrashingLedger(LedgerOver):
    """A ledger that can crash between ``sending`` and ``sent``."""

    def __init__(self, ledger: Ledger, points: CrashPoints) -> None:
        super().__init__(ledger)
        self._points = points

    async def claim(
        self, reply: ReplyId, *, attempt: str, now_ms: int, published_at_ms: int | None = None
    ) -> LedgerEntry | None:
        found = await super().claim(reply, attempt=attempt, now_ms=now_ms, published_at_ms=published_at_ms)
        if found is None:
            self._points.reached(CrashPoint.AFTER_SENDING)
        return found

    async def settle(self, reply: ReplyId, final: LedgerEntry) -> LedgerEntry:
        self._points.reached(CrashPoint.BEFORE_SENT)
        return await super().settle(reply, final)
