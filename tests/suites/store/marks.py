"""What note, label, reply, delivered, escalate, snooze, rejudge and replan promise."""

from typing import Any

import pytest

from router.contract.ids import CaseId
from router.contract.plan import Plan
from router.store.acts import (
    Delivered,
    Escalate,
    Label,
    Note,
    PlannedAct,
    Rejudge,
    Replan,
    Reply,
    Resolve,
    Result,
    Snooze,
)
from tests.suites.store.bench import POOL, QUEUE, Desk

MARKS: list[tuple[type[PlannedAct], dict[str, Any]]] = [
    (Label, {}),
    (Snooze, {}),
    (Delivered, {"reply": "r1", "state": "sent"}),
    (Reply, {"advisor": None, "message": "m", "reply": "r"}),
    (Escalate, {"step": 1}),
    (Rejudge, {}),
    (Replan, {}),
]


class MarkSuite:
    """What is known of a case changes, not who has it."""

    @pytest.mark.parametrize(("act", "members"), MARKS)
    async def test_the_plan_is_written_and_the_claim_spent(
        self, desk: Desk, act: type[PlannedAct], members: dict[str, Any]
    ) -> None:
        await desk.advisor("ann")
        await desk.assigned("c1", "ann", plan=Plan(ver=0, timers={"ladder|0": 5, "warn.a|0": 6}))
        plan = await desk.plan("c1", detail='{"d":1}', why='"w"', timers={"warn.a|0": 7, "new|0": 8})
        outcome = await desk.on(act, "c1", plan=plan, claim=("ladder|0", 5), notices=("{}",), **members)
        assert outcome.result is Result.DONE
        state = await desk.state("c1")
        assert (state.detail, state.why, state.timers) == ('{"d":1}', '"w"', {"warn.a|0": 7, "new|0": 8})
        assert (state.owner, state.ver) == ("ann", 2)
        entry = (await desk.store.pending(POOL, 0))[-1]
        assert (entry.case, entry.notices, entry.number) == (state, ("{}",), outcome.number)

    async def test_a_plan_that_says_nothing_leaves_detail_and_why(self, desk: Desk) -> None:
        await desk.admit("c1", plan=Plan(ver=0, class_key=QUEUE, detail='{"d":1}', why='"w"'))
        await desk.on(Label, "c1")
        state = await desk.state("c1")
        assert (state.detail, state.why) == ('{"d":1}', '"w"')

    @pytest.mark.parametrize(
        ("act", "members"), [mark for mark in MARKS if mark[0] in {Label, Escalate, Rejudge, Replan}]
    )
    async def test_a_waiting_case_is_re_keyed(self, desk: Desk, act: type[PlannedAct], members: dict[str, Any]) -> None:
        await desk.admit("c1")
        await desk.serve_all()
        plan = await desk.plan("c1", class_key="wider", score=2)
        await desk.on(act, "c1", plan=plan, **members)
        assert (await desk.waiting(), await desk.waiting("wider")) == ((), ("c1",))
        assert [head.class_key for head in await desk.store.heads(POOL)] == ["wider"]
        assert set(await desk.work()) == {"k|wider"}
        assert (await desk.state("c1")).score == 2

    async def test_others_leave_it_in_its_line(self, desk: Desk) -> None:
        await desk.admit("c1")
        await desk.serve_all()
        await desk.on(Snooze, "c1", plan=await desk.plan("c1", class_key="wider", score=2))
        assert await desk.waiting() == ("c1",)
        assert await desk.work() == {}

    @pytest.mark.parametrize(
        ("act", "members", "result"),
        [
            (Rejudge, {}, Result.GONE),
            (Escalate, {"step": 1}, Result.GONE),
            (Replan, {}, Result.DONE),
            (Label, {}, Result.DONE),
            (Snooze, {}, Result.DONE),
            (Delivered, {"reply": "r1", "state": "sent"}, Result.DONE),
        ],
    )
    async def test_on_a_resolved_case(
        self, desk: Desk, act: type[PlannedAct], members: dict[str, Any], result: Result
    ) -> None:
        await desk.admit("c1")
        await desk.on(Resolve, "c1")
        assert (await desk.on(act, "c1", **members)).result is result
        assert await desk.waiting() == ()


class NoteSuite:
    async def test_it_is_in_the_transcript(self, desk: Desk) -> None:
        await desk.admit("c1")
        outcome = await desk.do(desk.act(Note, case=CaseId("c1"), message="see file", actor="ann"))
        assert outcome.result is Result.DONE
        assert await desk.store.messages(POOL, CaseId("c1")) == ('{"text":"c1"}', "see file")
        assert (await desk.state("c1")).ver == 2
        assert (await desk.store.pending(POOL, 0))[-1].notes == ("see file",)

    async def test_without_a_case_it_is_absent(self, desk: Desk) -> None:
        assert (await desk.do(desk.act(Note, case=CaseId("c1"), message="m"))).result is Result.ABSENT


class ReplySuite:
    """The customer is answered."""

    @pytest.mark.parametrize(
        ("who", "result"),
        [
            ("ann", Result.DONE),
            ("bob", Result.DONE),
            ("cho", Result.NOT_YOURS),
            (None, Result.DONE),
            ("", Result.DONE),
        ],
    )
    async def test_owner_consulted_or_nobody(self, desk: Desk, who: str | None, result: Result) -> None:
        await desk.advisor("ann")
        await desk.advisor("bob")
        await desk.assigned("c1", "ann")
        await desk.asked_in("c1", "ann", "bob")
        outcome = await desk.on(Reply, "c1", advisor=who, message="said", reply='{"to":"x"}')
        assert outcome.result is result
        said = await desk.store.messages(POOL, CaseId("c1"))
        sent = [reply for entry in await desk.store.pending(POOL, 0) for reply in entry.replies]
        assert (said[1:], sent) == ((("said",), ['{"to":"x"}']) if result is Result.DONE else ((), []))


class EscalateSuite:
    """The step only grows, except by a person."""

    @pytest.mark.parametrize(
        ("step", "lower", "result", "after"),
        [
            (3, False, Result.DONE, 3),
            (2, False, Result.SAME, 2),
            (1, False, Result.SAME, 2),
            (1, True, Result.DONE, 1),
            (2, True, Result.SAME, 2),
        ],
    )
    async def test_from_step_2(self, desk: Desk, step: int, lower: bool, result: Result, after: int) -> None:
        await desk.admit("c1")
        await desk.on(Escalate, "c1", step=2)
        before = await desk.state("c1")
        assert (await desk.on(Escalate, "c1", step=step, lower=lower)).result is result
        state = await desk.state("c1")
        assert (state.step, state.ver) == (after, before.ver + (result is Result.DONE))
