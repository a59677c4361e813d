"""The stand-in for the world's mail: customers with a real mail library, and their provider's server."""

import hashlib
from collections.abc import Mapping, Sequence
from email import policy
from email.message import EmailMessage
from email.utils import formatdate
from typing import Any, Final

import aiosmtplib

from channels.email.normalise import CHANNEL
from channels.email.simulator_provider import Provider
from channels.email.simulator_threads import DOMAIN, Standing, Threads
from router.runtime.clock import SystemClock
from router.runtime.simulators import (
    Answer,
    CustomerMessage,
    Defect,
    Entrance,
    Misbehaviour,
    ReceivedReply,
    Simulator,
)

_SERVICE_DOMAIN: Final = "shop.example"
_MAX_BYTES: Final = 4 * 1024 * 1024
_TIMEOUT_S: Final = 30.0
# The library breaks ids that are longer than its line; no mail program does.
_LINES: Final = policy.SMTP.clone(max_line_length=900)


class EmailSimulator:
    """The customers of one mailbox."""

    name = CHANNEL

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._mailbox = ""
        self._entrance: Entrance | None = None
        self._sent: dict[str, tuple[str, str, bytes]] = {}
        self.threads = Threads("")
        self.provider = Provider("", self.threads)

    async def start(self, account: str) -> Mapping[str, Any]:
        self._mailbox = f"{account}@{_SERVICE_DOMAIN}"
        self.threads = Threads(self._mailbox)
        self.provider = Provider(self._mailbox, self.threads)
        await self.provider.start()
        return {
            "address": self._mailbox,
            "display_name": "고객 센터",
            "max_bytes": _MAX_BYTES,
            # Everybody in a test or demo writes from one machine, and fast.
            "listen": {"port": 0, "sender_per_s": 1000, "sender_burst": 5000},
            "relay": {"host": "127.0.0.1", "port": self.provider.port, "tls": "none"},
        }

    async def enter(self, entrance: Entrance) -> None:
        self._entrance = entrance

    async def send(self, message: CustomerMessage) -> Answer:
        sender = self.threads.address(message.customer)
        if message.ref not in self._sent:
            standing = self.threads.standing(message.thread, message.subject)
            mail = _mail(message, sender, standing, at_ms=self._clock.now_ms())
            self._sent[message.ref] = (sender, standing.to, mail.as_bytes(policy=_LINES))
            self.threads.sent(message.thread, str(mail["Message-ID"]))
        return await self.hand_over(*self._sent[message.ref])

    async def send_defective(self, defect: Defect) -> Answer | None:
        """Mail has no signature to get wrong, and whatever its bytes are, somebody may mean them: only a bad
        address and a mail that is too large are refused."""
        sender = self.threads.address("nobody")
        match defect:
            case Defect.MALFORMED:
                return await self.hand_over(sender, "@", b"Subject: wrong\r\n\r\nwrong\r\n")
            case Defect.OVERSIZE:
                return await self.hand_over(
                    sender, self._mailbox, b"Subject: x\r\n\r\n" + b"x" * 76 * (_MAX_BYTES // 70)
                )
            case Defect.BAD_SIGNATURE | Defect.NOT_TEXT:
                return None

    async def hand_over(self, sender: str, recipient: str, data: bytes) -> Answer:
        """Hand these bytes to the channel's port. Raises ``ConnectionError`` when nobody answers."""
        assert self._entrance is not None, "enter first"
        client = aiosmtplib.SMTP(
            hostname=self._entrance.host,
            port=self._entrance.ports["smtp"],
            local_hostname=DOMAIN,
            timeout=_TIMEOUT_S,
            start_tls=False,
        )
        try:
            await client.connect()
            await client.ehlo()
            response = await _transaction(client, sender, recipient, data)
        except TimeoutError as exc:
            raise ConnectionError("no answer from the mail port") from exc
        except aiosmtplib.SMTPResponseException as exc:
            response = aiosmtplib.SMTPResponse(exc.code, exc.message)
        finally:
            client.close()
        return Answer(accepted=200 <= response.code < 300, code=str(response.code), body=response.message)

    async def next_reply(self) -> ReceivedReply:
        return await self.provider.arrived.get()

    def refusals(self) -> Sequence[str]:
        return tuple(self.provider.refusals)

    def misbehave(self, ways: Sequence[Misbehaviour]) -> None:
        self.provider.misbehave(ways)

    async def close(self) -> None:
        await self.provider.close()


async def _transaction(client: aiosmtplib.SMTP, sender: str, recipient: str, data: bytes) -> aiosmtplib.SMTPResponse:
    """As a server before ours does it: no check of its own, everything as it is."""
    response = await client.execute_command(b"MAIL", f"FROM:<{sender}>".encode(), b"BODY=8BITMIME")
    if response.code != 250:
        return response
    response = await client.execute_command(b"RCPT", f"TO:<{recipient}>".encode())
    if response.code != 250:
        return response
    return await client.data(data)


def _mail(message: CustomerMessage, sender: str, standing: Standing, *, at_ms: int) -> EmailMessage:
    """The mail as a customer's program writes it: an answer refers to all before it and quotes the last."""
    mail = EmailMessage(policy=_LINES)
    mail["From"] = f'"{message.customer}" <{sender}>' if message.customer.isascii() else sender
    mail["To"] = standing.to
    mail["Date"] = formatdate(at_ms / 1000)
    mail["Message-ID"] = f"<{hashlib.sha256(message.ref.encode()).hexdigest()[:24]}@{DOMAIN}>"
    mail["Subject"] = message.subject or standing.subject
    if standing.references:
        mail["In-Reply-To"] = standing.references[-1]
        mail["References"] = " ".join(standing.references)
    text = message.text
    if standing.quoted:
        quoted = "\n".join(f"> {line}" for line in standing.quoted.rstrip().split("\n"))
        text = f"{text}\n\nOn {formatdate(at_ms / 1000)}, {standing.to} wrote:\n{quoted}"
    mail.set_content(text)
    for file in message.files:
        kind, _, subtype = file.media_type.partition("/")
        mail.add_attachment(file.data, maintype=kind, subtype=subtype or "octet-stream", filename=file.name)
    return mail


def simulator() -> Simulator:
    """The entry point's factory."""
    return EmailSimulator()
