"""Publishing to Kafka: many records in few round trips, each acknowledged by all in-sync copies."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from router.runtime.bus.kafka_client import (
    MAX_RECORD_BYTES,
    REFUSALS,
    KafkaOptions,
    Producer,
    Sent,
    translated,
)
from router.runtime.bus.protocol import Outgoing, Position
from router.runtime.errors import BusUnavailable, RecordRefused

_log = logging.getLogger(__name__)


_BATCH_OVERHEAD: Final = 100
_HEADER_OVERHEAD: Final = 10


def refusal(record: Outgoing) -> str | None:
    """Why Kafka would never take this record, as far as the record itself shows it; or None."""
    try:
        names = [record.key.encode(), *(name.encode() for name, _ in record.headers)]
    except UnicodeEncodeError:
        return "its key or a header's name is no valid Unicode"
    values = [record.value or b"", *(value for _, value in record.headers)]
    size = _BATCH_OVERHEAD + _HEADER_OVERHEAD * len(names) + sum(map(len, names)) + sum(map(len, values))
    return f"{size} bytes are more than {MAX_RECORD_BYTES}" if size > MAX_RECORD_BYTES else None


class Publisher:
    """Owns the one producer of a process, and replaces it when it is broken.

    A producer is broken by any failed batch (the sequence of an idempotent producer has a hole then) and by
    an expired wait (it would go on sending, for ever, what its callers have given up).
    """

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        self._producer: Producer | None = None
        self._starting = asyncio.Lock()
        self._retired: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def publish(self, records: Sequence[Outgoing]) -> list[Position]:
        """As ``Bus.publish``, within the publish deadline."""
        for index, record in enumerate(records):
            if why := refusal(record):
                raise RecordRefused(index, why)
        if not records:
            return []
        with translated("publish"):
            async with asyncio.timeout(self._options.publish_s):
                return await self._publish(records)

    async def close(self, within_s: float) -> None:
        """Flush and close. Repeating it does nothing."""
        self._is_closed = True
        producer, self._producer = self._producer, None
        if producer is not None:
            self._keep(asyncio.create_task(producer.stop(within_s), name="kafka-producer-stop"))
        if self._retired:
            await asyncio.wait(self._retired, timeout=within_s)

    async def _publish(self, records: Sequence[Outgoing]) -> list[Position]:
        producer = await self._ready()
        outcomes = await self._send_all(producer, records)
        failed = [(index, outcome) for index, outcome in enumerate(outcomes) if isinstance(outcome, Exception)]
        if failed:
            self._retire(producer)
        for index, failure in failed:
            if not isinstance(failure, REFUSALS):
                raise failure
            # One record spoils its whole batch: only by itself does it show whether it is the one.
            outcomes[index] = await self._send_alone(index, records[index])
        return [outcome for outcome in outcomes if isinstance(outcome, Position)]

    async def _send_all(self, producer: Producer, records: Sequence[Outgoing]) -> list[Position | Exception]:
        await self._require_topics(producer, records)
        sent: list[Sent] = []
        try:
            for record in records:
                # The order of the calls is the order in the partition, so one after another.
                sent.append(await producer.send(record))
            await asyncio.wait([each.future for each in sent])
            return [each.outcome() for each in sent]
        except BaseException:
            self._retire(producer)
            raise
        finally:
            for each in sent:
                each.forget()

    async def _require_topics(self, producer: Producer, records: Sequence[Outgoing]) -> None:
        first = {record.topic: index for index, record in reversed(list(enumerate(records)))}
        for topic, index in first.items():
            if not await producer.has_topic(topic):
                raise RecordRefused(index, f"there is no topic {topic!r}")

    async def _send_alone(self, index: int, record: Outgoing) -> Position | Exception:
        # A producer of its own, so that nobody else's record shares the batch.
        producer = Producer(self._options)
        try:
            await producer.start()
            sent = await producer.send(record)
            try:
                await asyncio.wait([sent.future])
                outcome = sent.outcome()
            finally:
                sent.forget()
        finally:
            self._keep(asyncio.create_task(producer.abort(), name="kafka-producer-abort"))
        if isinstance(outcome, REFUSALS):
            raise RecordRefused(index, str(outcome)) from outcome
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def _ready(self) -> Producer:
        async with self._starting:
            if self._is_closed:
                raise BusUnavailable("publish: the bus is closed")
            if self._producer is None:
                producer = Producer(self._options)
                try:
                    await producer.start()
                except BaseException:
                    self._retire(producer)
                    raise
                self._producer = producer
            return self._producer

    def _retire(self, producer: Producer) -> None:
        if self._producer is producer:
            self._producer = None
            _log.warning("the producer is replaced", extra={"event": "kafka_producer_replaced"})
        self._keep(asyncio.create_task(producer.abort(), name="kafka-producer-abort"))

    def _keep(self, task: "asyncio.Task[None]") -> None:
        self._retired.add(task)
        task.add_done_callback(self._retired.discard)
