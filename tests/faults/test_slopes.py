"""A soak's slopes: a leak is told from a peak, a step, noise, and a process that was started again."""

from random import Random

import pytest

from tests.suites.faults.slopes import BOUNDS, Measure, Sample, Slope, rise, slopes

HOUR = 3600
MEGABYTE = 1024 * 1024


def series(*values: float, measure: Measure = Measure.DESCRIPTORS, of: str = "api") -> list[Sample]:
    """A value each ten seconds."""
    return [Sample(at_s=10.0 * at, measure=measure, of=of, value=value) for at, value in enumerate(values)]


def only(samples: list[Sample], *, seconds: float = HOUR) -> Slope:
    (slope,) = slopes(samples, seconds=seconds)
    return slope


@pytest.mark.parametrize(
    ("points", "expected"),
    [
        ([], 0.0),
        ([(0, 5)], 0.0),
        ([(0, 5), (0, 9)], 0.0),
        ([(0, 5), (10, 5)], 0.0),
        ([(0, 5), (10, 25)], 2.0),
        ([(0, 25), (10, 5)], -2.0),
        ([(0, 0), (10, 10), (20, 900), (30, 30), (40, 40)], 1.0),
    ],
)
def test_a_rise_is_the_median_of_all_pairs(points: list[tuple[float, float]], expected: float) -> None:
    assert rise(points) == pytest.approx(expected)


def test_a_long_series_is_thinned_and_keeps_its_rise() -> None:
    assert rise([(at, 3.0 * at) for at in range(5_000)]) == pytest.approx(3.0)


def test_a_leak_of_a_descriptor_a_minute_is_found() -> None:
    slope = only(series(*(20 + at // 6 for at in range(361))))
    assert slope.per_hour == pytest.approx(60, rel=0.05)
    assert slope.growth == pytest.approx(45, rel=0.05)
    assert slope.judged
    assert not slope.is_fine


@pytest.mark.parametrize(
    "values",
    [
        [20.0] * 361,
        [float(at) for at in range(60)] + [60.0] * 301,  # it warms up
        [900.0 if at % 10 == 0 else 20.0 for at in range(361)],  # each fault makes a peak
        [40.0] * 180 + [20.0] * 181,  # it went down
        [20.0 + Random(at).random() * 6 for at in range(361)],
    ],
    ids=["level", "warm-up", "peaks", "down", "noise"],
)
def test_what_does_not_grow_is_fine(values: list[float]) -> None:
    slope = only(series(*values))
    assert slope.judged
    assert slope.is_fine


def test_memory_may_grow_by_a_share_of_what_it_is() -> None:
    def grows_by(bytes_: float) -> Slope:
        grown = (200 * MEGABYTE + bytes_ * at / 270 for at in range(-90, 271))
        return only(series(*grown, measure=Measure.MEMORY))

    assert grows_by(9 * MEGABYTE).is_fine
    assert not grows_by(12 * MEGABYTE).is_fine


def test_a_process_that_was_started_again_is_a_series_of_its_own() -> None:
    samples = series(*[20.0] * 20, of="api 1") + series(*[20.0] * 361, of="api 2")
    assert [(slope.of, slope.judged) for slope in slopes(samples, seconds=HOUR)] == [("api 1", False), ("api 2", True)]


def test_too_few_points_are_not_judged() -> None:
    slope = only(series(1, 50, 100, 150), seconds=30)
    assert (slope.first, slope.last, slope.most) == (1, 150, 150)
    assert not slope.judged


def test_every_measure_has_a_bound() -> None:
    assert BOUNDS.keys() == set(Measure)
