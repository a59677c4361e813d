"""The format of a pool's state: what a newer version has made its own, an older one leaves alone."""

import logging
from typing import Final

from router.contract.ids import PoolId
from router.runtime.clock import Clock
from router.runtime.errors import StoreUnavailable
from router.service.errors import Superseded
from router.store.library import FORMAT
from router.store.protocol import Reads

LOG = logging.getLogger(__name__)
_LOOK_MS: Final = 5_000


class FormatWatch:
    """One pool's, in one process.

    Acts are refused by the store itself once the format has risen, so a process that learns of it late does no harm.
    This is how all learn of it, those too that act seldom or never (API, relay), and how one that is started again
    keeps off: it takes no partitions, no fences and no lease from processes that can work.
    """

    def __init__(self, pool: PoolId, reads: Reads, *, clock: Clock) -> None:
        self._pool = pool
        self._reads = reads
        self._clock = clock
        self._problem: str | None = None

    def problem(self) -> str | None:
        """Why this version may not act, as of the last look."""
        return self._problem

    async def enter(self) -> None:
        """Return once the pool isn't known to be newer than this version: as long as it takes, an upgrade or a store
        put back. A pool that isn't there, or a store that is away, is not for this watch to wait for."""
        while await self._is_newer():
            await self._clock.sleep_until_ms(self._clock.now_ms() + _LOOK_MS)

    async def run(self) -> None:
        """Look now and then, until cancelled. Raises ``Superseded`` as soon as the format has risen."""
        while not await self._is_newer():
            await self._clock.sleep_until_ms(self._clock.now_ms() + _LOOK_MS)
        raise Superseded(self._problem or "")

    async def _is_newer(self) -> bool:
        try:
            found = (await self._reads.status(self._pool)).format
        except StoreUnavailable:
            return self._problem is not None
        was, self._problem = self._problem, None
        if found > FORMAT:
            self._problem = (
                f"the state of pool {self._pool} has format {found}, this version knows {FORMAT}: upgrade this process"
            )
            if was is None:
                LOG.error("%s", self._problem, extra={"event": "format.newer", "pool": self._pool, "format": found})
        return self._problem is not None
