"""The queries of the operators' page for reports: Prometheus answers them with what the series of a day mean."""

import re
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.suites.promtool import promtool

PAGE: Final = (Path(__file__).resolve().parents[1] / "docs" / "operators.md").read_text("utf-8")
QUERIES: Final = re.findall(r"^```promql\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
DAY_S: Final = 86_400
SLA: Final = 'turnout_sla_targets_total{policy="%s",target="%s",result="%s",instance="%s"}'
GIVEN: Final = {
    # By the hour, of two processes: nine of twelve met; the other clock has ended nowhere.
    SLA % ("gold", "resolution", "met", "a"): "0+2x24",
    SLA % ("gold", "resolution", "met", "b"): "0+1x24",
    SLA % ("gold", "resolution", "missed", "a"): "0+1x24",
    SLA % ("gold", "update", "met", "a"): "0x24",
    SLA % ("gold", "update", "missed", "a"): "0x24",
    'turnout_escalation_steps_total{ladder="quick",step="2",instance="a"}': "0+1x24",
    'turnout_escalation_steps_total{ladder="quick",step="2",instance="b"}': "0+2x24",
    'turnout_notices_total{outcome="sent",instance="a"}': "0+4x24",
    'turnout_notices_total{outcome="failed",instance="a"}': "0x24",
    'turnout_queue_next_breach_timestamp_seconds{pool="p",queue="billing",instance="a"}': f"{DAY_S + 90}x24",
    'turnout_queue_next_breach_timestamp_seconds{pool="p",queue="billing",instance="b"}': "0x24",
    'turnout_queue_next_breach_timestamp_seconds{pool="p",queue="late",instance="a"}': f"{DAY_S - 30}x24",
    'turnout_queue_next_breach_timestamp_seconds{pool="p",queue="empty",instance="a"}': "0x24",
    'turnout_timers_armed{pool="p",instance="a"}': "7x24",
    'turnout_timers_armed{pool="p",instance="b"}': "7x24",
    'turnout_timers_armed{pool="q",instance="b"}': "2x24",
}
ANSWERS: Final[tuple[dict[str, float], ...]] = (
    {'{policy="gold",target="resolution"}': 0.75},
    {'{ladder="quick",step="2"}': 72},
    {'{outcome="failed"}': 0, '{outcome="sent"}': 96},
    {'{queue="billing"}': 90, '{queue="late"}': -30},
    {"{}": 9},
)


def wrong_about(query: str, answer: dict[str, float], folder: Path) -> str:
    """What ``promtool`` has against this answer after a day of ``GIVEN``; empty when it is so."""
    expected = [{"labels": labels, "value": value} for labels, value in answer.items()]
    whole: dict[str, Any] = {
        "evaluation_interval": "1h",
        "tests": [
            {
                "interval": "1h",
                "input_series": [{"series": name, "values": values} for name, values in GIVEN.items()],
                "promql_expr_test": [{"expr": query, "eval_time": "24h", "exp_samples": expected}],
            }
        ],
    }
    (folder / "case.yaml").write_text(yaml.safe_dump(whole))
    command = [promtool(), "test", "rules", str(folder / "case.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_each_query_has_its_answer_here() -> None:
    assert len(QUERIES) == len(ANSWERS)


@pytest.mark.parametrize(("query", "answer"), list(zip(QUERIES, ANSWERS, strict=False)))
def test_a_query_of_the_page_says_what_it_is_for(query: str, answer: dict[str, float], tmp_path: Path) -> None:
    assert wrong_about(query, answer, tmp_path) == ""
    assert "FAILED" in wrong_about(query, {labels: value + 1 for labels, value in answer.items()}, tmp_path)
