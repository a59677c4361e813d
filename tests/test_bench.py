"""The benchmarks run and say what they measured; how fast anything is, is no test's business."""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from router.runtime.settings.model import BusKind
from rules.rulebook import Strategy
from tests.bench.catalog import BENCHES
from tests.bench.ground import QUICK
from tests.bench.results import Aim, Finding, Judged, Row, Sample, findings, percentile, skipped, table
from tests.servers import binary_of

KEYS = ["name", "value", "unit", "baseline", "ratio", "aim", "met"]
RATIO = Aim(judged=Judged.RATIO_AT_LEAST, limit=0.5)


async def _bench(out: Path, *words: str, path: str | None = None) -> str:
    command = (sys.executable, "-m", "tests.bench", "--quick", "--out", str(out), *words)
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=_environment(path)
    )
    told, complaints = await process.communicate()
    assert process.returncode == 0, complaints.decode()
    return told.decode()


def _environment(path: str | None) -> dict[str, str] | None:
    return None if path is None else {"PATH": path, "XDG_CACHE_HOME": path}


@pytest.mark.timeout(400)
async def test_a_quick_run_measures_every_benchmark(tmp_path: Path) -> None:
    binary_of("valkey")
    out = tmp_path / "build" / "bench.json"
    told = await _bench(out, "--bus", str(BusKind.STREAMS))
    rows = json.loads(out.read_text("utf-8"))
    assert all(list(row) == KEYS for row in rows)
    by_name = {row["name"]: row for row in rows}
    for name, bench in BENCHES.items():
        row = by_name[name]
        assert row["value"] > 0 or name == "router_conflicts"
        ratio = None if row["baseline"] is None else pytest.approx(row["value"] / row["baseline"], rel=1e-3)
        assert row["ratio"] == ratio
        assert (row["unit"], row["aim"], row["met"]) == (bench.unit, bench.aim.limit, None)
    assert all(name in told for name in by_name)


async def test_one_runs_alone_and_measures_decisions_by_every_strategy_at_every_size(tmp_path: Path) -> None:
    binary_of("valkey")
    out = tmp_path / "bench.json"
    await _bench(out, "decide_roster_growth", "--bus", str(BusKind.STREAMS))
    measured = {row["name"] for row in json.loads(out.read_text("utf-8"))}
    parts = {f".{strategy}_{size}" for strategy in Strategy for size in QUICK.rosters}
    assert measured == {f"decide_roster_growth{part}" for part in {"", *parts}}


async def test_without_kafka_nothing_is_measured_and_the_reason_is_said(tmp_path: Path) -> None:
    out = tmp_path / "bench.json"
    told = await _bench(out, path=str(tmp_path))
    assert json.loads(out.read_text("utf-8")) == [
        dict.fromkeys(KEYS) | {"name": name, "unit": bench.unit, "aim": bench.aim.limit}
        for name, bench in BENCHES.items()
    ]
    assert told.count("skipped: ") == len(BENCHES)
    assert "Java" in told


def test_the_middle_run_speaks_for_all() -> None:
    samples = [Sample(value=value, baseline=100, parts={"p": (value, "x")}) for value in (70, 40, 60)]
    first, *rest = (one.row for one in findings("a", "x", samples, aim=RATIO, judging=True))
    assert first == Row(name="a", value=60, unit="x", baseline=100, ratio=0.6, aim=0.5, met=True)
    assert [(row.name, row.value) for row in rest] == [("a.run_1", 70), ("a.run_2", 40), ("a.run_3", 60), ("a.p", 60)]


@pytest.mark.parametrize(
    ("judged", "value", "ratio", "met"),
    [
        (Judged.RATIO_AT_LEAST, 1, 0.5, True),
        (Judged.RATIO_AT_LEAST, 1, 0.49, False),
        (Judged.RATIO_AT_LEAST, 1, None, None),
        (Judged.RATIO_AT_MOST, 9, 0.5, True),
        (Judged.RATIO_AT_MOST, 0.1, 0.51, False),
        (Judged.RATIO_AT_MOST, 0.1, None, None),
        (Judged.VALUE_AT_LEAST, 0.5, 0.1, True),
        (Judged.VALUE_AT_LEAST, 0.4, 0.9, False),
        (Judged.VALUE_AT_MOST, 0.5, 9, True),
        (Judged.VALUE_AT_MOST, 0.6, 0.1, False),
    ],
)
def test_an_aim_is_met(judged: Judged, value: float, ratio: float | None, met: bool | None) -> None:
    assert Aim(judged=judged, limit=0.5).met(value, ratio) is met


def test_without_a_baseline_the_middle_value_speaks() -> None:
    first, *_ = findings("a", "x", [Sample(value=value) for value in (3, 1, 2)], aim=RATIO, judging=True)
    assert first.row == Row(name="a", value=2, unit="x", aim=0.5)
    assert first.note == "ratio >= aim; values 1.00 to 3.00 in 3 runs"


def test_a_smoke_run_meets_and_misses_nothing() -> None:
    (one,) = findings("a", "x", [Sample(value=9, baseline=10)], aim=RATIO, judging=False)
    assert (one.row.ratio, one.row.aim, one.row.met) == (0.9, 0.5, None)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([5], 0.99, 5), ([3, 1, 2], 0.5, 2), ([1, 2, 3, 4], 0.5, 2), (list(range(1, 101)), 0.99, 99), ([1, 2], 1, 2)],
)
def test_percentiles_are_values_that_were_measured(values: list[float], share: float, expected: float) -> None:
    assert percentile(values, share) == expected


def test_the_table_lines_up_and_shows_what_is_missing() -> None:
    met = Finding(row=Row(name="long_name", value=1234.5, unit="x/s", baseline=2000, ratio=0.617, aim=0.5, met=False))
    lines = table([met, skipped("b", "x/s", aim=RATIO, reason="no Java")]).splitlines()
    assert [line.index("x/s") for line in lines[1:]] == [lines[0].index("unit")] * 2
    assert "1,234" in lines[1]
    assert "NO" in lines[1]
    assert lines[2].endswith("skipped: no Java")
