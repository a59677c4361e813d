"""Turns: one at a time, the least place first."""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """Who comes in the same step of the loop as the turn is given back is considered, too: so a lane that goes on to
    its next record is not overtaken by a later one."""

    def __init__(self) -> None:
        self._order = itertools.count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._is_taken = False

    @asynccontextmanager
    async def one(self, place: int) -> AsyncIterator[None]:
        """Wait for the turn, and have it while in here."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[None] = loop.create_future()
        heapq.heappush(self._waiting, (place, next(self._order), waiter))
        loop.call_soon(self._give)
        try:
            await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():  # it was given just before
                self._is_taken = False
                loop.call_soon(self._give)
            raise
        try:
            yield
        finally:
            self._is_taken = False
            loop.call_soon(self._give)

    def _give(self) -> None:
        while self._waiting and not self._is_taken:
            _, _, waiter = heapq.heappop(self._waiting)
            if not waiter.done():
                self._is_taken = True
                waiter.set_result(None)
