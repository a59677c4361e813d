"""The order is what sorting everything would give, after whatever came and went."""

import random
from collections.abc import Iterator

import pytest

from router.engine.order import TURNS, Order


def groups(order: Order, turn: int) -> Iterator[list[int]]:
    """All groups, one after the other."""
    at = 0
    while at < len(order):
        group, after = order.group(at, turn)
        assert order.is_alone(at) == (after == at + 1)
        yield list(group)
        at = after


@pytest.mark.parametrize("seed", range(10))
def test_it_is_sorted_whatever_comes_and_goes(seed: int) -> None:
    dice = random.Random(seed)
    order = Order()
    ranks: dict[str, tuple[float, float]] = {}
    order.fill(((index % 3, 0), f"n{index}", index) for index in range(0, 30, 7))
    ranks |= {f"n{index}": (index % 3, 0) for index in range(0, 30, 7)}
    for _ in range(300):
        number = dice.randrange(30)
        if dice.random() < 0.3:
            order.drop(f"n{number}")
            ranks.pop(f"n{number}", None)
        else:
            ranks[f"n{number}"] = rank = (dice.randrange(3), dice.random() // 0.4)
            order.put(f"n{number}", rank, number)
        wanted = sorted(((rank, name, int(name[1:])) for name, rank in ranks.items()))
        assert order.places == wanted
        slots = [place[2] for place in wanted]
        assert [slot for group in groups(order, 0) for slot in group] == [*order.slots] == slots
        assert len(order) == len(wanted)


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        pytest.param(0, [["z"], ["a", "b", "c", "d"], ["y"]], id="by name"),
        pytest.param(TURNS // 2, [["z"], ["c", "d", "a", "b"], ["y"]], id="half way round"),
        pytest.param(TURNS - 1, [["z"], ["d", "a", "b", "c"], ["y"]], id="all but round"),
    ],
)
def test_those_of_one_rank_stand_together_and_go_round(turn: int, expected: list[list[str]]) -> None:
    order = Order()
    for rank, members in (((2.0, 1.0), "dbca"), ((1.0, 5.0), "z"), ((2.0, 3.0), "y")):
        for name in members:
            order.put(name, rank, ord(name))
    assert [[chr(slot) for slot in group] for group in groups(order, turn)] == expected


@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_a_group_is_whole_wherever_it_is_met(at: int) -> None:
    order = Order()
    order.fill(((float(name in "bcde"), 0.0), name, ord(name)) for name in "abcde")
    group, after = order.group(at, 0)
    assert ([chr(slot) for slot in group], after) == ([*"bcde"], 5)


def test_an_empty_order_has_no_places() -> None:
    assert not list(groups(Order(), 7))
