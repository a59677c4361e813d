"""Groups of the memory bus: who owns what, under which epoch, and how far."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from router.runtime.bus.membership import Grant, Holdings, View, contiguous_shares
from router.runtime.bus.protocol import Partition, Rebalance, Record

if TYPE_CHECKING:
    from router.runtime.bus.memory import MemoryBus

LEASE_S: Final = 10.0


class MemoryGroup:
    """The shared state of one group."""

    def __init__(self, partitions: Callable[[], Sequence[Partition]], epochs: Iterator[int]) -> None:
        self._partitions = partitions
        self._epochs = epochs
        self._leases: dict[str, float] = {}
        self._owners: dict[Partition, tuple[str, int]] = {}
        self.cursors: dict[Partition, int] = {}

    def sync(self, member: str, now: float) -> tuple[View, bool]:
        """Renew a member's lease; what it owns and must give up, and whether others should look again."""
        expired = [other for other, deadline in self._leases.items() if deadline < now]
        for other in expired:
            self.leave(other)
        joined = member not in self._leases
        self._leases[member] = now + LEASE_S
        mine = contiguous_shares(self._partitions(), list(self._leases))[member]
        for partition in sorted(mine):
            if partition not in self._owners:
                self._owners[partition] = (member, next(self._epochs))
        granted = {
            partition: Grant(epoch, self.cursors.get(partition, 0))
            for partition, (owner, epoch) in sorted(self._owners.items())
            if owner == member
        }
        return View(granted, frozenset(granted.keys() - mine)), bool(expired) or joined

    def release(self, member: str, partitions: Mapping[Partition, int]) -> None:
        for partition, epoch in partitions.items():
            if self._owners.get(partition) == (member, epoch):
                del self._owners[partition]

    def leave(self, member: str) -> None:
        self._leases.pop(member, None)
        self._owners = {partition: owned for partition, owned in self._owners.items() if owned[0] != member}

    def commit(self, member: str, watermarks: Mapping[Partition, tuple[int, int]]) -> frozenset[Partition]:
        taken = frozenset(
            partition for partition, (epoch, _) in watermarks.items() if self._owners.get(partition) == (member, epoch)
        )
        for partition in taken:
            self.cursors[partition] = max(self.cursors.get(partition, 0), watermarks[partition][1])
        return taken


class MemorySubscription:
    """One member of a group of a memory bus."""

    def __init__(self, bus: "MemoryBus", group: MemoryGroup, member: str, rebalance: Rebalance) -> None:
        self._bus = bus
        self._group = group
        self._member = member
        self._holdings = Holdings(rebalance)
        self._closed = False

    async def poll(self, *, max_records: int, timeout_ms: int) -> Sequence[Record]:
        loop = asyncio.get_running_loop()
        ends = loop.time() + timeout_ms / 1000
        while True:
            changed = self._bus.change()
            view, woke = self._group.sync(self._member, self._bus.monotonic())
            if woke:
                self._bus.wake()
                changed = self._bus.change()
            await self._holdings.follow(view, self._release)
            records = self._read(max_records)
            remaining = ends - loop.time()
            if records or remaining <= 0:
                return records
            await asyncio.wait([changed], timeout=remaining)

    async def _release(self, partitions: Mapping[Partition, int]) -> None:
        self._group.release(self._member, partitions)
        self._bus.wake()

    def _read(self, max_records: int) -> list[Record]:
        records: list[Record] = []
        for partition in self._holdings.readable():
            epoch = self._holdings.epochs[partition]
            start = self._holdings.next_offsets[partition]
            for stored in self._bus.stored(partition, start, max_records - len(records)):
                records.append(msgspec.structs.replace(stored, epoch=epoch))
                self._holdings.next_offsets[partition] = stored.offset + 1
        return records

    async def commit(self, watermarks: Mapping[Partition, tuple[int, int]]) -> frozenset[Partition]:
        return self._group.commit(self._member, watermarks)

    def pause(self, partitions: frozenset[Partition]) -> None:
        self._holdings.paused |= partitions & self._holdings.epochs.keys()

    def resume(self, partitions: frozenset[Partition]) -> None:
        self._holdings.paused -= partitions

    async def lag(self) -> Mapping[Partition, int]:
        return {
            partition: self._bus.count_from(partition, self._group.cursors.get(partition, 0))
            for partition in self._holdings.epochs
        }

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        try:
            await self._holdings.give_up_all()
        finally:
            self._group.leave(self._member)
            self._bus.wake()

    def die(self) -> None:
        """For tests: be gone without a word, so that only the lease tells."""
        self._closed = True
