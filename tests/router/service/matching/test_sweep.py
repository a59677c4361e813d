"""The sweep finds who waits beside a free advisor, but not in a store that may have lost something."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from router.contract.advisor import Presence
from router.contract.ids import AdvisorId
from tests.suites.metrics import shown
from tests.suites.stage import SWEEP_S, Stage, stage


def _show(scene: Stage, presence: Presence, *, ver: int) -> None:
    member = scene.tail.roster.get(AdvisorId("mina"))
    assert member is not None
    scene.tail.roster.apply(replace(member.state, ver=ver, presence=presence))


@pytest.fixture
async def scene() -> AsyncIterator[Stage]:
    """A case waits, its work is done, and the roster shows an advisor who could take it."""
    async with stage() as made:
        await made.hire("mina", presence=None)
        await made.write("c1")
        await made.settle()
        _show(made, Presence.ONLINE, ver=98)
        sweeping = asyncio.create_task(made.sweep.run())
        yield made
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)


def _count(scene: Stage) -> float:
    return sum(shown(scene.registry, "turnout_sweep_found_total").values())


async def found(scene: Stage, *, between_looks: int | None = None, first_life: int = 1) -> float:
    """How many it finds in one round; the store's life before it and between the two looks."""
    scene.store.rebuilds.life = first_life
    await scene.clock.asleep()
    await scene.clock.advance_ms(SWEEP_S * 1000)
    if between_looks is not None:
        scene.store.rebuilds.life = between_looks
    await scene.clock.advance_ms(1_000)
    return _count(scene)


async def test_a_case_that_waits_beside_a_free_advisor_is_found_once_a_round(scene: Stage) -> None:
    assert await found(scene) == 1
    assert await found(scene) == 2


async def test_who_is_gone_by_the_second_look_was_none(scene: Stage) -> None:
    await scene.clock.asleep()
    await scene.clock.advance_ms(SWEEP_S * 1000)
    _show(scene, Presence.AWAY, ver=99)
    await scene.clock.advance_ms(1_000)
    assert _count(scene) == 0


@pytest.mark.parametrize(("first_life", "between_looks"), [(2, None), (1, 2), (2, 1)])
async def test_nothing_is_found_in_a_store_that_nobody_has_vouched_for(
    scene: Stage, first_life: int, between_looks: int | None
) -> None:
    assert await found(scene, first_life=first_life, between_looks=between_looks) == 0
