"""A reply as the messages that Messenger takes: text in parts, each file by itself. Pure and repeatable."""

from typing import Final, NamedTuple

from channels.kit.splitting import parts
from router.contract.messages import Attachment, Reply

MAX_TEXT: Final = 2000


class Piece(NamedTuple):
    """One message: text or a file."""

    text: str = ""
    file: Attachment | None = None


def pieces(reply: Reply) -> tuple[Piece, ...]:
    """What is sent, in this order; empty for a reply that says nothing."""
    words = (Piece(text=part) for part in parts(reply.text, MAX_TEXT))
    return (*words, *(Piece(file=file) for file in reply.attachments))
