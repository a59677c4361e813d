"""The part of a page's webhook events that a customer's message can be in. Members beyond it are passed over. Pure."""

from collections.abc import Iterator
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from channels.kit.failures import Malformed

Key = Annotated[str, Meta(min_length=1, max_length=500)]
Name = Annotated[str, Meta(max_length=4000)]
Instant = Annotated[int, Meta(ge=0, le=2**48)]


class Party(msgspec.Struct, frozen=True, kw_only=True):
    id: Key


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    url: Name | None = None
    title: Name | None = None


class Media(msgspec.Struct, frozen=True, kw_only=True):
    """An attachment: a file by its address, or something shared (a link, a post, a place)."""

    type: Name = ""
    payload: Payload | None = None
    title: Name | None = None
    url: Name | None = None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    mid: Key
    text: str = ""
    is_echo: bool = False
    is_deleted: bool = False
    attachments: Annotated[tuple[Media, ...], Meta(max_length=100)] = ()


class Postback(msgspec.Struct, frozen=True, kw_only=True):
    """A button that the customer pressed, a suggested question for instance."""

    title: Name = ""
    payload: Name = ""
    mid: Key | None = None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Receipts, reactions, hand-overs and the like have neither message nor postback."""

    sender: Party | None = None
    recipient: Party | None = None
    timestamp: Instant = 0
    message: Message | None = None
    postback: Postback | None = None


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    messaging: tuple[msgspec.Raw, ...] = ()


class _Delivery(msgspec.Struct, frozen=True, kw_only=True):
    object: str
    entry: Annotated[tuple[_Entry, ...], Meta(max_length=10_000)]


_DELIVERY: Final = msgspec.json.Decoder(_Delivery)
_EVENT: Final = msgspec.json.Decoder(Event)


def read(body: bytes) -> tuple[Event | Malformed, ...]:
    """The events of one delivery, in order. One that can't be read doesn't hide the others. Raises
    ``Malformed`` if the body as a whole is none."""
    try:
        delivery = _DELIVERY.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise Malformed(f"The body is not a delivery of events: {_told(exc)}.") from None
    if delivery.object != "page":
        raise Malformed("The body is not a delivery of events: its object is not a page.")
    return tuple(_events(delivery))


def _events(delivery: _Delivery) -> Iterator[Event | Malformed]:
    for entry in delivery.entry:
        for raw in entry.messaging:
            try:
                yield _EVENT.decode(raw)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
                yield Malformed(f"An event is not as it should be: {_told(exc)}.")


def _told(exc: Exception) -> str:
    # msgspec says what was expected and where, and quotes nothing of the message.
    return str(exc) if isinstance(exc, msgspec.DecodeError) else "it is not UTF-8 or nested too deeply"
