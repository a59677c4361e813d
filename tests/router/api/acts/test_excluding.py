"""Customers who ask for someone else, advisors who know them, four eyes on a complaint: over session and REST."""

from importlib.resources import files
from typing import Any

import pytest

from router.contract.config import Role
from rules import load
from tests.suites.api_bench import ApiBench


@pytest.fixture
async def minji(bench: ApiBench) -> str:
    return await bench.advisor("minji")


async def has(bench: ApiBench, token: str) -> str:
    """A case that is the advisor's."""
    async with bench.session(token) as talk:
        await bench.online(talk)
        case = await bench.write()
        await talk.next("offer")
        await talk.do("accept", case=case)
        return case


async def page(bench: ApiBench, case: str, lang: str = "en") -> dict[str, Any]:
    status, found = await bench.get(f"/v1/cases/{case}?lang={lang}", bench.key(Role.SUPERVISOR))
    assert status == 200
    return dict(found)


async def test_a_customer_asks_for_someone_else_and_the_whole_story_is_told(bench: ApiBench, minji: str) -> None:
    jun = await bench.advisor("jun")
    async with bench.session(minji) as talk:
        await bench.online(talk)
        case = await bench.write()
        await talk.next("offer")
        await talk.do("accept", case=case)
        told = await talk.do("transfer", case=case, someone_else=True, reason="she asked for somebody else")
        assert told["result"] == "queued"
        found = await page(bench, case)
        assert found["case"]["excluded"] == ["minji"]
        said = found["case"]["exclusions"][0]
        assert (said["advisor"], said["by"], said["reason"]) == ("minji", "minji", "she asked for somebody else")
        waiting = found["explanation"]["why_waiting"]
        assert "minji must not have it, says minji: she asked for somebody else" in waiting
        frees = {each["change"]: each for each in found["explanation"]["would_free"]}
        assert frees["excluded"]["advisors"] == ["minji"]
        assert frees["excluded"]["text"] == "it is taken when the exclusion of one of these is lifted: minji"
        assert frees["presence"]["advisors"] == ["jun"]
        korean = await page(bench, case, "ko")
        says = "minji 상담사는 배정 제외, 지정: minji: she asked for somebody else"
        assert says in korean["explanation"]["why_waiting"]
        assert any("배정 제외를 풀면" in each["text"] for each in korean["explanation"]["would_free"])
    async with bench.session(jun) as other:
        await bench.online(other)
        assert (await other.next("offer"))["case"] == case


async def test_everybody_is_excluded_until_a_supervisor_lifts_it(bench: ApiBench, minji: str) -> None:
    case = await has(bench, minji)
    lead = bench.key(Role.SUPERVISOR)
    body = {"someone_else": True, "reason": "the complaint is about her"}
    status, answer = await bench.post(f"/v1/cases/{case}/exclude", lead, body, op="once")
    assert (status, answer["result"], answer["case"]["excluded"]) == (200, "queued", ["minji"])
    assert (await bench.post(f"/v1/cases/{case}/exclude", lead, body, op="once"))[1]["result"] == "queued"
    async with bench.session(minji) as talk:
        await bench.online(talk)
        found = await page(bench, case)
        assert [each["change"] for each in found["explanation"]["would_free"]] == ["excluded"]
        status, answer = await bench.post(f"/v1/cases/{case}/exclude", lead, {"lift": ["minji"], "reason": "settled"})
        assert (status, answer["result"]) == (200, "done")
        assert (await talk.next("offer"))["case"] == case
    found = await page(bench, case)
    assert [(each["by"], each.get("lifted", False)) for each in found["case"]["exclusions"]] == [
        (found["case"]["exclusions"][0]["by"], False),
        (found["case"]["exclusions"][1]["by"], True),
    ]
    assert [each["about"] for each in found["history"] if each["act"] == "rejudge"] == ["admit minji"]


async def test_an_advisor_gives_an_offer_back_for_good(bench: ApiBench, minji: str) -> None:
    async with bench.session(minji) as talk:
        await bench.online(talk)
        case = await bench.write()
        await talk.next("offer")
        await talk.do("decline", case=case, someone_else=True, reason="my neighbour")
    assert (await page(bench, case))["case"]["excluded"] == ["minji"]


async def test_nobody_gets_around_it_but_by_a_supervisor_who_assigns(bench: ApiBench, minji: str) -> None:
    case, lead = await has(bench, minji), bench.key(Role.SUPERVISOR)
    await bench.post(f"/v1/cases/{case}/requeue", lead, {"someone_else": True})
    jun = await bench.advisor("jun")
    async with bench.session(minji) as talk, bench.session(jun) as other:
        await bench.online(talk)
        notifier = bench.key(Role.NOTIFIER)
        status, found = await bench.post(f"/v1/cases/{case}/take", notifier, on_behalf="minji")
        assert (status, found["type"]) == (409, "urn:turnout:problem:excluded")
        status, found = await bench.post(f"/v1/cases/{case}/transfer", lead, {"to": "minji"})
        assert (status, found["type"]) == (409, "urn:turnout:problem:excluded")
        await bench.online(other)
        await other.next("offer")
        await other.do("accept", case=case)
        found = await other.refused("consult", case=case, to="minji")
        assert found["type"] == "urn:turnout:problem:excluded"
        status, answer = await bench.post(f"/v1/cases/{case}/assign", lead, {"to": "minji"})
        assert (status, answer["case"]["owner"]) == (200, "minji")
    found = await page(bench, case)
    assert any("excluded, or has just declined or missed it" in line for line in found["explanation"]["why_here"])
    assert found["case"]["exclusions"][-1]["lifted"]


async def test_she_cannot_pick_it(bench: ApiBench, minji: str) -> None:
    defaults = files("rules") / "defaults"
    texts = {name: (defaults / name).read_text("utf-8") for name in ("rulebook.yaml", "rules.yaml")}
    line = "    title: Parcels on their way\n"
    texts["rulebook.yaml"] = texts["rulebook.yaml"].replace(line, f"{line}    pick: all\n")
    bench.policies.activate(load(texts))
    case, lead = await has(bench, minji), bench.key(Role.SUPERVISOR)
    await bench.post(f"/v1/cases/{case}/requeue", lead, {"exclude": ["minji"]})
    status, found = await bench.post(f"/v1/cases/{case}/pick", minji)
    assert (status, found["type"]) == (409, "urn:turnout:problem:excluded")


@pytest.mark.parametrize(
    ("role", "act", "body", "said"),
    [
        (Role.ADVISOR, "exclude", {"exclude": ["minji"]}, (403, "forbidden")),
        (Role.ADVISOR, "requeue", {"someone_else": True}, (403, "forbidden")),
        (Role.SUPERVISOR, "exclude", {}, (400, "malformed")),
        (Role.SUPERVISOR, "exclude", {"exclude": ["minji"], "lift": ["minji"]}, (400, "malformed")),
        (Role.SUPERVISOR, "exclude", {"exclude": ["minij"]}, (422, "unknown-advisor")),
        (Role.SUPERVISOR, "transfer", {"to": "minji", "exclude": ["minji"]}, (400, "malformed")),
        (Role.SUPERVISOR, "transfer", {"queue": "billing", "exclude": ["ghost"]}, (422, "unknown-advisor")),
        (Role.SUPERVISOR, "transfer", {"queue": "billing", "to": "minji", "someone_else": True}, (400, "malformed")),
        (Role.SUPERVISOR, "exclude", {"exclude": [f"a{number}" for number in range(17)]}, (400, "malformed")),
    ],
)
async def test_what_cannot_be_excluded(
    bench: ApiBench, minji: str, role: Role, act: str, body: dict[str, Any], said: tuple[int, str]
) -> None:
    case = await has(bench, minji)
    before = await bench.case(case)
    token = minji if role is Role.ADVISOR else bench.key(role)
    status, found = await bench.post(f"/v1/cases/{case}/{act}", token, body)
    assert (status, found["type"].rpartition(":")[2]) == said
    assert await bench.case(case) == before


async def test_a_case_that_nobody_had_names_whom(bench: ApiBench, minji: str) -> None:
    case, lead = await bench.write(), bench.key(Role.SUPERVISOR)
    status, found = await bench.post(f"/v1/cases/{case}/exclude", lead, {"someone_else": True})
    assert (status, found["type"]) == (400, "urn:turnout:problem:malformed")
    assert (await bench.post(f"/v1/cases/{case}/exclude", lead, {"exclude": ["minji"]}))[0] == 200


async def test_people_exclude_only_so_many(bench: ApiBench) -> None:
    names = [f"a{number}" for number in range(33)]
    for name in names:
        await bench.advisor(name)
    case, lead = await bench.write(), bench.key(Role.SUPERVISOR)
    for first in (0, 16):
        body = {"exclude": names[first : first + 16]}
        assert (await bench.post(f"/v1/cases/{case}/exclude", lead, body))[0] == 200
    status, found = await bench.post(f"/v1/cases/{case}/exclude", lead, {"exclude": names[32:]})
    assert (status, found["type"]) == (422, "urn:turnout:problem:too-many-excluded")
    assert (await bench.post(f"/v1/cases/{case}/exclude", lead, {"exclude": names[:2]}))[0] == 200
