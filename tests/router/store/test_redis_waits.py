"""Waiting on the server, pages of what is long, and memory that runs out."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from router.contract.ids import CaseId
from router.contract.plan import Plan
from router.runtime.errors import StoreUnavailable
from router.runtime.redis import Purpose, connect
from router.store.acts import Close, Decline, Due, Expire, PresenceAct, Requeue, Resolve, Result
from router.store.library import build_library
from router.store.protocol import EVERYTHING, Share
from router.store.redis import RedisStore
from tests.servers import Server
from tests.suites.store.bench import POOL, Desk
from tests.suites.store.benches import redis_benches, redis_desk

LONG_MS = 20_000


@pytest.fixture
async def desk(redis_server: Server) -> AsyncIterator[Desk]:
    async with redis_desk(redis_server.url) as desk:
        yield desk


async def test_any_number_may_wait_for_the_relay(desk: Desk) -> None:
    """More than there are connections: they share one blocking read."""
    for number in range(6):
        await desk.admit(f"c{number}")
    epoch = await desk.store.take(POOL)
    waits = [asyncio.create_task(desk.store.relayed(POOL, after, wait_ms=LONG_MS)) for after in (0, 3, 5) * 40]
    await asyncio.sleep(0)
    for upto in (2, 6):
        assert await desk.store.trim(POOL, epoch, upto)
    found = await asyncio.wait_for(asyncio.gather(*waits), 10)
    assert all(number > after for number, after in zip(found, (0, 3, 5) * 40, strict=True))


async def test_who_waits_too_long_learns_how_far_it_is(desk: Desk) -> None:
    await desk.admit("c1")
    await desk.store.trim(POOL, await desk.store.take(POOL), 1)
    assert await desk.store.relayed(POOL, 1, wait_ms=30) == 1
    assert await desk.store.relayed(POOL, 0, wait_ms=LONG_MS) == 1


async def test_a_stamp_wakes_who_waits_for_work(desk: Desk) -> None:
    wait = asyncio.create_task(desk.store.stamped(POOL, 0, wait_ms=LONG_MS))
    await asyncio.sleep(0)
    await desk.admit("c1")
    assert await asyncio.wait_for(wait, 10) == 1
    assert await desk.store.stamped(POOL, 1, wait_ms=30) == 1


async def test_a_change_and_an_entry_wake_who_waits(desk: Desk) -> None:
    changes = asyncio.create_task(desk.store.changes(POOL, 0, wait_ms=LONG_MS))
    entries = asyncio.create_task(desk.store.pending(POOL, 0, wait_ms=LONG_MS))
    await asyncio.sleep(0)
    await desk.advisor("ann", online=False)
    assert [change.number for change in await asyncio.wait_for(changes, 10)] == [1]
    assert [entry.number for entry in await asyncio.wait_for(entries, 10)] == [1]
    assert await desk.store.pending(POOL, 1, wait_ms=30) == []


async def test_a_lost_server_ends_a_wait(own_server: Server) -> None:
    async with redis_desk(own_server.url) as desk:
        waits = [
            asyncio.create_task(desk.store.relayed(POOL, 0, wait_ms=LONG_MS)),
            asyncio.create_task(desk.store.stamped(POOL, 0, wait_ms=LONG_MS)),
        ]
        await asyncio.sleep(0)
        own_server.kill()
        ends = await asyncio.wait_for(asyncio.gather(*waits, return_exceptions=True), 10)
        assert all(isinstance(end, StoreUnavailable) for end in ends)
        own_server.start()
        assert await desk.store.relayed(POOL, 0, wait_ms=30) == 0


async def _crowd(desk: Desk, classes: int) -> None:
    acts = [
        desk.admission(f"c{number:04}", plan=Plan(ver=0, class_key=f"queue-{number:04}", score=number))
        for number in range(classes)
    ]
    await desk.store.apply(acts)


async def test_many_classes_are_read_page_by_page(desk: Desk) -> None:
    await _crowd(desk, 600)
    heads = sorted(await desk.store.heads(POOL), key=lambda head: head.score)
    assert [(head.class_key, head.case) for head in heads] == [
        (f"queue-{number:04}", f"c{number:04}") for number in range(600)
    ]


async def test_many_lines_are_counted_page_by_page(desk: Desk) -> None:
    await _crowd(desk, 600)
    sizes = await desk.store.line_sizes(POOL)
    assert {line.class_key: line.length for line in sizes} == {f"queue-{number:04}": 1 for number in range(600)}


async def test_much_work_is_shared_out_page_by_page(desk: Desk) -> None:
    await _crowd(desk, 600)
    items = [f"k|queue-{number:04}" for number in range(600)]
    thirds = [Share(partitions=frozenset(range(at, 12, 3)), of=12) for at in range(3)]
    for share in (EVERYTHING, *thirds, Share(partitions=frozenset(), of=12, until=500)):
        batch = await desk.store.work(POOL, share=share, limit=1_000)
        assert [item.item for item in batch.items] == [
            item for place, item in enumerate(items, start=1) if share.takes(item, place)
        ]
    assert [item.item for item in (await desk.store.work(POOL, limit=250)).items] == items[:250]


async def test_what_frees_memory_runs_when_there_is_none(own_server: Server) -> None:
    async with redis_desk(own_server.url) as desk:
        await _before_the_flood(desk)
        assert own_server.ask("CONFIG SET maxmemory 1") == b"+OK"
        with pytest.raises(StoreUnavailable):
            await desk.admit("c9")
        await _freeing(desk)
        assert own_server.ask("CONFIG SET maxmemory 0") == b"+OK"
        assert (await desk.admit("c9")).result is Result.QUEUED


async def _before_the_flood(desk: Desk) -> None:
    await desk.advisor("ann")
    await desk.assigned("c1", "ann")
    for case in ("c2", "c3"):
        await desk.serve_all()
        await desk.offered(case, "ann")


async def _freeing(desk: Desk) -> None:
    """Everything that must run always, once."""
    closing = {"close|0": desk.now + 1}
    plan = await desk.plan("c1", timers=closing)
    assert (await desk.on(Resolve, "c1", plan=plan)).result is Result.DONE
    offer = (await desk.state("c2")).ver
    assert (await desk.on(Decline, "c2", advisor="ann", offer_ver=offer)).result is Result.QUEUED
    assert (await desk.on(Expire, "c3", offer_ver=(await desk.state("c3")).ver)).result is Result.QUEUED
    assert (await desk.on(Requeue, "c3")).result is Result.QUEUED
    assert (await desk.do(desk.act(PresenceAct, advisor="ann", presence="away"))).result is Result.DONE
    desk.now += 100
    (claim,) = (await desk.do(desk.act(Due))).claims
    close = desk.act(Close, case=CaseId("c1"), claim=(claim.timer, claim.deadline_ms))
    assert (await desk.do(close)).result is Result.DONE
    await desk.serve_all()
    store = desk.store
    await store.open_pool(POOL)
    await store.take_epochs(POOL, ["p0"])
    assert await store.trim(POOL, await store.take(POOL), await desk.number())


async def test_time_is_a_witness_in_production(redis_server: Server) -> None:
    """The server's own clock lets an act pass that is ahead of the pool's."""
    commands, waits = connect(redis_server.url), connect(redis_server.url, purpose=Purpose.BLOCKING)
    store = RedisStore(commands, waits, library=build_library())
    await store.open()
    async with redis_benches(redis_server.url) as make:
        desk = await Desk(replace(await make(), store=store)).open()
        reply = await commands.call("TIME")
        assert isinstance(reply, list)
        server_ms = int(reply[0]) * 1_000
        desk.now = server_ms + 60_000
        assert (await desk.admit("c1")).result is Result.SKEWED
        desk.now = server_ms
        assert (await desk.admit("c1")).result is Result.QUEUED
        assert (await store.status(POOL)).now_ms == server_ms
    await store.close()
    await commands.close()
    await waits.close()
