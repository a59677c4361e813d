from pathlib import Path
from typing import Any

from router.api.sessions.frames import Assigned, Released
from router.api.sessions.pushes import Teller
from router.contract.ids import AdvisorId
from tests.suites.api_bench import ApiBench, Talk


async def accepted(bench: ApiBench, talk: Talk, *, thread: str = "") -> Any:
    """A case of his; the answer to his accept."""
    await bench.online(talk)
    case = await bench.write(talk=thread)
    await talk.next("offer", case=case)
    return (await talk.do("accept", case=case))["case"]


async def test_an_answer_that_waited_for_the_bus_shows_no_older_state_than_a_read_before_it(tmp_path: Path) -> None:
    bench = ApiBench(tmp_path)
    await bench.open(relays=False)
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        await talk.say("presence", op="come", presence="online")
        case = await bench.write()
        await talk.next("offer")
        await talk.say("accept", op="take", case=case)
        await talk.say("label", op="mark", case=case, add=["late"])
        read = await talk.do("read", case=case)
        assert not [frame for frame in talk.heard if frame["type"] == "result"]
        assert (read["case"]["owner"], "late" in read["case"]["labels"]) == ("minji", True)
        bench.relay()
        vers = [(await talk.next("result", op=op))["case"]["ver"] for op in ("take", "mark")]
    await bench.close()
    assert vers == [read["case"]["ver"]] * 2


async def test_a_read_after_an_accepts_answer_shows_at_least_that_state(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        taken = await accepted(bench, talk)
        read = await talk.do("read", case=taken["id"])
        assert (read["case"]["ver"], read["case"]["owner"]) == (taken["ver"], "minji")


async def test_what_has_ended_since_is_not_put_back_on_his_desk(bench: ApiBench) -> None:
    await bench.advisor("minji")
    async with bench.session(await bench.advisor("jiwoo")) as talk:
        await bench.online(talk)
        teller = Teller(bench.desk, AdvisorId("jiwoo"))
        free = await bench.person("jiwoo")
        case = await bench.write()
        offer = await talk.next("offer")
        offered = await bench.person("jiwoo")
        await talk.do("accept", case=case, offer_ver=offer["offer_ver"])
        owned = await bench.person("jiwoo")
        (told,) = await teller.changes(offered, owned)
        assert isinstance(told, Assigned)
        assert told.ver == (await bench.case(case)).ver == told.work.ver
        resolved = (await talk.do("resolve", case=case, outcome="solved"))["case"]["ver"]
        # A tail that lags behind tells of these only now.
        assert await teller.changes(free, offered) == []
        assert await teller.changes(offered, owned) == []
        (gone,) = await teller.changes(owned, await bench.person("jiwoo"))
        assert gone == Released(case=case, reason="resolved", ver=resolved)


async def test_a_push_tells_the_version_that_it_is_about(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        case = (await accepted(bench, talk, thread="thread"))["id"]
        await bench.write("Are you still there?", talk="thread")
        written = (await bench.case(case)).ver
        await bench.write("Hello?", talk="thread")
        first = await talk.next("message", inquiries=2)
        second = await talk.next("message", inquiries=3)
        assert (first["ver"], first["summary"]) == (written, "Are you still there?")
        assert (second["ver"], second["summary"]) == (written + 1, "Hello?")
        assert (await talk.next("presence"))["ver"] <= (await bench.person("minji")).ver
        read = await talk.do("read", case=case)
        assert read["case"]["ver"] == second["ver"]  # so both are old to whoever has read


async def test_a_resolve_over_a_message_that_was_not_seen_is_refused_and_names_it(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        await bench.online(talk)
        case = await bench.write(talk="thread")
        offer = await talk.next("offer")
        seen = offer["work"]["inquiry"]
        taken = (await talk.do("accept", case=case))["case"]
        assert taken["last_inquiry"] == seen
        await bench.write("Oh, and one more thing.", talk="thread")
        before = await bench.case(case)
        found = await talk.refused("resolve", case=case, outcome="solved", seen=seen)
        assert (found["status"], found["type"]) == (409, "urn:turnout:problem:unseen")
        assert found["inquiry"] == before.last_inquiry != seen
        assert await bench.case(case) == before
        told = await talk.next("message")
        assert told["inquiry"] == found["inquiry"]
        read = await talk.do("read", case=case)
        assert read["transcript"][-1]["id"] == read["case"]["last_inquiry"] == found["inquiry"]
        done = await talk.do("resolve", case=case, outcome="solved", seen=found["inquiry"])
        assert (done["result"], done["case"]["state"]) == ("done", "resolved")


async def test_over_rest_too_and_under_the_same_key_afterwards(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        taken = await accepted(bench, talk, thread="thread")
        path = f"/v1/cases/{taken['id']}/resolve"
        await bench.write("And another thing.", talk="thread")
        body = {"outcome": "solved", "seen": taken["last_inquiry"]}
        status, found = await bench.post(path, minji, body, op="end")
        assert (status, found["type"]) == (409, "urn:turnout:problem:unseen")
        status, answer = await bench.post(path, minji, body | {"seen": found["inquiry"]}, op="end")
        assert (status, answer["case"]["state"]) == (200, "resolved")
