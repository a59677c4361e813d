"""Bytes and headers: JSON values, CloudEvents 1.0 headers in binary mode, W3C trace context.

Sources: CloudEvents 1.0 Kafka protocol binding, section 3.2 (binary content mode); W3C Trace Context.
"""

import functools
import re
from datetime import UTC, datetime, timedelta
from typing import Final, TypeVar

import msgspec

from router.contract.errors import Undecodable

Headers = tuple[tuple[str, bytes], ...]

T = TypeVar("T")

_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
# Version ff and ids of nothing but zeros are invalid by the standard.
_TRACEPARENT: Final = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
# Stricter than ``fromisoformat``, which also takes weeks, a missing minute and times without a colon.
_RFC3339: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
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
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
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
    if traceparent and _TRACEPARENT.fullmatch(traceparent):
        return (*headers, ("traceparent", traceparent.encode()))
    return headers


def header(headers: Headers, name: str) -> str:
    """The last header of that name as text, or an empty string."""
    for key, value in reversed(headers):
        if key == name:
            return value.decode("utf-8", "replace")
    return ""


def rfc3339(time_ms: int) -> str:
    """UTC with milliseconds: ``2026-11-22T05:19:35.120Z``. Years 1 to 9999; raises ``OverflowError`` beyond."""
    second, rest_ms = divmod(time_ms, 1_000)
    return f"{_rfc3339_second(second)}.{rest_ms:03}Z"


@functools.lru_cache(maxsize=64)  # what is told at one time is mostly of one second
def _rfc3339_second(second: int) -> str:
    return (_EPOCH + timedelta(seconds=second)).isoformat().removesuffix("+00:00")


def from_rfc3339(text: str) -> int:
    """Milliseconds of an RFC 3339 instant, finer parts cut off. Raises ``Undecodable`` without an offset, for
    a leap second or when malformed."""
    instant = text.upper()
    if not _RFC3339.fullmatch(instant):
        raise Undecodable(f"{text!r} is not an RFC 3339 time with an offset, like 2026-11-22T14:19:35+09:00")
    try:
        return (datetime.fromisoformat(instant) - _EPOCH) // _MILLISECOND
    except ValueError as exc:
        raise Undecodable(f"{text!r} is not an RFC 3339 time: {exc}") from exc
