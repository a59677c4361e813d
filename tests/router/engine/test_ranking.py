"""Ranking: the quick way gives what scoring everybody would give."""

import random
from collections import Counter

import pytest

from router.contract.ids import AdvisorId, CaseId
from router.engine.ranking import STRATEGIES, Scored, best, tie_break
from router.engine.roster import Roster
from tests.suites.people import NOW, advisor, roster


def everybody(people: Roster, case: CaseId, strategy: str) -> list[Scored]:
    """All members, scored one by one and sorted by their whole rank."""
    terms = STRATEGIES[strategy].terms
    scored = [
        Scored(advisor=member.state.id, terms=terms(member, NOW), tie=tie_break(case, member.state.id))
        for member in people
    ]
    return sorted(scored, key=lambda one: one.rank)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("seed", range(20))
def test_the_first_five_are_those_of_the_whole_order(strategy: str, seed: int) -> None:
    dice = random.Random(seed)
    size = dice.randrange(1, 40)
    people = roster(
        *(advisor(f"a{index}", idle_s=dice.randrange(4), load=dice.choice((0, 30, 60))) for index in range(size))
    )
    case = CaseId(f"c{seed}")
    found = best(people.members(people.everyone), case, strategy, count=5, now_ms=NOW)
    assert found == everybody(people, case, strategy)[:5]


def test_nobody_is_ranked_where_nobody_is() -> None:
    assert best([], CaseId("c"), "longest-idle", count=5, now_ms=NOW) == []


def test_a_strategy_that_is_gone_counts_as_longest_idle() -> None:
    people = roster(advisor("fresh", idle_s=1), advisor("rested", idle_s=9))
    found = best(people.members(people.everyone), CaseId("c"), "gone", count=1, now_ms=NOW)
    assert [one.advisor for one in found] == ["rested"]


@pytest.mark.parametrize("bits", [0, 1, 0b1010, 0b1111111, 1 << 69])
def test_the_members_of_a_set_come_in_slot_order(bits: int) -> None:
    people = roster(*(advisor(f"a{index}") for index in range(70)))
    slots = [member.slot for member in people.members(bits)]
    assert slots == [slot for slot in range(70) if bits >> slot & 1]


def test_who_is_asked_already_comes_behind_those_who_are_not_and_the_record_says_so() -> None:
    people = roster(*(advisor(f"a{index}", idle_s=10 - index) for index in range(10)))
    asked = Counter[AdvisorId]()
    first = []
    for number in range(20):
        found = best(
            people.members(people.everyone), CaseId(f"c{number}"), "longest-idle", count=5, now_ms=NOW, asked=asked
        )
        assert min(found, key=lambda one: one.rank) == found[0]
        first.append(found[0].advisor)
        asked[found[0].advisor] += 1
    assert first == [f"a{index}" for index in range(10)] * 2
