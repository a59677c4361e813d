"""One socket of one customer: his messages in, each acknowledged when it is on the bus; replies out by cursor."""

import asyncio
import logging
from typing import Final

from aiohttp import WSMsgType, web

from channels.chat.files import links
from channels.chat.followers import Followers
from channels.chat.frames import (
    Ack,
    Closed,
    Code,
    Later,
    Ping,
    Pong,
    Refused,
    Say,
    ToCustomer,
    Typing,
    read_frame,
    written,
)
from channels.chat.metrics import ChatMetrics
from channels.chat.normalise import Visitor, inquiry, read_kept, told
from router.runtime.chat_log import ChatEntry, Cursor
from router.runtime.errors import IntakeFull, RuntimeFailure, StoreUnavailable
from router.runtime.plugins import ChannelHost
from router.runtime.token_bucket import Limiter

LOG = logging.getLogger(__name__)
_PAGE: Final = 50
_SEND_S: Final = 10.0
_CLOSE_S: Final = 3.0
_AGAIN_MS: Final = 1000
_LATER_MS: Final = 2000
# News may get lost with a server; then this is the longest that a customer waits for a reply.
_LOOK_S: Final = 60.0
MAX_VISITS: Final = 8


class VisitKit:
    """What the visits of an account share."""

    def __init__(self, host: ChannelHost, followers: Followers, metrics: ChatMetrics, *, rate: Limiter[str]) -> None:
        self.host = host
        self.followers = followers
        self.metrics = metrics
        self.rate = rate
        self.reads = asyncio.Semaphore(64)
        """A gap in the news wakes everybody: not all of them may ask the store at the same time."""


class Visit:
    """``run`` serves the socket to its end. Messages are taken one after the other, so they keep their order."""

    def __init__(self, socket: web.WebSocketResponse, visitor: Visitor, cursor: Cursor, kit: VisitKit) -> None:
        self._socket = socket
        self._visitor = visitor
        self._cursor = cursor
        self._kit = kit
        self._news = asyncio.Event()
        self._dismissal: Closed | None = None
        self._in_hand = False

    def wake(self) -> None:
        self._news.set()

    async def run(self) -> None:
        """Returns when the customer is gone; raises ``Closed`` when it is for us to close."""
        conversation = self._visitor.conversation
        following = self._kit.followers.join(conversation, self)
        pushing = asyncio.create_task(self._keep_pushing(), name="chat-push")
        try:
            if len(following) > MAX_VISITS and isinstance(oldest := following[0], Visit):
                await oldest.dismiss(Closed(Code.REPLACED, "This chat is open in too many places."))
            await self._receive()
        finally:
            self._kit.followers.leave(conversation, self)
            pushing.cancel()
            await asyncio.wait([pushing])
        if self._dismissal is not None:
            raise self._dismissal

    async def dismiss(self, reason: Closed) -> None:
        """End it: at once, or when the message that is in hand has been answered."""
        self._dismissal = self._dismissal or reason
        if not self._in_hand:
            await end(self._socket, reason)

    # In.

    async def _receive(self) -> None:
        while self._dismissal is None:
            message = await self._socket.receive()
            if message.type is WSMsgType.BINARY:
                raise Closed(Code.NOT_TEXT, "Frames are text.")
            if message.type is not WSMsgType.TEXT:
                return
            self._in_hand = True
            try:
                await self._take(message.data)
            finally:
                self._in_hand = False

    async def _take(self, text: str) -> None:
        check_rate(self._kit, self._visitor.session)
        match read_frame(text):
            case Say() as say:
                await self._send(await self._accept(say))
            case Ping():
                await self._send(Pong())
            case Typing():
                pass
            case _:
                raise Closed(Code.MALFORMED, "There was a hello already.")

    async def _accept(self, say: Say) -> ToCustomer:
        made = inquiry(say, self._visitor, now_ms=self._kit.host.clock.now_ms())
        if made is None:
            return Refused(id=say.id, reason="The message is empty.")
        try:
            await self._kit.host.accept(made)
        except IntakeFull as exc:
            return Later(id=say.id, after_ms=max(1, round(min(exc.after_s, 60.0) * 1000)))
        except RuntimeFailure as exc:
            if exc.retryable:
                return Later(id=say.id, after_ms=_LATER_MS)
            return Refused(id=say.id, reason="This message can never be taken.")
        return Ack(id=say.id)

    # Out.

    async def _keep_pushing(self) -> None:
        """A fault here must not leave the customer on a socket where nothing comes any more."""
        try:
            await self._push()
        except ConnectionError:
            return  # whoever receives sees it, too
        except Closed as exc:
            await self.dismiss(exc)
        except Exception:
            LOG.exception("pushing to a chat failed", extra={"event": "chat.error"})
            await self.dismiss(Closed(Code.ERROR, "The service failed; it has been noted."))

    async def _push(self) -> None:
        while True:
            self._news.clear()
            try:
                entries = await self._read()
            except StoreUnavailable:
                clock = self._kit.host.clock
                await clock.sleep_until_ms(clock.now_ms() + _AGAIN_MS)
                continue
            for entry in entries:
                await self._send(self._frame(entry))
                self._cursor = entry.cursor
                self._kit.metrics.pushed.inc()
            if not entries:
                await self._kit.host.clock.wait(self._news, _LOOK_S)

    async def _read(self) -> tuple[ChatEntry, ...]:
        async with self._kit.reads:
            log = self._kit.host.chat_log
            return (await log.read(self._visitor.conversation, after=self._cursor, limit=_PAGE)).entries

    def _frame(self, entry: ChatEntry) -> ToCustomer:
        said = read_kept(entry.body)
        files = links(said.attachments, self._visitor.account, self._kit.host)
        return told(said, cursor=str(entry.cursor), id_=entry.id, files=files)

    async def _send(self, frame: ToCustomer) -> None:
        try:
            async with asyncio.timeout(_SEND_S):
                await self._socket.send_str(written(frame))
        except TimeoutError:
            raise Closed(Code.TOO_SLOW, "The line is too slow: come again.") from None


def check_rate(kit: VisitKit, session: str) -> None:
    """Raises ``Closed`` when the customer sends more frames than his account allows, over all his sockets."""
    wait_s = kit.rate.take(session, kit.host.clock.monotonic())
    if wait_s > 0:
        raise Closed(Code.TOO_FAST, f"Too many messages: come again in {wait_s:.1f} s.")


async def end(socket: web.WebSocketResponse, reason: Closed) -> None:
    """Close the socket, within bounds. A customer who doesn't read would never see why: his line is cut."""
    try:
        async with asyncio.timeout(_CLOSE_S):
            await socket.close(code=reason.code, message=reason.reason.encode(), drain=False)
    except (TimeoutError, ConnectionError):
        return
