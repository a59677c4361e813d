"""A change of policies or calendars: every case has new due times, nothing fires twice, what is overdue fires once."""

import asyncio
from datetime import UTC, datetime

import pytest

from router.contract.case import Pending, read_detail
from router.contract.codec import encode
from router.contract.ids import CaseId
from router.contract.messages import Delivery, DeliveryState
from router.contract.topics import DELIVERIES
from router.engine.audit import audit
from router.runtime.bus.protocol import Partition, Record
from router.service.deliveries import Deliveries
from router.service.progress import Progress
from router.service.rebuilding.requeueing import requeueing
from tests.suites.metrics import shown
from tests.suites.replanned import (
    CALENDAR,
    change,
    detail,
    due,
    fired,
    looked_at,
    promising,
    replanned,
    replanner,
    through,
)
from tests.suites.stage import RULES, rulebook, stage

HOUR = 3_600_000


async def test_a_longer_promise_moves_the_due_time_and_the_waiting_case_keeps_its_line_by_it() -> None:
    async with stage(promising(3600)) as scene:
        await scene.write("c1")
        opened = scene.clock.now_ms()
        await scene.pass_s(60)
        await change(scene, promising(7200))
        state = await scene.case("c1")
        assert (due(state), state.score) == (opened + 2 * HOUR, opened + 2 * HOUR)
        assert state.timers["breach.first_response|0"] == opened + 2 * HOUR
        assert state.timers["step|1"] == opened + 2 * HOUR
        heads = await scene.store.heads(scene.actor.pool)
        assert [(head.score, head.case) for head in heads] == [(opened + 2 * HOUR, "c1")]


async def test_what_is_overdue_by_it_fires_once_and_says_what_has_caused_it() -> None:
    async with stage(promising(3600)) as scene:
        await scene.write("c1")
        await scene.pass_s(1_000)
        book = promising(600)
        await change(scene, book)
        told = (await detail(scene)).replans[-1]
        assert (told.rulebook, told.overdue) == (book.hash, ("first_response",))
        await scene.pass_s(10_000)
        assert sorted(await fired(scene)) == ["breach.first_response|0.replan", "warn.first_response|0.replan"]
        assert (await scene.case("c1")).step == 1
        assert shown(scene.registry, "turnout_sla_targets_total") == {"standard/first_response/missed": 1}


async def test_what_has_fired_does_not_fire_again_when_its_time_moves_ahead() -> None:
    async with stage(promising(600)) as scene:
        await scene.write("c1")
        await scene.pass_s(700)
        assert await fired(scene) == ["warn.first_response|0", "breach.first_response|0"]
        await change(scene, promising(3600))
        await scene.casework.label(CaseId("c1"), scene.request(), add=("x",))
        await scene.pass_s(10_000)
        assert await fired(scene) == ["warn.first_response|0", "breach.first_response|0"]
        assert (await scene.case("c1")).step == 1


async def test_a_pause_does_not_make_it_forget_what_has_fired() -> None:
    async with stage(promising(600)) as scene:
        await scene.hire("mina")
        await scene.write("c1")
        await scene.accept("c1")
        await scene.pass_s(550)
        pending = Pending(on="customer", since_ms=scene.clock.now_ms())
        await scene.casework.pend(CaseId("c1"), scene.request("mina"), pending=pending)
        await change(scene, promising(3600))
        await scene.write("m1", talk="talk-c1")
        await scene.pass_s(10_000)
        assert await fired(scene) == ["warn.first_response|0", "breach.first_response|0"]


async def test_a_case_that_was_opened_by_the_same_promises_is_not_written_to() -> None:
    async with stage(promising(3600)) as scene:
        await scene.write("c1")
        before = await scene.case("c1")
        await change(scene, promising(3600, more=", warn_share: 0.8"))
        await change(scene, rulebook(RULES.replace("backoff_s: 15", "backoff_s: 16")))
        assert await scene.case("c1") == before


POLICIES = """\
policies:
  standard: {first_response_s: 3600, resolution_s: 86400}
  quick: {first_response_s: 600, resolution_s: 86400}
  slow: {first_response_s: 36000, resolution_s: 86400}
"""
OF_QUEUE = RULES.replace("policies:\n  standard: {first_response_s: 3600, resolution_s: 86400}\n", POLICIES)
BY_PROMISE = OF_QUEUE + "promises: [{name: vip, match: {channel: email}, policy: quick}]\n"
BY_RULE = OF_QUEUE.replace("rules:\n", "rules:\n  - {name: soon, match: {channel: email}, set: {policy: quick}}\n")


@pytest.mark.parametrize(
    ("written", "old", "new", "becomes"),
    [
        (OF_QUEUE, "general: {policy: standard", "general: {policy: quick", "quick"),
        (OF_QUEUE, "billing: {policy: standard", "billing: {policy: quick", "standard"),
        (OF_QUEUE, "rules:\n", "promises: [{name: vip, match: {channel: email}, policy: quick}]\nrules:\n", "standard"),
        (BY_PROMISE, "channel: email}, policy: quick", "channel: email}, policy: slow", "slow"),
        (BY_PROMISE, "general: {policy: standard", "general: {policy: slow", "quick"),
        (BY_PROMISE, "name: vip", "name: gold", "quick"),
        (BY_RULE, "set: {policy: quick}", "set: {policy: slow}", "slow"),
        (BY_RULE, "set: {policy: quick}", "set: {priority: 1}", "quick"),
    ],
)
async def test_what_gave_a_case_its_policy_may_give_it_another_and_nothing_else_does(
    written: str, old: str, new: str, becomes: str
) -> None:
    target_ms = {"standard": HOUR, "quick": HOUR // 6, "slow": 10 * HOUR}
    async with stage(rulebook(written)) as scene:
        await scene.write("c1")
        before, book = await scene.case("c1"), rulebook(written.replace(old, new))
        had = (await detail(scene)).verdict.policy
        seen = await looked_at(scene, book)
        await change(scene, book)
        after, known = await scene.case("c1"), await detail(scene)
        assert known.verdict.policy == becomes
        assert due(after) == after.opened_at_ms + target_ms[becomes]
        if becomes == had:
            assert (after, seen.policies) == (before, {})
            return
        assert (known.replans[-1].policy_was, known.replans[-1].policy) == (had, becomes)
        assert (seen.policies, [case.policy for case in seen.shown]) == ({becomes: 1}, [becomes])
        audits = audit(known, book, scene.clock.now_ms())
        assert {made.policy for each in audits for made in each.changes} == {becomes}
        assert [head.case for head in await scene.store.heads(scene.actor.pool)] == ["c1"]
        assert f'"{becomes}"' in after.class_key


async def test_a_policy_that_comes_with_its_queue_fires_what_is_overdue_once_and_is_taken_up_again_and_again() -> None:
    async with stage(rulebook(OF_QUEUE)) as scene:
        await scene.write("c1")
        await scene.pass_s(1_000)
        for policy in ("quick", "slow", "quick", "standard"):
            await change(
                scene, rulebook(OF_QUEUE.replace("general: {policy: standard", f"general: {{policy: {policy}"))
            )
            assert (await detail(scene)).verdict.policy == policy
        await scene.pass_s(40_000)
        assert sorted(await fired(scene)) == ["breach.first_response|0.replan", "warn.first_response|0.replan"]


async def test_a_case_that_was_transferred_keeps_its_policy_whatever_its_new_queue_promises() -> None:
    async with stage(rulebook(OF_QUEUE.replace("billing: {policy: standard", "billing: {policy: quick"))) as scene:
        await scene.hire("mina")
        await scene.write("c1")
        await scene.accept("c1")
        await scene.casework.transfer(CaseId("c1"), scene.request("mina"), queue="billing")
        await change(scene, rulebook(OF_QUEUE.replace("billing: {policy: standard", "billing: {policy: slow")))
        known = await detail(scene)
        assert (known.verdict.queue, known.verdict.policy, known.replans) == ("billing", "standard", ())


async def test_a_policy_under_another_name_is_followed() -> None:
    renamed = RULES.replace("standard: {first", "other: {first").replace("policy: standard", "policy: other")
    async with stage(promising(3600)) as scene:
        await scene.write("c1")
        before = await scene.case("c1")
        await change(scene, rulebook(renamed))
        after, known = await scene.case("c1"), await detail(scene)
        assert (known.verdict.policy, due(after), after.timers) == ("other", due(before), before.timers)
        assert (known.replans[-1].moved, known.replans[-1].policy) == ({}, "other")


async def test_scenario_20_a_removed_policy_fires_nothing_more_and_its_queues_takes_its_place() -> None:
    removed = BY_RULE.replace("  quick: {first_response_s: 600, resolution_s: 86400}\n", "")
    removed = removed.replace("set: {policy: quick}", "set: {priority: 1}")
    async with stage(rulebook(BY_RULE)) as scene:
        await scene.write("c1")
        opened = scene.clock.now_ms()
        assert due(await scene.case("c1")) == opened + 600_000
        await change(scene, rulebook(removed))
        assert (await detail(scene)).verdict.policy == "standard"
        assert due(await scene.case("c1")) == opened + 3_600_000
        await scene.pass_s(1_000)
        assert await fired(scene) == []
        # Removed by mistake: what gave it gives it again.
        await change(scene, rulebook(BY_RULE))
        assert (await detail(scene)).verdict.policy == "quick"
        assert await fired(scene) == []
        await scene.pass_s(10)
        assert sorted(await fired(scene)) == ["breach.first_response|0.replan", "warn.first_response|0.replan"]


async def test_repeating_it_changes_nothing_more() -> None:
    async with stage(promising(3600)) as scene:
        await scene.write("c1")
        await change(scene, promising(7200))
        once = await scene.case("c1")
        await through(scene, replanner(scene).look())
        assert await scene.case("c1") == once


async def test_a_holiday_that_was_forgotten_is_taken_out_of_what_was_used() -> None:
    clocked = RULES.replace("standard: {first", "standard: {calendar: office, first")
    async with stage(rulebook(clocked + CALENDAR % "")) as scene:
        await scene.write("c1")
        opened = scene.clock.now_ms()
        day = datetime.fromtimestamp(opened / 1000, UTC).date().isoformat()
        await scene.pass_s(1)
        await change(scene, rulebook(clocked + CALENDAR % f", dates: {{{day}: {{name: Forgotten}}}}"))
        found = next(
            each
            for each in audit(await detail(scene), scene.policies.active, scene.clock.now_ms())
            if each.name == "first_response"
        )
        assert found.used_ms == 0
        assert "Forgotten" in {name for part in found.stretches for name in part.names}
        assert [(each.rulebook, each.is_overdue) for each in found.changes] == [(scene.policies.active.hash, False)]


async def test_a_clock_that_is_no_more_promised_stands_no_longer_in_the_case_and_a_met_one_stays() -> None:
    async with stage(promising(3600, more=", assignment_s: 600, update_s: 900")) as scene:
        await scene.hire("mina")
        await scene.write("c1")
        await scene.accept("c1")
        await scene.casework.reply(CaseId("c1"), scene.request("mina"), text="hello")
        assert set((await detail(scene)).clocks) == {"first_response", "resolution", "assignment", "update"}
        await change(scene, promising(3600))
        known = await detail(scene)
        assert set(known.clocks) == {"first_response", "resolution", "assignment"}
        assert not [timer for timer in (await scene.case("c1")).timers if "update" in timer]


async def test_who_is_not_the_one_leaves_it_to_the_other() -> None:
    async with stage(promising(3600)) as scene:
        await scene.write("c1")
        before = await scene.case("c1")
        scene.policies.activate(promising(7200))
        mine = replanner(scene)
        mine.is_ours = lambda: False
        await through(scene, mine.look())
        assert await scene.case("c1") == before
        mine.is_ours = lambda: True
        await through(scene, mine.look())
        assert due(await scene.case("c1")) != due(before)


async def test_it_looks_again_a_minute_later_for_what_was_opened_by_the_old_rulebook() -> None:
    async with stage(promising(3600)) as scene:
        old, new, mine = scene.policies.active, promising(7200), replanner(scene)
        scene.policies.activate(new)
        await through(scene, mine.look())
        scene.policies.activate(old)  # another router that hasn't heard of it yet
        await scene.write("c1")
        scene.policies.activate(new)
        await through(scene, mine.look())
        assert not (await detail(scene)).replans
        await scene.clock.advance_ms(60_000)
        await through(scene, mine.look())
        assert (await detail(scene)).replans[-1].rulebook == new.hash


@pytest.mark.parametrize(
    ("first_s", "earlier", "later", "overdue"), [(600, 1, 0, {"first_response": 1}), (7200, 0, 1, {}), (3600, 0, 0, {})]
)
async def test_before_it_is_shown_what_would_change_and_nothing_is_written(
    first_s: int, earlier: int, later: int, overdue: dict[str, int]
) -> None:
    async with stage(promising(3600)) as scene:
        await scene.write("c1")
        await scene.pass_s(1_000)
        before = await scene.case("c1")
        found = await looked_at(scene, promising(first_s))
        assert (found.cases, found.earlier, found.later, found.overdue) == (1, earlier, later, overdue)
        assert found.touched == len(found.shown) == earlier + later
        assert await scene.case("c1") == before
        await change(scene, promising(first_s))
        after = await scene.case("c1")
        for case in found.shown:
            assert case.moved["first_response"] == (due(before), due(after))


async def test_scenario_21_a_policy_edited_while_many_cases_are_open_reaches_all_and_holds_up_nobody() -> None:
    async with stage(promising(3600)) as scene:
        for number in range(300):
            await scene.write(f"c{number}")
        scene.policies.activate(promising(7200))
        task = asyncio.create_task(replanner(scene).look())
        done, most, before = 0, 0, await replanned(scene)
        while not task.done():
            rests = asyncio.create_task(scene.clock.asleep())  # between batches, and everybody else goes on
            await asyncio.wait({task, rests}, return_when=asyncio.FIRST_COMPLETED)
            rests.cancel()
            done = await replanned(scene)
            most, before = max(most, done - before), done
            await scene.write(f"new-{done}")
            await scene.clock.advance_ms(1)
            await asyncio.sleep(0)
        assert (await replanned(scene), most) == (300, 20)
        for number in range(300):
            told = read_detail((await scene.case(f"c{number}")).detail).replans[-1]
            move = told.moved["first_response"]
            assert move.was_ms is not None
            assert move.now_ms == move.was_ms + HOUR


async def test_whatever_happens_afterwards_goes_by_the_new_terms() -> None:
    async with stage(promising(3600)) as scene:
        await scene.hire("mina")
        await scene.write("c1")
        await scene.accept("c1")
        await scene.casework.reply(CaseId("c1"), scene.request("mina"), text="hello")
        half_days = RULES.replace("standard: {first", "standard: {calendar: office, first") + CALENDAR % ""
        await change(scene, rulebook(half_days))
        due_ms = (await scene.case("c1")).timers["breach.resolution|0"]
        (reply,) = (await detail(scene)).replies
        told = Delivery(
            pool=scene.actor.pool,
            case=CaseId("c1"),
            conversation=(await scene.case("c1")).conversation,
            account=(await detail(scene)).account,
            reply=reply.id,
            state=DeliveryState.SENT,
            at_ms=scene.clock.now_ms(),
        )
        deliveries = Deliveries(scene.actor, policies=scene.policies, progress=Progress(scene.actor.pool, scene.store))
        await deliveries.handle(
            Record(
                partition=Partition(DELIVERIES, 0),
                offset=0,
                epoch=1,
                key="t",
                value=encode(told),
                headers=(),
                published_at_ms=1,
            )
        )
        after = await scene.case("c1")
        assert (await detail(scene)).replies[0].state == "sent"
        assert after.timers["breach.resolution|0"] == due_ms
        requeued = requeueing(scene.policies, scene.clock)(after)
        assert requeued.timers["breach.resolution|0"] == due_ms
