"""Secondary members: they join when a case has waited long enough, and it goes on waiting at its place."""

import pytest
from msgspec.structs import replace

from router.api.wording.phrases import Language
from router.api.wording.words import Words
from router.contract.advisor import read_profile, write_profile
from router.contract.case import CaseState, read_detail
from router.contract.ids import AdvisorId, CaseId
from router.engine.eligibility import Filter, fit, is_eligible, passing
from router.engine.membership import memberships
from router.engine.plans import waiting_class
from router.service.configuration.rule_files import enrol, profile_of
from router.store.acts import Result
from rules import Rulebook, load_roster
from rules.membership import secondary
from tests.suites.stage import POOL, RULES, Stage, rulebook, stage

MEMBER = {"queues": ("billing",), "skills": {"billing": 5}}
HELPER = {"queues": ("general",), "secondary": ("billing",), "skills": {"billing": 5}}
ROSTER = """
advisors:
  - {id: mina, name: Mina, languages: {en: 9}, skills: {billing: 5}, queues: [billing]}
  - {id: jun, name: Jun, languages: {en: 9}, skills: {billing: 5}, queues: [general], secondary: [billing]}
  - {id: ara, name: Ara, languages: {en: 9}, skills: {billing: 5}, queues: [], secondary: [billing]}
"""


def book(settings: str = "secondary_after_s: 60") -> Rulebook:
    old = "  billing: {policy: standard, ladder: standard, offer_s: 30"
    return rulebook(RULES.replace(old, f"{old}, {settings}"))


async def told(scene: Stage, case: str) -> list[str]:
    return [line.split("|", 5)[5] for line in await scene.store.history(POOL, CaseId(case)) if "|rejudge|" in line]


async def waiting(scene: Stage, case: str) -> tuple[CaseState, tuple[str, ...]]:
    state = await scene.case(case)
    detail = read_detail(state.detail)
    return state, waiting_class(state, detail, scene.policies.scene(state, scene.clock.now_ms())).queues


async def test_a_secondary_member_gets_it_after_the_delay_and_not_before() -> None:
    async with stage(book()) as scene:
        await scene.hire("jun", **HELPER)  # type: ignore[arg-type]
        await scene.write("c1", "invoice")
        await scene.pass_s(59.999)
        assert await scene.holder("c1") == ""
        await scene.pass_s(0.001)
        assert await scene.holder("c1") == "jun"
        assert await told(scene, "c1") == ["relax 1"]
        assert (await waiting(scene, "c1"))[1] == (secondary("billing"),)
        await scene.nobody_waits_in_vain()


async def test_a_primary_member_gets_it_at_once_and_without_a_delay_nobody_else_ever_does() -> None:
    async with stage(book("ring: 1")) as scene:
        await scene.hire("jun", **HELPER)  # type: ignore[arg-type]
        await scene.write("c1", "invoice")
        await scene.pass_s(100_000)
        assert await scene.holder("c1") == ""
        await scene.hire("mina", **MEMBER)  # type: ignore[arg-type]
        assert await scene.holder("c1") == "mina"


async def test_it_keeps_its_place_beside_the_steps_of_its_queue() -> None:
    steps = "secondary_after_s: 60, relax: [{after_s: 40, levels: {billing: 3}}, {after_s: 90, queues: [general]}]"
    async with stage(book(steps)) as scene:
        await scene.write("c1", "invoice")
        await scene.pass_s(20)
        await scene.write("c2", "invoice")
        before = {name: (await scene.case(name)).score for name in ("c1", "c2")}
        await scene.pass_s(45)
        assert [(await waiting(scene, name))[1] for name in ("c1", "c2")] == [(secondary("billing"),), ()]
        await scene.pass_s(40)
        assert await told(scene, "c1") == ["relax 1", "relax 2", "relax 3"]
        assert (await waiting(scene, "c1"))[1] == (secondary("billing"), "general")
        assert {name: (await scene.case(name)).score for name in before} == before
        await scene.hire("jun", **{**HELPER, "skills": {"billing": 3}})  # type: ignore[arg-type]
        assert await scene.holder("c1") == "jun"


async def test_a_transfer_begins_the_wait_in_the_other_queue_anew() -> None:
    async with stage(book()) as scene:
        await scene.hire("jun", **{**HELPER, "queues": ("direct",)})  # type: ignore[arg-type]
        await scene.write("c1", "invoice")
        await scene.pass_s(50)
        assert (await scene.casework.transfer(CaseId("c1"), scene.request(), queue="general")).result is Result.QUEUED
        await scene.pass_s(1_000)
        await scene.casework.transfer(CaseId("c1"), scene.request(), queue="billing")
        await scene.pass_s(59)
        assert await scene.holder("c1") == ""
        await scene.pass_s(1)
        assert await scene.holder("c1") == "jun"


async def test_who_joins_and_when_is_said_in_words() -> None:
    async with stage(book()) as scene:
        await scene.hire("jun", **HELPER)  # type: ignore[arg-type]
        await scene.write("c1", "invoice")
        state = await scene.case("c1")
        for language, text in (
            (Language.ENGLISH, "in 60 s secondary members of billing may have it too"),
            (Language.KOREAN, "60초 뒤: 대기열 billing 보조 담당자도 가능"),
        ):
            said = Words(language, scene.tail.roster, scene.policies.active, scene.clock.now_ms()).explained(state)
            assert text in said.why_waiting
            (step,) = [each for each in said.would_free if each.change == "step"]
            assert (step.name, "billing" in step.text) == ("1", True)
            assert [each.advisors for each in said.would_free if each.change == "queue"] == [("jun",)]


async def test_the_roster_file_makes_them_and_one_who_serves_no_queue_of_his_own() -> None:
    async with stage(book()) as scene:
        rows = load_roster({"roster.yaml": ROSTER}).advisors
        assert await enrol(scene.actor, scene.tail, rows) == 3
        await scene.settle()
        people = {row.id: memberships(profile_of(row)) for row in rows}
        assert people == {
            "mina": ("billing",),
            "jun": ("general", secondary("billing")),
            "ara": ("-", secondary("billing")),
        }
        await scene.write("c1", "invoice")
        state, _ = await waiting(scene, "c1")
        asked = waiting_class(state, read_detail(state.detail), scene.policies.scene(state, scene.clock.now_ms()))
        roster = scene.tail.roster
        assert {member.state.id for member in roster.members(fit(roster, asked))} == {"mina"}
        await scene.pass_s(60)
        state, _ = await waiting(scene, "c1")
        asked = waiting_class(state, read_detail(state.detail), scene.policies.scene(state, scene.clock.now_ms()))
        assert {member.state.id for member in roster.members(fit(roster, asked))} == {"mina", "jun", "ara"}


@pytest.mark.parametrize(
    ("profile", "queues", "serves"),
    [
        (MEMBER, (), True),
        (HELPER, (), False),
        (HELPER, (secondary("billing"),), True),
        (HELPER, ("general",), True),
        ({**HELPER, "queues": ("-",)}, ("general",), False),
        ({**HELPER, "queues": ()}, (), True),
    ],
)
async def test_the_roster_and_one_look_at_one_advisor_agree(
    profile: dict[str, object], queues: tuple[str, ...], serves: bool
) -> None:
    async with stage(book()) as scene:
        await scene.hire("jun", **profile)  # type: ignore[arg-type]
        await scene.write("c1", "invoice")
        state = await scene.case("c1")
        asked = waiting_class(state, read_detail(state.detail), scene.policies.scene(state, scene.clock.now_ms()))
        wanted, roster = replace(asked, queues=queues), scene.tail.roster
        member = roster.get(AdvisorId("jun"))
        assert member is not None
        assert bool(passing(roster, wanted, Filter.QUEUE)) == serves
        assert is_eligible(member, wanted) == serves


def test_an_older_profile_has_none_and_a_newer_one_keeps_what_it_has() -> None:
    older = read_profile('{"queues":["billing"]}')
    assert older.secondary == ()
    newer = write_profile(older, before='{"queues":["billing"],"shoe_size":43}')
    assert '"shoe_size":43' in newer
