"""What the bus promises, whatever carries it.

A topic has a fixed number of partitions; records of one key keep their order inside one partition. A
group's partitions are spread over its members; a member reads from the committed watermark on, so after
any crash a record is handed out again, never skipped. Delivery is at least once.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec

from router.contract.topics import TopicSpec


class Partition(NamedTuple):
    topic: str
    number: int


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A record to be published. ``value`` None is a tombstone: it deletes the key of a compacted topic."""

    topic: str
    key: str
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A record as it was read. ``epoch`` is the assignment it was read under: it grows, over all members
    of the group, each time the partition changes hands."""

    partition: Partition
    offset: int
    epoch: int
    key: str
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    published_at_ms: int


class Position(NamedTuple):
    """Where a published record lies."""

    partition: Partition
    offset: int


class Rebalance(Protocol):
    """Told of hand-overs, by the task that polls. Must return within seconds and must not poll."""

    async def assigned(self, partitions: Mapping[Partition, int]) -> None:
        """These are ours from now on, each under the epoch given. No record of them was read yet."""

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        """These are given up. What may still be committed must be committed before this returns."""

    async def lost(self, partitions: frozenset[Partition]) -> None:
        """These belong to somebody else already: nothing may be committed for them."""


class Subscription(Protocol):
    """One member of a group. Polled from one task; ``commit`` and ``lag`` may be under way beside a poll."""

    async def poll(self, *, max_records: int, timeout_ms: int) -> Sequence[Record]:
        """The next records, in offset order per partition; empty after ``timeout_ms`` without any. Calling
        it keeps the membership alive; hand-overs happen inside it. Raises ``BusUnavailable``."""

    async def commit(self, watermarks: Mapping[Partition, tuple[int, int]]) -> frozenset[Partition]:
        """Set {partition: (epoch, next offset to read)} and return the partitions for which it took
        effect; a partition that has changed hands since that epoch is left out, and that is no error."""

    def pause(self, partitions: frozenset[Partition]) -> None:
        """Hand out nothing of these until resumed. Their ownership is kept."""

    def resume(self, partitions: frozenset[Partition]) -> None: ...

    async def lag(self) -> Mapping[Partition, int]:
        """Records not yet committed, for each partition owned."""

    async def close(self) -> None:
        """Leave the group at once (after ``revoked``), within the bus's stop deadline even when the broker
        is gone. Repeating it does nothing."""


class Tail(Protocol):
    """Follows a topic outside any group: nothing is committed, and nothing kept back for it. Used from one task."""

    async def poll(self, *, max_records: int, timeout_ms: int) -> Sequence[Record]:
        """The next records (epoch 0), in offset order per partition; empty after ``timeout_ms`` without any. After
        ``BusUnavailable`` it goes on where it was; with the oldest that is left when retention was faster."""

    async def close(self) -> None:
        """Stop, within the bus's stop deadline. Repeating it does nothing."""


class Bus(Protocol):
    async def create_topics(self, specs: Sequence[TopicSpec]) -> None:
        """Create the absent ones. Raises ``TopicDiffers`` when one exists with other partitions or cleanup."""

    async def publish(self, records: Sequence[Outgoing]) -> Sequence[Position]:
        """Return when all are durable. Raises ``BusUnavailable`` (outcome unknown: publish again, the ids
        are the same) or ``RecordRefused`` (never acceptable: put it aside; others of the call may be on
        the bus)."""

    async def subscribe(self, group: str, topics: Sequence[str], rebalance: Rebalance) -> Subscription:
        """Join. A new group starts at the oldest retained record."""

    def history(self, topic: str, *, since_ms: int = 0) -> AsyncIterator[Record]:
        """Every retained record published at or after ``since_ms``, up to the end as it was at the call,
        outside any group (epoch 0)."""

    async def tail(self, topic: str, *, since_ms: int | None = None) -> Tail:
        """Follow the topic from the first record published at or after ``since_ms`` on, or from the end as it is
        now. Whatever is published after this has returned is handed out. Raises ``BusUnavailable``, also for an
        absent topic."""

    async def close(self) -> None:
        """Give back all connections within the stop deadline, even when the broker is gone."""
