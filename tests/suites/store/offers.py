"""What match, assign, accept, decline and expire promise."""

from typing import Any

import pytest

from router.contract.advisor import Presence, WorkKind
from router.contract.case import CaseState, CaseStatus
from router.contract.ids import CaseId
from router.contract.plan import Plan, Taken
from router.store.acts import (
    Accept,
    AnyAct,
    Assign,
    Decline,
    Due,
    Expire,
    Match,
    Outcome,
    Park,
    Pend,
    PresenceAct,
    ProfileAct,
    Resolve,
    Result,
)
from tests.suites.store.bench import POOL, QUEUE, Desk


class MatchSuite:
    """The head of a class goes to an advisor."""

    @pytest.fixture
    async def line(self, desk: Desk) -> Desk:
        """Two cases wait, Ann is free."""
        await desk.admit("c1")
        await desk.admit("c2")
        await desk.advisor("ann")
        return desk

    async def test_the_head_is_offered(self, line: Desk) -> None:
        outcome = await line.on(Match, "c1", class_key=QUEUE, placing=await line.ring("ann"))
        assert (outcome.result, outcome.taken) == (Result.OFFERED, "ann")
        state = await line.state("c1")
        assert (state.state, state.class_key, state.owner) == (CaseStatus.OFFERED, "", "")
        assert await line.waiting() == ("c2",)

    async def test_the_head_is_assigned_on_auto_accept(self, line: Desk) -> None:
        outcome = await line.on(Match, "c1", class_key=QUEUE, placing=await line.hand("ann"))
        assert (outcome.result, (await line.state("c1")).owner) == (Result.ASSIGNED, "ann")

    @pytest.mark.parametrize("is_taken", [True, False])
    async def test_a_plan_may_say_what_comes_of_a_case_that_is_taken(self, line: Desk, is_taken: bool) -> None:
        taken = Taken(detail='{"taken":1}', timers={"breach.a|0": 0})
        plan = await line.plan("c1", detail="{}", timers={"breach.a|0": line.now + 9}, taken=taken)
        placing = await (line.hand("ann") if is_taken else line.ring("ann"))
        outcome = await line.on(Match, "c1", plan=plan, class_key=QUEUE, placing=placing)
        assert outcome.case is not None
        armed = {timer for timer in outcome.case.timers if timer.startswith("breach.")}
        assert (outcome.case.detail, armed) == (('{"taken":1}', set()) if is_taken else ("{}", {"breach.a|0"}))

    async def test_only_the_head(self, line: Desk) -> None:
        outcome = await line.on(Match, "c2", class_key=QUEUE, placing=await line.hand("ann"))
        assert (outcome.result, outcome.head) == (Result.NOT_HEAD, "c1")

    async def test_a_class_that_is_empty_has_no_head(self, line: Desk) -> None:
        outcome = await line.on(Match, "c1", class_key="other", placing=await line.hand("ann"))
        assert (outcome.result, outcome.head) == (Result.NOT_HEAD, "")

    async def test_a_case_that_was_taken_is_not_the_head(self, line: Desk) -> None:
        await line.on(Match, "c1", class_key=QUEUE, placing=await line.hand("ann"))
        outcome = await line.on(Match, "c1", class_key=QUEUE, placing=await line.hand("ann"))
        assert (outcome.result, outcome.head) == (Result.NOT_HEAD, "c2")

    async def test_a_refusal_shows_who_did_not_fit(self, line: Desk) -> None:
        placing = await line.hand("ann")
        await line.do(line.act(PresenceAct, advisor="ann", presence=Presence.AWAY, reason="lunch"))
        outcome = await line.on(Match, "c1", class_key=QUEUE, placing=placing)
        assert (outcome.result, outcome.advisors) == (Result.REFUSED, (await line.person("ann"),))
        assert await line.waiting() == ("c1", "c2")

    async def test_a_stale_plan_conflicts(self, line: Desk) -> None:
        outcome = await line.on(Match, "c1", plan=Plan(ver=7), class_key=QUEUE, placing=await line.hand("ann"))
        assert (outcome.result, outcome.case) == (Result.CONFLICT, await line.case("c1"))

    async def test_a_work_item_does_not_stop_the_matcher(self, line: Desk) -> None:
        await line.do(line.act(PresenceAct, advisor="ann", presence=Presence.AWAY))
        await line.do(line.act(PresenceAct, advisor="ann", presence=Presence.ONLINE))
        assert "a|ann" in await line.work()
        outcome = await line.on(Match, "c1", class_key=QUEUE, placing=await line.hand("ann"))
        assert outcome.result is Result.ASSIGNED

    async def test_the_line_is_by_score_then_by_name(self, desk: Desk) -> None:
        for name, score in (("c9", 5), ("c10", 5), ("c3", 7), ("c4", 1)):
            await desk.admit(name, plan=Plan(ver=0, class_key=QUEUE, score=score))
        assert await desk.waiting() == ("c4", "c10", "c9", "c3")


class AssignSuite:
    """A person decides."""

    @pytest.mark.parametrize("before", ["queued", "offered", "assigned", "parked", "pending"])
    async def test_any_open_case_whoever_had_it(self, desk: Desk, before: str) -> None:
        await desk.advisor("ann")
        await desk.advisor("bob")
        if before in {"assigned", "parked", "pending"}:
            await desk.assigned("c1", "ann")
        if before == "queued":
            await desk.admit("c1")
        if before == "offered":
            await desk.offered("c1", "ann")
        if before == "parked":
            await desk.on(Park, "c1")
        if before == "pending":
            await desk.on(Pend, "c1", advisor="ann")
        outcome = await desk.on(Assign, "c1", advisor="bob")
        assert (outcome.result, outcome.taken) == (Result.ASSIGNED, "bob")
        state = await desk.state("c1")
        assert (state.state, state.owner, state.offers, state.timers) == (CaseStatus.ASSIGNED, "bob", (), {})
        assert [(await desk.person(name)).load for name in ("ann", "bob")] == [0, 30]
        assert await desk.waiting() == ()

    async def test_he_has_it(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.assigned("c1", "ann")
        before = await desk.state("c1")
        assert (await desk.on(Assign, "c1", advisor="ann")).result is Result.SAME
        assert await desk.state("c1") == before

    async def test_no_room_unless_over(self, desk: Desk) -> None:
        await desk.advisor("ann", budget=10)
        await desk.admit("c1")
        refused = await desk.on(Assign, "c1", advisor="ann")
        assert (refused.result, [person.id for person in refused.advisors]) == (Result.NO_ROOM, ["ann"])
        assert (await desk.on(Assign, "c1", advisor="ann", over=True)).result is Result.ASSIGNED
        assert (await desk.state("c1")).over

    async def test_no_room_is_needed_for_what_he_is_offered(self, desk: Desk) -> None:
        await desk.advisor("ann", budget=30)
        await desk.offered("c1", "ann")
        assert (await desk.on(Assign, "c1", advisor="ann")).result is Result.ASSIGNED
        assert not (await desk.state("c1")).over

    @pytest.mark.parametrize("who", ["ann", "nobody"])
    async def test_offline_or_unknown_is_unfit(self, desk: Desk, who: str) -> None:
        await desk.advisor("ann", online=False)
        await desk.admit("c1")
        assert (await desk.on(Assign, "c1", advisor=who, over=True)).result is Result.UNFIT

    async def test_a_resolved_case_is_gone(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.admit("c1")
        await desk.on(Resolve, "c1")
        assert (await desk.on(Assign, "c1", advisor="ann")).result is Result.GONE


class AcceptSuite:
    """An offer is taken."""

    async def test_it_is_his(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.offered("c1", "ann")
        outcome = await accept(desk, "c1", "ann")
        assert (outcome.result, outcome.taken) == (Result.ASSIGNED, "ann")
        state = await desk.state("c1")
        assert (state.state, state.owner, state.offers, state.timers) == (CaseStatus.ASSIGNED, "ann", (), {})
        person = await desk.person("ann")
        assert (person.load, person.work["c1"].kind) == (30, WorkKind.CASE)

    async def test_the_others_stop_ringing(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.advisor("bob")
        await desk.offered("c1", "ann", "bob")
        await accept(desk, "c1", "bob")
        assert [(await desk.person(name)).load for name in ("ann", "bob")] == [0, 30]
        assert "a|ann" in await desk.work()
        assert (await accept(desk, "c1", "ann")).result is Result.GONE

    async def test_an_offer_of_another_version_is_gone(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.offered("c1", "ann")
        assert (await accept(desk, "c1", "ann", ver=9)).result is Result.GONE

    async def test_what_its_plan_says_is_written(self, desk: Desk) -> None:
        await desk.advisor("ann")
        rung = await desk.offered("c1", "ann", plan=Plan(ver=0, class_key=QUEUE, timers={"breach.a|0": desk.now + 9}))
        plan = Plan(ver=1, detail='{"met":1}', timers={"breach.a|0": 0})
        outcome = await desk.do(self._take(desk, rung, plan=plan))
        assert outcome.result is Result.ASSIGNED
        state = await desk.state("c1")
        assert (state.detail, state.timers, state.class_key) == ('{"met":1}', {}, "")

    async def test_a_plan_for_another_version_conflicts_while_the_offer_stands(self, desk: Desk) -> None:
        await desk.advisor("ann")
        rung = await desk.offered("c1", "ann")
        await desk.admit("c1", inquiry="i2")
        outcome = await desk.do(self._take(desk, rung, plan=Plan(ver=1)))
        assert (outcome.result, outcome.case) == (Result.CONFLICT, await desk.state("c1"))
        assert (await desk.do(self._take(desk, rung, plan=Plan(ver=2)))).result is Result.ASSIGNED
        assert (await desk.do(self._take(desk, rung, plan=Plan(ver=1)))).result is Result.SAME

    @staticmethod
    def _take(desk: Desk, rung: CaseState, *, plan: Plan) -> AnyAct:
        (offer,) = rung.offers
        return desk.act(Accept, case=rung.id, advisor=offer.advisor, offer_ver=offer.ver, plan=plan)

    async def test_without_a_case_it_is_absent(self, desk: Desk) -> None:
        assert (await accept(desk, "c1", "ann")).result is Result.ABSENT

    async def test_it_ends_a_row_of_missed_offers(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.offered("c1", "ann")
        await expire(desk, "c1")
        assert (await desk.person("ann")).missed == 1
        await desk.on(Match, "c1", class_key=QUEUE, placing=await desk.ring("ann"))
        await accept(desk, "c1", "ann", ver=3)
        assert (await desk.person("ann")).missed == 0

    async def test_within_capacity_nothing_is_over_any_more(self, desk: Desk) -> None:
        await desk.advisor("ann", budget=10)
        await desk.advisor("bob")
        placing = await desk.ring("ann", "bob", at_once=2, over=True)
        assert (await desk.admit("c1", placing)).case.over  # type: ignore[union-attr]  # just opened
        await accept(desk, "c1", "bob")
        assert not (await desk.state("c1")).over

    async def test_above_capacity_it_stays_over(self, desk: Desk) -> None:
        await desk.advisor("ann", budget=10)
        await desk.admit("c1", await desk.ring("ann", over=True))
        await accept(desk, "c1", "ann")
        assert (await desk.state("c1")).over

    async def test_a_budget_cut_while_it_rang_shows(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.offered("c1", "ann")
        await desk.do(desk.act(ProfileAct, advisor="ann", budget=10, profile="{}"))
        assert (await accept(desk, "c1", "ann")).result is Result.ASSIGNED
        assert (await desk.state("c1")).over


class DeclineSuite:
    """An offer is given back."""

    async def test_the_case_waits_as_the_plan_says(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.offered("c1", "ann")
        plan = await desk.plan("c1", class_key="not-ann", score=3, timers={"cool|0": desk.now + 60_000})
        outcome = await desk.on(Decline, "c1", plan=plan, advisor="ann", offer_ver=1)
        assert outcome.result is Result.QUEUED
        state = await desk.state("c1")
        assert (state.class_key, state.score, state.offers) == ("not-ann", 3, ())
        assert state.timers == {"cool|0": desk.now + 60_000}
        assert {"k|not-ann", "a|ann"} <= set(await desk.work())
        assert (await desk.person("ann")).missed == 0

    async def test_others_ring_on(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.advisor("bob")
        before = await desk.offered("c1", "ann", "bob")
        outcome = await desk.on(Decline, "c1", advisor="ann", offer_ver=1)
        assert outcome.result is Result.OFFERED
        state = await desk.state("c1")
        assert ([offer.advisor for offer in state.offers], state.timers) == (["bob"], before.timers)
        assert [(await desk.person(name)).load for name in ("ann", "bob")] == [0, 30]
        last = await desk.on(Decline, "c1", advisor="bob", offer_ver=1)
        assert (last.result, (await desk.state("c1")).timers) == (Result.QUEUED, {})

    async def test_twice_is_gone(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.offered("c1", "ann")
        await desk.on(Decline, "c1", advisor="ann", offer_ver=1)
        assert (await desk.on(Decline, "c1", advisor="ann", offer_ver=1)).result is Result.GONE


class ExpireSuite:
    """Ring on no answer."""

    async def test_it_waits_again_and_all_who_were_rung_missed_it(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.advisor("bob")
        await desk.offered("c1", "ann", "bob")
        outcome = await expire(desk, "c1")
        assert (outcome.result, outcome.case) == (Result.QUEUED, await desk.case("c1"))
        state = await desk.state("c1")
        assert (state.state, state.offers, state.timers) == (CaseStatus.QUEUED, (), {})
        people = [await desk.person(name) for name in ("ann", "bob")]
        assert [(person.load, person.missed, person.presence) for person in people] == [(0, 1, Presence.ONLINE)] * 2

    async def test_one_who_declined_did_not_miss_it(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.advisor("bob")
        await desk.offered("c1", "ann", "bob")
        await desk.on(Decline, "c1", advisor="ann", offer_ver=1)
        await expire(desk, "c1")
        assert [(await desk.person(name)).missed for name in ("ann", "bob")] == [0, 1]

    async def test_too_many_in_a_row_set_him_away(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.offered("c1", "ann")
        await expire(desk, "c1", away_after=2)
        assert (await desk.person("ann")).presence is Presence.ONLINE
        elig = (await desk.person("ann")).elig
        await desk.on(Match, "c1", class_key=QUEUE, placing=await desk.ring("ann"))
        await expire(desk, "c1", away_after=2)
        person = await desk.person("ann")
        assert (person.presence, person.reason, person.elig) == (Presence.AWAY, "missed-offers", elig + 1)

    async def test_his_notices_go_out_when_it_is_one_too_many(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.advisor("bob")
        told = {"ann": ('{"n":"ann"}',), "bob": ('{"n":"bob"}',)}
        await desk.offered("c1", "ann")
        await expire(desk, "c1", away_after=2, told=told)
        await desk.on(Match, "c1", class_key=QUEUE, placing=await desk.ring("ann", "bob", at_once=2))
        await expire(desk, "c1", away_after=2, told=told)
        sent = [entry.notices for entry in await desk.store.pending(POOL, 0) if entry.kind == "expire" and entry.case]
        assert sent == [(), ('{"n":"ann"}',)]
        assert [(await desk.person(name)).missed for name in ("ann", "bob")] == [2, 1]

    @pytest.mark.parametrize("answer", [Accept, Decline])
    async def test_an_answer_begins_the_row_anew(self, desk: Desk, answer: type) -> None:
        await desk.advisor("ann")
        await desk.offered("c1", "ann")
        await expire(desk, "c1")
        outcome = await desk.on(Match, "c1", class_key=QUEUE, placing=await desk.ring("ann"))
        members = {"case": CaseId("c1"), "advisor": "ann", "offer_ver": outcome.case.ver}  # type: ignore[union-attr]  # offered
        plan = {} if answer is Accept else {"plan": await desk.plan("c1")}
        await desk.do(desk.act(answer, **members, **plan))
        assert (await desk.person("ann")).missed == 0

    async def test_after_it_was_accepted_its_timer_is_gone(self, desk: Desk) -> None:
        await desk.advisor("ann")
        state = await desk.offered("c1", "ann")
        await accept(desk, "c1", "ann")
        outcome = await expire(desk, "c1", claim=("offer|1", state.timers["offer|1"]))
        assert (outcome.result, outcome.case) == (Result.GONE, await desk.case("c1"))

    async def test_no_offer_of_that_version_is_gone(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.offered("c1", "ann")
        assert (await desk.on(Expire, "c1", offer_ver=9)).result is Result.GONE

    async def test_the_claim_that_due_gave_is_the_one_that_counts(self, desk: Desk) -> None:
        await desk.advisor("ann")
        state = await desk.offered("c1", "ann")
        await desk.pass_ms(20_000)
        (claim,) = (await desk.do(desk.act(Due))).claims
        stale = ("offer|1", state.timers["offer|1"])
        assert (await expire(desk, "c1", claim=stale)).result is Result.GONE
        assert (await expire(desk, "c1", claim=("offer|1", claim.deadline_ms))).result is Result.QUEUED

    async def test_a_consulted_case_keeps_nobody_of_an_offer(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.advisor("bob")
        await desk.assigned("c1", "ann")
        await desk.asked_in("c1", "ann", "bob")
        await desk.on(Assign, "c1", advisor="bob")
        assert (await desk.state("c1")).consults == {}
        assert (await desk.person("bob")).work["c1"].kind is WorkKind.CASE


async def accept(desk: Desk, case: str, name: str, *, ver: int = 1, op: str = "") -> Outcome:
    return await desk.do(desk.act(Accept, case=CaseId(case), advisor=name, offer_ver=ver, op=op))


async def expire(desk: Desk, case: str, *, away_after: int = 0, **members: Any) -> Outcome:
    """End the offers that ring for the case now (of version 1, when none does)."""
    state = await desk.state(case)
    ver = state.offers[0].ver if state.offers else 1
    return await desk.on(Expire, case, offer_ver=ver, away_after=away_after, **members)
