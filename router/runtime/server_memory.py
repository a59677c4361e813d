"""How much memory the state server uses, and how much it may."""

import contextlib
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from router.runtime.clock import Clock
from router.runtime.errors import CommandRefused, StoreUnavailable


class MemoryUse(msgspec.Struct, frozen=True, kw_only=True):
    """What counts against the server's limit, and the limit."""

    used_bytes: int
    max_bytes: int

    @property
    def share(self) -> float:
        return self.used_bytes / self.max_bytes


async def memory_use(call: Callable[..., Awaitable[object]]) -> MemoryUse | None:
    """Ask the server by ``call``, which runs one command. None where nobody knows: the server has no limit, or (some
    hosted ones) doesn't show its use. Raises as ``call`` for all else."""
    try:
        info = await call("INFO", "memory")
    except CommandRefused:
        return None
    return memory_of(info.decode()) if isinstance(info, bytes) else None


def memory_of(info: str) -> MemoryUse | None:
    """As the server's section ``memory`` says."""
    found = dict(line.split(":", 1) for line in info.splitlines() if ":" in line)
    try:
        used, most = int(found["used_memory"]), int(found["maxmemory"])
        # What waits for replicas and the log is not counted when the server refuses for memory.
        aside = int(found.get("mem_not_counted_for_evict", "0"))
    except (KeyError, ValueError):
        return None
    return MemoryUse(used_bytes=max(0, used - aside), max_bytes=most) if most > 0 else None


SOFT: Final = (0.80, 0.75)
"""Of the server's memory: where new work begins to wait, and below which share it goes on."""
_LOOK_S: Final = 1.0


class Room:
    """Whether the server that carries the bus has room for what comes from outside. It looks at most once a second,
    when somebody asks. What is in the server already needs room to get on and leave."""

    def __init__(self, call: Callable[..., Awaitable[object]], clock: Clock) -> None:
        self._call = call
        self._clock = clock
        self._look_at_s = 0.0
        self._is_short = False

    async def is_short(self) -> bool:
        """As of at most a second ago. A server that doesn't answer leaves it as it was: the bus fails by itself."""
        now_s = self._clock.monotonic()
        if now_s >= self._look_at_s:
            self._look_at_s = now_s + _LOOK_S  # before the look, so that others don't look too
            with contextlib.suppress(StoreUnavailable):
                use = await memory_use(self._call)
                begins, ends = SOFT
                self._is_short = use is not None and use.share >= (ends if self._is_short else begins)
        return self._is_short
