"""A member of a group at work: one task polls, bounded lanes handle, the watermark says what may be committed.

Records of one key are handled one after the other, those of different keys at the same time. Nothing is
awaited between two polls but the bus itself, so a slow handler never costs the membership.
"""

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Final, Protocol

import msgspec

from router.runtime.bus.protocol import Bus, Partition, Record, Subscription
from router.runtime.bus.watermark import Watermarks
from router.runtime.errors import RuntimeFailure

_log = logging.getLogger(__name__)

Handler = Callable[[Record], Awaitable[Awaitable[None] | None]]
"""Handles a record. Its lane goes on when it returns; the record counts as done once what it returned (if
anything) is done: its effects are durable. A record may come again after a crash or a hand-over."""

_FULL_POLL_MS: Final = 20  # how soon room is noticed while nothing may be read


class Hooks(Protocol):
    """What the consumer asks of its owner."""

    async def on_assigned(self, partitions: Mapping[Partition, int]) -> None:
        """Awaited before any record of these is handled: the place to raise fences to the epochs."""

    async def on_poison(self, record: Record, exc: Exception) -> None:
        """A record failed for ever: put it aside. The record counts as done when this returns."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one consumer. ``max_in_flight`` is all it ever holds: queued, at work, not yet durable."""

    lanes: int = 32
    max_in_flight: int = 1024
    resume_at: int = 512
    max_poll_records: int = 256
    poll_ms: int = 200
    commit_s: float = 0.1
    lag_s: float = 5.0
    revoke_wait_s: float = 3.0
    first_retry_s: float = 0.05
    longest_retry_s: float = 5.0


class Consumer:
    """One member. ``run`` it in a task of its own; it ends by ``stop``, cancellation or a failure."""

    def __init__(
        self,
        bus: Bus,
        group: str,
        topics: Sequence[str],
        *,
        handle: Handler,
        hooks: Hooks,
        limits: Limits = Limits(),  # noqa: B008 (immutable)
    ) -> None:
        self._bus = bus
        self._group = group
        self._topics = tuple(topics)
        self._handle = handle
        self._hooks = hooks
        self._limits = limits
        self._marks = Watermarks()
        self._epochs: dict[Partition, int] = {}  # what lanes may still begin
        self._lanes: list[asyncio.Queue[Record]] = []
        self._begun: Counter[Partition] = Counter()
        self._progress = asyncio.Event()
        self._owner = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()
        self._polling: asyncio.Timeout | None = None
        self._stopping = asyncio.Event()
        self._stop_at: float | None = None
        self._commit_at = 0.0
        self._lag_at = 0.0
        self._paused: frozenset[Partition] = frozenset()
        self._subscription: Subscription | None = None
        self.polled_at: float | None = None
        """When a poll last succeeded (``time.monotonic``): for the watchdog."""
        self.lag: Mapping[Partition, int] = {}
        """Records not yet committed, as of at most ``lag_s`` ago."""

    @property
    def in_flight(self) -> int:
        """Records held: queued, at work or not yet durable."""
        return self._marks.in_flight

    @property
    def owned(self) -> int:
        """How many partitions are this member's now."""
        return len(self._epochs)

    @property
    def partitions(self) -> frozenset[Partition]:
        """Which they are; none for a moment while a hand-over is under way."""
        return frozenset(self._epochs)

    async def run(self) -> None:
        """Join, and consume until stopped. Raises what kills a lane: a hook that fails for good, a bug."""
        self._subscription = await self._bus.subscribe(self._group, self._topics, self)
        async with self._owner:
            for number in range(self._limits.lanes):
                queue: asyncio.Queue[Record] = asyncio.Queue()  # bounded by the records in flight
                self._lanes.append(queue)
                self._start(self._work(queue), f"{self._group}-lane-{number}")
            try:
                async with asyncio.timeout(None) as self._polling:
                    await self._consume(self._subscription)
            except TimeoutError:
                if not self._stopping.is_set():
                    raise
            finally:
                self._polling = None  # from here on there is nothing that a stop could cut short
                await self._subscription.close()  # in here, as lanes end what they have begun
                for task in self._tasks:
                    task.cancel()

    def _start(self, work: Coroutine[None, None, None], name: str) -> None:
        task = self._owner.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stop(self, *, deadline_s: float = 10.0) -> None:
        """Begin no record any more; ``run`` returns once what was begun is done, or at the deadline. The
        bus's own stop deadline holds too."""
        self._stop_at = time.monotonic() + deadline_s
        self._stopping.set()
        if self._polling is not None:  # a poll that hangs on a broker that is gone must leave time for the rest
            self._polling.reschedule(asyncio.get_running_loop().time() + deadline_s / 3)

    async def _consume(self, subscription: Subscription) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                self._make_room(subscription)
                await self._poll(subscription)
                await self._do_what_is_due(subscription)
                failures = 0
            except RuntimeFailure as exc:
                if not exc.retryable:
                    raise
                failures += 1
                _log.warning("the bus is away: %s", exc, extra={"event": "consumer_retries"})
                await self._back_off(failures)

    async def _poll(self, subscription: Subscription) -> None:
        room = self._limits.max_in_flight - self._marks.in_flight
        records = await subscription.poll(
            max_records=max(1, min(self._limits.max_poll_records, room)),
            timeout_ms=_FULL_POLL_MS if self._paused else self._limits.poll_ms,
        )
        self.polled_at = time.monotonic()
        for record in records:
            if self._marks.hand_out(record.partition, record.epoch, record.offset):
                self._lanes[hash(record.key) % len(self._lanes)].put_nowait(record)

    def _make_room(self, subscription: Subscription) -> None:
        """Pause when full, resume when half empty: each pause costs what was fetched ahead."""
        if self._marks.in_flight >= self._limits.max_in_flight:
            # Also what was assigned since the pause began.
            self._paused = frozenset(self._epochs)
            subscription.pause(self._paused)
        elif self._paused and self._marks.in_flight <= self._limits.resume_at:
            subscription.resume(self._paused)
            self._paused = frozenset()

    async def _do_what_is_due(self, subscription: Subscription) -> None:
        if time.monotonic() >= self._commit_at:
            await self._commit(subscription)
            self._commit_at = time.monotonic() + self._limits.commit_s
        if time.monotonic() >= self._lag_at:
            self.lag = await subscription.lag()
            self._lag_at = time.monotonic() + self._limits.lag_s

    async def _commit(self, subscription: Subscription) -> None:
        watermarks = self._marks.committable()
        if not watermarks:
            return
        taken = await subscription.commit(watermarks)
        self._marks.committed({partition: watermarks[partition] for partition in taken})
        # Somebody else's by now: what is left of it here must not begin.
        self._forget(frozenset(watermarks.keys() - taken))

    # What the bus tells, inside poll and close.

    async def assigned(self, partitions: Mapping[Partition, int]) -> None:
        await self._hooks.on_assigned(partitions)
        for partition, epoch in partitions.items():
            self._marks.assign(partition, epoch)
            self._epochs[partition] = epoch

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        for partition in partitions:
            self._epochs.pop(partition, None)  # nothing more of these begins
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience_s()):
                while any(self._begun[partition] for partition in partitions):
                    self._progress.clear()
                    await self._progress.wait()
        if self._subscription is not None:
            try:
                await self._commit(self._subscription)
            except RuntimeFailure as exc:
                _log.warning("no commit at hand-over: %s", exc, extra={"event": "revoke_commit_failed"})
        self._forget(partitions)

    def _patience_s(self) -> float:
        if self._stop_at is None:
            return self._limits.revoke_wait_s
        return max(0.0, self._stop_at - time.monotonic())

    async def lost(self, partitions: frozenset[Partition]) -> None:
        self._forget(partitions)

    def _forget(self, partitions: frozenset[Partition]) -> None:
        self._paused -= partitions
        for partition in partitions:
            self._epochs.pop(partition, None)
            self._marks.drop(partition)

    # The lanes.

    def _may_begin(self, record: Record) -> bool:
        return self._epochs.get(record.partition) == record.epoch and not self._stopping.is_set()

    async def _work(self, queue: asyncio.Queue[Record]) -> None:
        while True:
            record = await queue.get()
            if not self._may_begin(record):
                continue
            self._begun[record.partition] += 1
            confirmed = False
            try:
                confirmed = await self._settle(record)
            finally:
                if not confirmed:
                    self._end(record)

    async def _settle(self, record: Record) -> bool:
        """Handle a record to its end; whether something now waits for its effects to be durable."""
        failures = 0
        while True:
            try:
                durable = await self._handle(record)
                break
            except Exception as exc:  # noqa: BLE001 (the edge: any failure is this record's)
                failures += 1
                if not await self._again(record, exc, failures):
                    return False
        if durable is None:
            self._marks.complete(record.partition, record.epoch, record.offset)
            return False
        self._start(self._confirm(record, durable), f"{self._group}-confirm")
        return True

    async def _again(self, record: Record, exc: Exception, failures: int) -> bool:
        """After a failure: whether to handle the record once more, after a while."""
        if getattr(exc, "retryable", False):
            _log.warning("a record is tried again: %s", exc, extra={"event": "record_retried"})
            self._end(record)  # a hand-over need not wait for one that only waits itself
            await self._back_off(failures)
            self._begun[record.partition] += 1
            return self._may_begin(record)
        await self._hooks.on_poison(record, exc)
        self._marks.complete(record.partition, record.epoch, record.offset)
        return False

    async def _confirm(self, record: Record, durable: Awaitable[None]) -> None:
        try:
            await durable
            self._marks.complete(record.partition, record.epoch, record.offset)
        except Exception as exc:  # noqa: BLE001 (the edge: any failure is this record's)
            # Its effects aren't durable. Handled once more it finds them done, or does them.
            _log.warning("a record's effects are not confirmed: %s", exc, extra={"event": "record_unconfirmed"})
            if await self._again(record, exc, 1):
                self._lanes[hash(record.key) % len(self._lanes)].put_nowait(record)
        finally:
            self._end(record)

    def _end(self, record: Record) -> None:
        self._begun[record.partition] -= 1
        if self._begun[record.partition] <= 0:
            del self._begun[record.partition]
        self._progress.set()

    async def _back_off(self, failures: int) -> None:
        """Wait longer after each failure; cut short by ``stop``."""
        wait_s = min(self._limits.first_retry_s * 2 ** min(failures - 1, 20), self._limits.longest_retry_s)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), wait_s)
