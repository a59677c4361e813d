"""Old function libraries: each process says now and then which it uses; what nobody names goes after a day."""

import logging
from typing import Final, cast

from router.runtime.errors import CommandRefused
from router.runtime.redis import RedisClient
from router.store.keys import LIBRARIES

UNUSED_AFTER_MS: Final = 24 * 3600 * 1000

log = logging.getLogger(__name__)


async def keep_library(client: RedisClient, name: str, now_ms: int) -> tuple[str, ...]:
    """Say that this library is in use, and remove those that nobody has named for a day; their names.

    Removing one that is used after all does no harm: its next call loads it again.
    """
    await client.call("HSET", LIBRARIES, name, now_ms)
    removed = []
    for other in await _loaded(client):
        # One that was never named, as by an older version, has its day from now on.
        await client.call("HSETNX", LIBRARIES, other, now_ms)
        named = int(cast("bytes", await client.call("HGET", LIBRARIES, other)))
        if now_ms - named > UNUSED_AFTER_MS:
            await _remove(client, other)
            removed.append(other)
    return tuple(removed)


async def _loaded(client: RedisClient) -> list[str]:
    reply = cast("list[list[object]]", await client.call("FUNCTION", "LIST", "LIBRARYNAME", "turnout_*"))
    return [cast("bytes", entry[entry.index(b"library_name") + 1]).decode() for entry in reply]


async def _remove(client: RedisClient, name: str) -> None:
    try:
        await client.call("FUNCTION", "DELETE", name)
    except CommandRefused as exc:
        # Another process was quicker.
        if "not found" not in str(exc).lower():
            raise
    await client.call("HDEL", LIBRARIES, name)
    log.info("removed the unused function library %s", name, extra={"event": "library_removed"})
