"""The gate: a store that may have lost something is compared with the bus, vouched for or made anew."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest

from router.contract.advisor import Presence
from router.contract.ids import CaseId
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.protocol import Outgoing, Position
from router.runtime.errors import BusUnavailable
from router.service.errors import PoolUnsettled
from router.service.progress import Progress
from router.service.rebuilding.keeper import PoolKeeper
from router.service.rebuilding.rebuild import LEASE_MS
from router.service.relaying.notes import last_note
from router.store.rebuilds import first_number
from tests.suites.eventually import eventually
from tests.suites.rebuild_stage import ALL_TOPICS, RebuildStage, rebuild_stage
from tests.suites.stage import POOL


class LameBus(MemoryBus):
    """Takes nothing while it is ``lame``."""

    lame = False

    async def publish(self, records: Sequence[Outgoing]) -> Sequence[Position]:
        if self.lame:
            raise BusUnavailable("no answer")
        return await super().publish(records)


@pytest.fixture
async def lossy() -> AsyncIterator[RebuildStage]:
    bus = LameBus()
    await bus.create_topics(ALL_TOPICS)
    async with rebuild_stage(bus) as made:
        yield made


def restart(lossy: RebuildStage) -> None:
    """The server begins another life, with all that it holds."""
    lossy.rebuilds.life += 1  # type: ignore[attr-defined]  # a store in memory


async def stands(lossy: RebuildStage) -> bool:
    return (await lossy.rebuilds.inspect(POOL)).verified


async def gen_of_pool(lossy: RebuildStage) -> int:
    return (await lossy.rebuilds.inspect(POOL)).gen


async def some_cases(lossy: RebuildStage) -> None:
    await lossy.scene.hire("mina")
    await lossy.write("c1")
    await lossy.write("c2")


async def test_an_installation_that_is_new_is_made(lossy: RebuildStage) -> None:
    await lossy.lose()
    assert await lossy.gate(None).enter() == 1
    assert await stands(lossy)


async def test_a_store_with_all_that_the_bus_has_is_vouched_for(lossy: RebuildStage) -> None:
    await some_cases(lossy)
    await lossy.relay()
    restart(lossy)
    assert not await stands(lossy)
    assert await lossy.gate(None).enter() == 1
    assert await stands(lossy)


async def test_a_store_ahead_of_the_bus_is_vouched_for(lossy: RebuildStage) -> None:
    await some_cases(lossy)
    restart(lossy)
    assert await lossy.gate(None).enter() == 1


async def test_a_store_that_lost_what_came_after_the_note_is_rebuilt(lossy: RebuildStage) -> None:
    await lossy.scene.hire("mina")
    await lossy.write("c1")
    await lossy.relay()
    copy = lossy.scene.store._pools[POOL].__dict__.copy()
    number = copy["number"]
    await lossy.write("c2")
    await lossy.relay(note=False)
    note = await last_note(lossy.bus, POOL)
    assert note is not None
    assert note.number == number
    lossy.scene.store._pools[POOL].number = number
    restart(lossy)
    assert await lossy.gate(lossy.rebuilder()).enter() == 2
    assert (await lossy.scene.case("c2")).gen == 2


async def test_an_emptied_store_is_rebuilt(lossy: RebuildStage) -> None:
    await some_cases(lossy)
    await lossy.relay()
    before = await lossy.picture()
    await lossy.lose()
    assert await lossy.gate(lossy.rebuilder()).enter() == 2
    assert (await lossy.picture()).differences(before) == {}


async def test_who_may_not_rebuild_waits_for_who_may(lossy: RebuildStage) -> None:
    await some_cases(lossy)
    await lossy.relay()
    await lossy.lose()
    gate = lossy.gate(None)
    waiting = asyncio.create_task(gate.enter())
    await lossy.scene.clock.asleep()
    assert gate.problem == "the state store is behind the bus and waits for a router to rebuild it"
    assert await lossy.gate(lossy.rebuilder()).enter() == 2
    await lossy.scene.clock.advance_ms(500)
    assert await waiting == 2
    assert gate.problem is None


async def test_while_one_rebuilds_the_others_tell_how_far_it_is(lossy: RebuildStage) -> None:
    await some_cases(lossy)
    await lossy.relay()
    await lossy.lose()
    assert await lossy.rebuilds.begin_rebuild(POOL, "another", lease_ms=LEASE_MS)
    gate = lossy.gate(lossy.rebuilder())
    waiting = asyncio.create_task(gate.enter())
    await lossy.scene.clock.asleep()
    assert gate.problem == "rebuilding: 0 of 0"
    await lossy.scene.clock.advance_ms(LEASE_MS)  # it is not heard of any more
    assert await waiting == 2


async def test_a_rebuild_that_fails_begins_again(lossy: RebuildStage) -> None:
    await some_cases(lossy)
    await lossy.relay()
    before = await lossy.picture()
    await lossy.lose()
    assert isinstance(lossy.bus, LameBus)
    lossy.bus.lame = True
    gate = lossy.gate(lossy.rebuilder())
    entering = asyncio.create_task(gate.enter())
    await eventually(lambda: "no answer" in (gate.problem or ""))
    assert not await stands(lossy)
    lossy.bus.lame = False
    await lossy.scene.clock.advance_ms(500)
    assert await entering == 3  # the gen that was begun is not given again
    assert (await lossy.picture()).differences(before) == {}


async def test_a_second_loss_before_anything_happened_gives_a_further_gen(lossy: RebuildStage) -> None:
    await some_cases(lossy)
    await lossy.relay()
    await lossy.lose()
    assert await lossy.gate(lossy.rebuilder()).enter() == 2
    await lossy.lose()
    assert await lossy.gate(lossy.rebuilder()).enter() == 3


async def test_the_note_tells_of_the_new_gen_before_anybody_acts_in_it(lossy: RebuildStage) -> None:
    await some_cases(lossy)
    await lossy.relay()
    await lossy.lose()
    await lossy.gate(lossy.rebuilder()).enter()
    note = await last_note(lossy.bus, POOL)
    assert note is not None
    assert (note.gen, note.number) == (2, first_number(2))


async def test_acts_go_on_after_the_keeper_has_settled_a_doubt(lossy: RebuildStage) -> None:
    scene = lossy.scene
    await some_cases(lossy)
    await lossy.relay()
    keeper = PoolKeeper(POOL, lossy.gate(lossy.rebuilder()), clock=scene.clock)
    await keeper.enter()
    scene.actor.when_unsettled(keeper.doubt)

    async def settled() -> None:
        await scene.actor.open(make=False)
        scene.tail.read_anew()

    keeper.when_settled(settled)
    keeping = asyncio.create_task(keeper.run())
    await lossy.lose()
    with pytest.raises(PoolUnsettled):
        await scene.presence("mina", Presence.AWAY)
    assert keeper.problem() is not None
    await eventually(lambda: keeper.problem() is None)
    assert scene.actor.gen == 2
    assert (await lossy.write("c3")).number > first_number(2)
    keeping.cancel()


async def test_who_waits_for_a_number_of_a_lost_gen_is_told(lossy: RebuildStage) -> None:
    await some_cases(lossy)
    progress = Progress(POOL, lossy.scene.store)
    following = asyncio.create_task(progress.run())
    number = (await lossy.scene.store.status(POOL)).number
    waiter = progress.confirmation(number)
    assert waiter is not None
    await lossy.relay(upto=number - 1)
    await lossy.lose()
    await lossy.gate(lossy.rebuilder()).enter()
    with pytest.raises(PoolUnsettled):
        await waiter
    assert not await progress.reached_within(number, 1.0)
    following.cancel()


async def test_what_was_cut_off_in_the_middle_of_a_batch_is_taken_as_far_as_it_came(lossy: RebuildStage) -> None:
    await some_cases(lossy)
    number = (await lossy.scene.store.status(POOL)).number
    await lossy.relay(upto=number - 1)
    await lossy.lose()
    await lossy.gate(lossy.rebuilder()).enter()
    assert await lossy.scene.store.case(POOL, CaseId("c1")) is not None
    assert await lossy.scene.store.case(POOL, CaseId("c2")) is None
