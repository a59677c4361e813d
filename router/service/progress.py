"""Durability: waiting until the relay has brought an act's events to the bus."""

import asyncio
import heapq
import itertools
from typing import Final

from router.contract.ids import PoolId
from router.store.protocol import Outbox

_WAIT_MS: Final = 1_000


class Progress:
    """Follows the relay of one pool and wakes those who wait for it."""

    def __init__(self, pool: PoolId, outbox: Outbox) -> None:
        self._pool = pool
        self._outbox = outbox
        self._order = itertools.count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self.reached_number = 0

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            number = await self._outbox.relayed(self._pool, self.reached_number, wait_ms=_WAIT_MS)
            self.reached_number = max(self.reached_number, number)
            while self._waiting and self._waiting[0][0] <= self.reached_number:
                _, _, waiter = heapq.heappop(self._waiting)
                if not waiter.done():
                    waiter.set_result(None)

    async def reached(self, number: int) -> None:
        """Return once everything up to that outbox number is on the bus; 0 is at once."""
        if (waiter := self.confirmation(number)) is not None:
            await waiter

    def confirmation(self, number: int) -> "asyncio.Future[None] | None":
        """What ``reached`` waits for, without waiting; None when it is there. Cheaper than a task for each number."""
        if number <= self.reached_number:
            return None
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._waiting, (number, next(self._order), waiter))
        return waiter

    async def reached_within(self, number: int, timeout_s: float) -> bool:
        """Whether it got there in that time."""
        try:
            async with asyncio.timeout(timeout_s):
                await self.reached(number)
        except TimeoutError:
            return False
        return True
