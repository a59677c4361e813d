"""A member of a group of the streams bus."""

import asyncio
import logging
import time
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, cast

from router.runtime.bus.membership import Grant, Holdings, View
from router.runtime.bus.protocol import Partition, Rebalance, Record
from router.runtime.bus.streams_library import StreamsLibrary
from router.runtime.bus.streams_records import Entry, last_id_before, record_of
from router.runtime.errors import BusUnavailable, RuntimeFailure, StoreUnavailable
from router.runtime.keys import BusKeys
from router.runtime.redis import RedisClient

_log = logging.getLogger(__name__)

_MAX_BLOCK_MS: Final = 1000


class Joined(NamedTuple):
    """Who a member is: its group, its name (unique for ever), its topics with their partition counts."""

    group: str
    member: str
    topics: tuple[tuple[str, int], ...]


class StreamsServer(NamedTuple):
    """What the members of one bus share."""

    library: StreamsLibrary
    reads: RedisClient
    keys: BusKeys
    lease_ms: int
    stop_s: float


class StreamsSubscription:
    """Reads with one blocking ``XREAD`` over all its partitions and the group's wake stream.

    Its lease is renewed while it polls. A member that doesn't poll for a lease loses its partitions to the
    others; whatever it does afterwards, its commits find another epoch and do nothing.
    """

    def __init__(self, joined: Joined, rebalance: Rebalance, server: StreamsServer) -> None:
        self._joined = joined
        self._holdings = Holdings(rebalance)
        self._library, self._reads, self._keys, self._lease_ms, self._stop_s = server
        self._renew_at = 0.0
        self._wake_id = b"0-0"
        self._closed = False
        self._cursors = [self._keys.cursors(topic) for topic, _ in joined.topics]
        self._numbers = {topic: place for place, (topic, _) in enumerate(joined.topics, start=1)}

    async def poll(self, *, max_records: int, timeout_ms: int) -> Sequence[Record]:
        if self._closed:
            raise BusUnavailable("the subscription is closed")
        ends = time.monotonic() + timeout_ms / 1000
        while True:
            now = time.monotonic()
            if now >= self._renew_at:
                await self._sync()
            until = min(ends, self._renew_at)
            records = await self._read(max_records, max(0.0, until - time.monotonic()))
            if records or time.monotonic() >= ends:
                return records

    async def _sync(self) -> None:
        """Renew the lease and follow what the group says; again until there is nothing to give up."""
        started = time.monotonic()
        view = await self._view()
        await self._holdings.follow(view, self._release)
        self._renew_at = started + self._lease_ms / 3000

    async def _view(self) -> View:
        keys, group = self._keys, self._joined.group
        reply = await self._library.call(
            "sync",
            [
                *(keys.members(group), keys.owners(group), keys.wake(group)),
                *(keys.groups, keys.upkeep, keys.epoch),
                *self._cursors,
            ],
            [
                *(group, self._joined.member, self._lease_ms),
                *(word for topic, count in self._joined.topics for word in (topic, count)),
            ],
        )
        wake_id, *rows = cast("list[bytes | list[int | bytes]]", reply)
        self._wake_id = cast("bytes", wake_id)
        granted: dict[Partition, Grant] = {}
        surrender: set[Partition] = set()
        for topic, number, epoch, cursor, gives_up in cast("list[list[int | bytes]]", rows):
            partition = Partition(self._joined.topics[int(topic) - 1][0], int(number))
            granted[partition] = Grant(int(epoch), int(cursor))
            if int(gives_up):
                surrender.add(partition)
        return View(granted, frozenset(surrender))

    async def _release(self, partitions: Mapping[Partition, int]) -> None:
        keys, group = self._keys, self._joined.group
        named = (word for p, epoch in partitions.items() for word in (f"{p.topic}/{p.number}", epoch))
        await self._library.call("release", [keys.owners(group), keys.wake(group)], [self._joined.member, *named])

    async def _read(self, max_records: int, wait_s: float) -> list[Record]:
        """Wait for records of any partition; the busy ones fill what the idle ones leave of the limit."""
        records: list[Record] = []
        partitions = self._holdings.readable()
        offsets = dict(self._holdings.next_offsets)
        block_ms = max(1, min(round(wait_s * 1000), _MAX_BLOCK_MS))
        while True:
            room = max_records - len(records)
            share = max(1, room // max(1, len(partitions)))
            try:
                found = await self._read_once({p: offsets[p] for p in partitions}, share, block_ms)
            except StoreUnavailable as exc:
                if records:
                    break
                raise BusUnavailable(str(exc)) from exc
            for partition, read in found.items():
                taken = read[: max_records - len(records)]  # with more partitions than that, they take turns
                records += taken
                offsets[partition] = taken[-1].offset + 1 if taken else offsets[partition]
            partitions = [partition for partition, read in found.items() if len(read) >= share]
            if not partitions or len(records) >= max_records:
                break
            block_ms = 0
        # Only now, with no await before they are returned: a poll broken off hands them out again.
        self._holdings.next_offsets.update(offsets)
        self._take_turns(len(records))
        return records

    async def _read_once(
        self, offsets: Mapping[Partition, int], share: int, block_ms: int
    ) -> dict[Partition, list[Record]]:
        """At most ``share`` records of each partition from its offset on; a wait ends with a wake-up too."""
        wake = self._keys.wake(self._joined.group)
        by_name = {self._keys.log(topic, number): Partition(topic, number) for topic, number in offsets}
        ids = [last_id_before(offset) for offset in offsets.values()]
        block = ("BLOCK", block_ms) if block_ms else ()
        reply = await self._reads.call(
            *("XREAD", "COUNT", share, *block, "STREAMS", *by_name, wake, *ids, self._wake_id),
            wait_s=block_ms / 1000,
        )
        found: dict[Partition, list[Record]] = {}
        for name, entries in cast("list[tuple[bytes, list[Entry]]]", reply or []):
            partition = by_name.get(name.decode())
            if partition is None:
                self._renew_at = 0.0  # the group woke us: look before the next read
                continue
            epoch = self._holdings.epochs[partition]
            found[partition] = [record_of(entry, partition, epoch) for entry in entries]
        return found

    def _take_turns(self, read: int) -> None:
        # Whoever stands first is asked first: move one along after each read that found something.
        if read and len(self._holdings.epochs) > 1:
            first = next(iter(self._holdings.epochs))
            self._holdings.epochs[first] = self._holdings.epochs.pop(first)

    async def commit(self, watermarks: Mapping[Partition, tuple[int, int]]) -> frozenset[Partition]:
        if not watermarks:
            return frozenset()
        rows = (
            (self._numbers[p.topic], f"{p.topic}/{p.number}", p.number, epoch, next_offset)
            for p, (epoch, next_offset) in watermarks.items()
        )
        taken = await self._library.call(
            "commit",
            [self._keys.owners(self._joined.group), *self._cursors],
            [self._joined.group, self._joined.member, *(word for row in rows for word in row)],
        )
        return frozenset(p for p, took in zip(watermarks, cast("list[int]", taken), strict=True) if took)

    def pause(self, partitions: frozenset[Partition]) -> None:
        self._holdings.paused |= partitions & self._holdings.epochs.keys()

    def resume(self, partitions: frozenset[Partition]) -> None:
        self._holdings.paused -= partitions

    async def lag(self) -> Mapping[Partition, int]:
        behind: dict[Partition, int] = {}
        for topic in self._numbers:
            owned = [partition for partition in self._holdings.epochs if partition.topic == topic]
            logs = [self._keys.log(topic, partition.number) for partition in owned]
            reply = await self._library.call(
                "lag",
                [self._keys.ends(topic), self._keys.cursors(topic), *logs],
                [self._joined.group, *(partition.number for partition in owned)],
            )
            behind.update(zip(owned, cast("list[int]", reply), strict=True))
        return behind

    @property
    def is_closed(self) -> bool:
        return self._closed

    async def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        keys, group = self._keys, self._joined.group
        names = [keys.members(group), keys.owners(group), keys.wake(group)]
        try:
            async with asyncio.timeout(self._stop_s):
                await self._holdings.give_up_all()
                await self._library.call("leave", names, [self._joined.member])
        except (TimeoutError, RuntimeFailure) as exc:
            _log.warning(
                "left the group without a word, its lease will tell: %s",
                exc,
                extra={"event": "bus_leave_failed", "group": group},
            )
