"""The stand-in is as strict as it says: whatever is wrong with a request, it refuses."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from channels.kit.simulating import ChatOf
from channels.telegram.simulator import TelegramSimulator

GOOD: dict[str, Any] = {"chat_id": 5, "text": "hello", "reply_parameters": {"message_id": 11}}


class Bench:
    """A simulator that knows one chat, and a bot that may do anything."""

    def __init__(self, simulator: TelegramSimulator, options: Any, client: aiohttp.ClientSession) -> None:
        self.simulator = simulator
        self.options = options
        self.client = client

    async def call(self, method: str, *, token: str = "", **how: Any) -> int:
        url = f"{self.options['api_url']}/bot{token or self.options['token']}/{method}"
        async with self.client.post(url, **how) as response:
            return response.status


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    simulator = TelegramSimulator()
    options = await simulator.start("shop")
    simulator.desk.chats[5] = ChatOf("Kim", "t1")
    simulator.desk.messages[5] = {11}
    async with aiohttp.ClientSession() as client:
        yield Bench(simulator, options, client)
    await simulator.close()
    await simulator.close()


def form(**changes: Any) -> aiohttp.FormData:
    made = aiohttp.FormData()
    for name, value in {"chat_id": "5", "caption": "see", "document": b"data", **changes}.items():
        if value is not None:
            made.add_field(name, value, filename="a.txt" if isinstance(value, bytes) else None)
    return made


async def test_good_requests_are_shown(bench: Bench) -> None:
    assert await bench.call("sendMessage", json=GOOD) == 200
    assert await bench.call("sendDocument", data=form()) == 200
    text, file = [await bench.simulator.next_reply() for _ in range(2)]
    assert (text.customer, text.thread, text.text) == ("Kim", "t1", "hello")
    assert (file.text, file.files[0].data) == ("see", b"data")
    assert bench.simulator.refusals() == ()


@pytest.mark.parametrize(
    ("method", "how", "status"),
    [
        ("sendMessage", {"json": GOOD, "token": "1:other"}, 401),
        ("sendPost", {"json": GOOD}, 404),
        ("sendMessage", {"data": b"{"}, 400),
        ("sendMessage", {"data": b"\xff"}, 400),
        ("sendMessage", {"json": {**GOOD, "chat_id": 6}}, 400),
        ("sendMessage", {"json": {**GOOD, "chat_id": "5"}}, 400),
        ("sendMessage", {"json": {**GOOD, "text": " "}}, 400),
        ("sendMessage", {"json": {**GOOD, "text": "x" * 4097}}, 400),
        ("sendMessage", {"json": {**GOOD, "reply_parameters": {"message_id": 12}}}, 400),
        ("sendDocument", {"json": GOOD}, 400),
        ("sendDocument", {"data": form(document=None)}, 400),
        ("sendDocument", {"data": form(document=b"")}, 400),
        ("sendDocument", {"data": form(chat_id="six")}, 400),
        ("sendDocument", {"data": form(caption="x" * 1025)}, 400),
        ("sendDocument", {"data": form(reply_parameters="11")}, 400),
        ("getFile", {"json": {"file_id": "none"}}, 400),
        ("getFile", {"json": {}}, 400),
    ],
)
async def test_what_is_wrong_is_refused_and_noted(bench: Bench, method: str, how: dict[str, Any], status: int) -> None:
    assert await bench.call(method, **how) == status
    assert len(bench.simulator.refusals()) == 1
    assert bench.simulator.desk.arrived.empty()
