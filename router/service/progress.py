"""Durability: waiting until the relay has brought an act's events to the bus."""

import asyncio
import heapq
import itertools
from typing import Final

from router.contract.ids import PoolId
from router.service.errors import PoolUnsettled
from router.store.protocol import Outbox
from router.store.rebuilds import gen_of

_WAIT_MS: Final = 1_000
_TIDY_FROM: Final = 1_024


class Progress:
    """Follows the relay of one pool and wakes those who wait for it. Whoever waits for a number of a gen that is over
    gets ``PoolUnsettled``: it may have been lost with the store, or be on the bus."""

    def __init__(self, pool: PoolId, outbox: Outbox) -> None:
        self._pool = pool
        self._outbox = outbox
        self._order = itertools.count()
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._tidy_at = _TIDY_FROM
        self.reached_number = 0

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            number = await self._outbox.relayed(self._pool, self.reached_number, wait_ms=_WAIT_MS)
            self.reached_number = max(self.reached_number, number)
            while self._waiting and self._waiting[0][0] <= self.reached_number:
                waited, _, waiter = heapq.heappop(self._waiting)
                self._end(waiter, waited)

    async def reached(self, number: int) -> None:
        """Return once everything up to that outbox number is on the bus; 0 is at once."""
        if (waiter := self.confirmation(number)) is not None:
            await waiter

    def confirmation(self, number: int) -> "asyncio.Future[None] | None":
        """What ``reached`` waits for, without waiting; None when it is there. Cheaper than a task for each number."""
        if number <= self.reached_number and not self._is_over(number):
            return None
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if number <= self.reached_number:
            self._end(waiter, number)
            return waiter
        heapq.heappush(self._waiting, (number, next(self._order), waiter))
        if len(self._waiting) >= self._tidy_at:
            self._tidy()
        return waiter

    def _tidy(self) -> None:
        """Forget those who have given up: while the bus is away for long nobody else would."""
        self._waiting = [each for each in self._waiting if not each[2].done()]
        heapq.heapify(self._waiting)
        self._tidy_at = max(_TIDY_FROM, 2 * len(self._waiting))

    def _is_over(self, number: int) -> bool:
        """Whether a number is of an older gen than what was reached last; 0 is of none."""
        return number > 0 and gen_of(number) < gen_of(self.reached_number)

    def _end(self, waiter: "asyncio.Future[None]", number: int) -> None:
        if waiter.done():
            return
        if self._is_over(number):
            waiter.set_exception(PoolUnsettled(f"pool {self._pool} was rebuilt meanwhile"))
        else:
            waiter.set_result(None)

    async def reached_within(self, number: int, timeout_s: float) -> bool:
        """Whether it got there in that time; a number of a gen that is over never does."""
        try:
            async with asyncio.timeout(timeout_s):
                await self.reached(number)
        except (TimeoutError, PoolUnsettled):
            return False
        return True
