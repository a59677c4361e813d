"""The stores under test: each suite runs on every one of them."""

from collections.abc import AsyncIterator

import pytest

from router.runtime.redis import RedisClient, connect
from tests.servers import KINDS, Server
from tests.suites.store.bench import Desk, MakeBench
from tests.suites.store.benches import memory_bench, redis_benches


@pytest.fixture(params=["memory", *KINDS])
async def make_bench(request: pytest.FixtureRequest) -> AsyncIterator[MakeBench]:
    """Makes stores of the kind under test."""
    if request.param == "memory":
        yield memory_bench
        return
    server: Server = request.getfixturevalue(request.param)
    async with redis_benches(server.url) as make:
        yield make


@pytest.fixture
async def client(redis_server: Server) -> AsyncIterator[RedisClient]:
    """A connection of the test's own to the server."""
    client = connect(redis_server.url)
    yield client
    await client.close()


@pytest.fixture
async def desk(make_bench: MakeBench) -> Desk:
    """One open pool in a fresh store."""
    return await Desk(await make_bench()).open()
