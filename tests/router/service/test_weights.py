"""What a case weighs by its labels, work that comes back above the limit, and several who are rung at once."""

import pytest

from router.contract.advisor import Presence
from router.contract.case import CaseStatus, Pending
from router.contract.ids import CaseId
from router.store.acts import Result
from tests.suites.stage import RULES, Stage, rulebook, stage

WEIGHED = (
    RULES.replace("policies:", "labels: {urgent: {units: 25}, brief: {units: 5}}\npolicies:", 1).replace(
        "set: {priority: 1}", "set: {priority: 1, labels: [urgent]}"
    )
    + "  - {name: brief, match: {text: {contains: brief}}, set: {labels: [brief]}}\n"
)


@pytest.mark.parametrize(
    ("text", "labels", "units"),
    [("hello", (), 10), ("hello", ("urgent",), 25), ("a brief one", (), 5), ("a brief one", ("urgent",), 25)],
)
async def test_the_heaviest_label_counts_and_else_the_channel(text: str, labels: tuple[str, ...], units: int) -> None:
    async with stage(rulebook(WEIGHED)) as scene:
        await scene.hire("mina", budget=100)
        await scene.write("c1", text, labels=labels)
        assert ((await scene.case("c1")).units, await scene.load("mina")) == (units, units)


LABELLED = WEIGHED.replace("at: breach, raise_priority: 1", "at: breach, labels: [urgent]")


async def _labels(scene: Stage, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()) -> None:
    outcome = await scene.casework.label(CaseId("c1"), scene.request(), add=add, remove=remove)
    assert outcome.result is Result.DONE
    await scene.settle()


async def test_a_label_that_is_put_on_later_weighs_too() -> None:
    async with stage(rulebook(WEIGHED)) as scene:
        await scene.hire("mina", budget=30)
        await scene.write("c1")
        await scene.accept("c1")
        await _labels(scene, add=("urgent", "unheard-of"))
        assert ((await scene.case("c1")).units, await scene.load("mina")) == (25, 25)
        await scene.write("c2")
        assert await scene.holder("c2") == ""
        await _labels(scene, remove=("urgent",))
        assert (await scene.load("mina"), await scene.holder("c2")) == (20, "mina")


async def test_above_the_limit_it_stays_is_marked_and_counted_once() -> None:
    async with stage(rulebook(WEIGHED)) as scene:
        await scene.hire("mina", budget=20)
        await scene.write("c1")
        await scene.accept("c1")
        for _ in range(2):
            await _labels(scene, add=("urgent",))
        state = await scene.case("c1")
        assert (state.owner, state.over, await scene.load("mina")) == ("mina", True, 25)
        assert scene.registry.get_sample_value("turnout_assigned_over_capacity_total") == 1


async def test_a_waiting_case_finds_who_has_room_for_what_it_weighs_now() -> None:
    async with stage(rulebook(WEIGHED)) as scene:
        await scene.write("c1", labels=("urgent",))
        await scene.hire("mina", budget=10)
        assert await scene.holder("c1") == ""
        await _labels(scene, remove=("urgent",))
        assert await scene.holder("c1") == "mina"


async def test_a_step_of_a_ladder_that_labels_weighs_too() -> None:
    async with stage(rulebook(LABELLED)) as scene:
        await scene.write("c1")
        await scene.pass_s(3_600)
        assert (await scene.case("c1")).units == 25
        await scene.hire("mina", budget=20)
        await scene.hire("jun", budget=25)
        assert await scene.holder("c1") == "jun"


async def test_a_message_that_reopens_it_weighs_by_the_labels_of_the_rules() -> None:
    async with stage(rulebook(WEIGHED)) as scene:
        await scene.hire("mina", budget=100)
        await scene.write("c1", talk="t")
        await scene.accept("c1")
        await scene.resolve("c1")
        await scene.settle()
        await scene.write("more", talk="t", labels=("urgent",))
        assert ((await scene.case("c1")).units, await scene.load("mina")) == (25, 25)


def _over(value: str) -> str:
    return RULES.replace("email: {units: 10,", f"email: {{units: 10, over_when_back: {value},")


async def _pends(scene: Stage, *, until_s: int = 0) -> None:
    """Mina waits for the customer of c1, and has other work meanwhile."""
    await scene.hire("mina", budget=10)
    await scene.write("c1", talk="t")
    await scene.accept("c1")
    now = scene.clock.now_ms()
    pending = Pending(on="customer", since_ms=now, until_ms=now + until_s * 1000 if until_s else None)
    await scene.casework.pend(CaseId("c1"), scene.request("mina"), pending=pending)
    await scene.settle()
    await scene.write("c2")
    await scene.accept("c2")


@pytest.mark.parametrize(("value", "load"), [("true", 20), ("false", 10)])
async def test_work_that_comes_back_is_his_above_the_limit_if_the_channel_says_so(value: str, load: int) -> None:
    async with stage(rulebook(_over(value))) as scene:
        await _pends(scene)
        back = await scene.write("answer", talk="t")
        is_his = value == "true"
        assert (back.result is Result.RETURNED, await scene.load("mina")) == (is_his, load)
        assert (await scene.case("c1")).over is is_his
        assert scene.registry.get_sample_value("turnout_assigned_over_capacity_total") == is_his


async def test_a_follow_up_comes_back_above_the_limit_too() -> None:
    async with stage(rulebook(_over("true"))) as scene:
        await _pends(scene, until_s=60)
        await scene.pass_s(60)
        state = await scene.case("c1")
        assert (state.state, state.owner, state.over) == (CaseStatus.ASSIGNED, "mina", True)


RUNG = RULES.replace("general: {policy: standard,", "general: {policy: standard, ring: 2,")


async def _rings_at(scene: Stage, case: str) -> set[str]:
    return {str(offer.advisor) for offer in (await scene.case(case)).offers}


@pytest.mark.parametrize("is_waiting", [False, True])
async def test_two_are_rung_and_the_first_has_it(is_waiting: bool) -> None:
    async with stage(rulebook(RUNG)) as scene:
        for name in ("mina", "jun", "hana"):
            await scene.hire(name, presence=Presence.AWAY if is_waiting else Presence.ONLINE)
        await scene.write("c1")
        if is_waiting:
            for name in ("mina", "jun", "hana"):
                await scene.presence(name, Presence.ONLINE)
            await scene.settle()
        rung = await _rings_at(scene, "c1")
        assert len(rung) == 2
        taker = (await scene.accept("c1")).taken
        assert taker in rung
        assert {name for name in rung if await scene.load(name)} == {taker}


async def test_it_rings_at_one_where_only_one_is_there() -> None:
    async with stage(rulebook(RUNG)) as scene:
        await scene.hire("mina")
        await scene.write("c1")
        assert await _rings_at(scene, "c1") == {"mina"}


async def test_who_declines_leaves_it_ringing_at_the_other() -> None:
    async with stage(rulebook(RUNG)) as scene:
        await scene.hire("mina")
        await scene.hire("jun")
        await scene.write("c1")
        assert (await scene.decline("c1")).result is Result.OFFERED
        assert len(await _rings_at(scene, "c1")) == 1
        await scene.settle()
        await scene.nobody_waits_in_vain()
