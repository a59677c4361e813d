"""A mail's bytes and envelope to an inquiry and its files. Pure, and never raises: mail is what anybody sends."""

import hashlib
from datetime import UTC
from email.utils import parseaddr, parsedate_to_datetime
from typing import Final, NamedTuple

from channels.email.automatic import Bounce, Origin, bounce_of, origin_of
from channels.email.content import File, read_content
from channels.email.decoding import header_text, tidy
from channels.email.mime import Headers, parse
from channels.email.quotes import split_quoted
from channels.email.threads import MailThread, MailTokens, message_ids, thread_of, without_plus
from router.contract.ids import AccountId, InquiryId, PoolId, conversation_id, mail_inquiry_id
from router.contract.limits import SHORTENED
from router.contract.messages import MAX_TEXT_CHARS, Address, Attachment, Customer, Inquiry
from router.runtime.blobs import blob_key

CHANNEL: Final = "email"
MESSAGE_ID: Final = "message_id"
REFERENCES: Final = "references"
UNREADABLE: Final = "unreadable"

_MAX_SUBJECT: Final = 500
_EARLIEST_MS: Final = 0


class Mailbox(NamedTuple):
    """The mailbox that a mail came to. ``own`` are all addresses of this installation, in lower case."""

    account: AccountId
    pool: PoolId
    address: str
    own: frozenset[str]
    tokens: MailTokens
    max_bytes: int
    is_behind_list: bool = False

    def is_own(self, address: str) -> bool:
        return without_plus(address) in self.own


class Envelope(NamedTuple):
    """What SMTP said: the return path, empty for none, and the address that was asked for."""

    sender: str
    recipient: str
    received_at_ms: int


class Mail(NamedTuple):
    """A mail read. ``files`` are the bytes of ``inquiry.attachments``, in order."""

    inquiry: Inquiry
    files: tuple[bytes, ...]
    bounce: Bounce | None


def normalise(data: bytes, envelope: Envelope, mailbox: Mailbox) -> Mail:
    """Read a mail for one mailbox. What can't be read is attached whole (``message.eml``) and labelled
    ``unreadable``; what had to be cut is attached whole too, and labelled ``shortened``."""
    try:
        return _read(data, envelope, mailbox)
    except Exception:  # noqa: BLE001  # a mail that nobody foresaw must reach a person all the same
        return _unread(data, envelope, mailbox)


def _read(data: bytes, envelope: Envelope, mailbox: Mailbox) -> Mail:
    tree = parse(data)
    headers = tree.root.headers
    author_name, author = _author(headers, envelope, mailbox)
    origin = origin_of(headers, sender=envelope.sender, author=author, is_own=mailbox.is_own)
    if origin is Origin.LIST and mailbox.is_behind_list:
        origin = None
    content = read_content(tree, data)
    body_hash = hashlib.sha256(tree.raw_body).hexdigest()
    name = _name(headers, body_hash)
    thread = thread_of(
        headers, mailbox.account, mailbox.tokens, recipients=_recipients(headers, envelope), fallback=name
    )
    inquiry_id = mail_inquiry_id(name, mailbox.address, body_hash)
    split = split_quoted(content.text)
    labels = (*((origin.value,) if origin else ()), *(() if content.is_whole else (SHORTENED,)))
    inquiry = Inquiry(
        id=inquiry_id,
        pool=mailbox.pool,
        account=mailbox.account,
        channel=CHANNEL,
        conversation=thread.conversation,
        customer=Customer(id=author.lower() or "unknown", name=author_name),
        reply_to=Address(account=mailbox.account, address=author),
        received_at_ms=envelope.received_at_ms,
        text=split.text[:MAX_TEXT_CHARS],
        subject=headers.text("subject")[:_MAX_SUBJECT],
        quoted=split.quoted[:MAX_TEXT_CHARS],
        labels=labels,
        attachments=_attachments(content.files, mailbox.account, inquiry_id),
        thread=_thread(thread),
        automatic=origin is not None or not author,
        sent_at_ms=_sent_at_ms(headers),
    )
    bounce = bounce_of(tree.root, mailbox.tokens) if origin is Origin.BOUNCE else None
    return Mail(inquiry, tuple(file.data for file in content.files), bounce)


def _unread(data: bytes, envelope: Envelope, mailbox: Mailbox) -> Mail:
    body_hash = hashlib.sha256(data).hexdigest()
    inquiry_id = mail_inquiry_id("", mailbox.address, body_hash)
    files = (File("message.eml", "message/rfc822", data),)
    sender = tidy(envelope.sender).strip("<> ")
    inquiry = Inquiry(
        id=inquiry_id,
        pool=mailbox.pool,
        account=mailbox.account,
        channel=CHANNEL,
        conversation=conversation_id(mailbox.account, body_hash),
        customer=Customer(id=sender.lower() or "unknown"),
        reply_to=Address(account=mailbox.account, address=sender),
        received_at_ms=envelope.received_at_ms,
        labels=(UNREADABLE,),
        attachments=_attachments(files, mailbox.account, inquiry_id),
        automatic=not sender,
    )
    return Mail(inquiry, (data,), None)


def _name(headers: Headers, body_hash: str) -> str:
    """What the mail is called: its Message-ID, else what stands there, else a name of our own; the same when it
    is brought again."""
    said = headers.first("message-id")
    if said:
        return next(iter(message_ids(said)), _storable(said))
    parts = (headers.first("date"), headers.first("from"), headers.first("subject"), body_hash)
    return hashlib.sha256(_storable("\n".join(parts)).encode()).hexdigest()


def _storable(text: str) -> str:
    # Bytes beyond ASCII come out of the header parser as lone surrogates, which UTF-8 doesn't know.
    return text.encode("utf-8", "backslashreplace").decode()


def _author(headers: Headers, envelope: Envelope, mailbox: Mailbox) -> tuple[str, str]:
    """Name and address of whom to answer: Reply-To, From, the return path. Our own addresses come last (a form
    on the web site may write as ourselves)."""
    name, _ = _address(headers.first("from"))
    found = [_address(headers.first(each))[1] for each in ("reply-to", "from")]
    found.append(tidy(envelope.sender).strip("<> "))
    usable = [address for address in found if address]
    foreign = [address for address in usable if not mailbox.is_own(address)]
    return name, next(iter(foreign or usable), "")


def _address(value: str) -> tuple[str, str]:
    """Name and address of the first mailbox in a header; the address empty if it can't be one."""
    try:
        name, address = parseaddr(value[:2000].encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    except (RecursionError, ValueError, IndexError):
        return "", ""
    address = tidy(address).strip()
    local, at, domain = address.rpartition("@")
    if not (local and at and domain) or len(address) > 320 or any(char.isspace() or char in "<>," for char in address):
        address = ""
    return header_text(name)[:200], address


def _recipients(headers: Headers, envelope: Envelope) -> tuple[str, ...]:
    named = [_address(headers.first(each))[1] for each in ("to", "delivered-to", "x-original-to")]
    return (envelope.recipient, *(each for each in named if each))


def _thread(thread: MailThread) -> dict[str, str]:
    told = {MESSAGE_ID: thread.message_id, REFERENCES: " ".join(thread.references)}
    return {name: value for name, value in told.items() if value}


def _sent_at_ms(headers: Headers) -> int | None:
    try:
        at = parsedate_to_datetime(headers.first("date")[:100])
        at_ms = int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None
    return at_ms if at_ms > _EARLIEST_MS else None


def _attachments(files: tuple[File, ...], account: AccountId, inquiry: InquiryId) -> tuple[Attachment, ...]:
    return tuple(
        Attachment(
            name=file.name,
            media_type=file.media_type,
            size_bytes=len(file.data),
            sha256=hashlib.sha256(file.data).hexdigest(),
            blob=blob_key(account, inquiry, number),
        )
        for number, file in enumerate(files)
    )
