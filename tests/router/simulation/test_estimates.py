"""Means with their intervals, differences on the same traffic, and the spread of load."""

import pytest

from router.simulation.estimates import Estimate, difference, estimate, gini, student


@pytest.mark.parametrize(
    ("degrees", "half"), [(1, 12.706), (4, 2.776), (10, 2.228), (11, 2.201), (20, 2.086), (60, 2.000), (1_000, 1.962)]
)
def test_students_t_is_that_of_the_tables(degrees: int, half: float) -> None:
    assert student(degrees) == pytest.approx(half, abs=1e-3)


@pytest.mark.parametrize(
    ("degrees", "level", "half"), [(1, 0.5, 1.0), (4, 0.99, 4.604), (9, 0.995, 3.690), (19, 0.99, 2.861)]
)
def test_an_interval_can_be_surer(degrees: int, level: float, half: float) -> None:
    assert student(degrees, level) == pytest.approx(half, abs=1e-3)


def test_an_interval_by_hand() -> None:
    found = estimate([1.0, 2.0, 3.0])
    assert found == pytest.approx(Estimate(2.0, 4.303 / 3**0.5), abs=1e-3)
    assert [found.holds(value) for value in (-0.5, 4.4, 4.5)] == [False, True, False]


def test_of_one_replication_nothing_is_known_but_the_value() -> None:
    assert estimate([0.5]) == Estimate(0.5, 0.0)


def test_the_same_traffic_shows_a_small_difference() -> None:
    ours, theirs = [0.9, 0.5, 0.7], [0.89, 0.49, 0.69]
    assert difference(ours, theirs).low > 0
    assert estimate(ours).low < estimate(theirs).high


@pytest.mark.parametrize(
    ("values", "spread"), [([5, 5, 5], 0.0), ([0, 0, 0, 8], 0.75), ([1, 3], 0.25), ([], 0.0), ([0, 0], 0.0)]
)
def test_the_spread_of_load(values: list[float], spread: float) -> None:
    assert gini(values) == pytest.approx(spread)
