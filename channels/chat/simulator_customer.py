"""One customer with one chat open: what the widget does, without the drawing, and with a sharper eye."""

import asyncio
from contextlib import suppress
from typing import Final, Protocol

import aiohttp
import msgspec
from aiohttp import WSMsgType

from channels.chat.frames import Ack, Code, Later, Pong, Refused, Told, Welcome
from router.runtime.chat_log import Cursor, read_cursor
from router.runtime.simulators import Answer

_ANSWER_S: Final = 30.0
_ATTEMPTS: Final = 50
_DECODER: Final[msgspec.json.Decoder[Welcome | Ack | Later | Refused | Told | Pong]] = msgspec.json.Decoder(
    Welcome | Ack | Later | Refused | Told | Pong
)


class World(Protocol):
    """What lies between a customer and the channel."""

    async def dial(self) -> aiohttp.ClientWebSocketResponse:
        """A fresh socket. Raises ``ConnectionError``."""

    def told(self, customer: "ChatCustomer", frame: Told) -> bool:
        """A message arrives. False: it was lost in the last moment, and so is the line."""


class ChatCustomer:
    """Keeps session and place over any number of connections. ``refusals`` are the channel's faults;
    ``repeats`` counts what came though it was shown already."""

    def __init__(self, name: str, thread: str, world: World, *, refusals: list[str]) -> None:
        self.name = name
        self.thread = thread
        self._world = world
        self._refusals = refusals
        self.session = ""
        self.cursor = Cursor(0, 0)
        self.shown: set[str] = set()
        self.repeats = 0
        self.hellos = 0
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reading: asyncio.Task[None] | None = None
        self._answer: asyncio.Future[Answer | None] | None = None
        self._turn = asyncio.Lock()
        self._dialling = asyncio.Lock()

    async def say(self, ref: str, text: str) -> Answer:
        """Send until there is an answer. Raises ``ConnectionError`` when nobody is there."""
        async with self._turn:
            for _ in range(_ATTEMPTS):
                answer = await self._said(ref, text)
                if answer is not None:
                    return answer
        raise ConnectionError("the line was cut too often")

    async def connect(self) -> None:
        """Be on line. Raises ``ConnectionError``."""
        async with self._dialling:
            if self._socket is not None and not self._socket.closed:
                return
            self._socket = await self._world.dial()
            hello = {"type": "hello", "session": self.session, "cursor": str(self.cursor), "name": self.name}
            self.hellos += 1
            with suppress(ConnectionError):
                await self._socket.send_json(hello)
            self._reading = asyncio.create_task(self._read(self._socket), name="chat-customer")

    async def leave(self) -> None:
        """Close the page."""
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
        socket, self._socket = self._socket, None
        if socket is not None:
            await socket.close()

    async def _said(self, ref: str, text: str) -> Answer | None:
        """None: the line broke first."""
        await self.connect()
        assert self._socket is not None
        self._answer = asyncio.get_running_loop().create_future()
        try:
            await self._socket.send_json({"type": "message", "id": ref, "text": text})
        except ConnectionError:
            return None
        async with asyncio.timeout(_ANSWER_S):
            return await self._answer

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Hear until the line ends, then dial again, unless nobody is there."""
        ended: Answer | None = None
        while True:
            message = await socket.receive()
            if message.type is WSMsgType.TEXT:
                if self._hear(message.data):
                    continue
            elif message.type is WSMsgType.CLOSE:
                ended = _refusal(message.data, str(message.extra or ""))
            break
        await socket.close()
        # Who waits for his answer dials himself.
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(ended)
        elif ended is None:
            with suppress(ConnectionError):
                await self.connect()

    def _hear(self, text: str) -> bool:
        """Whether the line stays up."""
        try:
            frame = _DECODER.decode(text)
        except msgspec.DecodeError as exc:
            self._refusals.append(f"not a frame: {exc}")
            return True
        match frame:
            case Welcome():
                self.session = frame.session
            case Told():
                return self._show(frame)
            case Ack():
                self._settle(Answer(accepted=True, code="ack"))
            case Later():
                self._settle(Answer(accepted=False, code="later", body=str(frame.after_ms)))
            case Refused():
                self._settle(Answer(accepted=False, code="refused", body=frame.reason))
            case Pong():
                pass
        return True

    def _show(self, frame: Told) -> bool:
        cursor = read_cursor(frame.cursor)
        if frame.id in self.shown:
            self.repeats += 1
            self.cursor = cursor
            return True
        if self.cursor.number and cursor != Cursor(self.cursor.began_ms, self.cursor.number + 1):
            self._refusals.append(f"after {self.cursor} came {cursor}")
        if not frame.text and not frame.files:
            self._refusals.append(f"{frame.cursor} says nothing")
        if not self._world.told(self, frame):
            return False
        self.shown.add(frame.id)
        self.cursor = cursor
        return True

    def _settle(self, answer: Answer) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(answer)


def _refusal(code: int, reason: str) -> Answer | None:
    """What a close says of the message before it; None where it says only: come again."""
    if code in (Code.RESTART, Code.ERROR, 1000, 1001):
        return None
    return Answer(accepted=False, code=str(code), body=reason)
