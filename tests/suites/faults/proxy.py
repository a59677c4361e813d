"""A TCP proxy that mistreats what passes through it: it cuts, holds, delays, half-opens and loses answers.

It sits between the service and Kafka or Valkey. Every misdeed is counted in ``bites`` by its name, so that a test
can prove that its fault took place.
"""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from enum import StrEnum
from typing import Final

from router.runtime.clock import SystemClock

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Target = Callable[[], Awaitable[Streams]]
"""Connects to the server itself."""
Matches = Callable[[bytes], bool]
"""Looks at a chunk of a client's."""

_CHUNK: Final = 64 * 1024
_REMEMBERED: Final = 64


class Bite(StrEnum):
    """What was done, in ``Proxy.bites``."""

    CUT = "connection cut"
    REFUSED = "connection refused"
    HELD = "chunk held"
    DELAYED = "chunk delayed"
    HALF_OPENED = "connection half-opened"
    SWALLOWED = "chunk swallowed"
    REPLY_LOST = "reply lost"
    CUT_WITHIN = "cut within a request"
    REPEATED = "request came again"
    """One whose reply was lost, byte for byte: whoever sent it did not look again first."""


def to_socket(path: str) -> Target:
    """A server on a unix socket."""
    return lambda: asyncio.open_unix_connection(path)


def to_port(port: int) -> Target:
    """A server on loopback."""
    return lambda: asyncio.open_connection("127.0.0.1", port)


class _Pair:
    """A client's connection and ours to the server."""

    def __init__(self, client: Streams, server: Streams) -> None:
        self.from_client, self.to_client = client
        self.from_server, self.to_server = server
        self.is_half_open = False
        self.loses_reply = False

    def cut(self) -> None:
        """Both ends at once, whatever is on the way."""
        for writer in (self.to_client, self.to_server):
            writer.transport.abort()


class Proxy:
    """Listens on a free port of loopback from ``open`` to ``close``; well-behaved until told otherwise."""

    def __init__(self, target: Target) -> None:
        self.bites: Counter[Bite] = Counter()
        self.port = 0
        self._target = target
        self._clock = SystemClock()
        self._server: asyncio.Server
        self._pairs: set[_Pair] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._refuses = False
        self._loses_all = False
        self._delay_s = 0.0
        self._lost_requests: list[Matches] = []
        self._unanswered: deque[bytes] = deque(maxlen=_REMEMBERED)
        self._broken_requests: list[Matches] = []

    def aim(self, target: Target) -> None:
        """Connect to this server from now on."""
        self._target = target

    async def open(self) -> int:
        """Begin to listen; the port."""
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    async def close(self) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    @property
    def connections(self) -> int:
        """How many pass through it now."""
        return len(self._pairs)

    # -- misdeeds

    def cut(self) -> int:
        """Reset every connection; how many there were. New ones pass."""
        for pair in tuple(self._pairs):
            pair.cut()
            self.bites[Bite.CUT] += 1
        return self.bites[Bite.CUT]

    def refuse(self, refuses: bool = True) -> None:
        """Let nobody in any more, or again."""
        self._refuses = refuses

    def hold(self) -> None:
        """A black hole: connections stay and are made, and nothing arrives, either way, until ``release``."""
        self._flowing.clear()

    def release(self) -> None:
        """What was held arrives now, in its order."""
        self._flowing.set()

    def delay(self, delay_s: float) -> None:
        """Every chunk takes so much longer, either way; 0 ends it."""
        self._delay_s = delay_s

    def half_open(self) -> None:
        """The server loses every connection there is; their clients notice nothing and are never answered."""
        for pair in tuple(self._pairs):
            pair.is_half_open = True
            pair.to_server.transport.abort()
            self.bites[Bite.HALF_OPENED] += 1

    def lose_replies(self, loses: bool = True) -> None:
        """Requests arrive, answers don't. When it ends, every connection is cut: their streams have holes."""
        if self._loses_all and not loses:
            self.cut()
        self._loses_all = loses

    def lose_reply_to(self, matches: Matches, *, times: int = 1) -> None:
        """The next so many matching requests are served, but their answer is lost with its connection."""
        self._lost_requests += [matches] * times

    def cut_within(self, matches: Matches, *, times: int = 1) -> None:
        """Of the next so many matching requests only the first half arrives, and the connection is cut."""
        self._broken_requests += [matches] * times

    def behave(self) -> None:
        """End every misdeed."""
        self.refuse(False)
        self.lose_replies(False)
        self.delay(0)
        self._lost_requests.clear()
        self._broken_requests.clear()
        self.release()

    # -- the way of the bytes

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            # A proxy that is closed cancels this task: that must not be told as an error of the server.
            with suppress(asyncio.CancelledError, OSError):
                await self._serve((reader, writer))
        finally:
            writer.transport.abort()
            self._tasks.discard(task)

    async def _serve(self, client: Streams) -> None:
        if self._refuses:
            self.bites[Bite.REFUSED] += 1
            return
        pair = _Pair(client, await self._target())
        self._pairs.add(pair)
        try:
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(self._pump_requests(pair), name="requests")
                pumps.create_task(self._pump_replies(pair), name="replies")
        finally:
            self._pairs.discard(pair)
            pair.cut()

    async def _pump_requests(self, pair: _Pair) -> None:
        while chunk := await _read(pair.from_client):
            if pair.is_half_open:
                self.bites[Bite.SWALLOWED] += 1
                continue
            if _take(self._broken_requests, chunk):
                await _write(pair.to_server, chunk[: len(chunk) // 2])
                self.bites[Bite.CUT_WITHIN] += 1
                break
            if chunk in self._unanswered:
                self.bites[Bite.REPEATED] += 1
            if _take(self._lost_requests, chunk):
                pair.loses_reply = True
                self._unanswered.append(chunk)
            await self._slow_down()
            await _write(pair.to_server, chunk)
        pair.cut()

    async def _pump_replies(self, pair: _Pair) -> None:
        while chunk := await _read(pair.from_server):
            if pair.loses_reply:
                self.bites[Bite.REPLY_LOST] += 1
                break
            await self._slow_down()
            if self._loses_all:
                self.bites[Bite.SWALLOWED] += 1
                continue
            await _write(pair.to_client, chunk)
        if not pair.is_half_open:
            pair.cut()

    async def _slow_down(self) -> None:
        if self._delay_s:
            self.bites[Bite.DELAYED] += 1
            await self._clock.sleep_until_ms(self._clock.now_ms() + int(self._delay_s * 1000))
        if not self._flowing.is_set():
            self.bites[Bite.HELD] += 1
            await self._flowing.wait()


def _take(waiting: list[Matches], chunk: bytes) -> bool:
    """Whether the first that waits means this chunk; then it waits no longer."""
    if waiting and waiting[0](chunk):
        waiting.pop(0)
        return True
    return False


async def _read(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read(_CHUNK)
    except OSError:
        return b""


async def _write(writer: asyncio.StreamWriter, chunk: bytes) -> None:
    with suppress(OSError):  # the reader of the other side notices
        writer.write(chunk)
        await writer.drain()


def is_act(*names: str) -> Callable[[bytes], bool]:
    """A request that calls one of these functions of the store."""
    needles = [f"_{name}\r\n".encode() for name in names]
    return lambda chunk: b"FCALL" in chunk and any(needle in chunk for needle in needles)


def is_produce(chunk: bytes) -> bool:
    """A produce request of Kafka's protocol: its size, then API key 0."""
    return chunk[4:6] == b"\x00\x00" and len(chunk) > 64
