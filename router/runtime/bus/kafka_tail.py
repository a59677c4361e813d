"""Following a topic on Kafka, outside any group."""

import asyncio
from collections.abc import Sequence

from router.runtime.bus.kafka_client import KafkaOptions, translated
from router.runtime.bus.kafka_consumer import Reader, record_of
from router.runtime.bus.protocol import Record
from router.runtime.errors import BusUnavailable


class KafkaTail:
    """Implements ``Tail``. The brokers know nothing of it: there is no group that could be left behind."""

    def __init__(self, options: KafkaOptions, topic: str) -> None:
        self._options = options
        self._topic = topic
        with translated(f"tail {topic}"):
            self._reader = Reader(options)
        self._closed = False

    @property
    def is_closed(self) -> bool:
        return self._closed

    async def begin(self, since_ms: int | None) -> None:
        """Connect and find the place to begin at. Raises ``BusUnavailable``; it is closed then."""
        try:
            with translated(f"tail {self._topic}"):
                async with asyncio.timeout(self._options.request_s):
                    await self._reader.start()
                    await self._seek(since_ms)
        except BaseException:
            self._closed = True
            await self._reader.abort()
            raise

    async def _seek(self, since_ms: int | None) -> None:
        partitions = await self._reader.partitions(self._topic)
        if not partitions:
            raise BusUnavailable(f"there is no topic {self._topic}: create it first")
        starts = await self._reader.end_offsets(partitions)
        if since_ms is not None:
            find = self._reader.offsets_since(partitions, since_ms) if since_ms > 0 else None
            starts |= await (find or self._reader.first_offsets(partitions))
        self._reader.read_from(starts)

    async def poll(self, *, max_records: int, timeout_ms: int) -> Sequence[Record]:
        if self._closed:
            raise BusUnavailable("the tail is closed")
        with translated(f"tail {self._topic}"):
            return [record_of(each, 0) for each in await self._reader.take(max_records, timeout_ms=timeout_ms)]

    async def close(self, *, within_s: float | None = None) -> None:
        """As ``Tail.close``; ``within_s`` instead of the stop deadline."""
        if not self._closed:
            self._closed = True
            await self._reader.stop(self._options.stop_s if within_s is None else within_s)
