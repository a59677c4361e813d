"""The safety sweep: looks for a case that waits while somebody eligible is free. It must find nothing."""

import logging
from typing import Final

from router.contract.ids import PoolId
from router.engine.interrupting import could_be_taken
from router.engine.parking import to_resume
from router.engine.waiting import read_class
from router.runtime.clock import Clock
from router.service.configuration.policies import Policies
from router.service.measuring.metrics import ServiceMetrics
from router.service.roster import RosterTail
from router.store.protocol import Reads
from router.store.rebuilds import Rebuilds

LOG = logging.getLogger(__name__)
_CONFIRM_MS: Final = 1_000


class Sweep:
    """Looks twice, a second apart: a class seen both times without pending work and with the same head is a find.

    It assigns nothing: a find is a defect to be counted and reported, not a way of working. While the store may have
    lost something nobody may assign anything, so nothing is found; ``rebuilds`` tells.
    """

    def __init__(  # noqa: PLR0913 - one for each thing it joins
        self,
        pool: PoolId,
        reads: Reads,
        tail: RosterTail,
        *,
        rebuilds: Rebuilds,
        policies: Policies,
        clock: Clock,
        metrics: ServiceMetrics,
        every_s: float,
    ) -> None:
        self._pool = pool
        self._reads = reads
        self._rebuilds = rebuilds
        self._tail = tail
        self._policies = policies
        self._clock = clock
        self._metrics = metrics
        self._every_s = every_s

    async def run(self) -> None:
        while True:
            await self._clock.sleep_until_ms(self._clock.now_ms() + int(self._every_s * 1000))
            for class_key, case in await self._find():
                self._metrics.sweep_found.inc()
                LOG.error(
                    "a case waits though somebody is free",
                    extra={"event": "sweep.found", "pool": self._pool, "case": case, "class": class_key},
                )

    async def _find(self) -> set[tuple[str, str]]:
        life = await self._life()
        found = await self.look()
        if found:
            await self._clock.sleep_until_ms(self._clock.now_ms() + _CONFIRM_MS)
            found &= await self.look()
        # An old copy of the store that was put back is full of what is done already.
        return found if life and life == await self._life() else set()

    async def _life(self) -> tuple[str, int] | None:
        """Which life of the pool the store is in, while acts may run."""
        standing = await self._rebuilds.inspect(self._pool)
        return (standing.life, standing.gen) if standing.verified else None

    async def look(self) -> set[tuple[str, str]]:
        """(class, head) of each class that nobody is working on and somebody could take, if need be by parking; and
        (advisor, case) of parked work that he has room for."""
        batch = await self._reads.work(self._pool)
        if batch.items:
            return set()
        await self._tail.caught_up(batch.change)
        heads = await self._reads.heads(self._pool)
        states = [member.state for member in self._tail.roster]
        parked = {(str(state.id), case) for state in states if (case := to_resume(state)) is not None}
        roster, rulebook = self._tail.roster, self._policies.active
        waits = {
            (head.class_key, head.case)
            for head in heads
            if could_be_taken(roster, read_class(head.class_key), rulebook)
        }
        return parked | waits
