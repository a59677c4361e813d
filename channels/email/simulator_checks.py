"""What the customers' provider finds wrong with a mail of ours. Pure."""

import re
from collections.abc import Iterator, Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Final, NamedTuple

_MESSAGE_ID: Final = re.compile(r"<[^<>\s@]+@[^<>\s@]+>")
_BARE: Final = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_MAX_LINE: Final = 998


class Submission(NamedTuple):
    """A mail as it was handed over, with what SMTP said about it."""

    sender: str
    recipient: str
    options: tuple[str, ...]
    data: bytes


class Known(NamedTuple):
    """What the provider knows. ``threads``: of each Message-ID that a customer has, the thread's first one."""

    mailbox: str
    customers: frozenset[str]
    threads: Mapping[str, str]


def complaints(mail: Submission, known: Known) -> Iterator[str]:
    """Why a strict provider wouldn't take it; nothing if all is well."""
    yield from _of_bytes(mail)
    message = read(mail.data)
    yield from _of_headers(message, known.mailbox)
    yield from _of_thread(message, known)
    yield from _of_envelope(message, mail, known)


def read(data: bytes) -> EmailMessage:
    """The mail as the standard library reads it."""
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def _of_bytes(mail: Submission) -> Iterator[str]:
    if _BARE.search(mail.data):
        yield "a line ends without CR LF"
    if any(len(line) > _MAX_LINE for line in mail.data.split(b"\r\n")):
        yield "a line is longer than 998 bytes"
    head, _, body = mail.data.partition(b"\r\n\r\n")
    if not head.isascii():
        yield "a header has 8-bit bytes"
    if not body.isascii() and "BODY=8BITMIME" not in mail.options:
        yield "8-bit text without BODY=8BITMIME"


def _of_headers(message: EmailMessage, mailbox: str) -> Iterator[str]:
    for name in ("Date", "From", "To", "Message-ID", "MIME-Version"):
        count = len(message.get_all(name) or ())
        if count != 1:
            yield f"{count} headers {name}"
    if not _MESSAGE_ID.fullmatch(str(message["Message-ID"] or "").strip()):
        yield "the Message-ID is none"
    if mailbox.lower() not in str(message["From"] or "").lower():
        yield "the sender is not the mailbox"
    if str(message["Subject"] or "").lower().count("re:") > 1:
        yield "the subject says Re: more than once"
    if message.defects:
        yield f"malformed: {type(message.defects[0]).__name__}"


def _of_thread(message: EmailMessage, known: Known) -> Iterator[str]:
    parent = str(message["In-Reply-To"] or "").strip()
    references = str(message["References"] or "").split()
    if not parent:
        if references:
            yield "References without In-Reply-To"
        return
    if parent not in known.threads:
        yield "In-Reply-To names a mail that no customer has"
    elif not references or references[-1] != parent:
        yield "References doesn't end with the mail that is answered"
    elif references[0] != known.threads[parent]:
        yield "References doesn't begin with the thread's first mail"


def _of_envelope(message: EmailMessage, mail: Submission, known: Known) -> Iterator[str]:
    is_automatic = str(message["Auto-Submitted"] or "no").strip().lower() != "no"
    if is_automatic and mail.sender:
        yield "an automatic mail has a return path"
    if not is_automatic and mail.sender.lower() != known.mailbox.lower():
        yield "the return path is not the mailbox"
    if mail.recipient.lower() not in known.customers:
        yield "nobody has the address that it is sent to"
    elif mail.recipient.lower() not in str(message["To"] or "").lower():
        yield "the recipient isn't the one in the header"
