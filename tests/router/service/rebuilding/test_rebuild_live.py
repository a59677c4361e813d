"""An old copy of the state server is put back under a process that runs: it notices, rebuilds, and goes on."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from router.contract.advisor import Presence
from router.contract.ids import CaseId, PoolId
from router.runtime.bus.memory import MemoryBus
from router.runtime.errors import StoreUnavailable
from router.service.errors import PoolUnsettled
from router.service.rebuilding.keeper import PoolKeeper
from router.service.relaying.notes import last_note
from router.service.relaying.relay import Relay
from router.service.relaying.turn import unless_vouched
from router.store.protocol import RelayLease
from tests.servers import KINDS, Kind, Server, running
from tests.suites.eventually import eventually
from tests.suites.rebuild_stage import ALL_TOPICS, RebuildStage, rebuild_stage_on
from tests.suites.relays import Relaying, events_of
from tests.suites.stage import POOL


@pytest.fixture(params=KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    kind: Kind = request.param
    yield from running(kind)


@pytest.fixture
async def live(server: Server) -> AsyncIterator[RebuildStage]:
    bus = MemoryBus()
    await bus.create_topics(ALL_TOPICS)
    async with rebuild_stage_on(server.url, bus) as made:
        yield made


def kept(live: RebuildStage) -> PoolKeeper:
    """What a process has that looks after the pool."""
    scene = live.scene
    keeper = PoolKeeper(POOL, live.gate(live.rebuilder()), clock=scene.clock)
    scene.actor.when_unsettled(keeper.doubt)

    async def settled() -> None:
        await scene.actor.open(make=False)
        scene.tail.read_anew()

    keeper.when_settled(settled)
    return keeper


def put_back(server: Server, copy: Path) -> None:
    server.kill()
    shutil.rmtree(server.data_dir)
    shutil.copytree(copy, server.data_dir)
    server.start()


async def acts(live: RebuildStage) -> bool:
    """Whether an act goes through; time passes for whoever waits between two tries."""
    with contextlib.suppress(StoreUnavailable):
        await live.scene.presence("mina", Presence.AWAY)
        return True
    await live.scene.clock.advance_ms(500)
    return False


async def test_an_old_copy_is_rebuilt_under_a_process_that_runs(
    live: RebuildStage, server: Server, tmp_path: Path
) -> None:
    scene = live.scene
    await scene.hire("mina", budget=10)
    await live.write("c1")
    await live.relay()
    shutil.copytree(server.data_dir, tmp_path / "copy")
    await scene.accept("c1")
    await live.write("c2")
    await live.relay()
    before = await live.picture()
    keeper = kept(live)
    keeping = asyncio.create_task(keeper.run())
    put_back(server, tmp_path / "copy")
    with pytest.raises(StoreUnavailable):  # the connection is gone
        await scene.presence("mina", Presence.AWAY)
    with pytest.raises(PoolUnsettled):  # the server answers, and refuses
        await scene.presence("mina", Presence.AWAY)
    await eventually(lambda: keeper.problem() is None)
    assert (await live.picture()).differences(before) == {}
    assert (await scene.case("c1")).owner == "mina"
    assert await scene.store.case(POOL, CaseId("c2")) is not None
    assert await eventually(lambda: acts(live))
    assert scene.actor.gen == 2
    keeping.cancel()


async def test_a_relay_alone_touches_nothing_of_an_old_copy_before_it_is_rebuilt(
    live: RebuildStage, server: Server, tmp_path: Path
) -> None:
    scene, store, bus = live.scene, live.scene.store, live.bus
    await scene.hire("mina", budget=10)
    await live.relay()
    await live.write("c1")  # in the copy, but not yet on the bus
    shutil.copytree(server.data_dir, tmp_path / "copy")
    await live.write("c2")
    await live.relay()
    noted, events = await last_note(bus, POOL), await events_of(bus)
    put_back(server, tmp_path / "copy")
    before = await eventually(partial(answer_of, store.lease))
    check = unless_vouched(POOL, live.rebuilds)
    relay = Relay(POOL, store, bus, clock=scene.clock, metrics=scene.metrics, check=check)
    async with Relaying(scene, bus, relay=relay) as relaying:
        await relaying.pass_s(30)
        assert (relay.is_owner(), await store.lease(POOL)) == (False, before)
        assert (await last_note(bus, POOL), await events_of(bus)) == (noted, events)
        assert await live.gate(live.rebuilder()).enter() == 2
        await relaying.until(relay.is_owner)
        await live.go_on()
        await scene.write("c3")
        await relaying.until_all_relayed()
    assert sorted(await events_of(bus)) == sorted([*events, "c3"])


async def answer_of(ask: Callable[[PoolId], Awaitable[RelayLease]]) -> RelayLease | None:
    """None while the connection is gone."""
    with contextlib.suppress(StoreUnavailable):
        return await ask(POOL)
    return None


async def test_a_crash_that_lost_nothing_costs_a_look(live: RebuildStage, server: Server) -> None:
    await live.scene.hire("mina")
    await live.relay()
    keeper = kept(live)
    keeping = asyncio.create_task(keeper.run())
    server.kill()
    server.start()
    await eventually(lambda: acts(live))
    assert live.scene.actor.gen == 1
    keeping.cancel()
