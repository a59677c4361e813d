"""What the stand-ins of HTTP providers share: a desk that takes what the channel sends, a port, and a client."""

import asyncio
import io
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, Generic, NamedTuple, TypeVar

import aiohttp
from aiohttp import web

from router.runtime.simulators import Answer, Defect, Entrance, Misbehaviour, ReceivedReply

_TIMEOUT_S: Final = 30.0

T = TypeVar("T")

WRONG: Final = "wrong"
"""The text of a message that is sent to be refused."""


def spoilt(body: bytes, defect: Defect, *, max_bytes: int) -> bytes:
    """A JSON body whose text is ``WRONG``, with that defect. A bad signature is none of the body."""
    match defect:
        case Defect.BAD_SIGNATURE:
            return body
        case Defect.MALFORMED:
            return body[:-2]
        case Defect.OVERSIZE:
            return body + b" " * max_bytes
        case Defect.NOT_TEXT:
            return body.replace(WRONG.encode(), b"\xff\xfe\xfd")


class ChatOf(NamedTuple):
    """Whose chat it is, and the teller's name for it."""

    customer: str
    thread: str


class Desk(Generic[T]):
    """The receiving side. ``arrived`` is what customers (or staff) see, in order of arrival; ``refusals`` says why
    something was refused, one line each."""

    def __init__(self) -> None:
        self._ways: deque[Misbehaviour] = deque()
        self._closing = asyncio.Event()
        self.arrived: asyncio.Queue[T] = asyncio.Queue()
        self.refusals: list[str] = []

    def misbehave(self, ways: Sequence[Misbehaviour]) -> None:
        """What to do with the next requests, one each; afterwards well-behaved again."""
        self._ways.extend(ways)

    def open(self) -> None:
        """Hold those that are left hanging; so it begins."""
        self._closing.clear()

    def close(self) -> None:
        """Let go of those that were left hanging."""
        self._closing.set()

    async def mistreated(
        self,
        request: web.Request,
        take: Callable[[web.Request], Awaitable[web.Response]],
        *,
        refused: Callable[[], web.Response],
        busy: Callable[[], web.Response],
    ) -> web.StreamResponse:
        """The answer of ``take``, or what the next misbehaviour makes of it. The two others word a no for good
        and a no for now as the provider does."""
        way = self._ways.popleft() if self._ways else None
        match way:
            case Misbehaviour.REFUSE:
                return refused()
            case Misbehaviour.BUSY:
                return busy()
            case Misbehaviour.CUT_BEFORE:
                return _cut(request)
        answer = await take(request)
        match way:
            case Misbehaviour.CUT_AFTER:
                return _cut(request)
            case Misbehaviour.HANG:
                await self._closing.wait()
        return answer

    def refuse(self, status: int, why: str) -> web.Response:
        """The answer to what is wrong, noted among the refusals."""
        self.refusals.append(why)
        return web.Response(status=status)


def gone() -> web.Response:
    """A plain no for good."""
    return web.Response(status=410)


def busy() -> web.Response:
    """A plain no for now."""
    return web.Response(status=503, headers={"Retry-After": "1"})


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


class Port:
    """An application on a loopback port."""

    def __init__(self) -> None:
        self._runner: web.AppRunner | None = None
        self._number = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._number}"

    async def open(self, app: web.Application) -> None:
        """Listen: on a free port, or on that of the last time."""
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._number, reuse_address=True).start()
        self._number = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Repeating it does nothing."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()


class Browser:
    """The client that a stand-in knocks at the channel's port with."""

    def __init__(self) -> None:
        self._http: aiohttp.ClientSession | None = None

    @property
    def http(self) -> aiohttp.ClientSession:
        assert self._http is not None, "start first"
        return self._http

    def open(self) -> None:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT_S))

    async def post(self, url: str, body: bytes | aiohttp.FormData, headers: Mapping[str, str]) -> Answer:
        """Post this. Raises ``ConnectionError`` when no answer comes."""
        # From a file, a large body stops when the refusal comes, which is then read.
        data = io.BytesIO(body) if isinstance(body, bytes) else body
        try:
            async with self.http.post(url, data=data, headers=headers) as response:
                text = await response.text(errors="replace")
                return Answer(accepted=200 <= response.status < 300, code=str(response.status), body=text)
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise ConnectionError(f"no answer from {url}") from exc

    async def close(self) -> None:
        """Repeating it does nothing."""
        http, self._http = self._http, None
        if http is not None:
            await http.close()
            await asyncio.sleep(0)  # the connector's transports close on the loop's next turn


class HttpSimulator:
    """The part of a ``Simulator`` that is the same for each provider that is reached by HTTP."""

    def __init__(self, desk: Desk[ReceivedReply]) -> None:
        self._replies = desk
        self._port = Port()
        self._browser = Browser()
        self._numbers: dict[str, int] = {}
        self._account = ""
        self._url = ""

    async def _open(self, account: str, desk: web.Application) -> None:
        """The first part of ``start``: play that account, and listen for what the channel sends."""
        self._account = account
        self._browser.open()
        await self._port.open(desk)

    async def enter(self, entrance: Entrance) -> None:
        self._url = f"{entrance.base_url}/{self._account}"

    async def next_reply(self) -> ReceivedReply:
        return await self._replies.arrived.get()

    def refusals(self) -> Sequence[str]:
        return tuple(self._replies.refusals)

    def misbehave(self, ways: Sequence[Misbehaviour]) -> None:
        self._replies.misbehave(ways)

    async def close(self) -> None:
        self._replies.close()
        await self._port.close()
        await self._browser.close()

    def _number(self, what: str) -> int:
        """The same for the same thing, as long as the simulator lives."""
        return self._numbers.setdefault(what, len(self._numbers) + 1)
