"""A decision looked at again as a whole says what was decided, and of everybody else why not."""

import random

import pytest
from msgspec.structs import replace

from router.contract.advisor import Presence
from router.contract.ids import AdvisorId, CaseId
from router.engine.decide import Turn, decide, decide_turn, next_for
from router.engine.decide import Waiting as Head
from router.engine.eligibility import Filter, passing, sieve
from router.engine.explain import Explanation
from router.engine.review import Review, recorded, review
from router.engine.roster import Roster
from router.engine.waiting import ClassWant
from rules.rulebook import Strategy
from tests.suites.people import CLASS, NOW, advisor, roster
from tests.suites.stage import RULES, rulebook

CASE = CaseId("c1")
WANTED = replace(CLASS, wants=(*CLASS.wants, ClassWant("returns", 4, False)), excluded=("a3",))


def drawn(dice: random.Random, size: int) -> Roster:
    return roster(
        *(
            replace(
                advisor(
                    f"a{index}",
                    idle_s=dice.randrange(900),
                    load=dice.choice((0, 30, 60, 90)),
                    presence=dice.choice((Presence.ONLINE, Presence.ONLINE, Presence.AWAY)),
                    skills={"billing": dice.randrange(3, 11), "returns": dice.randrange(11)},
                    languages={dice.choice(("ko", "ko", "en")): 7},
                ),
                online_since_ms=NOW - dice.randrange(600_000),
            )
            for index in range(size)
        )
    )


def again(people: Roster, made: Explanation) -> Review:
    return review(people, made, CASE, rulebook())


@pytest.mark.parametrize("strategy", Strategy)
@pytest.mark.parametrize("size", [0, 1, 6, 60])
@pytest.mark.parametrize("seed", range(3))
def test_it_begins_as_the_decision_did_and_names_each_filter_that_took_one_out(
    strategy: str, size: int, seed: int
) -> None:
    people = drawn(random.Random(seed), size)
    book = rulebook(
        RULES.replace("billing: {policy: standard,", f"billing: {{policy: standard, ramp_s: 300, strategy: {strategy},")
    )
    made = decide(people, WANTED, CASE, book, NOW, last_advisor="a0").explanation
    found = review(people, made, CASE, book)
    able = sieve(people, WANTED).eligible
    assert (found.agrees, found.able, len(found.advisors)) == (True, able.bit_count(), size)
    assert [one.advisor for one in found.advisors[: able.bit_count()]][:1] == [one.advisor for one in made.best][:1]
    assert [one.place for one in found.advisors] == [*range(1, able.bit_count() + 1), *[0] * (size - able.bit_count())]
    for one in found.advisors:
        out = tuple(name for name in Filter if not passing(people, WANTED, name) & people.bit(one.advisor))
        assert (one.removed, bool(one.terms)) == (out, not out)


def test_who_lacks_least_comes_first_of_those_who_could_not_have_it() -> None:
    people = roster(
        advisor("ann", presence=Presence.AWAY, load=90),
        advisor("bob", skills={"billing": 1}),
        advisor("cho", languages={"en": 9}, presence=Presence.AWAY, skills={}),
    )
    found = again(people, decide(people, WANTED, CASE, rulebook(), NOW).explanation)
    assert [(one.advisor, one.removed) for one in found.advisors] == [
        ("bob", (Filter.SKILL,)),
        ("ann", (Filter.PRESENCE, Filter.ROOM)),
        ("cho", (Filter.SKILL, Filter.LANGUAGE, Filter.PRESENCE)),
    ]


def test_a_turn_agrees_with_whoever_could_have_it_also_by_parking() -> None:
    people = roster(advisor("ann"), advisor("bob", load=90), advisor("cho", skills={}))
    turn = next_for(people, AdvisorId("ann"), [Head(class_key=WANTED.key, score_ms=NOW, case=CASE)], rulebook(), NOW)
    assert isinstance(turn, Turn)
    made = decide_turn(people, AdvisorId("ann"), turn, rulebook(), NOW)
    told = {name: again(people, replace(made, turn=AdvisorId(name))).agrees for name in ("ann", "bob", "cho")}
    assert told == {"ann": True, "bob": True, "cho": False}


def test_it_says_where_the_rows_tell_another_story_and_nothing_of_what_people_decide() -> None:
    people = roster(advisor("ann", idle_s=9), advisor("bob"))
    made = decide(people, WANTED, CASE, rulebook(), NOW).explanation
    people.apply(replace(advisor("ann"), presence=Presence.AWAY, ver=2))
    assert again(people, made).agrees is False
    assert again(people, replace(made, by="lead")).agrees is None


def test_what_was_recorded_is_in_its_order() -> None:
    people = roster(advisor("ann", idle_s=9), advisor("bob"))
    made = decide(people, WANTED, CASE, rulebook(), NOW).explanation
    assert [(one.advisor, one.place) for one in recorded(made).advisors] == [("ann", 1), ("bob", 2)]
    assert [one.terms for one in recorded(made).advisors] == [one.terms for one in made.best]
