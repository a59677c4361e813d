"""What travels over a chat's WebSocket: JSON objects tagged by ``type``, one a text frame.

Members that are not named here are passed over. The customer's side says ``hello`` first and then sends one
message at a time, the next after the ``ack`` of the last; the same id again is the same message. The other
side's messages carry cursors: a hello with the last one that was shown goes on right behind it. An id that
is shown already is dropped, whatever its cursor.
"""

from enum import IntEnum
from typing import Annotated, Final

import msgspec
from msgspec import Meta

MAX_CURSOR_CHARS: Final = 40
MAX_ID_CHARS: Final = 64


class Hello(msgspec.Struct, frozen=True, kw_only=True, tag="hello", tag_field="type"):
    """The first frame. Without ``session`` a new one begins; ``cursor`` is of the last message shown."""

    session: Annotated[str, Meta(max_length=1000)] = ""
    cursor: Annotated[str, Meta(max_length=MAX_CURSOR_CHARS)] = ""
    name: Annotated[str, Meta(max_length=200)] = ""
    locale: Annotated[str, Meta(max_length=35)] = ""
    page: Annotated[str, Meta(max_length=2000)] = ""


class Say(msgspec.Struct, frozen=True, kw_only=True, tag="message", tag_field="type"):
    """What the customer writes. ``id`` is made by his side, once a message."""

    id: Annotated[str, Meta(pattern=f"^[A-Za-z0-9_.:-]{{1,{MAX_ID_CHARS}}}$")]
    text: str


class Typing(msgspec.Struct, frozen=True, kw_only=True, tag="typing", tag_field="type"):
    """Taken and passed over."""


class Ping(msgspec.Struct, frozen=True, kw_only=True, tag="ping", tag_field="type"):
    """Asks whether the line is alive: browsers can't send the protocol's own ping."""


class Welcome(msgspec.Struct, frozen=True, kw_only=True, tag="welcome", tag_field="type"):
    """The answer to ``hello``. ``session`` is the token for the next one."""

    session: str
    cursor: str


class Ack(msgspec.Struct, frozen=True, kw_only=True, tag="ack", tag_field="type"):
    """The message is safe: it needn't be sent again."""

    id: str


class Later(msgspec.Struct, frozen=True, kw_only=True, tag="later", tag_field="type"):
    """The message was not taken: send it again after so long, before any other."""

    id: str
    after_ms: int


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag="refused", tag_field="type"):
    """The message will never be taken."""

    id: str
    reason: str


class FileLink(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    media_type: str
    size_bytes: int
    url: str


class Told(msgspec.Struct, frozen=True, kw_only=True, tag="message", tag_field="type", rename={"sender": "from"}):
    """What the customer is told. ``from`` is ``advisor`` or ``automatic``; ``at`` is RFC 3339."""

    cursor: str
    id: str
    text: str
    sender: str
    at: str
    files: tuple[FileLink, ...] = ()


class Pong(msgspec.Struct, frozen=True, kw_only=True, tag="pong", tag_field="type"):
    """The line is alive."""


FromCustomer = Hello | Say | Typing | Ping
ToCustomer = Welcome | Ack | Later | Refused | Told | Pong


class Code(IntEnum):
    """With what a socket is closed, by whose fault."""

    NOT_TEXT = 1003
    ERROR = 1011
    RESTART = 1012
    TOO_SLOW = 1013
    MALFORMED = 4400
    NOT_GREETED = 4401
    HELLO_LATE = 4408
    REPLACED = 4409
    TOO_FAST = 4429


class Closed(Exception):
    """The way out of a socket: closed with this code and reason, which tell nothing of the inside."""

    def __init__(self, code: Code, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason.encode()[:120].decode(errors="ignore")


_HELLO: Final = msgspec.json.Decoder(Hello)
_DECODER: Final[msgspec.json.Decoder[FromCustomer]] = msgspec.json.Decoder(FromCustomer)
_ENCODER: Final = msgspec.json.Encoder()


def read_hello(text: str) -> Hello:
    """Raises ``Closed``."""
    try:
        return _HELLO.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as exc:
        raise Closed(Code.NOT_GREETED, f"The first frame must be a hello: {_told(exc)}") from None


def read_frame(text: str) -> FromCustomer:
    """Raises ``Closed``."""
    try:
        return _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as exc:
        raise Closed(Code.MALFORMED, f"This is no frame: {_told(exc)}") from None


def written(frame: ToCustomer) -> str:
    return _ENCODER.encode(frame).decode()


def _told(exc: Exception) -> str:
    # msgspec says what was expected and where; a tag that is unknown it quotes, cut by the reason's length.
    return str(exc) if isinstance(exc, msgspec.DecodeError) else "not UTF-8 or nested too deeply"
