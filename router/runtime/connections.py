"""Connections to the state server: a bounded pool, with what was used last kept at hand."""

import asyncio

from redis.asyncio import BlockingConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError


class Connections:
    """Wraps the library's pool, whose every loan and return takes longer than a command does.

    A connection that comes back is handed to the next caller as it is; to the pool it never left. The pool is asked
    for new ones, and for all while somebody waits for it. While they are out, connections have no time-out of their
    own (the library's makes a task of each write): the caller limits the whole of an exchange.
    """

    def __init__(self, pool: BlockingConnectionPool) -> None:
        self._pool = pool
        self._own_timeout: float | None = pool.connection_kwargs.get("socket_timeout")
        self._at_hand: list[AbstractConnection] = []
        self._asking = 0

    async def take(self) -> AbstractConnection:
        """A connection that is ready. Raises ``RedisError``, ``OSError`` and, on uvloop, ``RuntimeError``."""
        while self._at_hand:
            connection = self._at_hand.pop()
            if await _is_ready(connection):
                return connection
            # The server has closed it, or said what nobody asked for: the pool connects it anew.
            await self._release(connection)
        self._asking += 1
        try:
            return await self._from_pool()
        finally:
            self._asking -= 1

    async def _from_pool(self) -> AbstractConnection:
        cancelled = _cancellations()
        connection: AbstractConnection = await self._pool.get_connection()  # type: ignore[no-untyped-call]  # redis
        if _cancellations() > cancelled:
            # To greet the server the library writes by ``asyncio.wait_for``, which before Python 3.12 forgets a
            # cancellation that comes when what it waits for has just ended: who reads in a loop would go on for ever.
            await self._release(connection)
            raise asyncio.CancelledError
        connection.socket_timeout = None
        return connection

    async def give_back(self, connection: AbstractConnection) -> None:
        """Every connection that was taken, once, whatever state it is in."""
        if connection.is_connected and not self._asking:
            self._at_hand.append(connection)
        else:
            # Who waits for the pool is woken by it only.
            await self._release(connection)

    async def _release(self, connection: AbstractConnection) -> None:
        connection.socket_timeout = self._own_timeout
        await self._pool.release(connection)

    async def close(self) -> None:
        """Drop all of them, also those that are out."""
        await self._pool.disconnect()


def _cancellations() -> int:
    """How often the running task was cancelled."""
    task = asyncio.current_task()
    return task.cancelling() if task is not None else 0


async def _is_ready(connection: AbstractConnection) -> bool:
    try:
        return connection.is_connected and not await connection.can_read()
    except (RedisError, OSError):
        return False
