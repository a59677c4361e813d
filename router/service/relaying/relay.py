"""The relay: the outbox goes to the bus, in order, and is forgotten only when the bus has it."""

import asyncio
import contextlib
import logging
from typing import Final

from router.contract.ids import PoolId
from router.runtime.bus.protocol import Bus
from router.runtime.clock import Clock
from router.runtime.errors import StoreUnavailable
from router.service.errors import StoreBehind, Superseded
from router.service.measuring.metrics import ServiceMetrics
from router.service.relaying.metrics import Leaving
from router.service.relaying.notes import RelayNotes
from router.service.relaying.reading import OutboxReader
from router.service.relaying.sending import Patience, Sender
from router.service.relaying.tenure import Tenure, Tools
from router.service.relaying.turn import Check, RelayTurn
from router.store.protocol import Outbox, RelayLease

LOG = logging.getLogger(__name__)
SILENT_S: Final = 5.0
_RELEASE_S: Final = 1.0


class Relay:
    """One pool's relay: owner of its outbox, or standing by until the owner has been silent for ``silent_s``.

    ``check`` may object to a store from which nothing may be relayed; it is asked again every few seconds.
    What it publishes twice (after a lost answer, or by two relays) has the same ids and bytes. Make it in the
    event loop that runs it.
    """

    def __init__(  # noqa: PLR0913 - one keyword for each thing it works with
        self,
        pool: PoolId,
        outbox: Outbox,
        bus: Bus,
        *,
        clock: Clock,
        metrics: ServiceMetrics,
        silent_s: float = SILENT_S,
        alone: bool = False,
        check: Check | None = None,
    ) -> None:
        self._pool = pool
        self._outbox = outbox
        self._clock = clock
        self._metrics = metrics
        self._alone = alone
        self._word_s = silent_s / 3
        self._stopping = asyncio.Event()
        self._moved_at_s = clock.monotonic()
        self._tenure: Tenure | None = None
        self._turn = RelayTurn(
            pool, outbox, clock=clock, metrics=metrics, silent_s=silent_s, check=check or _no_objection
        )
        patience = Patience(clock, self._stopping)
        sender = Sender(pool, bus, patience=patience, metrics=metrics, answered=self._moved)
        reader, notes = OutboxReader(pool, outbox), RelayNotes(pool, bus, clock=clock)
        self._tools = Tools(pool, outbox, reader, sender, notes, clock, metrics, patience, self._moved)
        metrics.relay.watch(pool, age_s=self.age_s, is_owner=self.is_owner)

    async def run(self) -> None:
        """Relay, or stand by, until ``stop`` or cancelled; the outbox is given up at the end."""
        alone, self._alone = self._alone, False
        while (lease := await self._turn.come(self._stopping, looked=self._moved, alone=alone)) is not None:
            alone = False
            await self._own(lease)

    def stop(self) -> None:
        """End ``run`` after the batch that is on its way. Repeating it does nothing."""
        self._stopping.set()

    def is_owner(self) -> bool:
        """Whether this relay is the one that serves the pool, as far as it knows."""
        return self._tenure is not None

    def standby(self) -> str | None:
        """Why this relay doesn't serve the pool; None when it does."""
        return None if self.is_owner() else self._turn.problem or "stands by: another relay serves the pool"

    def unready(self) -> str | None:
        """Why this relay neither serves the pool nor could take over; to stand by is to be ready, or a rolling
        restart would wait for ever for the second to be the first."""
        return None if self.is_owner() else self._turn.problem

    def age_s(self) -> float:
        """The age of the oldest entry that is to go to the bus; 0 when there is none, or another relay serves."""
        oldest_ms = self._tenure.oldest_ms if self._tenure else None
        return max(0.0, (self._clock.now_ms() - oldest_ms) / 1_000) if oldest_ms is not None else 0.0

    def problem(self, limit_s: float) -> str | None:
        """Why this relay counts as stuck, if it does: for so long nothing reached the bus although the outbox holds
        something, and neither bus nor store have failed to take it. One that stands by has to look."""
        age_s = self._clock.monotonic() - self._moved_at_s
        if age_s <= limit_s:
            return None
        return f"the relay of pool {self._pool} has not moved for {age_s:.0f} s"

    def _moved(self) -> None:
        self._moved_at_s = self._clock.monotonic()

    async def _own(self, lease: RelayLease) -> None:
        self._tenure = tenure = Tenure(lease, self._tools, word_s=self._word_s)
        self._tools.notes.moved(lease.gen, lease.trimmed)
        try:
            async with asyncio.TaskGroup() as group:
                beside = [group.create_task(tenure.keep()), group.create_task(self._tools.notes.run())]
                await tenure.serve(self._stopping)
                for task in beside:
                    task.cancel()
        except* Superseded as group_of:
            self._left(Leaving.SUPERSEDED, group_of)
        except* StoreBehind as group_of:
            self._left(Leaving.STORE_BEHIND, group_of)
        finally:
            self._tenure = None
            await self._release(lease)

    def _left(self, why: Leaving, errors: BaseExceptionGroup[Exception]) -> None:
        self._metrics.relay.left.labels(why).inc()
        extra = {"event": "relay.left", "pool": self._pool, "why": why}
        LOG.warning("this relay stands back: %s", errors.exceptions[0], extra=extra)

    async def _release(self, lease: RelayLease) -> None:
        """So that the next owner needn't wait; where the store is away, he waits."""
        with contextlib.suppress(StoreUnavailable, TimeoutError):
            async with asyncio.timeout(_RELEASE_S):
                await self._outbox.release(self._pool, lease)


async def _no_objection(_: RelayLease) -> str | None:
    return None
