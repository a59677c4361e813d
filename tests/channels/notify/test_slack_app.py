"""The Slack app: to whom it writes, what its buttons do and for whom, and what neither side takes."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from msgspec.structs import replace

from channels.notify.slack_app import NAME, notifier
from channels.notify.slack_app_options import SlackAppOptions
from channels.notify.slack_app_simulator import CHANNEL, Shown, SlackSimulator
from router.contract.codec import header
from router.contract.ids import AdvisorId
from router.runtime.clock import SystemClock
from router.runtime.errors import SendLater
from router.runtime.notifiers import CALLED_BACK_AT, Pace, Target
from router.runtime.settings.tree import build
from router.runtime.simulators import Misbehaviour
from tests.suites.eventually import eventually
from tests.suites.notices import HASTY, NoticeWorld, notice, telling
from tests.suites.notices import told as told_of

MINJI = (AdvisorId("minji"),)
GROUPED = Pace(group_s=0.1, group_most_s=0.5, per_minute=6_000.0)


class Api:
    """Turnout's own API, as far as a button uses it, and the port on which clicks come in."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.statuses: list[int] = []
        self.world: NoticeWorld | None = None
        app = web.Application()
        app.router.add_post("/v1/cases/{case}/{act}", self._act)
        app.router.add_post(f"/{CALLED_BACK_AT}/{{notifier}}", self._clicked)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        self.url = ""

    async def open(self) -> None:
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def close(self) -> None:
        await self._runner.cleanup()

    async def _act(self, request: web.Request) -> web.Response:
        self.asked.append((request.path, dict(request.headers), await request.json()))
        return web.json_response({}, status=self.statuses.pop(0) if self.statuses else 200)

    async def _clicked(self, request: web.Request) -> web.StreamResponse:
        assert self.world is not None
        assert self.world.role is not None
        (route,) = self.world.role.routes()[:1]
        assert isinstance(route, web.RouteDef)
        answer = await route.handler(request)
        assert isinstance(answer, web.StreamResponse)
        return answer


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    made = Api()
    await made.open()
    yield made
    await made.close()


@pytest.fixture
async def slack() -> AsyncIterator[SlackSimulator]:
    made = SlackSimulator(frozenset({"U0MINJI"}))
    yield made
    await made.stop()


async def world_of(api: Api, slack: SlackSimulator, *, pace: Pace = Pace(), **more: object) -> NoticeWorld:  # noqa: B008 - immutable
    given = {**await slack.start(), "acts_url": api.url, "acts_key": "acts_key", **more}
    problems: list[str] = []
    options = build(SlackAppOptions, given, problems=problems)
    assert options is not None, problems
    made = notifier()
    api.world = NoticeWorld({NAME: (made, [Target(id="desk", options=options, pace=pace)])}, policy=HASTY)
    slack.enter(f"{api.url}/{CALLED_BACK_AT}/{NAME}")
    await api.world.hire("minji", contacts={NAME: "U0MINJI"})
    return api.world


async def told(world: NoticeWorld, slack: SlackSimulator, **changes: Any) -> Shown:
    await world.publish(replace(notice(), **changes))
    return await slack.arrived.get()


async def test_an_advisor_is_written_to_himself_and_everybody_else_in_the_channel(
    api: Api, slack: SlackSimulator
) -> None:
    async with telling(await world_of(api, slack, language="ko")) as world:
        own = await told(world, slack, staff=MINJI)
        assert (own.channel, own.blocks[0]["fields"][-2]["text"]) == ("U0MINJI", "*받는 사람*\nMinji")
        stranger = await told(world, slack, id="n2", staff=(AdvisorId("nobody"),))
        assert (stranger.channel, stranger.text) == (CHANNEL, "에스컬레이션 1단계 (첫 응답)")
        assert [button["text"]["text"] for button in stranger.buttons().values()] == ["담당하기", "나중에 알림"]
    assert slack.refusals == []


async def test_a_click_takes_the_case_for_who_clicked_and_the_message_says_so(api: Api, slack: SlackSimulator) -> None:
    async with telling(await world_of(api, slack, case_url="https://desk.example/{case}")) as world:
        shown = await told(world, slack)
        assert list(shown.buttons()) == ["take", "snooze", "open"]
        assert await slack.click(shown, "take", "U0MINJI") == 200
        await eventually(lambda: shown.buttons() == {})
        ((path, headers, body),) = api.asked
        assert (path, body) == ("/v1/cases/c1/take", {})
        assert headers["Authorization"] == "Bearer acts_key"
        assert headers["Turnout-On-Behalf-Of"] == "minji"
        assert headers["Idempotency-Key"].startswith("slack.1760000000.")
        assert "Taken by Minji." in msgspec.json.encode(shown.blocks).decode()
    assert slack.refusals == []
    assert slack.whispers == []


async def test_a_snooze_says_for_how_long(api: Api, slack: SlackSimulator) -> None:
    async with telling(await world_of(api, slack, snooze_s=1200)) as world:
        shown = await told(world, slack)
        await slack.click(shown, "snooze", "U0MINJI")
        await eventually(lambda: shown.buttons() == {})
        assert [(path, body) for path, _, body in api.asked] == [("/v1/cases/c1/snooze", {"for_s": 1200})]


async def test_each_line_of_a_list_has_its_own_button(api: Api, slack: SlackSimulator) -> None:
    async with telling(await world_of(api, slack, pace=GROUPED)) as world:
        await world.publish(notice("n1"), notice("n2", case="c2"))
        shown = await slack.arrived.get()
        assert shown.text.startswith("2 notices")
        await slack.click(shown, "take", "U0MINJI")
        await eventually(lambda: "c2" in shown.buttons().get("take", {}).get("value", ""))
        assert [path for path, _, _ in api.asked] == ["/v1/cases/c1/take"]
        await slack.click(shown, "take", "U0MINJI")
        await eventually(lambda: shown.buttons() == {})
        assert [path for path, _, _ in api.asked][1:] == ["/v1/cases/c2/take"]
    assert slack.refusals == []


@pytest.mark.parametrize(
    ("statuses", "said"),
    [([409], "somebody else has the case"), ([401], "acts_key"), ([403], "acts_key"), ([503] * 3, "could not do that")],
)
async def test_what_was_not_done_is_told_to_who_clicked_only(
    api: Api, slack: SlackSimulator, statuses: list[int], said: str
) -> None:
    api.statuses = statuses
    async with telling(await world_of(api, slack)) as world:
        shown = await told(world, slack)
        await slack.click(shown, "take", "U0MINJI")
        await eventually(lambda: slack.whispers)
        assert said in slack.whispers[0]
        assert "take" in shown.buttons()
        assert len({headers["Idempotency-Key"] for _, headers, _ in api.asked}) == 1


async def test_a_stranger_is_told_so_and_nothing_is_done(api: Api, slack: SlackSimulator) -> None:
    async with telling(await world_of(api, slack)) as world:
        await slack.click(await told(world, slack), "take", "U0NOBODY")
        await eventually(lambda: slack.whispers)
        assert "not in Turnout's roster" in slack.whispers[0]
        assert api.asked == []


async def test_opening_a_link_is_answered_and_does_nothing(api: Api, slack: SlackSimulator) -> None:
    async with telling(await world_of(api, slack, case_url="https://desk.example/{case}")) as world:
        assert await slack.click(await told(world, slack), "open", "U0MINJI") == 200
    assert api.asked == []


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        ({"signature": "v0=" + "0" * 64}, 401),
        ({"signature": "v1=" + "0" * 64}, 401),
        ({"signature": ""}, 401),
        ({"timestamp": "1500000000"}, 401),
        ({"timestamp": "NaN"}, 401),
        ({"payload": "{}"}, 400),
        ({"payload": "[" * 10_000}, 400),
        ({"value": "c1"}, 400),
        ({"value": '{"target":"elsewhere","case":"c1"}'}, 400),
    ],
)
async def test_a_click_that_is_not_slacks_does_nothing(
    api: Api, slack: SlackSimulator, wrong: dict[str, str], status: int
) -> None:
    async with telling(await world_of(api, slack)) as world:
        assert await slack.click(await told(world, slack), "take", "U0MINJI", **wrong) == status
    assert api.asked == []


@pytest.mark.parametrize("url", ["https://evil.example/x", "http://hooks.slack.com/x", "", "https://[", "file:///x"])
async def test_no_answer_goes_to_an_address_that_is_not_slacks(api: Api, slack: SlackSimulator, url: str) -> None:
    payload = {
        "type": "block_actions",
        "user": {"id": "U0NOBODY"},
        "actions": [{"action_id": "take", "action_ts": "1.1", "value": '{"target":"desk","case":"c1"}'}],
        "response_url": url,
    }
    async with telling(await world_of(api, slack)) as world:
        shown = await told(world, slack)
        text = msgspec.json.encode(payload).decode()
        assert await slack.click(shown, "take", "U0NOBODY", payload=text) == 200
    assert slack.whispers == []


async def test_what_slack_refuses_for_good_lies_in_the_dead_letters(api: Api, slack: SlackSimulator) -> None:
    async with telling(await world_of(api, slack, channel="C0GONE")) as world:
        await world.publish(notice())
        await world.counts("failed")
        (letter,) = await eventually(world.letters)
    assert header(letter.headers, "turnout-reason") == "NoticeFailed: Slack says channel_not_found"


async def test_who_has_no_address_and_no_channel_is_said(api: Api, slack: SlackSimulator) -> None:
    async with telling(await world_of(api, slack, channel="")) as world:
        await world.publish(notice())
        await world.counts("failed")
        (letter,) = await eventually(world.letters)
    assert "the target no `channel`" in header(letter.headers, "turnout-reason")


@pytest.mark.parametrize("way", [Misbehaviour.BUSY, Misbehaviour.CUT_BEFORE])
async def test_trouble_on_the_way_passes(api: Api, slack: SlackSimulator, way: Misbehaviour) -> None:
    async with telling(await world_of(api, slack)) as world:
        slack.misbehave([way])
        await told(world, slack)
        await world.counts("sent")
        assert world.put_off() == 1


@pytest.mark.parametrize(("way", "said"), [(Misbehaviour.BUSY, [False]), (Misbehaviour.CUT_AFTER, [False, True])])
async def test_a_message_that_may_stand_there_already_says_so(
    api: Api, slack: SlackSimulator, way: Misbehaviour, said: list[bool]
) -> None:
    async with telling(await world_of(api, slack)) as world:
        slack.misbehave([way])
        await world.publish(notice())
        await world.counts("sent")
    shown = [slack.arrived.get_nowait() for _ in range(slack.arrived.qsize())]
    assert ["may be a repeat" in msgspec.json.encode(each.blocks).decode() for each in shown] == said
    assert slack.refusals == []


async def test_slack_is_given_the_pause_that_it_asks_for(slack: SlackSimulator) -> None:
    given = {**await slack.start(), "acts_url": "http://127.0.0.1:1", "acts_key": "acts_key"}
    options = build(SlackAppOptions, given, problems=[])
    assert options is not None
    slack.misbehave([Misbehaviour.BUSY])
    async with aiohttp.ClientSession() as http:
        host: Any = SimpleNamespace(http=http, clock=SystemClock())
        app = await notifier().open([Target(id="desk", options=options)], host)
        with pytest.raises(SendLater) as caught:
            await app.send(told_of())
    assert (caught.value.after_s, caught.value.may_have_arrived) == (1.0, False)


GOOD = {
    "channel": CHANNEL,
    "text": "Breach",
    "blocks": [
        {"type": "section", "text": {"type": "mrkdwn", "text": "*Breach*"}},
        {
            "type": "actions",
            "elements": [
                {"type": "button", "action_id": "take", "text": {"type": "plain_text", "text": "Take"}, "value": "x"}
            ],
        },
    ],
}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"mrkdwn"', '"markdown"'),
        ("*Breach*", "Breach <!here>"),
        ('"action_id":"take"', '"action_id":""'),
        ('"value":"x"', '"value":"' + "x" * 2_001 + '"'),
        ('"actions"', '"buttons"'),
        ('"text":"Breach"', '"text":""'),
        ('"blocks"', '"block"'),
        (CHANNEL, "C0OTHER"),
    ],
)
async def test_the_stand_in_takes_no_wrong_message(slack: SlackSimulator, old: str, new: str) -> None:
    options = await slack.start()
    text = msgspec.json.encode(GOOD).decode()
    assert old in text
    assert (await _posted(options, text))["ok"] is True
    assert (await _posted(options, text.replace(old, new)))["ok"] is False
    assert (await _posted({**options, "token": "xoxb-other"}, text))["error"] == "invalid_auth"


async def _posted(options: Any, text: str) -> Any:
    headers = {"Authorization": f"Bearer {options['token']}", "Content-Type": "application/json"}
    url = f"{options['api_url']}/chat.postMessage"
    async with aiohttp.ClientSession() as http, http.post(url, data=text.encode(), headers=headers) as response:
        answer = await response.json()
    await asyncio.sleep(0)
    return answer


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"channel": "general"}, "channel"),
        ({"signing_secrets": []}, "signing_secrets"),
        ({"acts_url": "ftp://x"}, "http"),
        ({"api_url": "http://slack.example"}, "https"),
        ({"url": "https://hooks.slack.com/x"}, "url"),
    ],
)
def test_wrong_options_are_said_and_no_secret_is(changes: dict[str, object], said: str) -> None:
    given = {"token": "xoxb-1", "signing_secrets": ["s3cret"], "acts_url": "https://t.example", "acts_key": "k3y"}
    problems: list[str] = []
    assert build(SlackAppOptions, {**given, **changes}, problems=problems) is None
    assert any(said in problem for problem in problems), problems
    assert not any(word in "".join(problems) for word in ("xoxb", "s3cret", "k3y"))
