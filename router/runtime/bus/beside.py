"""Work that a loop has done now and then without waiting for it."""

import asyncio
import time
from collections.abc import Awaitable, Callable


class Beside:
    """One piece of work, again ``every_s`` after it last succeeded, never two at a time. Who makes it stops it."""

    def __init__(self, work: Callable[[], Awaitable[None]], *, every_s: float, name: str) -> None:
        self._work = work
        self._every_s = every_s
        self._name = name
        self._due_at = 0.0
        self._task: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Begin it when it is due. Raises what it raised since the last look; then it is due at once."""
        if self._task is not None and self._task.done():
            done, self._task = self._task, None
            if not done.cancelled():
                done.result()
        if self._task is None and time.monotonic() >= self._due_at:
            self._task = asyncio.create_task(self._once(), name=self._name)

    async def end(self, within_s: float) -> None:
        """Return once none is under way; one that takes longer is cut off. A failure is for the next look."""
        if self._task is None:
            return
        await asyncio.wait({self._task}, timeout=within_s)
        if not self._task.done():
            await self.stop()

    async def stop(self) -> None:
        """Cut off what is under way; its failure is nobody's."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _once(self) -> None:
        await self._work()
        self._due_at = time.monotonic() + self._every_s
