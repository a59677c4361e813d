"""Whose turn it is to relay: one relay of a pool is the owner of its outbox, the others stand by."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from router.contract.ids import PoolId
from router.runtime.clock import Clock
from router.runtime.errors import BusUnavailable, StoreUnavailable
from router.service.measuring.metrics import ServiceMetrics
from router.service.relaying.metrics import Coming, Failing
from router.store.protocol import Outbox, RelayLease
from router.store.rebuilds import Rebuilds

LOG = logging.getLogger(__name__)
Check = Callable[[RelayLease], Awaitable[str | None]]
"""Asked before a turn is taken: why nothing may be relayed from this store now, or None."""

_LOOK_S: Final = 0.5
_UNFIT_S: Final = 1.0
_BEFORE: Final = "has not looked at the outbox yet"


def unless_vouched(pool: PoolId, rebuilds: Rebuilds) -> Check:
    """Objects to a store that nobody has compared with the bus since it began. To relay from one that has lost its tail
    would write lower notes over the one that tells of the loss."""

    async def check(_: RelayLease) -> str | None:
        if (await rebuilds.inspect(pool)).verified:
            return None
        return "the state store has not been compared with the bus yet"

    return check


class Onlooker:
    """How long an owner has been silent, as far as it was watched: a time in which nobody looked, because this
    process stood still, counts as one look at most."""

    def __init__(self, *, look_s: float) -> None:
        self._look_s = look_s
        self._seen: tuple[int, int, int] | None = None
        self._looked_at_s = 0.0
        self.silent_s = 0.0

    def look(self, lease: RelayLease, now_s: float) -> None:
        seen = (lease.gen, lease.epoch, lease.beat)
        gap_s = min(now_s - self._looked_at_s, 2 * self._look_s)
        self.silent_s = self.silent_s + gap_s if seen == self._seen else 0.0
        self._seen, self._looked_at_s = seen, now_s


class RelayTurn:
    """One relay's place in the line for a pool's outbox.

    It comes to its turn when the outbox is free, or when the owner has said nothing for ``silent_s``. With
    ``alone`` the first turn is its own at once: nobody else can be there, only what a crash has left. ``problem``
    is why it isn't fit to take over; None while it stands by in order.
    """

    def __init__(
        self, pool: PoolId, outbox: Outbox, *, clock: Clock, metrics: ServiceMetrics, silent_s: float, check: Check
    ) -> None:
        self._pool = pool
        self._outbox = outbox
        self._check = check
        self._clock = clock
        self._metrics = metrics
        self._silent_s = silent_s
        self._look_s = min(_LOOK_S, silent_s / 4)
        self._is_fit_now = True
        self.problem: str | None = _BEFORE

    async def come(
        self, stopping: asyncio.Event, *, looked: Callable[[], None], alone: bool = False
    ) -> RelayLease | None:
        """Wait for the turn; None when told to stop before it. Whatever fails on the way is tried again; ``looked``
        is called after every look."""
        onlooker, self.problem = Onlooker(look_s=self._look_s), _BEFORE
        while not stopping.is_set():
            try:
                lease = await self._outbox.lease(self._pool)
                onlooker.look(lease, self._clock.monotonic())
                if (taken := await self._try(lease, onlooker.silent_s, alone=alone)) is not None:
                    return taken
            except (BusUnavailable, StoreUnavailable) as exc:
                self._failed(exc)
            looked()
            await self._clock.wait(stopping, self._look_s if self._is_fit_now else _UNFIT_S)
        return None

    async def _try(self, lease: RelayLease, silent_s: float, *, alone: bool) -> RelayLease | None:
        if lease.held and silent_s < self._silent_s and not alone:
            if self.problem is not None:
                LOG.info("another relay serves the pool", extra={"event": "relay.standby", "pool": self._pool})
            self.problem, self._is_fit_now = None, True
            return None
        if not await self._is_fit(lease):
            return None
        taken = await self._outbox.take_over(self._pool, lease)
        if taken is not None:
            how = Coming.SILENT if lease.held else Coming.FREE
            self._metrics.relay.taken.labels(how).inc()
            extra = {"event": "relay.taken", "pool": self._pool, "epoch": taken.epoch, "how": how}
            LOG.info("this relay serves the pool from now on", extra=extra)
        return taken

    async def _is_fit(self, lease: RelayLease) -> bool:
        """Whether nothing speaks against relaying from this store."""
        was_fit, objection = self._is_fit_now, await self._check(lease)
        self._is_fit_now = objection is None
        if objection is None:
            return True
        if was_fit:
            LOG.error("nothing is relayed: %s", objection, extra={"event": "relay.unfit", "pool": self._pool})
        self.problem = objection
        return False

    def _failed(self, exc: BusUnavailable | StoreUnavailable) -> None:
        of = Failing.BUS if isinstance(exc, BusUnavailable) else Failing.STORE
        LOG.warning("no look at the outbox's lease: %s", exc, extra={"event": "relay.retry", "pool": self._pool})
        self._metrics.relay.retries.labels(of).inc()
        self.problem = f"can't look at the outbox: the {of} doesn't answer"
