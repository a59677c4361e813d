"""The terminal's connection: comes back by itself, and brings along whatever was not answered yet."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Final, Protocol

import aiohttp
import msgspec

from router.api.acts.asking import Frame
from router.api.problems import Problem
from router.api.sessions.frames import Answer, Hello, Push, Sent, Trouble, Welcome
from router.cli.advisor_asks import written

MAX_UNANSWERED: Final = 32
MAX_TRIES: Final = 5
_SENT: Final[msgspec.json.Decoder[Sent]] = msgspec.json.Decoder(Sent)
_HELLO: Final = msgspec.json.Encoder()
_ANSWER_S: Final = 15.0
_HEARTBEAT_S: Final = 15.0
_MAX_BYTES: Final = 64 * 1024 * 1024
_WAITS_S: Final = (0.2, 0.5, 1.0, 2.0, 5.0)
# The service takes 50 frames a second and 200 at once.
_FRAMES_A_SECOND: Final = 40
_CLOSED_FOR_GOOD: Final = {4401: "the key is no longer in force", 4403: "the key may not open a session"}


class SignedOut(Exception):
    """The service does not let this key in; trying again would not change that."""


class NotReached(Exception):
    """There is no service at the address, or it can't open a session now."""


class Listener(Protocol):
    """Who is told what comes. None of these waits."""

    def welcomed(self, frame: Welcome) -> None: ...
    def answered(self, op: str, answer: Answer) -> None: ...
    def refused(self, op: str, problem: Problem) -> None: ...
    def pushed(self, push: Push) -> None: ...
    def lost(self, why: str) -> None: ...


class _Asked:
    """A frame that waits for its answer."""

    def __init__(self, frame: Frame) -> None:
        self.frame = frame
        self.tries = 1


class Connection:
    """``run`` it; ``ask`` at any time. What was asked while there is no connection, or was not answered when it
    broke, is sent when it is back, under the same operation id: it takes effect once."""

    def __init__(self, where: Callable[[], str], key: str, listener: Listener) -> None:
        self._where = where
        self._key = key
        self._listener = listener
        self._asked: dict[str, _Asked] = {}
        self._room = asyncio.Semaphore(MAX_UNANSWERED)
        self._answered = asyncio.Event()
        self._unsent: asyncio.Queue[str] = asyncio.Queue()
        self._sent_at: deque[float] = deque(maxlen=_FRAMES_A_SECOND)
        self.base = ""

    @property
    def unanswered(self) -> int:
        return len(self._asked)

    async def ask(self, frame: Frame) -> None:
        """Send it as soon as that is possible; waits while very much is unanswered."""
        await self._room.acquire()
        self._asked[frame.op] = _Asked(frame)
        self._unsent.put_nowait(frame.op)

    async def all_answered(self, within_s: float) -> bool:
        """Wait until nothing is unanswered."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self._asked:
                    self._answered.clear()
                    await self._answered.wait()
        return not self._asked

    async def run(self) -> None:
        """Keep a session open until cancelled. Raises ``SignedOut``, and ``NotReached`` when the first one can't
        be opened."""
        was_open, failures = False, 0
        async with aiohttp.ClientSession() as http:
            while True:
                try:
                    async with self._session(http) as socket:
                        was_open, failures = True, 0
                        await self._serve(socket)
                    why = _CLOSED_FOR_GOOD.get(socket.close_code or 0)
                    if why:
                        raise SignedOut(why)
                    self._listener.lost(f"closed by the service ({socket.close_code})")
                except (aiohttp.ClientError, OSError, TimeoutError, NotReached) as exc:
                    if not was_open:
                        raise NotReached(str(exc) or type(exc).__name__) from exc
                    if not failures:
                        self._listener.lost(str(exc) or type(exc).__name__)
                await asyncio.sleep(_WAITS_S[min(failures, len(_WAITS_S) - 1)])
                failures += 1

    # -- one session

    @contextlib.asynccontextmanager
    async def _session(self, http: aiohttp.ClientSession) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """A socket that is welcome."""
        base = self._where().rstrip("/")
        async with asyncio.timeout(_ANSWER_S):
            socket = await http.ws_connect(f"{base}/v1/session", heartbeat=_HEARTBEAT_S, max_msg_size=_MAX_BYTES)
        async with socket:
            async with asyncio.timeout(_ANSWER_S):
                await socket.send_str(_HELLO.encode(Hello(key=self._key)).decode())
                first = await socket.receive()
            welcome = _read(first.data) if first.type is aiohttp.WSMsgType.TEXT else None
            if isinstance(welcome, Trouble):
                _raise(welcome.problem)
            if not isinstance(welcome, Welcome):
                raise NotReached("the session was closed at its beginning")
            self.base = base
            self._send_again()
            self._listener.welcomed(welcome)
            yield socket

    def _send_again(self) -> None:
        self._unsent = asyncio.Queue()
        for op in self._asked:
            self._unsent.put_nowait(op)

    async def _serve(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Send and take in until the socket closes."""
        sender = asyncio.create_task(self._send(socket, self._unsent), name="advisor-send")
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT and (frame := _read(message.data)) is not None:
                    self._take(frame)
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)

    async def _send(self, socket: aiohttp.ClientWebSocketResponse, unsent: asyncio.Queue[str]) -> None:
        loop = asyncio.get_running_loop()
        while True:
            asked = self._asked.get(await unsent.get())
            if asked is None:
                continue
            if len(self._sent_at) == _FRAMES_A_SECOND:
                await asyncio.sleep(max(0.0, self._sent_at[0] + 1 - loop.time()))
            self._sent_at.append(loop.time())
            await socket.send_str(written(asked.frame))

    def _take(self, frame: Sent) -> None:
        match frame:
            case Answer():
                if self._settled(frame.op):
                    self._listener.answered(frame.op, frame)
            case Trouble():
                if not self._is_tried_again(frame) and (not frame.op or self._settled(frame.op)):
                    self._listener.refused(frame.op, frame.problem)
            case Welcome():
                return
            case _:
                self._listener.pushed(frame)

    def _settled(self, op: str) -> bool:
        """Whether it was waited for; the answer to a repetition was not."""
        if self._asked.pop(op, None) is None:
            return False
        self._room.release()
        self._answered.set()
        return True

    def _is_tried_again(self, trouble: Trouble) -> bool:
        asked = self._asked.get(trouble.op)
        if asked is None or not trouble.problem.retryable or asked.tries >= MAX_TRIES:
            return False
        asked.tries += 1
        wait_s = _WAITS_S[min(asked.tries - 2, len(_WAITS_S) - 1)]
        asyncio.get_running_loop().call_later(wait_s, self._unsent.put_nowait, trouble.op)
        return True


def _read(data: str) -> Sent | None:
    """What was sent; None for what only a newer terminal would understand."""
    try:
        return _SENT.decode(data)
    except msgspec.DecodeError:
        return None


def _raise(problem: Problem) -> None:
    said = f"{problem.title}. {problem.detail}".strip()
    if problem.status in (401, 403, 404):
        raise SignedOut(said)
    raise NotReached(said)
