"""Keeping a pool settled while a process runs: as soon as an act is refused as foreign, through the gate again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from router.contract.ids import PoolId
from router.runtime.clock import Clock
from router.runtime.errors import StoreUnavailable
from router.service.rebuilding.gate import Gate

LOG = logging.getLogger(__name__)
_PAUSE_MS: Final = 500

Settled = Callable[[], Awaitable[object]]


class PoolKeeper:
    """One pool's, in one process."""

    def __init__(self, pool: PoolId, gate: Gate, *, clock: Clock) -> None:
        self._pool = pool
        self._gate = gate
        self._clock = clock
        self._doubt = asyncio.Event()
        self._settled: list[Settled] = []

    def when_settled(self, settled: Settled) -> None:
        """``settled`` is awaited each time that acts may go on again: the pool may have another gen."""
        self._settled.append(settled)

    def doubt(self) -> None:
        """An act was refused as foreign. Repeating it does nothing."""
        self._doubt.set()

    def problem(self) -> str | None:
        """Why acts can't run, as far as this process knows."""
        if self._gate.problem is not None:
            return self._gate.problem
        return "looks whether the state store has lost something" if self._doubt.is_set() else None

    async def enter(self) -> None:
        """Return once acts may run."""
        await self._gate.enter()

    async def run(self) -> None:
        """Settle every doubt, until cancelled. The doubt stands until all who have to know have been told."""
        while True:
            await self._doubt.wait()
            LOG.warning("acts are refused: the pool is looked after", extra={"event": "pool.doubt", "pool": self._pool})
            try:
                await self._gate.enter()
                for settled in self._settled:
                    await settled()
            except StoreUnavailable as exc:
                LOG.warning("the pool isn't settled yet: %s", exc, extra={"event": "pool.retry", "pool": self._pool})
                await self._clock.sleep_until_ms(self._clock.now_ms() + _PAUSE_MS)
            else:
                self._doubt.clear()
                LOG.info("acts go on", extra={"event": "pool.settled", "pool": self._pool})
