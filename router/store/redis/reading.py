"""Reads over the keys of a pool: streams, heads, work."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, cast

import msgspec

from router.contract.ids import CaseId, PoolId
from router.runtime.errors import RuntimeFailure
from router.runtime.redis import Command, RedisClient
from router.store import keys
from router.store.protocol import EVERYTHING, CaseNames, Change, Head, LineSize, Share, WorkBatch, WorkItem

MAX_CHANGES: Final = 500
LOOK_MS: Final = 1_000
_WORK_PAGE: Final = 200
_HEADS_PAGE: Final = 512
_LINES_PAGE: Final = 50
_NAMES_PAGE: Final = 500

Call = Callable[..., Awaitable[object]]
CHANGE: Final = msgspec.msgpack.Decoder(Change)


class _WorkPage(msgspec.Struct, frozen=True, kw_only=True):
    gen: int
    change: int
    stamp: int
    now_ms: int
    items: tuple[WorkItem, ...]


_WORK: Final = msgspec.msgpack.Decoder(_WorkPage)


def texts(reply: object) -> tuple[str, ...]:
    """The members of a list reply."""
    return tuple(item.decode() for item in cast("list[bytes]", reply))


async def entries(client: RedisClient, stream: str, after: int, *, limit: int, wait_ms: int) -> list[bytes]:
    """The packed entries of a stream after a number; waits for the first that long."""
    if not wait_ms:
        found = await client.call("XRANGE", stream, f"({after}-0", "+", "COUNT", limit)
        return _packed(found)
    args = ("XREAD", "COUNT", limit, "BLOCK", wait_ms, "STREAMS", stream, f"{after}-0")
    reply = await client.call(*args, wait_s=wait_ms / 1000)
    if reply is None:
        return []
    ((_, found),) = cast("list[tuple[bytes, list[object]]]", reply)
    return _packed(found)


def _packed(found: object) -> list[bytes]:
    return [fields[1] for _, fields in cast("list[tuple[bytes, list[bytes]]]", found)]


async def number(call: Call, pool: PoolId, name: str) -> int:
    """One number of the pool's row; 0 when there is no such pool."""
    reply = await call("HGET", keys.key(pool, "meta"), name)
    return int(cast("bytes | None", reply) or 0)


async def heads(call: Call, name: str) -> list[Head]:
    """The directory of classes: in one go while it is small, else page by page, so that nobody waits for it."""
    found: dict[str, bytes] = {}
    cursor = b"0"
    while True:
        reply = await call("HSCAN", name, cursor, "COUNT", _HEADS_PAGE)
        cursor, flat = cast("tuple[bytes, list[bytes]]", reply)
        found.update(_pairs(flat))
        if cursor == b"0":
            break
    return [_head(class_key, value.decode()) for class_key, value in found.items()]


async def case_names(call: Call, pool: PoolId, cursor: str) -> CaseNames:
    """One step through the names of keys, those of a pool's cases picked out."""
    stem = keys.key(pool, "case")
    pattern = keys.pattern(stem)
    reply = await call("SCAN", cursor or "0", "MATCH", pattern, "COUNT", _NAMES_PAGE)
    after, found = cast("tuple[bytes, list[bytes]]", reply)
    names = tuple(CaseId(name.decode().removeprefix(stem)) for name in found)
    return CaseNames(cases=names, cursor="" if after == b"0" else after.decode())


def _pairs(flat: object) -> dict[str, bytes]:
    items = cast("list[bytes]", flat)
    return {name.decode(): value for name, value in zip(items[::2], items[1::2], strict=True)}


def _head(class_key: str, value: str) -> Head:
    score, _, case = value.partition(" ")
    return Head(class_key=class_key, score=int(score), case=CaseId(case))


async def line_sizes(client: RedisClient, pool: PoolId, found: Sequence[Head]) -> list[LineSize]:
    """The lines of these classes: two small commands for each, in pipelines that let others in between."""
    sizes: list[LineSize] = []
    for at in range(0, len(found), _LINES_PAGE):
        page = found[at : at + _LINES_PAGE]
        commands: list[Command] = []
        for head in page:
            commands.append(("ZCARD", keys.key(pool, "line", head.class_key)))
            commands.append(("HGET", keys.key(pool, "case", head.case), "opened_at_ms"))
        replies = await client.exchange(commands)
        for reply in replies:
            if isinstance(reply, RuntimeFailure):
                raise reply
        numbers = [int(cast("bytes | int | None", reply) or 0) for reply in replies]
        sizes += [
            LineSize(class_key=head.class_key, length=length, case=head.case, score=head.score, opened_at_ms=opened)
            for head, length, opened in zip(page, numbers[::2], numbers[1::2], strict=True)
            if length and opened  # else the class was emptied, or its head taken, since the heads were read
        ]
    return sizes


async def work(page: Callable[[int, int], Awaitable[bytes]], share: Share, limit: int) -> WorkBatch:
    """The first items of a share, read page by page.

    The numbers are those of the last page: they cover every stamp that was read before.
    """
    mine: list[WorkItem] = []
    after = 0
    while True:
        # Others' items are read, too: a share of one is not known to the server.
        want = min(_WORK_PAGE, max(limit, 1) if share == EVERYTHING else _WORK_PAGE)
        found = _WORK.decode(await page(after, want))
        mine.extend(entry for entry in found.items if share.takes(entry.item, entry.place))
        if len(found.items) < want or len(mine) >= limit:
            break
        after = found.items[-1].place
        if share.ends_by(after):
            break
    return WorkBatch(
        gen=found.gen, change=found.change, stamp=found.stamp, now_ms=found.now_ms, items=tuple(mine[:limit])
    )
