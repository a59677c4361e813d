"""Two versions of the function library act on one pool at once, as they do during a rolling upgrade."""

from collections.abc import AsyncIterator, Iterator

import pytest

from router.runtime.redis import RedisClient
from router.store.acts import Result
from router.store.keys import LIBRARIES
from router.store.library import FORMAT, build_library
from router.store.memory import MemoryStore
from router.store.redis.libraries import UNUSED_AFTER_MS
from tests.servers import Server
from tests.suites.acts_strategies import whole_script
from tests.suites.store.bench import POOL, START_MS, Desk
from tests.suites.store.benches import memory_bench
from tests.suites.store.day import a_day
from tests.suites.store.director import Director, Step
from tests.suites.store.dump import dump
from tests.suites.store.versions import NEXT_FORMAT, Versions, other_version, two_versions

SCRIPTS = 12
HOUR_MS = 3_600_000
MARKS = {"outbox_mark": 28, "max_classes": 3}
NAMES = {"cases": ["c1", "c2", "c3", "c4"], "talks": [f"talk-c{number}" for number in range(1, 5)]}


@pytest.fixture
async def versions(redis_server: Server) -> AsyncIterator[Versions]:
    async with two_versions(redis_server.url) as both:
        yield both


def test_the_versions_share_no_function() -> None:
    ours = build_library("key")
    other = other_version(ours)
    assert other.name != ours.name
    assert ours.name not in other.text
    assert other.text.count("function_name = ") == ours.text.count("function_name = ")


async def test_a_day_by_both_in_turns_is_as_by_one(versions: Versions) -> None:
    alone = await Desk(await memory_bench()).open()
    await a_day(alone)
    await a_day(await versions.both.open())
    for desk in (versions.old, versions.new):
        assert (await dump(desk.store, **NAMES)).differences(await dump(alone.store, **NAMES)) == {}


async def test_random_acts_by_both_in_turns_are_as_by_one(redis_server: Server) -> None:
    for seed in range(SCRIPTS):
        redis_server.clear()
        memory = await memory_bench(**MARKS)
        async with two_versions(redis_server.url, **MARKS) as versions:
            await memory.store.open_pool(POOL)
            await versions.both.open()
            assert isinstance(memory.store, MemoryStore)
            director = Director(memory.store)
            for step in _steps(director, seed):
                answers = await step.perform(memory)
                assert await step.perform(versions.both.bench) == answers, (seed, step)
            names = {"cases": sorted(director.cases), "talks": sorted(director.talks)}
            assert (await dump(versions.old.store, **names)).differences(await dump(memory.store, **names)) == {}


def _steps(director: Director, seed: int) -> Iterator[Step]:
    """The steps of a script, each made when the one before has been done."""
    yield from director.opening()
    for intent in whole_script(seed):
        if (step := director.step(intent)) is not None:
            yield step


async def test_an_act_repeated_by_the_other_version_gives_the_first_answer(versions: Versions) -> None:
    await versions.old.open()
    act = versions.old.admission("c1")
    assert (await versions.old.do(act)).result is Result.QUEUED
    assert (await versions.new.do(act)).result is Result.DUPLICATE
    assert (await versions.old.number()) == 1


async def test_who_opens_a_pool_of_an_older_format_makes_it_his(redis_server: Server) -> None:
    async with two_versions(redis_server.url, writes=NEXT_FORMAT) as versions:
        await versions.old.open()
        assert (await versions.old.store.status(POOL)).format == FORMAT
        assert (await versions.old.admit("c1")).result is Result.QUEUED
        assert (await versions.new.store.open_pool(POOL)).format == NEXT_FORMAT
        assert (await versions.new.admit("c2")).result is Result.QUEUED


async def test_from_then_on_the_older_version_is_refused_and_changes_nothing(redis_server: Server) -> None:
    async with two_versions(redis_server.url, writes=NEXT_FORMAT) as versions:
        await versions.old.open()
        await versions.old.admit("c1")
        await versions.new.open()
        before = await dump(versions.new.store, cases=["c1", "c2"])
        assert (await versions.old.admit("c2")).result is Result.NEWER
        assert (await versions.old.store.open_pool(POOL)).format == NEXT_FORMAT
        assert (await dump(versions.new.store, cases=["c1", "c2"])).differences(before) == {}
        assert (await versions.new.admit("c2")).result is Result.QUEUED


async def test_the_outbox_goes_from_an_older_version_to_one_of_the_new_format(redis_server: Server) -> None:
    async with two_versions(redis_server.url, writes=NEXT_FORMAT) as versions:
        await versions.old.open()
        await versions.old.admit("c1")
        older = await versions.old.store.take(POOL)
        await versions.new.open()
        assert not await versions.old.store.trim(POOL, older, 1)
        free = await versions.old.store.lease(POOL)
        assert not free.held
        assert await versions.old.store.take_over(POOL, free) is None
        mine = await versions.new.store.take_over(POOL, free)
        assert mine is not None
        assert await versions.new.store.trim(POOL, mine, 1)


async def test_a_version_in_use_stays_and_one_that_is_not_goes_after_a_day(
    versions: Versions, client: RedisClient
) -> None:
    ours, other = build_library("key").name, other_version(build_library("key")).name
    upgraded_ms = START_MS + 30 * HOUR_MS
    for now_ms in range(START_MS, upgraded_ms + 1, HOUR_MS):
        assert await versions.old_store.keep_library(now_ms) == ()
        assert await versions.new_store.keep_library(now_ms) == ()
    # The old one is stopped.
    for now_ms in range(upgraded_ms, upgraded_ms + UNUSED_AFTER_MS + 1, HOUR_MS):
        assert await versions.new_store.keep_library(now_ms) == ()
    assert await versions.new_store.keep_library(upgraded_ms + UNUSED_AFTER_MS + 1) == (ours,)
    for now_ms in range(upgraded_ms + 2 * UNUSED_AFTER_MS, upgraded_ms + 9 * UNUSED_AFTER_MS, HOUR_MS):
        assert await versions.new_store.keep_library(now_ms) == ()
    assert await client.call("HKEYS", LIBRARIES) == [other.encode()]


async def test_a_version_that_comes_back_after_its_functions_went_loads_them_again(versions: Versions) -> None:
    await versions.old.open()
    await versions.new_store.keep_library(START_MS)
    assert len(await versions.new_store.keep_library(START_MS + UNUSED_AFTER_MS + 1)) == 1
    assert (await versions.old.admit("c1")).result is Result.QUEUED
    assert (await versions.new.admit("c2")).result is Result.QUEUED
    assert await versions.old_store.keep_library(START_MS + UNUSED_AFTER_MS + 2) == ()
