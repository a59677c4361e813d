"""Cards for Slack and Teams: what they show, that the products' rules hold, and what the stand-ins refuse."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import aiohttp
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from channels.notify import slack, teams
from channels.notify.card_simulator import (
    CardSimulator,
    SlackMessage,
    TeamsMessage,
    slack_simulator,
    teams_simulator,
)
from channels.notify.cards import CardOptions, Links
from channels.notify.wording import LINES_SHOWN, Line, Words
from router.contract.ids import AdvisorId, CaseId
from router.contract.messages import DeliveryState
from router.runtime.notifiers import Notifier, Target
from router.runtime.settings.tree import build
from router.runtime.simulators import Misbehaviour
from tests.suites.notices import HASTY, NoticeWorld, notice, telling, told

NOTIFIERS: dict[str, tuple[Notifier[CardOptions], Callable[[], CardSimulator[Any]]]] = {
    "slack": (slack.notifier(), slack_simulator),
    "teams": (teams.notifier(), teams_simulator),
}
LINKS = Links("https://desk.example/cases/{case}", "en")
NO_LINKS = Links("", "en")
LINK = "https://desk.example/cases/c1"


@pytest.fixture(params=sorted(NOTIFIERS))
async def running(request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, CardSimulator[Any]]]:
    made = NOTIFIERS[request.param][1]()
    yield request.param, made
    await made.stop()


async def world_of(name: str, desk: CardSimulator[Any], **more: object) -> NoticeWorld:
    problems: list[str] = []
    options = build(CardOptions, {**await desk.start(), **more}, problems=problems)
    assert options is not None, problems
    return NoticeWorld({name: (NOTIFIERS[name][0], [Target(id="desk", options=options)])}, policy=HASTY)


async def test_a_notice_arrives_as_a_card(running: tuple[str, CardSimulator[Any]]) -> None:
    name, desk = running
    more = {"language": "ko", "time_zone": "Asia/Seoul", "case_url": "https://desk.example/cases/{case}"}
    async with telling(await world_of(name, desk, **more)) as world:
        await world.publish(replace(notice(), staff=(AdvisorId("minji"), AdvisorId("jun"))))
        card = await desk.arrived.get()
        await world.counts("sent")
    assert desk.refusals == []
    shown = msgspec.json.encode(card).decode()
    for text in ("에스컬레이션 1단계 (첫 응답)", "billing", "2025-10-09 17:54 KST", "minji, jun", LINK):
        assert text in shown


@pytest.mark.parametrize("way", [Misbehaviour.BUSY, Misbehaviour.CUT_BEFORE, Misbehaviour.CUT_AFTER, Misbehaviour.HANG])
async def test_trouble_on_the_way_passes(running: tuple[str, CardSimulator[Any]], way: Misbehaviour) -> None:
    name, desk = running
    async with telling(await world_of(name, desk)) as world:
        desk.misbehave([way])
        await world.publish(notice())
        await desk.arrived.get()
        await world.counts("sent")


@pytest.mark.parametrize(
    ("way", "said"), [(Misbehaviour.BUSY, False), (Misbehaviour.CUT_AFTER, True), (Misbehaviour.HANG, True)]
)
async def test_a_card_that_may_stand_there_already_says_so(
    running: tuple[str, CardSimulator[Any]], way: Misbehaviour, said: bool
) -> None:
    name, desk = running
    async with telling(await world_of(name, desk, language="ko")) as world:
        desk.misbehave([way])
        await world.publish(notice())
        await world.counts("sent")
    cards = [msgspec.json.encode(desk.arrived.get_nowait()).decode() for _ in range(desk.arrived.qsize())]
    assert len(cards) == 1 + said
    assert ["이미 전송되었을 수" in card for card in cards] == [False, True][: len(cards)]
    assert desk.refusals == []


async def test_a_channel_that_is_gone_is_given_up(running: tuple[str, CardSimulator[Any]]) -> None:
    name, desk = running
    async with telling(await world_of(name, desk)) as world:
        desk.misbehave([Misbehaviour.REFUSE])
        await world.publish(notice())
        await world.counts("failed")
    assert desk.arrived.empty()


async def test_a_target_that_is_not_there_is_failed(running: tuple[str, CardSimulator[Any]]) -> None:
    name, _ = running
    opened = await NOTIFIERS[name][0].open([], None)  # type: ignore[arg-type]
    assert (await opened.send(told())).state is DeliveryState.FAILED


@given(st.text(min_size=1, max_size=6_000), st.lists(st.tuples(st.text(min_size=1), st.text(min_size=1)), max_size=30))
def test_whatever_a_card_says_keeps_the_products_rules(title: str, facts: list[tuple[str, str]]) -> None:
    said = Words(title, (("Case", "c1"), *facts))
    _check(slack.card(told(), said, LINKS), teams.card(told(), said, LINKS), title)


@given(st.text(min_size=1, max_size=6_000), st.lists(st.text(min_size=1, max_size=6_000), min_size=1, max_size=20))
def test_whatever_a_list_says_keeps_the_products_rules(title: str, lines: list[str]) -> None:
    said = Words(title, lines=tuple(Line(line, CaseId(line[:40])) for line in lines), more="and 3 more")
    for links in (LINKS, NO_LINKS):
        _check(slack.card(told(), said, links), teams.card(told(), said, links), title)


def _check(to_slack: dict[str, object], to_teams: dict[str, object], title: str) -> None:
    msgspec.json.decode(msgspec.json.encode(to_slack), type=SlackMessage)
    if len(title) <= slack.MAX_TEXT:
        msgspec.json.decode(msgspec.json.encode(to_teams), type=TeamsMessage)


@pytest.mark.parametrize("letter", ["&", "<", "x", "한", "😀"])
@pytest.mark.parametrize("length", [1_999, 2_999, 3_000, 9_000])
def test_a_long_text_is_cut_between_characters(letter: str, length: int) -> None:
    said = Words(letter * length, ((letter * length, letter * length),))
    card = msgspec.json.decode(msgspec.json.encode(slack.card(told(), said, NO_LINKS)), type=SlackMessage)
    assert len(card.text) > slack.MAX_TEXT - 5 or len(card.text) >= length


@pytest.mark.parametrize("letter", ["x", "한", "😀"])
@pytest.mark.parametrize("links", [NO_LINKS, LINKS, Links("https://desk.example/" + "c" * 900 + "/{case}", "ko")])
def test_no_card_is_larger_than_teams_takes(letter: str, links: Links) -> None:
    whole = [Words(letter * 6_000, tuple((letter * 300, letter * 6_000) for _ in range(9)))]
    whole.append(Words(letter * 6_000, lines=tuple(Line(letter * 6_000, CaseId(f"c{n}")) for n in range(LINES_SHOWN))))
    for said in whole:
        body = msgspec.json.encode(teams.card(told(), said, links))
        assert len(body) <= 28 * 1024
        assert msgspec.json.decode(body, type=TeamsMessage).attachments


SAID = Words("Breach", (("Case", "c1"),))
SLACK: dict[str, Any] = slack.card(told(), SAID, LINKS)
TEAMS = teams.card(told(), SAID, LINKS)


def test_a_message_of_an_incoming_webhook_has_a_link_and_no_button_whose_click_nobody_answers() -> None:
    assert [block["type"] for block in SLACK["blocks"]] == ["section", "section"]
    assert SLACK["blocks"][-1]["text"]["text"] == f"<{LINK}|Open the case>"
    assert len(slack.card(told(), SAID, NO_LINKS)["blocks"]) == 1  # type: ignore[arg-type]  # JSON


def _changed(card: dict[str, Any], old: str, new: str) -> bytes:
    text = msgspec.json.encode(card).decode()
    assert old in text
    return text.replace(old, new).encode()


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[" * 10_000,
        b"\xff",
        _changed(SLACK, '"mrkdwn"', '"markdown"'),
        _changed(SLACK, "Breach", "Breach <!channel>"),
        _changed(SLACK, "Breach", "x" * (slack.MAX_TEXT + 1)),
        _changed(SLACK, "<https:", "<javascript:"),
        _changed(SLACK, '{"type":"section"', '{"type":"actions","elements":[]},{"type":"section"'),
        _changed(SLACK, '"blocks"', '"block"'),
        _changed(SLACK, '"section"', '"sektion"'),
    ],
)
async def test_slack_takes_no_wrong_card(body: bytes) -> None:
    assert await _refused(slack_simulator(), body)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        _changed(TEAMS, '"message"', '"card"'),
        _changed(TEAMS, "vnd.microsoft.card.adaptive", "vnd.microsoft.card.hero"),
        _changed(TEAMS, '"1.4"', '"9.9"'),
        _changed(TEAMS, '"FactSet"', '"Facts"'),
        _changed(TEAMS, "Action.OpenUrl", "Action.Submit"),
        _changed(TEAMS, "Breach", "x" * 30_000),
    ],
)
async def test_teams_takes_no_wrong_card(body: bytes) -> None:
    assert await _refused(teams_simulator(), body)


async def _refused(desk: CardSimulator[Any], body: bytes) -> bool:
    await desk.start()
    async with aiohttp.ClientSession() as http:
        async with http.post(desk.url, data=body, headers={"Content-Type": "application/json"}) as response:
            status = response.status
        async with http.post(desk.url + "x", data=body, headers={"Content-Type": "application/json"}) as response:
            assert response.status == 404
    await desk.stop()
    await asyncio.sleep(0)
    return 400 <= status < 500 and bool(desk.refusals) and desk.arrived.empty()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"url": "http://hooks.example/x"}, "https"),
        ({"url": "https://hooks.example/x", "time_zone": "Seoul"}, "no time zone"),
        ({"url": "https://hooks.example/x", "case_url": "https://desk.example/"}, "{case}"),
        ({"url": "https://hooks.example/x", "language": "fr"}, "fr"),
        ({"url": "https://hooks.example/x", "chanel": "x"}, "chanel"),
    ],
)
def test_wrong_options_are_said_and_the_address_never_is(options: dict[str, str], said: str) -> None:
    problems: list[str] = []
    assert build(CardOptions, options, problems=problems) is None
    assert any(said in problem for problem in problems), problems
    assert "hooks.example" not in "".join(problems)
