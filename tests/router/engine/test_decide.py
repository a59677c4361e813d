"""Decisions: every filter takes out whom it should, the best is the best, and the record gives the winner again."""

import random

import pytest
from msgspec.structs import replace

from router.contract.advisor import AdvisorState, Presence
from router.contract.ids import AdvisorId, CaseId
from router.engine.decide import Waiting, decide, decide_turn, next_for, nominate
from router.engine.explain import case_again, decide_again, read_explanation, write_explanation
from router.engine.waiting import ClassWant, WaitClass
from rules import Rulebook
from rules.rulebook import Strategy
from tests.suites.golden import check_golden
from tests.suites.people import CLASS as FITTING
from tests.suites.people import NOW, advisor, roster
from tests.suites.stage import RULES as RULES_TEXT
from tests.suites.stage import rulebook

RULES = rulebook()
CLASS = replace(FITTING, tiers=("senior", "lead"), excluded=("excluded",))


WANTS = (ClassWant("billing", 3, True), ClassWant("returns", 5, False))


def by(strategy: str, options: str = "") -> Rulebook:
    """The rules with a strategy for the queue."""
    return rulebook(
        RULES_TEXT.replace(
            "billing: {policy: standard,", f"billing: {{policy: standard, strategy: {strategy},{options}"
        )
    )


def drawn(dice: random.Random, size: int) -> list[AdvisorState]:
    return [
        replace(
            advisor(
                f"a{index}",
                idle_s=dice.randrange(9),
                load=dice.choice((0, 30, 60)),
                skills={"billing": dice.randrange(1, 8), "returns": dice.randrange(11)},
            ),
            online_since_ms=NOW - dice.randrange(600_000),
        )
        for index in range(size)
    ]


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


def test_an_explanation_has_every_term_of_the_best() -> None:
    rules = by("balanced", " weights: {affinity: 2, scarcity: 0.5}, ramp_s: 600,")
    people = roster(
        replace(advisor("winner", idle_s=60, skills={"billing": 9, "returns": 2}), online_since_ms=NOW - 900_000),
        replace(advisor("second", idle_s=300, load=25), online_since_ms=NOW - 300_000),
    )
    decision = decide(people, replace(CLASS, wants=WANTS), CaseId("c1"), rules, NOW, last_advisor="winner")
    check_golden("engine/explanation_balanced.json", write_explanation(decision.explanation).encode())
    assert [[*one.terms] for one in decision.explanation.best] == [
        ["score", "skill_fit", "free_share", "idle", "affinity", "scarcity", "ramp_in"]
    ] * 2


@pytest.mark.parametrize(
    ("others", "language", "winner"),
    [
        pytest.param([], "ko", "billing", id="who can do something else is kept for it"),
        pytest.param([advisor("z", languages={"en": 5})], "ko", "billing", id="also if one more can"),
        pytest.param([advisor(f"z{n}", languages={"en": 5}) for n in range(9)], "ko", "both", id="not if many can"),
        pytest.param(
            [replace(advisor(f"z{n}", languages={"en": 5}), presence=Presence.AWAY) for n in range(9)],
            "ko",
            "billing",
            id="those who are away don't count",
        ),
        pytest.param([], "en", "both", id="what the case asks for is no reason"),
    ],
)
def test_who_is_the_last_with_something_is_spared(others: list[AdvisorState], language: str, winner: str) -> None:
    people = roster(advisor("billing"), advisor("both", idle_s=60, languages={"ko": 7, "en": 7}), *others)
    found = decide(people, replace(CLASS, language=language), CaseId("c1"), by("balanced"), NOW)
    assert found.candidates[0].advisor == winner


def test_a_held_case_is_for_its_advisor_only() -> None:
    held = WaitClass(**{**{name: getattr(CLASS, name) for name in CLASS.__struct_fields__}, "held_for": "second"})
    decision = decide(roster(*ONE_FOR_EACH_FILTER), held, CaseId("c1"), RULES, NOW)
    assert [candidate.advisor for candidate in decision.candidates] == ["second"]
    assert decision.explanation.removed["held"].first == ("away", "busy", "winner")


@pytest.mark.parametrize("strategy", Strategy)
def test_deciding_again_from_the_record_alone_gives_the_same_winner(strategy: str) -> None:
    dice, rules = random.Random(7), by(strategy)
    wanted = replace(CLASS, wants=WANTS)
    for number in range(100):
        people = roster(*drawn(dice, dice.choice((8, 60))))
        decision = decide(people, wanted, CaseId(f"c{number}"), rules, NOW, last_advisor="a3")
        again = read_explanation(write_explanation(decision.explanation))
        assert again is not None
        assert decide_again(again) == (decision.candidates[0].advisor if decision.candidates else None)
        assert again.strategy == strategy


def test_an_advisors_turn_is_recorded_with_the_heads_it_was_preferred_to() -> None:
    people = roster(advisor("mina"))
    heads = [head("late", due_s=60), head("early", due_s=3000)]
    turn = next_for(people, AdvisorId("mina"), heads, RULES, NOW)
    assert turn is not None
    explanation = decide_turn(people, AdvisorId("mina"), turn, RULES, NOW)
    assert (decide_again(explanation), case_again(explanation)) == ("mina", "late")


@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize("size", [12, 60])
def test_permuting_advisors_changes_no_decision(strategy: str, size: int) -> None:
    people, rules, wanted = drawn(random.Random(size), size), by(strategy), replace(CLASS, wants=WANTS)
    expected = decide(roster(*people), wanted, CaseId("c1"), rules, NOW, last_advisor="a3").candidates
    for seed in range(20):
        random.Random(seed).shuffle(people)
        assert decide(roster(*people), wanted, CaseId("c1"), rules, NOW, last_advisor="a3").candidates == expected


@pytest.mark.parametrize("strategy", Strategy)
def test_one_more_advisor_changes_the_winner_to_himself_or_not_at_all(strategy: str) -> None:
    """Among as few as are all compared. ``balanced`` has no scarcity here: a colleague makes skills less scarce."""
    rules = by(strategy, " weights: {scarcity: 0}," if strategy == "balanced" else "")
    for seed in range(50):
        *people, new = drawn(random.Random(seed), 12)
        before, after = (
            decide(roster(*team), replace(CLASS, wants=WANTS), CaseId(f"c{seed}"), rules, NOW).candidates
            for team in (people, (*people, new))
        )
        assert len(after) >= len(before)
        if before:
            assert after[0].advisor in {before[0].advisor, new.id}


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
    assert people.room(30, "chat").bits & bit
    newer = replace(advisor("mina", load=80), ver=2)
    assert people.apply(newer)
    assert not people.room(30, "chat").bits & bit
    assert not people.apply(advisor("mina"))
    assert not people.room(30, "chat").bits & bit
    assert people.apply(replace(advisor("mina", skills={"returns": 3}), ver=3))
    assert (people.with_skill("billing", 5) & bit, people.with_skill("returns", 3) & bit) == (0, bit)


@pytest.mark.parametrize("strategy", Strategy)
def test_the_record_stays_small_among_many(strategy: str) -> None:
    people = roster(*drawn(random.Random(1), 2_000))
    made = decide(people, replace(CLASS, tiers=()), CaseId("c" * 36), by(strategy), NOW, last_advisor="a7")
    assert len(write_explanation(made.explanation)) < 900
