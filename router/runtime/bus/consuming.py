"""What a consumer asks of its owner, what it tells, and within which bounds it works."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from router.runtime.bus.protocol import Partition, Record

Handler = Callable[[Record], Awaitable[Awaitable[None] | None]]
"""Handles a record. Its lane goes on when it returns; the record counts as done once what it returned (if
anything) is done: its effects are durable. A record may come again after a crash or a hand-over.

One that raises ``PartitionFenced`` was refused as somebody else's: the consumer asks the bus, and either hands it
the record again, after ``Hooks.on_assigned``, or drops all it holds of the partition."""


class Hooks(Protocol):
    """What the consumer asks of its owner."""

    async def on_assigned(self, partitions: Mapping[Partition, int]) -> None:
        """Awaited before any record of these is handled: the place to raise fences to the epochs. Comes once more
        for a partition that was fenced although it is still ours."""

    async def on_poison(self, record: Record, exc: Exception) -> None:
        """A record failed for ever: put it aside. The record counts as done when this returns; a retryable failure
        of it is tried again."""


class Journal(Protocol):
    """What a consumer tells of its progress, for whoever owns its partitions next."""

    def handed_out(self, records: Sequence[Record]) -> None:
        """These may begin from now on."""

    def committed(self, watermarks: Mapping[Partition, tuple[int, int]]) -> None:
        """The bus has taken these: {partition: (epoch, next offset)}."""

    def fenced(self, partition: Partition, *, is_ours: bool) -> None:
        """A partition was fenced; the bus says whether it is ours all the same."""

    async def released(self, partitions: frozenset[Partition]) -> None:
        """These were given up in good order: nothing of them is at work. Must return soon; a failure is no matter."""

    async def run(self) -> None:
        """Write what was told, until cancelled."""


class Unkept:
    """The journal of a consumer whose progress nobody asks for."""

    def handed_out(self, records: Sequence[Record]) -> None: ...

    def committed(self, watermarks: Mapping[Partition, tuple[int, int]]) -> None: ...

    def fenced(self, partition: Partition, *, is_ours: bool) -> None: ...

    async def released(self, partitions: frozenset[Partition]) -> None: ...

    async def run(self) -> None: ...


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one consumer. ``max_in_flight`` is all it ever holds: queued, at work, not yet durable."""

    lanes: int = 32
    max_in_flight: int = 1024
    resume_at: int = 512
    max_poll_records: int = 256
    poll_ms: int = 200
    commit_s: float = 0.1
    lag_s: float = 5.0
    revoke_wait_s: float = 3.0
    release_s: float = 1.0
    first_retry_s: float = 0.05
    longest_retry_s: float = 5.0
