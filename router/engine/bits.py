"""Sets of slots as integers: bit i is slot i. What is done with one costs its length, however few are in it."""

from collections.abc import Iterator
from itertools import compress
from typing import Final

FEW: Final = 16
"""So many are taken off a long integer bit by bit: each costs its whole length."""
SPARSE: Final = 10
"""Where one of so many is in a set, the others are jumped over in the text of its digits."""
_TRUTHS: Final = bytes.maketrans(b"01", b"\0\1")


def slots_of(bits: int) -> list[int]:
    """The slots of a set, the first first."""
    many, size = bits.bit_count(), bits.bit_length()
    if many <= FEW:
        return _taken_off(bits)
    if many * SPARSE > size:
        return list(compress(range(size), flags_of(bits, size)))
    digits = bin(bits)
    last, found = len(digits) - 1, []
    at = digits.rfind("1")
    for _ in range(many):
        found.append(last - at)
        at = digits.rfind("1", 0, at)
    return found


def _taken_off(bits: int) -> list[int]:
    found = []
    # From above, so that the integer becomes shorter on the way.
    while bits:
        slot = bits.bit_length() - 1
        found.append(slot)
        bits ^= 1 << slot
    return found[::-1]


def lowest(bits: int) -> Iterator[int]:
    """The slots of a set, for who wants only the first few."""
    while bits:
        one = bits & -bits
        yield one.bit_length() - 1
        bits ^= one


def flags_of(bits: int, size: int) -> bytes:
    """A set as so many bytes, 1 for each slot that is in it."""
    return bin(bits)[:1:-1].encode().translate(_TRUTHS).ljust(size, b"\0")
