"""The input of a pool: each record is fenced, counted and handled, and what can't be handled is put aside."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from router.runtime.bus.protocol import Partition, Record
from router.runtime.errors import PartitionFenced
from router.service.errors import ConversationHeld, FenceRenewed, SkewedClock, Superseded
from router.service.measuring.metrics import ServiceMetrics
from router.service.reading.attempts import Marks
from router.service.reading.dead_letters import DeadLetters
from router.service.reading.held import Held
from router.store.acts import Fence

FencedHandler = Callable[[Record, Fence], Awaitable[Awaitable[None] | None]]


class Input:
    """What a consumer is given: ``handle``, hooks and journal in one.

    ``held`` keeps back what follows a record that was put aside in its conversation; None lets it go on.
    """

    def __init__(
        self,
        handle: FencedHandler,
        marks: Marks,
        *,
        dead_letters: DeadLetters,
        held: Held | None,
        metrics: ServiceMetrics,
    ) -> None:
        self._handle = handle
        self._fences, self._attempts, self._applied = marks
        self._dead_letters = dead_letters
        self._held = held
        self._metrics = metrics

    async def handle(self, record: Record) -> Awaitable[None] | None:
        """Handle one record. Raises what the handler raises; ``ConversationHeld`` and ``KeepsKilling`` (for the dead
        letters); ``FenceRenewed`` (to be tried again), ``PartitionFenced``."""
        if self._held is not None and await self._held.holds(record):
            raise ConversationHeld("an earlier record of its conversation was put aside")
        await self._attempts.note(record)
        fence = self._fences.fence_of(record)
        if not self._attempts.is_suspect(record):
            return await self._fenced(record, fence)
        async with self._attempts.counted(fence):
            return await self._fenced(record, fence)

    async def _fenced(self, record: Record, fence: Fence) -> Awaitable[None] | None:
        try:
            return await self._handle(record, fence)
        except PartitionFenced as exc:
            if not self._fences.holds(record, fence):
                # Refused under the fence before: that says nothing against the one we have now.
                raise FenceRenewed("the fence of its partition was renewed meanwhile") from exc
            raise

    # -- hooks

    async def on_assigned(self, partitions: Mapping[Partition, int]) -> None:
        """Take new fences before any record is handled, and learn how the owner before has ended."""
        await self._fences.take(partitions.keys())
        await self._attempts.assigned(partitions.keys())
        if self._held is not None:
            await self._held.catch_up()

    async def on_poison(self, record: Record, exc: Exception) -> None:
        """Put it aside. A state that isn't of this process's time, or a clock that is off, is no fault of the record:
        then the process has to end."""
        if isinstance(exc, Superseded | SkewedClock):
            raise exc
        await self._dead_letters.put(record, exc)
        if self._held is not None:
            self._held.hold(record)
        self._attempts.put_aside(record)

    # -- journal

    def handed_out(self, records: Sequence[Record]) -> None:
        self._attempts.handed_out(records)

    def committed(self, watermarks: Mapping[Partition, tuple[int, int]]) -> None:
        offsets = {partition: offset for partition, (_, offset) in watermarks.items()}
        self._applied.committed(offsets)
        self._attempts.committed(offsets)

    def fenced(self, partition: Partition, *, is_ours: bool) -> None:
        self._metrics.fenced.labels("kept" if is_ours else "dropped").inc()

    async def released(self, partitions: frozenset[Partition]) -> None:
        await self._attempts.released(partitions)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._applied.run(), name="applied")
            tasks.create_task(self._attempts.run(), name="attempts")
