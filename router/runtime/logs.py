"""Log output: one JSON object a line for machines, or short lines for people."""

import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any, Final, TextIO

import msgspec

from router.runtime.settings.model import LogFormat, LogSettings

# What every record has by itself; the rest was given as ``extra``.
_OWN: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "event"}
_MAX_TEXT_CHARS: Final = 8192
_NOISY: Final = {"aiohttp.access": logging.WARNING, "aiokafka": logging.WARNING, "asyncio": logging.WARNING}
_ENCODER: Final = msgspec.json.Encoder(enc_hook=repr, order="deterministic")


class JsonFormatter(logging.Formatter):
    """``time`` (RFC 3339, UTC), ``level``, ``logger``, ``event``, ``message``, then the fields of ``extra``,
    and ``error`` with the traceback. A field can't replace one of those names."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {key: value for key, value in record.__dict__.items() if key not in _OWN}
        line |= {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": getattr(record, "event", ""),
            "message": _cut(record.getMessage()),
        }
        if record.exc_info:
            line["error"] = _error(record)
        try:
            return _ENCODER.encode(line).decode()
        except (TypeError, ValueError, RecursionError, UnicodeError):
            # A field that can't be written must not cost the line.
            return _ENCODER.encode({key: _plain(value) for key, value in line.items()}).decode()


class ConsoleFormatter(logging.Formatter):
    """``12:34:56 INFO  logger  message  key=value`` and the traceback below."""

    def format(self, record: logging.LogRecord) -> str:
        fields = " ".join(f"{key}={value}" for key, value in record.__dict__.items() if key not in _OWN)
        moment = datetime.fromtimestamp(record.created, UTC).astimezone().strftime("%H:%M:%S")
        text = f"{moment} {record.levelname:<7} {record.name}  {_cut(record.getMessage())}"
        if fields:
            text += f"  {fields}"
        return f"{text}\n{_error(record)}" if record.exc_info else text


def install_logs(settings: LogSettings, stream: TextIO | None = None) -> None:
    """Send all logs of the process to ``stream`` (standard error if absent). Replaces what was installed."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if settings.format is LogFormat.JSON else ConsoleFormatter())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(settings.level.upper())
    for name, level in _NOISY.items():
        logging.getLogger(name).setLevel(max(level, root.level))
    logging.captureWarnings(True)


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _error(record: logging.LogRecord) -> str:
    if not record.exc_info or record.exc_info[0] is None:
        return ""
    return _cut("".join(traceback.format_exception(*record.exc_info)).rstrip())


def _plain(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    return _cut(text.encode("utf-8", "backslashreplace").decode())


def _cut(text: str) -> str:
    # The end of a traceback tells more than its beginning.
    return text if len(text) <= _MAX_TEXT_CHARS else "..." + text[-_MAX_TEXT_CHARS:]
