"""Parking by hand over session and REST: by role, told, explained, and refused in words."""

from msgspec.structs import replace

from router.contract.config import Role
from router.contract.ids import case_id
from tests.suites.api_bench import ApiBench, Talk


async def _at_hand(bench: ApiBench, talk: Talk, channel: str = "email") -> str:
    await bench.online(talk)
    inquiry = replace(bench.inquiry(), channel=channel)
    await bench.intake.admit(inquiry)
    case = case_id(inquiry.id)
    await talk.next("offer")
    await talk.do("accept", case=case)
    return str(case)


async def test_it_is_told_explained_and_taken_up(bench: ApiBench) -> None:
    minji, boss = await bench.advisor("minji"), bench.key(Role.SUPERVISOR)
    async with bench.session(minji) as talk:
        case = await _at_hand(bench, talk)
        done = await talk.do("park", case=case, for_s=600, reason="lunch")
        assert (done["result"], done["durable"]) == ("done", True)
        assert (await talk.next("released"))["reason"] == "parked"
        assert (await bench.person("minji")).load == 0
        (work,) = (await bench.get("/v1/advisors/minji", boss))[1]["work"]
        found = (await bench.get(f"/v1/cases/{case}", boss))[1]
        assert (work["kind"], found["case"]["state"]) == ("parked", "parked")
        assert found["explanation"]["why_waiting"] == [
            f"minji has set it aside until {work['until']}, and takes it up again then when there is room"
        ]
        assert found["history"][-1]["actor"] == "minji"
        back = await talk.do("unpark", case=case)
        assert back["result"] == "returned"
        assert (await talk.next("assigned"))["case"] == case
    async with bench.session(minji) as talk:
        assert [item["kind"] for item in talk.welcome["work"]] == ["case"]


async def test_a_session_shows_until_when(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        case = await _at_hand(bench, talk)
        status, done = await bench.post(f"/v1/cases/{case}/park", minji, {"for_s": 60}, op="one")
        assert (status, done["result"]) == (200, "done")
        again = await bench.post(f"/v1/cases/{case}/park", minji, {"for_s": 60}, op="one")
        assert again == (status, done)
    async with bench.session(minji) as talk:
        (item,) = talk.welcome["work"]
        assert (item["kind"], bool(item["deadline"])) == ("parked", True)


async def test_what_the_rules_do_not_let_be_parked_a_supervisor_may(bench: ApiBench) -> None:
    minji, boss = await bench.advisor("minji"), bench.key(Role.SUPERVISOR)
    async with bench.session(minji) as talk:
        case = await _at_hand(bench, talk, "messenger")
        found = await talk.refused("park", case=case)
        assert (found["status"], found["detail"]) == (
            403,
            "The rules let no case of the channel messenger be parked.",
        )
        status, done = await bench.post(f"/v1/cases/{case}/park", boss, op="two")
        assert (status, done["result"]) == (200, "done")
        found = await talk.refused("unpark", case=case, over=True)
        assert found["detail"] == "Only supervisors may put an advisor above his capacity."
        status, done = await bench.post(f"/v1/cases/{case}/unpark", boss, {"over": True}, op="three")
        assert (status, done["result"]) == (200, "returned")


async def test_who_has_no_room_is_told(bench: ApiBench) -> None:
    minji, boss = await bench.advisor("minji", budget=10), bench.key(Role.SUPERVISOR)
    async with bench.session(minji) as talk:
        case = await _at_hand(bench, talk)
        await talk.do("park", case=case)
        other = await bench.write()
        await talk.next("offer")
        await talk.do("accept", case=str(other))
        assert (await talk.refused("unpark", case=case))["type"] == "urn:turnout:problem:no-room"
        status, _ = await bench.post(f"/v1/cases/{case}/unpark", boss, {"over": True}, op="up")
        assert (status, (await bench.person("minji")).load) == (200, 20)
        assert (await bench.get(f"/v1/cases/{case}", boss))[1]["case"]["over"] is True
