"""What keeps a process off a pool: a format that a newer version has made its own, or this host's clock."""

import logging
from typing import Final

from router.contract.ids import PoolId
from router.runtime.clock import Clock
from router.runtime.errors import StoreUnavailable
from router.service.errors import ServiceError, SkewedClock, Superseded
from router.store.library import FORMAT
from router.store.protocol import MAX_SKEW_MS, PoolStatus, Reads

LOG = logging.getLogger(__name__)
_LOOK_MS: Final = 5_000


class PoolWatch:
    """One pool's, in one process.

    Acts are refused by the store itself once the format has risen, and under a clock that is far ahead, so a process
    that learns of it late does no harm. A clock that is behind the store can't tell from an act that took its time:
    this watch can, as it knows when it asked. This is also how all learn of it, those too that act seldom or never
    (API, relay), and how one that is started again keeps off: it takes no partitions, no fences and no lease from
    processes that can work.
    """

    def __init__(self, pool: PoolId, reads: Reads, *, clock: Clock) -> None:
        self._pool = pool
        self._reads = reads
        self._clock = clock
        self._problem: ServiceError | None = None

    def problem(self) -> str | None:
        """Why this process may not act, as of the last look."""
        return None if self._problem is None else str(self._problem)

    async def enter(self) -> None:
        """Return once nothing is known that keeps this process off: as long as it takes, an upgrade, a clock set
        right and a restart, or a store put back. A pool that isn't there, or a store that is away, is not for this
        watch to wait for."""
        while await self._look() is not None:
            await self._clock.sleep_until_ms(self._clock.now_ms() + _LOOK_MS)

    async def run(self) -> None:
        """Look now and then, until cancelled. Raises ``Superseded`` as soon as the format has risen, ``SkewedClock``
        as soon as the clock is found to be off."""
        while (problem := await self._look()) is None:
            await self._clock.sleep_until_ms(self._clock.now_ms() + _LOOK_MS)
        raise problem

    async def _look(self) -> ServiceError | None:
        asked_ms = self._clock.now_ms()
        try:
            status = await self._reads.status(self._pool)
        except StoreUnavailable:
            return self._problem
        was, self._problem = self._problem, self._problem_of(status, asked_ms, self._clock.now_ms())
        if self._problem is not None and was is None:
            newer = isinstance(self._problem, Superseded)
            event = {"event": "format.newer" if newer else "clock.skewed", "pool": self._pool, "format": status.format}
            LOG.error("%s", self._problem, extra=event)
        return self._problem

    def _problem_of(self, status: PoolStatus, asked_ms: int, answered_ms: int) -> ServiceError | None:
        if status.format > FORMAT:
            return Superseded(
                f"the state of pool {self._pool} has format {status.format}, this version knows {FORMAT}: "
                "upgrade this process"
            )
        # Two witnesses, as for an act: one of them may itself be off, or stand still.
        if asked_ms > max(status.now_ms, status.witness_ms) + MAX_SKEW_MS:
            return SkewedClock("this host's clock is ahead of the store's by more than 5 s: correct it and restart")
        if answered_ms < min(status.now_ms, status.witness_ms) - MAX_SKEW_MS:
            return SkewedClock("this host's clock is behind the store's by more than 5 s: correct it and restart")
        return None
