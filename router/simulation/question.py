"""A question: what is simulated, under which policies, how many days of it and how sure the answer has to be."""

import math
from itertools import pairwise

import msgspec

from router.simulation.case import Case
from router.simulation.installation import Installation, Worker, installation
from router.simulation.traffic import rates
from rules import restore


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Who takes part: a policy, and what it is run on. ``rules`` is a real rulebook as ``rules.content`` writes it,
    empty for none; ``workers`` are the advisors of a real roster, if they are not the case's. Unlike a rulebook it can
    be sent to a process."""

    label: str
    policy: str
    rules: bytes = b""
    workers: tuple[Worker, ...] = ()

    def scene(self, case: Case) -> Installation:
        return installation(case, restore(self.rules) if self.rules else None, self.workers)


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be simulated. Labels differ; the first entry is what the others are held against.

    So many ``replications`` at least, and no more with a ``most`` of 0. Else they are doubled, up to ``most``, until
    of each entry it is known whether it keeps more or fewer promises than the first, or that the two differ by less
    than ``within``.
    """

    name: str
    case: Case
    entries: tuple[Entry, ...]
    replications: int
    most: int = 0
    within: float = 0.005

    @property
    def rounds(self) -> tuple[int, ...]:
        """After how many replications it is looked at whether they do."""
        looks = 1 + max(0, math.ceil(math.log2(self.most / self.replications))) if self.most else 1
        return tuple(min(self.replications << look, self.most or self.replications) for look in range(looks))

    @property
    def level(self) -> float:
        """How sure each interval has to be for all of them, at every look, to be sure to 95 % together (Bonferroni):
        with ten policies that are all as good, one of them would else seem better every few cases."""
        return 1 - 0.05 / (max(1, len(self.entries) - 1) * len(self.rounds))


def inquiries_of(question: Question) -> int:
    """About how many inquiries an answer goes through, at the least."""
    case = question.case
    hourly = (rates(case, name, traffic) for name, traffic in case.classes.items())
    day = sum(rate * (until - at) for each in hourly for (at, rate), (until, _) in pairwise(each))
    return round(day * question.replications * len(question.entries))
