"""What keeps the streams bus within its bounds: retention, put-off compaction, groups that nobody uses."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Final, cast

import msgspec

from router.contract.topics import DAY_MS, HOUR_MS, Cleanup, TopicSpec
from router.runtime.bus.streams_library import StreamsLibrary
from router.runtime.errors import RuntimeFailure
from router.runtime.keys import BusKeys
from router.runtime.server_memory import memory_use

_log = logging.getLogger(__name__)

INTERVAL_MS: Final = 10_000
_LIMIT: Final = 200  # of prelude.lua
_SHARES: Final = 20  # of the server's memory: one for each topic at most


class Keeping(msgspec.Struct, frozen=True, kw_only=True):
    """How much is kept, and how long. Records that a live group has yet to read are kept whatever this says. Of a
    server with a memory limit a topic takes at most a twentieth."""

    max_topic_bytes: int = 256 * 1_048_576
    idle_group_ms: int = DAY_MS
    tombstone_ms: int = HOUR_MS
    unused_library_ms: int = DAY_MS


class StreamsUpkeep:
    """Any number of processes may run it: the server lets one of them through an interval."""

    def __init__(
        self,
        library: StreamsLibrary,
        keys: BusKeys,
        topics: Mapping[str, TopicSpec],
        *,
        keeping: Keeping,
        on_group_expired: Callable[[str], None],
    ) -> None:
        self._library = library
        self._keys = keys
        self._topics = topics
        self._keeping = keeping
        self._on_group_expired = on_group_expired

    async def run(self) -> None:
        """Until cancelled. A server that is away is tried again at the next interval."""
        while True:
            try:
                await self.once()
            except RuntimeFailure as exc:
                _log.warning("upkeep of the bus failed: %s", exc, extra={"event": "bus_upkeep_failed"})
            await asyncio.sleep(INTERVAL_MS / 1000)

    async def once(self, *, interval_ms: int = INTERVAL_MS) -> bool:
        """One round, when it is time for one; whether it was."""
        reply = await self._library.call(
            "tick", [self._keys.upkeep, self._keys.groups], [interval_ms, self._keeping.idle_group_ms]
        )
        if not reply:
            return False
        idle_below, *idle = cast("list[bytes]", reply)
        for group in idle:
            await self._expire(group.decode(), int(idle_below))
        max_bytes = await self._topic_bytes()
        for spec in tuple(self._topics.values()):
            await (self._trim(spec, max_bytes) if spec.cleanup is Cleanup.DELETE else self._compact(spec))
        await self._drop_unused_libraries(int(idle_below) + self._keeping.idle_group_ms)
        return True

    async def _drop_unused_libraries(self, age_ms: int) -> None:
        """Each version notes when it was in use; one that wasn't for a day goes."""
        others = await self._library.others()
        unused = await self._library.call(
            "libraries",
            [self._keys.upkeep],
            [age_ms, age_ms - self._keeping.unused_library_ms, self._library.name, *sorted(others)],
        )
        for library in cast("list[bytes]", unused):
            await self._library.delete(library.decode())

    async def _expire(self, group: str, idle_below: int) -> None:
        keys, specs = self._keys, list(self._topics.values())
        gone = await self._library.call(
            "expire_group",
            [
                *(keys.members(group), keys.owners(group), keys.wake(group), keys.groups),
                *(keys.cursors(spec.name) for spec in specs),
            ],
            [group, idle_below, *(spec.partitions for spec in specs)],
        )
        if gone:
            _log.warning(
                "group %s was unused for a day and is forgotten: its records may go",
                group,
                extra={"event": "bus_group_expired", "group": group},
            )
            self._on_group_expired(group)

    async def _topic_bytes(self) -> int:
        """So that what is kept for retention's sake alone never fills the server."""
        use = await memory_use(self._library.command)
        return min(self._keeping.max_topic_bytes, use.max_bytes // _SHARES) if use else self._keeping.max_topic_bytes

    async def _trim(self, spec: TopicSpec, max_bytes: int) -> None:
        logs = [self._keys.log(spec.name, number) for number in range(spec.partitions)]
        keys = [self._keys.ends(spec.name), self._keys.cursors(spec.name), *logs]
        limits = [spec.retention_ms, max_bytes // spec.partitions]
        # In small steps, each of which lets others at the server.
        while cast("int", await self._library.call("trim", keys, limits)) >= _LIMIT:
            pass

    async def _compact(self, spec: TopicSpec) -> None:
        for number in range(spec.partitions):
            name = spec.name
            keys = [self._keys.log(name, number), self._keys.index(name, number), self._keys.stale(name, number)]
            while cast("int", await self._library.call("compact", keys, [])) >= _LIMIT:
                pass
