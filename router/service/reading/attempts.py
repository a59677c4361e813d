"""Attempts: which records may have ended the process that handled them, and how often.

What is handed out is noted before any of it is handled, one mark a partition. After a hand-over that was not in good
order the records below the mark are suspects: each is counted before it is handled, and one at a time, so that a
record which kills its process is never counted together with those that were only near it. The first of a partition
comes first: whatever else ends the process, each life gets further than the one before.
"""

import asyncio
import functools
import logging
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple, Protocol

from router.contract.ids import PoolId
from router.runtime.bus.protocol import Partition, Record
from router.runtime.errors import PartitionFenced, StoreUnavailable
from router.service.errors import KeepsKilling
from router.service.reading.fences import Fences, name_of
from router.service.reading.turns import Turns
from router.store import protocol
from router.store.acts import Fence

LOG = logging.getLogger(__name__)


class Attempts:
    """Of the partitions of one consumer. ``turns`` is shared by all consumers of the process.

    A record that was handed out once counts as tried once, so ``most`` attempts have been made when it is put aside.
    """

    def __init__(self, pool: PoolId, store: protocol.Attempts, fences: Fences, *, most: int, turns: Turns) -> None:
        self._pool = pool
        self._store = store
        self._fences = fences
        self._most = most
        self._turns = turns
        self._suspect_below: dict[Partition, int] = {}
        self._handed_out: dict[Partition, int] = {}
        self._noted: dict[Partition, int] = {}
        self._writing: dict[Partition, asyncio.Task[None]] = {}
        self._aside: list[Record] = []
        self._past: list[Record] = []
        self._told = asyncio.Event()

    async def assigned(self, partitions: Collection[Partition]) -> None:
        """Learn what the owner before had handed out, once the fences are taken."""
        names = {name_of(partition): partition for partition in partitions}
        found = await self._store.handed_out(self._pool, list(names))
        for name, partition in names.items():
            self._suspect_below[partition] = found[name]
            self._handed_out.pop(partition, None)
            self._noted.pop(partition, None)
            self._writing.pop(partition, None)
        self._aside = [record for record in self._aside if record.partition not in partitions]

    def handed_out(self, records: Sequence[Record]) -> None:
        """These may be handled as soon as they are noted."""
        for record in records:
            self._handed_out[record.partition] = record.offset + 1

    async def note(self, record: Record) -> None:
        """Return when the record lies below the mark of its partition: one write for all that was handed out by then
        and isn't under way; each partition has one write at a time, so its mark never falls back.
        Raises ``StoreUnavailable``; ``PartitionFenced`` when the partition isn't ours."""
        while self._noted.get(record.partition, 0) <= record.offset:
            self._fences.fence_of(record)
            known = self._handed_out.get(record.partition, 0)
            self._handed_out[record.partition] = max(known, record.offset + 1)
            writing = self._writing.get(record.partition)
            # One that is done may stand here until its callback runs; to wait for it lets nothing else run.
            if writing is None or writing.done():
                writing = self._begin_write()
            await asyncio.shield(writing)

    def _begin_write(self) -> "asyncio.Task[None]":
        fresh = {
            each: offset
            for each, offset in self._handed_out.items()
            if self._noted.get(each) != offset and ((writing := self._writing.get(each)) is None or writing.done())
        }
        task = asyncio.create_task(self._write(fresh), name="handed out")
        self._writing |= dict.fromkeys(fresh, task)
        task.add_done_callback(functools.partial(self._written, fresh))
        return task

    async def _write(self, fresh: Mapping[Partition, int]) -> None:
        await self._store.hand_out(self._pool, self._fences.marks(fresh))
        # Of a partition that was assigned anew meanwhile it was the mark under the fence before.
        ours = asyncio.current_task()
        self._noted |= {each: offset for each, offset in fresh.items() if self._writing.get(each) is ours}

    def _written(self, fresh: Mapping[Partition, int], task: "asyncio.Task[None]") -> None:
        for each in fresh:
            if self._writing.get(each) is task:
                del self._writing[each]
        if not task.cancelled():
            task.exception()  # whoever waits has it

    def is_suspect(self, record: Record) -> bool:
        """Whether it was handed out before, by an owner that ended badly."""
        return record.offset < self._suspect_below.get(record.partition, 0)

    @asynccontextmanager
    async def counted(self, fence: Fence) -> AsyncIterator[None]:
        """Count an attempt, and be the only suspect at work in it. Raises ``KeepsKilling`` when there have been
        enough, ``PartitionFenced``, ``StoreUnavailable``. An attempt that ends by itself, well or not, is forgotten;
        one that is cut off is not."""
        async with self._turns.one(fence.offset):
            count = await self._store.attempt(self._pool, fence)
            if not count:
                raise PartitionFenced(f"partition {fence.partition} has a newer fence")
            if count >= self._most:
                raise KeepsKilling(f"handling it has ended the process {count} times")
            try:
                yield
            except Exception:
                await self.forget(fence)
                raise
            await self.forget(fence)

    async def forget(self, fence: Fence) -> None:
        """Forget the attempts on a record; if the store is away they stay, which is safe."""
        with suppress(StoreUnavailable):
            await self._store.survived(self._pool, fence)

    def put_aside(self, record: Record) -> None:
        """It lies among the dead letters. Its attempts count until that is committed: it may be read again."""
        if self.is_suspect(record):
            self._aside.append(record)

    def committed(self, offsets: Mapping[Partition, int]) -> None:
        """What lies below is never read again."""
        past = [record for record in self._aside if record.offset < offsets.get(record.partition, 0)]
        if past:
            self._aside = [record for record in self._aside if record not in past]
            self._past += past
            self._told.set()

    async def run(self) -> None:
        """Forget what is past, until cancelled."""
        while True:
            await self._told.wait()
            self._told.clear()
            past, self._past = self._past, []
            for record in past:
                await self.forget(self._fences.fence_of(record))

    async def released(self, partitions: Collection[Partition]) -> None:
        """These end in good order: whoever is next need suspect nothing. Raises ``StoreUnavailable``."""
        await self._store.hand_out(self._pool, self._fences.marks(dict.fromkeys(partitions, 0)))


class Applied:
    """Tells the store how far each partition has been done, so that what comes again is known for a repeat."""

    def __init__(self, pool: PoolId, store: protocol.Store, fences: Fences) -> None:
        self._pool = pool
        self._store = store
        self._fences = fences
        self._marks: dict[Partition, int] = {}
        self._told = asyncio.Event()

    def committed(self, offsets: Mapping[Partition, int]) -> None:
        """The bus has taken these as the next to be read."""
        self._marks |= offsets
        self._told.set()

    async def run(self) -> None:
        """Write what was told, until cancelled. A mark that is lost with the store away is covered by the next."""
        while True:
            await self._told.wait()
            self._told.clear()
            marks, self._marks = self._marks, {}
            try:
                await self._store.applied(self._pool, self._fences.marks(marks))
            except StoreUnavailable as exc:
                LOG.warning("what is done isn't noted: %s", exc, extra={"event": "applied.unnoted"})


class Marks(NamedTuple):
    """What is kept of the partitions of one consumer."""

    fences: Fences
    attempts: Attempts
    applied: Applied


class _Store(protocol.Store, protocol.Attempts, Protocol):
    """Both in one, as every store is."""


def marks_in(store: _Store, pool: PoolId, *, most: int, turns: Turns) -> Marks:
    """For one consumer of a pool; its partitions' names must be those of no other."""
    fences = Fences(pool, store)
    return Marks(fences, Attempts(pool, store, fences, most=most, turns=turns), Applied(pool, store, fences))
