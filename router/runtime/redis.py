"""The one way to Redis or Valkey: one factory of clients, one coalescer of calls.

Nothing here ever runs a command twice. A call that fails with ``StoreUnavailable`` may have taken effect;
its caller repeats it under the same operation id. Replies are raw: bytes, int, list or None.
"""

import asyncio
import contextlib
import math
from collections import deque
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, cast

from hiredis import pack_command
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    ClusterDownError,
    MasterDownError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
    TryAgainError,
)

from router.runtime.connections import Connections
from router.runtime.errors import CommandRefused, RuntimeFailure, StoreFull, StoreUnavailable
from router.runtime.metrics import RuntimeMetrics, StoreError

Argument = bytes | str | int | float
Command = Sequence[Argument]

_CONNECT_S: Final = 2.0
_ANSWER_S: Final = 5.0
_POOL_WAIT_S: Final = 5.0
_WAKE_AT_ONCE: Final = 16
# So many of a coalescer's pipelines are under way at once.
_PIPELINES: Final = 4
# uvloop raises a RuntimeError where a transport has closed since it was looked at.
_LOST: Final = (RedisError, OSError, RuntimeError)
_PASSING: Final = (ReadOnlyError, MasterDownError, ClusterDownError, TryAgainError)
_PASSING_CODES: Final = ("MISCONF", "NOREPLICAS", "BUSY ", "LOADING", "UNBLOCKED")


class Purpose(StrEnum):
    """What a client is for. Blocking reads hold their connections, so they have a pool of their own."""

    COMMANDS = "commands"
    BLOCKING = "blocking"


def _translated(exc: Exception) -> RuntimeFailure:
    text = str(exc)
    passing = isinstance(exc, _PASSING) or text.startswith(_PASSING_CODES)
    if isinstance(exc, OutOfMemoryError):
        return StoreFull(f"the state server's memory is full: {text}")
    if isinstance(exc, ResponseError) and not passing:
        return CommandRefused(text)
    return StoreUnavailable(f"the state store didn't answer as it should: {text or type(exc).__name__}")


class RedisClient:
    """A bounded pool of connections. Made by ``connect``."""

    def __init__(
        self, pool: BlockingConnectionPool, purpose: Purpose, *, answer_s: float, metrics: RuntimeMetrics | None
    ) -> None:
        self._connections = Connections(pool)
        self._purpose = purpose
        self._answer_s = answer_s
        self._metrics = metrics
        self._tasks: set[asyncio.Task[list[object]]] = set()

    async def call(self, *args: Argument, wait_s: float = 0.0) -> object:
        """Run one command and return its raw reply.

        ``wait_s`` is how long the server itself may block. Raises ``StoreUnavailable`` (outcome unknown)
        or ``CommandRefused``. Cancelling the caller doesn't cut a command short, unless the client is for
        blocking reads, whose connection is dropped then.
        """
        exchange = self.exchange([args], wait_s=wait_s)
        if self._purpose is Purpose.BLOCKING:
            (reply,) = await exchange
        else:
            task = asyncio.create_task(exchange, name="redis-call")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            (reply,) = await asyncio.shield(task)
        if isinstance(reply, RuntimeFailure):
            raise reply
        return reply

    async def exchange(self, commands: Sequence[Command], *, wait_s: float = 0.0) -> list[object]:
        """Send the commands as one pipeline; a reply or a ``RuntimeFailure`` for each, in their order.

        Never raises for what the server or the network does. Being cancelled leaves outcomes unknown.
        """
        replies: list[object] = []
        packed = b"".join(map(_packed, commands))
        try:
            connection = await self._connections.take()
        except _LOST as exc:
            return self._failed(exc, len(commands))
        try:
            async with asyncio.timeout(self._answer_s + wait_s):
                await connection.send_packed_command(packed, check_health=False)
                for _ in commands:
                    replies.append(await self._reply(connection))
        except _LOST as exc:
            replies += self._failed(exc, len(commands) - len(replies))
            # Late replies on this connection would answer somebody else's command.
            await connection.disconnect(nowait=True)
        finally:
            if len(replies) < len(commands):  # cancelled
                await connection.disconnect(nowait=True)
            await self._connections.give_back(connection)
        return replies

    async def _reply(self, connection: AbstractConnection) -> object:
        try:
            # Without an infinite time-out of its own the library answers None when its time is over, which
            # looks like a server's nil. The time-out is around the whole exchange.
            return cast("object", await connection.read_response(timeout=math.inf))
        except ResponseError as exc:
            return self._failed(exc, 1)[0]

    def _failed(self, exc: Exception, calls: int) -> list[object]:
        failure = _translated(exc)
        if self._metrics is not None:
            kind = StoreError.REFUSED if isinstance(failure, CommandRefused) else StoreError.UNAVAILABLE
            self._metrics.store_errors.labels(kind).inc(calls)
        return [failure] * calls

    def overrun(self) -> StoreUnavailable:
        """The failure of a call that has no place in a queue to this client; it counts as any other."""
        failure = StoreUnavailable("too many calls to the store are waiting")
        if self._metrics is not None:
            self._metrics.store_errors.labels(StoreError.UNAVAILABLE).inc()
        return failure

    async def close(self) -> None:
        """Let running commands end (each is bounded by its time-outs), then drop the connections."""
        if self._tasks:
            await asyncio.wait(self._tasks)
        await self._connections.close()


def _packed(command: Command) -> bytes:
    # The library itself packs in Python, which takes four times as long.
    packed: bytes = pack_command(tuple(command))  # type: ignore[arg-type]  # its stub knows tuples of one
    return packed


def connect(
    url: str,
    *,
    purpose: Purpose = Purpose.COMMANDS,
    max_connections: int = 8,
    answer_s: float = _ANSWER_S,
    metrics: RuntimeMetrics | None = None,
) -> RedisClient:
    """A client for ``redis://``, ``rediss://`` or ``unix://``. Opens no connection yet.

    ``answer_s`` is how long an answer may take, beyond what the server was asked to wait. Calls that fail are
    counted with ``metrics``.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=max_connections,
        timeout=_POOL_WAIT_S,
        socket_connect_timeout=_CONNECT_S,
        socket_timeout=answer_s,
        # The library's default repeats commands that are not safe to repeat.
        retry=Retry(NoBackoff(), 0),
        retry_on_timeout=False,
        retry_on_error=[],
        decode_responses=False,
        protocol=2,
        health_check_interval=0,
    )
    return RedisClient(pool, purpose, answer_s=answer_s, metrics=metrics)


class Coalescer:
    """Sends the calls that are awaited within one tick of the loop as one pipeline.

    Each caller gets his own reply or error. Calls that run at the same time have no order among them.
    """

    def __init__(self, client: RedisClient, *, max_batch: int = 128, max_waiting: int = 8192) -> None:
        self._client = client
        self._max_batch = max_batch
        self._max_waiting = max_waiting
        self._waiting: deque[tuple[Command, asyncio.Future[object]]] = deque()
        self._running: set[asyncio.Task[None]] = set()
        self._flush_due = False
        self._closed = False

    async def call(self, *args: Argument) -> object:
        """Run one command and return its raw reply.

        Raises ``StoreUnavailable`` (outcome unknown, or too many calls waiting) or ``CommandRefused``. A
        caller that is cancelled stops waiting; a command that was sent takes its course.
        """
        if self._closed:
            raise StoreUnavailable("closing")
        if len(self._waiting) >= self._max_waiting:
            raise self._client.overrun()
        loop = asyncio.get_running_loop()
        reply: asyncio.Future[object] = loop.create_future()
        self._waiting.append((args, reply))
        if not self._flush_due:
            self._flush_due = True
            loop.call_soon(self._flush)
        return await reply

    def _flush(self) -> None:
        self._flush_due = False
        while len(self._running) < _PIPELINES and (batch := self._next_batch()):
            task = asyncio.get_running_loop().create_task(self._send(batch), name="redis-pipeline")
            self._running.add(task)
            task.add_done_callback(self._sent)

    def _next_batch(self) -> list[tuple[Command, asyncio.Future[object]]]:
        batch: list[tuple[Command, asyncio.Future[object]]] = []
        while self._waiting and len(batch) < self._max_batch:
            call = self._waiting.popleft()
            if not call[1].done():  # its caller was cancelled before it was sent
                batch.append(call)
        return batch

    async def _send(self, batch: list[tuple[Command, asyncio.Future[object]]]) -> None:
        replies: list[object] = []
        try:
            replies = await self._client.exchange([command for command, _ in batch])
            # Callers that all wake at once all work before the first of their next calls is sent, and the
            # server has nothing to do meanwhile.
            for number, ((_, waiter), reply) in enumerate(zip(batch, replies, strict=True), start=1):
                _settle(waiter, reply)
                if not number % _WAKE_AT_ONCE:
                    await asyncio.sleep(0)
        finally:
            unknown = StoreUnavailable("the connection was given up while the call was running")
            replies += [unknown] * (len(batch) - len(replies))
            for (_, waiter), reply in zip(batch, replies, strict=True):
                _settle(waiter, reply)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.result()
        if self._waiting:
            self._flush()

    async def close(self, *, deadline_s: float = 5.0) -> None:
        """Refuse new calls, let those that were made end until the deadline, give up the rest."""
        self._closed = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(deadline_s):
                while self._running or self._flush_due:
                    await (asyncio.wait(self._running) if self._running else asyncio.sleep(0))
        for task in self._running:
            task.cancel()
        if self._running:
            await asyncio.wait(self._running)
        while self._waiting:
            _settle(self._waiting.popleft()[1], StoreUnavailable("closing"))


def _settle(waiter: asyncio.Future[object], reply: object) -> None:
    if waiter.done():
        return
    if isinstance(reply, RuntimeFailure):
        waiter.set_exception(reply)
    else:
        waiter.set_result(reply)
