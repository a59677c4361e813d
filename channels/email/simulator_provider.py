"""The customers' mail provider: takes what the channel sends, strictly, and shows each mail once."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Final

from aiosmtpd.smtp import SMTP, Envelope, Session

from channels.email.simulator_checks import Known, Submission, complaints, read
from channels.email.simulator_threads import Threads
from router.runtime.simulators import CustomerFile, Misbehaviour, ReceivedReply

_MAX_BYTES: Final = 40 * 1024 * 1024
_KEPT: Final = 20


class Provider:
    """An SMTP server on a free port. ``arrived`` has what customers see."""

    def __init__(self, mailbox: str, threads: Threads) -> None:
        self._mailbox = mailbox
        self._threads = threads
        self._seen: set[tuple[str, str]] = set()
        self._ways: deque[Misbehaviour] = deque()
        self._connections: set[_Connection] = set()
        self._server: asyncio.Server | None = None
        self.arrived: asyncio.Queue[ReceivedReply] = asyncio.Queue()
        self.refusals: list[str] = []
        self.taken: deque[Submission] = deque(maxlen=_KEPT)
        """The last mails that were taken, as they came."""
        self.port = 0

    async def start(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def misbehave(self, ways: Sequence[Misbehaviour]) -> None:
        self._ways.extend(ways)

    async def close(self) -> None:
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for connection in tuple(self._connections):
            connection.cut()
        await server.wait_closed()
        await asyncio.gather(*(connection.lost.wait() for connection in tuple(self._connections)))

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take one mail, or what the next misbehaviour is instead."""
        assert isinstance(server, _Connection)
        way = self._ways.popleft() if self._ways else None
        match way:
            case Misbehaviour.REFUSE:
                return "554 5.7.1 Not wanted"
            case Misbehaviour.BUSY:
                return "451 4.2.1 Try again later"
            case Misbehaviour.CUT_BEFORE:
                server.cut()
                return "421 4.3.0 Gone"
        answers = [self._take(submission) for submission in _submissions(envelope)]
        if way is Misbehaviour.CUT_AFTER:
            server.cut()
        if way is Misbehaviour.HANG:
            await asyncio.get_running_loop().create_future()  # ends with the connection
        return next((answer for answer in answers if not answer.startswith("250")), "250 2.0.0 Taken")

    def _take(self, submission: Submission) -> str:
        known = Known(self._mailbox, frozenset(self._threads.addresses()), self._threads.roots)
        wrong = list(complaints(submission, known))
        if wrong:
            self.refusals.extend(wrong)
            return f"550 5.6.0 {wrong[0]}"
        self.taken.append(submission)
        message = read(submission.data)
        key = str(message["Message-ID"]).strip()
        if (submission.recipient.lower(), key) in self._seen:
            return "250 2.0.0 Taken before"
        self._seen.add((submission.recipient.lower(), key))
        body = message.get_body(("plain",))
        files = tuple(
            CustomerFile(
                name=part.get_filename() or "",
                media_type=part.get_content_type(),
                data=bytes(part.get_payload(decode=True)),
            )
            for part in message.iter_attachments()
        )
        self.arrived.put_nowait(
            ReceivedReply(
                customer=self._threads.customer(submission.recipient),
                thread=self._threads.received(message),
                text="" if body is None else str(body.get_content()),
                provider_message_id=key,
                key=key,
                subject=str(message["Subject"] or ""),
                files=files,
            )
        )
        return "250 2.0.0 Taken"

    def _connection(self) -> "_Connection":
        return _Connection(self, self._connections)


class _Connection(SMTP):
    def __init__(self, provider: Provider, connections: "set[_Connection]") -> None:
        self._all = connections
        self.lost = asyncio.Event()
        super().__init__(
            provider,
            data_size_limit=_MAX_BYTES,
            enable_SMTPUTF8=True,
            hostname="provider.example",
            loop=asyncio.get_running_loop(),
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._all.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._all.discard(self)
        self.lost.set()
        super().connection_lost(error)

    def cut(self) -> None:
        if isinstance(self.transport, asyncio.Transport):
            self.transport.abort()


def _submissions(envelope: Envelope) -> list[Submission]:
    sender = "" if envelope.mail_from == "<>" else str(envelope.mail_from)
    data = envelope.content if isinstance(envelope.content, bytes) else b""
    options = tuple(option.upper() for option in envelope.mail_options)
    return [Submission(sender, recipient, options, data) for recipient in envelope.rcpt_tos]
