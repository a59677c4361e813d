"""Several routers' matchers on the store of one stage, each with a roster and metrics of its own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from prometheus_client import CollectorRegistry

from router.contract.case import CaseState
from router.contract.ids import CaseId, PoolId
from router.service.acting import Actor
from router.service.matching.matcher import Matcher
from router.service.matching.shares import Shares
from router.service.measuring.metrics import ServiceMetrics
from router.service.roster import RosterTail
from router.store.memory import MemoryStore
from router.store.protocol import EVERYTHING, Head, Share, WorkBatch
from tests.suites.stage import POOL, Stage

PARTITIONS = 12


class Diary:
    """Reads of a store, and which items were read to be served. Like a server elsewhere it lets others go on
    before it answers."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.items: list[str] = []

    def __getattr__(self, name: str) -> object:
        return getattr(self._store, name)

    async def work(self, pool: PoolId, *, share: Share = EVERYTHING, limit: int = 200) -> WorkBatch:
        batch = await self._store.work(pool, share=share, limit=limit)
        self.items += [item.item for item in batch.items]
        return batch

    async def heads(self, pool: PoolId) -> Sequence[Head]:
        heads = await self._store.heads(pool)
        await asyncio.sleep(0)
        return heads

    async def case(self, pool: PoolId, case: CaseId) -> CaseState | None:
        state = await self._store.case(pool, case)
        await asyncio.sleep(0)
        return state


class Router:
    """A matcher whose ``partitions`` the test hands out."""

    def __init__(self, scene: Stage, partitions: frozenset[int]) -> None:
        self.partitions = partitions
        self.registry = CollectorRegistry()
        self.diary = Diary(scene.store)
        metrics = ServiceMetrics(self.registry)
        self.actor = Actor(POOL, scene.store, scene.store, clock=scene.clock, metrics=metrics)
        self.tail = RosterTail(POOL, scene.store)
        self.actor.tell(self.tail.correct)
        self.matcher = Matcher(
            self.actor,
            self.diary,  # type: ignore[arg-type]  # what it doesn't define the store does
            self.tail,
            policies=scene.policies,
            metrics=metrics,
            shares=Shares(lambda: self.partitions, of=PARTITIONS),
        )

    def count(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that have these labels."""
        samples = [sample for family in self.registry.collect() for sample in family.samples]
        return sum(
            sample.value for sample in samples if sample.name == name and labels.items() <= sample.labels.items()
        )


@asynccontextmanager
async def routers(scene: Stage, *partitions: Sequence[int]) -> AsyncIterator[list[Router]]:
    """One router for each set of partitions, with its roster read."""
    every = [Router(scene, frozenset(mine)) for mine in partitions]
    async with AsyncExitStack() as stack:
        for one in every:
            await one.actor.open()
            tailing = asyncio.create_task(one.tail.run(), name="tail")
            stack.push_async_callback(_end, tailing)
            await one.tail.ready.wait()
        yield every


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
