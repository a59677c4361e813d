"""The whole line through real sockets: a customer's message in, to the advisor with the skill, and the answer back."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from router.runtime.simulators import CustomerMessage
from tests.servers import Server
from tests.suites.installation import Installation, Process, installation

CHANNELS = ("webhook", "email", "telegram", "messenger", "chat", "web_form")
RULES = """
defaults: {queue: general, language: en}
skills: {billing: Money, technical: Machines}
tiers: [junior, senior]
outcomes: {solved: Solved}
policies: {standard: {first_response_s: 3600, resolution_s: 86400}}
queues: {general: {policy: standard}, billing: {policy: standard}}
rules:
  - name: billing
    match: {message: {contains: invoice}}
    set: {queue: billing, skills: {billing: 5}}
"""
ROSTER = """
advisors:
  - {id: mina, name: Mina, languages: {en: 9, ko: 9}, skills: {billing: 7}, budget: 1000}  # for those of all journeys
  - {id: jun, name: Jun, languages: {en: 9}, skills: {technical: 7}}
"""

More = Callable[[str], dict[str, Any]]


def policy(folder: Path) -> dict[str, Any]:
    (folder / "rules").mkdir()
    (folder / "rules" / "rules.yaml").write_text(RULES, "utf-8")
    (folder / "roster.yaml").write_text(ROSTER, "utf-8")
    return {"rules_dir": str(folder / "rules"), "roster_file": str(folder / "roster.yaml")}


@pytest.mark.parametrize("channel", CHANNELS)
@pytest.mark.timeout(180)
async def test_a_message_reaches_the_skilled_advisor_and_the_answer_its_customer(
    tmp_path: Path, bus: dict[str, Any], channel: str
) -> None:
    async with installation(tmp_path, channels=[channel], more={**policy(tmp_path), **bus}) as place:
        mina, jun = await place.sign_in("mina"), await place.sign_in("jun")
        customer = place.customers[channel]
        first = CustomerMessage(ref="m1", customer="kim", thread="t1", subject="invoice", text="My invoice is wrong")
        assert (await customer.send(first)).accepted

        offer = await mina.push("offer")
        case = offer["case"]
        assert (await mina.ask("accept", case=case, offer_ver=offer["offer_ver"]))["result"] == "assigned"
        shown = await mina.ask("read", case=case)
        assert "My invoice is wrong" in str(shown["transcript"])
        answered = await mina.ask("reply", case=case, text="We have corrected it.")
        assert (answered["result"], answered["durable"]) == ("done", True)

        reply = await customer.next_reply()
        assert (reply.customer, reply.thread) == ("kim", "t1")
        assert "We have corrected it." in reply.text
        assert (await mina.ask("resolve", case=case, outcome="solved"))["result"] == "done"

        again = CustomerMessage(ref="m2", customer="kim", thread="t1", subject="invoice", text="One more question")
        assert (await customer.send(again)).accepted
        back = await mina.push("offer", case=case)
        assert (await mina.ask("accept", case=case, offer_ver=back["offer_ver"]))["result"] == "assigned"
        assert not customer.refusals()
        await _nothing_went_wrong(place)
        assert not [frame for frame in jun._frames if frame["type"] == "offer"]
    assert place.process.stop() == 0


async def _nothing_went_wrong(place: Installation) -> None:
    metrics = await place.metrics()
    assert metrics["turnout_sweep_found_total"] == 0
    assert metrics["turnout_dead_letters_total"] == 0


@pytest.mark.timeout(120)
async def test_a_process_of_one_role_gets_ready(tmp_path: Path, valkey: Server) -> None:
    settings = {
        "data_dir": str(tmp_path / "data"),
        "http": {"channels_port": 0, "api_port": 0, "ops_port": 0},
        "bus": {"inquiry_partitions": 4, "partitions": 2},
        "redis": {"url": valkey.url},
        "signing_key": "a key for a journey, long enough to sign",
    }
    relay = Process(tmp_path, settings, roles=["relay"])
    try:
        assert (await relay.start()).roles == ("relay",)
    finally:
        assert relay.stop() == 0
