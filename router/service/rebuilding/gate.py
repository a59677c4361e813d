"""The gate: no act runs on a store before it is known to hold all that the bus does."""

import asyncio
import logging
from typing import Final

from router.contract.ids import PoolId
from router.runtime.bus.protocol import Bus
from router.runtime.clock import Clock
from router.runtime.errors import BusUnavailable, StoreUnavailable
from router.service.errors import Superseded
from router.service.rebuilding.compare import Reach, reach_of
from router.service.rebuilding.rebuild import Rebuilder
from router.store.protocol import Store
from router.store.rebuilds import Rebuilds, Standing

LOG = logging.getLogger(__name__)
_LOOK_MS: Final = 500


class Gate:
    """One pool's. The server itself refuses acts until somebody has vouched for the pool since it began (and in a
    pool of an older gen), so a process that looks away can do no harm; this is how it finds out and what it does.

    ``rebuilder`` None: this process only waits until one of those that may rebuild has done so.
    """

    def __init__(
        self, pool: PoolId, store: Store, rebuilds: Rebuilds, bus: Bus, *, clock: Clock, rebuilder: Rebuilder | None
    ) -> None:
        self._pool = pool
        self._store = store
        self._rebuilds = rebuilds
        self._bus = bus
        self._clock = clock
        self._rebuilder = rebuilder
        self._entering = asyncio.Lock()
        self._is_rebuilding = False
        self._problem: str | None = "the state store has not been compared with the bus yet"

    @property
    def problem(self) -> str | None:
        """Why acts can't run yet, for whoever asks whether the process is ready."""
        if self._is_rebuilding and self._rebuilder is not None:
            return f"rebuilding: {self._rebuilder.doing}"
        return self._problem

    async def enter(self) -> int:
        """Return the pool's gen once acts may run: compare, vouch, rebuild or wait for who does, as long as it
        takes. A store or bus that is away is waited for."""
        async with self._entering:
            while True:
                try:
                    gen = await self._try()
                except (StoreUnavailable, BusUnavailable, Superseded) as exc:
                    self._problem = f"the state store can't be compared with the bus: {exc}"
                    LOG.warning("%s", self._problem, extra={"event": "gate.retry", "pool": self._pool})
                else:
                    if gen:
                        self._problem = None
                        return gen
                await self._clock.sleep_until_ms(self._clock.now_ms() + _LOOK_MS)

    async def _try(self) -> int:
        """The gen when acts may run, else 0 after a step towards it."""
        standing = await self._rebuilds.inspect(self._pool)
        if standing.verified:
            return standing.gen
        if standing.rebuild is not None:
            return await self._wait_or_rebuild(standing)
        reach = await reach_of(self._bus, self._pool)
        if reach is None and not standing.is_there:
            return (await self._store.open_pool(self._pool)).gen
        if standing.is_there and not is_behind(standing, reach):
            return standing.gen if await self._rebuilds.vouch(self._pool, standing) else 0
        LOG.error(
            "the state store is behind the bus",
            extra={"event": "gate.behind", "pool": self._pool, "number": standing.number, "gen": standing.gen},
        )
        return await self._wait_or_rebuild(standing)

    async def _wait_or_rebuild(self, standing: Standing) -> int:
        status, rebuilder = standing.rebuild, self._rebuilder
        # Our own attempt of before, which failed, need not be waited for.
        if status is not None and status.left_ms and (rebuilder is None or status.holder != rebuilder.holder):
            self._problem = f"rebuilding: {status.done} of {status.total}"
            return 0
        if rebuilder is None:
            self._problem = "the state store is behind the bus and waits for a router to rebuild it"
            return 0
        self._is_rebuilding = True
        try:
            rebuilt = await rebuilder.run()
        finally:
            self._is_rebuilding = False
        return rebuilt.gen if rebuilt else 0


def is_behind(standing: Standing, reach: Reach | None) -> bool:
    """Whether the bus has more of the pool than the store."""
    return reach is not None and (standing.gen, standing.number) < reach.rank
