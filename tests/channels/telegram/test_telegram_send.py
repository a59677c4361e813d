"""What becomes of a reply, by what the Bot API answers."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from aiohttp import web
from msgspec.structs import replace

from channels.telegram.bot_api import BotApi
from channels.telegram.options import TelegramOptions
from channels.telegram.send import send_reply
from router.contract.messages import Address, Attachment, DeliveryState, Reply
from router.runtime.errors import SendLater
from router.runtime.hosting.outbound import client_session
from router.runtime.plugins import SendResult
from router.runtime.secret import Secret
from tests.suites import replies

TOKEN = "123:abcDEF"
REPLY = replace(
    replies.REPLY,
    to=Address(account=replies.SHOP, address="-5"),
    text="It comes 내일.",
    thread={"chat": "-5", "message": "11", "topic": "3"},
)
LONG = replace(REPLY, text="word " * 1500)
FILE = replies.FILE


class Telegram:
    """Answers as it is told, then yes; keeps what came."""

    def __init__(self) -> None:
        self.answers: deque[tuple[int, bytes] | None] = deque()
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.url = ""

    def will(self, status: int, **body: Any) -> None:
        self.answers.append((status, msgspec.json.encode({"ok": status == 200, "error_code": status, **body})))

    async def take(self, request: web.Request) -> web.Response:
        if request.content_type == "multipart/form-data":
            form = await request.post()
            fields: dict[str, Any] = {
                name: value.file.read() if isinstance(value, web.FileField) else value for name, value in form.items()
            }
        else:
            fields = msgspec.json.decode(await request.read())
        self.got.append((request.path, fields))
        answer = self.answers.popleft() if self.answers else (200, b'{"ok":true,"result":{"message_id":900}}')
        if answer is None:
            await asyncio.Event().wait()
            raise AssertionError
        return web.Response(status=answer[0], body=answer[1])


@pytest.fixture
async def telegram() -> AsyncIterator[Telegram]:
    made = Telegram()
    app = web.Application(client_max_size=2**25)
    app.add_routes([web.post("/{path:.*}", made.take)])
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


@pytest.fixture
async def host() -> AsyncIterator[Any]:
    async with client_session() as session:
        yield replies.SendingHost(session)


def api(url: str, host: Any, **more: Any) -> BotApi:
    options = TelegramOptions(
        token=Secret(TOKEN), secret_tokens=(Secret("s" * 16),), api_url=url, allow_private=True, **more
    )
    return BotApi(options, host.http)


async def sending(telegram: Telegram, host: Any, reply: Reply = REPLY, **more: Any) -> SendResult:
    return await send_reply(reply, api(telegram.url, host, **more), host)


async def test_a_reply_refers_to_the_message_it_answers(telegram: Telegram, host: Any) -> None:
    result = await sending(telegram, host)
    assert (result.state, result.provider_message_id) == (DeliveryState.SENT, "900")
    assert telegram.got == [
        (
            f"/bot{TOKEN}/sendMessage",
            {
                "chat_id": -5,
                "message_thread_id": 3,
                "reply_parameters": {"message_id": 11, "allow_sending_without_reply": True},
                "text": "It comes 내일.",
            },
        )
    ]


async def test_only_the_first_part_refers_to_the_message(telegram: Telegram, host: Any) -> None:
    assert (await sending(telegram, host, LONG)).state is DeliveryState.SENT
    assert ["reply_parameters" in fields for _, fields in telegram.got] == [True, False]
    assert " ".join(fields["text"] for _, fields in telegram.got) == LONG.text.strip()


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def test_a_file_is_a_document_with_the_text_beneath(telegram: Telegram, host: Any) -> None:
    await host.blobs.put(FILE.blob, _chunks(b"hello"), max_bytes=5)
    assert (await sending(telegram, host, replace(REPLY, attachments=(FILE,)))).state is DeliveryState.SENT
    ((path, fields),) = telegram.got
    assert path.endswith("/sendDocument")
    assert (fields["chat_id"], fields["caption"], fields["document"]) == ("-5", REPLY.text, b"hello")
    assert msgspec.json.decode(fields["reply_parameters"])["message_id"] == 11


@pytest.mark.parametrize("file", [FILE, replace(FILE, size_bytes=21 * 1024 * 1024)])
async def test_a_file_that_is_gone_or_too_large_fails_before_anything_is_sent(
    telegram: Telegram, host: Any, file: Attachment
) -> None:
    assert (await sending(telegram, host, replace(REPLY, attachments=(file,)))).state is DeliveryState.FAILED
    assert telegram.got == []


@pytest.mark.parametrize(
    ("status", "description", "tell"),
    [
        (403, "Forbidden: bot was blocked by the user", "blocked"),
        (400, "Bad Request: chat not found", "no such chat"),
        (400, "Bad Request: message is too long", "too long"),
        (400, "Bad Request: who is 5?", "answered 400"),
        (413, "", "413"),
    ],
)
async def test_a_no_is_failed_in_our_own_words(
    telegram: Telegram, host: Any, status: int, description: str, tell: str
) -> None:
    telegram.will(status, description=description)
    result = await sending(telegram, host)
    assert result.state is DeliveryState.FAILED
    assert tell in result.reason


@pytest.mark.parametrize(
    ("status", "more", "after_s"),
    [(429, {"parameters": {"retry_after": 17}}, 17), (429, {}, None), (401, {}, None), (404, {}, None)],
)
async def test_what_may_pass_is_tried_again(
    telegram: Telegram, host: Any, status: int, more: dict[str, Any], after_s: float | None
) -> None:
    telegram.will(status, **more)
    with pytest.raises(SendLater) as caught:
        await sending(telegram, host)
    assert caught.value.after_s == after_s


@pytest.mark.parametrize("answer", [(500, b"{}"), (502, b"<html>"), (200, b"<html>"), (200, b"[" * 99_999), None])
async def test_an_answer_that_says_nothing_leaves_it_unknown(
    telegram: Telegram, host: Any, answer: tuple[int, bytes] | None
) -> None:
    telegram.answers.append(answer)
    assert (await sending(telegram, host, reply_timeout_s=0.1)).state is DeliveryState.UNKNOWN


async def test_nobody_there_is_tried_again(host: Any) -> None:
    with pytest.raises(SendLater):
        await send_reply(REPLY, api("http://127.0.0.1:1", host), host)


@pytest.mark.parametrize(("status", "more"), [(403, {}), (500, {}), (429, {"parameters": {"retry_after": 60}})])
async def test_after_a_first_part_nothing_is_sent_again(
    telegram: Telegram, host: Any, status: int, more: dict[str, Any]
) -> None:
    telegram.will(200, result={"message_id": 901})
    telegram.will(status, **more)
    result = await sending(telegram, host, LONG)
    assert result.state is DeliveryState.UNKNOWN
    assert "1 of 2 parts arrived" in result.reason


async def test_between_parts_a_short_pause_is_kept(telegram: Telegram, host: Any) -> None:
    telegram.will(200, result={"message_id": 901})
    telegram.will(429, parameters={"retry_after": 0})
    result = await sending(telegram, host, LONG)
    assert (result.state, result.provider_message_id) == (DeliveryState.SENT, "901")
    assert len(telegram.got) == 3


async def test_a_group_that_moved_is_followed_once(telegram: Telegram, host: Any) -> None:
    telegram.will(400, parameters={"migrate_to_chat_id": -1005})
    assert (await sending(telegram, host)).state is DeliveryState.SENT
    assert [fields["chat_id"] for _, fields in telegram.got] == [-5, -1005]
    assert "reply_parameters" not in telegram.got[1][1]


async def test_a_refused_token_is_a_trouble_until_it_serves(telegram: Telegram, host: Any) -> None:
    bot = api(telegram.url, host)
    telegram.will(401)
    with pytest.raises(SendLater):
        await send_reply(REPLY, bot, host)
    assert bot.trouble
    assert TOKEN not in bot.trouble
    await send_reply(REPLY, bot, host)
    assert bot.trouble == ""


async def test_an_empty_reply_fails(telegram: Telegram, host: Any) -> None:
    assert (await sending(telegram, host, replace(REPLY, text=" "))).state is DeliveryState.FAILED
