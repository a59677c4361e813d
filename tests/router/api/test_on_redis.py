"""What the API takes for granted of the store, on the real ones."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from router.contract.config import Role
from router.runtime.redis import Purpose, connect
from router.store.redis import RedisStore
from tests.servers import Server
from tests.suites.api_bench import ApiBench


@pytest.fixture
async def bench(tmp_path: Path, redis_server: Server) -> AsyncIterator[ApiBench]:
    commands, waits = connect(redis_server.url), connect(redis_server.url, purpose=Purpose.BLOCKING)
    store = RedisStore(commands, waits)
    await store.open()
    bench = ApiBench(tmp_path, store=store)
    await bench.open()
    yield bench
    await bench.close()
    await store.close()
    await commands.close()
    await waits.close()


async def test_a_case_goes_from_offer_to_resolved_and_a_reconnect_finds_it(bench: ApiBench) -> None:
    minji = await bench.advisor("minji")
    async with bench.session(minji) as talk:
        await bench.online(talk)
        case = await bench.write(talk="thread")
        offer = await talk.next("offer")
        accepted = await talk.do("accept", case=case, offer_ver=offer["offer_ver"])
        assert (accepted["result"], accepted["durable"], accepted["case"]["owner"]) == ("assigned", True, "minji")
        await bench.write("Are you there?", talk="thread")
        assert (await talk.next("message"))["inquiries"] == 2
    await bench.left("minji")
    assert list((await bench.person("minji")).timers) == ["grace|0"]
    async with bench.session(minji) as talk:
        assert [item["case"] for item in talk.welcome["work"]] == [case]
        await talk.do("reply", case=case, text="Tomorrow.")
        await talk.do("resolve", case=case, outcome="solved")
        assert (await talk.next("released"))["reason"] == "resolved"
    _, page = await bench.get(f"/v1/cases/{case}", bench.key(Role.SUPERVISOR))
    assert [entry["kind"] for entry in page["transcript"]] == ["inquiry", "inquiry", "reply"]


async def test_asking_after_an_operation_changes_nothing(bench: ApiBench) -> None:
    lead = bench.key(Role.SUPERVISOR)
    await bench.advisor("minji")
    minji = bench.key(Role.ADVISOR, "minji")
    case = await bench.write()
    await bench.post(f"/v1/cases/{case}/note", lead, {"text": "x"}, op="n1")
    async with bench.session(minji) as talk:
        await talk.do("presence", op="come", presence="away")
        state, person = await bench.case(case), await bench.person("minji")
        number = (await bench.store.status(bench.desk.pool)).number
        found = [
            (await bench.get(path, key))[1]["state"]
            for path, key in (
                (f"/v1/cases/{case}/operations/n1", lead),
                (f"/v1/cases/{case}/operations/n2", lead),
                ("/v1/cases/none/operations/n1", lead),
                ("/v1/advisors/minji/operations/come", minji),
                ("/v1/advisors/minji/operations/go", minji),
                ("/v1/advisors/ghost/operations/go", minji),
            )
        ]
        assert found == ["durable", "forgotten", "forgotten", "durable", "forgotten", "forgotten"]
        assert (await bench.store.status(bench.desk.pool)).number == number
        assert (await bench.case(case), await bench.person("minji")) == (state, person)
