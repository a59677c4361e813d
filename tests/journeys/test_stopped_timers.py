"""The alert on clocks that nobody serves, by what a real process shows while its timer loop stands still."""

import os
import re
import signal
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from router.runtime.simulators import CustomerMessage
from tests.suites.eventually import eventually
from tests.suites.installation import Installation, installation
from tests.suites.promtool import promtool, wrong_about
from tests.suites.stopped_timers import StoppingProcess

DEPLOYED = Path(__file__).resolve().parents[2] / "deploy" / "prometheus" / "turnout.rules.yaml"
ALERT = "TurnoutClocksNotServed"
SERIES = re.compile(r"turnout_timer_overdue_seconds\{.*\}")
RULES = """
defaults: {queue: general, language: en}
outcomes: {solved: Solved}
policies: {quick: {first_response_s: 2, resolution_s: 3600, warn: []}}
queues: {general: {policy: quick}}
"""
WITHIN_S = 20
"""Of the 30 promised, ten are for Prometheus: it looks every 5 s and decides every 5 s; here it does so each second."""


def settings(folder: Path) -> dict[str, Any]:
    (folder / "rules").mkdir()
    (folder / "rules" / "rules.yaml").write_text(RULES, "utf-8")
    (folder / "roster.yaml").write_text("advisors: [{id: mina, name: Mina, languages: {en: 9}}]", "utf-8")
    return {"rules_dir": str(folder / "rules"), "roster_file": str(folder / "roster.yaml")}


def rule() -> dict[str, Any]:
    groups = yaml.safe_load(DEPLOYED.read_text("utf-8"))["groups"]
    found: dict[str, Any] = next(each for group in groups for each in group["rules"] if each.get("alert") == ALERT)
    return found


async def write(place: Installation, ref: str) -> None:
    message = CustomerMessage(ref=ref, customer=ref, thread=ref, subject="", text="Is anybody there?")
    assert (await place.customers["webhook"].send(message)).accepted


async def breaches(place: Installation) -> float:
    return (await place.metrics())['turnout_escalations_total{kind="breach"}']


async def scraped(place: Installation, seconds: int) -> dict[str, list[float]]:
    """What the gauge shows from now on, a value each second."""
    shown: dict[str, list[float]] = defaultdict(list)
    begun_s = time.monotonic()
    for number in range(seconds + 1):
        await eventually(lambda: time.monotonic() >= begun_s + number)  # noqa: B023
        for name, value in (await place.metrics()).items():
            if SERIES.fullmatch(name):
                shown[name].append(value)
    return dict(shown)


@pytest.mark.timeout(180)
async def test_a_timer_loop_that_stands_is_said_within_thirty_seconds(tmp_path: Path) -> None:
    promtool()  # before anything is started
    async with installation(tmp_path, channels=["webhook"], more=settings(tmp_path), kind=StoppingProcess) as place:
        await write(place, "served")
        await eventually(lambda: breaches(place), within_s=30)
        served = await scraped(place, 6)
        os.kill(place.process.pid, signal.SIGUSR2)
        await write(place, "unserved")
        stood = await scraped(place, WITHIN_S)
        assert await breaches(place) == 1
        assert place.process.stop() == 0
    ((name, values),) = stood.items()
    labels = {"pool": "default", "severity": "page"}
    assert wrong_about(rule(), tmp_path, series=served, every_s=1, fires={6: None}) == ""
    assert wrong_about(rule(), tmp_path, series={name: values}, every_s=1, fires={0: None, WITHIN_S: labels}) == ""
