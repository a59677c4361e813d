"""Hands mail to the server that carries it on, and says what became of it."""

import asyncio
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Annotated, Final, Literal, NamedTuple

import aiosmtplib
import msgspec
from msgspec import Meta

from router.runtime.errors import SendLater
from router.runtime.plugins import SendResult, failed, sent
from router.runtime.secret import Secret

_ENHANCED: Final = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_TLS: Final[Mapping[str, tuple[bool, bool]]] = {
    "starttls": (False, True),
    "implicit": (True, False),
    "none": (False, False),
}
_LOGIN_WANTED: Final = frozenset({530, 534, 535, 538})
_QUIT_S: Final = 2.0
_PLACE: Final = "the outgoing mail server"


class Relay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The server that takes our mail. ``tls: none`` is refused together with a password."""

    host: Annotated[str, Meta(description="The server that takes outgoing mail.")]
    port: Annotated[int, Meta(ge=0, le=65_535, description="Its port.")] = 587
    tls: Annotated[
        Literal["starttls", "implicit", "none"],
        Meta(description="How the connection is protected; implicit: from the first byte on."),
    ] = "starttls"
    username: Annotated[str | None, Meta(description="User there, with password.")] = None
    password: Annotated[Secret | None, Meta(description="Never sent without TLS.")] = None
    hostname: Annotated[str, Meta(description="Name that we give ourselves there.")] = "localhost"
    timeout_s: Annotated[float, Meta(gt=0, le=25, description="How long one answer of it may take.")] = 20.0
    connections: Annotated[int, Meta(ge=1, le=100, description="Mails under way at once.")] = 4

    def __post_init__(self) -> None:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together")
        if self.password is not None and self.tls == "none":
            raise ValueError("a password never goes over a connection without TLS")


class Outgoing(NamedTuple):
    """A mail ready to be sent. ``sender`` is the return path: empty for what a machine says (RFC 3834)."""

    message_id: str
    sender: str
    recipient: str
    data: bytes


class RelayClient:
    """The way out of one mailbox: at most ``connections`` at once, one mail each.

    A mail whose fate is open is sent again as it is: receivers drop a repeat by its Message-ID.
    """

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self._slots = asyncio.Semaphore(relay.connections)
        self.trouble: str | None = None
        """Why the server can't be used just now; None when the last try went well."""

    async def send(self, mail: Outgoing) -> SendResult:
        """Sent, or failed for good. Raises ``SendLater`` for whatever may pass, time-outs included."""
        async with self._slots:
            try:
                async with asyncio.timeout(self._relay.timeout_s):
                    await self._carry(mail)
            except (aiosmtplib.SMTPException, OSError, ValueError) as exc:
                return self._result(exc)
        self.trouble = None
        return sent(mail.message_id)

    async def _carry(self, mail: Outgoing) -> None:
        relay = self._relay
        use_tls, start_tls = _TLS[relay.tls]
        client = aiosmtplib.SMTP(
            hostname=relay.host,
            port=relay.port,
            username=relay.username,
            password=None if relay.password is None else relay.password.reveal(),
            local_hostname=relay.hostname,
            timeout=relay.timeout_s,
            use_tls=use_tls,
            start_tls=start_tls,
        )
        try:
            await client.connect()
            options = [] if mail.recipient.isascii() else ["smtputf8"]
            await client.sendmail(mail.sender, [mail.recipient], mail.data, mail_options=options)
            with suppress(aiosmtplib.SMTPException, OSError):  # it is theirs by now, whatever follows
                await client.quit(timeout=_QUIT_S)
        finally:
            client.close()

    def _result(self, error: Exception) -> SendResult:
        match error:
            case aiosmtplib.SMTPNotSupported() | ValueError():
                return failed("the address can't be used with this mail server")
            case aiosmtplib.SMTPRecipientsRefused(recipients=[refused, *_]):
                return _by_code(refused.code, refused.message, "the recipient")
            case aiosmtplib.SMTPAuthenticationError():
                # A wrong password is the operator's to mend, not the advisor's: the reply waits.
                self.trouble = f"{_PLACE} refuses the user name or password"
            case aiosmtplib.SMTPSenderRefused(code=code) if code in _LOGIN_WANTED:
                self.trouble = f"{_PLACE} wants another user name, password or TLS ({code})"
            case aiosmtplib.SMTPSenderRefused():
                return _by_code(error.code, error.message, "the sender")
            case aiosmtplib.SMTPDataError():
                return _by_code(error.code, error.message, "the message")
            case _:
                self.trouble = f"{_PLACE} can't be reached: {type(error).__name__}"
        raise SendLater(self.trouble or f"{_PLACE} is not ready") from None


def _by_code(code: int, message: str, what: str) -> SendResult:
    """The server's word by its code; its text may hold addresses and stays here."""
    enhanced = _ENHANCED.search(message)
    said = f"{code} {enhanced[1]}" if enhanced else str(code)
    if 500 <= code < 600 and code not in (502, 503):
        return failed(f"the mail server refused {what} ({said})")
    raise SendLater(f"the mail server put off {what} ({said})")
