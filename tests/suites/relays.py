"""A relay on the stage: a bus that can be told to fail, and time that passes only when a test lets it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Self, TypeVar

from router.contract import topics
from router.contract.topics import topic_specs
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.protocol import Bus, Outgoing, Position
from router.runtime.errors import BusUnavailable, RecordRefused
from router.service.relaying.relay import Relay
from tests.suites.eventually import eventually
from tests.suites.stage import POOL, Stage

_STEP_MS = 250
_STEPS = 4_000


class RelayBus(MemoryBus):
    """Loses the first ``lost`` acknowledgements (but those of notes), takes nothing while ``away``, never takes the key
    ``hated`` nor more than ``max_bytes``; dead letters of any key are taken."""

    def __init__(self) -> None:
        super().__init__()
        self.lost = 0
        self.away = False
        self.hated = ""
        self.max_bytes = 1_000_000
        self.refusals = 0
        self.batches: list[int] = []

    async def publish(self, records: Sequence[Outgoing]) -> Sequence[Position]:
        if self.away:
            self.refusals += 1
            raise BusUnavailable("no answer")
        for index, record in enumerate(records):
            if record.key == self.hated and record.topic != topics.DEAD_LETTERS:
                raise RecordRefused(index, "too bad")
            if len(record.value or b"") > self.max_bytes:
                raise RecordRefused(index, "too large")
        positions = await super().publish(records)
        if records[0].topic == topics.CONFIG:
            return positions
        self.batches.append(len(records))
        if self.lost:
            self.lost -= 1
            raise BusUnavailable("no answer")
        return positions


B = TypeVar("B", bound=MemoryBus)


async def with_topics(bus: B) -> B:
    await bus.create_topics(topic_specs((POOL,), inquiry_partitions=4, partitions=4))
    return bus


async def bus_of() -> RelayBus:
    """A bus with its topics."""
    return await with_topics(RelayBus())


async def events_of(bus: Bus) -> list[str]:
    """The cases whose events are on the bus."""
    return [record.key async for record in bus.history(topics.EVENTS)]


async def is_all_relayed(scene: Stage) -> bool:
    status = await scene.store.status(POOL)
    return status.trimmed == status.number


async def all_relayed(scene: Stage) -> None:
    """Return once nothing is left in the outbox."""
    await eventually(lambda: is_all_relayed(scene))


class Relaying:
    """A relay that runs while the block does."""

    def __init__(self, scene: Stage, bus: Bus, *, relay: Relay | None = None, alone: bool = False) -> None:
        self._scene = scene
        self.relay = relay or Relay(POOL, scene.store, bus, clock=scene.clock, metrics=scene.metrics, alone=alone)
        self.task: asyncio.Task[None]

    async def __aenter__(self) -> Self:
        self.task = asyncio.create_task(self.relay.run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.task.done():
            self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def until(self, happened: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
        """Let time pass until it is so."""
        for _ in range(_STEPS):
            so = happened()
            if so if isinstance(so, bool) else await so:
                return
            await self._scene.clock.advance_ms(_STEP_MS)
        raise AssertionError("it never came to pass")

    async def until_all_relayed(self) -> None:
        await self.until(lambda: is_all_relayed(self._scene))

    async def pass_s(self, seconds: float) -> None:
        for _ in range(round(seconds * 1_000 / _STEP_MS)):
            await self._scene.clock.advance_ms(_STEP_MS)
