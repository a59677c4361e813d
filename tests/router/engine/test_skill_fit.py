"""Skill fit: the sets of digits say what asking everybody would say."""

import random
from itertools import pairwise

import pytest

from router.engine.roster import Roster
from router.engine.skill_fit import by_fit, skill_fit
from router.engine.waiting import ClassWant
from tests.suites.people import advisor, roster

NAMES = ("billing", "returns", "technical")


def wants(*levels: int) -> tuple[ClassWant, ...]:
    return tuple(ClassWant(name, level, True) for name, level in zip(NAMES, levels, strict=False))


@pytest.mark.parametrize(
    ("skills", "wanted", "expected"),
    [
        pytest.param({"billing": 7}, wants(5), 0.7, id="the level, not the one asked for"),
        pytest.param({"billing": 7, "returns": 4}, wants(5, 1), 0.55, id="the mean of two"),
        pytest.param({"billing": 7}, wants(5, 1), 0.35, id="a missing one counts as 0"),
        pytest.param({"billing": 99}, wants(5), 1.0, id="more than 10 is 10"),
        pytest.param({"billing": 7}, (), 0.0, id="nothing is wanted"),
    ],
)
def test_the_fit_of_one(skills: dict[str, int], wanted: tuple[ClassWant, ...], expected: float) -> None:
    people = roster(advisor("mina", skills=skills))
    (member,) = people
    assert skill_fit(member, wanted) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(20))
def test_the_parts_are_of_equal_fit_in_order_and_nobody_is_lost(seed: int) -> None:
    dice = random.Random(seed)
    people = roster(
        *(
            advisor(f"a{index}", skills={name: dice.randrange(12) for name in NAMES if dice.random() < 0.8})
            for index in range(80)
        )
    )
    wanted, bits = wants(*(1,) * dice.randrange(4)), dice.randrange(people.everyone)
    parts = list(by_fit(people, bits, wanted))
    fits = [{skill_fit(member, wanted) for member in people.members(part)} for part in parts]
    assert all(len(fit) == 1 for fit in fits)
    order = [fit.pop() for fit in fits]
    assert all(one > other for one, other in pairwise(order))
    assert sum(parts) == bits
    assert sum(part.bit_count() for part in parts) == bits.bit_count()


def test_of_nobody_there_are_no_parts() -> None:
    assert list(by_fit(Roster(), 0, wants(1))) == []
