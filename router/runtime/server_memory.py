"""How much memory the state server uses, and how much it may."""

from collections.abc import Awaitable, Callable

import msgspec

from router.runtime.errors import CommandRefused


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
