"""Estimates from independent replications: a mean with its confidence interval."""

import math
import statistics
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple

SURE: Final = 0.95
"""How sure an interval is unless another level is asked for."""
_STEPS: Final = 400
_HALVINGS: Final = 60


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


def estimate(values: Sequence[float], *, level: float = SURE) -> Estimate:
    """From one value a replication; at least one."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return Estimate(mean)
    return Estimate(mean, student(len(values) - 1, level) * statistics.stdev(values, mean) / len(values) ** 0.5)


def difference(ours: Sequence[float], theirs: Sequence[float], *, level: float = SURE) -> Estimate:
    """How much greater ours is than theirs, replication by replication: the same traffic makes both alike, so far
    smaller differences show than two intervals side by side would tell apart."""
    return estimate([one - other for one, other in zip(ours, theirs, strict=True)], level=level)


@lru_cache(maxsize=1024)
def student(degrees: int, level: float = SURE) -> float:
    """Half the width, in standard errors, of an interval that is sure to ``level``: Student's t."""
    low, high = 0.0, math.pi / 2
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, degrees) < level else (low, middle)
    return math.sqrt(degrees) * math.tan(low)


def _within(angle: float, degrees: int) -> float:
    """The chance that Student's t is within the square root of its degrees of freedom times the tangent of an angle: by
    the angle, its density is a power of the cosine. Simpson's rule."""
    scale = math.exp(math.lgamma((degrees + 1) / 2) - math.lgamma(degrees / 2)) / math.sqrt(math.pi)
    step = angle / _STEPS
    heights = [math.cos(step * at) ** (degrees - 1) for at in range(_STEPS + 1)]
    return 2 * scale * step / 3 * (heights[0] + 4 * sum(heights[1::2]) + 2 * sum(heights[2:-1:2]) + heights[-1])


def gini(values: Sequence[float]) -> float:
    """How unevenly something is spread: 0 when all have the same, nearly 1 when one has everything; 0 of nothing."""
    ordered, total = sorted(values), sum(values)
    if not total:
        return 0.0
    size = len(ordered)
    weighted = sum(rank * value for rank, value in enumerate(ordered, start=1))
    return 2 * weighted / (size * total) - (size + 1) / size
