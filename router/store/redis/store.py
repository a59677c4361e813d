"""``RedisStore``: the state store in production. What it does is defined by ``MemoryStore``."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

import msgspec

from router.contract.advisor import AdvisorState
from router.contract.case import CaseState
from router.contract.ids import AdvisorId, CaseId, ConversationId, PoolId
from router.runtime.errors import StoreUnavailable
from router.runtime.redis import RedisClient
from router.runtime.server_memory import MemoryUse, memory_use
from router.store import keys
from router.store.acts import AnyAct, Fence, Outcome
from router.store.library import Library, build_library
from router.store.marks import Level
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
from router.store.redis import reading
from router.store.redis.functions import Functions
from router.store.redis.libraries import keep_library
from router.store.redis.outbox import entry_of
from router.store.redis.progress import Progress
from router.store.redis.rebuilding import RedisRebuilds
from router.store.redis.server import check_server

OUTBOX_MARK: Final = 100_000
MAX_CLASSES: Final = 4_096

_OUTCOME: Final = msgspec.msgpack.Decoder(Outcome)
_CASE: Final = msgspec.msgpack.Decoder(CaseState)
_ADVISOR: Final = msgspec.msgpack.Decoder(AdvisorState)
_STATUS: Final = msgspec.msgpack.Decoder(PoolStatus)
_PAGE: Final = msgspec.msgpack.Decoder(RosterPage)
_EPOCHS: Final = msgspec.msgpack.Decoder(list[int])
_EPOCH: Final = msgspec.msgpack.Decoder(int)
_LEASE: Final = msgspec.msgpack.Decoder(RelayLease)
_TAKEN: Final[msgspec.msgpack.Decoder[RelayLease | None]] = msgspec.msgpack.Decoder(RelayLease | None)
_HELD: Final = msgspec.msgpack.Decoder(bool)


class _Grows(NamedTuple):
    """A number of a pool's row, and the stream that wakes those who wait for it."""

    pool: PoolId
    member: str
    stream: str


class RedisStore:
    """Implements ``Store``, ``Attempts``, ``Pressure``, ``Reads`` and ``Outbox`` on Redis >= 7.0 or Valkey >= 7.2;
    ``rebuilds`` is ``Rebuilds``.

    ``commands`` and ``waits`` are clients for the two purposes; the store doesn't close them. Of the second it
    takes at most four connections a pool (changes, pending, relayed, stamped). Call ``open`` before anything
    else. Numbers that callers make (epochs, connection numbers) must stay below 2^53.
    """

    def __init__(
        self,
        commands: RedisClient,
        waits: RedisClient,
        *,
        outbox_mark: int = OUTBOX_MARK,
        max_classes: int = MAX_CLASSES,
        library: Library | None = None,
    ) -> None:
        self._commands = commands
        self._waits = waits
        self._marks = {"outbox_mark": outbox_mark, "max_classes": max_classes}
        self._library = library or build_library()
        self._functions = Functions(commands, self._library)
        self._progress: dict[_Grows, Progress] = {}
        self.rebuilds = RedisRebuilds(self._control, commands, self._marks)

    async def open(self) -> None:
        """Check the server's settings and load the library. Raises ``StoreMisconfigured``."""
        await check_server(self._commands)
        await self._functions.load()

    async def keep_library(self, now_ms: int) -> tuple[str, ...]:
        """Call it at start and then each hour: libraries that no process has kept for a day are removed."""
        return await keep_library(self._commands, self._library.name, now_ms)

    async def close(self) -> None:
        """Let calls that were made end."""
        for progress in self._progress.values():
            await progress.close()
        await self._functions.close()

    # -- Store

    async def apply(self, acts: Sequence[AnyAct]) -> Sequence[Outcome]:
        if len(acts) == 1:
            (act,) = acts
            return [_OUTCOME.decode(_there(await self._functions.call(_name(act), act.pool, act)))]
        replies = await self._functions.call_in_order([(_name(act), act.pool, act) for act in acts])
        return [_OUTCOME.decode(reply) for reply in replies]

    async def open_pool(self, pool: PoolId, *, make: bool = True) -> PoolStatus:
        want = self._marks | {"make": make}
        return _STATUS.decode(_there(await self._functions.call("open", pool, want)))

    async def take_epochs(self, pool: PoolId, partitions: Sequence[str]) -> Mapping[str, int]:
        reply = await self._functions.call("take_epochs", pool, list(partitions))
        return dict(zip(partitions, _EPOCHS.decode(_there(reply)), strict=True))

    async def applied(self, pool: PoolId, watermarks: Mapping[str, tuple[int, int]]) -> None:
        await self._functions.call("applied", pool, dict(watermarks))

    # -- Pressure

    async def memory(self) -> MemoryUse | None:
        return await memory_use(self._commands.call)

    async def press(self, pool: PoolId, level: Level, now_ms: int) -> bool:
        want = {"level": int(level), "now_ms": now_ms}
        return _HELD.decode(_there(await self._functions.call("press", pool, want)))

    # -- Attempts

    async def hand_out(self, pool: PoolId, marks: Mapping[str, tuple[int, int]]) -> None:
        await self._functions.call("hand_out", pool, dict(marks))

    async def handed_out(self, pool: PoolId, partitions: Sequence[str]) -> Mapping[str, int]:
        if not partitions:
            return {}
        names = (f"handed_out|{partition}" for partition in partitions)
        found = await self._commands.call("HMGET", keys.key(pool, "fences"), *names)
        offsets = (int(offset or 0) for offset in cast("list[bytes | None]", found))
        return dict(zip(partitions, offsets, strict=True))

    async def attempt(self, pool: PoolId, fence: Fence) -> int:
        return _EPOCH.decode(_there(await self._functions.call("attempt", pool, {"fence": fence})))

    async def survived(self, pool: PoolId, fence: Fence) -> None:
        await self._functions.call("attempt", pool, {"fence": fence, "over": True})

    # -- Reads

    async def case(self, pool: PoolId, case: CaseId) -> CaseState | None:
        reply = await self._functions.call("read_case", pool, case, read=True)
        return _CASE.decode(reply) if reply else None

    async def conversation(self, pool: PoolId, conversation: ConversationId) -> CaseState | None:
        reply = await self._functions.call("read_conversation", pool, conversation, read=True)
        return _CASE.decode(reply) if reply else None

    async def messages(self, pool: PoolId, case: CaseId, *, last: int | None = None) -> Sequence[str]:
        if last is not None and last < 1:
            return ()
        return await self._texts("LRANGE", keys.key(pool, "messages", case), -last if last else 0, -1)

    async def history(self, pool: PoolId, case: CaseId) -> Sequence[str]:
        return await self._texts("LRANGE", keys.key(pool, "history", case), 0, -1)

    async def advisor(self, pool: PoolId, advisor: AdvisorId) -> AdvisorState | None:
        reply = await self._functions.call("read_advisor", pool, advisor, read=True)
        return _ADVISOR.decode(reply) if reply else None

    async def roster(self, pool: PoolId, cursor: str = "") -> RosterPage:
        return _PAGE.decode(_there(await self._functions.call("read_roster", pool, cursor, read=True)))

    async def changes(self, pool: PoolId, after: int, *, wait_ms: int = 0) -> Sequence[Change]:
        stream = keys.key(pool, "changes")
        packed = await self._entries(stream, after, limit=reading.MAX_CHANGES, wait_ms=wait_ms)
        return [reading.CHANGE.decode(entry) for entry in packed]

    async def work(self, pool: PoolId, *, share: Share = EVERYTHING, limit: int = 200) -> WorkBatch:
        async def page(after: int, count: int) -> bytes:
            want = {"after": after, "limit": count}
            return _there(await self._functions.call("read_work", pool, want, read=True))

        return await reading.work(page, share, limit)

    async def stamped(self, pool: PoolId, after: int, *, wait_ms: int) -> int:
        return await self._beyond(_Grows(pool, member="stamp", stream="calls"), after, wait_ms)

    async def heads(self, pool: PoolId) -> Sequence[Head]:
        return await reading.heads(self._functions.plain, keys.key(pool, "heads"))

    async def line_sizes(self, pool: PoolId) -> Sequence[LineSize]:
        return await reading.line_sizes(self._commands, pool, await self.heads(pool))

    async def case_names(self, pool: PoolId, cursor: str = "") -> CaseNames:
        return await reading.case_names(self._functions.plain, pool, cursor)

    async def waiting(self, pool: PoolId, class_key: str, limit: int = 100) -> Sequence[CaseId]:
        if limit < 1:
            return ()
        found = await self._texts("ZRANGE", keys.key(pool, "line", class_key), 0, limit - 1)
        return tuple(CaseId(case) for case in found)

    async def status(self, pool: PoolId) -> PoolStatus:
        return _STATUS.decode(_there(await self._functions.call("status", pool, None, read=True)))

    # -- Outbox

    async def lease(self, pool: PoolId) -> RelayLease:
        return _LEASE.decode(_there(await self._functions.call("lease", pool, None, read=True)))

    async def take(self, pool: PoolId) -> RelayLease:
        return _LEASE.decode(_there(await self._functions.call("take", pool, None)))

    async def take_over(self, pool: PoolId, seen: RelayLease) -> RelayLease | None:
        return _TAKEN.decode(_there(await self._functions.call("take_over", pool, seen)))

    async def release(self, pool: PoolId, lease: RelayLease) -> bool:
        return _HELD.decode(_there(await self._functions.call("release", pool, lease)))

    async def pending(self, pool: PoolId, after: int, *, limit: int = 100, wait_ms: int = 0) -> Sequence[OutboxEntry]:
        packed = await self._entries(keys.key(pool, "outbox"), after, limit=limit, wait_ms=wait_ms)
        return [entry_of(entry) for entry in packed]

    async def trim(self, pool: PoolId, lease: RelayLease, upto: int) -> bool:
        want = {"gen": lease.gen, "epoch": lease.epoch, "upto": upto}
        reply = await self._functions.call("trim", pool, want)
        return _HELD.decode(_there(reply))

    async def relayed(self, pool: PoolId, after: int, *, wait_ms: int = 0) -> int:
        return await self._beyond(_Grows(pool, member="trimmed", stream="progress"), after, wait_ms)

    async def _control(self, name: str, pool: PoolId, argument: Any) -> bytes:
        return _there(await self._functions.call(name, pool, argument))

    # -- plain commands

    async def _beyond(self, what: _Grows, after: int, wait_ms: int) -> int:
        known = await reading.number(self._functions.plain, what.pool, what.member)
        if known > after or not wait_ms:
            return known
        progress = self._progress.setdefault(what, Progress(lambda number: self._next(what, number)))
        return await progress.beyond(after, known=known, wait_s=wait_ms / 1000)

    async def _next(self, what: _Grows, number: int) -> int:
        stream = keys.key(what.pool, what.stream)
        await reading.entries(self._waits, stream, number, limit=1, wait_ms=reading.LOOK_MS)
        # The stream only wakes: what stands in the pool's row is true after a loss of the store, too.
        return await reading.number(self._functions.plain, what.pool, what.member)

    async def _entries(self, stream: str, after: int, *, limit: int, wait_ms: int) -> list[bytes]:
        client = self._waits if wait_ms else self._commands
        return await reading.entries(client, stream, after, limit=limit, wait_ms=wait_ms)

    async def _texts(self, *command: str | int) -> tuple[str, ...]:
        return reading.texts(await self._functions.plain(*command))


def _name(act: AnyAct) -> str:
    return str(type(act).__struct_config__.tag)


def _there(reply: Any) -> bytes:
    """The reply of a function on a pool. Without the pool the store has been lost, or it was never opened."""
    if not isinstance(reply, bytes):
        raise StoreUnavailable("the pool isn't in the state store: it was never opened, or the store lost it")
    return reply
