"""A chat that nobody answers: staff are warned and told, one takes it by a button in Slack, and its clocks stop."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from channels.notify.card_simulator import CardSimulator, TeamsMessage, teams_simulator
from channels.notify.slack_app_simulator import CHANNEL, SlackSimulator
from router.runtime.simulators import CustomerMessage
from tests.suites.eventually import eventually
from tests.suites.installation import Installation, installation

RULES = """
defaults: {queue: billing, language: en}
skills: {billing: Money}
tiers: [junior, senior, lead]
outcomes: {solved: Solved}
teams: {seoul: {leads: [{advisor: mina}]}}
policies: {quick: {first_response_s: 4, resolution_s: 3600, warn: [0.5]}}
ladders:
  quick:
    acknowledged: stop
    steps:
      - {at: 0.75, raise_priority: 1, notify: [queue]}
      - {at: breach, raise_priority: 1, notify: [lead via slack-app, managers]}
queues: {billing: {policy: quick, ladder: quick, team: seoul, notify: slack-app}}
rules: [{name: billing, set: {skills: {billing: 5}}}]
"""
ROSTER = """
advisors:
  - {id: mina, name: Mina, team: seoul, tier: lead, languages: {en: 9, ko: 9}, contacts: {slack_app: U0MINA}}
  - {id: jun, name: Jun, team: seoul, languages: {en: 9}, skills: {billing: 7}}
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


async def clocks(place: Installation, case: str) -> dict[str, Any]:
    key = place.process.run("keys", "create", "--role", "supervisor").strip()
    url, headers = f"{place.running.api}/v1/cases/{case}/clocks", {"Authorization": f"Bearer {key}"}
    async with aiohttp.ClientSession(headers=headers) as http, http.get(url) as answer:
        assert answer.status == 200
        page: dict[str, Any] = await answer.json()
        return page


@pytest.mark.timeout(240)
async def test_a_chat_that_nobody_answers_is_taken_by_a_button(
    tmp_path: Path, bus: dict[str, Any], slack: SlackSimulator, teams: CardSimulator[TeamsMessage]
) -> None:
    api_port = free_port()
    given = settings(tmp_path, api_port, slack=dict(await slack.start()), teams=dict(await teams.start()))
    async with AsyncExitStack() as stack:
        place = await stack.enter_async_context(installation(tmp_path, channels=["chat"], more={**given, **bus}))
        await with_key(place, slack)
        await place.enter()
        mina = await place.sign_in("mina")
        customer = place.customers["chat"]
        message = CustomerMessage(ref="m1", customer="kim", thread="t1", subject="", text="Where is my money?")
        assert (await customer.send(message)).accepted

        async with asyncio.timeout(60):
            warned, late = await slack.arrived.get(), await slack.arrived.get()
            card = await teams.arrived.get()
        assert (warned.channel, warned.text) == (CHANNEL, "Escalation step 1 (first response)")
        assert (late.channel, late.text) == ("U0MINA", "Escalation step 2 (first response)")
        assert card.attachments[0].content.fallback_text == "Escalation step 2 (first response)"

        assert await slack.click(late, "take", "U0MINA") == 200
        taken = await mina.push("assigned")
        await eventually(lambda: late.buttons() == {})
        answered = await mina.ask("reply", case=taken["case"], text="On its way.")
        assert (answered["result"], answered["durable"]) == ("done", True)
        assert "On its way." in (await customer.next_reply()).text
        assert (await mina.ask("resolve", case=taken["case"], outcome="solved"))["result"] == "done"

        shown = await clocks(place, taken["case"])
        assert {clock["clock"]: clock["state"] for clock in shown["clocks"]} == {
            "first_response": "breached",
            "resolution": "paused",
        }
        for clock in shown["clocks"]:
            assert sum(each["used_s"] for each in clock["stretches"]) == pytest.approx(clock["used_s"])
            assert clock["margin_s"] == pytest.approx(clock["target_s"] - clock["used_s"])
        metrics = await place.metrics()
        assert metrics['turnout_notices_total{outcome="sent"}'] == 3
        assert metrics['turnout_escalations_total{kind="breach"}'] == 1
        assert metrics["turnout_dead_letters_total"] == 0
    assert slack.refusals == []
    assert teams.refusals == []
    assert slack.whispers == []
