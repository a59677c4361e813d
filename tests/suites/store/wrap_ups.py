"""What a wrap-up promises: the units of a case stay taken for a while after it is resolved."""

import pytest

from router.contract.advisor import AdvisorState, Presence, WorkKind
from router.contract.ids import AdvisorId, CaseId
from router.store.acts import Close, Consult, Due, Outcome, Pend, PresenceAct, Resolve, Result, Transfer, WrapUp
from tests.suites.store.bench import Desk

ANN = AdvisorId("ann")
TIMER = "wrap_up|c1"


async def wrap_up(desk: Desk, *, until_ms: int = 0, claim: tuple[str, int] | None = None, op: str = "") -> Outcome:
    return await desk.do(desk.act(WrapUp, advisor=ANN, case=CaseId("c1"), until_ms=until_ms, claim=claim, op=op))


class WrapUpSuite:
    """Ann has resolved ``c1``, which took 30 of her 100 units, and wraps it up for ten seconds."""

    @pytest.fixture
    async def wrapping(self, desk: Desk) -> Desk:
        await desk.advisor("ann")
        await desk.assigned("c1", "ann")
        await desk.serve_all()
        outcome = await desk.on(Resolve, "c1", advisor=ANN, wrap_up_ms=desk.now + 10_000)
        assert outcome.result is Result.DONE
        return desk

    async def test_her_units_stay_taken_and_nobody_is_called(self, wrapping: Desk) -> None:
        person = await wrapping.person("ann")
        assert (person.load, person.work["c1"].kind, person.work["c1"].units) == (30, WorkKind.WRAP_UP, 30)
        assert person.timers == {TIMER: wrapping.now + 10_000}
        assert await wrapping.work() == {}
        assert (await wrapping.state("c1")).owner == ""

    async def test_the_timer_frees_them_and_calls_the_matcher(self, wrapping: Desk) -> None:
        await wrapping.pass_ms(10_000)
        (claim,) = (await wrapping.do(wrapping.act(Due))).claims
        assert (claim.subject, claim.id, claim.timer) == ("a", "ann", TIMER)
        assert (await wrap_up(wrapping, claim=(claim.timer, claim.deadline_ms))).result is Result.DONE
        person = await wrapping.person("ann")
        assert (person.work, person.timers, person.idle_since_ms) == ({}, {}, wrapping.now)
        assert set(await wrapping.work()) == {"a|ann"}

    async def test_she_may_end_it_early(self, wrapping: Desk) -> None:
        outcome = await wrap_up(wrapping, op="early")
        assert (outcome.result, outcome.number) == (Result.DONE, 0)
        assert outcome.advisors == (await wrapping.person("ann"),)
        assert (await wrapping.person("ann")).load == 0
        assert (await wrap_up(wrapping, op="early")).repeated

    async def test_she_may_ask_for_more(self, wrapping: Desk) -> None:
        before = (await wrapping.person("ann")).timers[TIMER]
        assert (await wrap_up(wrapping, until_ms=wrapping.now + 60_000)).result is Result.DONE
        assert (await wrapping.person("ann")).timers == {TIMER: wrapping.now + 60_000}
        assert (await wrap_up(wrapping, claim=(TIMER, before))).result is Result.GONE
        assert (await wrapping.person("ann")).load == 30

    async def test_what_is_over_is_gone(self, wrapping: Desk) -> None:
        await wrap_up(wrapping)
        assert (await wrap_up(wrapping)).result is Result.GONE
        assert (await wrap_up(wrapping, until_ms=wrapping.now + 1)).result is Result.GONE
        assert (await wrapping.person("ann")).timers == {}

    async def test_nobody_of_that_name_is_absent(self, wrapping: Desk) -> None:
        act = wrapping.act(WrapUp, advisor=AdvisorId("bob"), case=CaseId("c1"))
        assert (await wrapping.do(act)).result is Result.ABSENT

    async def test_it_holds_off_what_has_no_room_beside_it(self, wrapping: Desk) -> None:
        outcome = await wrapping.admit("c2", await wrapping.hand("ann"), units=80)
        assert outcome.result is Result.QUEUED
        assert outcome.advisors == (await wrapping.person("ann"),)

    async def test_the_case_itself_takes_its_place_when_it_comes_back(self, wrapping: Desk) -> None:
        plan = await wrapping.plan("c1")
        back = await wrapping.admit("c1", await wrapping.hand("ann"), inquiry="i2", plan=plan, units=30)
        assert back.result is Result.ASSIGNED
        person = await wrapping.person("ann")
        assert (person.work["c1"].kind, person.load, person.timers) == (WorkKind.CASE, 30, {})

    async def test_it_outlasts_the_case_and_another_owner(self, wrapping: Desk) -> None:
        await wrapping.advisor("bob")
        plan = await wrapping.plan("c1")
        await wrapping.admit("c1", await wrapping.hand("bob"), inquiry="i2", plan=plan)
        closing = await wrapping.plan("c1", timers={"close|0": wrapping.now + 5})
        await wrapping.on(Resolve, "c1", plan=closing, advisor=AdvisorId("bob"))
        await wrapping.do(wrapping.act(Close, case=CaseId("c1"), claim=("close|0", wrapping.now + 5)))
        assert await wrapping.case("c1") is None
        assert ((await wrapping.person("ann")).load, (await wrapping.person("bob")).load) == (30, 0)
        assert (await wrap_up(wrapping)).result is Result.DONE

    async def test_going_offline_ends_it_no_earlier(self, wrapping: Desk) -> None:
        await wrapping.do(wrapping.act(PresenceAct, advisor=ANN, presence=Presence.OFFLINE))
        assert (await wrapping.person("ann")).load == 30

    async def test_who_hands_it_on_wraps_up_too(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.advisor("bob")
        await desk.assigned("c1", "ann")
        await desk.on(Transfer, "c1", advisor=ANN, placing=await desk.hand("bob"), wrap_up_ms=desk.now + 10_000)
        people = [await desk.person(name) for name in ("ann", "bob")]
        assert [person.work["c1"].kind for person in people] == [WorkKind.WRAP_UP, WorkKind.CASE]
        await desk.on(Transfer, "c1", placing=await desk.hand("ann"))
        assert (await desk.person("ann")).work["c1"].kind is WorkKind.CASE
        assert (await desk.person("ann")).timers == {}

    @pytest.mark.parametrize(("units", "called"), [(5, True), (30, False)])
    async def test_who_wraps_it_up_and_is_asked_in_for_less_has_room_again(
        self, desk: Desk, units: int, called: bool
    ) -> None:
        await desk.advisor("ann")
        await desk.advisor("bob")
        await desk.assigned("c1", "ann")
        await desk.on(Transfer, "c1", advisor=ANN, placing=await desk.hand("bob"), wrap_up_ms=desk.now + 10_000)
        await desk.serve_all()
        placing = await desk.hand("ann")
        assert (await desk.on(Consult, "c1", advisor="bob", units=units, placing=placing)).result is Result.DONE
        assert ((await desk.person("ann")).load, "a|ann" in await desk.work()) == (units, called)

    @pytest.mark.parametrize("how", ["waits", "rests"])
    async def test_what_takes_no_capacity_is_not_wrapped_up(self, desk: Desk, how: str) -> None:
        person = await desk.advisor("ann")
        await self._put(desk, how)
        outcome = await desk.on(Resolve, "c1", wrap_up_ms=desk.now + 10_000)
        assert outcome.result is Result.DONE
        assert await _of(desk) == (person.work, person.timers)

    async def _put(self, desk: Desk, how: str) -> None:
        if how == "waits":
            await desk.admit("c1")
        else:
            await desk.assigned("c1", "ann")
            await desk.on(Pend, "c1", advisor=ANN)


async def _of(desk: Desk) -> tuple[object, object]:
    person: AdvisorState = await desk.person("ann")
    return person.work, person.timers
