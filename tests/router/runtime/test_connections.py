"""Connections: kept at hand, never more than the pool allows, and never one that the server has left."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as NoConnection

from router.runtime.connections import Connections
from tests.servers import Server
from tests.suites.eventually import eventually

_ANSWER_S = 5.0


@pytest.fixture
async def connections(own_server: Server) -> AsyncIterator[Connections]:
    pool = BlockingConnectionPool.from_url(
        own_server.url, max_connections=2, timeout=0.2, socket_timeout=_ANSWER_S, protocol=2
    )
    found = Connections(pool)
    yield found
    await found.close()


async def ask(connection: AbstractConnection, word: str) -> object:
    await connection.send_command("ECHO", word)
    return await connection.read_response()


async def test_the_last_one_given_back_is_taken_next(connections: Connections) -> None:
    first, second = await connections.take(), await connections.take()
    assert first is not second
    await connections.give_back(first)
    await connections.give_back(second)
    assert await connections.take() is second
    assert await connections.take() is first
    assert await ask(first, "mine") == b"mine"


async def test_no_more_are_out_than_the_pool_allows(connections: Connections) -> None:
    await connections.take()
    await connections.take()
    with pytest.raises(NoConnection):
        await connections.take()


async def test_who_waits_for_one_is_woken(connections: Connections) -> None:
    first = await connections.take()
    await connections.take()
    waiting = asyncio.create_task(connections.take())
    await asyncio.sleep(0)
    await connections.give_back(first)
    assert await waiting is first


async def test_one_that_the_server_has_closed_is_connected_anew(connections: Connections, own_server: Server) -> None:
    connection = await connections.take()
    await connections.give_back(connection)
    own_server.kill()
    own_server.start()
    await eventually(connection.can_read)
    again = await connections.take()
    assert await ask(again, "mine") == b"mine"


async def test_one_that_was_told_too_much_is_connected_anew(connections: Connections) -> None:
    connection = await connections.take()
    await connection.send_command("ECHO", "late")
    await connection.send_command("ECHO", "later")
    assert await connection.read_response() == b"late"
    await eventually(connection.can_read)
    await connections.give_back(connection)
    again = await connections.take()
    assert await ask(again, "mine") == b"mine"


async def test_time_outs_are_the_pools_while_it_connects_and_the_callers_afterwards(connections: Connections) -> None:
    connection = await connections.take()
    assert connection.socket_timeout is None
    await connection.disconnect()
    await connections.give_back(connection)
    assert connection.socket_timeout == _ANSWER_S
    assert await connections.take() is connection
    assert connection.socket_timeout is None
