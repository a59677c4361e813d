"""Decisions: every filter takes out whom it should, the best is the best, and the record gives the winner again."""

import random

import pytest
from msgspec.structs import replace

from router.contract.advisor import Presence
from router.contract.ids import AdvisorId, CaseId
from router.engine.decide import Waiting, decide, decide_turn, next_for, nominate
from router.engine.explain import case_again, decide_again, read_explanation, write_explanation
from router.engine.waiting import ClassWant, WaitClass
from tests.suites.golden import check_golden
from tests.suites.people import NOW, advisor, roster
from tests.suites.stage import rulebook

RULES = rulebook()
CLASS = WaitClass(
    queue="billing",
    channel="chat",
    units=30,
    wants=(ClassWant("billing", 5, True),),
    language="ko",
    tiers=("senior", "lead"),
    priority=3,
    policy="standard",
    clock="first_response",
    excluded=("excluded",),
    held_for="",
)


def head(name: str, waiting: WaitClass = CLASS, *, due_s: int = 1800) -> Waiting:
    return Waiting(class_key=waiting.key, score_ms=NOW + due_s * 1000, case=CaseId(name))


ONE_FOR_EACH_FILTER = (
    advisor("away", presence=Presence.AWAY),
    advisor("elsewhere", queues=("returns",)),
    advisor("junior", tier="junior"),
    advisor("unskilled", skills={"billing": 4}),
    advisor("english", languages={"en": 10}),
    advisor("excluded"),
    advisor("busy", load=80),
    advisor("winner", idle_s=90),
    advisor("second", idle_s=30),
)


def test_an_explanation_names_one_advisor_for_each_filter() -> None:
    decision = decide(roster(*ONE_FOR_EACH_FILTER), CLASS, CaseId("c1"), RULES, NOW)
    check_golden("engine/explanation.json", write_explanation(decision.explanation).encode())
    taken_out = {name: removed.first for name, removed in decision.explanation.removed.items()}
    assert taken_out == {
        "presence": ("away",),
        "queue": ("elsewhere",),
        "tier": ("junior",),
        "skill": ("unskilled",),
        "language": ("english",),
        "excluded": ("excluded",),
        "room": ("busy",),
    }
    assert [candidate.advisor for candidate in decision.candidates] == ["winner", "second"]


def test_a_held_case_is_for_its_advisor_only() -> None:
    held = WaitClass(**{**{name: getattr(CLASS, name) for name in CLASS.__struct_fields__}, "held_for": "second"})
    decision = decide(roster(*ONE_FOR_EACH_FILTER), held, CaseId("c1"), RULES, NOW)
    assert [candidate.advisor for candidate in decision.candidates] == ["second"]
    assert decision.explanation.removed["held"].first == ("busy", "winner")


def test_deciding_again_from_the_record_alone_gives_the_same_winner() -> None:
    dice = random.Random(7)
    for number in range(200):
        people = [advisor(f"a{index}", idle_s=dice.randrange(3), load=dice.choice((0, 30, 60))) for index in range(8)]
        decision = decide(roster(*people), CLASS, CaseId(f"c{number}"), RULES, NOW)
        again = read_explanation(write_explanation(decision.explanation))
        assert again is not None
        assert decide_again(again) == decision.candidates[0].advisor


def test_an_advisors_turn_is_recorded_with_the_heads_it_was_preferred_to() -> None:
    people = roster(advisor("mina"))
    heads = [head("late", due_s=60), head("early", due_s=3000)]
    turn = next_for(people, AdvisorId("mina"), heads, RULES, NOW)
    assert turn is not None
    explanation = decide_turn(people, AdvisorId("mina"), turn, RULES, NOW)
    assert (decide_again(explanation), case_again(explanation)) == ("mina", "late")


def test_permuting_advisors_changes_no_decision() -> None:
    people = [advisor(f"a{index}", idle_s=index % 3, load=30 * (index % 2)) for index in range(12)]
    expected = decide(roster(*people), CLASS, CaseId("c1"), RULES, NOW).candidates
    for seed in range(20):
        random.Random(seed).shuffle(people)
        assert decide(roster(*people), CLASS, CaseId("c1"), RULES, NOW).candidates == expected


def test_ties_differ_by_case_so_a_burst_does_not_herd() -> None:
    people = roster(*(advisor(f"a{index}") for index in range(20)))
    winners = {decide(people, CLASS, CaseId(f"c{index}"), RULES, NOW).candidates[0].advisor for index in range(200)}
    assert len(winners) == 20


@pytest.mark.parametrize(
    ("heads", "expected"),
    [
        pytest.param([], None, id="nothing waits"),
        pytest.param([head("c1"), head("c2", due_s=60)], "c2", id="the nearer its due time the sooner"),
        pytest.param([head("c1", due_s=-9999), head("c2", due_s=60)], "c1", id="overdue before due"),
        pytest.param([head("c2"), head("c1")], "c2", id="equal ones in a fixed order"),
    ],
)
def test_which_case_next(heads: list[Waiting], expected: str | None) -> None:
    for order in (heads, heads[::-1]):
        turn = next_for(roster(advisor("mina")), AdvisorId("mina"), order, RULES, NOW)
        if expected is None:
            assert turn is None
        else:
            assert turn is not None
            assert turn.head.case == expected


def test_an_important_case_he_cannot_take_is_passed_over() -> None:
    members = {name: getattr(CLASS, name) for name in CLASS.__struct_fields__}
    important = WaitClass(**{**members, "priority": 1, "language": "ja"})
    turn = next_for(
        roster(advisor("mina")), AdvisorId("mina"), [head("vip", important, due_s=1), head("plain")], RULES, NOW
    )
    assert turn is not None
    assert turn.head.case == "plain"


def test_nobody_is_nominated_when_nobody_can_take_it() -> None:
    assert nominate(roster(advisor("busy", load=90)), head("c1"), RULES, NOW) is None


def test_a_roster_takes_no_older_state_and_follows_load_and_profile() -> None:
    people = roster(advisor("mina"))
    bit = people.bit("mina")
    assert people.with_room(30, "chat") & bit
    newer = replace(advisor("mina", load=80), ver=2)
    assert people.apply(newer)
    assert not people.with_room(30, "chat") & bit
    assert not people.apply(advisor("mina"))
    assert not people.with_room(30, "chat") & bit
    assert people.apply(replace(advisor("mina", skills={"returns": 3}), ver=3))
    assert (people.with_skill("billing", 5) & bit, people.with_skill("returns", 3) & bit) == (0, bit)
