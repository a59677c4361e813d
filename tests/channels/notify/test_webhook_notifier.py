"""What becomes of a notice, by what the target answers."""

import asyncio
from collections.abc import AsyncIterator
from importlib.metadata import EntryPoint
from typing import Any

import msgspec
import pytest
from aiohttp import web
from msgspec.structs import replace

from channels.kit.signatures import STANDARD, Received, standard_secret, verify
from channels.notify.webhook import NAME, OpenWebhookNotifier, WebhookTargetOptions, document, notifier
from channels.notify.wording import summary
from router.contract.ids import AdvisorId
from router.contract.messages import DeliveryState
from router.runtime.clock import SystemClock
from router.runtime.errors import SendLater
from router.runtime.hosting.outbound import client_session
from router.runtime.notifiers import Target
from router.runtime.plugin_catalog import NOTIFIERS, PluginCatalog, install
from router.runtime.secret import RawOptions, Secret
from router.runtime.settings.model import Settings, TargetSettings
from router.runtime.settings.tree import build
from tests.suites.notices import notice, told

SECRET = "whsec_" + "A" * 32
OTHER = "whsec_" + "B" * 32


class Receiver:
    """A target that answers as it is told, and keeps what came."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.is_endless = False
        self.is_silent = False
        self.got: list[Received] = []
        self.url = ""
        self._gone = asyncio.Event()
        app = web.Application()
        app.add_routes([web.post("/notices", self._take), web.post("/elsewhere", self._take)])
        self._runner = web.AppRunner(app, shutdown_timeout=0.01)

    async def open(self) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/notices"

    async def close(self) -> None:
        self._gone.set()
        await self._runner.cleanup()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        self.got.append(Received(headers=tuple(request.headers.items()), body=await request.read()))
        if self.is_silent:
            await self._gone.wait()
        if not self.is_endless:
            return web.Response(status=self.status, headers=self.headers)
        response = web.StreamResponse(status=self.status, headers=self.headers)
        await response.prepare(request)
        while not self._gone.is_set():
            await response.write(b"x" * 65536)
        return response


class NotifyHost:
    """What sending needs of a host."""

    def __init__(self, http: Any) -> None:
        self.clock = SystemClock()
        self.http = http


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    made = Receiver()
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def host() -> AsyncIterator[Any]:
    async with client_session() as session:
        yield NotifyHost(session)


async def opened(host: Any, url: str, **more: Any) -> OpenWebhookNotifier:
    options = WebhookTargetOptions(url=url, **{"secrets": (Secret(SECRET),), "allow_private": True, **more})
    made = await notifier().open([Target(id="desk", options=options)], host)
    assert isinstance(made, OpenWebhookNotifier)
    return made


async def test_a_notice_is_posted_signed_with_its_id(receiver: Receiver, host: Any) -> None:
    hook = await opened(host, receiver.url, secrets=(Secret(SECRET), Secret(OTHER)))
    given = replace(notice(), staff=(AdvisorId("kim"),), trigger="share", owner="jun")
    assert (await hook.send(told(given))).state is DeliveryState.SENT
    (got,) = receiver.got
    for secret in (SECRET, OTHER):
        assert verify(STANDARD, [standard_secret(secret)], got, now_ms=host.clock.now_ms()) is None
    assert dict(got.headers)["webhook-id"] == "n1"
    assert dict(got.headers)["Content-Type"] == "application/json"
    assert msgspec.json.decode(got.body) == {
        "type": "notice",
        "id": "n1",
        "kind": "step",
        "summary": summary(given),
        "target": "desk",
        "pool": "default",
        "case": "c1",
        "queue": "billing",
        "priority": 2,
        "step": 1,
        "clock": "first_response",
        "at": "2025-10-09T08:53:20.000Z",
        "due_at": "2025-10-09T08:54:20.000Z",
        "staff": ["kim"],
        "about": None,
        "trigger": "share",
        "owner": "jun",
        "top": False,
    }


async def test_a_repeat_is_the_same(receiver: Receiver, host: Any) -> None:
    hook = await opened(host, receiver.url)
    for _ in range(2):
        await hook.send(told())
    first, second = receiver.got
    assert first.body == second.body == document(told())
    assert dict(first.headers)["webhook-id"] == dict(second.headers)["webhook-id"]


@pytest.mark.parametrize("status", [200, 202, 204, 299])
async def test_a_yes_is_sent(receiver: Receiver, host: Any, status: int) -> None:
    receiver.status = status
    hook = await opened(host, receiver.url)
    assert (await hook.send(told())).state is DeliveryState.SENT


@pytest.mark.parametrize("status", [300, 304, 400, 401, 403, 404, 410, 413, 422, 451])
async def test_a_no_is_failed(receiver: Receiver, host: Any, status: int) -> None:
    receiver.status = status
    result = await (await opened(host, receiver.url)).send(told())
    assert (result.state, result.reason) == (DeliveryState.FAILED, f"the target answered {status}")


@pytest.mark.parametrize(
    ("status", "retry_after", "after_s"),
    [
        (409, None, None),
        (421, None, None),
        (408, None, None),
        (425, None, None),
        (429, "7", 7.0),
        (429, "99999999999999", 3600.0),
        (500, "-1", None),
        (503, "soon", None),
        (503, "²", None),
        (599, None, None),
    ],
)
async def test_what_may_pass_is_tried_later(
    receiver: Receiver, host: Any, status: int, retry_after: str | None, after_s: float | None
) -> None:
    receiver.status = status
    receiver.headers = {} if retry_after is None else {"Retry-After": retry_after}
    hook = await opened(host, receiver.url)
    with pytest.raises(SendLater) as caught:
        await hook.send(told())
    assert caught.value.after_s == after_s


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed(receiver: Receiver, host: Any, status: int) -> None:
    receiver.status = status
    receiver.headers = {"Location": receiver.url.replace("notices", "elsewhere")}
    hook = await opened(host, receiver.url)
    assert (await hook.send(told())).reason == f"the target answered {status}"
    assert len(receiver.got) == 1


async def test_an_endless_body_is_not_read(receiver: Receiver, host: Any) -> None:
    receiver.is_endless = True
    hook = await opened(host, receiver.url)
    assert (await hook.send(told())).state is DeliveryState.SENT
    receiver.status = 404
    assert (await hook.send(told())).state is DeliveryState.FAILED


async def test_huge_headers_are_no_answer(receiver: Receiver, host: Any) -> None:
    receiver.headers = {"X-Padding": "x" * 100_000}
    hook = await opened(host, receiver.url)
    with pytest.raises(SendLater, match="did not answer"):
        await hook.send(told())


async def test_one_who_never_answers_is_left(receiver: Receiver, host: Any) -> None:
    receiver.is_silent = True
    hook = await opened(host, receiver.url, timeout_s=0.05)
    with pytest.raises(SendLater, match="did not answer"):
        await hook.send(told())
    assert len(receiver.got) == 1


async def test_nobody_there_is_tried_later(receiver: Receiver, host: Any) -> None:
    hook = await opened(host, receiver.url)
    await receiver.close()
    with pytest.raises(SendLater, match="did not answer"):
        await hook.send(told())


async def test_an_inner_address_is_refused_unless_allowed(host: Any) -> None:
    hook = await opened(host, "https://127.0.0.1/notices", allow_private=False)
    result = await hook.send(told())
    assert result.state is DeliveryState.FAILED
    assert "allow_private" in result.reason


async def test_a_foreign_target_is_failed(host: Any) -> None:
    hook = await opened(host, "http://127.0.0.1:1/notices")
    assert (await hook.send(told(notice(target="pager")))).state is DeliveryState.FAILED


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"secrets": [SECRET]}, "url"),
        ({"url": "https://desk.example"}, "secrets"),
        ({"url": "https://desk.example", "secrets": []}, "secrets"),
        ({"url": "https://desk.example", "secrets": [SECRET] * 5}, "secrets"),
        ({"url": "https://desk.example", "secrets": ["short"]}, "24 to 64 bytes"),
        ({"url": "http://desk.example", "secrets": [SECRET]}, "https"),
        ({"url": "ftp://desk.example", "secrets": [SECRET], "allow_private": True}, "http"),
        ({"url": "https://me:secret@desk.example", "secrets": [SECRET]}, "no name and no password"),
        ({"url": "https://desk.example", "secrets": [SECRET], "timeout_s": 60}, "timeout_s"),
        ({"url": "https://desk.example", "secrets": [SECRET], "colour": "red"}, "colour"),
    ],
)
def test_wrong_options_are_said(options: dict[str, Any], problem: str) -> None:
    problems: list[str] = []
    assert build(WebhookTargetOptions, options, problems=problems) is None
    (said,) = problems
    assert problem in said
    assert SECRET not in said


def test_the_settings_name_it() -> None:
    point = EntryPoint("webhook", "channels.notify.webhook:notifier", NOTIFIERS)
    options = RawOptions({"url": "https://desk.example", "secrets": [SECRET]})
    settings = Settings(targets={"desk": TargetSettings(notifier="webhook", options=options)})
    installation = install(settings, PluginCatalog(lambda group: [point] if group == NOTIFIERS else []))
    made, (target,) = installation.notifiers["webhook"]
    assert made.name == NAME
    assert (target.id, target.options.url) == ("desk", "https://desk.example")
