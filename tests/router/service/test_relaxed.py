"""Steps of relaxation, from the rulebook to the advisor who gets the case."""

import pytest

from router.contract.advisor import Presence
from router.contract.case import CaseState, CaseStatus, read_detail
from router.contract.ids import CaseId
from router.store.acts import Due, Result
from rules import Rulebook
from tests.suites.stage import POOL, RULES, Stage, rulebook, stage

BOOK = """  billing:
    policy: standard
    tiers: [senior]
    relax:
      - {after_s: 40, levels: {billing: 3}}
      - {after_s: 90, drop: [billing], tiers: [junior]}
      - {after_s: 120, queues: [general], any_language: true}
"""
SENIOR = {"tier": "senior", "queues": ("billing",), "skills": {"billing": 5}}


def relaxing() -> Rulebook:
    return rulebook(RULES.replace("  billing: {policy: standard, ladder: standard, offer_s: 30}\n", BOOK))


def steps_of(state: CaseState) -> int:
    return read_detail(state.detail).relaxed


async def told(scene: Stage, case: str) -> list[str]:
    return [line.split("|", 5)[5] for line in await scene.store.history(POOL, CaseId(case)) if "|rejudge|" in line]


@pytest.mark.parametrize(
    ("profile", "after_s"),
    [
        (SENIOR, 0),
        ({**SENIOR, "skills": {"billing": 3}}, 40),
        ({**SENIOR, "skills": {}}, 90),
        ({**SENIOR, "tier": "junior"}, 90),
        ({**SENIOR, "queues": ("general",)}, 120),
        ({**SENIOR, "languages": {"ja": 5}}, 120),
    ],
)
async def test_the_first_step_that_lets_him_in_gives_him_the_case(profile: dict[str, object], after_s: int) -> None:
    async with stage(relaxing()) as scene:
        await scene.hire("mina", **profile)  # type: ignore[arg-type]
        await scene.write("c1", "invoice")
        if after_s:
            await scene.pass_s(after_s - 0.001)
            assert await scene.holder("c1") == ""
            await scene.pass_s(0.001)
        assert await scene.holder("c1") == "mina"
        assert await told(scene, "c1") == [f"relax {n}" for n, at in ((1, 40), (2, 90), (3, 120)) if at <= after_s]
        await scene.nobody_waits_in_vain()


async def test_a_relaxed_case_keeps_its_place() -> None:
    async with stage(relaxing()) as scene:
        await scene.write("c1", "invoice")
        await scene.pass_s(30)
        await scene.write("c2", "invoice")
        before = {name: (await scene.case(name)).score for name in ("c1", "c2")}
        await scene.pass_s(15)
        assert (steps_of(await scene.case("c1")), steps_of(await scene.case("c2"))) == (1, 0)
        assert {name: (await scene.case(name)).score for name in ("c1", "c2")} == before
        await scene.hire("mina", **SENIOR)  # type: ignore[arg-type]
        assert await scene.holder("c1") == "mina"


async def test_whoever_has_it_is_asked_nothing_less_and_a_new_wait_begins_anew() -> None:
    async with stage(relaxing()) as scene:
        await scene.hire("mina", **SENIOR)  # type: ignore[arg-type]
        await scene.write("c1", "invoice")
        await scene.accept("c1")
        await scene.pass_s(1_000)
        state = await scene.case("c1")
        assert (steps_of(state), "relax|0" in state.timers) == (0, False)
        await scene.presence("mina", Presence.AWAY)
        await scene.casework.requeue(CaseId("c1"), scene.request())
        await scene.pass_s(50)
        assert (steps_of(await scene.case("c1")), await told(scene, "c1")) == (1, ["relax 1"])


async def test_a_missed_offer_loses_neither_step_nor_time() -> None:
    async with stage(relaxing()) as scene:
        await scene.hire("mina", **{**SENIOR, "skills": {"billing": 3}})  # type: ignore[arg-type]
        await scene.write("c1", "invoice")
        await scene.pass_s(40)
        assert (await scene.case("c1")).state is CaseStatus.OFFERED
        await scene.pass_s(49.999)
        assert steps_of(await scene.case("c1")) == 1
        await scene.pass_s(0.001)
        assert steps_of(await scene.case("c1")) == 2


async def test_steps_that_are_overdue_are_taken_one_after_the_other() -> None:
    async with stage(relaxing()) as scene:
        await scene.write("c1", "invoice")
        await scene.clock.advance_ms(500_000)
        await scene.pass_s(0)
        assert await told(scene, "c1") == ["relax 1", "relax 2", "relax 3"]
        state = await scene.case("c1")
        assert (steps_of(state), "relax|0" in state.timers) == (3, False)


async def test_another_queue_has_steps_of_its_own() -> None:
    async with stage(relaxing()) as scene:
        await scene.write("c1", "invoice")
        await scene.pass_s(60)
        moved = await scene.casework.transfer(CaseId("c1"), scene.request(), queue="general")
        assert moved.result is Result.QUEUED
        state = await scene.case("c1")
        assert (steps_of(state), "relax|0" in state.timers) == (0, False)
        await scene.casework.transfer(CaseId("c1"), scene.request(), queue="billing")
        await scene.pass_s(39.999)
        assert steps_of(await scene.case("c1")) == 0
        await scene.pass_s(0.001)
        assert steps_of(await scene.case("c1")) == 1


async def test_a_case_that_comes_back_wants_all_again() -> None:
    async with stage(relaxing()) as scene:
        await scene.hire("mina", **{**SENIOR, "skills": {"billing": 3}})  # type: ignore[arg-type]
        await scene.write("c1", "invoice")
        await scene.pass_s(40)
        await scene.accept("c1")
        await scene.resolve("c1")
        await scene.presence("mina", Presence.OFFLINE)
        await scene.write("c1b", "again", talk="talk-c1")
        state = await scene.case("c1")
        assert (state.state, steps_of(state)) == (CaseStatus.QUEUED, 0)
        assert state.timers["relax|0"] == scene.clock.now_ms() + 40_000


async def test_a_router_that_died_before_its_act_leaves_the_step_to_another() -> None:
    async with stage(relaxing()) as scene:
        await scene.write("c1", "invoice")
        await scene.clock.advance_ms(40_000)
        due = await scene.store.apply([Due(**scene.common())])
        assert [claim.timer for claim in due[0].claims] == ["relax|0"]
        await scene.pass_s(2)
        assert await told(scene, "c1") == ["relax 1"]


async def test_who_speaks_the_language_too_little_waits_for_the_step_that_asks_less_of_it() -> None:
    levels = "general: {policy: standard, language_level: 7, relax: [{after_s: 40, language_level: 5}]}"
    book = rulebook(RULES.replace("general: {policy: standard, ladder: standard, offer_s: 30}", levels))
    async with stage(book) as scene:
        await scene.hire("little", languages={"en": 4})
        await scene.hire("enough", languages={"en": 5})
        await scene.write("c1")
        await scene.pass_s(39.999)
        assert await scene.holder("c1") == ""
        await scene.pass_s(0.001)
        assert await scene.holder("c1") == "enough"
        await scene.hire("well", languages={"en": 7})
        await scene.write("c2")
        assert await scene.holder("c2") == "well"
        await scene.nobody_waits_in_vain()
