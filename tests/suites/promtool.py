"""Prometheus's own check of what we expose."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml


def promtool() -> str:
    """The tool; without it a laptop skips the test and CI fails it."""
    found = shutil.which("promtool")
    if found is None:
        reason = "no promtool here: install Prometheus (Debian: apt-get install prometheus)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def problems_of(exposition: str) -> list[str]:
    """What ``promtool check metrics`` has to say about a page of metrics."""
    checked = subprocess.run(
        [promtool(), "check", "metrics"], input=exposition, capture_output=True, text=True, check=False, timeout=30
    )
    said = (checked.stdout + checked.stderr).splitlines()
    return said if said or checked.returncode == 0 else [f"promtool ended with {checked.returncode}"]


def wrong_about(
    rule: Mapping[str, Any],
    folder: Path,
    *,
    series: Mapping[str, Sequence[float]],
    every_s: int,
    fires: Mapping[int, Mapping[str, str] | None],
) -> str:
    """What ``promtool test rules`` has against this: given the series, a value each so many seconds, the alert rule
    fires with those labels, or doesn't (None), so many seconds on. Empty when it is so."""
    quiet = {"summary": "S", "description": "D"}
    tests = [
        {
            "eval_time": f"{at_s}s",
            "alertname": rule["alert"],
            "exp_alerts": [] if labels is None else [{"exp_labels": dict(labels), "exp_annotations": quiet}],
        }
        for at_s, labels in fires.items()
    ]
    given = [{"series": name, "values": " ".join(map(str, values))} for name, values in series.items()]
    whole = {
        "rule_files": ["rules.yaml"],
        "evaluation_interval": f"{every_s}s",
        "tests": [{"interval": f"{every_s}s", "input_series": given, "alert_rule_test": tests}],
    }
    group = {"name": "one", "rules": [{**rule, "annotations": quiet}]}
    (folder / "rules.yaml").write_text(yaml.safe_dump({"groups": [group]}))
    (folder / "case.yaml").write_text(yaml.safe_dump(whole))
    command = [promtool(), "test", "rules", str(folder / "case.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return "" if done.returncode == 0 else done.stdout + done.stderr
