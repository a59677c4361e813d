"""A member of a group at work: one task polls, bounded lanes handle, the watermark says what may be committed.

Records of one key are handled one after the other, those of different keys at the same time. Nothing is
awaited between two polls but the bus itself, so a slow handler never costs the membership.
"""

import asyncio
import contextlib
import functools
import logging
import math
import time
from collections import Counter
from collections.abc import Awaitable, Coroutine, Mapping, Sequence
from typing import Final

from router.runtime.bus.beside import Beside
from router.runtime.bus.consuming import Handler, Hooks, Journal, Limits, Unkept
from router.runtime.bus.protocol import Bus, Partition, Record, Subscription
from router.runtime.bus.watermark import Watermarks
from router.runtime.clock import SystemClock
from router.runtime.errors import PartitionFenced, RuntimeFailure
from router.runtime.watches import ConsumerWatch

__all__ = ["Consumer", "Handler", "Hooks", "Journal", "Limits"]

_log = logging.getLogger(__name__)

_FULL_POLL_MS: Final = 20  # how soon room is noticed while nothing may be read


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
        self._journal: Journal = Unkept()
        self._watch = ConsumerWatch(group, SystemClock(), limit_s=math.inf)
        self._marks = Watermarks()
        self._doubts: dict[Partition, asyncio.Event] = {}  # fenced; set once the bus has said whose it is
        self._epochs: dict[Partition, int] = {}  # what lanes may still begin
        self._lanes: list[asyncio.Queue[Record]] = []
        self._begun: Counter[Partition] = Counter()
        self._progress = asyncio.Event()
        self._owner = asyncio.TaskGroup()
        self._tasks: set[asyncio.Task[None]] = set()
        self._polling: asyncio.Timeout | None = None
        self._stopping = asyncio.Event()
        self._stop_at: float | None = None
        self._has_ended = False
        # Beside the polls: Kafka answers both behind a fetch or a produce that takes long, and records would wait, too.
        self._committing = Beside(self._commit, every_s=limits.commit_s, name=f"{group}-commit")
        self._measuring = Beside(self._measure, every_s=limits.lag_s, name=f"{group}-lag")
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

    def keep(self, journal: Journal) -> None:
        """Tell a journal of the progress. Call it before ``run``."""
        self._journal = journal

    def report_to(self, watch: ConsumerWatch) -> None:
        """Let a watchdog see from now on whether there is progress."""
        self._watch = watch

    async def run(self) -> None:
        """Join, and consume until stopped. Raises what kills a lane: a hook that fails for good, a bug."""
        self._subscription = await self._bus.subscribe(self._group, self._topics, self)
        async with self._owner:
            self._start(self._journal.run(), f"{self._group}-journal")
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
                await self._measuring.stop()
                await self._subscription.close()  # in here, as lanes end what they have begun
                await self._committing.stop()
                self._has_ended = True
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
                await self._clear_doubts(subscription)
                self._make_room(subscription)
                await self._poll(subscription)
                self._committing.look()
                self._measuring.look()
                failures = 0
            except RuntimeFailure as exc:
                if not exc.retryable:
                    raise
                failures += 1
                self._watch.failed()
                _log.warning("the bus is away: %s", exc, extra={"event": "consumer_retries"})
                await self._back_off(failures)

    async def _poll(self, subscription: Subscription) -> None:
        room = self._limits.max_in_flight - self._marks.in_flight
        records = await subscription.poll(
            max_records=max(1, min(self._limits.max_poll_records, room)),
            timeout_ms=_FULL_POLL_MS if self._paused else self._limits.poll_ms,
        )
        self.polled_at = time.monotonic()
        self._watch.polled(len(records))
        ours = [record for record in records if self._marks.hand_out(record.partition, record.epoch, record.offset)]
        self._journal.handed_out(ours)
        # By offset, so that in no lane the first of a partition waits for the last of another: where records take
        # turns after a crash (the least offset first), each life gets further than the one before.
        for record in sorted(ours, key=lambda each: each.offset):
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

    async def _measure(self) -> None:
        if self._subscription is None:
            return
        self.lag = await self._subscription.lag()
        self._watch.succeeded()
        if self._paused or self._marks.in_flight or not any(self.lag.values()):
            self._watch.idle()

    async def _commit(self) -> None:
        watermarks = self._marks.committable()
        if not watermarks or self._subscription is None:
            return
        taken = await self._subscription.commit(watermarks)
        done = {partition: watermarks[partition] for partition in taken}
        self._marks.committed(done)
        self._journal.committed(done)
        # Somebody else's by now: what is left of it here must not begin.
        self._forget(frozenset(watermarks.keys() - taken))

    async def _clear_doubts(self, subscription: Subscription) -> None:
        """Of each partition that was fenced: who can still commit owns it, and goes on behind a new fence."""
        if self._doubts:
            await self._committing.end(self._patience_s())
        for partition in tuple(self._doubts):
            mark = (self._epochs[partition], self._marks.position(partition))
            is_ours = partition in await subscription.commit({partition: mark})
            if is_ours:
                await self._hooks.on_assigned({partition: mark[0]})
                self._doubts.pop(partition).set()
            else:
                self._forget(frozenset([partition]))
            self._journal.fenced(partition, is_ours=is_ours)
            whose = "still ours" if is_ours else "somebody else's"
            extra = {"event": "consumer_fenced", "group": self._group, "ours": is_ours}
            _log.warning("partition %s/%s was fenced, and is %s", *partition, whose, extra=extra)

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
        # What it learns would be said of these partitions as they come back, under another epoch.
        await self._committing.end(self._patience_s())
        try:
            await self._commit()
        except RuntimeFailure as exc:
            _log.warning("no commit at hand-over: %s", exc, extra={"event": "revoke_commit_failed"})
        await self._tell_released(frozenset(each for each in partitions if not self._begun[each]))
        self._forget(partitions)

    async def _tell_released(self, partitions: frozenset[Partition]) -> None:
        try:
            async with asyncio.timeout(self._limits.release_s):
                await self._journal.released(partitions)
        except (TimeoutError, RuntimeFailure) as exc:
            _log.warning("the next owner isn't told: %s", exc, extra={"event": "release_untold"})

    def _patience_s(self) -> float:
        if self._stop_at is None:
            return self._limits.revoke_wait_s
        return max(0.0, self._stop_at - time.monotonic())

    async def lost(self, partitions: frozenset[Partition]) -> None:
        await self._committing.stop()
        self._forget(partitions)

    def _forget(self, partitions: frozenset[Partition]) -> None:
        self._paused -= partitions
        for partition in partitions:
            self._epochs.pop(partition, None)
            self._marks.drop(partition)
            if (doubt := self._doubts.pop(partition, None)) is not None:
                doubt.set()

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
                durable = await self._try(record)
                break
            except Exception as exc:  # noqa: BLE001 (the edge: any failure is this record's)
                failures += 1
                if not await self._again(record, exc, failures):
                    return False
        if durable is None:
            self._marks.complete(record.partition, record.epoch, record.offset)
            return False
        if isinstance(durable, asyncio.Future):
            durable.add_done_callback(functools.partial(self._confirmed, record))
        else:
            self._start(self._confirm(record, durable), f"{self._group}-confirm")
        return True

    def _confirmed(self, record: Record, durable: "asyncio.Future[None]") -> None:
        """As ``_confirm``, without a task for what went well."""
        if self._has_ended:
            return
        if durable.cancelled() or durable.exception() is not None:
            self._start(self._confirm(record, durable), f"{self._group}-confirm")
        else:
            self._marks.complete(record.partition, record.epoch, record.offset)
            self._end(record)

    async def _try(self, record: Record) -> Awaitable[None] | None:
        begun = self._watch.begun()
        try:
            return await self._handle(record)
        finally:
            self._watch.ended(begun)

    async def _again(self, record: Record, exc: Exception, failures: int) -> bool:
        """After a failure: whether to handle the record once more, after a while."""
        if isinstance(exc, PartitionFenced):
            return await self._after_doubt(record)
        if getattr(exc, "retryable", False):
            if not getattr(exc, "expected", False):
                _log.warning("a record is tried again: %s", exc, extra={"event": "record_retried"})
            self._end(record)  # a hand-over need not wait for one that only waits itself
            await self._back_off(failures)
            self._begun[record.partition] += 1
            return self._may_begin(record)
        await self._put_aside(record, exc)
        return False

    async def _put_aside(self, record: Record, exc: Exception) -> None:
        failures = 0
        while True:
            try:
                await self._hooks.on_poison(record, exc)
                break
            except RuntimeFailure as away:
                if not away.retryable:
                    raise
                failures += 1
                _log.warning("a record can't be put aside yet: %s", away, extra={"event": "poison_retried"})
                await self._back_off(failures)
                if not self._may_begin(record):
                    return  # whoever reads it next puts it aside
        self._marks.complete(record.partition, record.epoch, record.offset)

    async def _after_doubt(self, record: Record) -> bool:
        """Wait until the bus has said whose the partition is; whether the record is to be handled once more."""
        if not self._may_begin(record):
            return False
        self._end(record)  # a hand-over need not wait for one that only waits itself
        await self._doubts.setdefault(record.partition, asyncio.Event()).wait()
        self._begun[record.partition] += 1
        return self._may_begin(record)

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
