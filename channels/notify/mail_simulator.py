"""The stand-in of a company's mail server: it takes notices as strictly as RFC 5322, 3834 and the notifier promise."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Final, NamedTuple

from aiosmtpd.smtp import SMTP, Envelope, Session

_MESSAGE_ID: Final = re.compile(r"<[^<>\s@]+@[^<>\s@]+>")
_BARE: Final = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_MAX_BYTES: Final = 1024 * 1024
_MAX_LINE: Final = 998
_ONCE: Final = ("Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted")


class Mail(NamedTuple):
    """A mail as its reader sees it."""

    recipient: str
    message_id: str
    subject: str
    text: str


class MailServerSimulator:
    """One server. ``start``, then a service whose target has the options it returned."""

    def __init__(self, address: str = "turnout@shop.example") -> None:
        self._address = address
        self._server: asyncio.Server | None = None
        self._port = 0
        self.arrived: asyncio.Queue[Mail] = asyncio.Queue()
        self.refusals: list[str] = []
        self.duplicates: Counter[tuple[str, str]] = Counter()
        """How often a mail that was here already came again, by recipient and Message-ID."""
        self._seen: set[tuple[str, str]] = set()
        self.busy = 0
        """So many of the next mails are put off."""

    async def start(self) -> Mapping[str, Any]:
        """Listen, on the port of the last time if there was one; return options for a target."""
        self._server = await asyncio.get_running_loop().create_server(self._connection, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        relay = {"host": "127.0.0.1", "port": self._port, "tls": "none", "timeout_s": 5.0}
        return {"address": self._address, "relay": relay}

    async def stop(self) -> None:
        """Be gone. Repeating it does nothing."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
            await server.wait_closed()

    def _connection(self) -> SMTP:
        return SMTP(self, data_size_limit=_MAX_BYTES, hostname="mail.test", enable_SMTPUTF8=True)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take one mail, or say why not."""
        if self.busy:
            self.busy -= 1
            return "451 4.2.1 Try again later"
        data = envelope.original_content or b""
        mail = message_from_bytes(data, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        wrong = next(self._complaints(mail, data, envelope), None)
        if wrong is not None:
            self.refusals.append(wrong)
            return f"550 5.6.0 {wrong}"
        for recipient in envelope.rcpt_tos:
            self._take(recipient, mail)
        return "250 2.0.0 Taken"

    def _take(self, recipient: str, mail: EmailMessage) -> None:
        own_id = str(mail["Message-ID"]).strip()
        if (recipient, own_id) in self._seen:
            self.duplicates[recipient, own_id] += 1
            return
        self._seen.add((recipient, own_id))
        body = mail.get_body(("plain",))
        text = str(body.get_content()) if body is not None else ""
        self.arrived.put_nowait(Mail(recipient, own_id, str(mail["Subject"]), text))

    def _complaints(self, mail: EmailMessage, data: bytes, envelope: Envelope) -> Iterator[str]:
        yield from _of_bytes(data)
        yield from _of_headers(mail)
        if (envelope.mail_from or "").strip("<>"):
            yield "a machine's mail has no return path"
        if self._address not in str(mail["From"]):
            yield "From is another's address"
        if not any(recipient in str(mail["To"]) for recipient in envelope.rcpt_tos):
            yield "To is not who it is for"


def _of_bytes(data: bytes) -> Iterator[str]:
    if _BARE.search(data):
        yield "a line ends without CR LF"
    if any(len(line) > _MAX_LINE for line in data.split(b"\r\n")):
        yield "a line is longer than 998 bytes"
    if not data.isascii():
        yield "8-bit bytes without an encoding"


def _of_headers(mail: EmailMessage) -> Iterator[str]:
    for name in _ONCE:
        if len(mail.get_all(name, [])) != 1:
            yield f"{name} is not there once"
    if _MESSAGE_ID.fullmatch(str(mail["Message-ID"] or "").strip()) is None:
        yield "the Message-ID is none"
    if mail["Auto-Submitted"] != "auto-generated":
        yield "it does not say that a machine wrote it"
    if mail.get_content_type() != "text/plain":
        yield "it is no plain text"
