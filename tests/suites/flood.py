"""A stage whose store and bus share one small server, and customers who write until nothing more is taken."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry

from router.contract.case import CaseStatus
from router.contract.ids import CaseId
from router.contract.topics import topic_specs
from router.runtime.bus.streams import StreamsBus
from router.runtime.errors import StoreFull
from router.service.errors import IntakeHeldBack
from router.service.pressure import Barometer, PressureMetrics
from router.store.marks import Level
from tests.servers import Server
from tests.suites.relays import Relaying
from tests.suites.server_stage import stage_on
from tests.suites.stage import POOL, RULES, Stage, rulebook

REOPEN_S = 600
LIMIT_BYTES = 32 * 1024 * 1024
_BODY_BYTES = 120_000
_LOOK_EACH = 5


class Flood:
    """``taken`` are the inquiries that came in, in order; ``refused`` those that have to come again."""

    def __init__(self, scene: Stage, server: Server, bus: StreamsBus) -> None:
        self.scene = scene
        self.bus = bus
        self._server = server
        metrics = PressureMetrics(CollectorRegistry(), (POOL,))
        self.barometer = Barometer(POOL, scene.store, clock=scene.clock, metrics=metrics)
        self.taken: list[str] = []
        self.refused: list[str] = []

    def limit(self, size_bytes: int) -> None:
        """Change what the server may use."""
        assert self._server.ask(f"CONFIG SET maxmemory {size_bytes}") == b"+OK"

    async def run_over(self) -> None:
        """From now on the server may use less than it does."""
        use = await self.scene.store.memory()
        assert use is not None
        self.limit(round(use.used_bytes * 0.95))

    async def look(self) -> Level:
        """A second later."""
        await self.scene.clock.advance_ms(1_000)
        return await self.barometer.look()

    async def share(self) -> float:
        use = await self.scene.store.memory()
        assert use is not None
        return use.share

    async def write(self, name: str) -> bool:
        """Whether the inquiry was taken."""
        try:
            await self.scene.write(name, secrets.token_hex(_BODY_BYTES // 2))
        except (IntakeHeldBack, StoreFull):
            self.refused.append(name)
            return False
        self.taken.append(name)
        return True

    async def fill(self) -> None:
        """Write until the first is refused."""
        number = 0
        while await self.write(f"c{number}"):
            number += 1
            if number % _LOOK_EACH == 0:
                await self.look()

    async def relay(self) -> None:
        """Bring what is in the outbox to the bus."""
        async with Relaying(self.scene, self.bus) as relaying:
            await relaying.until_all_relayed()

    async def work_off(self) -> None:
        """Advisors take and resolve whatever waits."""
        while True:
            await self.scene.settle()
            rings = [case for case in self.taken if await self._rings(case)]
            if not rings:
                return
            for case in rings:
                await self.scene.accept(case)
                await self.scene.resolve(case)
            await self.look()

    async def _rings(self, case: str) -> bool:
        found = await self.scene.store.case(POOL, CaseId(case))
        return found is not None and found.state is CaseStatus.OFFERED


@asynccontextmanager
async def flood(server: Server) -> AsyncIterator[Flood]:
    """On an empty server, whose limit is set."""
    bus = StreamsBus(server.url)
    await bus.create_topics(topic_specs((POOL,), inquiry_partitions=2, partitions=2))
    try:
        async with stage_on(server, rulebook(RULES + f"reopen_s: {REOPEN_S}\n")) as scene:
            made = Flood(scene, server, bus)
            made.limit(LIMIT_BYTES)
            yield made
    finally:
        assert server.ask("CONFIG SET maxmemory 0") == b"+OK"
        await bus.close()
