"""What other routers got wrong, by its number in the list of scenarios. No sweep runs; time moves to timers only."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from router.contract.advisor import Presence
from router.contract.case import CaseStatus, Pending
from router.contract.ids import AdvisorId, CaseId
from router.store.acts import AnyAct, Outcome, Result
from router.store.protocol import Store
from tests.suites.stage import inquiry, stage


async def test_scenario_03_a_burst_to_a_fresh_roster_spreads() -> None:
    async with stage() as scene:
        for number in range(10):
            await scene.hire(f"advisor-{number}", budget=100)
        first = [await scene.write(f"c{number}") for number in range(10)]
        assert len({outcome.taken for outcome in first}) == 10


class Together:
    """A store that applies nothing before so many callers wait: as when a burst goes out in one pipeline."""

    def __init__(self, store: Store, callers: int) -> None:
        self._store = store
        self._barrier = asyncio.Barrier(callers)

    async def apply(self, acts: Sequence[AnyAct]) -> Sequence[Outcome]:
        await self._barrier.wait()
        return await self._store.apply(acts)


async def test_scenario_03_a_burst_that_is_decided_at_once_spreads_too() -> None:
    async with stage() as scene:
        for number in range(5):
            await scene.hire(f"advisor-{number}", budget=100)
            await scene.pass_s(1)  # so the first of them is the longest idle
        scene.actor._store = Together(scene.store, 10)  # type: ignore[assignment]
        burst = [scene.intake.admit(inquiry(f"c{number}")) for number in range(10)]
        taken = Counter(outcome.taken for outcome in await asyncio.gather(*burst))
        assert sorted(taken.values()) == [2] * 5


async def test_scenario_04_manual_and_automatic_assignment_race_and_one_wins() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await scene.hire("jun", languages={"ko": 5})
        await scene.write("c1")
        seen = await scene.case("c1")
        given = await scene.casework.assign(CaseId("c1"), scene.request(), to=AdvisorId("jun"))
        late = await scene.casework.accept(
            CaseId("c1"), scene.request("mina"), advisor=AdvisorId("mina"), offer_ver=seen.offers[0].ver
        )
        assert (given.result, late.result) == (Result.ASSIGNED, Result.GONE)
        assert await scene.holder("c1") == "jun"
        assert await scene.load("mina") == 0


async def test_scenario_05_accepting_at_the_moment_of_expiry_has_one_outcome() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await scene.write("c1")
        await scene.pass_s(29.999)
        assert (await scene.accept("c1")).result is Result.ASSIGNED
        await scene.pass_s(60)
        assert await scene.holder("c1") == "mina"


async def test_scenario_05_accepting_twice_from_two_tabs_gives_the_same_answer() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await scene.write("c1")
        offer = (await scene.case("c1")).offers[0]
        tabs = [
            await scene.casework.accept(CaseId("c1"), scene.request("mina"), advisor=offer.advisor, offer_ver=offer.ver)
            for _ in range(2)
        ]
        assert [tab.result for tab in tabs] == [Result.ASSIGNED, Result.SAME]
        assert await scene.load("mina") == 10


async def test_scenario_06_an_offer_nobody_was_told_of_expires_and_is_made_again_once() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await scene.hire("jun")
        first = (await scene.write("c1")).taken
        await scene.pass_s(30)
        second = await scene.holder("c1")
        assert {first, second} == {"mina", "jun"}
        assert await scene.load(first) == 0
        assert await scene.load(second) == 10


async def test_scenario_07_the_freed_place_goes_to_who_waits_not_to_who_comes_later() -> None:
    async with stage() as scene:
        await scene.hire("mina", budget=30)
        for name in ("c1", "c2", "c3", "c4"):
            await scene.write(name)
        for name in ("c1", "c2", "c3"):
            await scene.accept(name)
        await scene.resolve("c1")
        await scene.write("c5")
        await scene.settle()
        assert await scene.holder("c4") == "mina"
        assert await scene.holder("c5") == ""
        await scene.nobody_waits_in_vain()


async def test_scenario_08_an_advisor_who_comes_online_gets_the_backlog_at_once_within_capacity() -> None:
    async with stage() as scene:
        await scene.hire("mina", presence=None)
        for number in range(5):
            await scene.write(f"c{number}")
        await scene.presence("mina", Presence.ONLINE)
        await scene.settle()
        assert [await scene.holder(f"c{number}") for number in range(5)] == ["mina"] * 3 + [""] * 2
        assert await scene.load("mina") == 30
        await scene.nobody_waits_in_vain()


async def test_scenario_09_an_important_case_he_cannot_take_blocks_nobody() -> None:
    async with stage() as scene:
        await scene.hire("mina", presence=None)
        await scene.write("vip", "my invoice", labels=("urgent",))
        await scene.write("plain")
        await scene.presence("mina", Presence.ONLINE)
        await scene.settle()
        assert (await scene.holder("vip"), await scene.holder("plain")) == ("", "mina")


async def test_scenario_10_the_only_advisor_declines_and_gets_it_again_after_the_back_off() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await scene.write("c1")
        await scene.decline("c1")
        await scene.settle()
        assert await scene.holder("c1") == ""
        await scene.pass_s(14.9)
        assert await scene.holder("c1") == ""
        await scene.pass_s(0.2)
        assert await scene.holder("c1") == "mina"
        await scene.nobody_waits_in_vain()


async def test_a_declined_case_goes_to_somebody_else_and_comes_back_after_the_cool_down() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await scene.hire("jun")
        first = (await scene.write("c1")).taken
        await scene.decline("c1")
        await scene.settle()
        second = await scene.holder("c1")
        assert {first, second} == {"mina", "jun"}


async def test_scenario_11_toggling_presence_loses_nothing_and_leaves_nothing_stuck() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await scene.write("c1")
        for _ in range(20):
            await scene.presence("mina", Presence.AWAY)
            await scene.presence("mina", Presence.ONLINE)
        await scene.write("c2")
        await scene.settle()
        assert [await scene.holder(name) for name in ("c1", "c2")] == ["mina", "mina"]
        await scene.nobody_waits_in_vain()


async def test_scenario_12_a_reopened_case_waits_for_its_advisor_and_is_re_routed_after_the_hold() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await scene.hire("jun")
        name = (await scene.write("c1", talk="t")).taken
        await scene.accept("c1")
        await scene.resolve("c1")
        await scene.presence(name, Presence.OFFLINE)
        await scene.write("again", talk="t")
        await scene.settle()
        assert await scene.holder("c1") == ""
        await scene.pass_s(61)
        assert await scene.holder("c1") == ({"mina", "jun"} - {name}).pop()


async def test_a_customer_who_writes_again_reaches_the_same_advisor() -> None:
    async with stage() as scene:
        for name in ("mina", "jun", "hana"):
            await scene.hire(name)
        first = (await scene.write("c1", talk="t")).taken
        await scene.accept("c1")
        await scene.resolve("c1")
        await scene.write("again", talk="t")
        await scene.settle()
        state = await scene.case("c1")
        assert (state.state, [offer.advisor for offer in state.offers]) == (CaseStatus.OFFERED, [first])


async def test_scenario_14_a_lost_connection_is_given_grace_and_then_chats_go_to_others() -> None:
    async with stage() as scene:
        await scene.hire("mina", budget=100)
        await scene.presence("mina", Presence.ONLINE, connect=7, lease_ms=scene.clock.now_ms() + 30_000)
        await scene.write("mail")
        await scene.accept("mail")
        await scene.write("chat", channel="chat")
        await scene.accept("chat")
        await scene.hire("jun", budget=100)
        await scene.pass_s(45)
        assert await scene.holder("chat") == "mina"
        await scene.pass_s(30)
        assert await scene.holder("chat") == "jun"
        assert await scene.holder("mail") == "mina"


async def test_scenario_15_a_case_that_waits_for_the_customer_takes_no_room_and_comes_back_with_him() -> None:
    async with stage() as scene:
        await scene.hire("mina", budget=10)
        await scene.write("c1", talk="t")
        await scene.accept("c1")
        pending = Pending(on="customer", since_ms=scene.clock.now_ms())
        await scene.casework.pend(CaseId("c1"), scene.request("mina"), pending=pending)
        assert await scene.load("mina") == 0
        back = await scene.write("answer", talk="t")
        assert (back.result, await scene.holder("c1")) == (Result.RETURNED, "mina")


async def test_scenario_20_resolving_stops_all_clocks_and_reopening_resumes_what_was_left() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await scene.write("c1", talk="t")
        await scene.accept("c1")
        await scene.pass_s(600)
        await scene.resolve("c1")
        await scene.pass_s(86_400)
        history = await scene.store.history(scene.actor.pool, CaseId("c1"))
        assert not [line for line in history if "|due|" in line]
        await scene.write("again", talk="t")
        left = (await scene.case("c1")).timers["breach.first_response|0"] - scene.clock.now_ms()
        assert left == 3_000_000


async def test_a_clock_warns_breaches_and_takes_one_step_of_the_ladder() -> None:
    async with stage() as scene:
        await scene.write("c1")
        await scene.pass_s(3600)
        history = await scene.store.history(scene.actor.pool, CaseId("c1"))
        fired = [line.split("|")[1:2] + line.split("|")[5:6] for line in history[1:]]
        state = await scene.case("c1")
        assert [act for act, _ in fired] == ["due", "due", "escalate"]
        assert (state.step, scene.policies.active.ladders["standard"].steps[0].raise_priority) == (1, 1)
        assert '"standard"' in state.class_key


async def test_an_advisor_who_misses_three_offers_is_set_to_away() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await scene.write("c1")
        await scene.pass_s(400)
        state = await scene.store.advisor(scene.actor.pool, AdvisorId("mina"))
        assert state is not None
        assert (state.presence, state.reason, state.missed) == (Presence.AWAY, "missed-offers", 3)


async def test_a_resolved_case_closes_for_good_when_its_reopen_window_ends() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await scene.write("c1", talk="t")
        await scene.accept("c1")
        await scene.resolve("c1")
        await scene.pass_s(7 * 86_400 + 1)
        assert await scene.store.case(scene.actor.pool, CaseId("c1")) is None
        assert (await scene.write("c2", talk="t")).result is Result.OFFERED


async def test_a_reopened_case_that_its_advisor_declines_goes_to_others_at_once() -> None:
    async with stage() as scene:
        await scene.hire("mina")
        await scene.hire("jun")
        first = (await scene.write("c1", talk="t")).taken
        await scene.accept("c1")
        await scene.resolve("c1")
        await scene.write("again", talk="t")
        await scene.settle()
        assert await scene.holder("c1") == first
        await scene.decline("c1")
        await scene.settle()
        assert await scene.holder("c1") == ({"mina", "jun"} - {first}).pop()
