"""What the suite doesn't ask: the Messenger channel's own rules, over its real port and the Send API's."""

import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from msgspec.structs import replace

from channels.messenger.adapter import adapter
from channels.messenger.graph import GraphError, SendAnswer
from channels.messenger.options import MessengerOptions
from channels.messenger.send import _result
from channels.messenger.simulator import MessengerSimulator, delivery
from router.contract.messages import Attachment, DeliveryState, Inquiry
from router.runtime.bus.memory import MemoryBus
from router.runtime.errors import SendLater
from router.runtime.settings.tree import build
from router.runtime.simulators import CustomerFile, CustomerMessage
from tests.suites.channel_world import ChannelWorld, running

FILE = CustomerFile(name="receipt.pdf", media_type="application/pdf", data=b"%PDF" * 1000)


class Small(MessengerSimulator):
    """The account takes small files only, and answers as people."""

    async def start(self, account: str) -> dict[str, Any]:
        return {**await super().start(account), "max_file_bytes": 10_000, "human_agent": True}


@pytest.fixture
async def world() -> AsyncIterator[ChannelWorld]:
    async with running(ChannelWorld(MemoryBus(), adapter(), Small())) as made:
        yield made


def messenger(world: ChannelWorld) -> Small:
    assert isinstance(world.simulator, Small)
    return world.simulator


def event(world: ChannelWorld, ref: str = "m1", *files: CustomerFile, **changes: Any) -> dict[str, Any]:
    sent = CustomerMessage(ref=ref, customer="Kim", thread="t1", text="hello", files=files)
    return {**messenger(world).event(sent), **changes}


async def inquiry(world: ChannelWorld) -> Inquiry:
    assert (await messenger(world).post(delivery(event(world)))).accepted
    return (await world.inquiries())[0]


async def test_all_messages_of_a_delivery_are_on_the_bus_before_yes(world: ChannelWorld) -> None:
    echo = event(world, message={"mid": "m_e", "is_echo": True})
    body = delivery(event(world, "a"), echo, event(world, "b"), event(world, "c"))
    assert (await messenger(world).post(body)).accepted
    assert len(await world.inquiries()) == 3
    assert world.registry.get_sample_value("turnout_messenger_ignored_total", {"reason": "echo"}) == 1


async def test_a_bad_event_is_refused_and_those_beside_it_are_safe(world: ChannelWorld) -> None:
    answer = await messenger(world).post(
        delivery(event(world, "a"), event(world, message={"mid": 7}), event(world, "b"))
    )
    assert answer.code == "400"
    assert "$.message.mid" in answer.body
    assert len(await world.inquiries()) == 2


async def test_another_page_is_not_ours_to_answer(world: ChannelWorld) -> None:
    assert (await messenger(world).post(delivery(event(world, recipient={"id": "1"})))).accepted
    assert await world.inquiries() == []
    assert world.registry.get_sample_value("turnout_messenger_ignored_total", {"reason": "other-page"}) == 1


async def test_a_file_that_is_too_large_or_gone_is_named_and_holds_nothing_up(world: ChannelWorld) -> None:
    made = event(world, "m1", FILE, CustomerFile(name="film.mp4", media_type="video/mp4", data=b"x" * 10_001), FILE)
    del messenger(world).desk.files["4"]
    assert (await messenger(world).post(delivery(made))).accepted
    (inquiry,) = await world.inquiries()
    assert [(each.name, each.media_type) for each in inquiry.attachments] == [("receipt.pdf", "application/pdf")]
    assert inquiry.fields == {"files_not_fetched": "film.mp4, receipt.pdf"}


@pytest.mark.parametrize(("ago_ms", "code"), [(0, "503"), (700_000, "200")])
async def test_a_file_server_that_is_away_is_waited_for_but_not_for_ever(
    world: ChannelWorld, ago_ms: int, code: str
) -> None:
    media = {"type": "file", "payload": {"url": "http://127.0.0.1:1/a.pdf"}}
    made = event(world, message={"mid": "m_1", "attachments": [media]}, timestamp=world.clock.now_ms() - ago_ms)
    assert (await messenger(world).post(delivery(made))).code == code
    assert len(await world.inquiries()) == (code == "200")


@pytest.mark.parametrize(
    ("query", "status", "said"),
    [
        ({}, 200, "1158201444"),
        ({"hub.mode": "unsubscribe"}, 403, "verify token"),
        ({"hub.verify_token": "another"}, 403, "verify token"),
        ({"hub.verify_token": "가\ud7ff"}, 403, "verify token"),
        ({"hub.challenge": "한"}, 400, "challenge"),
        ({"hub.challenge": "x" * 201}, 400, "challenge"),
    ],
)
async def test_the_challenge_is_answered_to_who_knows_the_token(
    world: ChannelWorld, query: dict[str, str], status: int, said: str
) -> None:
    assert world.role is not None
    good = {
        "hub.mode": "subscribe",
        "hub.verify_token": messenger(world)._options["verify_token"],
        "hub.challenge": "1158201444",
    }
    url = f"{world.role.url}/messenger/shop"
    async with aiohttp.ClientSession() as client, client.get(url, params={**good, **query}) as response:
        assert response.status == status
        assert said in await response.text()


@pytest.mark.parametrize("signature", ["", "sha256=", "sha256=zz", "sha1=" + "a" * 40, "sha256=" + "a" * 64, "가"])
async def test_a_signature_that_is_not_right_is_refused(world: ChannelWorld, signature: str) -> None:
    assert world.role is not None
    url = f"{world.role.url}/messenger/shop"
    headers = {"X-Hub-Signature-256": signature}
    async with aiohttp.ClientSession() as client, client.post(url, data=io.BytesIO(b"{}"), headers=headers) as response:
        assert response.status == 401


async def test_after_a_day_an_advisors_answer_is_sent_as_a_persons(world: ChannelWorld) -> None:
    made = await inquiry(world)
    messenger(world).desk.closed.add(made.reply_to.address)
    reply = await world.answer(made, "r1", "late")
    assert (await world.simulator.next_reply()).text == "late"
    assert (await world.delivery(reply.id)).state is DeliveryState.SENT
    automatic = replace(await world.answer(made, "r2"), id="r3", automatic=True)
    await world.publish(automatic)
    delivered = await world.delivery(automatic.id)
    assert (delivered.state, "24 hours" in delivered.reason) == (DeliveryState.FAILED, True)


async def test_files_and_long_texts_go_out_in_order(world: ChannelWorld) -> None:
    made = await inquiry(world)
    stored = await world.blobs.put("shop/r1/0", _chunks(b"hello"), max_bytes=5)
    file = Attachment(name="a.txt", media_type="text/plain", size_bytes=5, sha256=stored.sha256, blob=stored.key)
    reply = replace(await world.answer(made, "r0"), id="r1", text="word " * 500, attachments=(file,))
    await world.publish(reply)
    received = [await world.simulator.next_reply() for _ in range(4)][1:]
    assert " ".join(each.text for each in received[:2]) == reply.text.strip()
    assert (received[2].files[0].data, received[2].files[0].name) == (b"hello", "a.txt")
    assert list(world.simulator.refusals()) == []


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data


@pytest.mark.parametrize(
    ("code", "subcode", "state", "tell"),
    [
        (10, 2018278, DeliveryState.FAILED, "24 hours"),
        (10, 2018065, DeliveryState.FAILED, "24 hours"),
        (10, 2018108, DeliveryState.FAILED, "can't be reached"),
        (551, 0, DeliveryState.FAILED, "can't be reached"),
        (200, 0, DeliveryState.FAILED, "permission"),
        (100, 2018109, DeliveryState.FAILED, "100/2018109"),
        (0, 0, DeliveryState.FAILED, "400"),
        (1, 1357046, DeliveryState.UNKNOWN, "error 1"),
        (2, 0, DeliveryState.UNKNOWN, "error 2"),
    ],
)
def test_what_becomes_of_a_refused_message(code: int, subcode: int, state: DeliveryState, tell: str) -> None:
    result = _result(SendAnswer(error=GraphError(code, subcode), status=400), is_personal=False)
    assert result.state is state
    assert tell in result.reason


@pytest.mark.parametrize(("code", "status"), [(4, 400), (613, 400), (1200, 400), (190, 401), (0, 429)])
def test_what_may_pass_is_tried_again(code: int, status: int) -> None:
    with pytest.raises(SendLater):
        _result(SendAnswer(error=GraphError(code), status=status), is_personal=False)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"page_id": "my page"}, "number of the page"),
        ({"page_token": "hunter2 x"}, "access token"),
        ({"app_secrets": ["hunter2"]}, "16 characters"),
        ({"verify_token": "hunter2"}, "16 characters"),
        ({"api_url": "http://127.0.0.1/"}, "https"),
        ({"api_url": "https://me:hunter2@graph.example"}, "no password"),
    ],
)
def test_wrong_options_are_said_before_the_start(options: dict[str, Any], problem: str) -> None:
    least = {"page_id": "9", "page_token": "t", "app_secrets": ["s" * 16], "verify_token": "v" * 16}
    problems: list[str] = []
    assert build(MessengerOptions, {**least, **options}, problems=problems) is None
    assert problem in " ".join(problems)
    assert "hunter2" not in " ".join(problems)
