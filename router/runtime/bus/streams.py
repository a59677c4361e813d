"""The bus on Redis or Valkey Streams: one stream a partition, cursors fenced by epochs, no server groups.

A publish is confirmed once the server has answered. With ``appendfsync always`` (which the embedded server
has) the answer comes after the write was synced to disk; with another setting a power cut may lose the
last second, and a warning says so at the start.
"""

import asyncio
import contextlib
import logging
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, cast

from router.contract.topics import Cleanup, TopicSpec
from router.runtime.bus.partitioner import partition_of
from router.runtime.bus.protocol import Outgoing, Partition, Position, Rebalance, Record
from router.runtime.bus.streams_group import Joined, StreamsServer, StreamsSubscription
from router.runtime.bus.streams_library import StreamsLibrary
from router.runtime.bus.streams_records import Entry, arguments_of, id_at, noted, record_of, spec_of
from router.runtime.bus.streams_tail import StreamsTail, starts_of
from router.runtime.bus.streams_upkeep import Keeping, StreamsUpkeep
from router.runtime.errors import BusUnavailable, CommandRefused, RecordRefused, TopicDiffers
from router.runtime.keys import BusKeys
from router.runtime.redis import Argument, Coalescer, Purpose, connect

_log = logging.getLogger(__name__)

MAX_RECORD_BYTES: Final = 1_048_576
_BATCH_RECORDS: Final = 128
_BATCH_BYTES: Final = 1_048_576
_PAGE: Final = 100
_MEMBERS: Final = 64  # subscriptions of one bus object, each with a connection that blocks


class StreamsBus:
    """A bus on one server. Opens connections when they are needed; one object serves a whole process."""

    def __init__(
        self,
        url: str,
        *,
        lease_ms: int = 10_000,
        stop_s: float = 10.0,
        keeping: Keeping = Keeping(),  # noqa: B008 (immutable)
        on_group_expired: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._client = connect(url)
        self._reads = connect(url, purpose=Purpose.BLOCKING, max_connections=_MEMBERS)
        self._calls = Coalescer(self._client)
        self._library = StreamsLibrary(self._calls)
        self._keys = BusKeys()
        self._topics: dict[str, TopicSpec] = {}
        self._created: dict[str, TopicSpec] = {}  # of these alone we know how long they are kept
        self._server = StreamsServer(
            library=self._library, reads=self._reads, keys=self._keys, lease_ms=lease_ms, stop_s=stop_s
        )
        self._stop_s = stop_s
        self._tombstone_ms = keeping.tombstone_ms
        self._subscriptions: set[StreamsSubscription] = set()
        self._tails: set[StreamsTail] = set()
        self._upkeep: asyncio.Task[None] | None = None
        self._closed = False
        self.upkeep: Final = StreamsUpkeep(
            self._library,
            self._keys,
            self._created,
            keeping=keeping,
            on_group_expired=on_group_expired,
        )

    async def create_topics(self, specs: Sequence[TopicSpec]) -> None:
        await self._check_durability()
        for spec in specs:
            there = await self._library.call("create_topic", [self._keys.topics], [spec.name, noted(spec)])
            if cast("bytes", there).decode() != noted(spec):
                raise TopicDiffers(
                    f"topic {spec.name} is {cast('bytes', there).decode()}, not {noted(spec)} (partitions, cleanup)"
                )
            self._topics[spec.name] = self._created[spec.name] = spec
        if self._upkeep is None:
            self._upkeep = asyncio.create_task(self.upkeep.run(), name="bus-upkeep")

    async def _check_durability(self) -> None:
        try:
            reply = cast("list[bytes]", await self._library.command("CONFIG", "GET", "appendfsync"))
        except CommandRefused:  # a managed server that keeps its settings to itself
            return
        if reply[1:] != [b"always"]:
            _log.warning(
                "the server's appendfsync is not always: a power cut may lose confirmed records",
                extra={"event": "bus_not_synced"},
            )

    async def _spec(self, topic: str) -> TopicSpec | None:
        if topic not in self._topics:
            there = await self._library.command("HGET", self._keys.topics, topic)
            if there is None:
                return None
            self._topics[topic] = spec_of(topic, cast("bytes", there))
        return self._topics[topic]

    async def publish(self, records: Sequence[Outgoing]) -> Sequence[Position]:
        if self._closed:
            raise BusUnavailable("the bus is closed")
        batches: list[list[tuple[Partition, Outgoing]]] = [[]]
        size = 0
        for index, record in enumerate(records):
            spec = await self._spec(record.topic)
            if spec is None:
                raise RecordRefused(index, f"there is no topic {record.topic}")
            length = len(record.value or b"") + sum(len(value) for _, value in record.headers)
            if length > MAX_RECORD_BYTES:
                raise RecordRefused(index, f"it is larger than {MAX_RECORD_BYTES} bytes")
            if len(batches[-1]) >= _BATCH_RECORDS or size + length > _BATCH_BYTES:
                batches.append([])
                size = 0
            size += length
            number = partition_of(record.key, spec.partitions)
            batches[-1].append((Partition(record.topic, number), record))
        # One after the other: a later batch must not be there when an earlier one is not.
        return [position for batch in batches if batch for position in await self._append(batch)]

    async def _append(self, batch: Sequence[tuple[Partition, Outgoing]]) -> list[Position]:
        places: dict[Partition, int] = {}
        keys: list[str] = []
        about: list[Argument] = []
        for partition, _ in batch:
            if partition not in places:
                places[partition] = len(places) + 1
                keys += self._partition_keys(partition)
                spec = self._topics[partition.topic]
                compacted = "1" if spec.cleanup is Cleanup.COMPACT else "0"
                about += [partition.number, compacted, spec.min_compaction_lag_ms, self._tombstone_ms]
        rows = ((places[partition], *arguments_of(record)) for partition, record in batch)
        args = [len(places), *about, *(word for row in rows for word in row)]
        offsets = cast("list[bytes]", await self._library.call("publish", keys, args))
        return [Position(partition, int(offset)) for (partition, _), offset in zip(batch, offsets, strict=True)]

    def _partition_keys(self, partition: Partition) -> tuple[str, ...]:
        topic, number = partition
        keys = self._keys
        return keys.log(topic, number), keys.ends(topic), keys.index(topic, number), keys.stale(topic, number)

    async def subscribe(self, group: str, topics: Sequence[str], rebalance: Rebalance) -> StreamsSubscription:
        if self._closed:
            raise BusUnavailable("the bus is closed")
        counts: list[tuple[str, int]] = []
        for topic in sorted(set(topics)):
            spec = await self._spec(topic)
            if spec is None:
                raise BusUnavailable(f"there is no topic {topic}: create it first")
            counts.append((topic, spec.partitions))
        number = cast("int", await self._library.call("join", [self._keys.joins], []))
        subscription = StreamsSubscription(
            Joined(group, f"{number:012d}-{uuid.uuid4().hex[:8]}", tuple(counts)),
            rebalance,
            self._server,
        )
        self._subscriptions = {each for each in self._subscriptions if not each.is_closed} | {subscription}
        return subscription

    async def history(self, topic: str, *, since_ms: int = 0) -> AsyncIterator[Record]:
        spec = await self._spec(topic)
        spans: list[tuple[Partition, int, int]] = []
        for number in range(spec.partitions if spec else 0):
            partition = Partition(topic, number)
            names = [self._keys.log(topic, number), self._keys.ends(topic)]
            found = cast("list[bytes]", await self._library.call("seek", names, [number, since_ms]))
            spans.append((partition, int(found[0]), int(found[1])))
        for partition, first, end in spans:
            start = first
            while start < end:
                page = await self._page(partition, start, end)
                for record in page:
                    if record.published_at_ms >= since_ms:
                        yield record
                start = page[-1].offset + 1 if page else end

    async def tail(self, topic: str, *, since_ms: int | None = None) -> StreamsTail:
        if self._closed:
            raise BusUnavailable("the bus is closed")
        spec = await self._spec(topic)
        if spec is None:
            raise BusUnavailable(f"there is no topic {topic}: create it first")
        partitions = [Partition(topic, number) for number in range(spec.partitions)]
        tail = StreamsTail(self._server, topic, await starts_of(self._server, topic, partitions, since_ms))
        self._tails = {each for each in self._tails if not each.is_closed} | {tail}
        return tail

    async def _page(self, partition: Partition, start: int, end: int) -> list[Record]:
        log = self._keys.log(partition.topic, partition.number)
        reply = await self._library.command("XRANGE", log, id_at(start), id_at(end - 1), "COUNT", _PAGE)
        return [record_of(entry, partition, 0) for entry in cast("list[Entry]", reply)]

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        for tail in self._tails:
            await tail.close()
        if self._upkeep is not None:
            self._upkeep.cancel()
            await asyncio.wait([self._upkeep])
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.1, self._stop_s - 1)):
                await asyncio.gather(*(subscription.close() for subscription in self._subscriptions))
        await self._calls.close(deadline_s=min(1.0, self._stop_s))
        await self._client.close()
        await self._reads.close()
