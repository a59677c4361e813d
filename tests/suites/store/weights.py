"""What a case that weighs something else from now on promises: whoever has it has that of it."""

from typing import Any

import pytest

from router.contract.advisor import WorkKind
from router.contract.case import CaseStatus
from router.contract.ids import AdvisorId, CaseId
from router.contract.plan import Plan
from router.store.acts import (
    Accept,
    Escalate,
    FollowUp,
    Label,
    Outcome,
    Park,
    Pend,
    PlannedAct,
    Rejudge,
    Replan,
    Resolve,
    Result,
    Snooze,
    Unpark,
)
from tests.suites.store.bench import POOL, Desk

WEIGH: list[tuple[type[PlannedAct], dict[str, Any]]] = [
    (Label, {}),
    (Escalate, {"step": 1}),
    (Rejudge, {}),
    (Replan, {}),
]


async def weigh(desk: Desk, units: int, *, kind: type[PlannedAct] = Label, **members: Any) -> Outcome:
    plan = await desk.plan("c1", units=units)
    return await desk.on(kind, "c1", plan=plan, **({"step": 1} if kind is Escalate else {}), **members)


class WeightSuite:
    """``c1`` weighs 30."""

    @pytest.mark.parametrize("kind", [kind for kind, _ in WEIGH])
    async def test_its_owner_has_what_it_weighs_now(self, desk: Desk, kind: type[PlannedAct]) -> None:
        await desk.advisor("ann")
        await desk.assigned("c1", "ann")
        outcome = await weigh(desk, 50, kind=kind)
        assert outcome.result is Result.DONE
        state, person = await desk.state("c1"), await desk.person("ann")
        assert (state.units, state.over, person.load, outcome.advisors) == (50, False, 50, (person,))
        assert (await desk.store.pending(POOL, 0))[-1].case == state

    @pytest.mark.parametrize("units", [0, 30])
    async def test_the_same_again_tells_nobody(self, desk: Desk, units: int) -> None:
        await desk.advisor("ann")
        await desk.assigned("c1", "ann")
        before = await desk.person("ann")
        assert (await weigh(desk, units)).advisors == ()
        assert (await desk.person("ann"), (await desk.state("c1")).units) == (before, 30)

    async def test_above_his_capacity_he_keeps_it_and_it_says_so(self, desk: Desk) -> None:
        await desk.advisor("ann", budget=40)
        await desk.assigned("c1", "ann")
        await desk.serve_all()
        await weigh(desk, 50)
        assert ((await desk.state("c1")).over, (await desk.person("ann")).load) == (True, 50)
        assert await desk.work() == {}
        await weigh(desk, 45)
        assert (await desk.state("c1")).over is True
        await weigh(desk, 40)
        assert (await desk.state("c1")).over is False

    async def test_what_is_lighter_leaves_room_and_calls_the_matcher(self, desk: Desk) -> None:
        await desk.advisor("ann", budget=40)
        await desk.assigned("c1", "ann")
        await desk.serve_all()
        idle = (await desk.person("ann")).idle_since_ms
        await desk.pass_ms(5)
        await weigh(desk, 10)
        assert set(await desk.work()) == {"a|ann"}
        assert (await desk.person("ann")).idle_since_ms == idle
        await desk.serve_all()
        await desk.assigned("c2", "ann")

    async def test_who_was_above_already_makes_nothing_that_is_lighter_over(self, desk: Desk) -> None:
        await desk.advisor("ann", budget=40)
        await desk.assigned("c1", "ann")
        await desk.admit("c2", await desk.hand("ann", over=True))
        await weigh(desk, 20)
        assert ((await desk.state("c1")).over, (await desk.state("c2")).over) == (False, True)

    async def test_those_whom_it_rings_hold_room_for_it(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.advisor("bob", budget=40)
        await desk.offered("c1", "ann", "bob")
        await weigh(desk, 50)
        state = await desk.state("c1")
        assert (state.state, state.over, len(state.offers)) == (CaseStatus.OFFERED, True, 2)
        loads = [(await desk.person(name)).load for name in ("ann", "bob")]
        assert loads == [50, 50]
        accept = desk.act(Accept, case=CaseId("c1"), advisor=AdvisorId("ann"), offer_ver=state.offers[0].ver)
        assert (await desk.do(accept)).result is Result.ASSIGNED
        assert [(await desk.person(name)).load for name in ("ann", "bob")] == [50, 0]

    async def test_parked_it_takes_nothing_and_comes_back_with_what_it_weighs(self, desk: Desk) -> None:
        await desk.advisor("ann", budget=40)
        await desk.assigned("c1", "ann")
        await desk.on(Park, "c1")
        await desk.serve_all()
        await weigh(desk, 50)
        person = await desk.person("ann")
        assert (person.load, person.work["c1"].units, person.work["c1"].kind) == (0, 50, WorkKind.PARKED)
        assert ((await desk.state("c1")).over, await desk.work()) == (False, {})
        assert (await desk.on(Unpark, "c1")).result is Result.NO_ROOM
        await weigh(desk, 40)
        assert (await desk.on(Unpark, "c1")).result is Result.RETURNED
        assert (await desk.person("ann")).load == 40

    @pytest.mark.parametrize("kind", [Pend, FollowUp])
    async def test_pending_it_comes_back_with_what_it_weighs(self, desk: Desk, kind: type[PlannedAct]) -> None:
        await desk.advisor("ann")
        await desk.assigned("c1", "ann")
        await desk.on(kind, "c1", advisor=AdvisorId("ann"))
        await weigh(desk, 60)
        assert (await desk.person("ann")).load == 0
        await desk.on(Unpark, "c1")
        assert (await desk.person("ann")).load == 60

    async def test_a_waiting_case_changes_its_line(self, desk: Desk) -> None:
        await desk.admit("c1")
        await desk.serve_all()
        plan = await desk.plan("c1", units=50, class_key="heavy", score=2)
        assert (await desk.on(Label, "c1", plan=plan)).result is Result.DONE
        assert (await desk.waiting(), await desk.waiting("heavy")) == ((), ("c1",))
        assert set(await desk.work()) == {"k|heavy"}
        assert (await desk.state("c1")).units == 50

    async def test_who_was_asked_in_lends_what_he_lent(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.advisor("bob")
        await desk.assigned("c1", "ann")
        await desk.asked_in("c1", "ann", "bob")
        await weigh(desk, 50)
        assert ((await desk.person("ann")).load, (await desk.person("bob")).load) == (50, 10)

    async def test_who_is_asked_in_by_a_step_has_room_for_what_it_weighs_then(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.advisor("bob", budget=40)
        await desk.advisor("cho", budget=60)
        await desk.assigned("c1", "ann")
        await weigh(desk, 50, kind=Escalate, placing=await desk.hand("bob", "cho"))
        assert (await desk.state("c1")).consults == {"cho": 50}
        assert ((await desk.person("bob")).load, (await desk.person("cho")).load) == (0, 50)

    async def test_what_is_wrapped_up_takes_what_it_took(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.assigned("c1", "ann")
        await desk.on(Resolve, "c1", wrap_up_ms=desk.now + 10_000)
        await weigh(desk, 50)
        assert ((await desk.person("ann")).load, (await desk.state("c1")).units) == (30, 50)

    async def test_reopened_it_is_handed_out_with_what_it_weighs_then(self, desk: Desk) -> None:
        await desk.advisor("ann", budget=40)
        await desk.assigned("c1", "ann")
        await desk.on(Resolve, "c1")
        again = {"conversation": "talk-c1", "inquiry": "again", "case": CaseId("again")}
        plan = Plan(ver=2, class_key="heavy", score=5, units=50)
        outcome = await desk.admit("c1", await desk.hand("ann"), **again, plan=plan)
        assert (outcome.result, (await desk.person("ann")).load) == (Result.QUEUED, 0)
        assert (await desk.state("c1")).units == 50

    async def test_other_acts_leave_it(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.assigned("c1", "ann")
        await desk.on(Snooze, "c1", plan=await desk.plan("c1", units=50))
        assert ((await desk.state("c1")).units, (await desk.person("ann")).load) == (30, 30)
