"""What a notifier asks for on behalf of an advisor: take the case, put its ladder off, say that it is seen to."""

from typing import Any

import pytest

from router.contract.case import read_detail
from router.contract.codec import rfc3339
from router.contract.config import Role
from rules import load
from tests.suites.api_bench import POOL, ApiBench

RULES = """
defaults: {queue: general, language: en}
outcomes: {solved: Solved}
channels: {email: {units: 10}}
policies: {standard: {first_response_s: 3600, resolution_s: 86400}}
ladders:
  goes-on: {steps: [{at: 0.5, raise_priority: 1}, {at: breach, raise_priority: 1}]}
  stops: {acknowledged: stop, steps: [{at: 0.5, raise_priority: 1}, {at: breach, raise_priority: 1}]}
queues:
  general: {policy: standard, ladder: stops}
  other: {policy: standard, ladder: goes-on}
rules: [{name: other, match: {text: {contains: other}}, set: {queue: other}}]
"""


@pytest.fixture
def notifier(bench: ApiBench) -> str:
    bench.policies.activate(load({"a.yaml": RULES}))
    return bench.key(Role.NOTIFIER)


async def shown_of(bench: ApiBench, case: str) -> dict[str, Any]:
    status, page = await bench.get(f"/v1/cases/{case}", bench.key(Role.SUPERVISOR))
    assert status == 200
    shown: dict[str, Any] = page["case"]
    return shown


async def armed(bench: ApiBench, case: str) -> dict[str, int]:
    return {timer: at for timer, at in (await bench.case(case)).timers.items() if timer.startswith("step|")}


async def test_a_waiting_case_is_taken_for_the_advisor_who_asked(bench: ApiBench, notifier: str) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        case = await bench.write()
        await bench.online(talk)
        status, done = await bench.post(f"/v1/cases/{case}/take", notifier, on_behalf="minji")
        assert (status, done["result"]) == (200, "assigned")
        assert (await bench.case(case)).owner == "minji"
        assert await armed(bench, case) == {}  # its ladder stops for who looks after it
        status, done = await bench.post(f"/v1/cases/{case}/take", notifier, on_behalf="minji")
        assert (status, done["result"]) == (200, "assigned")


async def test_what_somebody_else_has_is_not_taken(bench: ApiBench, notifier: str) -> None:
    await bench.advisor("jun")
    minji, jun = await bench.advisor("minji"), await bench.advisor("jun")
    async with bench.session(minji) as talk, bench.session(jun) as other:
        case = await bench.write()
        await bench.online(talk)
        await bench.online(other)
        await bench.post(f"/v1/cases/{case}/take", notifier, on_behalf="minji")
        status, found = await bench.post(f"/v1/cases/{case}/take", notifier, on_behalf="jun")
        assert (status, found["type"]) == (409, "urn:turnout:problem:gone")
        assert (await bench.case(case)).owner == "minji"


async def test_who_is_not_there_takes_nothing(bench: ApiBench, notifier: str) -> None:
    await bench.advisor("minji")
    case = await bench.write()
    status, found = await bench.post(f"/v1/cases/{case}/take", notifier, on_behalf="minji")
    assert status == 409, found


@pytest.mark.parametrize("name", ["", "nobody"])
async def test_a_notifier_asks_for_an_advisor_that_there_is(bench: ApiBench, notifier: str, name: str) -> None:
    case = await bench.write()
    status, found = await bench.post(f"/v1/cases/{case}/take", notifier, on_behalf=name)
    assert (status, found["type"]) == (403, "urn:turnout:problem:forbidden")


@pytest.mark.parametrize("act", ["accept", "reply", "resolve", "assign", "note"])
async def test_a_notifier_does_nothing_else(bench: ApiBench, notifier: str, act: str) -> None:
    bodies = {
        "reply": {"text": "x"},
        "resolve": {"outcome": "solved"},
        "assign": {"to": "minji"},
        "note": {"text": "x"},
    }
    await bench.advisor("minji")
    case = await bench.write()
    status, _ = await bench.post(f"/v1/cases/{case}/{act}", notifier, bodies.get(act), on_behalf="minji")
    assert status == 403


async def test_an_advisor_takes_nothing_that_was_not_offered(bench: ApiBench, notifier: str) -> None:
    minji = await bench.advisor("minji")
    case = await bench.write()
    assert (await bench.post(f"/v1/cases/{case}/take", minji))[0] == 403
    assert (await bench.post(f"/v1/cases/{case}/snooze", minji))[0] == 403


async def test_a_snooze_puts_the_steps_off_and_not_the_clocks(bench: ApiBench, notifier: str) -> None:
    await bench.advisor("minji")
    case = await bench.write()
    before = (await bench.case(case)).timers
    path = f"/v1/cases/{case}/snooze"
    status, done = await bench.post(path, notifier, {"for_s": 3000}, on_behalf="minji")
    assert (status, done["result"]) == (200, "done")
    after = (await bench.case(case)).timers
    until = read_detail((await bench.case(case)).detail).put_off_until_ms
    assert after["step|1"] == until > before["step|1"]
    assert after["step|2"] == before["step|2"]
    assert after["breach.first_response|0"] == before["breach.first_response|0"]
    shown = await shown_of(bench, case)
    assert (shown["snoozed_until"], "acknowledged_at" in shown) == (rfc3339(until), False)


@pytest.mark.parametrize(("text", "left"), [("hello", 0), ("other", 2)])
async def test_an_acknowledgement_stops_the_ladder_that_says_so(
    bench: ApiBench, notifier: str, text: str, left: int
) -> None:
    await bench.advisor("minji")
    case = await bench.write(text)
    assert len(await armed(bench, case)) == 2
    status, done = await bench.post(f"/v1/cases/{case}/acknowledge", notifier, on_behalf="minji")
    assert (status, done["result"]) == (200, "done")
    assert len(await armed(bench, case)) == left
    (line,) = [each for each in await bench.store.history(POOL, case) if "|snooze|" in each]
    assert "minji" in line
    detail = read_detail((await bench.case(case)).detail)
    assert (await shown_of(bench, case))["acknowledged_at"] == rfc3339(detail.heeded_at_ms)


async def test_a_ladder_that_had_stopped_goes_on_when_the_case_waits_for_others_again(
    bench: ApiBench, notifier: str
) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        case = await bench.write()
        await bench.online(talk)
        await bench.post(f"/v1/cases/{case}/take", notifier, on_behalf="minji")
        assert await armed(bench, case) == {}
        assert "acknowledged_at" in await shown_of(bench, case)
        await bench.clock.advance_ms(1_000)
        lead = bench.key(Role.SUPERVISOR)
        assert (await bench.post(f"/v1/cases/{case}/requeue", lead, {"reason": "her shift has ended"}))[0] == 200
        assert len(await armed(bench, case)) == 2
        assert "acknowledged_at" not in await shown_of(bench, case)
