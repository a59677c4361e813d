"""Among whom is looked: a set of members, with quick ways to meet them in turn and to ask whether one is in it."""

from collections.abc import Container, Sequence
from typing import NamedTuple

from router.engine.roster import Roster, flags_of
from router.engine.skill_fit import by_fit
from router.engine.waiting import ClassWant


class Part:
    """A set of members that only profiles make, so that what is worked out about it can be kept until one changes."""

    __slots__ = ("_by_fit", "_flags", "_roster", "bits")

    def __init__(self, roster: Roster, bits: int) -> None:
        self.bits = bits
        self._roster = roster
        self._flags: bytes | None = None
        self._by_fit: dict[tuple[ClassWant, ...], list[Part]] = {}

    @property
    def flags(self) -> bytes:
        """1 at the slot of each member of the set, else 0."""
        if self._flags is None:
            self._flags = flags_of(self.bits, len(self._roster))
        return self._flags

    def by_fit(self, wants: tuple[ClassWant, ...]) -> Sequence["Part"]:
        """Its parts of equal skill fit, the fittest first."""
        parts = self._by_fit.get(wants)
        if parts is None:
            sets = by_fit(self._roster, self.bits, wants)
            parts = self._by_fit[wants] = [Part(self._roster, bits) for bits in sets]
        return parts


class Field(NamedTuple):
    """Members to be ranked: the ``bits``, who are those of a ``part`` whose slots are in ``ready``. Whoever
    ``is_ordered`` stands in each order that the roster keeps."""

    part: Part
    bits: int
    ready: Container[int]
    is_ordered: bool


def among(roster: Roster, bits: int) -> Field:
    """Any set of members at all."""
    return Field(Part(roster, bits), bits, range(len(roster)), is_ordered=not bits & ~roster.roomy)
