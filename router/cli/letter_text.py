"""Dead letters in words and in JSON. Pure."""

import re
from base64 import b64encode
from datetime import datetime
from typing import Final

from router.contract.codec import rfc3339
from router.runtime.dead_letters import Letter

_SPAN: Final = re.compile(r"(\d{1,6})([smhd])")
_UNITS_MS: Final = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def since_ms(text: str, *, now_ms: int) -> int:
    """A span before now (30m, 2h, 7d) or a moment (RFC 3339) in milliseconds. Raises ``ValueError``."""
    if span := _SPAN.fullmatch(text):
        return now_ms - int(span[1]) * _UNITS_MS[span[2]]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError(f"{text!r} is neither a span (30m, 2h, 7d) nor a moment (2026-11-22T08:00:00Z)")
    return int(moment.timestamp() * 1000)


def line(letter: Letter) -> str:
    """One letter in one line."""
    return f"{letter.id}  {rfc3339(letter.at_ms)}  {letter.key or '-'}  {_size(letter)} bytes  {letter.reason}"


def summary(letter: Letter) -> dict[str, object]:
    """One letter without its value, for JSON."""
    return {
        "id": letter.id,
        "at": rfc3339(letter.at_ms),
        "topic": letter.topic,
        "key": letter.key,
        "reason": letter.reason,
        "bytes": _size(letter),
        "cut": bool(letter.cut_from_bytes),
        "replay_of": letter.replay_of,
    }


def whole(letter: Letter) -> dict[str, object]:
    """One letter with headers and value; a value that is no text as base64."""
    headers = {name: value.decode("utf-8", "replace") for name, value in letter.headers}
    value: dict[str, object] = {"value": None}
    if letter.value is not None:
        try:
            value = {"value": letter.value.decode("utf-8")}
        except UnicodeDecodeError:
            value = {"value_base64": b64encode(letter.value).decode()}
    return {**summary(letter), "headers": headers, **value}


def _size(letter: Letter) -> int:
    return letter.cut_from_bytes or len(letter.value or b"")
