"""Bytes and headers: JSON values, CloudEvents 1.0 headers in binary mode, W3C trace context.

Sources: CloudEvents 1.0 Kafka protocol binding, section 3.2 (binary content mode); W3C Trace Context.
"""

import re
from datetime import UTC, datetime
from typing import Final, TypeVar

import msgspec

from router.contract.errors import Undecodable

Headers = tuple[tuple[str, bytes], ...]

T = TypeVar("T")

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
CONTENT_TYPE: Final = b"application/json"


def encode(message: msgspec.Struct) -> bytes:
    """Canonical bytes: the same message gives the same bytes on every machine."""
    return _ENCODER.encode(message)


class Decoder:
    """Reads values of one type, or of one tagged union. Built once a module."""

    def __init__(self, kind: object) -> None:
        self._decoder: msgspec.json.Decoder[object] = msgspec.json.Decoder(kind)

    def decode(self, value: bytes | None, expect: type[T]) -> T:
        """Raises ``Undecodable``, with the path of the fault, for anything that isn't an ``expect``."""
        if value is None:
            raise Undecodable("the record is a tombstone; a message was expected")
        try:
            message = self._decoder.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            raise Undecodable(str(exc)) from exc
        if not isinstance(message, expect):
            raise Undecodable(f"{expect.__name__} was expected, the record holds {type(message).__name__}")
        return message


def cloud_headers(*, id: str, type: str, source: str, time_ms: int, traceparent: str = "") -> Headers:  # noqa: A002 - the attribute names of CloudEvents
    """The headers of a record. A malformed ``traceparent`` is left out."""
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_id", id.encode()),
        ("ce_type", type.encode()),
        ("ce_source", source.encode()),
        ("ce_time", rfc3339(time_ms).encode()),
        ("content-type", CONTENT_TYPE),
    )
    if _TRACEPARENT.fullmatch(traceparent):
        return (*headers, ("traceparent", traceparent.encode()))
    return headers


def header(headers: Headers, name: str) -> str:
    """The last header of that name as text, or an empty string."""
    for key, value in reversed(headers):
        if key == name:
            return value.decode("utf-8", "replace")
    return ""


def rfc3339(time_ms: int) -> str:
    """UTC with milliseconds: ``2026-11-22T05:19:35.120Z``."""
    moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ms % 1000:03d}Z"


def from_rfc3339(text: str) -> int:
    """Milliseconds of an RFC 3339 instant. Raises ``Undecodable`` without an offset or when malformed."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as exc:
        raise Undecodable(f"{text!r} is not an RFC 3339 time") from exc
    if moment.tzinfo is None:
        raise Undecodable(f"{text!r} has no offset: add Z or +09:00")
    return round(moment.timestamp() * 1000)
