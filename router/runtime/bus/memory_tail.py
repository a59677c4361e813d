"""Following a topic of the memory bus, outside any group."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from router.runtime.bus.protocol import Partition, Record
from router.runtime.errors import BusUnavailable

if TYPE_CHECKING:
    from router.runtime.bus.memory import MemoryBus


class MemoryTail:
    """Implements ``Tail``."""

    def __init__(self, bus: "MemoryBus", starts: Mapping[Partition, int]) -> None:
        self._bus = bus
        self._at = dict(starts)
        self._closed = False

    async def poll(self, *, max_records: int, timeout_ms: int) -> Sequence[Record]:
        loop = asyncio.get_running_loop()
        ends = loop.time() + timeout_ms / 1000
        while True:
            if self._closed or self._bus.is_closed:
                raise BusUnavailable("the tail is closed")
            changed = self._bus.change()
            records = self._read(max_records)
            remaining = ends - loop.time()
            if records or remaining <= 0:
                return records
            await asyncio.wait([changed], timeout=remaining)

    def _read(self, max_records: int) -> list[Record]:
        records: list[Record] = []
        for partition, start in self._at.items():
            found = self._bus.stored(partition, start, max_records - len(records))
            records += found
            self._at[partition] = found[-1].offset + 1 if found else start
        return records

    async def close(self) -> None:
        self._closed = True
        self._bus.wake()
