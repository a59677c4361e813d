"""The chat channel: a WebSocket for a widget on the customer's site, and the widget itself."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import urlsplit

from aiohttp import WSMsgType, web

from channels.chat.files import download
from channels.chat.followers import Followers
from channels.chat.frames import Closed, Code, Hello, Welcome, read_hello, written
from channels.chat.metrics import ChatMetrics
from channels.chat.normalise import CHANNEL, Visitor, kept
from channels.chat.options import ChatOptions, may_open
from channels.chat.pages import Page, demo_page, widget_page
from channels.chat.sessions import Sessions
from channels.chat.visit import Visit, VisitKit, check_rate, end
from channels.kit.problems import Refused, not_found
from router.contract.ids import AccountId, conversation_id
from router.contract.messages import Reply
from router.runtime.chat_log import Cursor, read_cursor
from router.runtime.errors import SendLater, StoreUnavailable
from router.runtime.plugins import Account, Adapter, ChannelHost, OpenChannel, SendResult, failed, sent
from router.runtime.token_bucket import Limiter

LOG = logging.getLogger(__name__)
_CUSTOMERS: Final = 50_000
_BUSY_S: Final = 5.0


class ChatAdapter:
    """``/chat/ACCOUNT/ws`` and what belongs to it. A reply goes to the conversation's log and is sent then,
    whether its customer is there or not: a repeat of its id is dropped there."""

    name = CHANNEL
    deduplicates = True

    def options_type(self) -> type[ChatOptions]:
        return ChatOptions

    async def open(self, accounts: Sequence[Account[ChatOptions]], host: ChannelHost) -> OpenChannel:
        widget, demo = await asyncio.to_thread(lambda: (widget_page(), demo_page(host.base_url)))
        channel = ChatChannel(accounts, host, widget=widget, demo=demo)
        host.spawn("news", channel.followers.run())
        return channel


class _Desk:
    """One account at work."""

    def __init__(self, account: Account[ChatOptions], host: ChannelHost, kit: VisitKit) -> None:
        self.account = account
        self.options = account.options
        self.kit = kit
        self.sessions = Sessions(account.id, host.signer, host.clock, life_ms=account.options.session_ms())
        self.sockets: dict[web.WebSocketResponse, Visit | None] = {}


class ChatChannel:
    """The channel at work. It holds its open sockets and nothing else: another replica takes them as well."""

    def __init__(
        self, accounts: Sequence[Account[ChatOptions]], host: ChannelHost, *, widget: Page, demo: Page
    ) -> None:
        self._host = host
        self._widget = widget
        self._demo = demo
        self._metrics = ChatMetrics(host.registry)
        self.followers = Followers(host.chat_log, host.clock)
        self._desks = {account.id: _Desk(account, host, self._kit(account.options)) for account in accounts}
        own = urlsplit(host.base_url)
        self._own_origin = f"{own.scheme}://{own.netloc}".lower()
        self._is_stopping = False
        self._ended = asyncio.Event()

    def _kit(self, options: ChatOptions) -> VisitKit:
        forgotten = self._metrics.limits_forgotten.inc
        rate: Limiter[str] = Limiter(options.rate(), max_keys=_CUSTOMERS, on_forgotten=forgotten)
        return VisitKit(self._host, self.followers, self._metrics, rate=rate)

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        return (
            web.get("/{account}/ws", self._chat),
            web.get("/{account}/widget.js", self._show),
            web.get("/{account}/", self._show),
            web.get("/{account}/files/{token}", self._show),
        )

    def ports(self) -> Mapping[str, int]:
        return {}

    def troubles(self) -> Sequence[str]:
        return ("the log of chats cannot be read",) if self.followers.is_away else ()

    async def send(self, reply: Reply) -> SendResult:
        if reply.to.account not in self._desks:
            return failed("there is no such account")
        conversation = conversation_id(reply.to.account, reply.to.address)
        try:
            cursor = await self._host.chat_log.append(
                conversation, reply.id, kept(reply), now_ms=self._host.clock.now_ms()
            )
        except StoreUnavailable:
            raise SendLater("the log of chats does not answer") from None
        return sent(str(cursor))

    async def stop_intake(self) -> None:
        """Send the customers to another replica; a message that is in hand is answered first."""
        self._is_stopping = True
        open_ = [one for desk in self._desks.values() for one in desk.sockets.items()]
        await asyncio.gather(
            *(end(socket, _restart()) if visit is None else visit.dismiss(_restart()) for socket, visit in open_)
        )

    async def close(self, within_s: float) -> None:
        """Wait for the messages that are in hand; the host drops what is open then."""
        await self.stop_intake()
        try:
            async with asyncio.timeout(within_s):
                while any(desk.sockets for desk in self._desks.values()):
                    self._ended.clear()
                    await self._ended.wait()
        except TimeoutError:
            LOG.warning("chats were cut off at the end", extra={"event": "chat.cut"})

    # HTTP.

    def _desk(self, request: web.Request) -> _Desk:
        desk = self._desks.get(AccountId(request.match_info["account"]))
        if desk is None:
            raise not_found()
        return desk

    async def _show(self, request: web.Request) -> web.StreamResponse:
        try:
            self._desk(request)
            if "token" in request.match_info:
                return await download(request, self._host)
        except Refused as exc:
            return exc.answer()
        return (self._widget if request.path.endswith("/widget.js") else self._demo).answer(request)

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        try:
            desk = self._desk(request)
            self._check(request, desk)
        except Refused as exc:
            return exc.answer()
        options = desk.options
        socket = web.WebSocketResponse(
            heartbeat=options.heartbeat_s, max_msg_size=options.max_frame_bytes, compress=False, timeout=2.0
        )
        await socket.prepare(request)
        desk.sockets[socket] = None
        self._metrics.sockets.inc()
        try:
            self._metrics.closed(await self._served(socket, desk))
        finally:
            del desk.sockets[socket]
            self._metrics.sockets.dec()
            self._ended.set()
        return socket

    def _check(self, request: web.Request, desk: _Desk) -> None:
        """Raises ``Refused``, before anything is said: what a foreign page may not do, it isn't told about."""
        own = frozenset({self._own_origin, f"{request.scheme}://{request.host}".lower()})
        if not may_open(request.headers.getall("Origin", []), desk.options, own=own):
            self._metrics.refused_origin()
            raise Refused(403, "Pages of this site may not open a chat here.")
        if len(desk.sockets) >= desk.options.max_sockets:
            self._metrics.refused_full()
            raise Refused(503, "Too many chats are open: come again later.", retry_after_s=_BUSY_S)

    # The socket.

    async def _served(self, socket: web.WebSocketResponse, desk: _Desk) -> Code | None:
        """Serve it to its end; why we closed it, None if the customer is gone."""
        try:
            visit = await self._greet(socket, desk)
            if visit is not None:
                desk.sockets[socket] = visit
                await visit.run()
        except Closed as exc:
            await end(socket, exc)
            return exc.code
        except ConnectionError:
            return None
        except Exception:
            LOG.exception("a chat failed", extra={"event": "chat.error"})
            await end(socket, Closed(Code.ERROR, "The service failed; it has been noted."))
            return Code.ERROR
        return None

    async def _greet(self, socket: web.WebSocketResponse, desk: _Desk) -> Visit | None:
        """The first frame says who it is. None: he was gone before. Raises ``Closed``."""
        try:
            first = await socket.receive(timeout=desk.options.hello_s)
        except TimeoutError:
            raise Closed(Code.HELLO_LATE, "The first frame must be a hello, and soon.") from None
        if self._is_stopping:
            raise _restart()
        if first.type is WSMsgType.BINARY:
            raise Closed(Code.NOT_GREETED, "The first frame must be a hello.")
        if first.type is not WSMsgType.TEXT:
            return None
        hello = read_hello(first.data)
        cursor = _cursor_of(hello)
        session = desk.sessions.of(hello)
        check_rate(desk.kit, session)
        welcome = Welcome(session=desk.sessions.token(session), cursor=str(cursor))
        await socket.send_str(written(welcome))
        visitor = Visitor(desk.account.id, desk.account.pool, session, hello)
        return Visit(socket, visitor, cursor, desk.kit)


def _restart() -> Closed:
    return Closed(Code.RESTART, "The service restarts: come again.")


def _cursor_of(hello: Hello) -> Cursor:
    try:
        return read_cursor(hello.cursor)
    except ValueError:
        raise Closed(Code.NOT_GREETED, "The cursor is none of ours.") from None


def adapter() -> Adapter[ChatOptions]:
    """The entry point's factory."""
    return ChatAdapter()
