"""From a chat's frames to inquiries, and from replies to what a conversation's log keeps. Pure."""

from typing import Final, NamedTuple

import msgspec

from channels.chat.frames import FileLink, Hello, Say, Told
from channels.kit.text import clean, one_line
from router.contract.codec import rfc3339
from router.contract.ids import AccountId, ConversationId, PoolId, conversation_id, inquiry_id
from router.contract.messages import Address, Attachment, Customer, Inquiry, Reply

CHANNEL: Final = "chat"


class Visitor(NamedTuple):
    """Who writes, as the channel knows him. ``session`` stands for the customer and his one conversation."""

    account: AccountId
    pool: PoolId
    session: str
    hello: Hello

    @property
    def conversation(self) -> ConversationId:
        return conversation_id(self.account, self.session)


def inquiry(say: Say, visitor: Visitor, *, now_ms: int) -> Inquiry | None:
    """The inquiry that a message is; None if nothing is left of its text. Its id is that of the session and the
    customer's own, so a message that is sent again is the same inquiry."""
    text = clean(say.text)
    if not text.strip():
        return None
    hello = visitor.hello
    page = one_line(hello.page)
    return Inquiry(
        id=inquiry_id(visitor.account, f"{visitor.session}/{say.id}"),
        pool=visitor.pool,
        account=visitor.account,
        channel=CHANNEL,
        conversation=visitor.conversation,
        customer=Customer(id=visitor.session, name=one_line(hello.name, 200), locale=one_line(hello.locale, 35)),
        reply_to=Address(account=visitor.account, address=visitor.session),
        received_at_ms=now_ms,
        text=text,
        fields={"page": page} if page else {},
    )


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reply as a conversation's log keeps it."""

    text: str
    at_ms: int
    automatic: bool = False
    attachments: tuple[Attachment, ...] = ()


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Said)


def kept(reply: Reply) -> bytes:
    return _ENCODER.encode(
        Said(
            text=reply.text,
            at_ms=reply.created_at_ms,
            automatic=reply.automatic,
            attachments=reply.attachments,
        )
    )


def read_kept(body: bytes) -> Said:
    return _DECODER.decode(body)


def told(said: Said, *, cursor: str, id_: str, files: tuple[FileLink, ...] = ()) -> Told:
    """The frame of what was said."""
    sender = "automatic" if said.automatic else "advisor"
    return Told(cursor=cursor, id=id_, text=said.text, sender=sender, at=rfc3339(said.at_ms), files=files)
