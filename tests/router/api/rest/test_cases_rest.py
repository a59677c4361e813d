import hashlib
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from router.contract.config import Role
from router.contract.ids import AdvisorId, case_id
from router.contract.messages import Attachment
from router.store.memory import MemoryStore
from tests.suites.api_bench import ApiBench
from tests.suites.eventually import eventually


@pytest.fixture
async def minji(bench: ApiBench) -> str:
    """The key of an advisor who is online without a session, so that nothing but REST is at work."""
    token = await bench.advisor("minji")
    async with bench.session(token) as talk:
        await bench.online(talk)
    return token


async def offered(bench: ApiBench, text: str = "Where is my parcel?") -> str:
    case = await bench.write(text)

    async def is_offered() -> bool:
        return bool((await bench.case(case)).offers)

    await eventually(is_offered)
    return case


async def mine(bench: ApiBench, token: str) -> str:
    case = await offered(bench)
    status, _ = await bench.post(f"/v1/cases/{case}/accept", token)
    assert status == 200
    return case


async def test_every_act_of_an_advisor_works_over_rest(bench: ApiBench, minji: str) -> None:
    case = await offered(bench)
    soon = datetime.fromtimestamp(bench.clock.now_ms() / 1000, UTC) + timedelta(hours=1)
    acts: list[tuple[str, dict[str, object], str]] = [
        ("accept", {}, "assigned"),
        ("reply", {"text": "Tomorrow."}, "done"),
        ("note", {"text": "Called the courier."}, "done"),
        ("label", {"add": ["courier"], "remove": ["delivery"]}, "done"),
        ("pend", {"on": "customer", "reason": "asked for the number"}, "done"),
        ("follow-up", {"at": soon.isoformat()}, "done"),
        ("resolve", {"outcome": "solved"}, "done"),
    ]
    for act, body, result in acts:
        status, answer = await bench.post(f"/v1/cases/{case}/{act}", minji, body)
        assert (act, status, answer.get("result"), answer.get("durable")) == (act, 200, result, True)
    status, page = await bench.get(f"/v1/cases/{case}", minji)
    assert status == 200
    assert [entry["kind"] for entry in page["transcript"]] == ["inquiry", "reply", "note"]
    names = [line["act"] for line in page["history"]]
    assert names[-7:] == ["accept", "reply", "note", "label", "pend", "follow_up", "resolve"]
    assert page["case"]["labels"] == ["courier"]
    assert page["case"]["state"] == "resolved"
    assert page["history"][-1]["at"].endswith("Z")


async def test_the_same_key_again_gives_the_same_answer_and_no_second_effect(bench: ApiBench, minji: str) -> None:
    case = await mine(bench, minji)
    first = await bench.post(f"/v1/cases/{case}/reply", minji, {"text": "Tomorrow."}, op="reply-1")
    again = await bench.post(f"/v1/cases/{case}/reply", minji, {"text": "Tomorrow."}, op="reply-1")
    assert first == again
    other = await bench.post(f"/v1/cases/{case}/reply", minji, {"text": "Tomorrow."}, op="reply-2")
    assert other[0] == 200
    _, page = await bench.get(f"/v1/cases/{case}", minji)
    assert [entry["kind"] for entry in page["transcript"]] == ["inquiry", "reply", "reply"]


async def test_the_operation_id_of_another_act_is_refused_instead_of_answered_with_its_result(
    bench: ApiBench, minji: str
) -> None:
    case = await offered(bench)
    assert (await bench.post(f"/v1/cases/{case}/accept", minji, op="used"))[0] == 200
    status, found = await bench.post(f"/v1/cases/{case}/resolve", minji, {"outcome": "solved"}, op="used")
    assert (status, found["type"]) == (422, "urn:turnout:problem:operation-used")
    assert (await bench.case(case)).state == "assigned"


async def test_an_accept_is_the_same_on_every_replica_and_in_every_tab(bench: ApiBench, minji: str) -> None:
    case = await offered(bench)
    other = bench.replica("two")
    await other.start("127.0.0.1", 0)
    ver = (await bench.case(case)).offers[0].ver
    one = await bench.post(f"/v1/cases/{case}/accept", minji, {"offer_ver": ver}, op="a")
    two = await bench.post(f"/v1/cases/{case}/accept", minji, {"offer_ver": ver}, op="a", server=other)
    tab = await bench.post(f"/v1/cases/{case}/accept", minji, {"offer_ver": ver}, op="b", server=other)
    assert [(status, answer["result"]) for status, answer in (one, two, tab)] == [(200, "assigned")] * 3
    await other.close()


async def test_a_post_without_an_idempotency_key_is_refused(bench: ApiBench, minji: str) -> None:
    case = await offered(bench)
    for op in (None, "x" * 129):
        status, found = await bench.post(f"/v1/cases/{case}/accept", minji, op=op)
        assert (status, found["type"]) == (400, "urn:turnout:problem:no-operation")
    assert (await bench.case(case)).state == "offered"


@pytest.mark.parametrize(
    ("act", "body", "status", "code"),
    [
        ("resolve", {"outcome": "slved"}, 422, "unknown-outcome"),
        ("resolve", {}, 400, "malformed"),
        ("reply", {"text": ""}, 400, "malformed"),
        ("reply", {"text": "a", "case": "other"}, 400, "malformed"),
        ("reply", ["text"], 400, "malformed"),
        ("pend", {"on": "the weather"}, 400, "malformed"),
        ("follow-up", {"at": "2001-01-01T00:00:00Z"}, 400, "malformed"),
        ("follow-up", {"at": "2099-01-01T00:00:00"}, 400, "malformed"),
        ("transfer", {}, 400, "malformed"),
        ("transfer", {"queue": "bilinng"}, 422, "unknown-queue"),
        ("transfer", {"to": "ghost"}, 409, "unfit"),
        ("assign", {"to": "minji"}, 403, "forbidden"),
        ("requeue", {}, 403, "forbidden"),
        ("dance", {}, 404, "not-found"),
    ],
)
async def test_what_can_not_be_done_is_refused_with_a_reason(
    bench: ApiBench, minji: str, act: str, body: object, status: int, code: str
) -> None:
    case = await mine(bench, minji)
    before = await bench.case(case)
    found_status, found = await bench.post(f"/v1/cases/{case}/{act}", minji, body)
    assert (found_status, found["type"], found["status"]) == (status, f"urn:turnout:problem:{code}", status)
    assert found["detail"]
    assert await bench.case(case) == before


async def test_a_wrong_outcome_is_answered_with_the_one_that_was_meant(bench: ApiBench, minji: str) -> None:
    case = await mine(bench, minji)
    _, found = await bench.post(f"/v1/cases/{case}/resolve", minji, {"outcome": "slved"})
    assert "Did you mean 'solved'?" in found["detail"]


async def test_problems_have_their_own_content_type(bench: ApiBench, minji: str) -> None:
    url, headers = bench.url("/v1/cases/none"), {"Authorization": f"Bearer {minji}"}
    async with bench.http.get(url, headers=headers) as answer:
        assert (answer.status, answer.content_type) == (404, "application/problem+json")
    async with bench.http.get(url) as answer:
        assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    async with bench.http.get(bench.url("/v2")) as answer:
        assert (answer.status, answer.content_type) == (404, "application/problem+json")
    async with bench.http.delete(url, headers=headers) as answer:
        assert (answer.status, answer.content_type) == (405, "application/problem+json")


async def test_a_body_that_is_too_large_is_refused(bench: ApiBench, minji: str) -> None:
    case = await mine(bench, minji)
    headers = {"Authorization": f"Bearer {minji}", "Idempotency-Key": "k"}
    body = io.BytesIO(b'{"text":"' + b"x" * 1_100_000 + b'"}')
    async with bench.http.post(bench.url(f"/v1/cases/{case}/note"), data=body, headers=headers) as answer:
        assert answer.status == 413
        assert (await answer.json(content_type=None))["type"] == "urn:turnout:problem:too-large"


async def test_somebody_elses_case_can_be_neither_seen_nor_touched(bench: ApiBench, minji: str) -> None:
    case = await mine(bench, minji)
    jiwoo = await bench.advisor("jiwoo")
    before = await bench.case(case)
    assert (await bench.get(f"/v1/cases/{case}", jiwoo))[0] == 403
    bodies: dict[str, dict[str, object]] = {
        "reply": {"text": "Hi"},
        "note": {"text": "Hi"},
        "label": {"add": ["x"]},
        "pend": {"on": "customer"},
        "resolve": {"outcome": "solved"},
        "transfer": {"queue": "billing"},
    }
    for act, body in bodies.items():
        status, found = await bench.post(f"/v1/cases/{case}/{act}", jiwoo, body)
        assert (act, status, found["type"]) == (act, 403, "urn:turnout:problem:not-yours")
    for act in ("accept", "decline"):
        assert (await bench.post(f"/v1/cases/{case}/{act}", jiwoo))[0] == 409
    assert await bench.case(case) == before


async def test_a_supervisor_reassigns_requeues_and_replies_as_himself(bench: ApiBench, minji: str) -> None:
    lead = bench.key(Role.SUPERVISOR)
    case = await mine(bench, minji)
    jiwoo = await bench.advisor("jiwoo")
    assert (await bench.post(f"/v1/cases/{case}/assign", lead, {"to": "jiwoo"}))[0] == 409
    async with bench.session(jiwoo) as talk:
        await bench.online(talk)
        status, answer = await bench.post(f"/v1/cases/{case}/assign", lead, {"to": "jiwoo", "reason": "shift"})
        assert (status, answer["result"], answer["case"]["owner"]) == (200, "assigned", "jiwoo")
        assert (await talk.next("assigned"))["case"] == case
        assert (await bench.post(f"/v1/cases/{case}/reply", lead, {"text": "We are on it."}))[0] == 200
        status, answer = await bench.post(f"/v1/cases/{case}/requeue", lead)
        assert (status, answer["result"]) == (200, "queued")
        assert (await talk.next("released"))["reason"] == "requeued"


async def test_a_case_is_transferred_to_a_queue(bench: ApiBench, minji: str) -> None:
    case = await mine(bench, minji)
    status, answer = await bench.post(f"/v1/cases/{case}/transfer", minji, {"queue": "billing"})
    assert (status, answer["case"]["queue"]) == (200, "billing")


async def test_of_a_long_conversation_the_last_messages_are_shown(bench: ApiBench, minji: str) -> None:
    case = await mine(bench, minji)
    for n in range(3):
        await bench.post(f"/v1/cases/{case}/note", minji, {"text": f"n{n}"})

    async def shown(query: str) -> tuple[list[str], bool]:
        _, page = await bench.get(f"/v1/cases/{case}{query}", minji)
        return [entry["text"] for entry in page["transcript"]], page.get("earlier", False)

    whole = ["Where is my parcel?", "n0", "n1", "n2"]
    assert await shown("?last=2") == (["n1", "n2"], True)
    assert await shown("?last=3") == (["n0", "n1", "n2"], True)
    for query in ("", "?last=4", "?last=999999", "?last=many"):
        assert await shown(query) == (whole, False)
    assert await shown("?last=0") == (["n2"], True)
    async with bench.session(minji) as talk:
        read = await talk.do("read", case=case, last=1)
        assert ([entry["text"] for entry in read["transcript"]], read["earlier"]) == (["n2"], True)
        assert (await talk.do("read", case=case))["earlier"] is False
        assert (await talk.refused("read", case=case, last=0))["status"] == 400
        # The customer's last message is found behind any number of notes: what he is offered says it.
        for n in range(12):
            await talk.do("note", case=case, text=f"more {n}")
        assert (await talk.do("reply", case=case, text="Tomorrow."))["result"] == "done"
    async with bench.session(minji) as talk:
        (item,) = talk.welcome["work"]
        assert item["summary"] == "Where is my parcel?"


async def test_operations_may_look_at_numbers_but_at_no_case(bench: ApiBench, minji: str) -> None:
    watch = bench.key(Role.OPERATIONS)
    case = await mine(bench, minji)
    assert (await bench.get(f"/v1/cases/{case}", watch))[0] == 403
    assert (await bench.post(f"/v1/cases/{case}/note", watch, {"text": "x"}))[0] == 403
    assert (await bench.get("/v1/queues", watch))[0] == 200


async def test_the_explanation_says_why_here_why_not_the_others_and_why_it_still_waits(bench: ApiBench) -> None:
    lead = bench.key(Role.SUPERVISOR)
    await bench.advisor("minji")
    await bench.advisor("jiwoo", skills={"billing": 3})
    case = await bench.write()
    _, page = await bench.get(f"/v1/cases/{case}", lead)
    told = page["explanation"]
    assert any("queue delivery" in sentence for sentence in told["why_here"])
    assert {out["filter"]: out["count"] for out in told["why_not"]} == {"skill": 1, "presence": 1}
    assert any("clock is due at" in sentence for sentence in told["why_waiting"])
    (change,) = told["would_free"]
    assert (change["change"], change["advisors"], change["count"]) == ("presence", ["minji"], 1)
    assert change["text"] == "it is taken when one of these comes online for it: minji"
    _, page = await bench.get(f"/v1/cases/{case}?lang=ko", lead)
    assert page["explanation"]["would_free"][0]["text"] == "다음 상담사가 이 채널에 온라인이 되면 배정됩니다: minji"


async def test_an_operation_can_be_asked_after_on_any_replica(bench: ApiBench, minji: str) -> None:
    case = await mine(bench, minji)
    await bench.post(f"/v1/cases/{case}/note", minji, {"text": "x"}, op="note-1")
    other = bench.replica("two")
    await other.start("127.0.0.1", 0)
    assert await bench.get(f"/v1/cases/{case}/operations/note-1", minji) == (
        200,
        {"operation": "note-1", "state": "durable", "result": "done"},
    )
    url = bench.url(f"/v1/cases/{case}/operations/note-1", other)
    async with bench.http.get(url, headers={"Authorization": f"Bearer {minji}"}) as answer:
        assert (await answer.json())["state"] == "durable"
    before = await bench.case(case)
    assert (await bench.get(f"/v1/cases/{case}/operations/never", minji))[1]["state"] == "forgotten"
    assert (await bench.get("/v1/cases/none/operations/never", minji))[1]["state"] == "forgotten"
    assert await bench.case(case) == before
    await other.close()


@pytest.fixture
async def dark(tmp_path: Path) -> AsyncIterator[ApiBench]:
    """An API whose bus takes nothing."""
    bench = ApiBench(tmp_path, durable_wait_s=0.02)
    await bench.open(relays=False)
    yield bench
    await bench.close()


async def test_without_a_bus_an_act_is_202_and_pending_until_it_is_back(dark: ApiBench) -> None:
    await dark.advisor("minji")
    lead = dark.key(Role.SUPERVISOR)
    case = await dark.write()
    status, answer = await dark.post(f"/v1/cases/{case}/note", lead, {"text": "x"}, op="n1")
    assert (status, answer["durable"], answer["operation"]) == (202, False, "n1")
    assert (await dark.get(f"/v1/cases/{case}/operations/n1", lead))[1]["state"] == "pending"
    dark.relay()

    async def is_durable() -> bool:
        return bool((await dark.get(f"/v1/cases/{case}/operations/n1", lead))[1]["state"] == "durable")

    await eventually(is_durable)
    assert (await dark.post(f"/v1/cases/{case}/note", lead, {"text": "x"}, op="n1"))[0] == 200


async def test_what_a_rebuild_undid_is_lost(dark: ApiBench) -> None:
    lead = dark.key(Role.SUPERVISOR)
    case = await dark.write()
    await dark.post(f"/v1/cases/{case}/note", lead, {"text": "x"}, op="n1")
    assert isinstance(dark.store, MemoryStore)
    rows = dark.store._pools[dark.desk.pool]
    rows.gen += 1
    rows.cases[case].operations.clear()
    await dark.actor.open()
    assert (await dark.get(f"/v1/cases/{case}/operations/n1", lead))[1]["state"] == "lost"


async def test_what_was_on_the_bus_before_a_rebuild_is_not_lost(bench: ApiBench) -> None:
    lead, minji = bench.key(Role.SUPERVISOR), await bench.advisor("minji")
    case = await bench.write()
    assert (await bench.post(f"/v1/cases/{case}/note", lead, {"text": "x"}, op="n1"))[0] == 200
    async with bench.session(minji) as talk:
        await talk.do("presence", op="come", presence="online")
    assert isinstance(bench.store, MemoryStore)
    rows = bench.store._pools[bench.desk.pool]
    rows.gen += 1
    rows.cases[case].operations.clear()
    rows.advisors[AdvisorId("minji")].operations.clear()
    await bench.actor.open()
    assert (await bench.get(f"/v1/cases/{case}/operations/n1", lead))[1]["state"] == "durable"
    assert (await bench.get("/v1/advisors/minji/operations/come", minji))[1]["state"] == "durable"


async def test_a_state_that_is_not_of_this_time_is_503_and_to_be_tried_again(dark: ApiBench) -> None:
    lead = dark.key(Role.SUPERVISOR)
    case = await dark.write()
    assert isinstance(dark.store, MemoryStore)
    dark.store._pools[dark.desk.pool].gen += 1
    url, headers = dark.url(f"/v1/cases/{case}/note"), {"Authorization": f"Bearer {lead}", "Idempotency-Key": "k"}
    async with dark.http.post(url, json={"text": "x"}, headers=headers) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "2")
        assert (await answer.json(content_type=None))["retryable"] is True


async def test_attachments_come_by_a_link_that_works_for_a_while(bench: ApiBench, minji: str) -> None:
    content = b"<script>alert(1)</script>"

    async def chunks() -> AsyncIterator[bytes]:
        yield content

    kept = await bench.blobs.put("support/i/0", chunks(), max_bytes=100)
    file = Attachment(
        name='bill "한글".html',
        media_type="text/html",
        size_bytes=kept.size_bytes,
        sha256=hashlib.sha256(content).hexdigest(),
        blob=kept.key,
    )
    inquiry = bench.inquiry(attachments=(file,))
    await bench.intake.admit(inquiry)
    case = case_id(inquiry.id)
    lead = bench.key(Role.SUPERVISOR)
    _, page = await bench.get(f"/v1/cases/{case}", lead)
    (shown,) = page["transcript"][0]["attachments"]
    assert (shown["name"], shown["size_bytes"]) == (file.name, len(content))
    async with bench.http.get(bench.url(shown["link"])) as answer:
        assert (answer.status, await answer.read()) == (200, content)
        # A page that a customer sends must not run on the API's own origin.
        assert answer.content_type == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert (await bench.get(shown["link"][:-1] + "A"))[0] == 404
    await bench.clock.advance_ms(300_000)
    assert (await bench.get(shown["link"]))[0] == 404


async def test_a_link_to_a_deleted_attachment_is_not_found(bench: ApiBench) -> None:
    file = Attachment(name="a.png", media_type="image/png", size_bytes=1, sha256="0", blob="support/i/9")
    inquiry = bench.inquiry(attachments=(file,))
    await bench.intake.admit(inquiry)
    _, page = await bench.get(f"/v1/cases/{case_id(inquiry.id)}", bench.key(Role.SUPERVISOR))
    assert (await bench.get(page["transcript"][0]["attachments"][0]["link"]))[0] == 404
