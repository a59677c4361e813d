import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pytest

from router.contract.config import Role
from router.runtime.errors import StoreUnavailable
from router.store.acts import AnyAct, Outcome
from tests.suites.api_bench import ApiBench
from tests.suites.eventually import eventually


async def test_a_case_is_offered_accepted_answered_and_resolved(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        assert talk.welcome["advisor"] == "minji"
        assert talk.welcome["presence"] == "offline"
        assert talk.welcome["work"] == []
        await bench.online(talk)
        case = await bench.write()
        offer = await talk.next("offer")
        assert (offer["case"], offer["work"]["subject"], offer["work"]["queue"]) == (case, "My parcel", "delivery")
        accepted = await talk.do("accept", case=case, offer_ver=offer["offer_ver"])
        assert (accepted["result"], accepted["durable"], accepted["case"]["owner"]) == ("assigned", True, "minji")
        assert (await talk.next("assigned"))["case"] == case
        read = await talk.do("read", case=case)
        assert [entry["kind"] for entry in read["transcript"]] == ["inquiry"]
        replied = await talk.do("reply", case=case, text="It arrives tomorrow.")
        assert replied["result"] == "done"
        await talk.do("note", case=case, text="Called the courier.")
        await talk.do("label", case=case, add=["courier"])
        ver = (await talk.do("resolve", case=case, outcome="solved"))["case"]["ver"]
        assert (await talk.next("released")) == {"type": "released", "case": case, "reason": "resolved", "ver": ver}
        read = await talk.do("read", case=case)
        assert [entry["kind"] for entry in read["transcript"]] == ["inquiry", "reply", "note"]
        assert (read["case"]["state"], read["case"]["outcome"], read["case"]["labels"]) == (
            "resolved",
            "solved",
            ["delivery", "courier"],
        )


async def test_frames_sent_without_waiting_are_applied_in_their_order(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        await bench.online(talk)
        case = await bench.write()
        await talk.next("offer")
        await talk.say("accept", op="a", case=case)
        await talk.say("reply", op="b", case=case, text="Tomorrow.")
        await talk.say("resolve", op="c", case=case, outcome="solved")
        assert [(await talk.next("result", op=op))["result"] for op in "abc"] == ["assigned", "done", "done"]
    assert [line.split("|")[1] for line in await bench.store.history(bench.desk.pool, case)][-3:] == [
        "accept",
        "reply",
        "resolve",
    ]


async def test_two_tabs_that_accept_at_once_get_the_same_answer_and_there_is_one_outcome(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as one, bench.session(minji) as two:
        await bench.online(one)
        case = await bench.write()
        offer = await one.next("offer")
        assert (await two.next("offer"))["offer_ver"] == offer["offer_ver"]
        answers = await asyncio.gather(
            *(tab.do("accept", case=case, offer_ver=offer["offer_ver"]) for tab in (one, two))
        )
        assert [(answer["result"], answer["durable"]) for answer in answers] == [("assigned", True)] * 2
    history = await bench.store.history(bench.desk.pool, case)
    assert [line.split("|")[1] for line in history].count("accept") == 1


async def test_an_offer_that_has_expired_is_refused_in_clear_words(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        await bench.online(talk)
        case = await bench.write()
        offer = await talk.next("offer")
        await bench.clock.advance_ms(120_000)
        await bench.timers.serve()
        ver = (await bench.case(case)).ver
        assert await talk.next("offer_ended") == {"type": "offer_ended", "case": case, "reason": "expired", "ver": ver}
        found = await talk.refused("accept", case=case, offer_ver=offer["offer_ver"])
        assert (found["status"], found["type"]) == (409, "urn:turnout:problem:gone")
        assert "expired or was taken" in found["detail"]


async def test_a_declined_offer_ends_and_goes_to_somebody_else(bench: ApiBench) -> None:
    minji, jiwoo = await bench.advisor("minji"), await bench.advisor("jiwoo")
    async with bench.session(minji) as first, bench.session(jiwoo) as second:
        await bench.online(first)
        case = await bench.write()
        offer = await first.next("offer")
        await bench.online(second)
        assert (await first.do("decline", case=case, offer_ver=offer["offer_ver"]))["result"] == "queued"
        assert (await first.next("offer_ended"))["reason"] == "declined"
        assert (await second.next("offer"))["case"] == case


async def test_a_reconnect_finds_the_work_set_as_it_is(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        await bench.online(talk)
        mine, offered = await bench.write(), await bench.write()
        await talk.next("offer", case=mine)
        await talk.next("offer", case=offered)
        await talk.do("accept", case=mine)
    other = bench.replica("two")
    await other.start("127.0.0.1", 0)
    async with bench.session(minji, server=other) as talk:
        assert talk.welcome["presence"] == "online"
        work = {item["case"]: item for item in talk.welcome["work"]}
        assert (work[mine]["kind"], work[offered]["kind"]) == ("case", "offer")
        assert work[offered]["deadline"].endswith("Z")
        accepted = await talk.do("accept", case=offered, offer_ver=work[offered]["offer_ver"])
        assert accepted["result"] == "assigned"
    await other.close()


async def test_the_customers_next_message_is_pushed_to_the_owner(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        await bench.online(talk)
        case = await bench.write(talk="thread")
        await talk.next("offer")
        await talk.do("accept", case=case)
        await bench.write("Are you still there?", talk="thread")
        told = await talk.next("message")
        assert (told["case"], told["inquiries"], told["summary"]) == (case, 2, "Are you still there?")


async def test_a_connection_is_counted_while_the_session_lasts_and_grace_begins_with_its_end(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        await bench.online(talk)
        number = talk.welcome["connection"]
        assert 0 < number < 2**31
        armed = (await bench.person("minji")).timers
        assert armed == {f"lease|{number}": bench.clock.now_ms() + 30_000}
    await bench.left("minji")
    grace_ms = bench.policies.active.grace_s * 1000
    assert (await bench.person("minji")).timers == {"grace|0": bench.clock.now_ms() + grace_ms}


async def test_a_lease_is_renewed_every_ten_seconds_and_never_runs_out(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        lease = f"lease|{talk.welcome['connection']}"
        for _ in range(6):
            await bench.clock.asleep()
            await bench.clock.advance_ms(10_000)
            await eventually(lambda: _lease_is(bench, lease, bench.clock.now_ms() + 30_000))
            await bench.timers.serve()
        assert (await bench.person("minji")).connections == (talk.welcome["connection"],)


async def _lease_is(bench: ApiBench, lease: str, deadline_ms: int) -> bool:
    return (await bench.person("minji")).timers.get(lease) == deadline_ms


async def test_who_comes_back_within_grace_stays_online_and_who_does_not_goes_offline(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        await bench.online(talk)
    await bench.left("minji")
    async with bench.session(minji) as talk:
        assert talk.welcome["presence"] == "online"
        assert "grace|0" not in (await bench.person("minji")).timers
    await bench.left("minji")
    await bench.clock.advance_ms(bench.policies.active.grace_s * 1000)
    await bench.timers.serve()
    assert (await bench.person("minji")).presence == "offline"


async def test_without_a_bus_the_answer_says_not_durable_and_is_confirmed_later(tmp_path: Path) -> None:
    bench = ApiBench(tmp_path, durable_wait_s=0.02)
    await bench.open(relays=False)
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        answer = await talk.do("presence", op="come", presence="online")
        assert answer["durable"] is False
        bench.relay()
        assert (await talk.next("confirmed"))["op"] == "come"
    await bench.close()


async def test_who_is_away_from_a_channel_gets_nothing_of_it_until_he_is_back(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        await talk.do("presence", presence="online", away_from=["chat", "call", "chat"])
        assert (await talk.next("presence"))["away_from"] == ["call", "chat"]
        channel = bench.inquiry().channel
        await talk.do("presence", presence="online", away_from=[channel])
        case = await bench.write()
        assert (await bench.case(case)).state == "queued"
        _, page = await bench.get(f"/v1/cases/{case}", bench.key(Role.SUPERVISOR))
        (told,) = [each["text"] for each in page["explanation"]["would_free"] if each["change"] == "presence"]
        assert told == f"it is taken when one of these comes online for it: minji (is online, but not for {channel})"
        await talk.do("presence", presence="online")
        assert (await bench.person("minji")).away_from == (channel,)
        async with bench.session(minji) as other:
            assert other.welcome["away_from"] == [channel]
        await talk.do("presence", presence="online", away_from=[])
        assert (await talk.next("offer"))["case"] == case


@pytest.mark.parametrize("away_from", [["a,b"], ["two words"], [""], ["x" * 65], [f"c{n}" for n in range(33)], "chat"])
async def test_channels_that_cannot_be_are_refused(bench: ApiBench, away_from: object) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        assert (await talk.refused("presence", presence="online", away_from=away_from))["status"] == 400


async def test_an_advisor_set_away_by_missed_offers_is_told(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        await bench.online(talk)
        await talk.next("presence", presence="online")
        await bench.write()
        for _ in range(bench.policies.active.away_after):
            await talk.next("offer")
            await bench.clock.advance_ms(30_000)
            while await bench.timers.serve():
                pass
            await bench.clock.advance_ms(bench.policies.active.cool_down_s * 1000)
            while await bench.timers.serve():
                pass
        assert (await talk.next("presence", presence="away"))["reason"] == "missed-offers"


async def test_a_reply_that_failed_is_put_before_the_advisor_who_sent_it(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        await bench.online(talk)
        case = await bench.write()
        await talk.next("offer")
        await talk.do("accept", case=case)
        answer = await talk.do("reply", case=case, text="Tomorrow.")
        reply = answer["case"]["replies"][-1]
        assert reply["state"] == "sending"
        await talk.do("resolve", case=case, outcome="solved")
        await bench.deliver(case, reply["id"], "failed", "no such mailbox")
        told = await talk.next("delivery")
        assert told == {
            "type": "delivery",
            "case": case,
            "reply": reply["id"],
            "state": "failed",
            "reason": "no such mailbox",
            "ver": (await bench.case(case)).ver,
        }


async def test_a_supervisor_with_work_of_his_own_has_a_session_and_may_do_more(bench: ApiBench) -> None:
    await bench.advisor("lead")
    async with bench.session(bench.key(Role.SUPERVISOR, "lead")) as talk:
        await bench.online(talk)
        case = await bench.write()
        offer = await talk.next("offer")
        await talk.do("accept", case=case, offer_ver=offer["offer_ver"])
        assert (await talk.do("requeue", case=case))["result"] == "queued"


async def test_a_lease_outlasts_a_store_that_is_away_for_a_while(
    bench: ApiBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        lease = f"lease|{talk.welcome['connection']}"
        tries = 0

        async def away(acts: Sequence[AnyAct]) -> Sequence[Outcome]:
            nonlocal tries
            tries += 1
            raise StoreUnavailable("away")

        with monkeypatch.context() as patch:
            patch.setattr(bench.store, "apply", away)
            for count in (1, 2):
                await bench.clock.asleep()
                await bench.clock.advance_ms(10_000)
                await eventually(partial(_is, lambda: tries, count))
        await bench.clock.asleep()
        await bench.clock.advance_ms(9_999)
        await bench.timers.serve()
        assert lease in (await bench.person("minji")).timers
        await bench.clock.advance_ms(1)
        await eventually(lambda: _lease_is(bench, lease, bench.clock.now_ms() + 30_000))


def _is(look: Callable[[], int], wanted: int) -> bool:
    return look() == wanted


async def test_a_presence_can_be_asked_after(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        await talk.do("presence", op="come", presence="away", reason="lunch")
        path = "/v1/advisors/minji/operations"
        assert (await bench.get(f"{path}/come", minji))[1] == {
            "operation": "come",
            "state": "durable",
            "result": "done",
        }
        before = await bench.person("minji")
        assert (await bench.get(f"{path}/never", minji))[1]["state"] == "forgotten"
        assert await bench.person("minji") == before
        assert (before.presence, before.reason) == ("away", "lunch")


async def test_what_a_session_does_is_counted(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    read = bench.registry.get_sample_value
    async with bench.session(minji) as talk:
        assert read("turnout_api_sessions") == 1
        await bench.online(talk)
        await talk.refused("accept", case="none")
    await bench.left("minji")
    await eventually(lambda: read("turnout_api_sessions") == 0)
    assert read("turnout_api_frames_total", {"type": "presence", "status": "2xx"}) == 1
    assert read("turnout_api_frames_total", {"type": "accept", "status": "4xx"}) == 1
    assert read("turnout_api_sessions_closed_total", {"by": "left"}) == 1
