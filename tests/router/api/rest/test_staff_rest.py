import msgspec
import pytest

from router.contract.config import Role
from tests.suites.api_bench import ApiBench

DELIVERY = "Where is my parcel?"
BILLING = "There is a mistake in my invoice, you charged me twice."


@pytest.mark.parametrize(
    "path", ["/v1/me", "/v1/advisors", "/v1/advisors/minji", "/v1/queues", "/v1/queues/delivery/cases", "/v1/cases/x"]
)
async def test_nothing_is_open_without_a_key(bench: ApiBench, path: str) -> None:
    for token in ("", "nonsense", "turnout_0_0"):
        status, found = await bench.get(path, token)
        assert (status, found["type"]) == (401, "urn:turnout:problem:unauthorized")
    async with bench.http.get(bench.url(path), headers={"Authorization": "Basic abc"}) as answer:
        assert answer.status == 401


@pytest.mark.parametrize("path", ["/v1/advisors", "/v1/queues", "/v1/queues/delivery/cases", "/v1/advisors/jiwoo"])
async def test_an_advisor_sees_himself_only(bench: ApiBench, path: str) -> None:
    minji = await bench.advisor("minji")
    status, found = await bench.get(path, minji)
    assert (status, found["type"]) == (403, "urn:turnout:problem:forbidden")
    assert (await bench.get("/v1/advisors/minji", minji))[0] == 200


async def test_a_revoked_key_opens_nothing_at_once(bench: ApiBench) -> None:
    key, token = bench.made_key(Role.SUPERVISOR)
    assert (await bench.get("/v1/me", token))[0] == 200
    bench.keys.remove(key.id)
    assert (await bench.get("/v1/me", token))[0] == 401


async def test_me_says_whose_key_it_is(bench: ApiBench) -> None:
    minji = await bench.advisor("minji", team="seoul")
    _, me = await bench.get("/v1/me", minji)
    assert (me["role"], me["pool"], me["advisor"]["id"], me["advisor"]["team"]) == (
        "advisor",
        "default",
        "minji",
        "seoul",
    )
    assert (await bench.get("/v1/me", bench.key(Role.OPERATIONS)))[1]["role"] == "operations"


async def test_advisors_are_shown_with_their_load_in_pages(bench: ApiBench) -> None:
    lead = bench.key(Role.SUPERVISOR)
    minji = await bench.advisor("minji", budget=50)
    for name in ("anna", "bora", "chul"):
        await bench.advisor(name)
    async with bench.session(minji) as talk:
        await bench.online(talk)
        case = await bench.write()
        await talk.next("offer")
        _, page = await bench.get("/v1/advisors?limit=3", lead)
        assert ([one["id"] for one in page["advisors"]], page["next"]) == (["anna", "bora", "chul"], "chul")
        _, page = await bench.get("/v1/advisors?limit=3&after=chul", lead)
        (one,) = page["advisors"]
        assert "next" not in page
        assert (one["presence"], one["load"], one["budget"], one["connections"]) == ("online", 10, 50, 1)
        assert one["work"] == [{"case": case, "kind": "offer", "channel": "email", "units": 10}]
    assert (await bench.get("/v1/advisors/ghost", lead))[0] == 404


async def test_queues_say_how_much_waits_and_the_line_who_is_next(bench: ApiBench) -> None:
    lead = bench.key(Role.SUPERVISOR)
    waiting = []
    for _ in range(5):
        waiting.append(await bench.write(DELIVERY))
        await bench.clock.advance_ms(1_000)
    await bench.write(BILLING)
    _, page = await bench.get("/v1/queues", lead)
    counts = {queue["queue"]: queue["waiting"] for queue in page["queues"]}
    assert (counts["delivery"], counts["billing"], counts["returns"]) == (5, 1, 0)
    found, after = [], 0
    for _ in range(3):
        _, line = await bench.get(f"/v1/queues/delivery/cases?limit=2&after={after}", lead)
        found += [case["id"] for case in line["cases"]]
        after = line.get("next", 0)
    assert (found, after) == (waiting, 0)


async def test_a_long_line_is_counted_to_its_end(bench: ApiBench) -> None:
    for _ in range(1_010):
        await bench.intake.admit(bench.inquiry())
    _, page = await bench.get("/v1/queues", bench.key(Role.OPERATIONS))
    (found,) = [queue for queue in page["queues"] if queue["queue"] == "delivery"]
    assert (found["waiting"], found["classes"]) == (1_010, 1)


async def test_a_line_of_several_classes_is_one_line(bench: ApiBench) -> None:
    lead = bench.key(Role.SUPERVISOR)
    cases = []
    for language in ("ko", "en", "ko", "en"):
        text = DELIVERY if language == "en" else "택배가 아직도 안 왔어요."
        inquiry = bench.inquiry(text)
        await bench.intake.admit(msgspec.structs.replace(inquiry, language=language))
        cases.append(inquiry.id)
        await bench.clock.advance_ms(1_000)
    assert len(await bench.store.heads(bench.desk.pool)) == 2
    _, line = await bench.get("/v1/queues/delivery/cases", lead)
    assert [case["id"] for case in line["cases"]] == cases


async def test_an_unknown_queue_is_not_found_and_an_empty_one_is_empty(bench: ApiBench) -> None:
    lead = bench.key(Role.SUPERVISOR)
    assert (await bench.get("/v1/queues/none/cases", lead))[0] == 404
    assert await bench.get("/v1/queues/delivery/cases?limit=x&after=-5", lead) == (200, {"cases": []})
