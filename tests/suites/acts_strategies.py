"""Random scripts for stores: what a crowd of careless callers may ask for.

A script is a list of small intents. A ``Director`` makes acts of them by looking at the store as it is: most fit the
situation, some are stale, repeated, late, foreign or plainly wrong.
"""

import random
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeVar

from hypothesis import strategies as st

STEPS: Final = 60
TALKS: Final = 6
PEOPLE: Final = ("ann", "bob", "cho", "dan", "eve")

# How often each kind comes, besides the others.
WEIGHTS: Final = {
    "admit": 10,
    "match": 5,
    "assign": 2,
    "accept": 3,
    "decline": 3,
    "expire": 3,
    "requeue": 3,
    "transfer": 3,
    "consult": 4,
    "hand_back": 4,
    "park": 3,
    "unpark": 4,
    "pend": 3,
    "follow_up": 2,
    "note": 2,
    "label": 2,
    "reply": 2,
    "delivered": 2,
    "resolve": 3,
    "close": 2,
    "escalate": 2,
    "snooze": 2,
    "rejudge": 2,
    "replan": 2,
    "move": 2,
    "presence": 4,
    "profile": 2,
    "wrap_up": 5,
    "due": 3,
    "done": 6,
    "pass": 2,
    "held": 2,
    "again": 4,
    "trim": 3,
    "press": 2,
    "applied": 1,
    "epochs": 1,
}

T = TypeVar("T")


class Intent(NamedTuple):
    """What somebody wants. ``case`` and ``person`` choose among those there are, ``roll`` decides the rest;
    a roll of 0 is the plain act."""

    kind: str
    case: int
    person: int
    roll: int


def whole_script(seed: int) -> list[Intent]:
    """The script of a seed."""
    chance = random.Random(seed)
    kinds = chance.choices(list(WEIGHTS), weights=list(WEIGHTS.values()), k=STEPS)
    return [
        Intent(kind, chance.randrange(TALKS), chance.randrange(len(PEOPLE) + 1), 1 + chance.getrandbits(32))
        for kind in kinds
    ]


def cuts_of(script: list[Intent]) -> st.SearchStrategy[list[Intent]]:
    """The script with steps left out or made plain, as few and as plain as can be when one is shrunk."""
    fates = st.lists(st.integers(0, 20), min_size=len(script), max_size=len(script))
    return fates.map(lambda drawn: [_fated(step, fate) for step, fate in zip(script, drawn, strict=True) if fate])


def _fated(step: Intent, fate: int) -> Intent:
    return step._replace(roll=0) if fate == 1 else step


class Dice:
    """Details from a roll. A roll of 0 always says no, and picks the first."""

    def __init__(self, roll: int) -> None:
        self._random = random.Random(roll) if roll else None

    def one_in(self, n: int) -> bool:
        return self._random is not None and self._random.randrange(n) == 0

    def pick(self, choices: Sequence[T]) -> T:
        return self._random.choice(choices) if self._random else choices[0]

    def shuffled(self, choices: Sequence[T]) -> list[T]:
        return self._random.sample(choices, len(choices)) if self._random else list(choices)
