"""Several routers on one pool: each item is one router's work, and a dead one's items are soon anybody's."""

import asyncio
from collections import Counter

import pytest

from router.contract.advisor import Presence
from router.contract.ids import AdvisorId
from router.store.acts import PresenceAct
from tests.suites.routers import PARTITIONS, Router, routers
from tests.suites.stage import POOL, Stage, stage

THIRDS = [tuple(range(at, PARTITIONS, 3)) for at in range(3)]
ADVISORS = [f"advisor-{number:02}" for number in range(24)]


async def queue(scene: Stage) -> None:
    """Advisors at home, and more cases than they have room for."""
    for name in ADVISORS:
        await scene.hire(name, budget=20, presence=None)
    for number in range(60):
        await scene.write(f"c{number}")
    await scene.settle()


async def crowd(scene: Stage) -> None:
    """All of them have just come online, and nobody has looked yet."""
    await queue(scene)
    come = [PresenceAct(**scene.common(), advisor=AdvisorId(name), presence=Presence.ONLINE) for name in ADVISORS]
    await scene.actor.apply(come)


async def served_together(every: list[Router]) -> None:
    """All look at the same time, until there is nothing for any of them."""
    while None in await asyncio.gather(*(one.matcher.look() for one in every)):
        pass


def lost(every: list[Router]) -> float:
    return sum(one.count("turnout_match_tries_total", outcome="lost") for one in every)


async def all_have_work(scene: Stage) -> None:
    assert [await scene.load(name) for name in ADVISORS] == [20] * len(ADVISORS)
    await scene.caught_up()
    await scene.nobody_waits_in_vain()


def handed(every: list[Router]) -> float:
    return sum(one.count("turnout_match_tries_total", outcome="handed") for one in every)


async def test_each_item_is_looked_at_by_the_one_router_that_owns_its_partition() -> None:
    async with stage() as scene:
        await crowd(scene)
        async with routers(scene, *THIRDS) as every:
            await served_together(every)
            looked_at = Counter(item for one in every for item in one.diary.items)
            assert looked_at == Counter(f"a|{name}" for name in ADVISORS)
            assert min(len(one.diary.items) for one in every) >= 4
            assert handed(every) == 48
        await all_have_work(scene)


@pytest.mark.parametrize(("partitions", "looks", "in_vain"), [(THIRDS, 1, False), ([range(PARTITIONS)] * 3, 3, True)])
async def test_what_the_shares_save(partitions: list[tuple[int, ...]], looks: int, in_vain: bool) -> None:
    """As people come one by one: routers that all believe that an item is theirs do its work three times."""
    async with stage() as scene:
        await queue(scene)
        async with routers(scene, *partitions) as every:
            for name in ADVISORS:
                await scene.presence(name, Presence.ONLINE)
                await served_together(every)
            assert sum(len(one.diary.items) for one in every) == looks * len(ADVISORS)
            assert (handed(every), lost(every) > 0) == (48, in_vain)
        await all_have_work(scene)


async def test_a_dead_routers_items_are_served_by_the_others_within_about_a_second() -> None:
    async with stage() as scene:
        await crowd(scene)
        async with routers(scene, *THIRDS) as (dead, *alive):
            await served_together(alive)
            left = [item.item for item in (await scene.store.work(POOL)).items]
            assert len(left) >= 4
            await scene.clock.advance_ms(800)
            await served_together(alive)
            assert [item.item for item in (await scene.store.work(POOL)).items] == left
            await scene.clock.advance_ms(300)
            await served_together(alive)
            assert dead.diary.items == []
            assert sum(one.count("turnout_work_items_served_total", share="left") for one in alive) >= len(left)
        await all_have_work(scene)


async def test_a_router_without_partitions_helps_with_what_is_left_only() -> None:
    async with stage() as scene:
        await crowd(scene)
        async with routers(scene, *THIRDS[1:], ()) as every:
            *owners, spare = every
            await served_together(every)
            assert spare.diary.items == []
            await scene.clock.advance_ms(1_000)
            await served_together([spare])
            assert spare.count("turnout_work_items_served_total", share="own") == 0
            assert spare.count("turnout_work_items_served_total", share="left") >= 4
            assert all(one.count("turnout_work_items_served_total", share="left") == 0 for one in owners)
        await all_have_work(scene)


async def test_an_item_that_is_stamped_again_and_again_is_abandoned_all_the_same() -> None:
    async with stage() as scene:
        await crowd(scene)
        async with routers(scene, *THIRDS) as (_, *alive):
            await served_together(alive)
            name = (await scene.store.work(POOL)).items[0].item.removeprefix("a|")
            for _ in range(4):
                await scene.clock.advance_ms(300)
                await scene.presence(name, Presence.AWAY)
                await scene.presence(name, Presence.ONLINE)
                await served_together(alive)
            assert await scene.load(name) == 20


async def test_partitions_that_change_hands_take_their_items_along_at_once() -> None:
    async with stage() as scene:
        await crowd(scene)
        async with routers(scene, *THIRDS) as (dead, *alive):
            await served_together(alive)
            alive[0].partitions |= dead.partitions
            await served_together(alive)
            assert alive[0].count("turnout_work_items_served_total", share="left") == 0
        await all_have_work(scene)
