"""What admit promises for an inquiry whose conversation has a case."""

import pytest

from router.contract.plan import Plan
from router.store.acts import Pend, Resolve, Result
from tests.suites.store.bench import POOL, QUEUE, Desk
from tests.suites.store.dump import dump


class AppendingSuite:
    """An inquiry whose conversation has a case."""

    @pytest.mark.parametrize("fresh", [True, False])
    async def test_a_queued_case_takes_it_whatever_its_version(self, desk: Desk, fresh: bool) -> None:
        await desk.admit("c1")
        plan = Plan(ver=1 if fresh else 0, class_key="other", score=1, detail='{"n":2}', timers={"warn.x|0": 5})
        outcome = await desk.admit("c1", inquiry="i2", message="two", plan=plan)
        assert outcome.result is Result.APPENDED
        state = await desk.state("c1")
        assert (state.ver, state.inquiries, state.last_inquiry, state.class_key) == (2, 2, "i2", QUEUE)
        assert state.detail == ('{"n":2}' if fresh else "{}")
        assert state.timers == ({"warn.x|0": 5} if fresh else {})
        assert await desk.store.messages(POOL, state.id) == ('{"text":"c1"}', "two")

    async def test_where_the_plan_matters_a_stale_one_conflicts(self, desk: Desk) -> None:
        before = (await desk.admit("c1")).case
        outcome = await desk.admit("c1", inquiry="i2", plan=Plan(ver=0, class_key="other"), fresh=True)
        assert (outcome.result, outcome.case) == (Result.CONFLICT, before)
        assert await desk.state("c1") == before

    async def test_where_the_plan_matters_a_waiting_case_changes_its_line(self, desk: Desk) -> None:
        await desk.admit("c1")
        plan = Plan(ver=1, class_key="other", score=1, detail='{"n":2}')
        outcome = await desk.admit("c1", inquiry="i2", plan=plan, fresh=True)
        assert outcome.result is Result.APPENDED
        state = await desk.state("c1")
        assert (state.class_key, state.score, state.detail) == ("other", 1, '{"n":2}')
        assert (await desk.waiting(), await desk.waiting("other")) == ((), ("c1",))

    async def test_an_offer_stands_while_the_customer_writes_on(self, desk: Desk) -> None:
        await desk.advisor("ann")
        before = await desk.offered("c1", "ann")
        outcome = await desk.admit("c1", inquiry="i2", plan=Plan(ver=0))
        assert outcome.result is Result.APPENDED
        assert (await desk.state("c1")).offers == before.offers

    async def test_a_seen_inquiry_is_a_duplicate(self, desk: Desk) -> None:
        await desk.admit("c1")
        before = await dump(desk.store, cases=["c1"], talks=["talk-c1"])
        outcome = await desk.admit("c1")
        assert (outcome.result, outcome.case) == (Result.DUPLICATE, await desk.case("c1"))
        assert before == await dump(desk.store, cases=["c1"], talks=["talk-c1"])

    async def test_the_last_64_inquiries_are_remembered(self, desk: Desk) -> None:
        for n in range(65):
            await desk.admit("c1", inquiry=f"i{n}")
        assert (await desk.admit("c1", inquiry="i1")).result is Result.DUPLICATE
        assert (await desk.admit("c1", inquiry="i0")).result is Result.APPENDED

    async def test_a_pending_case_conflicts_with_a_stale_plan(self, desk: Desk) -> None:
        await self._pending(desk)
        before = await desk.state("c1")
        outcome = await desk.admit("c1", inquiry="i2", plan=Plan(ver=1, class_key=QUEUE))
        assert (outcome.result, outcome.case) == (Result.CONFLICT, before)
        assert await desk.state("c1") == before

    async def test_a_pending_case_returns_to_its_owner(self, desk: Desk) -> None:
        await self._pending(desk)
        outcome = await desk.admit("c1", await desk.hand("ann"), inquiry="i2", plan=await desk.plan("c1"))
        assert (outcome.result, outcome.taken) == (Result.RETURNED, "ann")
        assert (await desk.person("ann")).load == 30

    async def test_it_returns_to_its_owner_past_those_who_wait(self, desk: Desk) -> None:
        await self._pending(desk)
        await desk.admit("c2")
        await desk.on(Resolve, (await desk.assigned("c3", "ann", plan=Plan(ver=0, class_key="z"))).id)
        outcome = await desk.admit("c1", await desk.hand("ann"), inquiry="i2", plan=await desk.plan("c1"))
        assert outcome.result is Result.RETURNED

    @pytest.mark.parametrize("obstacle", ["a waiting class", "a work item"])
    async def test_a_stranger_does_not_get_it_past_those_who_wait(self, desk: Desk, obstacle: str) -> None:
        await self._pending(desk)
        await desk.advisor("bob")
        if obstacle == "a waiting class":
            await desk.admit("c2")
        else:
            await desk.on(Resolve, (await desk.assigned("c2", "bob")).id)
        outcome = await desk.admit("c1", await desk.hand("bob"), inquiry="i2", plan=await desk.plan("c1"))
        assert outcome.result is Result.QUEUED

    async def test_a_stranger_gets_it_when_nobody_waits(self, desk: Desk) -> None:
        await self._pending(desk)
        await desk.advisor("bob")
        outcome = await desk.admit("c1", await desk.hand("bob"), inquiry="i2", plan=await desk.plan("c1"))
        assert (outcome.result, outcome.taken) == (Result.ASSIGNED, "bob")

    async def test_a_resolved_case_is_offered_again(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.assigned("c1", "ann")
        await desk.on(Resolve, "c1", plan=await desk.plan("c1", timers={"close|0": desk.now + 9}))
        await desk.serve_all()
        plan = await desk.plan("c1", timers={"close|0": 0})
        outcome = await desk.admit("c1", await desk.ring("ann"), inquiry="i2", plan=plan)
        assert outcome.result is Result.OFFERED
        assert "close|0" not in (await desk.state("c1")).timers

    async def test_a_case_brought_back_may_have_to_wait(self, desk: Desk) -> None:
        await self._pending(desk)
        outcome = await desk.admit("c1", inquiry="i2", plan=await desk.plan("c1"))
        assert outcome.result is Result.QUEUED
        assert (await desk.state("c1")).owner == ""

    @staticmethod
    async def _pending(desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.assigned("c1", "ann")
        await desk.on(Pend, "c1", advisor="ann")
        await desk.serve_all()
