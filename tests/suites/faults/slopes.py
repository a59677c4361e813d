"""Slopes of what a soak measures, and whether they are those of something that grows without end. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import combinations
from statistics import median
from typing import Final

import msgspec

Point = tuple[float, float]
"""When, in seconds since the start, and how much."""

WARM_UP: Final = 0.25
"""The first part of a series is not judged: caches fill, connections are made."""
_MOST_POINTS: Final = 400
_FEWEST_POINTS: Final = 8
_HOUR_S: Final = 3600.0


class Measure(StrEnum):
    """What is measured, and in which unit its series are."""

    MEMORY = "memory_bytes"
    DESCRIPTORS = "descriptors"
    OUTBOX = "outbox_entries"
    LAG = "lag_records"


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """How far a series may grow, by its slope, over the time that is judged: ``least``, or that ``share`` of its
    median where that is more. So an hour allows a twelfth of the slope that five minutes do."""

    least: float
    share: float = 0.0


BOUNDS: Final[Mapping[Measure, Bound]] = {
    Measure.MEMORY: Bound(least=6 * 1024 * 1024, share=0.05),
    Measure.DESCRIPTORS: Bound(least=6),
    Measure.OUTBOX: Bound(least=20),
    Measure.LAG: Bound(least=20),
}


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """One value of one series. A process that was started again begins a series of its own."""

    at_s: float
    measure: Measure
    of: str
    value: float


class Slope(msgspec.Struct, frozen=True, kw_only=True):
    """A series as it went. ``growth`` is what the slope comes to over the time that was judged, ``allowed`` how much
    it may; ``judged`` is false for one too short to tell."""

    measure: Measure
    of: str
    points: int
    first: float
    median: float
    last: float
    most: float
    per_hour: float
    growth: float
    allowed: float
    judged: bool

    @property
    def is_fine(self) -> bool:
        return not self.judged or self.growth <= self.allowed


def slopes(samples: Sequence[Sample], *, seconds: float) -> list[Slope]:
    """Of each series, by measure and name. One is judged that has enough points over half of ``seconds`` after its
    warm-up."""
    series: dict[tuple[Measure, str], list[Point]] = defaultdict(list)
    for sample in samples:
        series[sample.measure, sample.of].append((sample.at_s, sample.value))
    return [_slope(measure, of, sorted(points), seconds) for (measure, of), points in sorted(series.items())]


def _slope(measure: Measure, of: str, points: Sequence[Point], seconds: float) -> Slope:
    values = [value for _, value in points]
    begins = points[0][0] + WARM_UP * (points[-1][0] - points[0][0])
    warm = [point for point in points if point[0] >= begins]
    span_s = warm[-1][0] - warm[0][0]
    rate = rise(warm)
    bound, middle = BOUNDS[measure], median(value for _, value in warm)
    return Slope(
        measure=measure,
        of=of,
        points=len(points),
        first=values[0],
        median=middle,
        last=values[-1],
        most=max(values),
        per_hour=round(rate * _HOUR_S, 1),
        growth=round(rate * span_s, 1),
        allowed=round(max(bound.least, bound.share * middle), 1),
        judged=len(warm) >= _FEWEST_POINTS and span_s >= seconds * (1 - WARM_UP) / 2,
    )


def rise(points: Sequence[Point]) -> float:
    """By how much a series rises a second: the median of the slopes of all pairs (Theil and Sen), which peaks, as a
    fault makes them, don't move. 0 for fewer than two moments."""
    few = points[:: max(1, -(-len(points) // _MOST_POINTS))]
    rates = [(b - a) / (later - earlier) for (earlier, a), (later, b) in combinations(few, 2) if later > earlier]
    return median(rates) if rates else 0.0
