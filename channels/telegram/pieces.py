"""A reply as the messages that Telegram takes: text in parts, each file a document. Pure and repeatable."""

from typing import Final, NamedTuple

from channels.kit.splitting import parts, units
from router.contract.messages import Attachment, Reply

MAX_TEXT: Final = 4096
MAX_CAPTION: Final = 1024


class Piece(NamedTuple):
    """One message: text, or a file with text beneath it."""

    text: str
    file: Attachment | None = None


def pieces(reply: Reply) -> tuple[Piece, ...]:
    """What is sent, in this order; empty for a reply that says nothing. A short text goes beneath a single
    file, so that both arrive or neither."""
    text = reply.text.strip()
    if len(reply.attachments) == 1 and units(text) <= MAX_CAPTION:
        return (Piece(text, reply.attachments[0]),)
    return (*(Piece(part) for part in parts(text, MAX_TEXT)), *(Piece("", file) for file in reply.attachments))
