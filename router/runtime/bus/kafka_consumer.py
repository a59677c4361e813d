"""The untyped client library's consumer, wrapped: as a member of a group, and as a reader outside any."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import (
    IllegalGenerationError,
    KafkaError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)
from aiokafka.structs import OffsetAndMetadata

from router.runtime.bus.kafka_client import (
    MAX_RECORD_BYTES,
    KafkaOptions,
    cut_off,
    milliseconds,
    stop_within,
)
from router.runtime.bus.protocol import Partition, Record
from router.runtime.errors import BusUnavailable

_FETCH_BYTES: Final = 8 * 1024 * 1024
_RETRY_S: Final = 0.1
_FENCED: Final[tuple[type[Exception], ...]] = (
    UnknownMemberIdError,
    IllegalGenerationError,
    RebalanceInProgressError,
)

Handover = Callable[[frozenset[Partition]], Awaitable[None]]


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]  # the library is untyped
    def __init__(self, revoked: Handover, assigned: Handover) -> None:
        self._revoked = revoked
        self._assigned = assigned

    async def on_partitions_revoked(self, revoked: Collection[Any]) -> None:
        await self._revoked(frozenset(_ours(each) for each in revoked))

    async def on_partitions_assigned(self, assigned: Collection[Any]) -> None:
        await self._assigned(frozenset(_ours(each) for each in assigned))


class Consumer:
    """What member and reader have in common."""

    def __init__(self, options: KafkaOptions, **settings: Any) -> None:
        self._options = options
        self._library: Any = AIOKafkaConsumer(
            **options.connection(),
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            fetch_max_bytes=_FETCH_BYTES,
            max_partition_fetch_bytes=MAX_RECORD_BYTES,
            fetch_max_wait_ms=options.fetch_wait_ms,
            **settings,
        )

    async def start(self) -> None:
        await self._library.start()

    async def take(self, max_records: int, *, timeout_ms: int = 0) -> list[Any]:
        """Records that have been fetched, as the library's own; turn each into ours with ``record_of``."""
        return await self._take(max_records, timeout_ms)

    async def _take(self, max_records: int, timeout_ms: int, *partitions: Any) -> list[Any]:
        try:
            batches = await self._library.getmany(*partitions, timeout_ms=timeout_ms, max_records=max_records)
        except BaseException:
            # The library forgets to count a fetch down that fails, and would never again find us idle.
            self._library._subscription._fetch_count = 0  # noqa: SLF001
            raise
        return [record for batch in batches.values() for record in batch]

    async def partitions(self, topic: str) -> list[Partition]:
        """All partitions of the topic; none when there is no such topic."""
        client = self._library._client  # noqa: SLF001
        await client.add_topic(topic)
        numbers = client.cluster.partitions_for_topic(topic) or set()
        return [Partition(topic, number) for number in sorted(numbers)]

    async def first_offsets(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        return _by_partition(await self._library.beginning_offsets(_theirs(partitions)))

    async def end_offsets(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        return _by_partition(await self._library.end_offsets(_theirs(partitions)))

    def pause(self, partitions: Collection[Partition]) -> None:
        self._library.pause(*_theirs(partitions))

    def resume(self, partitions: Collection[Partition]) -> None:
        self._library.resume(*_theirs(partitions))

    async def stop(self, within_s: float) -> None:
        """Close, leaving the group; by force when it takes too long."""
        await stop_within(within_s, self._library.stop, self.abort)

    async def abort(self) -> None:
        """Close at once, telling nobody."""
        library = self._library
        library._closed = True  # noqa: SLF001 (stop() would wait for the broker)
        await cut_off(library._client, self._tasks)  # noqa: SLF001

    def _tasks(self) -> list[Any]:
        coordinator, fetcher = self._library._coordinator, self._library._fetcher  # noqa: SLF001
        names = ("_coordination_task", "_heartbeat_task", "_commit_refresh_task", "_reset_committed_task")
        tasks = [getattr(coordinator, name, None) for name in names]
        return [*tasks, fetcher._fetch_task, *fetcher._pending_tasks] if fetcher is not None else tasks  # noqa: SLF001


class Member(Consumer):
    """One member of a group."""

    def __init__(self, options: KafkaOptions, group: str) -> None:
        super().__init__(
            options,
            group_id=group,
            # The sticky one hands a partition to two members (aiokafka #1175, #1176).
            partition_assignment_strategy=(RangePartitionAssignor,),
            session_timeout_ms=milliseconds(options.session_s),
            heartbeat_interval_ms=milliseconds(options.heartbeat_s),
            max_poll_interval_ms=milliseconds(options.max_poll_interval_s),
            rebalance_timeout_ms=milliseconds(options.rebalance_s),
        )

    def join(self, topics: Sequence[str], *, revoked: Handover, assigned: Handover) -> None:
        """Begin to join. The two are called by a task of the library, which rejoins once ``revoked`` returns."""
        self._library.subscribe(list(topics), listener=_Listener(revoked, assigned))

    async def take_by_partition(self, max_records: int) -> list[Any]:
        """As ``take``, but a record that can't be read keeps back its own partition and no other; it is raised
        for as long as it is there. Never waits, so nothing else runs before it returns."""
        found: list[Any] = []
        failure: Exception | None = None
        # One partition a call: when one fails, the library has already moved past what it took from others
        # in the same call, and those records would never be seen.
        for each in list(self._library._fetcher._records) or [None]:  # noqa: SLF001
            try:
                found += await self._take(max_records - len(found), 0, *([each] if each else []))
            except (KafkaError, ValueError) as exc:
                failure = exc
            if len(found) == max_records:
                break
        if failure is not None and not found:
            raise BusUnavailable(f"what was fetched can't be read: {failure!r}") from failure
        return found

    @property
    def generation(self) -> int:
        """The generation of the group this member is in; not above 0 when it is in none."""
        return int(self._library._coordinator.generation)  # noqa: SLF001 (public nowhere)

    @property
    def has_coordinator(self) -> bool:
        """Whether the broker that runs the group is known and answers."""
        return self._library._coordinator.coordinator_id is not None  # noqa: SLF001

    @property
    def is_rejoining(self) -> bool:
        """From before ``revoked`` is called until partitions are assigned again: ``take`` would wait."""
        return bool(self._library._subscription.reassignment_in_progress)  # noqa: SLF001

    def show_life(self) -> None:
        """Count as having polled, also where there is nothing to take. A member that was idle for too long
        leaves the group, and rejoins only after that."""
        with self._library._subscription.fetch_context():  # noqa: SLF001
            pass

    @contextlib.contextmanager
    def arrival(self) -> Iterator["asyncio.Future[None]"]:
        """A future that is done when there is something to ``take``."""
        # getmany() itself can't be used for waiting: it outlasts its time-out while the group rebalances,
        # and cancelling it makes the library believe for ever that we poll.
        waiter = self._library._fetcher._create_fetch_waiter()  # noqa: SLF001
        try:
            yield waiter
        finally:
            if not waiter.done():
                waiter.cancel()
            elif not waiter.cancelled():
                waiter.exception()  # the next ``take`` raises it

    async def commit(self, offsets: Mapping[Partition, int], generation: int) -> bool:
        """Commit as a member of that generation; False when it is over. May raise the library's errors."""
        coordinator = self._library._coordinator  # noqa: SLF001
        wanted = {TopicPartition(*each): OffsetAndMetadata(offset, "") for each, offset in offsets.items()}
        while True:
            await coordinator.ensure_coordinator_known()
            # The library's commit() puts in whatever generation holds at the time of each of its tries, so
            # that a commit begun before a hand-over may take effect after it. This request is made in the
            # same step as the comparison, and the broker refuses it once the generation is over.
            if self.generation != generation:
                return False
            try:
                await coordinator._do_commit_offsets(None, wanted)  # noqa: SLF001
                return True
            except _FENCED:
                return False
            except KafkaError as exc:
                if not exc.retriable:
                    raise
            await asyncio.sleep(_RETRY_S)

    async def committed(self, partitions: Collection[Partition]) -> dict[Partition, int]:
        """The committed offset of each that has one."""
        found = await self._library._coordinator.fetch_committed_offsets(_theirs(partitions))  # noqa: SLF001
        return {_ours(each): int(entry.offset) for each, entry in found.items()}


class Reader(Consumer):
    """Reads partitions from wherever it is told, outside any group."""

    async def offsets_since(self, partitions: Collection[Partition], since_ms: int) -> dict[Partition, int]:
        """Where the first record not older than ``since_ms`` lies; a partition without any is left out."""
        found = await self._library.offsets_for_times(dict.fromkeys(_theirs(partitions), since_ms))
        return {_ours(each): int(entry.offset) for each, entry in found.items() if entry is not None}

    def read_from(self, starts: Mapping[Partition, int]) -> None:
        self._library.assign(_theirs(starts))
        for partition, offset in starts.items():
            self._library.seek(TopicPartition(*partition), offset)

    async def position(self, partition: Partition) -> int:
        """The offset of the next record to be read."""
        return int(await self._library.position(TopicPartition(*partition)))


def record_of(found: Any, epoch: int) -> Record:
    """The library's record as ours. A key that isn't UTF-8 (a stranger's) is spelt out with escapes."""
    return Record(
        partition=Partition(found.topic, found.partition),
        offset=found.offset,
        epoch=epoch,
        key=(found.key or b"").decode("utf-8", "backslashreplace"),
        value=found.value,
        headers=tuple((name, value or b"") for name, value in found.headers),
        published_at_ms=found.timestamp,
    )


def partition_of(found: Any) -> Partition:
    return Partition(found.topic, found.partition)


def _ours(each: Any) -> Partition:
    return Partition(each.topic, each.partition)


def _theirs(partitions: Collection[Partition]) -> list[Any]:
    return [TopicPartition(*each) for each in partitions]


def _by_partition(offsets: Mapping[Any, int]) -> dict[Partition, int]:
    return {_ours(each): int(offset) for each, offset in offsets.items()}
