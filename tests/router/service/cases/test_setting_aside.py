"""Parking by hand: it takes no room, and doesn't come back before its time unless somebody takes it up."""

from router.contract.advisor import Presence
from router.contract.case import CaseStatus, Pending, read_detail
from router.contract.ids import CaseId
from router.store.acts import Outcome, Result
from tests.suites.stage import RULES, Stage, rulebook, stage

RULED = RULES.replace("chat: {units: 30}", "chat: {units: 30, interrupts: true}")
M1 = CaseId("m1")


async def _parks(scene: Stage, *, for_s: int = 600) -> Outcome:
    outcome = await scene.casework.aside.park(M1, scene.request("mina"), for_s=for_s)
    await scene.settle()
    return outcome


async def _takes_up(scene: Stage, *, over: bool = False, advisor: str = "mina") -> Outcome:
    outcome = await scene.casework.aside.unpark(M1, scene.request(advisor), may_exceed=lambda _: over)
    await scene.settle()
    return outcome


async def _has_mail(scene: Stage, *cases: str, budget: int = 10) -> None:
    await scene.hire("mina", budget=budget)
    for case in cases:
        await scene.write(case)
        await scene.accept(case)


async def test_it_waits_for_its_time_and_then_for_room() -> None:
    async with stage(rulebook(RULED)) as scene:
        await _has_mail(scene, "m1")
        assert (await _parks(scene)).result is Result.DONE
        await scene.write("m2")
        await scene.accept("m2")
        await scene.pass_s(599)
        await scene.resolve("m2")
        await scene.settle()
        assert ((await scene.case("m1")).state, await scene.load("mina")) == (CaseStatus.PARKED, 0)
        await scene.nobody_waits_in_vain()
        await scene.write("m3")
        await scene.accept("m3")
        await scene.pass_s(2)
        assert (await scene.case("m1")).state is CaseStatus.PARKED
        await scene.resolve("m3")
        await scene.settle()
        assert ((await scene.case("m1")).state, await scene.load("mina")) == (CaseStatus.ASSIGNED, 10)
        await scene.nobody_waits_in_vain()


async def test_it_is_taken_up_by_hand_where_there_is_room() -> None:
    async with stage(rulebook(RULED)) as scene:
        await _has_mail(scene, "m1")
        await _parks(scene)
        assert (await _takes_up(scene)).result is Result.RETURNED
        await _parks(scene)
        await scene.write("m2")
        await scene.accept("m2")
        assert (await _takes_up(scene)).result is Result.NO_ROOM
        assert (await _takes_up(scene, over=True)).result is Result.RETURNED
        assert ((await scene.case("m1")).over, await scene.load("mina")) == (True, 20)
        assert scene.registry.get_sample_value("turnout_assigned_over_capacity_total") == 1
        await scene.pass_s(700)
        assert (await scene.case("m1")).state is CaseStatus.ASSIGNED


async def test_it_is_hers() -> None:
    async with stage(rulebook(RULED)) as scene:
        await _has_mail(scene, "m1")
        await scene.hire("jun", presence=Presence.AWAY)
        outcome = await scene.casework.aside.park(M1, scene.request("jun"), for_s=60)
        assert outcome.result is Result.NOT_YOURS
        await _parks(scene)
        assert (await _takes_up(scene, advisor="jun")).result is Result.NOT_YOURS
        assert (await _takes_up(scene, advisor="")).result is Result.RETURNED


async def test_what_made_room_for_a_chat_stays_aside_after_it() -> None:
    async with stage(rulebook(RULED)) as scene:
        await _has_mail(scene, "m1", budget=30)
        await scene.write("chat", channel="chat")
        await scene.settle()
        assert (await _parks(scene)).result is Result.DONE
        await scene.accept("chat")
        await scene.resolve("chat")
        await scene.settle()
        assert (await scene.case("m1")).state is CaseStatus.PARKED
        await scene.pass_s(601)
        assert (await scene.case("m1")).state is CaseStatus.ASSIGNED


async def test_what_waits_for_somebody_else_may_be_taken_up_too() -> None:
    async with stage(rulebook(RULED)) as scene:
        await _has_mail(scene, "m1")
        now = scene.clock.now_ms()
        pending = Pending(on="customer", since_ms=now, until_ms=now + 3_600_000)
        await scene.casework.pend(M1, scene.request("mina"), pending=pending)
        await scene.settle()
        assert (await _takes_up(scene)).result is Result.RETURNED
        state = await scene.case("m1")
        assert (state.state, read_detail(state.detail).pending) == (CaseStatus.ASSIGNED, None)
        assert "follow_up|0" not in state.timers
        assert read_detail(state.detail).clocks["resolution"].running_since_ms is not None


async def test_what_is_over_is_nobodys_to_park_or_take_up() -> None:
    async with stage(rulebook(RULED)) as scene:
        await _has_mail(scene, "m1")
        await scene.resolve("m1")
        outcomes = [await _takes_up(scene, advisor=""), await _parks(scene)]
        assert [outcome.result for outcome in outcomes] == [Result.GONE, Result.NOT_YOURS]


async def test_a_timer_of_what_is_gone_fires_once() -> None:
    async with stage(rulebook(RULED)) as scene:
        await _has_mail(scene, "m1")
        await _parks(scene)
        await scene.resolve("m1")
        await scene.pass_s(700)
        assert scene.registry.get_sample_value("turnout_timers_fired_total", {"kind": "park"}) in (None, 0)
