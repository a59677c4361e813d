"""An advisor's end of the WebSocket session: frames out, answers and pushes in."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, Final, NamedTuple

import aiohttp
import msgspec

from router.demo.errors import DemoFailed

Frame = dict[str, Any]

_ANSWER_S: Final = 30.0
_ANSWERS: Final = frozenset({"result", "problem"})


class Asked(NamedTuple):
    """What came of a frame: when it was sent, and its answer."""

    at: float
    answer: Frame

    @property
    def is_done(self) -> bool:
        return bool(self.answer["type"] == "result")


class Session:
    """One open session. Read ``pushes`` all the time: answers come in by the same way."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, advisor: str) -> None:
        self._socket = socket
        self._advisor = advisor
        self._waiting: dict[str, asyncio.Future[Frame]] = {}
        self._ops = 0

    async def hello(self, key: str) -> Frame:
        """Sign in; the welcome. Raises ``DemoFailed``."""
        await self._send({"type": "hello", "key": key})
        async with asyncio.timeout(_ANSWER_S):
            first = await self._socket.receive()
        if first.type is not aiohttp.WSMsgType.TEXT:
            raise DemoFailed(f"the session of {self._advisor} was closed at its beginning")
        frame: Frame = msgspec.json.decode(first.data)
        if frame["type"] != "welcome":
            raise DemoFailed(f"{self._advisor} was not let in: {frame}")
        return frame

    def begin(self, kind: str, **members: Any) -> tuple[float, "asyncio.Task[Frame]"]:
        """Send a frame; when that was, and the answer to come."""
        self._ops += 1
        op = f"{self._advisor}-{self._ops}"
        task = asyncio.create_task(self._answered({"type": kind, "op": op, **members}), name=f"ask {op}")
        return time.monotonic(), task

    async def ask(self, kind: str, **members: Any) -> Asked:
        """Send a frame and wait for its answer. Raises ``DemoFailed`` when none comes."""
        at, task = self.begin(kind, **members)
        return Asked(at, await task)

    async def pushes(self) -> AsyncIterator[Frame]:
        """What the service tells unasked, until the socket closes: then it raises ``DemoFailed``."""
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            frame: Frame = msgspec.json.decode(message.data)
            if frame["type"] not in _ANSWERS:
                yield frame
                continue
            future = self._waiting.pop(frame.get("op", ""), None)
            if future is not None and not future.done():
                future.set_result(frame)
        raise DemoFailed(f"the service closed the session of {self._advisor} ({self._socket.close_code})")

    async def _answered(self, frame: Frame) -> Frame:
        future: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        self._waiting[frame["op"]] = future
        try:
            await self._send(frame)
            async with asyncio.timeout(_ANSWER_S):
                return await future
        except (TimeoutError, ConnectionError) as exc:
            raise DemoFailed(f"{frame['type']} of {self._advisor} got no answer") from exc
        finally:
            self._waiting.pop(frame["op"], None)

    async def _send(self, frame: Frame) -> None:
        await self._socket.send_str(msgspec.json.encode(frame).decode())
