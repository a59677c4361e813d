"""Ladders at the API: by hand with a reason and a note, lowered by a supervisor, still to be read by who had it."""

import asyncio

import pytest
from click.testing import CliRunner

from router.api.wording.ladders import done_by
from router.cli.main import main
from router.contract.config import Role
from rules import Step, load
from rules.ladders import Easing, Reassign
from tests.suites.api_bench import ApiBench

RULES = """
defaults: {queue: general, language: en}
skills: {contracts: Contracts}
tiers: [junior, senior]
policies: {standard: {first_response_s: 3600, resolution_s: 7200}}
ladders:
  careful:
    above: [director]
    steps:
      - {at: 0.9, raise_priority: 1, notify: [leads]}
      - {by_hand: true, move_up: true, reassign: take, note: true}
queues: {general: {policy: standard, ladder: careful}}
outcomes: {solved: Done}
"""


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (Step(raise_priority=2), ["its priority rises by 2"]),
        (Step(relax=Easing(drop=("billing",))), ["billing is preferred and no longer needed"]),
        (Step(move_up=True), ["it moves up a tier"]),
        (Step(reassign=Reassign.TAKE), ["it is taken from who has it"]),
        (Step(reassign=Reassign.BESIDE), ["another advisor is asked in"]),
        (Step(notify=("a", "b")), ["a, b is told"]),
        (Step(labels=("legal",)), ["it is labelled legal"]),
        (Step(ladder="urgent"), ["it climbs the ladder urgent from then on"]),
    ],
)
def test_a_step_in_words(step: Step, words: list[str]) -> None:
    assert [*done_by(step)] == words


@pytest.fixture
async def handed(bench: ApiBench) -> tuple[str, str, str]:
    """A case, the key of its junior advisor, and that of a senior who is there too."""
    bench.policies.activate(load({"rules.yaml": RULES}))
    junior = await bench.advisor("jun", tier="junior")
    senior = await bench.advisor("sen", tier="senior")
    async with bench.session(junior) as talk:
        await bench.online(talk)
        case = await bench.write("hello")
        await talk.next("offer")
        await talk.do("accept", case=case)
    async with bench.session(senior) as talk:
        await bench.online(talk)
    return case, junior, senior


async def test_over_my_head(bench: ApiBench, handed: tuple[str, str, str]) -> None:
    case, junior, senior = handed
    status, found = await bench.post(f"/v1/cases/{case}/escalate", junior, {"reason": "over my head"})
    assert (status, found["type"]) == (422, "urn:turnout:problem:note-needed")
    status, found = await bench.post(f"/v1/cases/{case}/escalate", senior, {"reason": "mine", "note": "x"})
    assert (status, found["type"]) == (403, "urn:turnout:problem:not-yours")
    status, found = await bench.post(f"/v1/cases/{case}/escalate", junior, {"note": "x"})
    assert (status, found["type"]) == (400, "urn:turnout:problem:malformed")
    asked = {"reason": "over my head", "note": "He wants the contract explained."}
    status, found = await bench.post(f"/v1/cases/{case}/escalate", junior, asked, op="once")
    assert (status, found["result"]) == (200, "queued")
    again = await bench.post(f"/v1/cases/{case}/escalate", junior, asked, op="once")
    assert (again[0], again[1]["result"]) == (200, "queued")

    boss = bench.key(Role.SUPERVISOR)
    _, page = await bench.get(f"/v1/cases/{case}", boss)
    (step,) = page["case"]["escalations"]
    assert {name: step[name] for name in ("step", "trigger", "by", "reason", "owner", "tier", "ladder")} == {
        "step": 2, "trigger": "by-hand", "by": "jun", "reason": "over my head", "owner": "jun", "tier": "senior",
        "ladder": "careful",
    }  # fmt: skip
    assert [entry.get("text") for entry in page["transcript"]][-1] == "He wants the contract explained."
    assert (page["history"][-1]["act"] in ("escalate", "match"), page["case"]["step"]) == (True, 2)
    status, found = await bench.post(f"/v1/cases/{case}/escalate", boss, {"reason": "more"})
    assert (status, found["type"]) == (409, "urn:turnout:problem:no-step")


async def test_who_had_it_reads_on_and_writes_no_more(bench: ApiBench, handed: tuple[str, str, str]) -> None:
    case, junior, _ = handed
    asked = {"reason": "over my head", "note": "x"}
    await bench.post(f"/v1/cases/{case}/escalate", junior, asked)
    status, page = await bench.get(f"/v1/cases/{case}", junior)
    assert (status, page["case"]["id"]) == (200, case)
    assert (await bench.get(f"/v1/cases/{case}/clocks", junior))[0] == 200
    for act, body in (("note", {"text": "hm"}), ("label", {"add": ["x"]}), ("reply", {"text": "hm"})):
        assert (await bench.post(f"/v1/cases/{case}/{act}", junior, body))[0] == 403, act
    stranger = await bench.advisor("eve")
    assert (await bench.get(f"/v1/cases/{case}", stranger))[0] == 403


async def test_only_a_supervisor_lowers_and_says_why(bench: ApiBench, handed: tuple[str, str, str]) -> None:
    case, junior, _ = handed
    await bench.post(f"/v1/cases/{case}/escalate", junior, {"reason": "over my head", "note": "x"})
    status, found = await bench.post(f"/v1/cases/{case}/lower", junior, {"step": 0, "reason": "no"})
    assert (status, found["type"]) == (403, "urn:turnout:problem:forbidden")
    boss = bench.key(Role.SUPERVISOR)
    assert (await bench.post(f"/v1/cases/{case}/lower", boss, {"step": 0}))[0] == 400
    status, found = await bench.post(f"/v1/cases/{case}/lower", boss, {"step": 0, "reason": "a misunderstanding"})
    assert (status, found["case"].get("step", 0)) == (200, 0)
    told = found["case"]["escalations"][-1]
    assert (told["trigger"], told["reason"], told["by"]) == ("lowered", "a misunderstanding", told["by"])
    assert told["by"]


async def test_the_terminal_says_who_climbed_and_what_is_to_come(bench: ApiBench, handed: tuple[str, str, str]) -> None:
    case, junior, _ = handed
    boss = ["--key", bench.key(Role.SUPERVISOR), "--url", f"http://127.0.0.1:{bench.server.port}"]
    told = await asyncio.to_thread(CliRunner().invoke, main, ["explain", case, *boss])
    assert "steps of its ladder to come:\n  step 1 (" in told.output
    assert "  step 2 (by hand): it moves up a tier, it is taken from who has it\n" in told.output
    await bench.post(f"/v1/cases/{case}/escalate", junior, {"reason": "over my head", "note": "x"})
    told = await asyncio.to_thread(CliRunner().invoke, main, ["explain", case, *boss])
    assert " step 2 (by hand, by jun, jun had it, to tier senior): over my head\n" in told.output


async def test_the_steps_to_come_are_told_in_both_languages(bench: ApiBench) -> None:
    bench.policies.activate(load({"rules.yaml": RULES}))
    case, boss = await bench.write("hello"), bench.key(Role.SUPERVISOR)
    _, page = await bench.get(f"/v1/cases/{case}", boss)
    told = page["explanation"]
    assert [(step["step"], step["trigger"], "at" in step) for step in told["climbs"]] == [
        (1, "share", True), (2, "by-hand", False),
    ]  # fmt: skip
    line = "in 54 min it takes step 1, by the ladder careful: its priority rises by 1, leads is told"
    assert line in told["why_waiting"]
    _, page = await bench.get(f"/v1/cases/{case}?lang=ko", boss)
    korean = "54분 뒤 에스컬레이션 careful 1단계 적용: 우선순위가 1만큼 올라감"
    assert any(korean in line for line in page["explanation"]["why_waiting"])


async def test_the_session_of_who_had_it_is_told_that_it_is_gone(bench: ApiBench) -> None:
    bench.policies.activate(load({"rules.yaml": RULES}))
    junior = await bench.advisor("jun", tier="junior")
    async with bench.session(junior) as talk:
        await bench.online(talk)
        case = await bench.write("hello")
        await talk.next("offer")
        await talk.do("accept", case=case)
        done = await talk.do("escalate", case=case, reason="over my head", note="x")
        assert done["result"] == "queued"
        told = await talk.next("released")
        assert told["case"] == case
