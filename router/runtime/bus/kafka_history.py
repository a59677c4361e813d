"""Reading a topic's retained records on Kafka, outside any group."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Final

from router.runtime.bus.kafka_client import KafkaOptions, translated
from router.runtime.bus.kafka_consumer import Reader, partition_of, record_of
from router.runtime.bus.protocol import Partition, Record

_POLL_MS: Final = 200
_BATCH: Final = 500


async def read_history(options: KafkaOptions, topic: str, since_ms: int) -> AsyncIterator[Record]:
    """As ``Bus.history``; the end is looked up at the first step. A topic that doesn't exist has no records."""
    with translated("history"):
        reader = Reader(options)
    try:
        with translated("history"):
            async with asyncio.timeout(options.request_s):
                await reader.start()
                spans = await _spans(reader, topic, since_ms)
        if spans:
            async for record in _read(reader, spans, options.request_s):
                if record.published_at_ms >= since_ms:
                    yield record
    finally:
        await reader.stop(options.stop_s)


async def _spans(reader: Reader, topic: str, since_ms: int) -> dict[Partition, tuple[int, int]]:
    """From where to where to read, for each partition with something to read."""
    partitions = await reader.partitions(topic)
    if not partitions:
        return {}
    ends = await reader.end_offsets(partitions)
    starts = await (reader.offsets_since(partitions, since_ms) if since_ms > 0 else reader.first_offsets(partitions))
    return {each: (start, ends[each]) for each, start in starts.items() if start < ends[each]}


async def _read(reader: Reader, spans: dict[Partition, tuple[int, int]], patience_s: float) -> AsyncIterator[Record]:
    reader.read_from({each: start for each, (start, _) in spans.items()})
    ends = {each: end for each, (_, end) in spans.items()}
    at = {each: start for each, (start, _) in spans.items()}
    moved = time.monotonic()
    while ends:
        with translated("history"):
            found = await reader.take(_BATCH, timeout_ms=_POLL_MS)
        for each in found:
            if each.offset < ends.get(partition_of(each), 0):
                yield record_of(each, 0)
        with translated("history"):
            async with asyncio.timeout(patience_s):
                # Positions, not offsets seen: the last records may be gone by compaction or retention.
                now = {each: await reader.position(each) for each in ends}
            if now != at or found:
                at, moved = now, time.monotonic()
            elif time.monotonic() - moved > patience_s:
                raise TimeoutError
        done = [each for each, position in now.items() if position >= ends[each]]
        reader.pause(done)
        for each in done:
            del ends[each], at[each]
