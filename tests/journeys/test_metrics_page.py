"""The page of metrics of a service that has just started: whole, at zero, and in Prometheus's own words."""

import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.suites.eventually import eventually
from tests.suites.installation import Process
from tests.suites.promtool import problems_of

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"turnout_[a-z_]+")
RULES = """
defaults: {queue: general, language: en}
skills: {billing: Money}
outcomes: {solved: Solved}
policies: {gold: {first_response_s: 60, resolution_s: 600}, standard: {first_response_s: 3600, resolution_s: 86400}}
ladders: {soon: {steps: [{at: 0.5, raise_priority: 1}, {at: breach, notify: [webhook]}]}}
queues: {general: {policy: standard}, billing: {policy: gold, ladder: soon}}
"""
ROSTER = "advisors: [{id: mina, name: Mina, languages: {en: 9}, skills: {billing: 7}}]"
# What a service has from its very start, or that tells of the time or of itself.
NOT_ZERO = re.compile(
    r"_created|turnout_(build_info|ready|rules_reload_successful|rulebook_info|loop_lag|relay\w*"
    r"|acts|act_seconds|advisors{.*offline|decision_seconds|work_items"  # Mina is enrolled, and looked at
    r"|reply_ledger_settlings)"  # the state server has begun its first run
)
THERE = (
    'turnout_queue_depth{pool="default",priority="1",queue="billing"}',
    'turnout_queue_oldest_age_seconds{pool="default",priority="5",queue="other"}',
    'turnout_offers_total{outcome="taken_back"}',
    'turnout_assignments_total{by="automatic"}',
    'turnout_sla_targets_total{policy="gold",result="missed",target="first_response"}',
    'turnout_sla_targets_total{policy="standard",result="met",target="resolution"}',
    'turnout_escalation_steps_total{ladder="soon",step="2"}',
    'turnout_advisors{pool="default",presence="away"}',
    'turnout_advisors_online{load="over",pool="default"}',
    'turnout_bus_errors_total{operation="commit"}',
    'turnout_consumer_lag_records{group="router.default",topic="turnout.inquiries.v1.default"}',
    'turnout_work_items_served_total{outcome="lost",share="left"}',
    'turnout_invariant_broken_total{invariant="two_owners"}',
    'turnout_inquiries_total{outcome="admitted"}',
    "turnout_sweep_found_total",
    "turnout_dead_letters_total",
    "turnout_outbox_length",
)


@pytest.mark.timeout(120)
async def test_a_fresh_service_shows_every_series_at_zero_and_promtool_has_no_complaint(tmp_path: Path) -> None:
    up = Process(tmp_path, settings_of(tmp_path))
    running = await up.start()
    try:
        async with aiohttp.ClientSession() as http:

            async def page() -> str:
                async with http.get(f"{running.ops}/metrics") as answer:
                    return await answer.text()

            # Queues are looked at last; what the start itself wrote is on the bus by then, or soon.
            await eventually(page_has(page, 'queue="billing"'))
            await eventually(page_has(page, 'turnout_outbox_length{pool="default"} 0.0'))
            exposition = await page()
    finally:
        up.stop()
    series = dict(line.rsplit(" ", 1) for line in exposition.splitlines() if not line.startswith("#"))
    told = {name: float(value) for name, value in series.items() if not NOT_ZERO.search(name)}
    assert {name: value for name, value in told.items() if value} == {}
    assert [name for name in THERE if not any(each.startswith(name) for each in series)] == []
    assert documented() - {line.split()[2] for line in exposition.splitlines() if line.startswith("# TYPE")} == set()
    assert problems_of(exposition) == []


def settings_of(folder: Path) -> dict[str, Any]:
    (folder / "rules").mkdir()
    (folder / "rules" / "rules.yaml").write_text(RULES, "utf-8")
    (folder / "roster.yaml").write_text(ROSTER, "utf-8")
    return {
        "data_dir": str(folder / "data"),
        "rules_dir": str(folder / "rules"),
        "roster_file": str(folder / "roster.yaml"),
        "http": {"channels_port": 0, "api_port": 0, "ops_port": 0},
    }


def page_has(page, text: str):  # type: ignore[no-untyped-def]  # a condition
    async def holds() -> bool:
        return text in await page()

    return holds


def documented() -> set[str]:
    """The metrics of the operators' page, without the example of a channel's own."""
    table = (ROOT / "docs" / "operators.md").read_text("utf-8")
    named = {name for line in table.splitlines() if line.startswith("| `turnout_") for name in NAMED.findall(line)}
    assert len(named) > 50
    return named
