"""The untyped client library, wrapped: its producer and admin client, and what all its clients share.

Nothing outside this module and ``kafka_consumer`` sees an object of the library. Some of its internals are
used on purpose, each with its reason; the dependency is pinned to the minor version they were read in.
"""

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, Final, NamedTuple

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    InvalidTopicError,
    KafkaError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    ProducerClosed,
    RecordListTooLargeError,
    TopicAlreadyExistsError,
    for_code,
)
from aiokafka.partitioner import murmur2

from router.runtime.bus.kafka_security import KafkaSecurity
from router.runtime.bus.protocol import Outgoing, Partition, Position
from router.runtime.errors import BusError, BusUnavailable

MAX_RECORD_BYTES: Final = 1024 * 1024
"""The largest record and batch a topic of ours takes."""

_BATCH_BYTES: Final = 256 * 1024
_ABORT_S: Final = 0.3
_GRACE: Final = 0.6
_BACKOFF_MS: Final = 100

REFUSALS: Final[tuple[type[Exception], ...]] = (
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    InvalidTopicError,
    PolicyViolationError,
)
"""What the broker says of a batch that it will never take."""


class KafkaOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach the brokers (``bootstrap``: host:port, separated by commas) and how long to wait for them.

    ``handover_s``: a member that is to give up partitions gets so long to notice it in ``poll``; less than
    ``rebalance_s``, after which the brokers go on without it. ``fetch_wait_ms`` bounds how long a partition
    that has just been emptied may wait for the fetch of the others.
    """

    bootstrap: str
    security: KafkaSecurity = KafkaSecurity()
    client_id: str = "turnout"
    replication_factor: int = 1
    request_s: float = 10.0
    publish_s: float = 20.0
    stop_s: float = 10.0
    session_s: float = 10.0
    heartbeat_s: float = 1.0
    max_poll_interval_s: float = 60.0
    handover_s: float = 10.0
    rebalance_s: float = 30.0
    fetch_wait_ms: int = 50

    def connection(self) -> dict[str, Any]:
        """What every client of the library is told."""
        return {
            "bootstrap_servers": self.bootstrap,
            "client_id": self.client_id,
            "request_timeout_ms": milliseconds(self.request_s),
            "retry_backoff_ms": _BACKOFF_MS,
            **self.security.connection(),
        }


def milliseconds(seconds: float) -> int:
    return round(seconds * 1000)


@contextlib.contextmanager
def translated(doing: str) -> Iterator[None]:
    """Failures of the library and expired waits come out as ``BusUnavailable``."""
    try:
        yield
    except TimeoutError as exc:
        raise BusUnavailable(f"{doing}: no answer from Kafka in time") from exc
    except (KafkaError, OSError) as exc:
        raise BusUnavailable(f"{doing}: {exc!r}") from exc


async def stop_within(
    seconds: float, stop: Callable[[], Coroutine[Any, Any, None]], abort: Callable[[], Awaitable[None]]
) -> None:
    """Stop in good order; what hasn't ended well after most of the time, as with a frozen broker, is cut off."""
    # In a task of its own: the library's stop may raise the CancelledError of a request that it cancelled
    # itself, which here would look as if we were cancelled.
    stopping = asyncio.create_task(stop(), name="kafka-stop")
    try:
        await asyncio.wait({stopping}, timeout=seconds * _GRACE)
    finally:
        ended = stopping.done() and not stopping.cancelled() and stopping.exception() is None
        if not ended:
            stopping.cancel()
            await abort()


async def cut_off(client: Any, tasks: Callable[[], Sequence["asyncio.Task[Any] | None"]]) -> None:
    """Close a client of the library and end its tasks, without waiting for any broker."""
    # Twice: a task's first answer to a cancellation may be to wait for its requests, and those that are
    # under way may connect anew.
    for _ in range(2):
        await drop_connections(client)
        running = [task for task in tasks() if task is not None and not task.done()]
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running, timeout=_ABORT_S)
    await drop_connections(client)


async def drop_connections(client: Any) -> None:
    """Close a client's connections without waiting for its peers."""
    for connection in list(client._conns.values()):  # noqa: SLF001 (close() waits for a frozen peer to read)
        if connection._writer is not None:  # noqa: SLF001
            connection._writer.transport.abort()  # noqa: SLF001
    with contextlib.suppress(TimeoutError, KafkaError, OSError):
        async with asyncio.timeout(_ABORT_S):
            await client.close()


@functools.lru_cache(maxsize=4096)
def _hash(key: bytes) -> int:
    """Kafka's own. Kept, as it is slow in Python, and a case's event goes to two topics under one key."""
    return int(murmur2(key)) & 0x7FFFFFFF


class Producer:
    """One idempotent producer. After a failed batch its sequence is broken: replace it."""

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        self._library: Any = AIOKafkaProducer(
            **options.connection(),
            enable_idempotence=True,
            max_batch_size=_BATCH_BYTES,
            max_request_size=MAX_RECORD_BYTES,
            linger_ms=0,  # one call's records are batched anyway: they are all there before the sender runs
        )

    async def start(self) -> None:
        await self._library.start()

    async def has_topic(self, topic: str) -> bool:
        """Whether the brokers know the topic; asks them once when it is new to us."""
        client = self._library.client
        if client.cluster.partitions_for_topic(topic) is not None:
            return True
        await client.add_topic(topic)
        if client.cluster.partitions_for_topic(topic) is not None:
            return True
        if not await client.force_metadata_update():
            raise BusUnavailable("publish: Kafka gives no metadata")
        return client.cluster.partitions_for_topic(topic) is not None

    async def send(self, record: Outgoing) -> "Sent":
        """Hand the record to the sender; waits while its partition's batch is full."""
        key = record.key.encode()
        partitions = self._library.client.cluster.partitions_for_topic(record.topic)
        partition = _hash(key) % len(partitions) if partitions else None  # what the library would come to
        future = await self._library.send(
            record.topic, value=record.value, key=key, partition=partition, headers=list(record.headers)
        )
        return Sent(future)

    async def stop(self, within_s: float) -> None:
        """Flush and close."""
        await stop_within(within_s, self._library.stop, self.abort)

    async def abort(self) -> None:
        """Close without flushing: what is still unsent fails for whoever waits for it."""
        library = self._library
        library._closed = True  # noqa: SLF001 (stop() would flush, for ever with a frozen broker)
        await cut_off(library.client, lambda: [library._sender.sender_task])  # noqa: SLF001
        accumulator = library._message_accumulator  # noqa: SLF001
        batches = [*accumulator._pending_batches, *chain.from_iterable(accumulator._batches.values())]  # noqa: SLF001
        accumulator.fail_all(ProducerClosed())
        for batch in batches:
            if batch._drain_waiter.done():  # noqa: SLF001
                batch._drain_waiter.exception()  # noqa: SLF001 (or the loop complains that nobody asked)


class Sent:
    """A record on its way."""

    def __init__(self, future: "asyncio.Future[Any]") -> None:
        self.future = future

    def outcome(self) -> Position | Exception:
        """Where it lies, or why it doesn't; call it once the future is done."""
        if self.future.cancelled():
            return ProducerClosed()  # type: ignore[no-any-return]  # an exception of the untyped library
        if (error := self.future.exception()) is not None:
            return error if isinstance(error, Exception) else ProducerClosed()
        done = self.future.result()
        return Position(Partition(done.topic, done.partition), done.offset)

    def forget(self) -> None:
        """Nobody will ask for the outcome."""
        if not self.future.done():
            self.future.cancel()
        elif not self.future.cancelled():
            self.future.exception()


class NewTopicRequest(NamedTuple):
    name: str
    partitions: int
    replication_factor: int
    settings: Mapping[str, str]


class Admin:
    """The brokers' topics."""

    def __init__(self, options: KafkaOptions) -> None:
        self._library: Any = AIOKafkaAdminClient(**options.connection())

    async def start(self) -> None:
        """Return once a broker takes requests; for ever while there is none."""
        await self._library.start()
        client = self._library._client  # noqa: SLF001
        # A broker that has just started answers, but lists no broker until it has registered itself.
        while client.cluster.controller is None:
            await client.force_metadata_update()
            await asyncio.sleep(_BACKOFF_MS / 1000)

    async def create(self, topics: Sequence[NewTopicRequest]) -> None:
        """Create the absent ones. Raises ``BusUnavailable``, or ``BusError`` for a plain refusal."""
        requests = [
            NewTopic(each.name, each.partitions, each.replication_factor, topic_configs=dict(each.settings))
            for each in topics
        ]
        response = await self._library.create_topics(requests)
        for name, code, text in response.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                kind = BusUnavailable if error.retriable else BusError
                raise kind(f"topic {name} could not be created: {text or error.description}")

    async def partition_counts(self, names: Sequence[str]) -> Mapping[str, int]:
        """How many partitions each has; a topic is left out until all of them have a leader."""
        topics = await self._library.describe_topics(list(names))
        return {
            topic["topic"]: len(topic["partitions"])
            for topic in topics
            if topic["error_code"] == 0 and all(part["leader"] >= 0 for part in topic["partitions"])
        }

    async def settings(self, names: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
        """The settings in force of each topic."""
        resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
        responses = await self._library.describe_configs(resources)
        return {
            resource[3]: {entry[0]: entry[1] or "" for entry in resource[4]}
            for response in responses
            for resource in response.resources
        }

    async def stop(self) -> None:
        await stop_within(1, self._library.close, functools.partial(drop_connections, self._library._client))  # noqa: SLF001
