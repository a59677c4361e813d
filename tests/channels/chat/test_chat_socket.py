"""What a chat's socket takes, what it refuses, and how it says so."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
import pytest
from msgspec.structs import replace

from channels.chat.adapter import adapter
from channels.chat.frames import Code
from channels.chat.simulator import ORIGIN, ChatSimulator, _closing
from channels.chat.visit import MAX_VISITS
from router.contract.ids import ConversationId, ReplyId
from router.contract.messages import Attachment, DeliveryState
from router.runtime.bus.memory import MemoryBus
from router.runtime.chat_log import ChatNews, ChatPage, Cursor, MemoryChatLog
from router.runtime.errors import StoreUnavailable
from router.runtime.hosting.channel_role import RoleLimits
from router.runtime.hosting.intake import IntakeLimits
from router.runtime.token_bucket import Rate
from tests.suites.channel_world import ACCOUNT, ChannelWorld, running
from tests.suites.channels import message
from tests.suites.eventually import eventually

HELLO = {"type": "hello"}


class Fetched(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class FailingLog(MemoryChatLog):
    """A log that is away while a test says so."""

    is_away = False

    async def append(self, conversation: ConversationId, id_: str, body: bytes, *, now_ms: int) -> Cursor:
        self._check()
        return await super().append(conversation, id_, body, now_ms=now_ms)

    async def read(self, conversation: ConversationId, *, after: Cursor, limit: int = 100) -> ChatPage:
        self._check()
        return await super().read(conversation, after=after, limit=limit)

    async def news(self, after: Cursor | None, *, within_s: float) -> ChatNews:
        self._check()
        news = await super().news(after, within_s=min(within_s, 0.05))
        self._check()
        return news

    def _check(self) -> None:
        if self.is_away:
            raise StoreUnavailable("away")


class Bench:
    def __init__(self, world: ChannelWorld, simulator: ChatSimulator) -> None:
        self.world = world
        self.simulator = simulator

    async def closed(self, *frames: Any) -> tuple[str, str]:
        """With what the socket is closed after these frames: objects as JSON, strings and bytes as they are."""
        socket = await self.simulator.dial()
        for frame in frames:
            await (
                socket.send_bytes(frame)
                if isinstance(frame, bytes)
                else socket.send_str(frame)
                if isinstance(frame, str)
                else socket.send_json(frame)
            )
        answer = await _closing(socket)
        return answer.code, answer.body

    async def greeted(self, **hello: Any) -> tuple[aiohttp.ClientWebSocketResponse, Any]:
        socket = await self.simulator.dial()
        await socket.send_json({**HELLO, **hello})
        return socket, await socket.receive_json(timeout=10)

    async def fetch(self, path: str = "", account: str = ACCOUNT, **headers: str) -> Fetched:
        assert self.world.role is not None
        url = f"{self.world.role.url}/chat/{account}/{path}"
        async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
            return Fetched(response.status, response.headers, await response.read())


@asynccontextmanager
async def benched(limits: RoleLimits | None = None, **options: Any) -> AsyncIterator[Bench]:
    simulator = ChatSimulator()
    world = ChannelWorld(MemoryBus(), adapter(), simulator, *([] if limits is None else [limits]))
    start = simulator.start

    async def start_with(account: str) -> Any:
        return {**await start(account), **options}

    simulator.start = start_with  # type: ignore[method-assign]  # the options of this test
    async with running(world):
        yield Bench(world, simulator)


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    async with benched() as made:
        yield made


SAY = {"type": "message", "id": "m1", "text": "hello"}


@pytest.mark.parametrize(
    ("frames", "code", "words"),
    [
        ([SAY], Code.NOT_GREETED, "first frame must be a hello"),
        (["{"], Code.NOT_GREETED, "first frame must be a hello"),
        ([b"x"], Code.NOT_GREETED, "first frame must be a hello"),
        ([{"type": "hello", "session": "made.up"}], Code.NOT_GREETED, "session"),
        ([{"type": "hello", "session": "x" * 2000}], Code.NOT_GREETED, "$.session"),
        ([{"type": "hello", "cursor": "yesterday"}], Code.NOT_GREETED, "cursor"),
        ([HELLO, HELLO], Code.MALFORMED, "hello already"),
        ([HELLO, {"type": "shout"}], Code.MALFORMED, "shout"),
        ([HELLO, {"type": "message", "id": "m1"}], Code.MALFORMED, "text"),
        ([HELLO, {**SAY, "id": "a b"}], Code.MALFORMED, "$.id"),
        ([HELLO, {**SAY, "id": "x" * 65}], Code.MALFORMED, "$.id"),
        ([HELLO, {**SAY, "text": 1}], Code.MALFORMED, "$.text"),
        ([HELLO, "[" * 5000], Code.MALFORMED, "no frame"),
        ([HELLO, b"x"], Code.NOT_TEXT, "text"),
    ],
)
async def test_a_wrong_frame_closes_the_socket_with_its_reason(
    bench: Bench, frames: list[Any], code: Code, words: str
) -> None:
    said, reason = await bench.closed(*frames)
    assert (said, words in reason) == (str(int(code)), True), reason
    assert len(reason.encode()) <= 120
    assert await bench.world.inquiries() == []


async def test_a_hello_that_does_not_come_is_not_waited_for() -> None:
    async with benched(hello_s=0.05) as bench:
        assert (await bench.closed())[0] == str(int(Code.HELLO_LATE))


async def test_who_writes_too_fast_is_cut_off_on_every_line() -> None:
    async with benched(messages_per_s=0.001, messages_burst=3) as bench:
        socket, welcome = await bench.greeted()
        assert (await bench.closed({**HELLO, "session": welcome["session"]}, SAY, SAY))[0] == str(int(Code.TOO_FAST))
        await socket.send_json({"type": "typing"})
        assert (await _closing(socket)).code == str(int(Code.TOO_FAST))
        assert (await bench.greeted())[1]["type"] == "welcome"


@pytest.mark.parametrize(
    "origin", [None, "null", "https://evil.example", "http://shop.example", f"{ORIGIN}.evil.example"]
)
async def test_pages_of_other_sites_are_refused(bench: Bench, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin}
    response = await bench.fetch("ws", **headers)
    assert response.status == 403
    assert response.headers["Content-Type"].startswith("application/problem+json")
    with pytest.raises(ConnectionError):
        await bench.simulator.dial(origin=origin)


async def test_own_pages_may_open_a_chat(bench: Bench) -> None:
    assert bench.world.role is not None
    socket = await bench.simulator.dial(origin=bench.world.role.url)
    await socket.close()


async def test_an_account_that_is_none_is_not_found(bench: Bench) -> None:
    for path in ("ws", "", "widget.js", "files/x"):
        assert (await bench.fetch(path, account="other")).status == 404


async def test_a_request_that_is_no_handshake_is_refused(bench: Bench) -> None:
    assert (await bench.fetch("ws", Origin=ORIGIN)).status == 400


async def test_there_is_a_last_socket() -> None:
    async with benched(max_sockets=1) as bench:
        socket, _ = await bench.greeted()
        response = await bench.fetch("ws", Origin=ORIGIN)
        assert (response.status, response.headers["Retry-After"]) == (503, "5")
        await socket.close()


async def test_the_oldest_of_too_many_pages_of_a_session_gives_way(bench: Bench) -> None:
    oldest, welcome = await bench.greeted()
    others = [(await bench.greeted(session=welcome["session"]))[0] for _ in range(MAX_VISITS)]
    assert (await _closing(oldest)).code == str(int(Code.REPLACED))
    for socket in others:
        await socket.send_json({"type": "ping"})
        assert await socket.receive_json(timeout=10) == {"type": "pong"}
        await socket.close()


# Messages.


async def test_a_message_carries_who_where_and_what(bench: Bench) -> None:
    socket, _ = await bench.greeted(name="김\u202e 민지", locale="ko-KR", page="https://shop.example/cart")
    await socket.send_json({**SAY, "text": "  배송은 언제\u0007 오나요?"})
    assert await socket.receive_json(timeout=10) == {"type": "ack", "id": "m1"}
    (inquiry,) = await bench.world.inquiries()
    assert (inquiry.customer.name, inquiry.customer.locale) == ("김 민지", "ko-KR")
    assert inquiry.fields == {"page": "https://shop.example/cart"}
    assert inquiry.text == "  배송은 언제 오나요?"
    assert inquiry.reply_to.address == inquiry.customer.id
    await socket.close()


async def test_the_same_id_of_two_customers_is_two_messages(bench: Bench) -> None:
    for thread in ("t1", "t2"):
        assert (await bench.simulator.send(message("same", thread=thread))).accepted
    assert len({inquiry.id for inquiry in await bench.world.inquiries()}) == 2


@pytest.mark.parametrize("text", ["", " \n ", "\u202e"])
async def test_an_empty_message_is_refused_and_the_socket_stays(bench: Bench, text: str) -> None:
    answer = await bench.simulator.send(message(text=text))
    assert (answer.accepted, answer.code, answer.body) == (False, "refused", "The message is empty.")
    assert (await bench.simulator.send(message("m2"))).accepted
    assert bench.simulator.customers["t1"].hellos == 1


async def test_a_full_intake_says_when_to_come_again() -> None:
    slow = IntakeLimits(sender=Rate(0.5, 1))
    async with benched(RoleLimits(intake=slow)) as bench:
        assert (await bench.simulator.send(message("m1"))).accepted
        answer = await bench.simulator.send(message("m2"))
        assert (answer.accepted, answer.code) == (False, "later")
        assert 1000 < int(answer.body) <= 2000


async def test_typing_is_passed_over(bench: Bench) -> None:
    socket, _ = await bench.greeted()
    for frame in ({"type": "typing"}, {"type": "ping", "more": 1}):
        await socket.send_json(frame)
    assert await socket.receive_json(timeout=10) == {"type": "pong"}
    await socket.close()


# Sessions.


async def test_a_session_goes_on_with_its_token_only(bench: Bench) -> None:
    for session in ("", None):
        socket, welcome = await bench.greeted(**({} if session is None else {"session": session}))
        await socket.send_json({**SAY, "id": "a"})
        await socket.receive_json(timeout=10)
        await socket.close()
        socket, _ = await bench.greeted(session=welcome["session"])
        await socket.send_json({**SAY, "id": "b"})
        await socket.receive_json(timeout=10)
        await socket.close()
    found = [inquiry.conversation for inquiry in await bench.world.inquiries()]
    assert found[0] == found[1] != found[2] == found[3]


async def test_a_token_of_another_account_or_time_is_refused(bench: Bench) -> None:
    signer, now_ms = bench.world.signer, bench.world.clock.now_ms()
    for token in (
        signer.sign("chat-session other", "abc"),
        signer.sign("chat-session shop", "abc", expires_at_ms=now_ms - 1),
    ):
        assert (await bench.closed({**HELLO, "session": token}))[0] == str(int(Code.NOT_GREETED))


# Replies.


async def test_a_reply_comes_to_every_page_of_its_customer_and_to_nobody_else(bench: Bench) -> None:
    first, welcome = await bench.greeted()
    second, _ = await bench.greeted(session=welcome["session"])
    stranger, _ = await bench.greeted()
    await first.send_json(SAY)
    await first.receive_json(timeout=10)
    (inquiry,) = await bench.world.inquiries()
    await bench.world.answer(inquiry, "r1", "<b>It comes.</b>")
    for socket in (first, second):
        told = await socket.receive_json(timeout=10)
        assert (told["type"], told["id"], told["text"], told["from"]) == (
            "message",
            "r1",
            "<b>It comes.</b>",
            "advisor",
        )
        assert told["at"].endswith("Z")
        assert told["cursor"].endswith("-1")
    await stranger.send_json({"type": "ping"})
    assert await stranger.receive_json(timeout=10) == {"type": "pong"}
    for socket in (first, second, stranger):
        await socket.close()


async def test_an_automatic_reply_says_so(bench: Bench) -> None:
    socket, _ = await bench.greeted()
    await socket.send_json(SAY)
    await socket.receive_json(timeout=10)
    (inquiry,) = await bench.world.inquiries()
    reply = await bench.world.answer(inquiry, "r1")
    await bench.world.publish(replace(reply, id=ReplyId("r2"), automatic=True))
    senders = [(await socket.receive_json(timeout=10))["from"] for _ in range(2)]
    assert senders == ["advisor", "automatic"]
    await socket.close()


async def test_a_file_comes_as_a_link_that_saves_it(bench: Bench) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"<script>alert(1)</script>"

    stored = await bench.world.blobs.put("shop/r1/0", chunks(), max_bytes=100)
    file = Attachment(name="명세 \n.html", media_type="text/html", size_bytes=25, sha256=stored.sha256, blob=stored.key)
    socket, _ = await bench.greeted()
    await socket.send_json(SAY)
    await socket.receive_json(timeout=10)
    (inquiry,) = await bench.world.inquiries()
    reply = await bench.world.answer(inquiry, "r1")
    await bench.world.publish(replace(reply, id=ReplyId("r2"), attachments=(file,)))
    await socket.receive_json(timeout=10)
    (link,) = (await socket.receive_json(timeout=10))["files"]
    assert (link["name"], link["size_bytes"]) == ("명세 .html", 25)
    response = await bench.fetch(link["url"].split(f"/{ACCOUNT}/")[1])
    assert response.body == b"<script>alert(1)</script>"
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["Content-Disposition"].startswith("attachment;")
    assert (await bench.fetch("files/made.up")).status == 404
    await bench.world.blobs.delete(stored.key)
    assert (await bench.fetch(link["url"].split(f"/{ACCOUNT}/")[1])).status == 404
    await socket.close()


async def test_a_log_that_is_away_delays_replies_and_loses_none() -> None:
    async with benched() as bench:
        await bench.world.stop()
        bench.world.chat_log = log = FailingLog()
        await bench.world.start()
        assert (await bench.simulator.send(message())).accepted
        (inquiry,) = await bench.world.inquiries()
        assert bench.world.role is not None
        role = bench.world.role
        log.is_away = True
        await eventually(lambda: role.troubles() == ["chat: the log of chats cannot be read"])
        reply = await bench.world.answer(inquiry, "r1")
        assert (await bench.simulator.send(message("m2"))).accepted
        log.is_away = False
        assert (await bench.world.delivery(reply.id)).state is DeliveryState.SENT
        assert (await bench.simulator.next_reply()).key == "r1"
        await eventually(lambda: role.troubles() == [])


async def test_a_log_that_began_anew_is_read_from_its_beginning(bench: Bench) -> None:
    assert (await bench.simulator.send(message())).accepted
    (inquiry,) = await bench.world.inquiries()
    customer = bench.simulator.customers["t1"]
    await customer.leave()
    customer.cursor = Cursor(1, 7)
    await bench.world.delivery((await bench.world.answer(inquiry, "r1")).id)
    await customer.connect()
    assert (await bench.simulator.next_reply()).key == "r1"


async def test_a_restart_says_so_to_open_sockets(bench: Bench) -> None:
    greeted, _ = await bench.greeted()
    silent = await bench.simulator.dial()
    assert bench.world.role is not None
    await eventually(lambda: bench.world.registry.get_sample_value("turnout_chat_sockets") == 2)
    await bench.world.stop()
    for socket in (greeted, silent):
        assert (await socket.receive(timeout=10)).data == Code.RESTART
        assert socket.close_code == Code.RESTART or socket.closed
