"""The stand-in is as strict as it says: whatever is wrong with a reply, it refuses."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
import pytest

from channels.kit.signatures import standard_headers, standard_secret
from channels.webhook.simulator import WebhookSimulator
from router.runtime.clock import SystemClock

GOOD = {
    "type": "reply",
    "id": "r1",
    "conversation": "conversation of t1",
    "to": "c1",
    "text": "hello",
    "created_at": "2025-10-09T08:53:20.000Z",
}


class Bench:
    """A simulator that knows one conversation, and a channel that may do anything."""

    def __init__(self, simulator: WebhookSimulator, options: Any, client: aiohttp.ClientSession) -> None:
        self.simulator = simulator
        self.options = options
        self.client = client

    async def post(
        self, body: bytes, *, id_: str = "r1", secret: str = "", late_s: int = 0, **headers: str | None
    ) -> int:
        keys = [standard_secret(secret or self.options["reply_secrets"][0])]
        now_ms = SystemClock().now_ms() - late_s * 1000
        signed: dict[str, str | None] = {
            **standard_headers(keys, id_=id_, now_ms=now_ms, body=body),
            "Content-Type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        sent = {name: value for name, value in signed.items() if value is not None}
        async with self.client.post(self.options["reply_url"], data=body, headers=sent) as response:
            return response.status


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    simulator = WebhookSimulator()
    options = await simulator.start("shop")
    simulator.desk.known["conversation of t1"] = ("c1", "t1")
    async with aiohttp.ClientSession() as client:
        yield Bench(simulator, options, client)
    await simulator.close()
    await simulator.close()


def document(**changes: Any) -> bytes:
    return msgspec.json.encode({**GOOD, **changes})


async def test_a_good_reply_is_shown_once_and_its_repeat_counted(bench: Bench) -> None:
    assert [await bench.post(document()) for _ in range(3)] == [204, 204, 204]
    received = await bench.simulator.next_reply()
    assert (received.customer, received.thread, received.text, received.key) == ("c1", "t1", "hello", "r1")
    assert bench.simulator.desk.duplicates == {"r1": 2}
    assert bench.simulator.desk.arrived.empty()
    assert bench.simulator.refusals() == ()


@pytest.mark.parametrize(
    ("body", "how", "status"),
    [
        (document(), {"secret": "whsec_" + "A" * 32}, 401),
        (document(), {"webhook_signature": None}, 401),
        (document(), {"webhook_id": "r2"}, 401),
        (document(), {"late_s": 400}, 401),
        (document(), {"Content_Type": "text/plain"}, 415),
        (document(), {"id_": "r2"}, 400),
        (document()[:-1], {}, 400),
        (b"\xff", {}, 400),
        (document(text=""), {}, 400),
        (document(type="notice"), {}, 400),
        (document(created_at=None), {}, 400),
        (document(conversation="conversation of t2"), {}, 404),
        (document(to="c2"), {}, 422),
    ],
)
async def test_what_is_wrong_is_refused_and_noted(bench: Bench, body: bytes, how: dict[str, Any], status: int) -> None:
    assert await bench.post(body, **how) == status
    assert len(bench.simulator.refusals()) == 1
    assert bench.simulator.desk.arrived.empty()
