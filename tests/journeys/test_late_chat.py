"""A chat that nobody answers: it rings from tier to tier, staff are told, the lead takes it by a button in Slack, its
clocks stop, and every account of them agrees."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from channels.notify.card_simulator import CardSimulator, TeamsMessage, teams_simulator
from channels.notify.slack_app_simulator import CHANNEL, SlackSimulator
from router.contract.events import EventType
from router.runtime.simulators import CustomerMessage
from tests.suites import clock_audits as audits
from tests.suites.eventually import eventually
from tests.suites.installation import Advisor, Installation, installation

RULES = """
defaults: {queue: billing, language: en}
skills: {billing: Money}
tiers: [junior, senior, lead]
outcomes: {solved: Solved}
teams: {seoul: {leads: [{advisor: mina}]}}
policies: {quick: {first_response_s: 8, resolution_s: 3600, warn: [0.25]}}
ladders:
  quick:
    acknowledged: stop
    steps:
      - {at: 0.5, move_up: true, reassign: take, raise_priority: 1, notify: [queue]}
      - {at: breach, move_up: true, reassign: take, raise_priority: 1, notify: [lead via slack-app, managers]}
      - {after_s: 3000, clock: resolution, notify: [managers]}
queues: {billing: {policy: quick, ladder: quick, team: seoul, notify: slack-app, tiers: [junior], offer_s: 60}}
rules: [{name: billing, set: {skills: {billing: 5}}}]
"""
ROSTER = """
advisors:
  - {id: mina, name: Mina, team: seoul, tier: lead, languages: {en: 9, ko: 9}, skills: {billing: 9},
     contacts: {slack_app: U0MINA}}
  - {id: sen, name: Sen, team: seoul, tier: senior, languages: {en: 9}, skills: {billing: 8}}
  - {id: jun, name: Jun, team: seoul, tier: junior, languages: {en: 9}, skills: {billing: 7}}
"""
NO_KEY = "turnout_not_made_yet"


@pytest.fixture
async def slack() -> AsyncIterator[SlackSimulator]:
    made = SlackSimulator(frozenset({"U0MINA"}))
    yield made
    await made.stop()


@pytest.fixture
async def teams() -> AsyncIterator[CardSimulator[TeamsMessage]]:
    made = teams_simulator()
    yield made
    await made.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def settings(folder: Path, api_port: int, *, slack: dict[str, Any], teams: dict[str, Any]) -> dict[str, Any]:
    (folder / "rules").mkdir()
    (folder / "rules" / "rules.yaml").write_text(RULES, "utf-8")
    (folder / "roster.yaml").write_text(ROSTER, "utf-8")
    app = {**slack, "acts_url": f"http://127.0.0.1:{api_port}", "acts_key": NO_KEY}
    return {
        "rules_dir": str(folder / "rules"),
        "roster_file": str(folder / "roster.yaml"),
        "http": {"channels_port": 0, "api_port": api_port, "ops_port": 0},
        "targets": {
            "slack-app": {"notifier": "slack_app", "options": app, "group_s": 0.2},
            "managers": {"notifier": "teams", "options": teams, "group_s": 0.2},
        },
    }


async def with_key(place: Installation, slack: SlackSimulator) -> None:
    """Make the key that buttons act with, and start anew with it, as an operator does."""
    key = place.process.run("keys", "create", "--role", "notifier").strip()
    assert place.process.stop() == 0
    place.process.environment["TURNOUT__TARGETS__SLACK_APP__OPTIONS__ACTS_KEY"] = key
    place.running = await place.process.start()
    port = place.running.channels["chat"].rsplit("/", 1)[0]
    slack.enter(f"{port}/notify/slack_app")


async def climbed(jun: Advisor, sen: Advisor, mina: Advisor) -> str:
    """It rings at each of them, nobody takes it, and each loses it to the next; the case."""
    case = str((await jun.push("offer"))["case"])
    assert (await jun.push("offer_ended", case=case))["reason"] == "withdrawn"
    await sen.push("offer", case=case)
    assert (await sen.push("offer_ended", case=case))["reason"] == "withdrawn"
    await mina.push("offer", case=case)
    return case


def taken_steps(case: dict[str, Any]) -> list[tuple[int, str, str]]:
    return [(each["step"], each["trigger"], each.get("tier", "")) for each in case["escalations"]]


async def has_added_up(place: Installation, bus: dict[str, Any], case: str) -> None:
    """First response is breached and met late, resolution is met; API, command line and bus agree on it."""
    clocks, told = await audits.shown(place, case), await audits.events(place, bus, case)
    assert {name: clock["state"] for name, clock in clocks.items()} == {
        "first_response": "breached",
        "resolution": "paused",
    }
    assert audits.fired(told) == {"warn.first_response|0": 1, "breach.first_response|0": 1}
    audits.check_times(told)
    audits.check_page(clocks, told)
    audits.check_words(audits.said(place, case), clocks)
    opened_ms, answered = told[0].case.opened_at_ms, next(event for event in told if event.type is EventType.REPLY)
    (end,) = [end for end in audits.finished(told) if end.clock == "first_response"]
    assert clocks["first_response"]["used_s"] * 1000 == pytest.approx(end.at_ms - opened_ms, abs=audits.PLANNED_MS)
    assert end.margin_ms < 0
    assert 0 <= answered.at_ms - end.at_ms <= audits.PLANNED_MS
    steps = [event for event in told if event.type is EventType.ESCALATE]
    assert [event.case.step for event in steps] == [1, 2]
    for event, at_ms in zip(steps, (4_000, 8_000), strict=True):
        assert 0 <= event.at_ms - opened_ms - at_ms <= audits.LATEST_S * 1000


@pytest.mark.timeout(240)
async def test_a_chat_that_nobody_answers_climbs_to_the_lead_who_takes_it_by_a_button(
    tmp_path: Path, bus: dict[str, Any], slack: SlackSimulator, teams: CardSimulator[TeamsMessage]
) -> None:
    api_port = free_port()
    given = settings(tmp_path, api_port, slack=dict(await slack.start()), teams=dict(await teams.start()))
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(installation(tmp_path, channels=["chat"], more={**given, **bus}))
        await with_key(place, slack)
        await place.enter()
        jun, sen, mina = [await place.sign_in(name) for name in ("jun", "sen", "mina")]
        customer = place.customers["chat"]
        message = CustomerMessage(ref="m1", customer="kim", thread="t1", subject="", text="Where is my money?")
        assert (await customer.send(message)).accepted
        case = await climbed(jun, sen, mina)

        async with asyncio.timeout(60):
            halfway, late = await slack.arrived.get(), await slack.arrived.get()
            card = await teams.arrived.get()
        assert (halfway.channel, halfway.text) == (CHANNEL, "No first response yet (escalation step 1)")
        assert (late.channel, late.text) == ("U0MINA", "First response overdue (escalation step 2)")
        assert card.attachments[0].content.fallback_text == "First response overdue (escalation step 2)"

        assert await slack.click(late, "take", "U0MINA") == 200
        assert (await mina.push("assigned"))["case"] == case
        await eventually(lambda: late.buttons() == {})
        answered = await mina.ask("reply", case=case, text="On its way.")
        assert (answered["result"], answered["durable"]) == ("done", True)
        assert "On its way." in (await customer.next_reply()).text
        read = (await mina.ask("read", case=case))["case"]
        assert taken_steps(read) == [(1, "share", "senior"), (2, "share", "lead")]
        assert (await mina.ask("resolve", case=case, outcome="solved"))["result"] == "done"

        await has_added_up(place, bus, case)
        metrics = await place.metrics()
        assert metrics['turnout_notices_total{outcome="sent"}'] == 3
        assert metrics['turnout_escalations_total{kind="breach"}'] == 1
        assert metrics["turnout_dead_letters_total"] == 0
        assert metrics["turnout_sweep_found_total"] == 0
    assert slack.refusals == []
    assert teams.refusals == []
    assert slack.whispers == []
