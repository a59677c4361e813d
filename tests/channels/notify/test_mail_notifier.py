"""Notices by mail: to whom, in what words, once, and what the stand-in refuses."""

import asyncio
import smtplib
from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from channels.notify.mail import MailOptions, compose, notifier
from channels.notify.mail_simulator import MailServerSimulator
from router.contract.codec import header
from router.contract.ids import AdvisorId
from router.runtime.notifiers import Target
from router.runtime.settings.tree import build
from tests.suites.eventually import eventually
from tests.suites.notices import HASTY, NoticeWorld, notice, telling, told

MINJI = (AdvisorId("minji"),)


@pytest.fixture
async def server() -> AsyncIterator[MailServerSimulator]:
    made = MailServerSimulator()
    yield made
    await made.stop()


async def world_of(server: MailServerSimulator, **more: object) -> NoticeWorld:
    problems: list[str] = []
    options = build(MailOptions, {**await server.start(), **more}, problems=problems)
    assert options is not None, problems
    made = notifier()
    return NoticeWorld({made.name: (made, [Target(id="desk", options=options)])}, policy=HASTY)


async def test_an_advisor_is_written_to_at_his_address_and_in_the_targets_language(server: MailServerSimulator) -> None:
    world = await world_of(server, language="ko", time_zone="Asia/Seoul", case_url="https://desk.example/{case}")
    await world.hire("minji", contact="minji@shop.example")
    async with telling(world):
        await world.publish(replace(notice(), staff=MINJI))
        mail = await server.arrived.get()
        await world.counts("sent")
    assert (mail.recipient, mail.message_id) == ("minji@shop.example", "<n1@shop.example>")
    assert mail.subject == "에스컬레이션 1단계 (첫 응답) — billing"
    for text in ("기한: 2025-10-09 17:54 KST", "https://desk.example/c1", "자동으로 보낸"):
        assert text in mail.text
    assert server.refusals == []


async def test_an_address_of_his_own_for_notices_goes_before(server: MailServerSimulator) -> None:
    world = await world_of(server)
    await world.hire("minji", contact="minji@shop.example", contacts={"email": "pager@shop.example"})
    async with telling(world):
        await world.publish(replace(notice(), staff=MINJI))
        assert (await server.arrived.get()).recipient == "pager@shop.example"


@pytest.mark.parametrize("profile", [None, {"active": False, "contact": "minji@shop.example"}, {}])
async def test_who_has_no_address_is_stood_in_for_by_the_targets_own_readers(
    server: MailServerSimulator, profile: dict[str, str] | None
) -> None:
    world = await world_of(server, to=["a@shop.example", "b@shop.example"])
    if profile is not None:
        await world.hire("minji", **profile)  # type: ignore[arg-type]  # members of a profile
    async with telling(world):
        await world.publish(replace(notice(), staff=MINJI))
        await world.counts("sent")
    assert {server.arrived.get_nowait().recipient for _ in range(2)} == {"a@shop.example", "b@shop.example"}


async def test_a_notice_that_nobody_can_read_lies_in_the_dead_letters(server: MailServerSimulator) -> None:
    async with telling(await world_of(server)) as world:
        await world.publish(notice())
        await world.counts("failed")
        (letter,) = await eventually(world.letters)
    assert "nobody whom it is for has a mail address" in header(letter.headers, "turnout-reason")


async def test_what_is_put_off_comes_later_and_once(server: MailServerSimulator) -> None:
    server.busy = 2
    async with telling(await world_of(server, to=["a@shop.example"])) as world:
        await world.publish(notice())
        await world.counts("sent")
        assert world.put_off() == 2
    assert server.arrived.qsize() == 1
    assert not server.duplicates


async def test_the_same_mail_is_the_same_bytes_and_lists_what_it_tells() -> None:
    relay = {"host": "mail.example", "tls": "none"}
    given = {"address": "t@shop.example", "relay": relay, "case_url": "https://desk.example/{case}"}
    options = build(MailOptions, given, problems=[])
    assert options is not None
    two = told(notice("n1"), notice("n2", case="c2"))
    first = compose(two, "a@shop.example", options)
    assert first == compose(two, "a@shop.example", options)
    assert first.sender == ""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Auto-Submitted: auto-generated\r\n", b""),
        (b"Auto-Submitted: auto-generated", b"Auto-Submitted: no"),
        (b"Message-ID: <n1@shop.example>", b"Message-ID: n1"),
        (b"Message-ID: <n1@shop.example>\r\n", b""),
        (b"turnout@shop.example", b"other@shop.example"),
        (b"To: a@shop.example", b"To: c@shop.example"),
        (b"Content-Type: text/plain", b"Content-Type: text/html"),
        (b"Date:", b"Dote:"),
    ],
)
async def test_the_stand_in_takes_no_wrong_mail(server: MailServerSimulator, old: bytes, new: bytes) -> None:
    options = build(MailOptions, await server.start(), problems=[])
    assert options is not None
    mail = compose(told(), "a@shop.example", options)
    assert old in mail.data
    wrong = mail.data.replace(old, new)
    with pytest.raises(smtplib.SMTPDataError):
        await asyncio.to_thread(_hand_over, options.relay.port, "", wrong)
    with pytest.raises(smtplib.SMTPDataError):
        await asyncio.to_thread(_hand_over, options.relay.port, "turnout@shop.example", mail.data)
    await asyncio.to_thread(_hand_over, options.relay.port, "", mail.data)
    assert server.arrived.qsize() == 1
    assert len(server.refusals) == 2


def _hand_over(port: int, sender: str, data: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=5) as client:
        client.sendmail(sender, ["a@shop.example"], data)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"address": "nobody"}, "address"),
        ({"to": ["a b@shop.example"]}, "to"),
        ({"time_zone": "Seoul"}, "no time zone"),
        ({"relay": {"host": "m", "username": "u"}}, "belong together"),
        ({"reply_to": "x"}, "reply_to"),
    ],
)
def test_wrong_options_are_said(changes: dict[str, object], said: str) -> None:
    problems: list[str] = []
    given = {"address": "t@shop.example", "relay": {"host": "mail.example", "tls": "none"}, **changes}
    assert build(MailOptions, given, problems=problems) is None
    assert any(said in problem for problem in problems), problems
