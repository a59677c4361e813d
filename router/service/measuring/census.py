"""The census: what one router of a pool counts for all, since each would find the same."""

from collections.abc import Callable
from typing import Final

from router.contract.ids import PoolId
from router.engine.roster import Roster
from router.runtime.clock import Clock
from router.service.measuring.invariants import Invariants
from router.service.measuring.queue_metrics import QueueMetrics
from router.store.protocol import Lines

_EVERY_MS: Final = 10_000


class Census:
    """One loop over one pool. ``is_ours`` says whether this router is the one; while it isn't, its queues are at
    zero, so that a sum over routers is right. For a moment there may be none or two."""

    def __init__(
        self,
        pool: PoolId,
        lines: Lines,
        invariants: Invariants,
        *,
        roster: Roster,
        clock: Clock,
        metrics: QueueMetrics,
    ) -> None:
        self._pool = pool
        self._lines = lines
        self._invariants = invariants
        self._roster = roster
        self._clock = clock
        self._metrics = metrics
        self.is_ours: Callable[[], bool] = lambda: True

    async def run(self) -> None:
        """Count until cancelled."""
        while True:
            await self.look()
            await self._clock.sleep_until_ms(self._clock.now_ms() + _EVERY_MS)

    async def look(self) -> None:
        """Count once, if it is this router's turn."""
        if self.is_ours():
            lines = await self._lines.line_sizes(self._pool)
            self._metrics.show(self._pool, lines, self._clock.now_ms(), roster=self._roster)
            await self._invariants.check()
        else:
            self._metrics.show(self._pool, (), self._clock.now_ms(), roster=self._roster)
            self._invariants.forget()
