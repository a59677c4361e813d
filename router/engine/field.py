"""Among whom is looked: a set of members, and what profiles alone say of it."""

from collections.abc import Sequence

import msgspec

from router.engine.roster import Roster
from router.engine.skill_fit import by_fit
from router.engine.waiting import ClassWant


class Part:
    """A set of members that only profiles make, so that what is worked out about it can be kept until one changes."""

    __slots__ = ("_by_fit", "_roster", "bits")

    def __init__(self, roster: Roster, bits: int) -> None:
        self.bits = bits
        self._roster = roster
        self._by_fit: dict[tuple[ClassWant, ...], list[int]] = {}

    def by_fit(self, wants: tuple[ClassWant, ...]) -> Sequence[int]:
        """Its parts of equal skill fit, the fittest first."""
        parts = self._by_fit.get(wants)
        if parts is None:
            parts = self._by_fit[wants] = list(by_fit(self._roster, self.bits, wants))
        return parts


class Field(msgspec.Struct, frozen=True):
    """Members to be ranked: the ``bits``, all of them in a ``part``. Whoever ``is_ordered`` stands in each order that
    the roster keeps."""

    part: Part
    bits: int
    is_ordered: bool


def among(roster: Roster, bits: int) -> Field:
    """Any set of members at all."""
    return Field(Part(roster, bits), bits, is_ordered=not bits & ~roster.roomy)
