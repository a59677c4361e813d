"""What the suite doesn't ask: the Telegram channel's own rules, over its real port."""

import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
import pytest

from channels.telegram.adapter import adapter
from channels.telegram.options import TelegramOptions
from channels.telegram.simulator import TelegramSimulator
from router.runtime.bus.memory import MemoryBus
from router.runtime.settings.tree import build
from router.runtime.simulators import CustomerFile, CustomerMessage
from tests.suites.channel_world import ChannelWorld, running

FILE = CustomerFile(name="receipt.pdf", media_type="application/pdf", data=b"%PDF" * 1000)


class Small(TelegramSimulator):
    """The account takes small files only."""

    async def start(self, account: str) -> dict[str, Any]:
        return {**await super().start(account), "max_file_bytes": 10_000}


@pytest.fixture
async def world() -> AsyncIterator[ChannelWorld]:
    async with running(ChannelWorld(MemoryBus(), adapter(), Small())) as made:
        yield made


def telegram(world: ChannelWorld) -> Small:
    assert isinstance(world.simulator, Small)
    return world.simulator


def message(world: ChannelWorld, *, ago_s: int = 0, **more: Any) -> bytes:
    said = {
        "message_id": 7,
        "date": world.clock.now_ms() // 1000 - ago_s,
        "chat": {"id": 5, "type": "private"},
        "from": {"id": 5, "first_name": "Kim"},
        **more,
    }
    return msgspec.json.encode({"update_id": 1, "message": said})


async def test_a_file_that_is_too_large_is_named_and_not_fetched(world: ChannelWorld) -> None:
    files = (CustomerFile(name="film.mp4", media_type="video/mp4", data=b"x" * 10_001), FILE)
    sent = CustomerMessage(ref="m1", customer="Kim", thread="t1", text="look", files=files)
    assert (await world.simulator.send(sent)).accepted
    film, receipt = await world.inquiries_of(2)
    assert (film.text, film.attachments, film.fields) == ("look", (), {"files_not_fetched": "film.mp4"})
    assert [each.name for each in receipt.attachments] == ["receipt.pdf"]
    assert world.registry.get_sample_value("turnout_telegram_missing_files_total") == 1


@pytest.mark.parametrize("claimed", [None, 10])
async def test_the_size_that_telegram_claims_is_not_believed(world: ChannelWorld, claimed: int | None) -> None:
    telegram(world).desk.files["F1"] = CustomerFile(name="a", media_type="b", data=b"x" * 10_001)
    document = {"file_id": "F1", "file_name": "a", "file_size": claimed}
    assert (await telegram(world).post(message(world, document=document))).accepted
    (inquiry,) = await world.inquiries()
    assert (inquiry.attachments, inquiry.fields) == ((), {"files_not_fetched": "a"})


async def test_a_file_that_is_unknown_holds_nothing_up(world: ChannelWorld) -> None:
    assert (await telegram(world).post(message(world, text="hi", document={"file_id": "gone"}))).accepted
    (inquiry,) = await world.inquiries()
    assert inquiry.fields == {"files_not_fetched": "file"}


async def test_a_file_server_that_is_away_is_waited_for_but_not_for_ever(world: ChannelWorld) -> None:
    desk = telegram(world).desk
    desk._token = "1:changed"  # every method now answers 401
    document = {"file_id": "F1"}
    answer = await telegram(world).post(message(world, document=document))
    assert answer.code == "503"
    assert await world.inquiries() == []
    assert world.role is not None
    assert [line for line in world.role.troubles() if "token" in line]
    assert (await telegram(world).post(message(world, document=document, ago_s=700))).accepted
    assert (await world.inquiries())[0].fields == {"files_not_fetched": "file"}


@pytest.mark.parametrize(
    ("more", "reason"),
    [({"text": "/start"}, "start"), ({}, "nothing-said"), ({"from": {"id": 1, "is_bot": True}}, "bot")],
)
async def test_what_is_no_inquiry_is_taken_and_counted(world: ChannelWorld, more: dict[str, Any], reason: str) -> None:
    assert (await telegram(world).post(message(world, **more))).code == "200"
    assert await world.inquiries() == []
    assert world.registry.get_sample_value("turnout_telegram_ignored_total", {"reason": reason}) == 1


@pytest.mark.parametrize("secret", ["", "x", "가나다라마바사아자차카타파하거너"])
async def test_without_the_secret_nothing_is_read(world: ChannelWorld, secret: str) -> None:
    answer = await telegram(world).post(b"{", secret=secret)
    assert answer.code == "401"


async def test_an_account_that_is_not_there_is_not_found(world: ChannelWorld) -> None:
    assert world.role is not None
    url = f"{world.role.url}/telegram/other"
    async with aiohttp.ClientSession() as client, client.post(url, data=io.BytesIO(b"{}")) as response:
        assert response.status == 404


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({}, "missing"),
        ({"token": "hunter2"}, "the bot's number"),
        ({"token": "1:hunter2/../x"}, "the bot's number"),
        ({"secret_tokens": []}, "length >= 1"),
        ({"secret_tokens": ["hunter2"]}, "16 to 256"),
        ({"secret_tokens": ["hunter2 with blanks in it"]}, "16 to 256"),
        ({"api_url": "http://127.0.0.1:8081"}, "https"),
        ({"max_file_bytes": 2**30}, "20971520"),
    ],
)
def test_wrong_options_are_said_before_the_start(options: dict[str, Any], problem: str) -> None:
    problems: list[str] = []
    least = {"token": "1:abc", "secret_tokens": ["s" * 16]} if options else {}
    assert build(TelegramOptions, {**least, **options}, problems=problems) is None
    assert problem in " ".join(problems)
    assert "hunter2" not in " ".join(problems)
