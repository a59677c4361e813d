"""Advice, taking a case from the line, and the words a queue asks for: over session and REST."""

from importlib.resources import files
from typing import Any

import pytest

from router.contract.config import Role
from rules import load
from tests.suites.api_bench import ApiBench, Talk

GENERAL = "    title: Parcels on their way\n"


def _with(bench: ApiBench, settings: str) -> None:
    """The default rulebook with settings of the queue `delivery`."""
    defaults = files("rules") / "defaults"
    texts = {name: (defaults / name).read_text("utf-8") for name in ("rulebook.yaml", "rules.yaml")}
    assert GENERAL in texts["rulebook.yaml"]
    texts["rulebook.yaml"] = texts["rulebook.yaml"].replace(GENERAL, f"{GENERAL}    {settings}\n")
    bench.policies.activate(load(texts))


async def _explained(bench: ApiBench, case: str) -> list[str]:
    _, page = await bench.get(f"/v1/cases/{case}", bench.key(Role.SUPERVISOR))
    said: list[str] = page["explanation"]["why_here"]
    return said


async def test_advice_is_asked_for_used_and_ended(bench: ApiBench) -> None:
    minji, jun = await bench.advisor("minji"), await bench.advisor("jun", tier="senior")
    async with bench.session(minji) as owner, bench.session(jun) as senior:
        await bench.online(owner)
        case = await bench.write()
        await owner.next("offer")
        await owner.do("accept", case=case)
        await bench.online(senior)
        assert (await owner.do("consult", case=case, tier="senior", note="May we refund it?"))["result"] == "offered"
        rings = (await senior.next("offer"))["work"]
        assert (rings["kind"], rings["asked_by"], rings["units"]) == ("consult-offer", "minji", 10)
        said = (await senior.do("read", case=case))["transcript"]
        assert said[-1]["text"] == "May we refund it?"
        assert (await senior.do("accept", case=case))["result"] == "done"
        assert (await senior.do("accept", case=case))["result"] == "done"
        told = await owner.next("consult")
        assert (told["advisor"], told["state"]) == ("jun", "joined")
        asked = await senior.next("assigned")
        assert (asked["case"], asked["work"]["kind"], asked["work"]["units"]) == (case, "consult", 10)
        assert (await bench.person("jun")).load == 10
        await senior.do("note", case=case, text="Give her money back.")
        assert (await bench.case(case)).owner == "minji"
        assert (await senior.do("hand_back", case=case))["result"] == "done"
        assert (await senior.next("released"))["reason"] == "handed-back"
    assert (await bench.person("jun")).load == 0


async def _taken(bench: ApiBench, owner: Talk) -> str:
    """A case that he has."""
    await bench.online(owner)
    case = await bench.write()
    await owner.next("offer")
    await owner.do("accept", case=case)
    return case


async def test_the_owner_is_told_who_declines_and_who_is_rung_next(bench: ApiBench) -> None:
    keys = {name: await bench.advisor(name, tier="senior") for name in ("jun", "sol")}
    minji = await bench.advisor("minji")
    async with (
        bench.session(minji) as owner,
        bench.session(keys["jun"]) as jun,
        bench.session(keys["sol"]) as sol,
    ):
        case = await _taken(bench, owner)
        for senior in (jun, sol):
            await bench.online(senior)
        await owner.do("consult", case=case, tier="senior")
        first = (await bench.case(case)).offers[0].advisor
        one, other = (jun, sol) if first == "jun" else (sol, jun)
        assert (await one.do("decline", case=case, reason="in a meeting"))["result"] == "offered"
        assert (await one.next("offer_ended"))["reason"] == "declined"
        told = await owner.next("consult")
        second = {"jun": "sol", "sol": "jun"}[first]
        assert (told["advisor"], told["state"], told["reason"], told["rings"]) == (
            first,
            "declined",
            "in a meeting",
            second,
        )
        await other.next("offer")
        assert (await other.do("decline", case=case))["result"] == "done"
        told = await owner.next("consult")
        assert (told["advisor"], told["state"], "rings" in told) == (second, "declined", False)
        _, page = await bench.get(f"/v1/cases/{case}", minji)
    assert (page["case"]["ask"]["last"], page["case"]["ask"]["end"]) == (second, "declined")
    assert sorted(page["case"]["ask"]["tried"]) == ["jun", "sol"]
    said = page["explanation"]["why_waiting"]
    assert [f"{second} declined to give advice", "nobody is asked for advice any more"] == said


async def test_who_is_rung_sees_the_case_and_who_declined_does_not(bench: ApiBench) -> None:
    minji, jun = await bench.advisor("minji"), await bench.advisor("jun")
    async with bench.session(minji) as owner, bench.session(jun) as friend:
        case = await _taken(bench, owner)
        await bench.online(friend)
        assert (await bench.get(f"/v1/cases/{case}", jun))[0] == 403
        await owner.do("consult", case=case, to="jun")
        status, page = await bench.get(f"/v1/cases/{case}", jun)
        assert (status, page["case"]["offers"][0]["advisor"]) == (200, "jun")
        assert page["explanation"]["why_waiting"][0].startswith("jun is asked for advice until ")
        await friend.next("offer")
        assert (await friend.do("note", case=case, text="Let me see."))["result"] == "done"
        status, found = await bench.post(f"/v1/cases/{case}/reply", jun, {"text": "Dear customer"})
        assert (status, found["type"]) == (403, "urn:turnout:problem:not-yours")
        await friend.do("decline", case=case)
        assert (await bench.get(f"/v1/cases/{case}", jun))[0] == 403


async def test_the_owner_calls_it_back(bench: ApiBench) -> None:
    minji, jun = await bench.advisor("minji"), await bench.advisor("jun")
    async with bench.session(minji) as owner, bench.session(jun) as friend:
        case = await _taken(bench, owner)
        await bench.online(friend)
        assert (await owner.do("consult", case=case, to="jun"))["result"] == "offered"
        assert (await owner.do("consult", case=case, to="jun"))["result"] == "offered"
        await friend.next("offer")
        assert (await owner.do("hand_back", case=case, of="jun"))["result"] == "done"
        assert (await friend.next("offer_ended"))["reason"] == "withdrawn"
        assert (await friend.refused("accept", case=case))["type"] == "urn:turnout:problem:gone"
    assert (await bench.person("jun")).load == 0


async def test_who_has_the_case_may_end_it_and_nobody_else(bench: ApiBench) -> None:
    minji, jun, hana = [await bench.advisor(name) for name in ("minji", "jun", "hana")]
    async with bench.session(minji) as owner, bench.session(jun) as friend:
        await bench.online(owner)
        case = await bench.write()
        await owner.next("offer")
        await owner.do("accept", case=case)
        await bench.online(friend)
        await owner.do("consult", case=case, to="jun")
        status, _ = await bench.post(f"/v1/cases/{case}/hand-back", hana, {"of": "jun"})
        assert status == 403
        await owner.do("hand_back", case=case, of="jun")
    assert (await bench.case(case)).consults == {}


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "malformed"),
        ({"to": "jun", "tier": "senior"}, 400, "malformed"),
        ({"to": "jun", "skills": {"delivery": 3}}, 400, "malformed"),
        ({"skills": {"delivery": 11}}, 400, "malformed"),
        ({"skills": {"juggling": 3}}, 422, "unknown-skill"),
        ({"queue": "nowhere"}, 422, "unknown-queue"),
        ({"queue": "billing"}, 409, "unfit"),
        ({"tier": "wizard"}, 422, "unknown-tier"),
        ({"tier": "director"}, 409, "unfit"),
        ({"to": "nobody"}, 409, "unfit"),
        ({"to": "minji"}, 409, "unfit"),
    ],
)
async def test_advice_that_cannot_be_had(bench: ApiBench, body: dict[str, Any], status: int, code: str) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as owner:
        await bench.online(owner)
        case = await bench.write()
        await owner.next("offer")
        await owner.do("accept", case=case)
        found = await bench.post(f"/v1/cases/{case}/consult", minji, body)
    assert (found[0], found[1]["type"]) == (status, f"urn:turnout:problem:{code}")


async def test_an_advisor_of_the_tier_takes_a_case_from_the_line(bench: ApiBench) -> None:
    _with(bench, "pick: [senior]")
    boss = bench.key(Role.SUPERVISOR)
    junior, senior = await bench.advisor("minji"), await bench.advisor("jun", tier="senior", budget=10)
    case = await bench.write()
    for key, status in ((junior, 403), (senior, 200), (boss, 200)):
        assert (await bench.get("/v1/queues/delivery/cases", key))[0] == status
    assert (await bench.post(f"/v1/cases/{case}/pick", junior))[0] == 403
    assert (await bench.post(f"/v1/cases/{case}/pick", boss))[0] == 403
    # He is offline: what he can't be offered he can't take.
    assert (await bench.post(f"/v1/cases/{case}/pick", senior))[1]["type"] == "urn:turnout:problem:unfit"
    async with bench.session(senior) as talk:
        await talk.do("presence", presence="online")
        await talk.next("offer")
        await talk.do("decline", case=case)
        status, done = await bench.post(f"/v1/cases/{case}/pick", senior)
        assert (status, done["result"], done["case"]["owner"]) == (200, "assigned", "jun")
        assert (await bench.post(f"/v1/cases/{case}/pick", senior))[1]["type"] == "urn:turnout:problem:gone"
        other = await bench.write("Where is my other parcel?", talk="other")
        assert (await bench.post(f"/v1/cases/{other}/pick", senior))[1]["type"] == "urn:turnout:problem:no-room"
    assert "jun took it from the line himself" in await _explained(bench, case)


async def test_a_queue_without_the_setting_lets_nobody(bench: ApiBench) -> None:
    senior = await bench.advisor("jun", tier="senior")
    case = await bench.write()
    assert (await bench.post(f"/v1/cases/{case}/pick", senior))[0] == 403


async def test_what_a_supervisor_gives_by_hand_is_recorded_with_what_it_overrode(bench: ApiBench) -> None:
    boss = bench.key(Role.SUPERVISOR)
    key = await bench.advisor("minji", queues=("billing",), budget=5)
    case = await bench.write()
    async with bench.session(key) as talk:
        await bench.online(talk)
        status, found = await bench.post(f"/v1/cases/{case}/assign", boss, {"to": "minji"})
        assert (status, found["type"]) == (409, "urn:turnout:problem:no-room")
        status, done = await bench.post(f"/v1/cases/{case}/assign", boss, {"to": "minji", "over": True})
        assert (status, done["case"]["owner"], done["case"]["over"]) == (200, "minji", True)
    said = await _explained(bench, case)
    assert any(line.endswith("gave it to minji by hand") for line in said)
    overrode = "by itself it would not have gone to minji: not serving this queue; without room for it"
    assert overrode in said
    assert "it is above the capacity of minji, and was allowed to be" in said


async def test_a_transfer_leaves_the_note_that_the_queue_asks_for(bench: ApiBench) -> None:
    _with(bench, "transfer_note: true")
    minji, boss = await bench.advisor("minji"), bench.key(Role.SUPERVISOR)
    async with bench.session(minji) as talk:
        await bench.online(talk)
        case = await bench.write()
        await talk.next("offer")
        await talk.do("accept", case=case)
        found = await talk.refused("transfer", case=case, queue="billing", note="  ")
        assert (found["type"], found["status"]) == ("urn:turnout:problem:note-needed", 422)
        await talk.do("transfer", case=case, queue="billing", note="He was charged twice.")
    _, page = await bench.get(f"/v1/cases/{case}", boss)
    assert [entry["text"] for entry in page["transcript"] if entry["kind"] == "note"] == ["He was charged twice."]
    assert (await bench.post(f"/v1/cases/{case}/transfer", boss, {"queue": "general"}))[0] == 200


async def test_who_declines_says_why_where_the_queue_asks_for_it(bench: ApiBench) -> None:
    _with(bench, "decline_reason: true")
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        await bench.online(talk)
        case = await bench.write()
        await talk.next("offer")
        assert (await talk.refused("decline", case=case))["type"] == "urn:turnout:problem:reason-needed"
        assert (await talk.do("decline", case=case, reason="I know the customer"))["result"] == "queued"


@pytest.mark.parametrize(
    ("body", "queue"), [({"tier": "lead"}, "delivery"), ({"tier": "lead", "queue": "billing"}, "billing")]
)
async def test_a_case_handed_to_a_tier_is_for_that_tier_until_a_queue_has_it(
    bench: ApiBench, body: dict[str, str], queue: str
) -> None:
    boss = bench.key(Role.SUPERVISOR)
    minji, lead = await bench.advisor("minji"), await bench.advisor("jun", tier="lead")
    case = await bench.write()
    async with bench.session(minji) as junior, bench.session(lead) as senior:
        await bench.online(junior)
        await junior.next("offer")
        status, done = await bench.post(f"/v1/cases/{case}/transfer", boss, body)
        assert (status, done["case"]["state"], done["case"]["tier"]) == (200, "queued", "lead")
        assert done["case"]["queue"] == queue
        await bench.online(senior)
        assert (await senior.next("offer"))["case"] == case
        await bench.post(f"/v1/cases/{case}/transfer", boss, {"queue": "general"})
        assert (await bench.case(case)).owner == ""
    status, shown = await bench.get(f"/v1/cases/{case}", boss)
    assert "tier" not in shown["case"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "malformed"),
        ({"tier": "lead", "to": "minji"}, "malformed"),
        ({"queue": "billing", "to": "minji"}, "malformed"),
        ({"tier": "leed"}, "unknown-tier"),
        ({"queue": "biling"}, "unknown-queue"),
    ],
)
async def test_a_transfer_to_nowhere_is_refused(bench: ApiBench, body: dict[str, str], code: str) -> None:
    await bench.advisor("minji")
    case = await bench.write()
    _, found = await bench.post(f"/v1/cases/{case}/transfer", bench.key(Role.SUPERVISOR), body)
    assert found["type"] == f"urn:turnout:problem:{code}"
