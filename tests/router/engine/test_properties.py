"""What holds of every decision: it is what looking at everybody gives, nobody better is left out, and more people
never make anybody wait."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from router.contract.advisor import AdvisorState, Presence, Work, WorkKind
from router.contract.ids import AdvisorId, CaseId
from router.engine.decide import Waiting, decide, next_for, nominate, ranked
from router.engine.eligibility import eligible, fits, has_room, is_eligible, sieve
from router.engine.explain import COMPARED, told
from router.engine.roster import Roster
from router.engine.waiting import ClassWant, WaitClass
from rules import Rulebook
from rules.rulebook import Strategy
from tests.suites.people import NOW, advisor, roster
from tests.suites.stage import RULES, rulebook

SKILLS = ("billing", "returns", "technical")
EXACT = [strategy for strategy in Strategy if strategy is not Strategy.BALANCED]
PLAIN = settings(deadline=None, max_examples=60)
SEEDS = st.integers(min_value=0, max_value=1 << 32)


def by(strategy: str, options: str = "") -> Rulebook:
    return rulebook(
        RULES.replace("general: {policy: standard,", f"general: {{policy: standard, strategy: {strategy},{options}")
    )


BOOKS = {strategy: by(strategy) for strategy in Strategy}
BALANCED = BOOKS[Strategy.BALANCED]


def person(dice: random.Random, name: str, *, ver: int = 1) -> AdvisorState:
    """Somebody. Nobody is idle for as long as anybody else, and nobody has as much to do."""
    return replace(
        advisor(
            name,
            load=dice.choice((0, dice.randrange(1, 50), 90)),
            presence=dice.choice((*[Presence.ONLINE] * 4, Presence.AWAY)),
            skills={skill: dice.randrange(1, 11) for skill in SKILLS if dice.random() < 0.8},
            queues=dice.choice(((), ("general",), ("billing",))),
        ),
        ver=ver,
        idle_since_ms=NOW - dice.randrange(10_000_000),
    )


def wanted(dice: random.Random) -> WaitClass:
    return WaitClass(
        queue="general",
        channel="chat",
        units=30,
        wants=tuple(ClassWant(name, dice.randrange(1, 6), dice.random() < 0.7) for name in SKILLS[: dice.randrange(3)]),
        language=dice.choice(("", "ko")),
        tiers=(),
        priority=3,
        policy="standard",
        clock="first_response",
        excluded=dice.choice(((), ("a1",))),
        held_for="",
    )


@PLAIN
@given(seed=SEEDS, strategy=st.sampled_from(EXACT), size=st.sampled_from((5, 40, 300)))
def test_the_first_are_those_of_ranking_everybody(seed: int, strategy: Strategy, size: int) -> None:
    dice, rules = random.Random(seed), BOOKS[strategy]
    people = roster(*(person(dice, f"a{number}") for number in range(size)))
    for number in range(5):
        waiting, case = wanted(dice), CaseId(f"c{number}")
        # Of very many, not all are compared by a preferred skill.
        waiting = replace(waiting, wants=tuple([want for want in waiting.wants if want.hard]))
        everybody = ranked(people, waiting, case, rules, NOW)
        expected = [one.state.id for one in everybody.members[:5]]
        made = decide(people, waiting, case, rules, NOW)
        assert [one.advisor for one in made.candidates] == expected
        assert (made.explanation.best, [*made.explanation.after]) == (told(everybody), expected[COMPARED:])
        people.apply(person(dice, f"a{dice.randrange(size)}", ver=number + 2))


@PLAIN
@given(seed=SEEDS, strategy=st.sampled_from(Strategy), size=st.sampled_from((5, 40, 300)))
def test_no_choice_is_dominated(seed: int, strategy: Strategy, size: int) -> None:
    """Nobody eligible is as good in every term and better in one."""
    dice = random.Random(seed)
    people = roster(*(person(dice, f"a{number}") for number in range(size)))
    waiting, last = wanted(dice), f"a{dice.randrange(size)}"
    every = ranked(people, waiting, CaseId("c1"), BOOKS[strategy], NOW, last_advisor=last).scored()
    tried = decide(people, waiting, CaseId("c1"), BOOKS[strategy], NOW, last_advisor=last).candidates
    assert bool(tried) == bool(every)
    if tried:
        (first,) = (one for one in every if one.advisor == tried[0].advisor)
        terms = {name: value for name, value in first.terms.items() if name != "score"}
        assert not [
            one.advisor
            for one in every
            if all(one.terms[name] >= value for name, value in terms.items())
            and any(one.terms[name] > value for name, value in terms.items())
        ]


@PLAIN
@given(seed=SEEDS, strategy=st.sampled_from(Strategy), size=st.sampled_from((5, 40, 300)))
def test_the_order_in_which_advisors_are_known_changes_nothing(seed: int, strategy: Strategy, size: int) -> None:
    dice = random.Random(seed)
    people = [replace(person(dice, f"a{number}"), idle_since_ms=NOW - dice.randrange(20)) for number in range(size)]
    waiting, orders = wanted(dice), (people, dice.sample(people, size))
    first, second = (decide(roster(*order), waiting, CaseId("c1"), BOOKS[strategy], NOW) for order in orders)
    assert first.candidates == second.candidates
    assert first.explanation.best == second.explanation.best


def placed(people: Roster, waiting: list[WaitClass], rules: Rulebook) -> set[int]:
    """Which of these cases somebody gets, each given to its first candidate before the next is looked at."""
    found = set()
    for number, one in enumerate(waiting):
        candidates = decide(people, one, CaseId(f"c{number}"), rules, NOW).candidates
        if candidates:
            found.add(number)
            state = people[candidates[0].advisor].state
            work = state.work | {f"c{number}": Work(units=one.units, channel=one.channel, kind=WorkKind.CASE)}
            people.apply(replace(state, ver=state.ver + 1, work=work, idle_since_ms=NOW))
    return found


@PLAIN
@given(seed=SEEDS, strategy=st.sampled_from(Strategy))
def test_one_more_advisor_makes_no_case_wait_longer_in_the_same_step(seed: int, strategy: Strategy) -> None:
    """``balanced`` has no scarcity here: a colleague makes skills less scarce, and so changes who is spared."""
    dice = random.Random(seed)
    rules = by(strategy, " weights: {scarcity: 0}," if strategy is Strategy.BALANCED else "")
    *people, new = (person(dice, f"a{number}") for number in range(dice.randrange(2, 10)))
    cases = [wanted(dice) for _ in range(8)]
    assert placed(roster(*people), cases, rules) <= placed(roster(*people, new), cases, rules)


@PLAIN
@given(seed=SEEDS)
def test_every_way_to_ask_who_may_take_a_case_agrees_after_any_change(seed: int) -> None:
    dice = random.Random(seed)
    people = roster(*(person(dice, f"a{number}") for number in range(10)))
    classes = [wanted(dice) for _ in range(4)]
    for ver in range(2, 12):
        for waiting in classes:
            bits, sifted = eligible(people, waiting), sieve(people, waiting)
            expected = {one.state.id for one in people if is_eligible(one, waiting)}
            assert bits == sifted.eligible
            assert {one.state.id for one in people.members(bits)} == expected
            both = [one for one in people if fits(people, one, waiting.key) and has_room(people, one, waiting)]
            assert {one.state.id for one in both} == expected
            explained = decide(people, waiting, CaseId("c"), BALANCED, NOW).explanation
            counts = {name.value: out.bit_count() for name, out in sifted.removed.items()}
            assert {name: out.count for name, out in explained.removed.items()} == counts
            head = Waiting(class_key=waiting.key, score_ms=NOW, case=CaseId("c"))
            assert (nominate(people, head, BALANCED, NOW) is not None) == bool(expected)
            his = {one.state.id for one in people if next_for(people, one.state.id, [head], BALANCED, NOW)}
            assert his == expected
        people.apply(person(dice, f"a{dice.randrange(12)}", ver=ver))


@pytest.mark.parametrize("strategy", Strategy)
def test_nobody_eligible_means_nobody_is_tried(strategy: Strategy) -> None:
    people = roster(person(random.Random(1), "a1"))
    waiting = replace(wanted(random.Random(1)), held_for=AdvisorId("somebody else"))
    decision = decide(people, waiting, CaseId("c1"), BOOKS[strategy], NOW)
    assert (decision.candidates, decision.explanation.best) == ((), ())
