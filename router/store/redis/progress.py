"""Waiting for a number of a pool to grow: all who wait share one blocking read."""

import asyncio
from collections.abc import Awaitable, Callable


class Progress:
    """A number that grows (what the relay has published, the newest stamp), and those who wait for more.

    ``read`` waits on the server until it is beyond a number, or a while, and returns what stands there then:
    that may be less than before, when the store was lost.
    """

    def __init__(self, read: Callable[[int], Awaitable[int]]) -> None:
        self._read = read
        self._number = 0
        self._waiters: dict[asyncio.Future[None], int] = {}
        self._reader: asyncio.Task[None] | None = None

    async def beyond(self, after: int, *, known: int, wait_s: float) -> int:
        """Wait until it is beyond ``after`` or the time is over; the number then. ``known`` is what the caller
        has just read. Raises what ``read`` raises."""
        if self._reader is None:
            self._number = known
        if max(known, self._number) > after:
            return max(known, self._number)
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters[waiter] = after
        if self._reader is None:
            self._reader = asyncio.create_task(self._follow(), name="store-progress")
        try:
            async with asyncio.timeout(wait_s):
                await waiter
        except TimeoutError:
            return self._number
        finally:
            self._waiters.pop(waiter, None)
        return self._number

    async def _follow(self) -> None:
        """Runs as long as somebody waits; a failure goes to all who do."""
        try:
            while self._waiters:
                self._number = await self._read(self._number)
                self._wake()
        except Exception as exc:  # noqa: BLE001 - handed to those who wait
            for waiter in self._waiters:
                if not waiter.done():
                    waiter.set_exception(exc)
        finally:
            self._reader = None

    def _wake(self) -> None:
        for waiter, after in list(self._waiters.items()):
            if self._number > after:
                del self._waiters[waiter]
                if not waiter.done():
                    waiter.set_result(None)

    async def close(self) -> None:
        """Those who still wait get no answer before their time is over."""
        if self._reader is not None:
            self._reader.cancel()
            await asyncio.wait([self._reader])
