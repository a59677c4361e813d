"""A consumer of one topic, ``t``, with hooks that remember what they were told."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from router.runtime.bus.lanes import Consumer, Handler, Limits
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.protocol import Outgoing, Partition, Record

Marks = Mapping[Partition, tuple[int, int]]
FAST = Limits(lanes=8, poll_ms=20, commit_s=0.0, revoke_wait_s=0.2, first_retry_s=0.001, longest_retry_s=0.01)


class Owner:
    """The hooks, and what they were told."""

    def __init__(self) -> None:
        self.assigned: dict[Partition, int] = {}
        self.poison: list[tuple[str, str]] = []

    async def on_assigned(self, partitions: Mapping[Partition, int]) -> None:
        self.assigned.update(partitions)

    async def on_poison(self, record: Record, exc: Exception) -> None:
        self.poison.append((text_of(record), str(exc)))


def text_of(record: Record) -> str:
    return (record.value or b"").decode()


async def publish(bus: MemoryBus, *pairs: tuple[str, str]) -> None:
    await bus.publish([Outgoing(topic="t", key=key, value=value.encode()) for key, value in pairs])


@asynccontextmanager
async def consuming(
    bus: MemoryBus, handle: Handler, *, hooks: Owner | None = None, limits: Limits = FAST
) -> AsyncIterator[Consumer]:
    consumer = Consumer(bus, "g", ["t"], handle=handle, hooks=hooks or Owner(), limits=limits)
    running = asyncio.create_task(consumer.run())
    try:
        yield consumer
    finally:
        consumer.stop(deadline_s=1)
        await asyncio.wait_for(running, 5)
