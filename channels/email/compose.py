"""A reply as the mail that carries it: the same bytes each time, so that a repeat is a repeat. Pure."""

import base64
import hashlib
import re
from binascii import b2a_qp
from collections.abc import Sequence
from email.header import Header
from email.utils import encode_rfc2231, formatdate
from typing import Final, NamedTuple

from channels.email.automatic import LOOP_HEADER, REPLY_HEADER
from channels.email.decoding import tidy
from channels.email.normalise import MESSAGE_ID, REFERENCES
from channels.email.threads import MailTokens, SentReply, message_ids, plus_address, shortened
from channels.kit.mail_relay import Outgoing
from router.contract.ids import message_id
from router.contract.messages import Attachment, Reply

_MAX_LINE: Final = 900
_MAX_SUBJECT: Final = 500
_ANSWER: Final = re.compile(
    r"(?:(?:re|aw|sv|antw|답장|회신|回复|回覆|返信)\s?(?:\[\d{1,4}\])?\s?[:：]\s*)", re.IGNORECASE
)
_MEDIA_TYPE: Final = re.compile(r"[\w.+-]{1,80}/[\w.+-]{1,80}", re.ASCII)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]+")


class Writer(NamedTuple):
    """The mailbox that a mail is from. ``is_plus`` tells whether Reply-To carries the token."""

    address: str
    display_name: str
    tokens: MailTokens
    is_plus: bool

    @property
    def domain(self) -> str:
        return self.address.rpartition("@")[2].lower()


def compose(reply: Reply, files: Sequence[tuple[Attachment, bytes]], writer: Writer) -> Outgoing:
    """The mail of a reply, in the thread that ``reply.thread`` tells. Raises ``ValueError`` when its address is
    none."""
    recipient = wire_address(reply.to.address)
    token = writer.tokens.token(reply.conversation)
    own_id = message_id(reply.id, f"{token}.{writer.domain}" if token else writer.domain)
    head, body = _body(reply, files)
    lines = [*_headers(reply, writer, own_id, token), f"To: {recipient}", "MIME-Version: 1.0", *head]
    data = "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + body
    return Outgoing(own_id, "" if reply.automatic else writer.address, recipient, data)


def wire_address(address: str) -> str:
    """The address as SMTP takes it. Raises ``ValueError`` for what is none."""
    local, at, domain = address.rpartition("@")
    if not (local and at and domain) or any(char.isspace() or char in "<>," for char in address):
        raise ValueError("not a mail address")
    return address if domain.isascii() else f"{local}@{domain.encode('idna').decode()}"


def subject_of(reply: Reply) -> str:
    """The subject, with one "Re:" when it answers something."""
    subject = " ".join(tidy(reply.subject).split())[:_MAX_SUBJECT]
    if not reply.thread.get(MESSAGE_ID):
        return subject
    while (answer := _ANSWER.match(subject)) is not None:
        subject = subject[answer.end() :]
    return f"Re: {subject}".strip()


def _headers(reply: Reply, writer: Writer, own_id: str, token: str | None) -> list[str]:
    sealed = writer.tokens.seal(SentReply(reply.id, reply.case, reply.conversation))
    lines = [
        f"Date: {formatdate(reply.created_at_ms / 1000)}",
        f"From: {_mailbox(writer.display_name, writer.address)}",
        f"Message-ID: {own_id}",
        f"{LOOP_HEADER}: {writer.address}",
        f"{REPLY_HEADER}: {sealed}",
    ]
    if subject := subject_of(reply):
        lines.append(f"Subject: {_encoded(subject, 9)}")
    if writer.is_plus and (answer_to := plus_address(writer.address, token)) is not None:
        lines.append(f"Reply-To: {_mailbox(writer.display_name, answer_to)}")
    if reply.automatic:
        lines.extend(("Auto-Submitted: auto-replied", "X-Auto-Response-Suppress: All"))
    return [*lines, *_thread_headers(reply)]


def _thread_headers(reply: Reply) -> list[str]:
    parents = message_ids(reply.thread.get(MESSAGE_ID, ""))[:1]
    references = shortened((*message_ids(reply.thread.get(REFERENCES, "")), *parents))
    lines = [f"In-Reply-To: {parent}" for parent in parents]
    if references:
        # Ids are never split: each has a line of its own.
        lines.append("References: " + "\r\n ".join(references))
    return lines


def _body(reply: Reply, files: Sequence[tuple[Attachment, bytes]]) -> tuple[list[str], bytes]:
    head, text = _text_part(reply.text)
    if not files:
        return head, text
    boundary = f"=_{hashlib.sha256(reply.id.encode()).hexdigest()[:40]}"
    parts = [(head, text), *(_file_part(attachment, data) for attachment, data in files)]
    mark = b"--" + boundary.encode()
    chunks = [b"\r\n".join((mark, "\r\n".join(lines).encode("ascii"), b"", data)) for lines, data in parts]
    return [f'Content-Type: multipart/mixed; boundary="{boundary}"'], b"\r\n".join((*chunks, mark + b"--", b""))


def _text_part(text: str) -> tuple[list[str], bytes]:
    lines = tidy(text).split("\n")
    charset, encoding = "utf-8", "quoted-printable"
    if text.isascii() and all(len(line) <= _MAX_LINE for line in lines):
        charset, encoding = "us-ascii", "7bit"
        data = "\r\n".join(lines).encode("ascii")
    else:
        data = b"\r\n".join(b2a_qp(line.encode()).replace(b"=\n", b"=\r\n") for line in lines)
    head = [f"Content-Type: text/plain; charset={charset}", f"Content-Transfer-Encoding: {encoding}"]
    return head, data + b"\r\n"


def _file_part(attachment: Attachment, data: bytes) -> tuple[list[str], bytes]:
    media_type = attachment.media_type if _MEDIA_TYPE.fullmatch(attachment.media_type) else "application/octet-stream"
    if media_type.startswith(("message/", "multipart/")):
        media_type = "application/octet-stream"  # these may not be sent as base64
    name = _one_line(attachment.name) or "file"
    if name.isascii():
        escaped = name.replace("\\", "_").replace('"', "_")
        named = f'filename="{escaped}"'
    else:
        named = f"filename*={encode_rfc2231(name, 'utf-8')}"
    head = [
        f"Content-Type: {media_type}",
        f"Content-Disposition: attachment;\r\n {named}",
        "Content-Transfer-Encoding: base64",
    ]
    return head, base64.encodebytes(data).replace(b"\n", b"\r\n")


def _mailbox(name: str, address: str) -> str:
    shown = _one_line(name).replace("\\", "").replace('"', "")
    if not shown:
        return address
    return f'"{shown}" <{address}>' if shown.isascii() else f"{_encoded(shown, 10)}\r\n <{address}>"


def _encoded(text: str, before: int) -> str:
    """A header's text, encoded where it must be, folded after at most 76 characters."""
    header = Header(_one_line(text), "us-ascii" if text.isascii() else "utf-8", header_name="x" * before)
    return header.encode(linesep="\r\n", maxlinelen=76)


def _one_line(text: str) -> str:
    return _CONTROL.sub(" ", tidy(text)).strip()
