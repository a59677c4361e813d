"""Topics on Kafka: made as the contract wants them, refused when they are otherwise."""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from typing import Final

from router.contract.topics import HOUR_MS, Cleanup, TopicSpec
from router.runtime.bus.kafka_client import (
    MAX_RECORD_BYTES,
    Admin,
    KafkaOptions,
    NewTopicRequest,
    translated,
)
from router.runtime.errors import BusUnavailable, TopicDiffers

_LOOK_S: Final = 0.05
_ANSWER_S: Final = 2.0


def topic_settings(spec: TopicSpec, replication_factor: int) -> dict[str, str]:
    """What a topic of ours is created with."""
    settings = {
        "cleanup.policy": str(spec.cleanup),
        "max.message.bytes": str(MAX_RECORD_BYTES),
        # The broker's clock, so that ``since_ms`` means the same whoever published.
        "message.timestamp.type": "LogAppendTime",
        # With three copies a write is durable on two; with one there is no more to ask for.
        "min.insync.replicas": str(max(1, replication_factor - 1)),
    }
    if spec.cleanup is Cleanup.DELETE:
        return settings | {"retention.ms": str(spec.retention_ms)}
    return settings | {
        "min.compaction.lag.ms": str(spec.min_compaction_lag_ms),
        "delete.retention.ms": str(HOUR_MS),
        # The newest segment is never compacted: without this a quiet topic would keep all for a week.
        "segment.ms": str(HOUR_MS),
    }


def difference(spec: TopicSpec, partitions: int, settings: Mapping[str, str]) -> str | None:
    """Why this topic can't serve as ``spec``, or None."""
    if partitions != spec.partitions:
        return f"it has {partitions} partitions instead of {spec.partitions}"
    if (cleanup := settings.get("cleanup.policy")) != spec.cleanup:
        return f"its cleanup.policy is {cleanup!r} instead of {str(spec.cleanup)!r}"
    if (largest := int(settings.get("max.message.bytes", "0"))) < MAX_RECORD_BYTES:
        return f"its max.message.bytes is {largest}, less than {MAX_RECORD_BYTES}"
    return None


async def create_topics(options: KafkaOptions, specs: Sequence[TopicSpec]) -> None:
    """Create the absent ones and return when all can be written to. Raises ``TopicDiffers``, ``BusUnavailable``,
    or ``BusError`` when the brokers refuse to make one (more copies asked for than brokers, no permission).
    """
    if not specs:
        return
    with translated("create topics"):
        admin = Admin(options)
        try:
            async with asyncio.timeout(options.publish_s):
                await admin.start()
                await _create(admin, specs, options.replication_factor)
                await _check(admin, specs)
        finally:
            await admin.stop()


async def _create(admin: Admin, specs: Sequence[TopicSpec], replication_factor: int) -> None:
    await admin.create(
        [
            NewTopicRequest(spec.name, spec.partitions, replication_factor, topic_settings(spec, replication_factor))
            for spec in specs
        ]
    )


async def _check(admin: Admin, specs: Sequence[TopicSpec]) -> None:
    names = [spec.name for spec in specs]
    # A created topic gets its leaders a moment later, and no broker calls us when it has.
    while set(counts := await admin.partition_counts(names)) != set(names):  # noqa: ASYNC110
        await asyncio.sleep(_LOOK_S)
    settings = await admin.settings(names)
    differing = {spec.name: difference(spec, counts[spec.name], settings[spec.name]) for spec in specs}
    if problems := [f"topic {name}: {why}" for name, why in differing.items() if why]:
        raise TopicDiffers("; ".join(problems))


async def answers(host: str, port: int) -> bool:
    """Whether a broker serves clients there, by now or within a moment."""
    try:
        async with asyncio.timeout(1):
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            await writer.wait_closed()
    except OSError:  # a TimeoutError is one
        await asyncio.sleep(_LOOK_S)
        return False
    admin = Admin(KafkaOptions(bootstrap=f"{host}:{port}", request_s=_ANSWER_S))
    try:
        with contextlib.suppress(BusUnavailable), translated("start"):
            async with asyncio.timeout(_ANSWER_S):
                await admin.start()
            return True
        await asyncio.sleep(_LOOK_S)
        return False
    finally:
        await admin.stop()
