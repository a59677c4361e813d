"""Steps of ladders, from what brings them to who has the case and who is told."""

import msgspec
import pytest

from router.contract.advisor import Presence
from router.contract.case import CaseStatus
from router.contract.ids import CaseId
from router.engine.waiting import effective_priority
from router.service.climbing import NO_STEP, NOTE_NEEDED
from router.store.acts import Result
from tests.suites.climbs import by_hand, known, ladder, said, staff
from tests.suites.stage import POOL, Stage, stage


async def told(scene: Stage) -> list[tuple[str, int]]:
    """The notices that have gone out: target and step."""
    sent = [msgspec.json.decode(text) for entry in await scene.store.pending(POOL, 0) for text in entry.notices]
    return [(notice["target"], notice.get("step", 0)) for notice in sent]


async def told_why(scene: Stage) -> list[dict[str, object]]:
    """What the notices that have gone out say of why, and of who has the case."""
    sent = [msgspec.json.decode(text) for entry in await scene.store.pending(POOL, 0) for text in entry.notices]
    members = ("trigger", "owner", "about", "top")
    return [{name: notice[name] for name in members if name in notice} for notice in sent]


CLIMBING = """      - {at: 0.5, move_up: true, reassign: take}
      - {at: 0.8, move_up: true, reassign: take}
      - {at: breach, move_up: true, reassign: take, notify: [leads]}
"""


async def test_an_unanswered_case_climbs_tier_by_tier_and_above_the_last_a_target_is_told() -> None:
    async with stage(ladder(CLIMBING)) as scene:
        await staff(scene, jun="junior", sen="senior", lee="lead")
        await scene.presence("sen", Presence.AWAY)
        await scene.presence("lee", Presence.AWAY)
        await scene.write("c1")
        await scene.accept("c1")
        assert await scene.holder("c1") == "jun"
        await scene.presence("sen", Presence.ONLINE)
        await scene.presence("lee", Presence.ONLINE)
        await scene.settle()
        await scene.pass_s(1_799.999)
        assert await scene.holder("c1") == "jun"
        await scene.pass_s(0.001)
        assert (await scene.holder("c1"), (await scene.case("c1")).state) == ("sen", CaseStatus.OFFERED)
        await scene.accept("c1")
        await scene.pass_s(1_080)
        assert await scene.holder("c1") == "lee"
        await scene.accept("c1")
        assert await told(scene) == []
        await scene.pass_s(720)
        assert await told(scene) == [("leads", 3), ("director", 3)]
        state = await scene.case("c1")
        assert [(each.step, each.trigger, each.tier, each.owner) for each in known(state).climbed] == [
            (1, "share", "senior", "jun"),
            (2, "share", "lead", "sen"),
            (3, "share", "", "lee"),
        ]
        assert state.step == 3


async def test_scenario_13_from_an_assignee_who_does_not_answer_it_is_taken_when_its_clock_says_so() -> None:
    async with stage(ladder("      - {at: 0.5, reassign: take}\n")) as scene:
        await staff(scene, jun="junior")
        await scene.write("c1")
        await scene.accept("c1")
        await staff(scene, min="junior")
        await scene.pass_s(1_799.999)
        assert (await scene.holder("c1"), await scene.load("jun")) == ("jun", 10)
        await scene.pass_s(0.001)
        assert (await scene.holder("c1"), await scene.load("jun")) == ("min", 0)
        (climbed,) = known(await scene.case("c1")).climbed
        assert (climbed.trigger, climbed.owner) == ("share", "jun")


async def test_a_tier_without_anybody_who_could_take_it_is_passed_over() -> None:
    async with stage(ladder(CLIMBING)) as scene:
        await staff(scene, jun="junior", lee="lead")
        await scene.presence("lee", Presence.AWAY)
        await scene.write("c1")
        await scene.pass_s(1_800)
        assert known(await scene.case("c1")).climbed[0].tier == "lead"
        assert await scene.holder("c1") == ""
        await scene.presence("lee", Presence.ONLINE)
        await scene.settle()
        assert await scene.holder("c1") == "lee"


@pytest.mark.parametrize(
    ("step", "why"),
    [
        ("{at: 0.5, notify: [leads]}", {"trigger": "share", "owner": "jun"}),
        ("{after_s: 60, reassign: take, notify: [leads]}", {"trigger": "after", "owner": ""}),
        ("{at: 0.5, move_up: true, notify: [leads]}", {"trigger": "share", "owner": "jun", "top": True}),
    ],
)
async def test_a_notice_says_what_its_step_came_for_and_who_has_the_case_now(step: str, why: dict[str, object]) -> None:
    async with stage(ladder(f"      - {step}\n")) as scene:
        await staff(scene, jun="junior")
        await scene.write("c1")
        await scene.accept("c1")
        await scene.pass_s(1_800)
        assert (await told_why(scene))[0] == why


async def test_a_notice_of_a_step_by_hand_names_the_advisor_who_took_it() -> None:
    async with stage(ladder("      - {by_hand: true, reassign: take, notify: [leads]}\n")) as scene:
        await staff(scene, jun="junior")
        await scene.write("c1")
        await scene.accept("c1")
        await by_hand(scene, "c1", "jun")
        assert await told_why(scene) == [{"trigger": "by-hand", "owner": "", "about": "jun"}]


async def test_a_notice_of_a_step_by_a_supervisor_names_no_advisor() -> None:
    async with stage(ladder("      - {by_hand: true, notify: [leads]}\n")) as scene:
        await staff(scene, jun="junior")
        await scene.write("c1")
        await by_hand(scene, "c1")
        assert await told_why(scene) == [{"trigger": "by-hand", "owner": ""}]


async def test_a_step_after_an_amount_of_time_and_its_actions() -> None:
    steps = "      - {after_s: 60, raise_priority: 2, labels: [late], relax: {queues: [billing]}, notify: [leads]}\n"
    async with stage(ladder(steps)) as scene:
        await scene.hire("bea", tier="junior", queues=("billing",))
        await scene.write("c1")
        await scene.pass_s(59.999)
        assert (await scene.case("c1")).step == 0
        await scene.pass_s(0.001)
        state = await scene.case("c1")
        assert (effective_priority(known(state)), known(state).labels) == (1, ("late",))
        assert (await scene.holder("c1"), await told(scene)) == ("bea", [("leads", 1)])


async def test_missed_offers_bring_a_step() -> None:
    async with stage(ladder("      - {missed: 2, move_up: true, notify: [leads]}\n")) as scene:
        await staff(scene, jun="junior", sen="senior")
        await scene.presence("sen", Presence.AWAY)
        await scene.write("c1")
        await scene.pass_s(30)
        assert (known(await scene.case("c1")).missed_offers, (await scene.case("c1")).step) == (1, 0)
        await scene.pass_s(60)
        state = await scene.case("c1")
        assert (known(state).missed_offers, state.step, known(state).climbed[0].trigger) == (2, 1, "missed")
        assert await told(scene) == [("leads", 1)]
        assert await told_why(scene) == [{"trigger": "missed", "owner": ""}]


MESSAGES = """      - {match: {message: {words: [lawyer, 소비자원]}}, move_up: true, reassign: take, notify: [legal]}
      - {match: {reopened: {range: [2, null]}}, raise_priority: 1}
      - {match: {labels: angry}, labels: [hot]}
"""


@pytest.mark.parametrize("text", ["I will ask my lawyer.", "소비자원에 신고하겠습니다."])
async def test_a_message_on_a_case_that_somebody_has_takes_it_up_a_tier(text: str) -> None:
    async with stage(ladder(MESSAGES)) as scene:
        await staff(scene, jun="junior", sen="senior")
        await scene.presence("sen", Presence.AWAY)
        await scene.write("c1")
        await scene.accept("c1")
        await scene.write("more", "hello again", talk="talk-c1")
        assert (await scene.case("c1")).step == 0
        outcome = await scene.write("worse", text, talk="talk-c1")
        assert outcome.result is Result.APPENDED
        state = await scene.case("c1")
        assert (state.state, state.step, known(state).climbed[0].trigger) == (CaseStatus.QUEUED, 1, "message")
        assert await told(scene) == [("legal", 1)]
        await scene.write("worse", text, talk="talk-c1")
        assert (await told(scene), (await scene.case("c1")).step) == ([("legal", 1)], 1)


async def test_the_first_message_counts_too_and_so_does_an_upstream_label() -> None:
    async with stage(ladder(MESSAGES)) as scene:
        await scene.write("c1", "my lawyer says hello")
        assert (await scene.case("c1")).step == 1
        await scene.write("c2", labels=("angry",))
        assert ((await scene.case("c2")).step, known(await scene.case("c2")).labels) == (3, ("hot",))


async def test_a_second_reopening_is_heard() -> None:
    async with stage(ladder(MESSAGES)) as scene:
        await staff(scene, jun="junior")
        await scene.write("c1")
        for number in range(2):
            await scene.accept("c1")
            await scene.resolve("c1")
            assert (await scene.case("c1")).step == 0
            await scene.write(f"again-{number}", talk="talk-c1")
            await scene.settle()
        state = await scene.case("c1")
        assert (known(state).reopened, state.step, known(state).climbed[0].rung) == (2, 2, 2)


HANDS = """      - {at: 0.9, notify: [leads]}
      - {by_hand: true, move_up: true, reassign: take, note: true}
"""


async def test_over_my_head_goes_to_the_next_tier_with_a_note() -> None:
    async with stage(ladder(HANDS)) as scene:
        await staff(scene, jun="junior", sen="senior")
        await scene.presence("sen", Presence.AWAY)
        await scene.write("c1")
        await scene.accept("c1")
        await scene.presence("sen", Presence.ONLINE)
        await scene.settle()
        lacking = await by_hand(scene, "c1", "jun")
        assert (lacking.lacking, (await scene.case("c1")).step) == (NOTE_NEEDED, 0)
        assert (await by_hand(scene, "c1", "sen", note="x")).outcome.result is Result.NOT_YOURS
        done = await by_hand(scene, "c1", "jun", note="He wants the contract explained.")
        assert (done.outcome.result, done.lacking) == (Result.QUEUED, "")
        await scene.settle()
        assert await scene.holder("c1") == "sen"
        assert await scene.load("jun") == 0
        entry = msgspec.json.decode((await scene.store.messages(POOL, CaseId("c1")))[-1])
        assert (entry["text"], entry["author"]) == ("He wants the contract explained.", "jun")
        climb = known(await scene.case("c1")).climbed[0]
        assert (climb.by, climb.reason, climb.owner, climb.trigger) == ("jun", "over my head", "jun", "by-hand")
        assert (await by_hand(scene, "c1")).lacking == NO_STEP


async def test_the_same_operation_climbs_once() -> None:
    async with stage(ladder("      - {by_hand: true, raise_priority: 1}\n")) as scene:
        await staff(scene, jun="junior")
        await scene.write("c1")
        await scene.accept("c1")
        request = said(scene.request("jun"), "help")
        first = await scene.casework.escalate(CaseId("c1"), request)
        again = await scene.casework.escalate(CaseId("c1"), request)
        assert (first.outcome.result, again.outcome.result, again.lacking) == (Result.DONE, Result.DONE, "")
        assert again.outcome.repeated
        assert (await scene.case("c1")).step == 1


async def test_another_ladder_is_climbed_from_its_foot_and_the_step_goes_on() -> None:
    steps = "      - {at: 0.5, ladder: urgent}\n      - {at: 0.9, notify: [never]}\n"
    urgent = "  urgent: {steps: [{at: 0.6, notify: [first]}, {at: 0.7, notify: [second]}]}\n"
    async with stage(ladder(steps, urgent)) as scene:
        await scene.write("c1")
        await scene.pass_s(3_600)
        state = await scene.case("c1")
        assert (state.step, await told(scene)) == (3, [("first", 2), ("second", 3)])
        assert [(each.ladder, each.rung) for each in known(state).climbed] == [
            ("standard", 1), ("urgent", 1), ("urgent", 2),
        ]  # fmt: skip


async def test_a_person_lowers_the_step_and_it_does_not_come_again_by_itself() -> None:
    steps = """      - {at: 0.1, raise_priority: 1}
      - {at: 0.2, move_up: true, raise_priority: 1, notify: [leads]}
      - {at: 0.9, notify: [late]}
"""
    async with stage(ladder(steps)) as scene:
        await staff(scene, jun="junior", sen="senior")
        await scene.presence("jun", Presence.AWAY)
        await scene.presence("sen", Presence.AWAY)
        await scene.write("c1")
        await scene.pass_s(1_000)
        state = await scene.case("c1")
        assert (state.step, effective_priority(known(state))) == (2, 1)
        lowered = await scene.casework.lower(CaseId("c1"), said(scene.request(), "a misunderstanding"), step=1)
        assert lowered.result is Result.DONE
        state = await scene.case("c1")
        assert (state.step, effective_priority(known(state))) == (1, 2)
        assert (known(state).climbed[-1].trigger, known(state).climbed[-1].reason) == ("lowered", "a misunderstanding")
        await scene.presence("jun", Presence.ONLINE)
        await scene.settle()
        assert await scene.holder("c1") == "jun"
        await scene.accept("c1")
        await scene.pass_s(1_000)
        assert ((await scene.case("c1")).step, await told(scene)) == (1, [("leads", 2)])
        await scene.pass_s(2_000)
        assert ((await scene.case("c1")).step, (await told(scene))[-1]) == (3, ("late", 3))
        assert (await scene.casework.lower(CaseId("c1"), scene.request(), step=9)).result is Result.SAME


async def test_who_gave_it_up_is_not_asked_again_unless_nobody_else_could() -> None:
    async with stage(ladder("      - {by_hand: true, reassign: take}\n")) as scene:
        await staff(scene, jun="junior")
        await scene.write("c1")
        await scene.accept("c1")
        await by_hand(scene, "c1", "jun")
        await scene.settle()
        assert await scene.holder("c1") == ""
        await scene.pass_s(15)
        assert await scene.holder("c1") == "jun"
        await scene.nobody_waits_in_vain()


async def test_steps_are_counted_by_ladder_and_place() -> None:
    urgent = "  urgent: {steps: [{at: 0.6, notify: [first]}]}\n"
    async with stage(ladder("      - {at: 0.5, ladder: urgent}\n", urgent)) as scene:
        await scene.write("c1")
        await scene.pass_s(3_600)
        found = {
            (name, step): scene.registry.get_sample_value(
                "turnout_escalation_steps_total", {"ladder": name, "step": step}
            )
            for name, step in (("standard", "1"), ("urgent", "1"))
        }
        assert found == {("standard", "1"): 1.0, ("urgent", "1"): 1.0}


@pytest.mark.parametrize(("tier", "holder"), [("", "jun"), ("junior", "jun"), ("lead", "lee")])
async def test_a_person_who_hands_the_case_on_goes_before_the_tier_it_had_climbed_to(tier: str, holder: str) -> None:
    async with stage(ladder("      - {at: 0.1, move_up: true, reassign: take}\n")) as scene:
        await staff(scene, jun="junior", sen="senior", lee="lead")
        for name in ("jun", "sen", "lee"):
            await scene.presence(name, Presence.AWAY)
        await scene.write("c1")
        await scene.pass_s(400)
        assert known(await scene.case("c1")).climbed[0].tier == "senior"
        await scene.casework.transfer(CaseId("c1"), said(scene.request(), "not for them"), queue="general", tier=tier)
        told = known(await scene.case("c1")).climbed[-1]
        assert (told.trigger, told.reason, told.tier) == ("handed", "not for them", tier)
        await scene.presence("lee" if tier == "lead" else "jun", Presence.ONLINE)
        await scene.settle()
        assert await scene.holder("c1") == holder
