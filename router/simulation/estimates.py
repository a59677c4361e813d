"""Estimates from independent replications: a mean with its 95 % confidence interval."""

import statistics
from collections.abc import Sequence
from typing import Final, NamedTuple

# Student's t at 0.975 by degrees of freedom, from 1 (any table of it); beyond, its expansion in 1/degrees.
_T: Final = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
_Z: Final = 1.959964


class Estimate(NamedTuple):
    """A mean, and by how much it may be off to either side. ``half`` is 0 with one replication: nothing is known."""

    mean: float
    half: float = 0.0

    @property
    def low(self) -> float:
        return self.mean - self.half

    @property
    def high(self) -> float:
        return self.mean + self.half

    def holds(self, value: float) -> bool:
        return self.low <= value <= self.high


def estimate(values: Sequence[float]) -> Estimate:
    """From one value a replication; at least one."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return Estimate(mean)
    return Estimate(mean, student(len(values) - 1) * statistics.stdev(values, mean) / len(values) ** 0.5)


def difference(ours: Sequence[float], theirs: Sequence[float]) -> Estimate:
    """How much greater ours is than theirs, replication by replication: the same traffic makes both alike, so far
    smaller differences show than two intervals side by side would tell apart."""
    return estimate([one - other for one, other in zip(ours, theirs, strict=True)])


def student(degrees: int) -> float:
    """Half the width, in standard errors, of a 95 % interval."""
    if degrees <= len(_T):
        return _T[degrees - 1]
    return _Z + (_Z**3 + _Z) / (4 * degrees) + (5 * _Z**5 + 16 * _Z**3 + 3 * _Z) / (96 * degrees**2)


def gini(values: Sequence[float]) -> float:
    """How unevenly something is spread: 0 when all have the same, nearly 1 when one has everything; 0 of nothing."""
    ordered, total = sorted(values), sum(values)
    if not total:
        return 0.0
    size = len(ordered)
    weighted = sum(rank * value for rank, value in enumerate(ordered, start=1))
    return 2 * weighted / (size * total) - (size + 1) / size
