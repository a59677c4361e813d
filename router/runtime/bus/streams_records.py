"""Records as stream entries and back. Pure."""

from collections.abc import Sequence
from typing import Final, cast

import msgspec

from router.contract.topics import Cleanup, TopicSpec
from router.runtime.bus.protocol import Outgoing, Partition, Record
from router.runtime.redis import Argument

Entry = Sequence[object]  # [id, [field, value, ...]] as the server replies

_HEADERS: Final = msgspec.msgpack.Decoder(tuple[tuple[str, bytes], ...])
_encode_headers: Final = msgspec.msgpack.Encoder().encode


def arguments_of(record: Outgoing) -> tuple[Argument, ...]:
    """A record as ``publish`` takes it: key, headers, whether there is a value, value."""
    headers = _encode_headers(record.headers) if record.headers else b""
    key = record.key.encode("utf-8", "surrogatepass")
    return (key, headers, "0" if record.value is None else "1", record.value or b"")


def record_of(entry: Entry, partition: Partition, epoch: int) -> Record:
    """A stream entry as a record read under an epoch. The fields' order is that of ``publish.lua``."""
    fields = cast("Sequence[bytes]", entry[1])
    headers = fields[7]
    return Record(
        partition=partition,
        offset=offset_of(cast("bytes", entry[0])),
        epoch=epoch,
        key=fields[5].decode("utf-8", "surrogatepass"),
        value=fields[9] if len(fields) > 9 else None,
        headers=_HEADERS.decode(headers) if headers else (),
        published_at_ms=int(fields[1]),
    )


def offset_of(entry_id: bytes) -> int:
    return int(entry_id.partition(b"-")[0]) - 1


def last_id_before(offset: int) -> str:
    """What ``XREAD`` takes to hand out this offset next."""
    return f"{offset}-0"


def id_at(offset: int) -> str:
    return f"{offset + 1}-0"


def noted(spec: TopicSpec) -> str:
    """What is noted of a topic in the server: what must not differ."""
    return f"{spec.partitions} {spec.cleanup}"


def spec_of(name: str, noted_as: bytes) -> TopicSpec:
    """A topic that another process made: how long it keeps records is that process's business."""
    partitions, cleanup = noted_as.decode().split()
    return TopicSpec(name=name, partitions=int(partitions), cleanup=Cleanup(cleanup))
