"""Sets as integers: whichever way is quicker, the slots are the same."""

import random

import pytest

from router.engine.bits import FEW, SPARSE, flags_of, lowest, slots_of


@pytest.mark.parametrize("size", [1, FEW, FEW + 1, 20 * SPARSE, 10_000])
@pytest.mark.parametrize("share", [0, 0.001, 0.05, 0.5, 1])
def test_the_slots_of_a_set_come_in_order(size: int, share: float) -> None:
    dice = random.Random(size)
    slots = [slot for slot in range(size) if dice.random() < share]
    bits = sum(1 << slot for slot in slots)
    assert slots_of(bits) == slots
    assert [*lowest(bits)] == slots
    assert [slot for slot, flag in enumerate(flags_of(bits, size)) if flag] == slots
    assert len(flags_of(bits, size + 5)) == size + 5
