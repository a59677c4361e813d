"""From the JSON of the webhook channel to an inquiry. Pure."""

import base64
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta

from channels.kit.failures import Malformed
from channels.kit.text import clean, one_line
from router.contract.codec import from_rfc3339
from router.contract.errors import Undecodable
from router.contract.ids import AccountId, InquiryId, PoolId, conversation_id, inquiry_id
from router.contract.messages import MAX_INQUIRY_BYTES, Address, Attachment, Customer, Inquiry

Key = Annotated[str, Meta(min_length=1, max_length=500)]


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    id: Key
    name: str = ""
    locale: str = ""
    segment: str = ""
    tags: Annotated[tuple[str, ...], Meta(max_length=100)] = ()


class File(msgspec.Struct, frozen=True, kw_only=True):
    content_base64: str
    name: str = "file"
    media_type: Annotated[str, Meta(max_length=200)] = "application/octet-stream"


class Message(msgspec.Struct, frozen=True, kw_only=True, rename={"sender": "from"}):
    """One message as it is posted. Members that are not named here are passed over."""

    id: Key
    conversation: Key
    sender: Sender
    text: str = ""
    subject: str = ""
    language: Annotated[str, Meta(max_length=35)] | None = None
    fields: Annotated[dict[str, str], Meta(max_length=100)] = {}
    labels: Annotated[tuple[str, ...], Meta(max_length=100)] = ()
    attachments: Annotated[tuple[File, ...], Meta(max_length=20)] = ()
    sent_at: str | None = None


class Arrival(NamedTuple):
    """What the channel knows of a message beside its body."""

    account: AccountId
    pool: PoolId
    received_at_ms: int


CHANNEL: Final = "webhook"
CONVERSATION: Final = "conversation"
"""The member of ``thread`` that holds the sender's own name of the conversation."""

_DECODER: Final = msgspec.json.Decoder(Message)


def read(body: bytes) -> Message:
    """Raises ``Malformed``. A message says something: text, a subject, fields or a file."""
    try:
        message = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise Malformed(f"The body is not a message: {_told(exc)}.") from None
    if not (message.text.strip() or message.subject.strip() or message.fields or message.attachments):
        raise Malformed("The message is empty: text, subject, fields and attachments are missing.")
    if message.sent_at is not None:
        _instant(message.sent_at)
    return message


def content(file: File) -> bytes:
    """The bytes of an attachment. Raises ``Malformed``."""
    try:
        return base64.b64decode(file.content_base64.encode("ascii"), validate=True)
    except ValueError:
        raise Malformed("The body is not a message: content_base64 of an attachment is not base64.") from None


def id_of(message: Message, account: AccountId) -> InquiryId:
    """The inquiry's id: the same whenever the same message is posted."""
    return inquiry_id(account, message.id)


def inquiry(message: Message, arrival: Arrival, attachments: tuple[Attachment, ...] = ()) -> Inquiry:
    """The inquiry that a message is. ``attachments`` are stored already."""
    sender = message.sender
    return Inquiry(
        id=id_of(message, arrival.account),
        pool=arrival.pool,
        account=arrival.account,
        channel=CHANNEL,
        conversation=conversation_id(arrival.account, message.conversation),
        customer=Customer(
            id=clean(sender.id),
            name=one_line(sender.name),
            locale=one_line(sender.locale, 35),
            segment=one_line(sender.segment, 100),
            tags=tuple(one_line(tag, 100) for tag in sender.tags),
        ),
        reply_to=Address(account=arrival.account, address=clean(sender.id)),
        received_at_ms=arrival.received_at_ms,
        text=clean(message.text[:MAX_INQUIRY_BYTES]),  # no more than that ever fits: the host says so in a label
        subject=one_line(message.subject),
        language=message.language or None,
        labels=tuple(one_line(label, 100) for label in message.labels),
        fields={one_line(name, 100): clean(value) for name, value in message.fields.items()},
        attachments=attachments,
        thread={CONVERSATION: message.conversation},
        sent_at_ms=None if message.sent_at is None else _instant(message.sent_at),
    )


def _instant(text: str) -> int:
    try:
        return from_rfc3339(text)
    except Undecodable:
        raise Malformed("The body is not a message: sent_at is no RFC 3339 time with an offset.") from None


def _told(exc: Exception) -> str:
    # msgspec says what was expected and where, and quotes nothing of the message.
    return str(exc) if isinstance(exc, msgspec.DecodeError) else "it is not UTF-8 or nested too deeply"
