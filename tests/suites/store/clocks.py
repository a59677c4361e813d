"""What due and done promise, and how acts arm, move and disarm timers."""

import pytest

from router.contract.ids import CaseId
from router.contract.plan import Plan
from router.store.acts import Done, Due, Label, Resolve, Result, Snooze
from router.store.marks import LATE_MS
from tests.suites.store.bench import POOL, QUEUE, START_MS, Desk


class DueSuite:
    """Timers whose time has come."""

    async def test_nothing_before_its_time(self, desk: Desk) -> None:
        await self._armed(desk, {"warn.first|0": START_MS + 1, "ladder|0": START_MS + 1})
        outcome = await desk.do(desk.act(Due))
        assert (outcome.result, outcome.claims, outcome.number) == (Result.DONE, (), 0)

    @pytest.mark.parametrize("timer", ["warn.first|0", "breach.first|0"])
    async def test_warnings_and_breaches_fire_here_once(self, desk: Desk, timer: str) -> None:
        await self._armed(desk, {timer: START_MS + 5})
        await desk.pass_ms(7)
        outcome = await desk.do(desk.act(Due))
        (claim,) = outcome.claims
        assert (claim.subject, claim.id, claim.timer, claim.fired) == ("c", "c1", timer, True)
        assert (claim.due_ms, claim.deadline_ms) == (START_MS + 5, START_MS + 5)
        state = await desk.state("c1")
        assert (state.timers, state.ver) == ({}, 2)
        (entry,) = await desk.store.pending(POOL, 1)
        assert (entry.number, entry.kind, entry.about, entry.case) == (outcome.number, "due", timer, state)
        assert (await desk.do(desk.act(Due))).claims == ()

    async def test_others_are_handed_out_and_put_off(self, desk: Desk) -> None:
        await self._armed(desk, {"ladder|0": START_MS + 5})
        await desk.pass_ms(7)
        outcome = await desk.do(desk.act(Due, retry_ms=300))
        (claim,) = outcome.claims
        assert (claim.timer, claim.fired, claim.due_ms) == ("ladder|0", False, START_MS + 5)
        assert claim.deadline_ms == desk.now + 300
        state = await desk.state("c1")
        assert (state.timers, state.ver, outcome.number) == ({"ladder|0": desk.now + 300}, 1, 0)
        assert (await desk.do(desk.act(Due))).claims == ()

    async def test_who_died_with_a_claim_leaves_it_to_the_next(self, desk: Desk) -> None:
        await self._armed(desk, {"ladder|0": START_MS})
        (first,) = (await desk.do(desk.act(Due, retry_ms=300))).claims
        await desk.pass_ms(300)
        (second,) = (await desk.do(desk.act(Due, retry_ms=300))).claims
        assert (second.timer, second.due_ms) == ("ladder|0", first.deadline_ms)
        served = await desk.on(Snooze, "c1", claim=("ladder|0", first.deadline_ms))
        assert served.result is Result.GONE
        served = await desk.on(Snooze, "c1", claim=("ladder|0", second.deadline_ms))
        assert (served.result, (await desk.state("c1")).timers) == (Result.DONE, {})

    async def test_the_earliest_first_and_no_more_than_asked_for(self, desk: Desk) -> None:
        await self._armed(desk, {f"ladder|{n}": START_MS + 10 - n for n in range(4)})
        await desk.pass_ms(20)
        claims = (await desk.do(desk.act(Due, limit=3))).claims
        assert [claim.timer for claim in claims] == ["ladder|3", "ladder|2", "ladder|1"]

    async def test_never_more_than_ten(self, desk: Desk) -> None:
        await self._armed(desk, {f"warn.{n}|0": START_MS for n in range(12)})
        assert [len((await desk.do(desk.act(Due, limit=50))).claims) for _ in range(3)] == [10, 2, 0]

    async def test_a_fired_claim_has_a_version_each(self, desk: Desk) -> None:
        await self._armed(desk, {"warn.a|0": START_MS, "breach.a|0": START_MS})
        await desk.do(desk.act(Due))
        entries = await desk.store.pending(POOL, 1)
        assert [(entry.case and entry.case.ver, entry.about) for entry in entries] == [
            (2, "breach.a|0"),
            (3, "warn.a|0"),
        ]

    @pytest.mark.parametrize(("late_ms", "reason"), [(LATE_MS - 1, ""), (LATE_MS, "late by 1000 ms")])
    async def test_what_nobody_was_there_to_serve_says_how_late_it_comes(
        self, desk: Desk, late_ms: int, reason: str
    ) -> None:
        await self._armed(desk, {"breach.a|0": START_MS + 5})
        await desk.pass_ms(5 + late_ms)
        (told,) = (await desk.do(desk.act(Due))).claims
        assert (told.late_ms, told.put_off) == (late_ms if reason else 0, False)
        (entry,) = await desk.store.pending(POOL, 1)
        assert (entry.about, entry.reason) == ("breach.a|0", reason)

    async def test_after_an_outage_they_come_in_the_order_of_their_time(self, desk: Desk) -> None:
        hour = 3_600_000
        for n in range(15):
            timers = {"breach.a|0": START_MS + (7 * n % 15) * 1_000}
            await desk.admit(f"c{n}", plan=Plan(ver=0, class_key=QUEUE, timers=timers))
        await desk.pass_ms(hour)
        claims = [*(await desk.do(desk.act(Due))).claims, *(await desk.do(desk.act(Due))).claims]
        assert [claim.due_ms for claim in claims] == [START_MS + n * 1_000 for n in range(15)]
        assert [claim.late_ms for claim in claims] == [hour - n * 1_000 for n in range(15)]

    @staticmethod
    async def _armed(desk: Desk, timers: dict[str, int]) -> None:
        await desk.admit("c1", plan=Plan(ver=0, class_key=QUEUE, timers=timers))


class TimerSuite:
    """Plans arm timers."""

    async def test_one_moves_one_ends_one_stays(self, desk: Desk) -> None:
        timers = {"warn.a|0": START_MS + 10, "warn.b|0": START_MS + 20, "warn.c|0": START_MS + 30}
        await desk.admit("c1", plan=Plan(ver=0, class_key=QUEUE, timers=timers))
        moved = {"warn.a|0": START_MS + 25, "warn.b|0": 0}
        await desk.on(Label, "c1", plan=await desk.plan("c1", timers=moved))
        assert (await desk.state("c1")).timers == {"warn.a|0": START_MS + 25, "warn.c|0": START_MS + 30}
        status = await desk.store.status(POOL)
        assert (status.timers, status.next_timer_ms) == (2, START_MS + 25)
        await desk.pass_ms(25)
        assert [claim.timer for claim in (await desk.do(desk.act(Due))).claims] == ["warn.a|0"]

    async def test_a_timer_moved_to_the_past_is_due(self, desk: Desk) -> None:
        await desk.admit("c1", plan=Plan(ver=0, class_key=QUEUE, timers={"warn.a|0": 1}))
        assert len((await desk.do(desk.act(Due))).claims) == 1

    async def test_a_plan_may_arm_anew_what_its_act_claims(self, desk: Desk) -> None:
        await desk.admit("c1", plan=Plan(ver=0, class_key=QUEUE, timers={"x|0": 9}))
        plan = await desk.plan("c1", timers={"x|0": 12, "y|0": 13})
        await desk.on(Snooze, "c1", plan=plan, claim=("x|0", 9))
        assert (await desk.state("c1")).timers == {"x|0": 12, "y|0": 13}
        assert (await desk.store.status(POOL)).timers == 2


class DoneSuite:
    """Work items are served."""

    async def test_as_of_its_stamp(self, desk: Desk) -> None:
        await desk.admit("c1")
        item = (await desk.work())[f"k|{QUEUE}"]
        outcome = await desk.do(desk.act(Done, item=item.item, stamp=item.stamp))
        assert (outcome.result, await desk.work()) == (Result.DONE, {})
        assert (await desk.do(desk.act(Done, item=item.item, stamp=item.stamp))).result is Result.SAME

    async def test_stamped_again_it_stays(self, desk: Desk) -> None:
        await desk.admit("c1")
        before = (await desk.work())[f"k|{QUEUE}"]
        await desk.admit("c2")
        outcome = await desk.do(desk.act(Done, item=before.item, stamp=before.stamp))
        assert outcome.result is Result.SAME
        assert (await desk.work())[f"k|{QUEUE}"].stamp > before.stamp

    async def test_what_is_not_there_is_the_same(self, desk: Desk) -> None:
        assert (await desk.do(desk.act(Done, item="a|ann", stamp=0))).result is Result.SAME

    async def test_it_publishes_nothing(self, desk: Desk) -> None:
        await desk.admit("c1")
        await desk.serve_all()
        assert await desk.number() == 1

    async def test_a_place_is_set_by_the_first_stamp(self, desk: Desk) -> None:
        for name, class_key in (("c1", "k1"), ("c2", "k2"), ("c3", "k1")):
            await desk.admit(name, plan=Plan(ver=0, class_key=class_key))
        batch = await desk.store.work(POOL)
        assert [item.item for item in batch.items] == ["k|k1", "k|k2"]
        assert batch.items[0].stamp > batch.items[1].stamp
        assert batch.stamp == batch.items[0].stamp

    async def test_served_and_stamped_again_it_comes_last(self, desk: Desk) -> None:
        for name, class_key in (("c1", "k1"), ("c2", "k2")):
            await desk.admit(name, plan=Plan(ver=0, class_key=class_key))
        item = (await desk.work())["k|k1"]
        await desk.do(desk.act(Done, item=item.item, stamp=item.stamp))
        await desk.on(Resolve, CaseId("c1"))
        await desk.admit("c3", plan=Plan(ver=0, class_key="k1"))
        assert [item.item for item in (await desk.store.work(POOL)).items] == ["k|k2", "k|k1"]
