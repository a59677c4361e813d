"""The order is what sorting everything would give, after whatever came and went."""

import random
from itertools import groupby
from operator import itemgetter

import pytest

from router.engine.order import BLOCK, TURNS, Order, Rank

Ranks = dict[str, Rank]


def order_of(ranks: Ranks) -> Order:
    order = Order()
    order.fill((rank, name, int(name[1:])) for name, rank in ranks.items())
    return order


def expected(ranks: Ranks, bits: int, count: int, turn: int, *, most_tied: int) -> set[int]:
    """By sorting all of them."""
    found: list[int] = []
    places = sorted((rank, name, int(name[1:])) for name, rank in ranks.items())
    for _, group in groupby(places, key=itemgetter(0)):
        slots = [slot for _, _, slot in group]
        begin = len(slots) * turn // TURNS
        tied = [slot for slot in slots if bits >> slot & 1]
        if len(tied) > most_tied:
            tied = [slot for slot in slots[begin:] + slots[:begin] if bits >> slot & 1]
        found += tied[:most_tied]
        if len(found) >= count:
            break
    return {*found}


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("size", [30, 20 * BLOCK])
def test_it_is_sorted_whatever_comes_and_goes(seed: int, size: int) -> None:
    dice = random.Random(seed)
    kinds = dice.choice((3, 40, size))
    ranks: Ranks = {f"n{index}": (index % kinds, 0.0) for index in range(0, size, 7)}
    order = order_of(ranks)
    for step in range(2 * size):
        number, is_coming = dice.randrange(size), dice.random() < (0.7, 0.2)[step // size]
        if is_coming:
            ranks[f"n{number}"] = rank = (float(dice.randrange(kinds)), dice.random() // 0.4)
            order.put(f"n{number}", rank, number)
        else:
            order.drop(number)
            ranks.pop(f"n{number}", None)
        if step % (size // 15) == 0:
            assert [*order] == [int(name[1:]) for name in sorted(ranks, key=lambda name: (ranks[name], name))]
            assert len(order) == len(ranks)
            bits = dice.getrandbits(size) & (dice.getrandbits(size) | -dice.choice((0, 1)))
            bits &= dice.choice((-1, 1 << number, dice.getrandbits(size) & dice.getrandbits(size)))
            count, turn = dice.choice((1, 5, 8)), dice.randrange(TURNS)
            for most_tied in (8, size):
                found = order.first(bits, count, turn, most_tied=most_tied)
                assert len(found) == len({*found})
                assert {*found} == expected(ranks, bits, count, turn, most_tied=most_tied)


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        pytest.param(0, "ab", id="by name"),
        pytest.param(TURNS // 2, "cd", id="half way round"),
        pytest.param(TURNS - 1, "da", id="all but round"),
    ],
)
def test_those_of_one_rank_stand_together_and_go_round(turn: int, expected: str) -> None:
    order = Order()
    for rank, members in (((2.0, 1.0), "dbca"), ((1.0, 5.0), "z"), ((2.0, 3.0), "y")):
        for name in members:
            order.put(name, rank, ord(name))
    everybody = sum(1 << ord(name) for name in "abcdyz")
    assert [chr(slot) for slot in order.first(everybody, 2, turn, most_tied=2)] == ["z", *expected]


@pytest.mark.parametrize("size", [5 * BLOCK, 5 * BLOCK + 3])
def test_a_rank_of_many_blocks_is_met_from_wherever_its_turn_is(size: int) -> None:
    ranks: Ranks = {"n9998": (0.0,), "n9999": (2.0,)}
    ranks |= {f"n{index:04}": (1.0,) for index in range(size)}
    order, everybody = order_of(ranks), (1 << size) - 1
    for begin in range(size):
        turn = -(-begin * TURNS // size)
        found = order.first(everybody, 2, turn, most_tied=3)
        assert found == [(begin + step) % size for step in range(3)]


def test_the_least_is_met_in_an_order_that_has_nearly_drained() -> None:
    order = order_of({f"n{index}": (float(index),) for index in range(10 * BLOCK)})
    for slot in range(10 * BLOCK):
        if slot % 90:
            order.drop(slot)
    assert [*order] == [slot for slot in range(10 * BLOCK) if slot % 90 == 0]
    assert order.first(-1, 1, 0, most_tied=1) == [0]


def test_an_empty_order_has_no_places() -> None:
    order = Order()
    order.drop(3)
    assert not [*order]
    assert order.first(7, 5, 1, most_tied=9) == []
    order.put("n3", (1.0,), 3)
    order.drop(3)
    assert not [*order]
