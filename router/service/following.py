"""Following a topic from a process of its own: every process sees every record, and holds none back."""

from collections.abc import Callable, Mapping
from typing import Final

from router.runtime.bus.protocol import Bus, Partition, Record

_POLL_MS: Final = 1_000
_MAX_RECORDS: Final = 500

Take = Callable[[Record], None]


async def follow(bus: Bus, topic: str, *, group: str, take: Take) -> None:
    """Give each record to ``take`` until cancelled, from the oldest retained on. ``group`` must be this process's
    own. Raises ``BusUnavailable``; whoever begins again gets what wasn't committed once more."""
    subscription = await bus.subscribe(group, [topic], _Alone())
    try:
        while True:
            marks: dict[Partition, tuple[int, int]] = {}
            for record in await subscription.poll(max_records=_MAX_RECORDS, timeout_ms=_POLL_MS):
                take(record)
                marks[record.partition] = (record.epoch, record.offset + 1)
            # A bus keeps what a live group hasn't read: a tail that never commits would hold everything back.
            if marks:
                await subscription.commit(marks)
    finally:
        await subscription.close()


class _Alone:
    """A group of one member has no hand-overs to mind."""

    async def assigned(self, partitions: Mapping[Partition, int]) -> None: ...

    async def revoked(self, partitions: frozenset[Partition]) -> None: ...

    async def lost(self, partitions: frozenset[Partition]) -> None: ...
