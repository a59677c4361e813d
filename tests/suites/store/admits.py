"""What admit promises."""

import msgspec
import pytest

from router.contract.case import CaseStatus
from router.contract.plan import Candidate, Placing, Plan
from router.store.acts import Admit, Close, Done, Fence, Move, Resolve, Result
from tests.suites.store.bench import POOL, QUEUE, Desk, MakeBench

PARTITION = "inquiries.main/3"


class OpeningSuite:
    """An inquiry without a case."""

    async def test_a_case_that_nobody_takes_is_queued(self, desk: Desk) -> None:
        outcome = await desk.admit("c1")
        assert (outcome.result, outcome.number, outcome.taken) == (Result.QUEUED, 1, "")
        state = await desk.state("c1")
        assert outcome.case == state
        assert (state.state, state.ver, state.gen, state.class_key) == (CaseStatus.QUEUED, 1, 1, QUEUE)
        assert (state.score, state.opened_at_ms, state.inquiries, state.last_inquiry) == (desk.now, desk.now, 1, "c1")
        assert await desk.waiting() == ("c1",)

    async def test_the_plan_is_written(self, desk: Desk) -> None:
        plan = Plan(ver=0, class_key="k", score=7, detail='{"a":1}', why='"x"', timers={"warn.first|0": 9, "x|0": 0})
        state = (await desk.admit("c1", plan=plan)).case
        assert state is not None
        assert (state.detail, state.why, state.timers, state.score) == ('{"a":1}', '"x"', {"warn.first|0": 9}, 7)

    async def test_a_candidate_with_room_is_offered_it(self, desk: Desk) -> None:
        await desk.advisor("ann")
        placing = await desk.ring("ann", wait_ms=5_000)
        outcome = await desk.admit("c1", placing)
        assert (outcome.result, outcome.taken) == (Result.OFFERED, "ann")
        assert outcome.case is not None
        assert outcome.case.timers == {"offer|1": desk.now + 5_000}
        assert [(offer.advisor, offer.ver) for offer in outcome.case.offers] == [("ann", 1)]
        assert (await desk.person("ann")).load == 30
        assert [person.id for person in outcome.advisors] == ["ann"]

    async def test_on_auto_accept_it_is_his_at_once(self, desk: Desk) -> None:
        await desk.advisor("ann")
        outcome = await desk.admit("c1", await desk.hand("ann"))
        assert (outcome.result, outcome.taken) == (Result.ASSIGNED, "ann")
        assert outcome.case is not None
        assert (outcome.case.owner, outcome.case.state, outcome.case.offers) == ("ann", CaseStatus.ASSIGNED, ())

    async def test_several_are_rung_at_once(self, desk: Desk) -> None:
        for name in ("ann", "bob", "cho"):
            await desk.advisor(name)
        state = (await desk.admit("c1", await desk.ring("ann", "bob", "cho", at_once=2))).case
        assert state is not None
        assert [offer.advisor for offer in state.offers] == ["ann", "bob"]
        assert [(await desk.person(name)).load for name in ("ann", "bob", "cho")] == [30, 30, 0]

    async def test_at_most_five_candidates_are_tried(self, desk: Desk) -> None:
        for n in range(5):
            await desk.advisor(f"full{n}", budget=10)
        await desk.advisor("free")
        placing = await desk.hand(*(f"full{n}" for n in range(5)), "free")
        outcome = await desk.admit("c1", placing)
        assert outcome.result is Result.QUEUED
        assert {person.id for person in outcome.advisors} == {f"full{n}" for n in range(5)}

    @pytest.mark.parametrize("why", ["offline", "judged before a change", "no room", "cap reached", "unknown"])
    async def test_who_does_not_fit_is_passed_over(self, desk: Desk, why: str) -> None:
        caps = {"chat": 0} if why == "cap reached" else {}
        if why != "unknown":
            await desk.advisor("ann", budget=29 if why == "no room" else 100, online=why != "offline", caps=caps)
        elig = 0 if why == "unknown" else (await desk.person("ann")).elig
        if why == "judged before a change":
            elig -= 1
        await desk.advisor("bob")
        second = Candidate(advisor=(await desk.person("bob")).id, elig=(await desk.person("bob")).elig)
        first = msgspec.structs.replace(second, advisor="ann", elig=elig)
        outcome = await desk.admit("c1", Placing(candidates=(first, second), auto_accept=True))
        assert (outcome.result, outcome.taken) == (Result.ASSIGNED, "bob")

    async def test_an_over_candidate_is_taken_above_his_capacity_and_it_shows(self, desk: Desk) -> None:
        await desk.advisor("ann", budget=10)
        state = await desk.state((await desk.admit("c1", await desk.hand("ann", over=True))).case.id)  # type: ignore[union-attr]  # admitted
        assert (state.owner, state.over) == ("ann", True)

    async def test_over_a_channel_cap_shows_too(self, desk: Desk) -> None:
        await desk.advisor("ann", caps={"chat": 0})
        state = (await desk.admit("c1", await desk.hand("ann", over=True))).case
        assert state is not None
        assert state.over

    async def test_within_capacity_over_is_not_said(self, desk: Desk) -> None:
        await desk.advisor("ann")
        state = (await desk.admit("c1", await desk.hand("ann", over=True))).case
        assert state is not None
        assert not state.over

    async def test_nobody_overtakes_a_waiting_class(self, desk: Desk) -> None:
        await desk.admit("c1")
        await desk.advisor("ann")
        assert (await desk.admit("c2", await desk.hand("ann"))).result is Result.QUEUED
        assert await desk.waiting() == ("c1", "c2")

    async def test_another_class_does_not_hold_it_up(self, desk: Desk) -> None:
        await desk.admit("c1")
        await desk.advisor("ann")
        plan = Plan(ver=0, class_key="other", score=1)
        assert (await desk.admit("c2", await desk.hand("ann"), plan=plan)).result is Result.ASSIGNED

    async def test_who_has_a_work_item_is_left_to_the_matcher(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.assigned("c1", "ann")
        await desk.on(Resolve, "c1")
        placing = await desk.hand("ann")
        assert (await desk.admit("c2", placing)).result is Result.QUEUED
        item = (await desk.work())["a|ann"]
        await desk.do(desk.act(Done, item=item.item, stamp=item.stamp))
        plan = Plan(ver=0, class_key="other", score=1)
        assert (await desk.admit("c3", placing, plan=plan)).result is Result.ASSIGNED

    async def test_a_plan_for_a_case_that_is_gone_conflicts(self, desk: Desk) -> None:
        outcome = await desk.admit("c1", plan=Plan(ver=4, class_key=QUEUE))
        assert (outcome.result, outcome.case, outcome.number) == (Result.CONFLICT, None, 0)
        assert await desk.case("c1") is None

    async def test_a_case_of_that_name_is_never_opened_twice(self, desk: Desk) -> None:
        first = (await desk.admit("c1")).case
        outcome = await desk.admit("c1", conversation="elsewhere")
        assert (outcome.result, outcome.case) == (Result.DUPLICATE, first)
        assert await desk.state("c1") == first


class CrowdSuite:
    """More wait classes than there may be."""

    @pytest.fixture
    async def crowd(self, make_bench: MakeBench) -> Desk:
        """Room for two classes, both taken."""
        desk = await Desk(await make_bench(max_classes=2)).open()
        await desk.admit("c1", plan=Plan(ver=0, class_key="k1", score=1))
        await desk.admit("c2", plan=Plan(ver=0, class_key="k2", score=1))
        return desk

    async def test_a_new_class_goes_to_the_crowded_key(self, crowd: Desk) -> None:
        await crowd.admit("c3", plan=Plan(ver=0, class_key="k3", crowded_key="rest", score=1))
        assert (await crowd.state("c3")).class_key == "rest"
        assert "k|rest" in await crowd.work()

    async def test_a_class_that_is_there_goes_on(self, crowd: Desk) -> None:
        await crowd.admit("c3", plan=Plan(ver=0, class_key="k2", crowded_key="rest", score=1))
        assert (await crowd.state("c3")).class_key == "k2"

    async def test_without_a_crowded_key_it_has_its_own(self, crowd: Desk) -> None:
        await crowd.admit("c3", plan=Plan(ver=0, class_key="k3", score=1))
        assert (await crowd.state("c3")).class_key == "k3"

    async def test_nobody_overtakes_those_in_the_crowded_class(self, crowd: Desk) -> None:
        await crowd.admit("c3", plan=Plan(ver=0, class_key="k3", crowded_key="rest", score=1))
        await crowd.advisor("ann")
        plan = Plan(ver=0, class_key="k4", crowded_key="rest", score=2)
        assert (await crowd.admit("c4", await crowd.hand("ann"), plan=plan)).result is Result.QUEUED


class GuardedAdmitSuite:
    """Fences, marks, forwards."""

    async def test_a_stale_epoch_is_fenced_off(self, desk: Desk) -> None:
        epochs = await desk.store.take_epochs(POOL, [PARTITION])
        await desk.store.take_epochs(POOL, [PARTITION])
        fence = Fence(partition=PARTITION, epoch=epochs[PARTITION], offset=7)
        assert (await desk.admit("c1", fence=fence)).result is Result.FENCED
        assert await desk.case("c1") is None

    async def test_an_epoch_nobody_took_is_fenced_off(self, desk: Desk) -> None:
        fence = Fence(partition=PARTITION, epoch=0, offset=7)
        assert (await desk.admit("c1", fence=fence)).result is Result.FENCED

    async def test_epochs_grow_apart(self, desk: Desk) -> None:
        assert await desk.store.take_epochs(POOL, ["a", "b"]) == {"a": 1, "b": 1}
        assert await desk.store.take_epochs(POOL, ["b"]) == {"b": 2}

    @pytest.mark.parametrize(("offset", "result"), [(6, Result.DUPLICATE), (7, Result.QUEUED)])
    async def test_what_is_applied_is_a_duplicate(self, desk: Desk, offset: int, result: Result) -> None:
        epoch = (await desk.store.take_epochs(POOL, [PARTITION]))[PARTITION]
        await desk.store.applied(POOL, {PARTITION: (epoch, 7)})
        fence = Fence(partition=PARTITION, epoch=epoch, offset=offset)
        outcome = await desk.admit("c1", fence=fence)
        assert (outcome.result, outcome.case) == (result, await desk.case("c1"))

    async def test_a_watermark_never_goes_back_and_a_stale_one_is_ignored(self, desk: Desk) -> None:
        epoch = (await desk.store.take_epochs(POOL, [PARTITION]))[PARTITION]
        await desk.store.applied(POOL, {PARTITION: (epoch, 7)})
        await desk.store.applied(POOL, {PARTITION: (epoch, 3)})
        await desk.store.applied(POOL, {PARTITION: (epoch - 1, 50), "unknown": (1, 9)})
        at = {offset: Fence(partition=PARTITION, epoch=epoch, offset=offset) for offset in (6, 7)}
        assert (await desk.admit("c1", fence=at[6])).result is Result.DUPLICATE
        assert (await desk.admit("c1", fence=at[7])).result is Result.QUEUED

    @pytest.mark.parametrize(("late_ms", "result"), [(5_000, Result.DUPLICATE), (5_001, Result.QUEUED)])
    async def test_what_was_published_after_the_mark_was_noted_was_not_applied(
        self, desk: Desk, late_ms: int, result: Result
    ) -> None:
        epoch = (await desk.store.take_epochs(POOL, [PARTITION]))[PARTITION]
        await desk.admit("c0")  # the pool's time begins
        await desk.store.applied(POOL, {PARTITION: (epoch, 7)})
        # Offsets begin anew with the topic: no inquiry may be lost to a mark of the old one.
        fence = Fence(partition=PARTITION, epoch=epoch, offset=0, published_at_ms=desk.now + late_ms)
        assert (await desk.admit("c1", fence=fence)).result is result

    async def test_a_full_outbox_refuses_admits_until_it_is_trimmed(self, make_bench: MakeBench) -> None:
        desk = await Desk(await make_bench(outbox_mark=2)).open()
        await desk.admit("c1")
        await desk.admit("c2")
        assert (await desk.admit("c3")).result is Result.FULL
        assert (await desk.admit("c1")).result is Result.DUPLICATE
        assert (await desk.on(Resolve, "c1")).result is Result.DONE
        await desk.store.trim(POOL, await desk.store.take(POOL), 3)
        assert (await desk.admit("c3")).result is Result.QUEUED

    async def test_a_moved_conversation_says_where_it_went(self, desk: Desk) -> None:
        await desk.admit("c1")
        await desk.on(Move, "c1", to_pool="other", handover="{}")
        outcome = await desk.admit("c1", inquiry="i2")
        assert (outcome.result, outcome.moved_to, outcome.number) == (Result.MOVED_ON, "other", 0)

    async def test_what_came_before_the_move_is_not_sent_after_it(self, desk: Desk) -> None:
        await desk.admit("c1")
        await desk.on(Move, "c1", to_pool="other", handover="{}")
        assert (await desk.admit("c1")).result is Result.DUPLICATE

    async def test_after_the_close_a_conversation_starts_anew(self, desk: Desk) -> None:
        await desk.admit("c1")
        await desk.on(Resolve, "c1", plan=await desk.plan("c1", timers={"close|0": desk.now}))
        await desk.do(desk.act(Close, case="c1", claim=("close|0", desk.now)))
        outcome = await desk.admit("c1", case="c9", inquiry="i9")
        assert (outcome.result, outcome.case and outcome.case.id) == (Result.QUEUED, "c9")

    async def test_an_acknowledgement_goes_out_when_a_case_opens(self, desk: Desk) -> None:
        await desk.admit("c1", replies=('{"id":"r"}',))
        (entry,) = await desk.store.pending(POOL, 0)
        assert (entry.kind, entry.outcome, entry.about, entry.replies) == ("admit", "queued", "c1", ('{"id":"r"}',))

    async def test_acts_of_one_call_are_applied_in_order(self, desk: Desk) -> None:
        acts: list[Admit] = [desk.admission("c1"), desk.admission("c1"), desk.admission("c1", inquiry="i2")]
        results = [outcome.result for outcome in await desk.store.apply(acts)]
        assert results == [Result.QUEUED, Result.DUPLICATE, Result.APPENDED]
