"""How the store calls its server: what is sent together, what is repeated, what becomes of failures."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from router.contract.ids import CaseId, PoolId
from router.runtime.errors import StoreUnavailable
from router.runtime.redis import Purpose, RedisClient, connect
from router.store.acts import Note, Result
from router.store.keys import LIBRARIES
from router.store.library import build_library
from router.store.redis import RedisStore, StoreMisconfigured
from router.store.redis.functions import MAX_BATCH
from router.store.redis.libraries import UNUSED_AFTER_MS
from router.store.redis.server import problems_of
from tests.servers import Server
from tests.suites.eventually import eventually
from tests.suites.store.bench import POOL, START_MS, Desk
from tests.suites.store.benches import redis_benches, redis_desk

C1 = CaseId("c1")


@pytest.fixture
async def desk(redis_server: Server) -> AsyncIterator[Desk]:
    async with redis_desk(redis_server.url) as desk:
        yield desk


def notes(desk: Desk, count: int) -> list[Note]:
    acts = [desk.act(Note, case=C1, message=str(number)) for number in range(count)]
    return [act for act in acts if isinstance(act, Note)]


async def said(desk: Desk) -> list[str]:
    return list((await desk.store.messages(POOL, C1))[1:])


async def test_a_batch_is_applied_in_order(desk: Desk) -> None:
    await desk.admit("c1")
    outcomes = await desk.store.apply(notes(desk, 2 * MAX_BATCH + 1))
    assert {outcome.result for outcome in outcomes} == {Result.DONE}
    assert await said(desk) == [str(number) for number in range(2 * MAX_BATCH + 1)]


async def test_acts_of_one_moment_share_a_round_trip(desk: Desk, client: RedisClient) -> None:
    await desk.admit("c1")
    await client.call("CONFIG", "RESETSTAT")
    outcomes = await asyncio.gather(*(desk.store.apply([note]) for note in notes(desk, 50)))
    info = await client.call("INFO", "stats")
    assert isinstance(info, bytes)
    stats = dict(line.split(":") for line in info.decode().splitlines() if ":" in line)
    assert sorted(outcome.case.ver for (outcome,) in outcomes if outcome.case) == list(range(2, 52))
    assert int(stats["total_reads_processed"]) < 10


async def test_a_server_that_lost_its_functions_gets_them_again(desk: Desk, client: RedisClient) -> None:
    await desk.admit("c1")
    await client.call("FUNCTION", "FLUSH", "SYNC")
    assert (await desk.store.apply(notes(desk, 1)))[0].result is Result.DONE
    await client.call("FUNCTION", "FLUSH", "SYNC")
    assert len(await desk.store.apply(notes(desk, 3))) == 3
    await client.call("FUNCTION", "FLUSH", "SYNC")
    assert await desk.case("c1") is not None
    assert await said(desk) == ["0", "0", "1", "2"]


async def test_two_versions_serve_at_once(desk: Desk, redis_server: Server) -> None:
    commands, waits = connect(redis_server.url), connect(redis_server.url, purpose=Purpose.BLOCKING)
    other = RedisStore(commands, waits, library=build_library("time"))
    await other.open()
    await other.open()
    await desk.admit("c1")
    for store in (other, desk.store, other):
        assert (await store.apply(notes(desk, 1)))[0].result is Result.DONE
    await other.close()
    await commands.close()
    await waits.close()


async def test_a_pool_that_is_not_there(desk: Desk) -> None:
    nowhere = PoolId("nowhere")
    act = desk.act(Note, pool=nowhere, case=C1, message="m")
    assert (await desk.do(act)).result is Result.FOREIGN
    assert await desk.store.case(nowhere, C1) is None
    assert await desk.store.changes(nowhere, 0) == []
    for lost in (desk.store.take(nowhere), desk.store.status(nowhere), desk.store.work(nowhere)):
        with pytest.raises(StoreUnavailable, match="never opened, or the store lost it"):
            await lost


async def test_marks_follow_the_settings(redis_server: Server) -> None:
    async with redis_benches(redis_server.url) as make:
        desk = await Desk(await make()).open()
        await desk.admit("c1")
        strict = await Desk(await make(outbox_mark=1)).open()
        assert (await strict.admit("c2")).result is Result.FULL
        again = await Desk(await make()).open()
        assert (await again.admit("c2")).result is Result.QUEUED


async def test_a_caller_who_gives_up_does_not_undo_his_acts(own_server: Server) -> None:
    async with redis_desk(own_server.url) as desk:
        await desk.admit("c1")
        own_server.freeze()
        callers = [asyncio.create_task(desk.store.apply(acts)) for acts in (notes(desk, 1), notes(desk, 3))]
        for _ in range(20):
            await asyncio.sleep(0)
        for caller in callers:
            caller.cancel()
        ends = await asyncio.gather(*callers, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ends)
        own_server.thaw()

        async def all_said() -> bool:
            return sorted(await said(desk)) == ["0", "0", "1", "2"]

        await eventually(all_said)


async def test_without_a_server_it_says_so_and_goes_on_later(own_server: Server) -> None:
    async with redis_desk(own_server.url) as desk:
        await desk.admit("c1")
        own_server.kill()
        for acts in (notes(desk, 1), notes(desk, 2)):
            with pytest.raises(StoreUnavailable):
                await desk.store.apply(acts)
        own_server.start()
        rebuilds = desk.bench.rebuilds
        assert await rebuilds.vouch(POOL, await rebuilds.inspect(POOL))
        assert (await desk.store.apply(notes(desk, 1)))[0].result is Result.DONE
        assert await said(desk) == ["0"]


async def test_a_library_that_nobody_keeps_goes_after_a_day(desk: Desk, client: RedisClient) -> None:
    store = desk.store
    assert isinstance(store, RedisStore)
    name = build_library("key").name
    old = build_library("time")
    await client.call("FUNCTION", "LOAD", old.text)
    assert await store.keep_library(START_MS) == ()
    assert await store.keep_library(START_MS + UNUSED_AFTER_MS) == ()
    assert await store.keep_library(START_MS + UNUSED_AFTER_MS + 1) == (old.name,)
    assert await client.call("HKEYS", LIBRARIES) == [name.encode()]
    assert (await desk.admit("c1")).result is Result.QUEUED


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({}, []),
        (
            {
                "maxmemory-policy": "noeviction",
                "hash-max-listpack-value": "1024",
                "hash-max-listpack-entries": "128",
            },
            [],
        ),
        ({"redis_version": "7.0.15"}, []),
        ({"redis_version": "6.2.14"}, ["the server behaves as Redis 6.2.14: use Redis 7.0"]),
        ({"maxmemory-policy": "allkeys-lru"}, ["maxmemory-policy is allkeys-lru"]),
        ({"hash-max-listpack-value": "64"}, ["hash-max-listpack-value is 64"]),
        (
            {"hash-max-listpack-entries": "512", "hash-max-listpack-value": "64"},
            ["hash-max-listpack-value is 64", "hash-max-listpack-entries is 512"],
        ),
    ],
)
def test_what_is_wrong_with_settings(found: dict[str, str], said: list[str]) -> None:
    problems = problems_of(found)
    assert len(problems) == len(said)
    for problem, start in zip(problems, said, strict=True):
        assert problem.startswith(start)
        assert ": set it to " in problem or ": use " in problem


async def _opened(server: Server) -> None:
    commands, waits = connect(server.url), connect(server.url, purpose=Purpose.BLOCKING)
    store = RedisStore(commands, waits)
    try:
        await store.open()
    finally:
        await store.close()
        await commands.close()
        await waits.close()


async def test_a_server_that_drops_keys_is_refused(own_server: Server) -> None:
    assert own_server.ask("CONFIG SET maxmemory-policy allkeys-lru") == b"+OK"
    with pytest.raises(StoreMisconfigured, match="set it to noeviction"):
        await _opened(own_server)


async def test_a_server_that_hides_its_settings_is_taken(own_server: Server, caplog: pytest.LogCaptureFixture) -> None:
    assert own_server.ask("ACL SETUSER default -config") == b"+OK"
    await _opened(own_server)
    assert "doesn't show its settings" in caplog.text
