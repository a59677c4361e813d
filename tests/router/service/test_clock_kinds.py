"""Clocks of every kind through the real services: each breaches once, tells its margin, and chases who is late."""

from msgspec import json

from router.contract.case import FinishedClock, Pending, read_detail
from router.contract.ids import CaseId
from router.store.acts import Outcome
from tests.suites.stage import POOL, RULES, Stage, rulebook, stage

PROMISES = (
    "standard: {first_response_s: 3600, resolution_s: 86400, next_response_s: 100, assignment_s: 60, update_s: 500,"
    " third_party_s: 200, warn: [{before_s: 20}, 0.5],"
    " clocks: {third_party: {chase: {notify: [desk], every_s: 50, most: 3}}}}"
)
BOOK = rulebook(RULES.replace("standard: {first_response_s: 3600, resolution_s: 86400}", PROMISES))


async def begun(scene: Stage, *, queue: str = "") -> None:
    await scene.hire("mina", budget=100)
    await scene.write("c1", labels=(queue,) if queue else ())
    if not queue:
        await scene.accept("c1")


async def finished(scene: Stage) -> tuple[FinishedClock, ...]:
    return read_detail((await scene.case("c1")).detail).finished


async def told(scene: Stage, kind: str) -> list[tuple[str, str]]:
    entries = await scene.store.pending(POOL, 0, limit=1_000)
    return [(entry.about, entry.reason) for entry in entries if entry.kind == kind]


async def reply(scene: Stage) -> Outcome:
    return await scene.casework.reply(CaseId("c1"), scene.request("mina"), text="hello")


async def pend(scene: Stage, on: str) -> Outcome:
    pending = Pending(on=on, since_ms=scene.clock.now_ms())
    return await scene.casework.pend(CaseId("c1"), scene.request("mina"), pending=pending)


def targets(scene: Stage) -> dict[tuple[str, str], float]:
    samples = next(family for family in scene.registry.collect() if family.name == "turnout_sla_targets").samples
    return {
        (sample.labels["target"], sample.labels["result"]): sample.value
        for sample in samples
        if sample.value and sample.name.endswith("_total")
    }


async def test_every_message_of_the_customers_has_a_clock_of_its_own() -> None:
    async with stage(BOOK) as scene:
        await begun(scene)
        await reply(scene)
        for number, wait_s in enumerate((150, 40, 100)):
            await scene.write(f"m{number}", talk="talk-c1")
            await scene.pass_s(wait_s)
            await reply(scene)
        ends = [each for each in await finished(scene) if each.clock == "next_response"]
        assert [each.margin_ms for each in ends] == [-50_000, 60_000, 0]
        assert [each.target_ms for each in ends] == [100_000] * 3
        fired = [about for about, _ in await told(scene, "due")]
        assert [about for about in fired if "next_response" in about] == [
            "warn.next_response|0.1",
            "warn.next_response|0",
            "breach.next_response|0",
            "warn.next_response|2.1",
            "warn.next_response|2",
            "breach.next_response|2",
        ]
        assert targets(scene)["next_response", "met"] == 1
        assert targets(scene)["next_response", "missed"] == 2


async def test_a_second_message_before_the_answer_starts_nothing_anew() -> None:
    async with stage(BOOK) as scene:
        await begun(scene)
        await reply(scene)
        await scene.write("m1", talk="talk-c1")
        first = read_detail((await scene.case("c1")).detail).clocks["next_response"]
        await scene.pass_s(10)
        await scene.write("m2", talk="talk-c1")
        assert read_detail((await scene.case("c1")).detail).clocks["next_response"] == first


async def test_assignment_is_met_when_somebody_has_the_case_and_not_when_it_rings() -> None:
    async with stage(BOOK) as scene:
        await scene.hire("mina", budget=100)
        await scene.write("c1")
        await scene.pass_s(10)
        assert await finished(scene) == ()
        await scene.accept("c1")
        (end,) = await finished(scene)
        state = await scene.case("c1")
        assert (end.clock, end.margin_ms, end.ver, end.policy) == ("assignment", 50_000, state.ver, "standard")
        assert not [timer for timer in state.timers if "assignment" in timer]
        assert targets(scene) == {("assignment", "met"): 1}


async def test_assignment_is_met_in_the_act_that_opens_a_case_and_hands_it_over() -> None:
    book = rulebook(RULES.replace("standard: {first_response_s: 3600, resolution_s: 86400}", PROMISES))
    async with stage(book) as scene:
        await begun(scene, queue="direct")
        state = await scene.case("c1")
        assert state.owner == "mina"
        assert [(each.clock, each.margin_ms, each.ver) for each in await finished(scene)] == [("assignment", 60_000, 1)]
        assert not [timer for timer in state.timers if "assignment" in timer]
        assert targets(scene) == {("assignment", "met"): 1}


async def test_assignment_breaches_once_while_nobody_is_there_and_is_missed_by_so_much() -> None:
    async with stage(BOOK) as scene:
        await scene.write("c1")
        await scene.pass_s(90)
        await scene.hire("mina", budget=100)
        await scene.accept("c1")
        (end,) = await finished(scene)
        assert (end.clock, end.margin_ms) == ("assignment", -30_000)
        assert [about for about, _ in await told(scene, "due")].count("breach.assignment|0") == 1
        assert targets(scene) == {("assignment", "missed"): 1}


async def test_a_case_that_comes_back_to_its_owner_starts_no_assignment() -> None:
    async with stage(BOOK) as scene:
        await begun(scene)
        await pend(scene, "customer")
        await scene.write("m1", talk="talk-c1")
        assert (await scene.case("c1")).owner == "mina"
        assert [each.clock for each in await finished(scene)] == ["assignment"]


async def test_a_late_third_party_is_chased_until_it_is_enough() -> None:
    async with stage(BOOK) as scene:
        await begun(scene)
        await pend(scene, "third-party")
        await scene.pass_s(1_000)
        reminders = [entry for entry in await scene.store.pending(POOL, 0, limit=1_000) if entry.kind == "snooze"]
        assert [entry.reason for entry in reminders] == [
            f"reminder {number}: a third party is late" for number in (1, 2, 3)
        ]
        began = next(entry for entry in await scene.store.pending(POOL, 0, limit=1_000) if entry.kind == "pend").at_ms
        assert [(entry.at_ms - began) // 1000 for entry in reminders] == [200, 250, 300]
        notices = [json.decode(entry.notices[0]) for entry in reminders]
        assert {(notice["kind"], notice["clock"]) for notice in notices} == {("chaser", "third_party")}
        assert len({notice["id"] for notice in notices}) == 3
        assert [about for about, _ in await told(scene, "due")].count("breach.third_party|0") == 1


async def test_a_third_party_that_is_in_time_is_met_and_chased_no_more() -> None:
    async with stage(BOOK) as scene:
        await begun(scene)
        await pend(scene, "third-party")
        await scene.pass_s(150)
        await scene.write("m1", talk="talk-c1")
        (end,) = [each for each in await finished(scene) if each.clock == "third_party"]
        assert (end.margin_ms, targets(scene)["third_party", "met"]) == (50_000, 1)
        await scene.pass_s(1_000)
        assert await told(scene, "snooze") == []


async def test_a_supervisor_who_gives_a_pending_case_to_somebody_makes_its_clocks_go_on() -> None:
    async with stage(BOOK) as scene:
        await begun(scene)
        await pend(scene, "third-party")
        assert read_detail((await scene.case("c1")).detail).clocks["resolution"].running_since_ms is None
        await scene.pass_s(20)
        await scene.casework.requeue(CaseId("c1"), scene.request())
        detail = read_detail((await scene.case("c1")).detail)
        assert detail.clocks["resolution"].running_since_ms == scene.clock.now_ms()
        assert (detail.clocks["third_party"].met_at_ms, detail.pending) == (scene.clock.now_ms(), None)
