"""``make bench-quality`` on a very short day: the table, the standing of the default, and the rows of the file."""

import json
from pathlib import Path

import pytest

from router.simulation.case_file import read_case
from router.simulation.comparison import Answer
from router.simulation.contenders import DEFAULT, EVERY
from router.simulation.estimates import Estimate
from router.simulation.question import Entry, Question, inquiries_of
from router.simulation.report import is_worse
from tests.bench import quality

SHORT = """
title: A short day
hours: 0.5
channels: {call: {units: 100}}
classes:
  call: {channel: call, per_hour: 40, handle: {mean_s: 120}, patience_s: 60, target_s: 20}
advisors: {team: {count: 2}}
"""


def test_every_policy_is_measured_against_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(quality, "text_of", lambda _: SHORT)
    out = tmp_path / "build" / "quality.json"
    assert quality.main(["one-class", "--replications", "2", "--most", "2", "--processes", "1", "--out", str(out)]) == 0
    rows = json.loads(out.read_text("utf-8"))
    assert {row["policy"] for row in rows} == set(EVERY)
    assert {row["class"] for row in rows} == {"all", "call"}
    assert rows[0]["policy"] == DEFAULT
    assert {*rows[0]} == {
        "case", "policy", "class", "sla", "sla_ci", "mean_wait_s", "p95_wait_s", "abandoned", "gini", "bound",
    }  # fmt: skip
    told = capsys.readouterr().out
    assert "below the bound: balanced " in told
    assert f"Where the default ({DEFAULT}) stands in promises kept:" in told


@pytest.mark.parametrize(
    ("ahead", "stands"),
    [
        (
            {"a": Estimate(-0.02, 0.01), "b": Estimate(0.001, 0.003)},
            ["best, or as good as the best: b against it +0.10"],
        ),
        ({"a": Estimate(0.02, 0.01), "b": Estimate(-0.1, 0.01)}, ["BEHIND a by +2.00"]),
        ({"a": Estimate(0.02, 0.01), "b": Estimate(0.01, 0.001)}, ["BEHIND a by +2.00", "BEHIND b by +1.00"]),
    ],
)
def test_the_default_stands_behind_whoever_is_surely_better(ahead: dict[str, Estimate], stands: list[str]) -> None:
    found = Answer(rows=(), replications=10, inquiries=100, ahead={DEFAULT: Estimate(0.0)} | ahead)
    assert [line.partition(" +/-")[0] for line in quality.standing(found)] == stands


def test_a_run_in_which_the_default_is_behind_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(quality, "text_of", lambda _: SHORT)
    monkeypatch.setattr(quality, "is_worse", lambda ahead: True)
    words = ["one-class", "--replications", "2", "--most", "2", "--processes", "1", "--out", str(tmp_path / "q.json")]
    assert quality.main(words) == 1
    assert f"{DEFAULT}: behind {len(EVERY) - 1} times" in capsys.readouterr().out


def test_the_large_case_is_a_million_inquiries_for_a_thousand_advisors() -> None:
    text = (Path(quality.__file__).parent / "large.yaml").read_text("utf-8")
    case = read_case("large.yaml", text)
    asked = Question(name="large", case=case, entries=(Entry(label="x", policy="x"),), replications=case.replications)
    assert inquiries_of(asked) == 1_000_000
    assert sum(group.count for group in case.advisors.values()) == 1_000


@pytest.mark.parametrize(
    ("ahead", "worse"),
    [
        (Estimate(0.01, 0.005), True),
        (Estimate(0.01, 0.02), False),
        (Estimate(0.001, 0.0005), False),
        (Estimate(-0.01, 0.005), False),
    ],
)
def test_somebody_is_behind_when_another_is_better_beyond_doubt_and_by_more_than_a_trifle(
    ahead: Estimate, worse: bool
) -> None:
    assert is_worse(ahead) is worse
