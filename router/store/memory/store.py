"""``MemoryStore``: the readable definition of what the state store does. Tests and simulations run on it."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence

from router.contract.advisor import AdvisorState
from router.contract.case import CaseState
from router.contract.ids import AdvisorId, CaseId, ConversationId, PoolId
from router.runtime.errors import StoreUnavailable
from router.runtime.server_memory import MemoryUse
from router.store.acts import AnyAct, Fence, Outcome
from router.store.marks import Level
from router.store.memory import reading, relaying
from router.store.memory.guard import FORMAT, is_skewed, serve
from router.store.memory.rebuilding import MemoryRebuilds
from router.store.memory.rows import FenceRow, PoolRows
from router.store.protocol import (
    EVERYTHING,
    CaseNames,
    Change,
    Head,
    LineSize,
    OutboxEntry,
    PoolStatus,
    RelayLease,
    RosterPage,
    Share,
    WorkBatch,
)

OUTBOX_MARK = 100_000
MAX_CLASSES = 4_096


class _Pools(dict[PoolId, PoolRows]):
    def __missing__(self, pool: PoolId) -> PoolRows:
        raise StoreUnavailable(f"the pool {pool} isn't in the state store: it was never opened")


class MemoryStore:
    """Implements ``Store``, ``Attempts``, ``Pressure``, ``Reads`` and ``Outbox``. ``rebuilds`` is ``Rebuilds``.
    ``witness`` tells the server's time in milliseconds. ``use`` is what ``memory`` tells: set it in tests."""

    def __init__(
        self, witness: Callable[[], int], *, outbox_mark: int = OUTBOX_MARK, max_classes: int = MAX_CLASSES
    ) -> None:
        self._witness = witness
        self._outbox_mark = outbox_mark
        self._max_classes = max_classes
        self._pools = _Pools()
        self.use: MemoryUse | None = None
        self.rebuilds = MemoryRebuilds(self._pools, witness, self._new_pool)
        self._moved = asyncio.Event()

    # -- Store

    async def apply(self, acts: Sequence[AnyAct]) -> Sequence[Outcome]:
        outcomes = [self.serve(act) for act in acts]
        self._wake()
        return outcomes

    def serve(self, act: AnyAct) -> Outcome:
        """One act, without waiting: what simulations call."""
        rows = self._pools.get(act.pool)
        verified = rows is not None and self.rebuilds.is_verified(rows)
        return serve(rows, act, witness_ms=self._witness(), verified=verified)

    async def open_pool(self, pool: PoolId, *, make: bool = True) -> PoolStatus:
        if make and not self.rebuilds.is_rebuilt(pool):
            self.made(pool)
        return await self.status(pool)

    def made(self, pool: PoolId) -> PoolRows:
        """A pool's rows, made unless they are there, without waiting: what simulations read."""
        if pool not in self._pools:
            self._pools[pool] = self._new_pool(1)
            self._pools[pool].verified = str(self.rebuilds.life)
        return self._pools[pool]

    def _new_pool(self, gen: int) -> PoolRows:
        return PoolRows(gen=gen, outbox_mark=self._outbox_mark, max_classes=self._max_classes)

    async def take_epochs(self, pool: PoolId, partitions: Sequence[str]) -> Mapping[str, int]:
        fences = self._pools[pool].fences
        for partition in partitions:
            fences.setdefault(partition, FenceRow()).epoch += 1
        return {partition: fences[partition].epoch for partition in partitions}

    async def applied(self, pool: PoolId, watermarks: Mapping[str, tuple[int, int]]) -> None:
        for partition, (epoch, offset) in watermarks.items():
            row = self._held(pool, partition, epoch)
            if row is not None and offset > row.applied:
                row.applied, row.applied_at_ms = offset, self._pools[pool].now_ms

    def _held(self, pool: PoolId, partition: str, epoch: int) -> FenceRow | None:
        """The partition's row, if that epoch is its newest."""
        row = self._pools[pool].fences.get(partition)
        return row if row is not None and row.epoch == epoch else None

    # -- Pressure

    async def memory(self) -> MemoryUse | None:
        return self.use

    async def press(self, pool: PoolId, level: Level, now_ms: int) -> bool:
        rows = self._pools[pool]
        if rows.format > FORMAT or is_skewed(rows, now_ms, self._witness()):
            return False
        rows.level, rows.looked_ms = level, max(rows.now_ms, now_ms)
        return True

    # -- Attempts

    async def hand_out(self, pool: PoolId, marks: Mapping[str, tuple[int, int]]) -> None:
        for partition, (epoch, offset) in marks.items():
            if (row := self._held(pool, partition, epoch)) is not None:
                row.handed_out = offset

    async def handed_out(self, pool: PoolId, partitions: Sequence[str]) -> Mapping[str, int]:
        fences = self._pools[pool].fences
        return {partition: fences.get(partition, FenceRow()).handed_out for partition in partitions}

    async def attempt(self, pool: PoolId, fence: Fence) -> int:
        row = self._held(pool, fence.partition, fence.epoch)
        if row is None:
            return 0
        row.tried[fence.offset] = row.tried.get(fence.offset, 0) + 1
        return row.tried[fence.offset]

    async def survived(self, pool: PoolId, fence: Fence) -> None:
        if (row := self._held(pool, fence.partition, fence.epoch)) is not None:
            row.tried.pop(fence.offset, None)

    # -- Reads

    async def case(self, pool: PoolId, case: CaseId) -> CaseState | None:
        row = self._pools[pool].cases.get(case)
        return row.snapshot() if row else None

    async def conversation(self, pool: PoolId, conversation: ConversationId) -> CaseState | None:
        row = self._pools[pool].conversations.get(conversation)
        return await self.case(pool, row.case) if row else None

    async def messages(self, pool: PoolId, case: CaseId, *, last: int | None = None) -> Sequence[str]:
        row = self._pools[pool].cases.get(case)
        kept = row.messages if row else []
        return tuple(kept if last is None else kept[max(0, len(kept) - max(0, last)) :])

    async def history(self, pool: PoolId, case: CaseId) -> Sequence[str]:
        row = self._pools[pool].cases.get(case)
        return tuple(row.history) if row else ()

    async def advisor(self, pool: PoolId, advisor: AdvisorId) -> AdvisorState | None:
        row = self._pools[pool].advisors.get(advisor)
        return row.snapshot() if row else None

    async def roster(self, pool: PoolId, cursor: str = "") -> RosterPage:
        return reading.roster(self._pools[pool], cursor)

    async def changes(self, pool: PoolId, after: int, *, wait_ms: int = 0) -> Sequence[Change]:
        rows = self._pools[pool]
        await self._until(lambda: rows.change > after, wait_ms)
        return reading.changes(rows, after)

    async def work(self, pool: PoolId, *, share: Share = EVERYTHING, limit: int = 200) -> WorkBatch:
        return reading.work(self._pools[pool], share, limit)

    async def stamped(self, pool: PoolId, after: int, *, wait_ms: int) -> int:
        rows = self._pools[pool]
        await self._until(lambda: rows.stamp > after, wait_ms)
        return rows.stamp

    async def heads(self, pool: PoolId) -> Sequence[Head]:
        return reading.heads(self._pools[pool])

    async def line_sizes(self, pool: PoolId) -> Sequence[LineSize]:
        return reading.line_sizes(self._pools[pool])

    async def case_names(self, pool: PoolId, cursor: str = "") -> CaseNames:
        return reading.case_names(self._pools[pool], cursor)

    async def waiting(self, pool: PoolId, class_key: str, limit: int = 100) -> Sequence[CaseId]:
        line = self._pools[pool].lines.get(class_key)
        return tuple(CaseId(case) for _, case in line.first(limit)) if line else ()

    async def status(self, pool: PoolId) -> PoolStatus:
        return reading.status(self._pools[pool], self._witness())

    # -- Outbox

    async def lease(self, pool: PoolId) -> RelayLease:
        return relaying.lease(self._pools[pool])

    async def take(self, pool: PoolId) -> RelayLease:
        return relaying.take(self._pools[pool])

    async def take_over(self, pool: PoolId, seen: RelayLease) -> RelayLease | None:
        return relaying.take_over(self._pools[pool], seen)

    async def release(self, pool: PoolId, lease: RelayLease) -> bool:
        return relaying.release(self._pools[pool], lease)

    async def pending(self, pool: PoolId, after: int, *, limit: int = 100, wait_ms: int = 0) -> Sequence[OutboxEntry]:
        rows = self._pools[pool]
        await self._until(lambda: rows.number > after, wait_ms)
        return [entry for entry in rows.outbox if entry.number > after][:limit]

    async def trim(self, pool: PoolId, lease: RelayLease, upto: int) -> bool:
        rows = self._pools[pool]
        verified = self.rebuilds.is_verified(rows)
        is_done = relaying.trim(rows, lease, upto, verified=verified)
        self._wake()
        return is_done

    async def relayed(self, pool: PoolId, after: int, *, wait_ms: int = 0) -> int:
        rows = self._pools[pool]
        await self._until(lambda: rows.trimmed > after, wait_ms)
        return rows.trimmed

    # -- waiting

    def _wake(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    async def _until(self, happened: Callable[[], bool], wait_ms: int) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_ms / 1000):
                while not happened():
                    await self._moved.wait()
