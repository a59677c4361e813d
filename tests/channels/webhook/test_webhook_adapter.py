"""What the suite doesn't ask: the webhook channel's own rules, over its real port."""

import base64
import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
import pytest

from channels.kit.signatures import standard_headers, standard_secret
from channels.webhook.adapter import adapter
from channels.webhook.options import WebhookOptions
from channels.webhook.simulator import WebhookSimulator
from router.runtime.bus.memory import MemoryBus
from router.runtime.hosting.channel_role import RoleLimits
from router.runtime.hosting.intake import IntakeLimits
from router.runtime.settings.tree import build
from router.runtime.token_bucket import Rate
from tests.suites.channel_world import ChannelWorld, running

OLD, NEW = ("whsec_" + base64.b64encode(letter * 32).decode() for letter in (b"o", b"n"))
LEAST = {"id": "m1", "conversation": "t1", "from": {"id": "c1"}, "text": "hello"}


class TwoSecrets(WebhookSimulator):
    """A sender in the middle of a change of secrets."""

    async def start(self, account: str) -> dict[str, Any]:
        return {**await super().start(account), "secrets": [NEW, OLD]}


@pytest.fixture
async def world() -> AsyncIterator[ChannelWorld]:
    limits = RoleLimits(intake=IntakeLimits(sender=Rate(0.1, 3)))
    async with running(ChannelWorld(MemoryBus(), adapter(), TwoSecrets(), limits)) as made:
        yield made


async def post(
    world: ChannelWorld,
    *,
    body: bytes = b"",
    secret: str = NEW,
    headers: dict[str, str | None] | None = None,
    account: str = "shop",
) -> tuple[int, aiohttp.typedefs.LooseHeaders, dict[str, Any]]:
    """A signed post; a header that is None is left out."""
    assert world.role is not None
    body = body or msgspec.json.encode(LEAST)
    signed = standard_headers([standard_secret(secret)], id_="w1", now_ms=world.clock.now_ms(), body=body)
    sent = {name: value for name, value in {**signed, **(headers or {})}.items() if value is not None}
    url = f"{world.role.url}/webhook/{account}"
    async with aiohttp.ClientSession() as client, client.post(url, data=io.BytesIO(body), headers=sent) as response:
        return response.status, dict(response.headers), msgspec.json.decode(await response.read())


async def test_yes_names_the_inquiry_and_its_conversation(world: ChannelWorld) -> None:
    status, _, said = await post(world)
    (inquiry,) = await world.inquiries()
    assert (status, said) == (202, {"id": inquiry.id, "conversation": inquiry.conversation})


@pytest.mark.parametrize(("secret", "status"), [(NEW, 202), (OLD, 202), ("whsec_" + "A" * 32, 401)])
async def test_both_secrets_serve_while_one_replaces_the_other(world: ChannelWorld, secret: str, status: int) -> None:
    assert (await post(world, secret=secret))[0] == status


@pytest.mark.parametrize(
    "headers",
    [
        {"webhook-signature": None},
        {"webhook-timestamp": None},
        {"webhook-id": None},
        {"webhook-id": "another"},
        {"webhook-timestamp": "1600000000"},
        {"webhook-timestamp": "NaN"},
        {"webhook-signature": "v1,가나다"},
        {"webhook-signature": "v1,AAAA"},
    ],
)
async def test_a_signature_that_is_not_right_is_refused_alike(
    world: ChannelWorld, headers: dict[str, str | None]
) -> None:
    status, _, said = await post(world, headers=headers)
    assert status == 401
    assert said["detail"] == "The signature of this request is missing or not valid."
    assert await world.inquiries() == []


@pytest.mark.parametrize("account", ["other", "SHOP", "shop%2F", "..%2Fshop"])
async def test_an_account_that_is_not_there_is_not_found(world: ChannelWorld, account: str) -> None:
    assert (await post(world, account=account))[0] == 404


async def test_a_sender_that_writes_too_fast_is_told_when_to_come_back(world: ChannelWorld) -> None:
    for number in range(3):
        assert (await post(world, body=msgspec.json.encode({**LEAST, "id": f"m{number}"})))[0] == 202
    status, headers, _ = await post(world)
    assert status == 429
    assert isinstance(headers, dict)
    assert int(headers["Retry-After"]) >= 1


async def test_without_the_bus_the_sender_is_told_when_to_come_back(world: ChannelWorld) -> None:
    world.bus.is_down = True
    status, headers, _ = await post(world)
    assert status == 503
    assert isinstance(headers, dict)
    assert int(headers["Retry-After"]) >= 1


async def test_no_file_is_kept_of_a_message_that_is_refused(world: ChannelWorld) -> None:
    good = {"name": "a", "content_base64": "aGVsbG8="}
    body = msgspec.json.encode({**LEAST, "attachments": [good, {"name": "b", "content_base64": "?"}]})
    status, _, said = await post(world, body=body)
    assert status == 400
    assert "base64" in said["detail"]
    assert [key async for key in _blobs(world)] == []


async def _blobs(world: ChannelWorld) -> AsyncIterator[str]:
    for batch in world.blob_store.list():
        for found in batch:
            yield str(found["path"])


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({}, "secrets: missing"),
        ({"secrets": []}, "length >= 1"),
        ({"secrets": ["short"]}, "24 to 64 bytes"),
        ({"secrets": [NEW] * 5}, "length <= 4"),
        ({"secrets": [NEW], "reply_secrets": ["hunter2"]}, "24 to 64 bytes"),
        ({"secrets": [NEW], "reply_url": "http://desk.example/"}, "https"),
        ({"secrets": [NEW], "reply_url": "https://me:hunter2@desk.example/"}, "no password"),
        ({"secrets": [NEW], "reply_urls": "x"}, "did you mean 'reply_url'"),
        ({"secrets": [NEW], "max_bytes": 1}, "1024"),
    ],
)
def test_wrong_options_are_said_before_the_start(options: dict[str, Any], problem: str) -> None:
    problems: list[str] = []
    assert build(WebhookOptions, options, problems=problems) is None
    assert problem in " ".join(problems)
    assert "hunter2" not in " ".join(problems)


@pytest.mark.parametrize(
    ("options", "reply_url"),
    [
        ({"allow_private": True}, "http://127.0.0.1:1/x"),
        ({}, "https://desk.example/x"),
    ],
)
def test_where_replies_may_go_is_the_operators_to_open(options: dict[str, Any], reply_url: str) -> None:
    problems: list[str] = []
    assert build(WebhookOptions, {"secrets": [NEW], "reply_url": reply_url, **options}, problems=problems)


async def test_secrets_are_not_printed_with_the_options() -> None:
    simulator = WebhookSimulator()
    options = await simulator.start("shop")
    problems: list[str] = []
    built = build(WebhookOptions, dict(options), problems=problems)
    assert built is not None
    assert options["secrets"][0] not in repr(built)
    await simulator.close()
