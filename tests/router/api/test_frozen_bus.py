"""The API while its bus hangs: a server of its own that is stopped in its tracks."""

import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from router.contract.config import Role
from router.runtime.bus.streams import StreamsBus
from router.runtime.settings.model import ApiSettings
from tests.servers import Server
from tests.suites.api_bench import ApiBench
from tests.suites.eventually import eventually

WAIT_S = ApiSettings().durable_wait_s


@pytest.fixture
async def bench(tmp_path: Path, own_server: Server) -> AsyncIterator[ApiBench]:
    bench = ApiBench(tmp_path, durable_wait_s=WAIT_S, bus=StreamsBus(own_server.url, stop_s=2))
    await bench.open()
    yield bench
    own_server.thaw()
    await bench.close()


async def test_acts_take_effect_are_said_not_to_be_durable_and_confirmed_when_the_bus_goes_on(
    bench: ApiBench, own_server: Server
) -> None:
    minji, lead = await bench.advisor("minji"), bench.key(Role.SUPERVISOR)

    async def state(op: str, token: str = lead, path: str = "") -> Any:
        _, found = await bench.get(f"{path or f'/v1/cases/{case}'}/operations/{op}", token)
        return found["state"]

    async with bench.session(minji) as talk:
        await bench.online(talk)
        case = await bench.write(talk="thread")
        await talk.next("offer")
        own_server.freeze()
        began = time.monotonic()
        await talk.say("accept", op="take", case=case)
        await talk.say("presence", op="rest", presence="finishing")
        status, told = await bench.post(f"/v1/cases/{case}/note", lead, {"text": "x"}, op="note")
        assert WAIT_S <= time.monotonic() - began < 4 * WAIT_S
        assert (status, told["durable"], told["operation"], told["result"]) == (202, False, "note", "done")
        taken = await talk.next("result", op="take")
        assert (taken["durable"], taken["result"], taken["case"]["owner"]) == (False, "assigned", "minji")
        assert (await talk.next("result", op="rest"))["durable"] is False
        # Again under the same key: the first answer, and nothing twice.
        status, told = await bench.post(f"/v1/cases/{case}/note", lead, {"text": "x"}, op="note")
        assert (status, told["durable"], told["result"]) == (202, False, "done")
        assert [await state("note"), await state("take", minji)] == ["pending", "pending"]
        assert await state("rest", minji, "/v1/advisors/minji") == "pending"
        assert await state("never") == "forgotten"
        assert not [frame for frame in talk.heard if frame["type"] == "confirmed"]
        # Refused is refused, bus or not: it had no effect that could become durable.
        assert (await talk.refused("resolve", case=case, outcome="solved", seen="older"))["status"] == 409
        own_server.thaw()
        assert (await talk.next("confirmed", op="take"))["case"] == case
        assert "case" not in await talk.next("confirmed", op="rest")
        assert await state("take", minji) == "durable"
        assert await state("rest", minji, "/v1/advisors/minji") == "durable"

        async def is_durable() -> bool:
            return bool(await state("note") == "durable")

        await eventually(is_durable)
        status, told = await bench.post(f"/v1/cases/{case}/note", lead, {"text": "x"}, op="note")
        assert (status, told["durable"]) == (200, True)
        # What is pushed from the bus goes on, too.
        await bench.write("Are you still there?", talk="thread")
        assert (await talk.next("message"))["summary"] == "Are you still there?"
    notes = [line for line in await bench.store.history(bench.desk.pool, case) if line.split("|")[1] == "note"]
    assert len(notes) == 1
    assert bench.registry.get_sample_value("turnout_api_not_durable_total") == 4
