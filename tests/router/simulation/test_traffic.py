"""Traffic: rates by the hour, bursts, busy days, and the same inquiries for every policy."""

import statistics

import pytest
from msgspec.structs import replace

from router.simulation.case import Burst, Case, Handling, Traffic, Turn
from router.simulation.traffic import HOUR_MS, jobs, rates


def case(*, per_hour: float | tuple[Turn, ...] = 60, cv: float = 1.0, **more: object) -> Case:
    kind = Traffic(channel="chat", per_hour=per_hour, handle=Handling(mean_s=100, cv=cv), target_s=20, patience_s=50)
    return Case(title="x", classes={"a": kind}, **{"hours": 4.0, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (case(), [(0.0, 60), (4.0, 0.0)]),
        (case(per_hour=(Turn(from_h=1, per_hour=5), Turn(from_h=2, per_hour=7))), [(0, 0), (1, 5), (2, 7), (4, 0)]),
        (case(bursts=(Burst(from_h=1, minutes=30, factor=3),)), [(0, 60), (1, 180), (1.5, 60), (4, 0)]),
        (case(bursts=(Burst(from_h=1, minutes=30, factor=3, classes=("a",)),)), [(0, 60), (1, 180), (1.5, 60), (4, 0)]),
        (case(bursts=(Burst(from_h=1, minutes=30, factor=3, classes=("b",)),)), [(0, 60), (4, 0)]),
        (case(bursts=(Burst(from_h=3, minutes=120, factor=0),)), [(0, 60), (3, 0), (4, 0)]),
    ],
)
def test_rates_follow_turns_and_bursts(given: Case, expected: list[tuple[float, float]]) -> None:
    assert rates(given, "a", given.classes["a"]) == expected


def test_a_replication_is_the_same_whenever_it_is_drawn_and_another_is_not() -> None:
    assert list(jobs(case(), 3)) == list(jobs(case(), 3)) != list(jobs(case(), 4))


def test_a_class_is_the_same_with_and_without_others() -> None:
    alone, more = case(), case()
    more = replace(more, classes={"a": more.classes["a"], "b": more.classes["a"]})
    drawn = list(jobs(more, 1))
    assert [job for job in drawn if job.kind == 0] == list(jobs(alone, 1))
    assert [job.at_ms for job in drawn] == sorted(job.at_ms for job in drawn)


@pytest.mark.parametrize("cv", [0.0, 0.5, 1.0, 2.0])
def test_as_many_come_and_take_as_long_as_the_case_says(cv: float) -> None:
    drawn = [job for number in range(20) for job in jobs(case(cv=cv), number)]
    assert len(drawn) / 20 == pytest.approx(240, rel=0.05)
    work = [job.handle_ms / 1000 for job in drawn]
    assert statistics.fmean(work) == pytest.approx(100, rel=0.08)
    assert statistics.pstdev(work) / 100 == pytest.approx(cv, rel=0.25)
    assert statistics.fmean(job.patience_ms for job in drawn) == pytest.approx(50_000, rel=0.05)


def test_whole_days_differ_by_their_busyness() -> None:
    def spread(busyness: float) -> float:
        counts = [sum(1 for _ in jobs(case(busyness_cv=busyness), number)) for number in range(60)]
        return statistics.pstdev(counts) / statistics.fmean(counts)

    assert spread(0.0) < 0.1
    assert spread(0.4) > 0.3


def test_nobody_comes_before_or_after_the_hours() -> None:
    drawn = list(jobs(case(per_hour=(Turn(from_h=1, per_hour=60),), hours=2.0), 1))
    assert drawn[0].at_ms >= HOUR_MS
    assert drawn[-1].at_ms < 2 * HOUR_MS
