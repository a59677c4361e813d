"""Members of groups for the bus's suite: one in this process, one in a process of its own to be killed.

``python -m tests.suites.bus_members TARGET GROUP TOPIC LOG STALL_AFTER`` logs a line ``PARTITION OFFSET`` for
each record before it commits it; after STALL_AFTER records it logs on and commits nothing any more.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from router.runtime.bus.kafka import KafkaBus
from router.runtime.bus.kafka_client import KafkaOptions
from router.runtime.bus.protocol import Bus, Partition, Record, Subscription
from router.runtime.bus.streams import StreamsBus
from router.runtime.bus.watermark import Watermarks


def open_bus(target: str) -> Bus:
    """A bus by ``KIND ADDRESS``: how a child process is told. Its leases are short."""
    kind, _, address = target.partition(" ")
    if kind == "streams":
        return StreamsBus(address, lease_ms=1000)
    return KafkaBus(KafkaOptions(bootstrap=address, session_s=2.0, heartbeat_s=0.3))


class Handled:
    """What several members of a test handled, in the order it happened."""

    def __init__(self) -> None:
        self.records: list[tuple[str, Record]] = []

    def values(self) -> list[str]:
        return [(record.value or b"").decode() for _, record in self.records]


class Member:
    """Polls, notes each record, commits after each poll. Its owner may hold it back at any place."""

    def __init__(self, bus: Bus, group: str, topic: str, *, name: str = "a", handled: Handled) -> None:
        self._bus = bus
        self._group = group
        self._topic = topic
        self._handled = handled
        self._marks = Watermarks()
        self._stop = asyncio.Event()
        self.name = name
        self.subscription: Subscription | None = None
        self.owned: dict[Partition, int] = {}
        self.history: list[tuple[str, frozenset[Partition]]] = []
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def assigned(self, partitions: Mapping[Partition, int]) -> None:
        self.history.append(("assigned", frozenset(partitions)))
        self.owned.update(partitions)
        for partition, epoch in partitions.items():
            self._marks.assign(partition, epoch)

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        self.history.append(("revoked", partitions))
        await self._commit()
        self._forget(partitions)

    async def lost(self, partitions: frozenset[Partition]) -> None:
        self.history.append(("lost", partitions))
        self._forget(partitions)

    def _forget(self, partitions: frozenset[Partition]) -> None:
        for partition in partitions:
            self.owned.pop(partition, None)
            self._marks.drop(partition)

    async def _commit(self) -> None:
        watermarks = self._marks.committable()
        if watermarks and self.subscription is not None:
            taken = await self.subscription.commit(watermarks)
            self._marks.committed({partition: watermarks[partition] for partition in taken})

    async def step(self, *, max_records: int = 50) -> int:
        assert self.subscription is not None
        records = await self.subscription.poll(max_records=max_records, timeout_ms=50)
        for record in records:
            self._marks.hand_out(record.partition, record.epoch, record.offset)
            self._handled.records.append((self.name, record))
            self._marks.complete(record.partition, record.epoch, record.offset)
        await self._commit()
        return len(records)

    async def _run(self) -> None:
        while not self._stop.is_set():
            await self.go_on.wait()
            await self.step()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Member"]:
        """In its group for as long as the block; leaves it properly."""
        self.subscription = await self._bus.subscribe(self._group, [self._topic], self)
        task = asyncio.create_task(self._run(), name=f"member-{self.name}")
        try:
            yield self
        finally:
            self._stop.set()
            self.go_on.set()
            await task
            await self.subscription.close()


class Reluctant(Member):
    """Lets go of what is taken from it only when told to."""

    def __init__(self, bus: Bus, group: str, topic: str, *, name: str = "a", handled: Handled) -> None:
        super().__init__(bus, group, topic, name=name, handled=handled)
        self.asked = asyncio.Event()
        self.may_let_go = asyncio.Event()

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        self.asked.set()
        await self.may_let_go.wait()
        await super().revoked(partitions)


class _Child:
    def __init__(self, log: Path, stall_after: int) -> None:
        self._log = log
        self._left = stall_after

    async def assigned(self, partitions: Mapping[Partition, int]) -> None: ...

    async def revoked(self, partitions: frozenset[Partition]) -> None: ...

    async def lost(self, partitions: frozenset[Partition]) -> None: ...

    async def run(self, bus: Bus, group: str, topic: str) -> None:
        subscription = await bus.subscribe(group, [topic], self)
        while True:
            for record in await subscription.poll(max_records=10, timeout_ms=100):
                self._note(f"{record.partition.number} {record.offset}")
                self._left -= 1
                if self._left >= 0:
                    await subscription.commit({record.partition: (record.epoch, record.offset + 1)})

    def _note(self, line: str) -> None:
        with self._log.open("a", encoding="utf-8") as log:
            log.write(line + "\n")


if __name__ == "__main__":
    target, group_name, topic_name, log_path, stall = sys.argv[1:]
    asyncio.run(_Child(Path(log_path), int(stall)).run(open_bus(target), group_name, topic_name))
