"""The stand-in is as strict as it says: whatever is wrong with a message, it refuses."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
import pytest

from channels.kit.simulating import ChatOf
from channels.messenger.simulator import MessengerSimulator

GOOD: dict[str, Any] = {"recipient": {"id": "5"}, "messaging_type": "RESPONSE", "message": {"text": "hello"}}
FILE: dict[str, Any] = {"attachment": {"type": "file", "payload": {"is_reusable": False}}}


class Bench:
    """A simulator that knows one chat, and a page that may do anything."""

    def __init__(self, simulator: MessengerSimulator, options: Any, client: aiohttp.ClientSession) -> None:
        self.simulator = simulator
        self.options = options
        self.client = client

    async def send(self, *, token: str = "", proof: str = "", **how: Any) -> int:
        headers = {"Authorization": f"Bearer {token or self.options['page_token']}"}
        params = {"appsecret_proof": proof or self.simulator.desk._options.proof()}
        url = f"{self.options['api_url']}/me/messages"
        async with self.client.post(url, headers=headers, params=params, **how) as response:
            return response.status


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    simulator = MessengerSimulator()
    options = await simulator.start("shop")
    simulator.desk.chats |= {"5": ChatOf("Kim", "t1"), "6": ChatOf("Lee", "t2")}
    simulator.desk.closed = {"6"}
    async with aiohttp.ClientSession() as client:
        yield Bench(simulator, options, client)
    await simulator.close()
    await simulator.close()


def form(data: bytes | None = b"data", **changes: Any) -> aiohttp.FormData:
    made = aiohttp.FormData()
    for name, value in {**GOOD, "message": FILE, **changes}.items():
        made.add_field(name, value if isinstance(value, str) else msgspec.json.encode(value).decode())
    if data is not None:
        made.add_field("filedata", data, filename="a.txt")
    return made


async def test_good_messages_are_shown(bench: Bench) -> None:
    assert await bench.send(json=GOOD) == 200
    assert await bench.send(data=form()) == 200
    text, file = [await bench.simulator.next_reply() for _ in range(2)]
    assert (text.customer, text.thread, text.text) == ("Kim", "t1", "hello")
    assert file.files[0].data == b"data"
    assert bench.simulator.refusals() == ()


@pytest.mark.parametrize(
    ("how", "status"),
    [
        ({"json": GOOD, "token": "another"}, 401),
        ({"json": GOOD, "proof": "a" * 64}, 400),
        ({"data": b"hello"}, 400),
        ({"data": b"{", "token": ""}, 400),
        ({"json": {**GOOD, "recipient": {"id": "7"}}}, 400),
        ({"json": {**GOOD, "recipient": {"id": "6"}}}, 400),
        ({"json": {**GOOD, "messaging_type": "UPDATE"}}, 400),
        ({"json": {**GOOD, "messaging_type": "MESSAGE_TAG"}}, 400),
        ({"json": {**GOOD, "message": {}}}, 400),
        ({"json": {**GOOD, "message": {"text": " "}}}, 400),
        ({"json": {**GOOD, "message": {"text": "x" * 2001}}}, 400),
        ({"json": {**GOOD, "message": {"text": "x", **FILE}}}, 400),
        ({"json": {**GOOD, "message": FILE}}, 400),
        ({"data": form(data=None)}, 400),
        ({"data": form(data=b"")}, 400),
        ({"data": form(message="{")}, 400),
    ],
)
async def test_what_is_wrong_is_refused_and_noted(bench: Bench, how: dict[str, Any], status: int) -> None:
    assert await bench.send(**how) == status
    assert len(bench.simulator.refusals()) == 1
    assert bench.simulator.desk.arrived.empty()
