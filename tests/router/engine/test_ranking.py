"""Ranking: the quick way gives what scoring everybody would give."""

import random
from collections import Counter, defaultdict
from typing import Any

import pytest
from msgspec.structs import replace

from router.contract.advisor import AdvisorState, Presence
from router.contract.ids import AdvisorId, CaseId
from router.engine.field import among
from router.engine.ranking import MOST_PREFERRED, MOST_RAMPED, MOST_TIED, Scored, best, tie_break
from router.engine.roster import Roster
from router.engine.strategies import STRATEGIES, Wish, asks_of
from router.engine.waiting import ClassWant
from tests.suites.people import NOW, advisor, roster, terms_of

WANTS = (ClassWant("billing", 1, True), ClassWant("returns", 5, False))
PREFERRED = WANTS[1:]
EXACT = [name for name in STRATEGIES if name != "balanced"]


def rank_of(one: Scored) -> tuple[float, ...]:
    """The less goes first."""
    return (*(-value for value in one.terms.values()), float(one.tie))


def wish(case: str, wants: tuple[ClassWant, ...] = (), **more: Any) -> Wish:
    return Wish(case=CaseId(case), now_ms=NOW, asks=asks_of(wants), others=defaultdict(int), **more)


def everybody(people: Roster, strategy: str, wanted: Wish) -> list[Scored]:
    """All members, scored one by one and sorted by their whole rank."""
    scored = [
        Scored(
            advisor=member.state.id,
            terms=terms_of(strategy, member, wanted),
            tie=tie_break(wanted.case, member.state.id),
        )
        for member in people
    ]
    return sorted(scored, key=rank_of)


def ranked(people: Roster, bits: int, strategy: str, wanted: Wish, *, count: int) -> list[Scored]:
    return [*best(people, among(people, bits), strategy, wanted, count=count).scored()]


def first(people: Roster, bits: int, case: str, *, strategy: str = "longest-idle", count: int = 5) -> list[Scored]:
    return ranked(people, bits, strategy, wish(case), count=count)


def one(dice: random.Random, name: str, *, idle_s: int) -> AdvisorState:
    skills = {skill: dice.randrange(12) for skill in ("billing", "returns", "other") if dice.random() < 0.7}
    return advisor(name, idle_s=dice.randrange(idle_s), load=dice.choice((0, 30, 60)), skills=skills)


def drawn(dice: random.Random, size: int, *, idle_s: int = 4) -> Roster:
    return roster(*(one(dice, f"a{index}", idle_s=idle_s) for index in range(size)))


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("wants", [(), WANTS[:1], WANTS, PREFERRED], ids=["none", "hard", "both", "soft"])
@pytest.mark.parametrize("seed", range(15))
def test_the_first_five_are_those_of_the_whole_order(strategy: str, wants: tuple[ClassWant, ...], seed: int) -> None:
    dice = random.Random(seed)
    people = drawn(dice, dice.randrange(1, MOST_PREFERRED + 1))
    wanted = wish(f"c{seed}", wants)
    assert ranked(people, people.everyone, strategy, wanted, count=5) == everybody(people, strategy, wanted)[:5]


@pytest.mark.parametrize("strategy", EXACT)
@pytest.mark.parametrize("wants", [(), WANTS[:1]], ids=["none", "hard"])
@pytest.mark.parametrize("seed", range(8))
def test_among_many_too_also_after_they_have_changed(strategy: str, wants: tuple[ClassWant, ...], seed: int) -> None:
    dice = random.Random(seed)
    size = 200
    people = drawn(dice, size, idle_s=100)
    for ver in range(2, 50):
        changed, wanted = f"a{dice.randrange(size)}", wish(f"c{seed}-{ver}", wants)
        people.apply(replace(one(dice, changed, idle_s=100), ver=ver))
        bits = dice.randrange(people.everyone) | people.everyone >> size // 2
        fitting = [each for each in everybody(people, strategy, wanted) if people.bit(each.advisor) & bits]
        assert ranked(people, bits, strategy, wanted, count=5) == fitting[:5]


@pytest.mark.parametrize("seed", range(10))
def test_a_better_balanced_one_among_many_is_never_passed_over_by_somebody_worse_in_every_term(seed: int) -> None:
    dice = random.Random(seed)
    people = drawn(dice, 200, idle_s=1000)
    for number in range(20):
        wanted = wish(f"c{seed}-{number}", dice.choice(((), WANTS)), last_advisor=f"a{dice.randrange(200)}")
        bits = dice.randrange(people.everyone)
        winner = ranked(people, bits, "balanced", wanted, count=1)[0].terms
        terms = [terms_of("balanced", member, wanted) for member in people.members(bits)]
        varied = [name for name in winner if len({each[name] for each in terms}) > 1]
        assert not [each for each in terms if all(each[name] > winner[name] for name in varied)]


@pytest.mark.parametrize("strategy", ["longest-idle", "least-loaded", "round-robin"])
def test_among_many_who_tie_the_preferred_skill_decides(strategy: str) -> None:
    people = roster(
        *(advisor(f"a{index}", skills={"billing": 5, "returns": 9 if index in (3, 7) else 0}) for index in range(16))
    )
    winners = {
        ranked(people, people.everyone, strategy, wish(f"c{number}", WANTS), count=1)[0].advisor for number in range(40)
    }
    assert winners == {"a3", "a7"}


def test_among_very_many_who_tie_some_are_compared_and_every_one_has_his_turn() -> None:
    people = roster(*(advisor(f"a{index}") for index in range(10 * MOST_TIED)))
    winners: Counter[AdvisorId] = Counter()
    for number in range(100 * MOST_TIED):
        found = first(people, people.everyone, f"c{number}")
        assert len(found) == 5
        assert found == sorted(found, key=rank_of)
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
    assert [each.advisor for each in found] == ["rested"]


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
        assert found == sorted(found, key=rank_of)
        winners.append(found[0].advisor)
        people.ask(found[0].advisor, 1)
    assert winners == [f"a{index}" for index in range(size)] * 2
    people.ask(AdvisorId("a7"), -1)
    assert [each.terms["asked"] for each in first(people, people.everyone, "c", count=2)] == [-1, -2]


def test_asking_an_unknown_advisor_changes_nothing() -> None:
    people = roster(advisor("mina"))
    people.ask(AdvisorId("stranger"), 1)
    assert [each.advisor for each in first(people, people.everyone, "c")] == ["mina"]


def came_online(people: Roster, *, ago_s: int) -> None:
    """Mina has been there all the time; jun, longer without work, came so long ago."""
    people.apply(replace(advisor("mina", idle_s=1), online_since_ms=NOW - 9_999_000))
    people.apply(replace(advisor("jun", idle_s=5), online_since_ms=NOW - ago_s * 1000))


@pytest.mark.parametrize("strategy", EXACT)
@pytest.mark.parametrize(
    ("ago_s", "ramp_s", "share"), [(0, 600, 0), (150, 600, 0.25), (300, 600, 0.5), (600, 600, 1), (0, 0, 1)]
)
def test_who_comes_online_gets_a_share_of_the_cases_that_grows(
    strategy: str, ago_s: int, ramp_s: int, share: float
) -> None:
    people = Roster()
    came_online(people, ago_s=ago_s)
    first_names = [
        ranked(people, people.everyone, strategy, wish(f"c{number}", ramp_s=ramp_s), count=1)[0].advisor
        for number in range(600)
    ]
    assert first_names.count(AdvisorId("jun")) / 600 == pytest.approx(share, abs=0.06)


def test_who_is_held_back_comes_last_with_the_reason_and_alone_he_is_taken() -> None:
    people = Roster()
    came_online(people, ago_s=0)
    wanted = wish("c1", ramp_s=600)
    found = ranked(people, people.everyone, "longest-idle", wanted, count=5)
    assert [(each.advisor, each.terms["ramp_in"]) for each in found] == [("mina", 1), ("jun", 0)]
    assert found == sorted(found, key=rank_of)
    alone = ranked(people, people.bit("jun"), "longest-idle", wanted, count=5)
    assert [each.advisor for each in alone] == ["jun"]


def test_of_very_many_who_come_at_once_some_are_ramped_in() -> None:
    people = roster(*(replace(advisor(f"a{index}"), online_since_ms=NOW) for index in range(MOST_RAMPED + 3)))
    found = ranked(people, people.everyone, "longest-idle", wish("c1", ramp_s=60), count=5)
    assert [each.terms["ramp_in"] for each in found] == [1, 1, 1, 0, 0]


@pytest.mark.parametrize("strategy", EXACT)
@pytest.mark.parametrize("seed", range(4))
def test_who_is_full_is_ranked_where_he_would_park_something_and_comes_back_with_room(strategy: str, seed: int) -> None:
    dice = random.Random(seed)
    size = 200
    people = roster(
        *(advisor(f"a{n}", idle_s=dice.randrange(100), load=dice.choice((100, 100, 40))) for n in range(size))
    )
    for ver in range(2, 20):
        wanted = wish(f"c{seed}-{ver}")
        for bits in (people.everyone, people.roomy):
            fitting = [each for each in everybody(people, strategy, wanted) if people.bit(each.advisor) & bits]
            assert ranked(people, bits, strategy, wanted, count=5) == fitting[:5]
        changed = f"a{dice.randrange(size)}"
        people.apply(replace(advisor(changed, idle_s=dice.randrange(100), load=dice.choice((0, 100))), ver=ver))
