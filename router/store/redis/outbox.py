"""Entries of the outbox as they lie on the server."""

import base64
from typing import Final

import msgspec

from router.store.protocol import UNREADABLE, OutboxEntry

_ENTRY: Final = msgspec.msgpack.Decoder(OutboxEntry)


class _Place(msgspec.Struct, frozen=True):
    """All that must be right of an entry."""

    number: int
    gen: int


_PLACE: Final = msgspec.msgpack.Decoder(_Place)


def entry_of(packed: bytes) -> OutboxEntry:
    """The entry; one of kind ``UNREADABLE`` when it can't be read, so that those behind it can."""
    try:
        return _ENTRY.decode(packed)
    except msgspec.DecodeError as exc:
        place, whole = _PLACE.decode(packed), base64.b64encode(packed).decode()
        return OutboxEntry(
            number=place.number, gen=place.gen, kind=UNREADABLE, at_ms=0, outcome="", about=whole, reason=str(exc)
        )
