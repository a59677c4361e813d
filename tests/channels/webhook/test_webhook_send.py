"""What becomes of a reply, by what the customer's system answers."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from aiohttp import web
from msgspec.structs import replace

from channels.kit.signatures import STANDARD, Received, standard_secret, verify
from channels.webhook.options import WebhookOptions
from channels.webhook.send import post_reply
from router.contract.messages import Attachment, DeliveryState
from router.runtime.errors import BlobsUnavailable, SendLater
from router.runtime.hosting.outbound import client_session
from router.runtime.plugins import ChannelHost
from router.runtime.secret import Secret
from tests.suites import replies

SECRET = "whsec_" + "A" * 32
REPLY = replace(replies.REPLY, text="It comes 내일.", created_at_ms=1_760_000_000_000, thread={"conversation": "t1"})


class System:
    """The customer's system: answers as it is told, keeps what came."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.hang = False
        self.got: list[Received] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        headers = tuple(request.headers.items())
        self.got.append(Received(headers=headers, body=await request.read()))
        if self.hang:
            await asyncio.Event().wait()
        return web.Response(status=self.status, headers=self.headers)


@pytest.fixture
async def system() -> AsyncIterator[System]:
    made = System()
    app = web.Application(client_max_size=2**25)
    app.add_routes([web.post("/replies", made.take), web.post("/elsewhere", made.take)])
    runner = web.AppRunner(app, shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/replies"
    yield made
    await runner.cleanup()


@pytest.fixture
async def host() -> AsyncIterator[Any]:
    async with client_session() as session:
        yield replies.SendingHost(session)


def options(url: str | None, **more: Any) -> WebhookOptions:
    return WebhookOptions(secrets=(Secret(SECRET),), reply_url=url, **{"allow_private": True, **more})


async def test_a_reply_is_posted_signed_with_its_id(system: System, host: ChannelHost) -> None:
    result = await post_reply(REPLY, options(system.url), host)
    assert result.state is DeliveryState.SENT
    (got,) = system.got
    assert verify(STANDARD, [standard_secret(SECRET)], got, now_ms=host.clock.now_ms()) is None
    assert ("webhook-id", "r1") in got.headers
    assert msgspec.json.decode(got.body) == {
        "type": "reply",
        "id": "r1",
        "conversation": "t1",
        "to": "customer",
        "text": "It comes 내일.",
        "subject": "",
        "automatic": False,
        "created_at": "2025-10-09T08:53:20.000Z",
        "attachments": [],
    }


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_every_2xx_is_sent(system: System, host: ChannelHost, status: int) -> None:
    system.status = status
    assert (await post_reply(REPLY, options(system.url), host)).state is DeliveryState.SENT


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 413, 422])
async def test_a_no_is_failed(system: System, host: ChannelHost, status: int) -> None:
    system.status = status
    result = await post_reply(REPLY, options(system.url), host)
    assert result.state is DeliveryState.FAILED
    assert str(status) in result.reason


@pytest.mark.parametrize(
    ("status", "retry_after", "after_s"),
    [
        (408, None, None),
        (425, None, None),
        (429, "17", 17.0),
        (429, "99999999999999999999", 3600.0),
        (500, "soon", None),
        (502, "-1", None),
        (503, "Wed, 21 Oct 2015 07:28:00 GMT", None),
        (504, "5", 5.0),
    ],
)
async def test_what_may_pass_is_tried_again(
    system: System, host: ChannelHost, status: int, retry_after: str | None, after_s: float | None
) -> None:
    system.status = status
    system.headers = {} if retry_after is None else {"Retry-After": retry_after}
    with pytest.raises(SendLater) as caught:
        await post_reply(REPLY, options(system.url), host)
    assert caught.value.after_s == after_s


async def test_a_redirect_is_not_followed(system: System, host: ChannelHost) -> None:
    system.status, system.headers = 307, {"Location": "/elsewhere"}
    assert (await post_reply(REPLY, options(system.url), host)).state is DeliveryState.FAILED
    assert len(system.got) == 1


async def test_nobody_there_or_no_answer_is_tried_again(system: System, host: ChannelHost) -> None:
    system.hang = True
    with pytest.raises(SendLater):
        await post_reply(REPLY, options(system.url, reply_timeout_s=0.05), host)
    with pytest.raises(SendLater):
        await post_reply(REPLY, options("http://127.0.0.1:1/replies"), host)


async def test_without_an_address_it_fails_with_the_reason(host: ChannelHost) -> None:
    result = await post_reply(REPLY, options(None), host)
    assert (result.state, result.reason) == (DeliveryState.FAILED, "this account has no reply_url")


@pytest.mark.parametrize("url", ["https://127.0.0.1:1/x", "https://[::1]/x", "https://169.254.169.254/latest"])
async def test_an_address_inside_is_refused_unless_allowed(host: ChannelHost, url: str) -> None:
    result = await post_reply(REPLY, options(url, allow_private=False), host)
    assert result.state is DeliveryState.FAILED
    assert "not public" in result.reason


async def _chunks(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def test_files_travel_with_the_reply(system: System, host: ChannelHost) -> None:
    data = b"\x00\xff" * 1_000_000
    stored = await host.blobs.put("shop/r1/0", _chunks(data), max_bytes=len(data))
    file = Attachment(
        name="a.bin", media_type="application/x", size_bytes=len(data), sha256=stored.sha256, blob=stored.key
    )
    assert (await post_reply(replace(REPLY, attachments=(file,)), options(system.url), host)).state == "sent"
    (posted,) = msgspec.json.decode(system.got[0].body)["attachments"]
    assert posted["name"] == "a.bin"
    assert len(posted["content_base64"]) > len(data)


@pytest.mark.parametrize("size_bytes", [1, 11 * 1024 * 1024])
async def test_a_file_that_is_gone_or_too_large_fails(system: System, host: ChannelHost, size_bytes: int) -> None:
    file = Attachment(name="a", media_type="b", size_bytes=size_bytes, sha256="", blob="shop/r1/9")
    result = await post_reply(replace(REPLY, attachments=(file,)), options(system.url), host)
    assert result.state is DeliveryState.FAILED
    assert system.got == []


async def test_files_that_cannot_be_read_just_now_are_waited_for(
    system: System, host: ChannelHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(_: str) -> AsyncIterator[bytes]:
        raise BlobsUnavailable("the object store is away")

    monkeypatch.setattr(host.blobs, "get", away)
    with pytest.raises(SendLater, match="can't be read just now"):
        await post_reply(replace(REPLY, attachments=(replies.FILE,)), options(system.url), host)
    assert system.got == []
