"""Ranking: the quick way gives what scoring everybody would give."""

import random
from collections import Counter

import pytest
from msgspec.structs import replace

from router.contract.advisor import Presence
from router.contract.ids import AdvisorId, CaseId
from router.engine.ranking import MOST_TIED, STRATEGIES, Scored, best, tie_break
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


def first(people: Roster, bits: int, case: str, *, strategy: str = "longest-idle", count: int = 5) -> list[Scored]:
    return best(people, bits, CaseId(case), strategy, count=count, now_ms=NOW)


def drawn(dice: random.Random, size: int, *, idle_s: int = 4) -> Roster:
    return roster(
        *(advisor(f"a{index}", idle_s=dice.randrange(idle_s), load=dice.choice((0, 30, 60))) for index in range(size))
    )


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("seed", range(40))
def test_the_first_five_are_those_of_the_whole_order(strategy: str, seed: int) -> None:
    dice = random.Random(seed)
    people = drawn(dice, dice.randrange(1, 40))
    case = CaseId(f"c{seed}")
    found = first(people, people.everyone, case, strategy=strategy)
    assert found == everybody(people, case, strategy)[:5]


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("seed", range(20))
def test_among_many_too_also_after_they_have_changed(strategy: str, seed: int) -> None:
    dice = random.Random(seed)
    size = 200
    people = drawn(dice, size, idle_s=100)
    for ver in range(2, 50):
        case, changed = CaseId(f"c{seed}-{ver}"), f"a{dice.randrange(size)}"
        people.apply(replace(advisor(changed, idle_s=dice.randrange(100), load=dice.choice((0, 90))), ver=ver))
        wanted = dice.randrange(people.everyone) | people.everyone >> size // 2
        fitting = [one for one in everybody(people, case, strategy) if people.bit(one.advisor) & wanted]
        assert first(people, wanted, case, strategy=strategy) == fitting[:5]


def test_among_very_many_who_tie_some_are_compared_and_every_one_has_his_turn() -> None:
    people = roster(*(advisor(f"a{index}") for index in range(10 * MOST_TIED)))
    winners: Counter[AdvisorId] = Counter()
    for number in range(100 * MOST_TIED):
        found = first(people, people.everyone, f"c{number}")
        assert len(found) == 5
        assert found == sorted(found, key=lambda one: one.rank)
        winners[found[0].advisor] += 1
    assert len(winners) == len(people)
    assert max(winners.values()) < 40  # 10 is what each would have by lot


def test_whoever_goes_offline_leaves_the_order_and_comes_back_to_it() -> None:
    people = drawn(random.Random(1), 100)
    rested = first(people, people.online, "c")[0].advisor
    before = people.get(rested)
    assert before is not None
    state = before.state
    people.apply(replace(state, ver=2, presence=Presence.AWAY))
    assert first(people, people.online, "c")[0].advisor != rested
    people.apply(replace(state, ver=3))
    assert first(people, people.online, "c")[0].advisor == rested


def test_nobody_is_ranked_where_nobody_is() -> None:
    assert first(Roster(), 0, "c") == []


def test_a_strategy_that_is_gone_counts_as_longest_idle() -> None:
    people = roster(advisor("fresh", idle_s=1), advisor("rested", idle_s=9))
    found = first(people, people.everyone, "c", strategy="gone", count=1)
    assert [one.advisor for one in found] == ["rested"]


@pytest.mark.parametrize("bits", [0, 1, 0b1010, 0b1111111, 1 << 69])
def test_the_members_of_a_set_come_in_slot_order(bits: int) -> None:
    people = roster(*(advisor(f"a{index}") for index in range(70)))
    slots = [member.slot for member in people.members(bits)]
    assert slots == [slot for slot in range(70) if bits >> slot & 1]


@pytest.mark.parametrize("size", [10, 200])
def test_who_is_asked_already_comes_behind_those_who_are_not_and_the_record_says_so(size: int) -> None:
    people = roster(*(advisor(f"a{index}", idle_s=size - index) for index in range(size)))
    winners = []
    for number in range(2 * size):
        found = first(people, people.everyone, f"c{number}")
        assert found == sorted(found, key=lambda one: one.rank)
        winners.append(found[0].advisor)
        people.ask(found[0].advisor, 1)
    assert winners == [f"a{index}" for index in range(size)] * 2
    people.ask(AdvisorId("a7"), -1)
    assert [one.terms["asked"] for one in first(people, people.everyone, "c", count=2)] == [-1, -2]


def test_asking_an_unknown_advisor_changes_nothing() -> None:
    people = roster(advisor("mina"))
    people.ask(AdvisorId("stranger"), 1)
    assert [one.advisor for one in first(people, people.everyone, "c")] == ["mina"]
