"""Every store gives way in the same order when memory is short."""

from typing import Any

import pytest

from router.contract.advisor import Presence
from router.contract.case import CaseStatus
from router.contract.ids import AdvisorId, CaseId, ConversationId, InquiryId, PoolId
from router.contract.plan import Candidate, Placing, Plan
from router.store.acts import (
    Accept,
    Admit,
    Assign,
    Close,
    Consult,
    Due,
    Expire,
    Label,
    Match,
    Note,
    Pend,
    PresenceAct,
    Reply,
    Requeue,
    Resolve,
    Result,
    Snooze,
    Transfer,
)
from router.store.marks import LEVEL_LIFE_MS, PUT_OFF_MS, YIELDING, Level
from tests.suites.store.bench import POOL, QUEUE, Desk

SHORT = [Level.SOFT, Level.HARD]
_TO_BOB = Placing(candidates=(Candidate(advisor=AdvisorId("bob"), elig=2),), auto_accept=True)
_MANUAL: list[tuple[type[Any], dict[str, Any]]] = [
    (Assign, {"advisor": AdvisorId("bob")}),
    (Transfer, {"advisor": AdvisorId("ann")}),
    (Consult, {"advisor": AdvisorId("ann"), "units": 10, "placing": _TO_BOB}),
    (Label, {}),
    (Snooze, {}),
]


async def press(desk: Desk, level: Level) -> None:
    assert await desk.store.press(POOL, level, desk.now)


class LevelSuite:
    """How long a level stands."""

    async def test_a_pool_begins_without_one(self, desk: Desk) -> None:
        status = await desk.store.status(POOL)
        assert (status.level, status.looked_ms, status.outbox_mark) == (Level.FINE, 0, 100_000)
        assert (await desk.admit("c1")).result is Result.QUEUED

    async def test_it_is_shown_until_it_is_over(self, desk: Desk) -> None:
        await press(desk, Level.HARD)
        status = await desk.store.status(POOL)
        assert (status.level, status.looked_ms) == (Level.HARD, desk.now)
        assert status.level_at(desk.now + LEVEL_LIFE_MS) is Level.HARD
        assert status.level_at(desk.now + LEVEL_LIFE_MS + 1) is Level.FINE

    @pytest.mark.parametrize("level", SHORT)
    async def test_one_that_nobody_renews_holds_nothing_up(self, desk: Desk, level: Level) -> None:
        await press(desk, level)
        await desk.pass_ms(LEVEL_LIFE_MS)
        assert (await desk.admit("c1")).result is Result.FULL
        await desk.pass_ms(1)
        assert (await desk.admit("c1")).result is Result.QUEUED

    async def test_a_better_one_takes_effect_at_once(self, desk: Desk) -> None:
        await press(desk, Level.SOFT)
        assert (await desk.admit("c1")).result is Result.FULL
        await press(desk, Level.FINE)
        assert (await desk.admit("c1")).result is Result.QUEUED

    @pytest.mark.parametrize(("ahead_ms", "noted"), [(5_000, True), (5_001, False)])
    async def test_a_clock_far_ahead_is_not_believed(self, desk: Desk, ahead_ms: int, noted: bool) -> None:
        assert await desk.store.press(POOL, Level.SOFT, desk.now + ahead_ms) is noted
        assert (await desk.store.status(POOL)).level is (Level.SOFT if noted else Level.FINE)

    async def test_a_clock_behind_does_not_shorten_it(self, desk: Desk) -> None:
        await desk.admit("c0")  # the pool's time begins
        assert await desk.store.press(POOL, Level.SOFT, desk.now - 60_000)
        assert (await desk.admit("c1")).result is Result.FULL

    async def test_a_state_of_a_newer_format_is_left_alone(self, desk: Desk) -> None:
        await desk.bench.set_format(POOL, 99)
        assert not await desk.store.press(POOL, Level.SOFT, desk.now)

    async def test_another_pool_has_its_own(self, desk: Desk) -> None:
        await desk.store.open_pool(PoolId("other"))
        await press(desk, Level.SOFT)
        assert (await desk.store.status(PoolId("other"))).level is Level.FINE


class RefusalSuite:
    """What is refused while memory is short, and what is not."""

    @pytest.mark.parametrize("level", SHORT)
    async def test_no_inquiry_comes_in(self, desk: Desk, level: Level) -> None:
        await desk.admit("c1")
        number = await desk.number()
        await press(desk, level)
        opened, appended = await desk.admit("c2"), await desk.admit("c1", inquiry=InquiryId("i2"))
        assert (opened.result, appended.result) == (Result.FULL, Result.FULL)
        assert await desk.case("c2") is None
        assert (await desk.state("c1")).inquiries == 1
        assert await desk.number() == number

    async def test_one_that_came_before_is_told_so(self, desk: Desk) -> None:
        await desk.admit("c1")
        await press(desk, Level.SOFT)
        assert (await desk.admit("c1")).result is Result.DUPLICATE

    @pytest.mark.parametrize(("kind", "members"), _MANUAL, ids=lambda value: getattr(value, "__name__", ""))
    async def test_work_by_hand_waits(self, desk: Desk, kind: type[Any], members: dict[str, Any]) -> None:
        await desk.advisor("ann")
        await desk.advisor("bob")
        before = await desk.assigned("c1", "ann")
        await press(desk, Level.SOFT)
        outcome = await desk.on(kind, "c1", op="k:1", **members)
        assert (outcome.result, outcome.number, outcome.case) == (Result.FULL, 0, before)
        await press(desk, Level.FINE)
        assert (await desk.on(kind, "c1", op="k:1", **members)).number > 0

    @pytest.mark.parametrize(("kind", "members"), _MANUAL, ids=lambda value: getattr(value, "__name__", ""))
    async def test_what_took_effect_before_says_so(self, desk: Desk, kind: type[Any], members: dict[str, Any]) -> None:
        await desk.advisor("ann")
        await desk.advisor("bob")
        await desk.assigned("c1", "ann")
        first = await desk.on(kind, "c1", op="k:1", **members)
        await press(desk, Level.HARD)
        again = await desk.on(kind, "c1", op="k:1", **members)
        assert (again.result, again.number, again.repeated) == (first.result, first.number, True)

    async def test_a_note_waits_too(self, desk: Desk) -> None:
        await desk.admit("c1")
        note = desk.act(Note, case=CaseId("c1"), message="{}", op="k:1")
        await press(desk, Level.SOFT)
        assert (await desk.do(note)).result is Result.FULL
        await press(desk, Level.FINE)
        assert (await desk.do(note)).result is Result.DONE
        await press(desk, Level.SOFT)
        assert (await desk.do(note)).repeated

    def test_all_that_wait_are_tried_here(self) -> None:
        assert {kind for kind, _ in _MANUAL} | {Note, Admit} == YIELDING

    @pytest.mark.parametrize("level", SHORT)
    async def test_work_that_is_there_ends(self, desk: Desk, level: Level) -> None:
        await desk.advisor("ann")
        await desk.admit("c1")
        await desk.admit("c2")
        await press(desk, level)
        matched = await desk.on(Match, "c1", class_key=QUEUE, placing=await desk.ring("ann"))
        assert matched.result is Result.OFFERED
        accept = desk.act(Accept, case=CaseId("c1"), advisor=AdvisorId("ann"), offer_ver=matched.case.ver)  # type: ignore[union-attr]  # it has one
        assert (await desk.do(accept)).result is Result.ASSIGNED
        said = await desk.on(Reply, "c1", advisor=AdvisorId("ann"), message="{}", reply="{}")
        assert said.result is Result.DONE
        assert (await desk.on(Pend, "c1", advisor=AdvisorId("ann"))).result is Result.DONE
        closing = await desk.plan("c1", timers={"close|0": desk.now})
        assert (await desk.on(Resolve, "c1", plan=closing)).result is Result.DONE
        closed = await desk.do(desk.act(Close, case=CaseId("c1"), claim=("close|0", desk.now)))
        assert closed.result is Result.DONE
        away = desk.act(PresenceAct, advisor=AdvisorId("ann"), presence=Presence.AWAY)
        assert (await desk.do(away)).result is Result.DONE
        assert (await desk.on(Requeue, "c2")).result is Result.QUEUED

    async def test_an_offer_still_expires(self, desk: Desk) -> None:
        await desk.advisor("ann")
        case = await desk.offered("c1", "ann")
        await desk.pass_ms(20_000)
        await press(desk, Level.HARD)
        (claim,) = (await desk.do(desk.act(Due))).claims
        expired = await desk.on(Expire, "c1", offer_ver=case.offers[0].ver, claim=(claim.timer, claim.deadline_ms))
        assert (expired.result, (await desk.state("c1")).state) == (Result.QUEUED, CaseStatus.QUEUED)


class PuttingOffSuite:
    """What only tells waits while memory is very short, and says how late it comes."""

    async def _armed(self, desk: Desk, *timers: str) -> int:
        plan = Plan(ver=0, class_key=QUEUE, score=desk.now, timers=dict.fromkeys(timers, desk.now + 1_000))
        await desk.admit("c1", plan=plan)
        await desk.pass_ms(1_000)
        return desk.now

    @pytest.mark.parametrize("timer", ["warn.first|0", "breach.first|0", "step|1"])
    async def test_it_waits_and_fires_afterwards(self, desk: Desk, timer: str) -> None:
        due_ms = await self._armed(desk, timer)
        await press(desk, Level.HARD)
        before = await desk.number()
        first = await desk.do(desk.act(Due))
        assert (first.claims, first.put_off, first.number) == ((), 1, 0)
        assert (await desk.state("c1")).timers == {timer: due_ms}
        assert (await desk.do(desk.act(Due))).put_off == 0
        await desk.pass_ms(PUT_OFF_MS - 1)
        assert (await desk.do(desk.act(Due))).claims == ()
        await desk.pass_ms(1)
        await press(desk, Level.SOFT)
        (claim,) = (await desk.do(desk.act(Due))).claims
        assert (claim.timer, claim.due_ms, claim.late_ms) == (timer, due_ms, PUT_OFF_MS)
        told = [entry.reason for entry in await desk.store.pending(POOL, before) if entry.about == timer]
        assert told == ([f"late by {PUT_OFF_MS} ms: memory was short"] if claim.fired else [])

    async def test_it_waits_as_long_as_need_be(self, desk: Desk) -> None:
        due_ms = await self._armed(desk, "warn.first|0")
        for _ in range(3):
            await press(desk, Level.HARD)
            assert (await desk.do(desk.act(Due))).put_off == 1
            await desk.pass_ms(PUT_OFF_MS)
        await press(desk, Level.FINE)
        (claim,) = (await desk.do(desk.act(Due))).claims
        assert (claim.due_ms, claim.late_ms) == (due_ms, 3 * PUT_OFF_MS)

    async def test_it_fires_once(self, desk: Desk) -> None:
        await self._armed(desk, "warn.first|0")
        await press(desk, Level.HARD)
        await desk.do(desk.act(Due))
        await desk.pass_ms(LEVEL_LIFE_MS + 1)
        assert [claim.fired for claim in (await desk.do(desk.act(Due))).claims] == [True]
        await desk.pass_ms(PUT_OFF_MS)
        assert (await desk.do(desk.act(Due))).claims == ()

    async def test_what_is_planned_anew_meanwhile_is_not_late(self, desk: Desk) -> None:
        await self._armed(desk, "warn.first|0")
        await press(desk, Level.HARD)
        await desk.do(desk.act(Due))
        again = await desk.plan("c1", timers={"warn.first|0": desk.now + 2_000})
        await desk.on(Requeue, "c1", plan=again)
        await press(desk, Level.FINE)
        await desk.pass_ms(2_000)
        (claim,) = (await desk.do(desk.act(Due))).claims
        assert (claim.due_ms, claim.late_ms) == (desk.now, 0)

    async def test_soft_puts_nothing_off(self, desk: Desk) -> None:
        await self._armed(desk, "warn.first|0", "step|1")
        await press(desk, Level.SOFT)
        due = await desk.do(desk.act(Due))
        assert (len(due.claims), due.put_off) == (2, 0)

    async def test_what_ends_work_is_not_held_up_by_what_waits(self, desk: Desk) -> None:
        for n in range(12):
            plan = Plan(ver=0, class_key=QUEUE, score=desk.now, timers={"warn.first|0": desk.now + 1_000 + n})
            await desk.admit(f"c{n}", plan=plan, conversation=ConversationId(f"talk-{n}"))
        plan = Plan(ver=0, class_key=QUEUE, score=desk.now, timers={"hold|0": desk.now + 2_000})
        await desk.admit("held", plan=plan)
        await desk.pass_ms(2_000)
        await press(desk, Level.HARD)
        first, then = await desk.do(desk.act(Due)), await desk.do(desk.act(Due))
        assert (first.put_off, then.put_off) == (10, 2)
        assert [claim.timer for claim in then.claims] == ["hold|0"]
