"""``turnout simulate``: from a file to a table, to rows, or to every problem in the file."""

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from router.cli.main import main
from router.simulation.case_file import names, read_case, text_of

CASE = """
title: A short day
hours: 1
replications: 2
channels: {call: {units: 100}}
classes:
  billing: {channel: call, per_hour: 30, handle: {mean_s: 120}, target_s: 20, skills: {billing: 3}}
  other: {channel: call, per_hour: 20, handle: {mean_s: 120}, target_s: 60, patience_s: 60}
advisors:
  team: {count: 2, skills: {billing: 5}}
  newcomer: {}
"""
RULES = """
defaults: {queue: general}
skills: {billing: Money}
tiers: [junior, senior]
outcomes: {solved: Solved}
channels: {call: {units: 100, wrap_up_s: 10}}
policies: {standard: {first_response_s: 20, resolution_s: 3600}}
queues:
  general: {policy: standard, ladder: late, relax: [{after_s: 30, levels: {billing: 1}}]}
ladders: {late: {steps: [{at: breach, raise_priority: 1}]}}
rules:
  - {name: money, match: {text: {contains: invoice}}, set: {skills: {billing: 5}}}
"""
ROSTER = """
advisors:
  - {id: mina, name: Mina, languages: {en: 9}, skills: {billing: 5}}
  - {id: jun, name: Jun, languages: {en: 9}, skills: {billing: 2}}
"""
JUDGED = """
title: Judged by the rules
hours: 2
replications: 4
accept_s: 3
classes:
  money: {channel: call, per_hour: 30, handle: {mean_s: 120}, says: {text: my invoice}}
  other: {channel: call, per_hour: 30, handle: {mean_s: 120}, says: {text: hello}}
"""


def _simulate(folder: Path, text: str, *words: str) -> Result:
    file = folder / "case.yaml"
    file.write_text(text, "utf-8")
    return CliRunner().invoke(main, ["simulate", str(file), "--processes", "1", *words])


def _installation(folder: Path, roster: str = ROSTER) -> tuple[Path, Path]:
    rules = folder / "rules"
    rules.mkdir()
    (rules / "rules.yaml").write_text(RULES, "utf-8")
    file = folder / "roster.yaml"
    file.write_text(roster, "utf-8")
    return rules, file


def test_a_case_is_shown_as_a_table(tmp_path: Path) -> None:
    told = _simulate(tmp_path, CASE, "--policy", "fifo-longest-idle")
    assert told.exit_code == 0, told.output
    assert "A short day" in told.output
    assert [line.split()[0] for line in told.output.splitlines() if " all  " in line] == [
        "balanced",
        "fifo-longest-idle",
    ]
    assert "2 replications of about" in told.output
    assert "fifo-longest-idle against balanced: " in told.output


@pytest.mark.parametrize("processes", ["1", "2"])
def test_who_watches_sees_a_bar_grow_until_it_is_full(tmp_path: Path, processes: str) -> None:
    watched = {"FORCE_COLOR": "1", "TERM": "xterm"}
    file = tmp_path / "case.yaml"
    file.write_text(CASE.replace("replications: 2", "replications: 40"), "utf-8")
    told = CliRunner().invoke(main, ["simulate", str(file), "--processes", processes], env=watched)
    assert told.exit_code == 0, told.output
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", told.stderr)
    shown = [(int(come), int(of)) for come, of in re.findall(r"(\d+)/(\d+)", plain)]
    assert [come for come, _ in shown] == sorted(come for come, _ in shown)
    assert shown[0] == (0, 2_000)
    assert shown[-1][0] == shown[-1][1] > 1_500


def test_the_rows_are_there_as_json(tmp_path: Path) -> None:
    rows = json.loads(_simulate(tmp_path, CASE, "--json").output)
    assert [(row["policy"], row["class"]) for row in rows] == [
        ("balanced", each) for each in ("all", "billing", "other")
    ]
    assert {*rows[0]} == {
        "case", "policy", "class", "sla", "sla_ci", "mean_wait_s", "p95_wait_s", "abandoned", "gini", "bound",
    }  # fmt: skip
    for row in rows:
        low, high = row["sla_ci"]
        assert 0 <= low <= row["sla"] <= high <= 1
        assert row["sla"] <= row["bound"] <= 1


def test_it_goes_on_until_the_difference_is_known(tmp_path: Path) -> None:
    days = []
    for within in ("100", "0.01"):
        shown = _simulate(tmp_path, CASE, "--policy", "fifo-least-count", "--within", within)
        assert shown.exit_code == 0, shown.output
        days += [int(line.split()[0]) for line in shown.output.splitlines() if " replications of about " in line]
    assert days[0] == 2 < days[1] <= 64


def test_the_same_seed_has_the_same_day(tmp_path: Path) -> None:
    rows = [_simulate(tmp_path, CASE, "--json", "--seed", seed).output for seed in ("7", "7", "8")]
    assert rows[0] == rows[1] != rows[2]


def test_rules_and_roster_are_tried_with_a_change_beside_them(tmp_path: Path) -> None:
    rules, roster = _installation(tmp_path)
    more = tmp_path / "more.yaml"
    more.write_text(
        ROSTER
        + "".join(f"  - {{id: new{n}, name: New, languages: {{en: 9}}, skills: {{billing: 9}}}}\n" for n in range(4)),
        "utf-8",
    )
    given = ("--rules", str(rules), "--roster", str(roster), "--changed-roster", str(more))
    told = _simulate(tmp_path, JUDGED, *given)
    assert told.exit_code == 0, told.output
    assert "changed against as-written: more in time by" in told.output
    rows = {
        (row["policy"], row["class"]): row for row in json.loads(_simulate(tmp_path, JUDGED, *given, "--json").output)
    }
    assert rows["changed", "all"]["sla"] > 0.9 > rows["as-written", "all"]["sla"]
    assert rows["changed", "all"]["mean_wait_s"] >= 3


@pytest.mark.parametrize(
    ("line", "instead", "problem"),
    [
        ("hours: 1", "hours: -1", "case.yaml:3:8 hours: "),
        ("hours: 1", "ours: 1", 'case.yaml:3:1 ours: unknown field `ours` (did you mean "hours"?)'),
        ("hours: 1", "warm_up_h: 9", "case.yaml:3:12 warm_up_h: must be less than `hours` (8)"),
        (", target_s: 20", "", "case.yaml:7:12 classes.billing: the field `target_s` is missing"),
        (
            "  newcomer: {}",
            "  newcomer: {queues: [othr]}",
            'advisors.newcomer.queues[0]: no class waits in a queue "othr"',
        ),
        (
            "  newcomer: {}",
            "  newcomer: {shift: {from_h: 2, to_h: 1}}",
            "advisors.newcomer.shift: a shift must end after",
        ),
        (
            "  newcomer: {}",
            "  newcomer: {secondary: [other]}",
            "advisors.newcomer.secondary: without a rulebook no queue says when its secondary members join",
        ),
        ("replications: 2", "bursts: [{from_h: 0, minutes: 9, factor: 2, classes: [x]}]", 'there is no class "x"'),
        (
            "per_hour: 30",
            "per_hour: [{from_h: 1, per_hour: 1}, {from_h: 0, per_hour: 1}]",
            "in the order of their hours",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, line: str, instead: str, problem: str) -> None:
    told = _simulate(tmp_path, CASE.replace(line, instead))
    assert told.exit_code == 2
    assert problem in told.output


def test_a_group_joins_a_queue_of_the_rulebook_as_its_secondary_members(tmp_path: Path) -> None:
    rules, _ = _installation(tmp_path)
    (rules / "rules.yaml").write_text(RULES.replace("ladder: late, relax", "secondary_after_s: 15, relax"), "utf-8")
    waits = []
    for secondary in ("", ", secondary: [general]"):
        able = "languages: {en: 9}, skills: {billing: 5}"
        groups = f"advisors:\n  few: {{{able}}}\n  team: {{count: 9, {able}, queues: []{secondary}}}\n"
        told = _simulate(tmp_path, JUDGED + groups, "--rules", str(rules), "--json")
        assert told.exit_code == 0, told.output
        waits.append(next(row["mean_wait_s"] for row in json.loads(told.output) if row["class"] == "all"))
    assert waits[0] > 60 > waits[1] > 3


def test_without_advisors_nobody_answers(tmp_path: Path) -> None:
    told = _simulate(tmp_path, CASE[: CASE.index("advisors:")])
    assert told.exit_code == 2
    assert "the field `advisors` is missing" in told.output


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    told = CliRunner().invoke(main, ["simulate", str(tmp_path / "none.yaml")])
    assert told.exit_code == 2
    assert "none.yaml" in told.output


@pytest.mark.parametrize("name", names())
def test_the_cases_that_come_with_turnout_can_be_read(name: str) -> None:
    assert read_case(name, text_of(name)).title


def test_a_case_whose_offers_end_before_anybody_accepts_them_is_refused(tmp_path: Path) -> None:
    rules, roster = _installation(tmp_path)
    told = _simulate(
        tmp_path, JUDGED.replace("accept_s: 3", "accept_s: 31"), "--rules", str(rules), "--roster", str(roster)
    )
    assert told.exit_code == 2
    assert 'accept_s: in 31 s an offer of the queue "general" is over: it rings for 30 s' in told.output


def test_a_case_that_is_not_there_is_refused_with_those_that_are() -> None:
    told = CliRunner().invoke(main, ["simulate", "m-desing"])
    assert told.exit_code == 2
    assert "there is no file m-desing, and no case of that name comes with Turnout: " in told.output
    assert all(name in told.output for name in names())
