"""The stand-in for a shop's visitors: customers with the widget open, on lines that can be cut."""

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from aiohttp import WSMsgType

from channels.chat.frames import Told
from channels.chat.normalise import CHANNEL
from channels.chat.simulator_customer import ChatCustomer
from channels.chat.simulator_line import Line
from router.runtime.simulators import (
    Answer,
    CustomerMessage,
    Defect,
    Entrance,
    Misbehaviour,
    ReceivedReply,
    Simulator,
)

ORIGIN: Final = "https://shop.example"
_MAX_FRAME_BYTES: Final = 32_768
_LOST: Final = (Misbehaviour.BUSY, Misbehaviour.CUT_BEFORE)


class ChatSimulator:
    """All customers of one account. There is no provider: of what a provider could do wrong, ``BUSY`` and
    ``CUT_BEFORE`` cut the line before a message is shown, ``CUT_AFTER`` after, and the rest does nothing."""

    name = CHANNEL

    def __init__(self) -> None:
        self.line = Line()
        self.customers: dict[str, ChatCustomer] = {}
        self._account = ""
        self._path = ""
        self._http: aiohttp.ClientSession | None = None
        self._arrived: asyncio.Queue[ReceivedReply] = asyncio.Queue()
        self._ways: deque[Misbehaviour] = deque()
        self._refusals: list[str] = []

    async def start(self, account: str) -> Mapping[str, Any]:
        self._account = account
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        await self.line.start()
        # Everybody in a test or demo may write fast.
        return {
            "origins": [ORIGIN],
            "max_frame_bytes": _MAX_FRAME_BYTES,
            "messages_per_s": 500.0,
            "messages_burst": 2000,
        }

    async def enter(self, entrance: Entrance) -> None:
        url = urlsplit(entrance.base_url)
        self.line.target = (url.hostname or "", url.port or 80)
        self._path = f"{url.path}/{self._account}/ws"
        for customer in self.customers.values():
            await customer.connect()

    async def send(self, message: CustomerMessage) -> Answer:
        return await self.customer(message.customer, message.thread).say(message.ref, message.text)

    async def send_defective(self, defect: Defect) -> Answer | None:
        socket = await self.dial()
        try:
            if defect is Defect.BAD_SIGNATURE:
                await socket.send_json({"type": "hello", "session": "e30.AAAA"})
                return await _closing(socket)
            await socket.send_json({"type": "hello"})
            match defect:
                case Defect.MALFORMED:
                    await socket.send_str('{"type":"message","id":"m1","text":')
                case Defect.OVERSIZE:
                    await socket.send_json({"type": "message", "id": "m1", "text": "x" * _MAX_FRAME_BYTES})
                case Defect.NOT_TEXT:
                    await socket.send_frame(b'{"type":"message","id":"m1","text":"\xff\xfe"}', WSMsgType.TEXT)
            return await _closing(socket)
        finally:
            await socket.close()

    async def next_reply(self) -> ReceivedReply:
        return await self._arrived.get()

    def refusals(self) -> Sequence[str]:
        return tuple(self._refusals)

    def misbehave(self, ways: Sequence[Misbehaviour]) -> None:
        self._ways.extend(ways)

    async def close(self) -> None:
        await asyncio.gather(*(customer.leave() for customer in self.customers.values()))
        await self.line.close()
        http, self._http = self._http, None
        if http is not None:
            await http.close()
            await asyncio.sleep(0)  # the connector's transports close on the loop's next turn

    # What lies between: see ``World``.

    def customer(self, name: str, thread: str) -> ChatCustomer:
        """The one who has this thread open; not connected before he has something to say."""
        if thread not in self.customers:
            self.customers[thread] = ChatCustomer(name, thread, self, refusals=self._refusals)
        return self.customers[thread]

    async def dial(self, *, origin: str | None = ORIGIN) -> aiohttp.ClientWebSocketResponse:
        """A socket to the channel, as a page of ``origin`` opens it. Raises ``ConnectionError``."""
        assert self._http is not None, "start first"
        url = f"http://127.0.0.1:{self.line.port}{self._path}"
        try:
            return await self._http.ws_connect(
                url, origin=origin, timeout=aiohttp.ClientWSTimeout(ws_close=1.0), max_msg_size=0
            )
        except (aiohttp.ClientError, OSError, TimeoutError) as exc:
            raise ConnectionError(f"no chat at {url}") from exc

    def told(self, customer: ChatCustomer, frame: Told) -> bool:
        way = self._ways.popleft() if self._ways else None
        if way in _LOST:
            self.line.drop()
            return False
        self._arrived.put_nowait(
            ReceivedReply(
                customer=customer.name,
                thread=customer.thread,
                text=frame.text,
                provider_message_id=frame.cursor,
                key=frame.id,
            )
        )
        if way is Misbehaviour.CUT_AFTER:
            self.line.drop()
        return True


async def _closing(socket: aiohttp.ClientWebSocketResponse) -> Answer:
    """How the channel closes the socket; what it says before is passed over."""
    while True:
        message = await socket.receive(timeout=30)
        if message.type is WSMsgType.CLOSE:
            return Answer(accepted=False, code=str(message.data), body=str(message.extra or ""))
        if message.type is not WSMsgType.TEXT:
            return Answer(accepted=False, code=str(socket.close_code or "cut"))


def simulator() -> Simulator:
    """The entry point's factory."""
    return ChatSimulator()
