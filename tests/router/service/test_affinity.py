"""A case that comes back: how long it waits for the advisor who knows it, and what becomes of it when he is gone."""

import pytest

from router.api.wording.phrases import Language
from router.api.wording.words import Words
from router.contract.advisor import Presence
from router.contract.case import Pending, read_detail
from router.contract.ids import CaseId
from tests.suites.stage import RULES, Stage, rulebook, stage


async def _know_each_other(scene: Stage, *, affinity_s: int | None = None) -> None:
    """Case c1 was mina's and is resolved; she has other work now, and jun, who is free, is there too."""
    if affinity_s is not None:
        own = f"general: {{policy: standard, affinity_s: {affinity_s},"
        scene.policies.activate(rulebook(RULES.replace("general: {policy: standard,", own)))
    await scene.hire("mina", budget=10)
    await scene.write("c1", talk="t")
    await scene.accept("c1")
    await scene.resolve("c1")
    await scene.settle()
    await scene.write("other")
    await scene.accept("other")
    await scene.hire("jun", budget=10)


async def _comes_back(scene: Stage) -> str:
    await scene.write("again", talk="t")
    await scene.settle()
    return await scene.holder("c1")


@pytest.mark.parametrize(("affinity_s", "hold_s"), [(None, 60), (20, 20), (600, 600)])
async def test_it_waits_for_who_knows_it_and_no_longer(affinity_s: int | None, hold_s: int) -> None:
    async with stage() as scene:
        await _know_each_other(scene, affinity_s=affinity_s)
        assert await _comes_back(scene) == ""
        await scene.pass_s(hold_s - 1)
        assert await scene.holder("c1") == ""
        await scene.pass_s(1)
        assert await scene.holder("c1") == "jun"


async def test_it_goes_to_him_when_he_gets_room_in_time() -> None:
    async with stage() as scene:
        await _know_each_other(scene)
        assert await _comes_back(scene) == ""
        await scene.resolve("other")
        await scene.settle()
        assert await scene.holder("c1") == "mina"


async def test_with_0_it_waits_for_nobody() -> None:
    async with stage() as scene:
        await _know_each_other(scene, affinity_s=0)
        assert await _comes_back(scene) == "jun"
        assert read_detail((await scene.case("c1")).detail).held_for == ""


@pytest.mark.parametrize("presence", [Presence.OFFLINE, Presence.FINISHING])
async def test_who_is_gone_is_not_waited_for(presence: Presence) -> None:
    async with stage() as scene:
        await _know_each_other(scene, affinity_s=600)
        await scene.presence("mina", presence)
        assert await _comes_back(scene) == "jun"


async def test_where_the_queue_says_nothing_even_who_is_gone_is_waited_for() -> None:
    async with stage() as scene:
        await _know_each_other(scene)
        await scene.presence("mina", Presence.OFFLINE)
        assert await _comes_back(scene) == ""
        await scene.pass_s(60)
        assert await scene.holder("c1") == "jun"


async def test_who_is_away_is_waited_for_and_gets_it_when_he_is_back() -> None:
    async with stage() as scene:
        await _know_each_other(scene, affinity_s=60)
        await scene.resolve("other")
        await scene.presence("mina", Presence.AWAY)
        assert await _comes_back(scene) == ""
        await scene.presence("mina", Presence.ONLINE)
        await scene.settle()
        assert await scene.holder("c1") == "mina"


async def test_who_goes_offline_meanwhile_is_waited_for_to_the_end_of_the_hold_and_no_longer() -> None:
    async with stage() as scene:
        await _know_each_other(scene, affinity_s=60)
        assert await _comes_back(scene) == ""
        await scene.presence("mina", Presence.OFFLINE)
        await scene.settle()
        await scene.pass_s(59)
        assert await scene.holder("c1") == ""
        await scene.pass_s(1)
        assert await scene.holder("c1") == "jun"


async def _told(scene: Stage) -> tuple[str, ...]:
    words = Words(Language.ENGLISH, scene.tail.roster, scene.policies.active, scene.clock.now_ms())
    return words.explained(await scene.case("c1")).why_here


async def test_that_it_came_back_to_who_knows_it_is_told() -> None:
    async with stage() as scene:
        await _know_each_other(scene)
        await scene.resolve("other")
        await scene.settle()
        assert await _comes_back(scene) == "mina"
        assert "mina knows it from before, and was asked before anybody else" in await _told(scene)


async def test_by_whose_leave_it_came_back_above_his_capacity_is_told() -> None:
    text = RULES.replace("email: {units: 10,", "email: {units: 10, over_when_back: true,")
    async with stage(rulebook(text)) as scene:
        await scene.hire("mina", budget=10)
        await scene.write("c1", talk="t")
        await scene.accept("c1")
        assert "knows it" not in str(await _told(scene))  # it is her first time
        waits = Pending(on="customer", since_ms=scene.clock.now_ms())
        await scene.casework.pend(CaseId("c1"), scene.request("mina"), pending=waits)
        await scene.settle()
        await scene.write("other")
        await scene.accept("other")
        assert await _comes_back(scene) == "mina"
        assert "it is above the capacity of mina: work of email comes back even so" in await _told(scene)
