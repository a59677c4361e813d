"""Following a topic of the streams bus, outside any group."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Final, cast

from router.runtime.bus.protocol import Partition, Record
from router.runtime.bus.streams_group import StreamsServer
from router.runtime.bus.streams_records import Entry, last_id_before, record_of
from router.runtime.errors import BusUnavailable, StoreUnavailable

_MAX_BLOCK_MS: Final = 1_000


class StreamsTail:
    """Implements ``Tail``: one blocking ``XREAD`` over all partitions. The server knows nothing of it."""

    def __init__(self, server: StreamsServer, topic: str, starts: Mapping[Partition, int]) -> None:
        self._server = server
        self._topic = topic
        self._at = dict(starts)
        self._names = {server.keys.log(topic, partition.number): partition for partition in starts}
        self._closed = False

    @property
    def is_closed(self) -> bool:
        return self._closed

    async def poll(self, *, max_records: int, timeout_ms: int) -> Sequence[Record]:
        ends = time.monotonic() + timeout_ms / 1000
        while True:
            if self._closed:
                raise BusUnavailable("the tail is closed")
            wait_ms = max(1, min(round((ends - time.monotonic()) * 1000), _MAX_BLOCK_MS))
            if records := await self._read(max_records, wait_ms):
                return records
            await self._look_back()
            if time.monotonic() >= ends:
                return []

    async def close(self) -> None:
        self._closed = True

    async def _read(self, max_records: int, wait_ms: int) -> list[Record]:
        share = max(1, max_records // len(self._names))
        ids = [last_id_before(self._at[partition]) for partition in self._names.values()]
        command = ("XREAD", "COUNT", str(share), "BLOCK", str(wait_ms), "STREAMS", *self._names, *ids)
        try:
            reply = await self._server.reads.call(*command, wait_s=wait_ms / 1000)
        except StoreUnavailable as exc:
            raise BusUnavailable(str(exc)) from exc
        records: list[Record] = []
        for name, entries in cast("list[tuple[bytes, list[Entry]]]", reply or []):
            partition = self._names[name.decode()]
            taken = [record_of(entry, partition, 0) for entry in entries[: max_records - len(records)]]
            self._at[partition] = taken[-1].offset + 1 if taken else self._at[partition]
            records += taken
        if records and len(self._names) > max_records:  # not all had their turn: another stands first next time
            first = next(iter(self._names))
            self._names[first] = self._names.pop(first)
        return records

    async def _look_back(self) -> None:
        """A server that lost its records numbers the next ones from the beginning: they'd never reach our place."""
        partitions = list(self._names.values())
        numbers = [partition.number for partition in partitions]
        reply = await self._server.library.command("HMGET", self._server.keys.ends(self._topic), *numbers)
        for partition, end in zip(partitions, cast("list[bytes | None]", reply), strict=True):
            if int(end or 0) < self._at[partition]:
                self._at[partition] = 0


async def starts_of(
    server: StreamsServer, topic: str, partitions: Sequence[Partition], since_ms: int | None
) -> dict[Partition, int]:
    """Where to begin: at the first record of that time or later, or at the end as it is now."""

    async def start(partition: Partition) -> int:
        names = [server.keys.log(topic, partition.number), server.keys.ends(topic)]
        found = cast("list[bytes]", await server.library.call("seek", names, [partition.number, since_ms or 0]))
        return int(found[1 if since_ms is None else 0])

    return dict(zip(partitions, await asyncio.gather(*map(start, partitions)), strict=True))
