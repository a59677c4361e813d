"""The alert rules: each fires where it should and keeps still beside it, and asks for series that Turnout shows."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from router.contract.advisor import Presence
from router.service.measuring.gauges import Gauges, PoolMetrics
from tests.suites.promtool import promtool, wrong_about
from tests.suites.stage import POOL, Stage, stage

ROOT = Path(__file__).resolve().parents[1]
PLACE = ROOT / "deploy" / "prometheus"
RULES = PLACE / "turnout.rules.yaml"
CASES = PLACE / "turnout.test.yaml"
EVERY_S = 5
DECLARED = re.compile(r"(?:Counter|Gauge|Histogram)\(\s*\"(turnout_\w+)\"")


def _alerts() -> dict[str, dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def _said_by(*command: str) -> str:
    done = subprocess.run([promtool(), *command], capture_output=True, text=True, check=False, timeout=120)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_prometheus_takes_rules_and_example() -> None:
    assert _said_by("check", "config", str(PLACE / "prometheus.example.yaml")) == ""


def test_every_alert_does_what_its_test_says() -> None:
    assert _said_by("test", "rules", str(CASES)) == ""


def test_every_alert_is_tested_both_ways() -> None:
    names = {test["name"] for test in yaml.safe_load(CASES.read_text("utf-8"))["tests"]}
    assert names == {f"{alert} {way}" for alert in _alerts() for way in ("fires", "keeps still")}


def test_a_test_that_is_wrong_is_found(tmp_path: Path) -> None:
    (tmp_path / RULES.name).write_text(RULES.read_text("utf-8"), "utf-8")
    text = CASES.read_text("utf-8")
    (tmp_path / CASES.name).write_text(text.replace("pool: default, severity: page", "pool: other, severity: page", 1))
    assert "TurnoutClocksNotServed" in _said_by("test", "rules", str(tmp_path / CASES.name))


def test_every_series_is_one_that_turnout_shows() -> None:
    code = "".join(path.read_text("utf-8") for path in (ROOT / "router").rglob("*.py"))
    shown = set(DECLARED.findall(code))
    asked = {name for rule in _alerts().values() for name in re.findall(r"turnout_[a-z_]+", rule["expr"])}
    assert {name.removesuffix("_bucket") for name in asked} <= shown


def test_every_alert_says_what_is_wrong_and_how_bad() -> None:
    for name, rule in _alerts().items():
        assert set(rule["annotations"]) == {"summary", "description"}, name
        assert rule["labels"]["severity"] in ("page", "ticket"), name


def test_operators_find_every_alert_on_their_page() -> None:
    page = (ROOT / "docs" / "operators.md").read_text("utf-8")
    assert [name for name in _alerts() if f"`{name}`" not in page] == []


async def test_scenario_25_a_dispatcher_that_stands_is_said_within_seconds(tmp_path: Path) -> None:
    """What a real pool shows while its matcher stands still and a case waits for somebody who is free."""
    async with stage() as scene:
        await scene.hire("mina", budget=10)
        await scene.presence("mina", Presence.AWAY)
        await scene.write("c1")
        await scene.presence("mina", Presence.ONLINE)  # nobody settles this
        work = (await scene.store.status(POOL)).work
    assert work > 0
    text = yaml.safe_load(CASES.read_text("utf-8"))
    text["tests"] = [
        {
            "interval": "5s",
            "input_series": [
                {"series": f'turnout_work_items{{pool="{POOL}"}}', "values": f"{work}x6"},
                {"series": "turnout_last_decision_timestamp_seconds", "values": "0x6"},
            ],
            "alert_rule_test": [
                {"eval_time": f"{at_s}s", "alertname": "TurnoutNothingDecided", "exp_alerts": told}
                for at_s, told in ((10, []), (20, [_as_told("TurnoutNothingDecided", work)]))
            ],
        }
    ]
    (tmp_path / RULES.name).write_text(RULES.read_text("utf-8"), "utf-8")
    (tmp_path / CASES.name).write_text(yaml.safe_dump(text), "utf-8")
    assert _said_by("test", "rules", str(tmp_path / CASES.name)) == ""


def _as_told(alert: str, value: int) -> dict[str, Any]:
    told = {
        name: text.replace("{{ $labels.pool }}", POOL).replace("{{ $value }}", str(value))
        for name, text in _alerts()[alert]["annotations"].items()
    }
    return {"exp_labels": {"pool": POOL, "severity": "page"}, "exp_annotations": told}


@pytest.mark.parametrize("offset_s", [0, 2, 4])
async def test_clocks_that_nobody_serves_are_said_within_thirty_seconds(tmp_path: Path, offset_s: int) -> None:
    """What the gauge of a real pool shows while its timers stand still, given to the rule as Prometheus would read
    it; the first clock comes due somewhere between two looks."""
    async with stage() as scene:
        shown = await _overdue(scene, offset_s)
    wrong = wrong_about(
        _alerts()["TurnoutClocksNotServed"],
        tmp_path,
        series={f'turnout_timer_overdue_seconds{{pool="{POOL}"}}': shown},
        every_s=EVERY_S,
        fires={30 + offset_s: {"pool": POOL, "severity": "page"}},
    )
    assert wrong == ""


async def _overdue(scene: Stage, offset_s: int) -> list[float]:
    """The gauge every five seconds, the first time that many seconds before a clock comes due."""
    await scene.write("c1")
    first_ms = (await scene.store.status(POOL)).next_timer_ms
    assert first_ms is not None
    await scene.clock.advance_ms(first_ms - scene.clock.now_ms() - offset_s * 1_000)
    registry = CollectorRegistry()
    gauges = Gauges(POOL, scene.store, scene.tail, clock=scene.clock, metrics=PoolMetrics(registry, (POOL,)))
    shown = []
    for _ in range(8):
        await gauges.look()
        shown.append(registry.get_sample_value("turnout_timer_overdue_seconds", {"pool": POOL}) or 0.0)
        await scene.clock.advance_ms(EVERY_S * 1_000)
    return shown
