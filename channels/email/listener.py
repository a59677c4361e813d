"""The SMTP port: aiosmtpd on our loop, with a way of taking data that has bounds of its own."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple, assert_never

from aiosmtpd.smtp import SMTP, Envelope, Session, syntax

from channels.email.options import Listen
from channels.email.smtp_body import Body, Budget, Excess
from router.runtime.clock import Clock
from router.runtime.token_bucket import Limiter, Rate

LOG = logging.getLogger(__name__)

_IDLE_S: Final = 120.0
_DATA_S: Final = 300.0
_CUT_S: Final = 2.0
_MAX_RECIPIENTS: Final = 50
_MAX_COMMANDS: Final = 1000
_SENDERS: Final = 20_000
_CHUNK_BYTES: Final = 65_536

BUSY: Final = "451 4.3.2 Busy, try again later"
LOCAL_ERROR: Final = "451 4.3.0 Local error, try again later"
STOPPING: Final = "421 4.3.2 The service is stopping"
NO_MAILBOX: Final = "550 5.1.1 There is no such mailbox here"
TOO_LARGE: Final = "552 5.3.4 The message is too large"
TOO_FAST: Final = "451 4.7.1 Too many messages from this sender, try again later"
TOO_MANY_CONNECTIONS: Final = "421 4.7.0 Too many connections, try again later"
TOO_MANY_RECIPIENTS: Final = "452 4.5.3 Too many recipients"
TAKEN: Final = "250 2.0.0 Taken"


class Received(NamedTuple):
    """A mail as it came over the wire."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes


class Reception(NamedTuple):
    """What the port asks its owner: who lives here, and to take a mail; the answer is an SMTP reply line."""

    is_known: Callable[[str], bool]
    take: Callable[[Received], Awaitable[str]]
    max_bytes: int


class Listener:
    """The port and everything that is open on it. ``refused`` is told why mail was refused (a closed set),
    ``forgotten`` of each sender whose rate had to be forgotten."""

    def __init__(
        self,
        listen: Listen,
        reception: Reception,
        *,
        clock: Clock,
        refused: Callable[[str], object],
        forgotten: Callable[[], object] = lambda: None,
    ) -> None:
        self.listen = listen
        self.reception = reception
        self.clock = clock
        self.refused = refused
        rate = Rate(listen.sender_per_s, listen.sender_burst)
        self.senders: Limiter[str] = Limiter(rate, max_keys=_SENDERS, on_forgotten=forgotten)
        self.open: set[_Connection] = set()
        self.in_hand = Budget(listen.in_hand_bytes)
        self.is_stopping = False
        self.empty = asyncio.Event()
        self.empty.set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._taking = 0
        self._server: asyncio.Server | None = None
        self._tls: ssl.SSLContext | None = None
        self.port = 0

    async def start(self) -> None:
        """Take the port. Raises ``OSError`` (``ssl.SSLError`` is one) if port or certificate can't be used."""
        if self.listen.tls_cert is not None:
            self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._tls.load_cert_chain(self.listen.tls_cert, self.listen.tls_key)
        # Its log says who writes to whom, line by line.
        logging.getLogger("mail.log").setLevel(logging.ERROR)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, self.listen.host, self.listen.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Take no connection and no further mail; one that is being taken gets its answer."""
        self.is_stopping = True
        if self._server is not None:
            self._server.close()

    async def close(self, within_s: float) -> None:
        """Let mail in hand be answered, then cut all that is open. Repeating it does nothing."""
        await self.stop()
        if self._taking:
            await self.clock.wait(self._idle, within_s)
        for connection in tuple(self.open):
            connection.cut()
        await self.clock.wait(self.empty, _CUT_S)
        if self._server is not None:
            await self._server.wait_closed()

    async def take(self, received: Received) -> str:
        """Have a mail taken; the line that answers it. Whatever goes wrong, the sender keeps it."""
        self._taking += 1
        self._idle.clear()
        try:
            return await self.reception.take(received)
        except Exception:
            LOG.exception("a mail could not be taken", extra={"event": "email.error"})
            return self.refuse("error", LOCAL_ERROR)
        finally:
            self._taking -= 1
            if not self._taking:
                self._idle.set()

    def refuse(self, reason: str, line: str) -> str:
        self.refused(reason)
        return line

    def _connection(self) -> "_Connection":
        return _Connection(self, self._tls)


class _Connection(SMTP):
    """One connection. DATA is read in chunks, not lines: empty lines would cost fifty times their size."""

    def __init__(self, listener: Listener, tls: ssl.SSLContext | None) -> None:
        self._listener = listener
        super().__init__(
            _Handler(listener),
            data_size_limit=listener.reception.max_bytes,
            enable_SMTPUTF8=True,
            hostname=listener.listen.hostname,
            ident="ESMTP",
            tls_context=tls,
            require_starttls=listener.listen.require_tls,
            timeout=_IDLE_S,
            command_call_limit=_MAX_COMMANDS,
            loop=asyncio.get_running_loop(),
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        listener = self._listener
        is_upgrade = self in listener.open
        if not is_upgrade and (listener.is_stopping or len(listener.open) >= listener.listen.connections):
            line = STOPPING if listener.is_stopping else listener.refuse("connections", TOO_MANY_CONNECTIONS)
            assert isinstance(transport, asyncio.Transport)
            transport.write(f"{line}\r\n".encode("ascii"))
            transport.close()
            return
        listener.open.add(self)
        listener.empty.clear()
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self in self._listener.open:
            self._listener.open.discard(self)
            super().connection_lost(error)
        if not self._listener.open:
            self._listener.empty.set()

    def data_received(self, data: bytes) -> None:
        if self in self._listener.open:
            super().data_received(data)

    def eof_received(self) -> bool | None:
        return bool(super().eof_received()) if self in self._listener.open else False

    def cut(self) -> None:
        """Close at once."""
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()

    @syntax("DATA")
    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802  # the library's name
        """Read to the lone dot, within the bounds; then hand the mail over and send the answer."""
        if await self.check_helo_needed():
            return
        assert self.envelope is not None
        if arg or not self.envelope.rcpt_tos:
            await self.push("501 Syntax: DATA" if arg else "503 Error: need RCPT command")
            return
        await self.push("354 End data with <CR><LF>.<CR><LF>")
        body = Body(self._listener.in_hand, self._listener.reception.max_bytes)
        try:
            await self._fill(body)
            status = self._refusal(body.excess) or await self._listener.take(
                Received(
                    "" if self.envelope.mail_from == "<>" else str(self.envelope.mail_from),
                    tuple(self.envelope.rcpt_tos),
                    body.content(),
                )
            )
        finally:
            body.release()
        self._set_post_data_state()  # type: ignore[no-untyped-call]  # the library has no types here
        await self.push(status)

    def _refusal(self, excess: Excess | None) -> str | None:
        match excess:
            case None:
                return None
            case Excess.MAIL:
                return self._listener.refuse("too-large", TOO_LARGE)
            case Excess.IN_HAND:
                return self._listener.refuse("in-hand", BUSY)
            case _:
                assert_never(excess)

    async def _fill(self, body: Body) -> None:
        # Leftovers behind the dot are the next commands (pipelining): they go back into the reader.
        self._reset_timeout(_DATA_S)
        while not body.is_complete:
            chunk = await self._reader.read(_CHUNK_BYTES)
            if not chunk:
                raise ConnectionResetError
            body.feed(chunk)
        self._reset_timeout()
        if body.rest:
            self._reader._buffer[:0] = body.rest  # type: ignore[attr-defined]  # noqa: SLF001


class _Handler:
    """The library's hooks."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener

    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        # Nobody logs in here; the library would invite everybody to, once TLS is on.
        return [line for line in responses if not line.startswith("250-AUTH")]

    async def handle_MAIL(  # noqa: N802  # the library's name and call
        self, _server: SMTP, session: Session, envelope: Envelope, address: str, options: Sequence[str]
    ) -> str:
        listener = self._listener
        if listener.is_stopping:
            return STOPPING
        key = address.lower() if address != "<>" else f"<> of {(session.peer or ('',))[0]}"
        if listener.senders.take(key, listener.clock.monotonic()) > 0:
            return listener.refuse("sender-rate", TOO_FAST)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: Sequence[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= _MAX_RECIPIENTS:
            return self._listener.refuse("recipients", TOO_MANY_RECIPIENTS)
        if not self._listener.reception.is_known(address):
            return self._listener.refuse("unknown-mailbox", NO_MAILBOX)
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_VRFY(self, _server: SMTP, _session: Session, _envelope: Envelope, _address: str) -> str:  # noqa: N802
        return "252 2.5.2 Send it and see"

    async def handle_exception(self, error: Exception) -> str:
        """Nothing of ours is told outside."""
        if not isinstance(error, ConnectionError | asyncio.IncompleteReadError):
            LOG.error("a mail connection failed", exc_info=error, extra={"event": "email.error"})
        return LOCAL_ERROR
