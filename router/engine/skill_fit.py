"""How well skills fit what a case wants: of one advisor as a number, of all at once as sets.

The sets keep a decision cheap. The sum of everybody's levels in the wanted skills is held as binary digits, one bitset
a digit: so the fittest of ten thousand are found by a few dozen ANDs, and nobody is looked at one by one.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest

from router.engine.roster import LEVELS, Member, Roster
from router.engine.waiting import ClassWant

Fit = Callable[[Member], float]
"""How well a member's skills fit, from 0 to 1."""


def skill_fit(member: Member, wants: Sequence[ClassWant]) -> float:
    """The mean of his levels in the wanted skills, from 0 to 1 (level 10 in each); 0 when none is wanted."""
    return fit_for(wants)(member)


def fit_for(wants: Sequence[ClassWant]) -> Fit:
    """``skill_fit`` by the same wants of one member after the other."""
    if not wants:
        return lambda _: 0.0
    names, most = [want.skill for want in wants], LEVELS * len(wants)
    if len(names) == 1:
        (name,) = names
        return lambda member: member.skills.get(name, 0) / most
    return lambda member: sum([member.skills.get(name, 0) for name in names]) / most


def by_fit(roster: Roster, bits: int, wants: Sequence[ClassWant]) -> Iterator[int]:
    """A set of members in parts of equal ``skill_fit``, the fittest first."""
    digits = _level_sums(roster, wants)
    ahead = [(bits, len(digits))]
    while ahead:
        part, place = ahead.pop()
        if not part:
            continue
        if not place:
            yield part
            continue
        high = part & digits[place - 1]
        ahead += [(part ^ high, place - 1), (high, place - 1)]


def _level_sums(roster: Roster, wants: Sequence[ClassWant]) -> list[int]:
    """The sum of the levels of everybody: set n holds those in whose sum binary digit n is 1."""
    total: list[int] = []
    for want in wants:
        total = _add(total, _digits([roster.with_skill(want.skill, level) for level in range(1, LEVELS + 1)]))
    return total


def _digits(reached: Sequence[int]) -> list[int]:
    """Binary digits of how many of these sets a member is in, where each holds the next."""
    digits, every = [], 1
    while every <= len(reached):
        digit = 0
        for place in range(every - 1, len(reached), every):
            digit ^= reached[place]
        digits.append(digit)
        every *= 2
    return digits


def _add(left: Sequence[int], right: Sequence[int]) -> list[int]:
    total, carry = [], 0
    for one, other in zip_longest(left, right, fillvalue=0):
        either = one ^ other
        total.append(either ^ carry)
        carry = one & other | either & carry
    return [*total, carry]
