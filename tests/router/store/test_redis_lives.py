"""A server that comes back, an old copy of it, a promoted replica: nobody acts on it before it was vouched for."""

import contextlib
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from router.runtime.errors import CommandRefused, StoreUnavailable
from router.runtime.servers.kafka_server import free_ports
from router.store.acts import Result
from tests.servers import KINDS, Kind, Server, running
from tests.suites.eventually import eventually
from tests.suites.store.bench import POOL, Desk
from tests.suites.store.benches import redis_benches, redis_desk


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    found: Kind = request.param
    return found


@pytest.fixture
def server(kind: Kind) -> Iterator[Server]:
    yield from running(kind)


@pytest.fixture
def other(kind: Kind) -> Iterator[Server]:
    yield from running(kind)


async def stands(desk: Desk) -> bool:
    return (await desk.bench.rebuilds.inspect(POOL)).verified


async def vouch(desk: Desk) -> bool:
    return await desk.bench.rebuilds.vouch(POOL, await desk.bench.rebuilds.inspect(POOL))


async def result_of(desk: Desk, case: str) -> Result:
    return (await desk.admit(case)).result


async def test_after_a_restart_no_act_runs_until_somebody_vouches(server: Server) -> None:
    async with redis_desk(server.url) as desk:
        assert await result_of(desk, "c1") is Result.QUEUED
        server.kill()
        server.start()
        await eventually(lambda: _answers(desk))
        assert await result_of(desk, "c2") is Result.FOREIGN
        assert await vouch(desk)
        assert await result_of(desk, "c2") is Result.QUEUED


async def test_an_old_copy_is_noticed_under_who_has_vouched_for_the_newer(server: Server, tmp_path: Path) -> None:
    async with redis_desk(server.url) as desk:
        await desk.admit("c1")
        shutil.copytree(server.data_dir, tmp_path / "copy")
        await desk.admit("c2")
        assert await desk.number() == 2
        server.kill()
        shutil.rmtree(server.data_dir)
        shutil.copytree(tmp_path / "copy", server.data_dir)
        server.start()
        await eventually(lambda: _answers(desk))
        assert await result_of(desk, "c3") is Result.FOREIGN
        standing = await desk.bench.rebuilds.inspect(POOL)
        assert (standing.verified, standing.is_there, standing.number) == (False, True, 1)


async def test_an_emptied_server_has_nothing_to_act_on(server: Server) -> None:
    async with redis_desk(server.url) as desk:
        await desk.admit("c1")
        server.clear()
        assert await result_of(desk, "c2") is Result.FOREIGN
        assert not await stands(desk)


async def test_functions_loaded_anew_need_nobody_to_vouch_again(server: Server) -> None:
    async with redis_desk(server.url) as desk:
        assert server.ask("FUNCTION FLUSH SYNC") == b"+OK"
        assert await result_of(desk, "c1") is Result.QUEUED


async def test_a_promoted_replica_is_another_life(server: Server, other: Server) -> None:
    async with redis_desk(server.url) as desk, desk_of_replica(server, other) as replica:
        await desk.admit("c1")
        await eventually(lambda: _has(replica, 1))
        assert other.ask("REPLICAOF NO ONE") == b"+OK"
        assert await result_of(replica, "c2") is Result.FOREIGN
        assert await vouch(replica)
        assert await result_of(replica, "c2") is Result.QUEUED


async def test_a_primary_that_was_demoted_meanwhile_is_another_life(server: Server, other: Server) -> None:
    """It is the same process as before, and its own memory says so; what it holds has come from another one."""
    async with redis_desk(server.url) as desk, desk_of_replica(server, other) as replica:
        await desk.admit("c1")
        await eventually(lambda: _has(replica, 1))
        assert other.ask("REPLICAOF NO ONE") == b"+OK"
        await desk.admit("c2")  # this tail will be lost
        port = await _listen(other)
        assert server.ask(f"REPLICAOF 127.0.0.1 {port}") == b"+OK"
        await eventually(lambda: _has(desk, 1))
        assert server.ask("REPLICAOF NO ONE") == b"+OK"
        assert await result_of(desk, "c3") is Result.FOREIGN
        assert not await stands(desk)


@asynccontextmanager
async def desk_of_replica(server: Server, other: Server) -> AsyncIterator[Desk]:
    """A desk at a server that follows the first; what it holds itself is thrown away."""
    port = await _listen(server)
    async with redis_benches(other.url) as make:
        desk = Desk(await make())
        assert other.ask(f"REPLICAOF 127.0.0.1 {port}") == b"+OK"
        yield desk


async def _listen(server: Server) -> int:
    port = free_ports().clients
    assert server.ask(f"CONFIG SET port {port} repl-diskless-sync-delay 0") == b"+OK"
    return port


async def _answers(desk: Desk) -> bool:
    with contextlib.suppress(StoreUnavailable):
        await desk.bench.rebuilds.inspect(POOL)
        return True
    return False


async def _has(desk: Desk, number: int) -> bool:
    with contextlib.suppress(StoreUnavailable, CommandRefused):
        return await desk.number() == number
    return False
