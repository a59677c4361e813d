"""Ladders and relaxation through real sockets: who leaves a case lying loses it to the next tier, and who was not asked
at first is asked after a while."""

from pathlib import Path
from typing import Any

import pytest

from router.runtime.simulators import CustomerMessage
from tests.suites.eventually import eventually
from tests.suites.installation import Advisor, installation

RULES = """
defaults: {queue: general, language: en}
skills: {billing: Money}
tiers: [junior, senior, lead]
outcomes: {solved: Solved}
policies: {standard: {first_response_s: 3600, resolution_s: 86400}}
ladders:
  quick:
    steps:
      - {after_s: 10, move_up: true, reassign: take}
      - {after_s: 20, move_up: true, reassign: take, raise_priority: 1}
      - {match: {message: {words: [lawyer]}}, labels: [legal]}
queues:
  general: {policy: standard, ladder: quick, tiers: [junior]}
  billing: {policy: standard, relax: [{after_s: 3, levels: {billing: 3}}]}
rules:
  - name: billing
    match: {message: {contains: invoice}}
    set: {queue: billing, skills: {billing: 8}}
"""
ROSTER = """
advisors:
  - {id: jun, name: Jun, tier: junior, languages: {en: 9}}
  - {id: sen, name: Sen, tier: senior, languages: {en: 9}}
  - {id: lee, name: Lee, tier: lead, languages: {en: 9}, skills: {billing: 4}}
"""


def policy(folder: Path) -> dict[str, Any]:
    (folder / "rules").mkdir()
    (folder / "rules" / "rules.yaml").write_text(RULES, "utf-8")
    (folder / "roster.yaml").write_text(ROSTER, "utf-8")
    return {"rules_dir": str(folder / "rules"), "roster_file": str(folder / "roster.yaml")}


def message(ref: str, text: str, thread: str = "t1") -> CustomerMessage:
    return CustomerMessage(ref=ref, customer="kim", thread=thread, subject="hello", text=text)


async def taken(advisor: Advisor) -> str:
    """He accepts what he is offered next; the case."""
    offer = await advisor.push("offer")
    answer = await advisor.ask("accept", case=offer["case"], offer_ver=offer["offer_ver"])
    assert answer["result"] == "assigned", answer
    return str(offer["case"])


@pytest.mark.timeout(180)
async def test_what_nobody_answers_climbs_and_what_nobody_can_take_asks_less(
    tmp_path: Path, bus: dict[str, Any]
) -> None:
    async with installation(tmp_path, channels=["webhook"], more={**policy(tmp_path), **bus}) as place:
        jun, sen, lee = [await place.sign_in(name) for name in ("jun", "sen", "lee")]
        customer = place.customers["webhook"]
        assert (await customer.send(message("m1", "Is anybody there?"))).accepted
        case = await taken(jun)
        assert (await jun.push("released", case=case))["case"] == case
        assert await taken(sen) == case
        assert (await sen.push("released", case=case))["case"] == case
        assert await taken(lee) == case

        assert (await customer.send(message("m2", "You will hear from my lawyer."))).accepted

        async def is_legal() -> bool:
            shown = await lee.ask("read", case=case)
            return "legal" in shown["case"].get("labels", ())

        await eventually(is_legal)
        shown = (await lee.ask("read", case=case))["case"]
        climbed = [
            (each["step"], each["trigger"], each.get("owner"), each.get("tier")) for each in shown["escalations"]
        ]
        assert climbed == [
            (1, "after", "jun", "senior"), (2, "after", "sen", "lead"), (3, "message", "lee", None),
        ]  # fmt: skip
        assert (await jun.ask("read", case=case))["case"]["owner"] == "lee"
        lacking = await lee.ask("escalate", case=case, reason="over my head")
        assert lacking["problem"]["type"] == "urn:turnout:problem:no-step"
        assert (await lee.ask("resolve", case=case, outcome="solved"))["result"] == "done"

        assert (await customer.send(message("m3", "My invoice is wrong", "t2"))).accepted
        other = await taken(lee)
        shown = await lee.ask("read", case=other)
        assert shown["case"]["queue"] == "billing"
        metrics = await place.metrics()
        assert metrics["turnout_sweep_found_total"] == 0
        assert metrics["turnout_dead_letters_total"] == 0
        assert metrics['turnout_escalation_steps_total{ladder="quick",step="2"}'] == 1
    assert place.process.stop() == 0
