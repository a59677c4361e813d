"""What a soak reports, and when it says that all is fine; that it measures is seen on this very process."""

import os
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.faults.soak import summary, table
from tests.suites.faults.evidence import Promise, Violation
from tests.suites.faults.slopes import Measure, Slope
from tests.suites.faults.soak import MILD, Soaked, descriptors, resident
from tests.suites.faults.strikes import BY_NAME


def slope(measure: Measure, *, growth: float = 0.0, judged: bool = True) -> Slope:
    figures = {"first": 1.0, "median": 2.0, "last": 3.0, "most": 4.0, "per_hour": 5.0}
    return Slope(measure=measure, of="api (1)", points=9, growth=growth, allowed=10.0, judged=judged, **figures)


FINE = Soaked(seconds=60, inquiries=9, faults={"cut bus": 2}, slopes=tuple(map(slope, Measure)), violations=())


def with_slope(growth: float, *, judged: bool) -> Soaked:
    return replace(FINE, slopes=(*FINE.slopes, slope(Measure.MEMORY, growth=growth, judged=judged)))


@pytest.mark.parametrize(
    ("soaked", "is_fine"),
    [
        (FINE, True),
        (with_slope(10.0, judged=True), True),
        (with_slope(10.1, judged=True), False),
        (with_slope(99.0, judged=False), True),
        (replace(FINE, slopes=FINE.slopes[:-1]), False),
        (replace(FINE, slopes=()), False),
        (replace(FINE, violations=(Violation(promise=Promise.NOT_LOST, evidence="x"),)), False),
    ],
    ids=["fine", "at its bound", "grows", "too short", "one measure not judged", "nothing judged", "broken promise"],
)
def test_it_is_fine_when_nothing_grows_and_nothing_broke(soaked: Soaked, is_fine: bool) -> None:
    assert soaked.is_fine is is_fine
    assert summary(soaked)["verdict"] == ("fine" if is_fine else "broken")


def test_each_series_is_reported_with_its_verdict() -> None:
    found = summary(with_slope(99.0, judged=True))
    assert [series["verdict"] for series in found["series"]] == ["fine"] * len(Measure) + ["grows"]
    assert found["series"][0]["slope_per_hour"] == 5.0
    assert "grows" in table(with_slope(99.0, judged=True)).splitlines()[-1]


def test_a_process_is_measured() -> None:
    mine = os.getpid()
    before = descriptors(mine)
    with Path(os.devnull).open():
        assert descriptors(mine) == before + 1
    assert resident(mine) > 10 * 1024 * 1024


def test_its_faults_are_those_of_the_matrix() -> None:
    assert set(MILD) <= BY_NAME.keys()
