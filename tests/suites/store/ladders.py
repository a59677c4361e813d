"""What steps of relaxation promise: they are for a case that nobody has; and steps of a ladder that take a case."""

from collections.abc import Awaitable, Callable

import pytest

from router.contract.advisor import WorkKind
from router.contract.case import CaseStatus
from router.contract.ids import AdvisorId, CaseId
from router.contract.plan import Plan
from router.store.acts import (
    Accept,
    Assign,
    Escalate,
    Label,
    Match,
    Pend,
    Rejudge,
    Requeue,
    Resolve,
    Result,
)
from tests.suites.store.bench import POOL, QUEUE, Desk

SOON_MS = 40_000


async def _assign(desk: Desk) -> None:
    await desk.on(Assign, "c1", advisor="ann")


async def _match(desk: Desk) -> None:
    await desk.on(Match, "c1", class_key=QUEUE, placing=await desk.hand("ann"))


async def _accept(desk: Desk) -> None:
    await desk.on(Match, "c1", class_key=QUEUE, placing=await desk.ring("ann"))
    ver = (await desk.state("c1")).offers[0].ver
    await desk.do(desk.act(Accept, case=CaseId("c1"), advisor=AdvisorId("ann"), offer_ver=ver))


async def _resolve(desk: Desk) -> None:
    await desk.on(Resolve, "c1")


class RelaxSuite:
    """A case that waits changes its class; one that somebody has is left alone."""

    async def test_a_step_re_keys_and_says_so(self, desk: Desk) -> None:
        plan = Plan(ver=0, class_key=QUEUE, score=5, timers={"relax|0": desk.now + SOON_MS})
        await desk.admit("c1", plan=plan)
        plan = await desk.plan("c1", class_key="wider", score=5, timers={"relax|0": desk.now + 2 * SOON_MS})
        claim = ("relax|0", desk.now + SOON_MS)
        outcome = await desk.on(Rejudge, "c1", plan=plan, claim=claim, about="relax 1")
        assert outcome.result is Result.DONE
        state = await desk.state("c1")
        assert (state.class_key, state.score, state.timers) == ("wider", 5, {"relax|0": desk.now + 2 * SOON_MS})
        line = (await desk.store.history(POOL, CaseId("c1")))[-1]
        assert line == f"2|rejudge|done|{desk.now}||relax 1"
        assert (await desk.store.pending(POOL, 0))[-1].about == "relax 1"

    @pytest.mark.parametrize("taken", [_assign, _match, _accept, _resolve])
    async def test_it_ends_when_nobody_looks_for_an_advisor_any_more(
        self, desk: Desk, taken: Callable[[Desk], Awaitable[None]]
    ) -> None:
        await desk.advisor("ann")
        await desk.admit("c1", plan=Plan(ver=0, class_key=QUEUE, timers={"relax|0": desk.now + SOON_MS}))
        await taken(desk)
        assert (await desk.state("c1")).timers == {}
        assert (await desk.store.status(POOL)).next_timer_ms is None

    async def test_it_goes_on_while_it_rings(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.admit("c1", plan=Plan(ver=0, class_key=QUEUE, timers={"relax|0": desk.now + SOON_MS}))
        await desk.on(Match, "c1", class_key=QUEUE, placing=await desk.ring("ann"))
        state = await desk.state("c1")
        assert (state.state, state.timers["relax|0"]) == (CaseStatus.OFFERED, desk.now + SOON_MS)

    async def test_what_is_handed_over_at_once_never_gets_it(self, desk: Desk) -> None:
        await desk.advisor("ann")
        plan = Plan(ver=0, class_key=QUEUE, timers={"relax|0": desk.now + SOON_MS})
        outcome = await desk.do(desk.admission("c1", placing=await desk.hand("ann"), plan=plan))
        assert (outcome.result, (await desk.state("c1")).timers) == (Result.ASSIGNED, {})

    async def test_no_other_act_arms_it_for_an_owned_case(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.assigned("c1", "ann")
        await desk.on(Label, "c1", plan=await desk.plan("c1", timers={"relax|0": desk.now + SOON_MS}))
        assert (await desk.state("c1")).timers == {}

    async def test_it_comes_back_with_the_case(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.assigned("c1", "ann")
        await desk.on(Requeue, "c1", plan=await desk.plan("c1", timers={"relax|0": desk.now + SOON_MS}))
        state = await desk.state("c1")
        assert (state.state, state.timers) == (CaseStatus.QUEUED, {"relax|0": desk.now + SOON_MS})


class ClimbSuite:
    """A step that takes the case from who has it, asks another in, or brings a note."""

    @pytest.mark.parametrize("state", ["queued", "offered", "assigned", "pending"])
    async def test_it_is_taken_and_waits_in_the_plans_class(self, desk: Desk, state: str) -> None:
        await desk.advisor("ann")
        await desk.advisor("bob")
        if state == "queued":
            await desk.admit("c1")
        elif state == "offered":
            await desk.offered("c1", "ann")
        else:
            await desk.assigned("c1", "ann")
            await desk.asked_in("c1", "ann", "bob")
        if state == "pending":
            await desk.on(Pend, "c1", advisor="ann")
        plan = await desk.plan("c1", class_key="seniors", score=7)
        outcome = await desk.on(Escalate, "c1", step=2, take=True, plan=plan, notices=("{}",), reason="over my head")
        assert (outcome.result, outcome.taken) == (Result.QUEUED, "")
        after = await desk.state("c1")
        assert (after.state, after.owner, after.offers, after.consults) == (CaseStatus.QUEUED, "", (), {})
        assert (after.step, after.class_key, after.score) == (2, "seniors", 7)
        assert [(await desk.person(name)).load for name in ("ann", "bob")] == [0, 0]
        assert await desk.waiting("seniors") == ("c1",)
        assert "k|seniors" in await desk.work()
        entry = (await desk.store.pending(POOL, 0))[-1]
        assert (entry.kind, entry.outcome, entry.about, entry.reason) == ("escalate", "queued", "2", "over my head")
        assert entry.notices == ("{}",)

    async def test_another_comes_in_beside_the_owner(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.advisor("bob", budget=1)
        await desk.advisor("cho")
        await desk.assigned("c1", "ann")
        placing = await desk.hand("ann", "bob", "cho")
        outcome = await desk.on(Escalate, "c1", step=1, placing=placing)
        assert (outcome.result, outcome.taken) == (Result.DONE, "cho")
        state = await desk.state("c1")
        assert (state.owner, state.consults, state.step) == ("ann", {"cho": state.units}, 1)
        assert (await desk.person("cho")).load == state.units
        again = await desk.on(Escalate, "c1", step=2, placing=placing)
        assert (again.result, again.taken) == (Result.DONE, "")

    async def test_another_is_rung_to_come_in_beside_the_owner(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.advisor("bob", budget=1)
        await desk.advisor("cho")
        await desk.assigned("c1", "ann")
        rings = await desk.placing("ann", "bob", "cho", offer_deadline_ms=desk.now + 500)
        outcome = await desk.on(Escalate, "c1", step=1, placing=rings)
        assert (outcome.result, outcome.taken) == (Result.DONE, "")
        state = await desk.state("c1")
        (offer,) = state.offers
        assert (state.state, state.owner, state.consults, state.step) == (CaseStatus.ASSIGNED, "ann", {}, 1)
        assert (offer.advisor, offer.ver, offer.deadline_ms) == ("cho", state.ver, desk.now + 500)
        assert state.timers[f"offer|{offer.ver}"] == offer.deadline_ms
        work = (await desk.person("cho")).work["c1"]
        assert (work.kind, work.units) == (WorkKind.CONSULT_OFFER, state.units)
        await desk.do(desk.act(Accept, case=CaseId("c1"), advisor=AdvisorId("cho"), offer_ver=offer.ver))
        assert (await desk.state("c1")).consults == {"cho": state.units}

    async def test_while_one_is_rung_a_step_rings_at_no_other(self, desk: Desk) -> None:
        for name in ("ann", "bob", "cho"):
            await desk.advisor(name)
        await desk.assigned("c1", "ann")
        rings = await desk.placing("bob", offer_deadline_ms=desk.now + 500)
        await desk.on(Escalate, "c1", step=1, placing=rings)
        before = (await desk.state("c1")).offers
        await desk.on(Escalate, "c1", step=2, placing=await desk.placing("cho", offer_deadline_ms=desk.now + 900))
        state = await desk.state("c1")
        assert (state.step, state.offers, state.consults) == (2, before, {})
        await desk.on(Escalate, "c1", step=3, placing=await desk.hand("cho"))
        assert (await desk.state("c1")).consults == {"cho": state.units}

    @pytest.mark.parametrize("state", ["queued", "nobody fits"])
    async def test_with_nobody_to_ask_in_the_step_is_taken_all_the_same(self, desk: Desk, state: str) -> None:
        await desk.advisor("ann")
        await desk.advisor("bob", budget=1)
        if state == "queued":
            await desk.admit("c1")
        else:
            await desk.assigned("c1", "ann")
        outcome = await desk.on(Escalate, "c1", step=1, placing=await desk.placing("bob"))
        assert (outcome.result, outcome.taken, (await desk.state("c1")).step) == (Result.DONE, "", 1)

    @pytest.mark.parametrize(
        ("who", "result"),
        [("ann", Result.QUEUED), ("bob", Result.NOT_YOURS), (None, Result.QUEUED), ("", Result.QUEUED)],
    )
    async def test_only_the_owner_gives_it_up(self, desk: Desk, who: str | None, result: Result) -> None:
        await desk.advisor("ann")
        await desk.assigned("c1", "ann")
        assert (await desk.on(Escalate, "c1", step=1, take=True, advisor=who)).result is result

    @pytest.mark.parametrize("take", [True, False])
    async def test_a_note_for_the_next_is_in_the_transcript(self, desk: Desk, take: bool) -> None:
        await desk.advisor("ann")
        await desk.assigned("c1", "ann")
        await desk.on(Escalate, "c1", step=1, take=take, message="asked twice")
        assert (await desk.store.messages(POOL, CaseId("c1")))[-1] == "asked twice"
        assert (await desk.store.pending(POOL, 0))[-1].notes == ("asked twice",)

    async def test_a_step_that_was_taken_takes_nothing_again(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.assigned("c1", "ann")
        await desk.on(Escalate, "c1", step=1)
        outcome = await desk.on(Escalate, "c1", step=1, take=True, message="late")
        assert (outcome.result, (await desk.state("c1")).owner) == (Result.SAME, "ann")
        assert "late" not in await desk.store.messages(POOL, CaseId("c1"))
