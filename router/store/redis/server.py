"""What the server must be set to, checked once when the store is opened.

StoreMisconfigured: the server's settings would lose data or waste memory.
"""

import logging
from typing import Final, cast

from router.runtime.errors import CommandRefused
from router.runtime.redis import RedisClient

log = logging.getLogger(__name__)

_VERSION: Final = "redis_version"
_MIN_VERSION: Final = "7.0"
_MIN_LISTPACK_VALUE: Final = 1024
_MAX_LISTPACK_ENTRIES: Final = 128


class StoreMisconfigured(Exception):
    """The server is set so that Turnout can't run on it: change what ``problems`` name, then start again."""

    retryable = False

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("the state server must be set otherwise: " + "; ".join(problems))
        self.problems = problems


async def check_server(client: RedisClient) -> None:
    """Raises ``StoreMisconfigured`` with all problems together. A server that doesn't show its settings (some
    hosted ones don't) is taken as it is, with a warning."""
    found = {_VERSION: await _version(client)}
    try:
        for pattern in ("maxmemory*", "hash-max-*"):
            reply = cast("list[bytes]", await client.call("CONFIG", "GET", pattern))
            texts = [item.decode() for item in reply]
            found |= dict(zip(texts[::2], texts[1::2], strict=True))
    except CommandRefused as exc:
        log.warning("the state server doesn't show its settings: %s", exc, extra={"event": "store_settings_unknown"})
    if problems := problems_of(found):
        raise StoreMisconfigured(problems)


async def _version(client: RedisClient) -> str:
    """The version of Redis that the server is, or behaves as."""
    info = cast("bytes", await client.call("INFO", "server")).decode()
    lines = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    return lines.get(_VERSION, "0")


def problems_of(found: dict[str, str]) -> tuple[str, ...]:
    """What is wrong with these settings (and the version of the server), and what to do about it."""
    problems = []
    version = found.get(_VERSION, _MIN_VERSION)
    if int(version.split(".")[0]) < int(_MIN_VERSION.split(".")[0]):
        problems.append(f"the server behaves as Redis {version}: use Redis {_MIN_VERSION} or Valkey 7.2, or newer")
    if (policy := found.get("maxmemory-policy")) not in {None, "noeviction"}:
        problems.append(f"maxmemory-policy is {policy}, which drops keys: set it to noeviction")
    value = int(found.get("hash-max-listpack-value", _MIN_LISTPACK_VALUE))
    if value < _MIN_LISTPACK_VALUE:
        problems.append(f"hash-max-listpack-value is {value}, which doubles memory: set it to {_MIN_LISTPACK_VALUE}")
    entries = int(found.get("hash-max-listpack-entries", _MAX_LISTPACK_ENTRIES))
    if entries > _MAX_LISTPACK_ENTRIES:
        problems.append(
            f"hash-max-listpack-entries is {entries}, which slows acts: set it to {_MAX_LISTPACK_ENTRIES} or less"
        )
    return tuple(problems)
