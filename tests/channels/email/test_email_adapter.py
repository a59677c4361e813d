"""The whole channel with a host that a test looks into: mailboxes, refusals, bounces, files."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from obstore.store import MemoryStore

from channels.email.adapter import adapter
from channels.email.options import EmailOptions
from channels.email.simulator import EmailSimulator
from router.contract.ids import AccountId, CaseId, InquiryId, PoolId, ReplyId
from router.contract.messages import Address, Attachment, DeliveryState, Inquiry, Reply
from router.runtime.blobs import Blobs, blob_key
from router.runtime.errors import BlobsUnavailable, BusUnavailable, IntakeFull, PluginFailed, RecordRefused
from router.runtime.plugins import Account, OpenChannel
from router.runtime.simulators import CustomerFile, CustomerMessage, Entrance
from tests.suites.email_host import RecordingHost
from tests.suites.email_mails import mail
from tests.suites.email_ports import connected

POOL = PoolId("default")


def account(name: str, **options: Any) -> Account[EmailOptions]:
    raw = {
        "address": f"{name}@shop.example",
        "listen": {"port": 0},
        "relay": {"host": "127.0.0.1", "port": 9, "tls": "none"},
    }
    made = msgspec.convert({**raw, **options}, EmailOptions)
    return Account(id=AccountId(name), pool=POOL, options=made)


@pytest.fixture
def host() -> RecordingHost:
    return RecordingHost()


@pytest.fixture
async def simulator() -> AsyncIterator[EmailSimulator]:
    made = EmailSimulator()
    yield made
    await made.close()


@pytest.fixture
async def channel(host: RecordingHost, simulator: EmailSimulator) -> AsyncIterator[OpenChannel]:
    """Two mailboxes: ``help``, whose customers the simulator plays, and ``bills`` with an alias."""
    options = dict(await simulator.start("help"))
    listen = options.pop("listen")
    del options["address"]
    other = {"aliases": ["billing@shop.example"], "listen": listen, "max_bytes": 65_536}
    opened = await adapter().open([account("help", listen=listen, **options), account("bills", **other)], host)
    await simulator.enter(Entrance(base_url=host.base_url, ports=dict(opened.ports())))
    yield opened
    await opened.close(1.0)


async def handed_over(channel: OpenChannel, data: bytes, *recipients: str, sender: str = "kim@mail.example") -> str:
    async with connected(channel.ports()["smtp"]) as client:
        await client.say("EHLO mail.example")
        await client.say(f"MAIL FROM:<{sender}>")
        for recipient in recipients:
            await client.say(f"RCPT TO:<{recipient}>")
        await client.say("DATA")
        client.write(data + b"\r\n.\r\n")
        return (await client.answer())[:3]


def answer_to(inquiry: Inquiry, **more: Any) -> Reply:
    plain = Reply(
        id=ReplyId("11111111-2222-5333-8444-555555555555"),
        pool=inquiry.pool,
        case=CaseId(inquiry.id),
        conversation=inquiry.conversation,
        to=inquiry.reply_to,
        text="안녕하세요",
        created_at_ms=1_760_000_000_000,
        subject=inquiry.subject,
        thread=inquiry.thread,
    )
    return replace(plain, **more)


async def test_one_mail_to_two_mailboxes_is_two_inquiries(host: RecordingHost, channel: OpenChannel) -> None:
    everybody = ("help@shop.example", "BILLS@shop.example", "billing@shop.example", "help+news@shop.example")
    assert await handed_over(channel, mail("x"), *everybody) == "250"
    assert [inquiry.account for inquiry in host.accepted] == ["help", "bills"]
    assert len({inquiry.id for inquiry in host.accepted}) == 2
    assert host.sample("turnout_email_received_total", kind="person") == 2


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (IntakeFull(1.0), "451"),
        (BusUnavailable("away"), "451"),
        (BlobsUnavailable("away"), "451"),
        (RecordRefused(0, "never"), "554"),
        (ValueError("a bug"), "451"),
    ],
)
async def test_what_the_host_says_becomes_a_code(
    host: RecordingHost, channel: OpenChannel, error: Exception, code: str
) -> None:
    host.refuses = [error]
    assert await handed_over(channel, mail("x"), "help@shop.example") == code
    assert await handed_over(channel, mail("x"), "help@shop.example") == "250"
    assert len(host.accepted) == 1


async def test_a_mail_that_one_of_two_mailboxes_missed_comes_again_with_the_same_ids(
    host: RecordingHost, channel: OpenChannel
) -> None:
    both = ("help@shop.example", "bills@shop.example")
    await handed_over(channel, mail("x"), *both)
    first = [inquiry.id for inquiry in host.accepted]
    await handed_over(channel, mail("x"), *both)
    assert [inquiry.id for inquiry in host.accepted] == first * 2


async def test_an_attachment_larger_than_the_installation_keeps_is_refused_for_good(
    host: RecordingHost, channel: OpenChannel
) -> None:
    host.blobs = Blobs(MemoryStore(), host.signer, max_bytes=1_000)
    parts = ("MIME-Version: 1.0", "Content-Type: application/pdf", 'Content-Disposition: attachment; filename="a.pdf"')
    assert await handed_over(channel, mail("x" * 1_001, *parts), "help@shop.example") == "552"
    assert await handed_over(channel, mail("x" * 900, *parts), "help@shop.example") == "250"
    assert [inquiry.attachments[0].size_bytes for inquiry in host.accepted] == [902]  # with the end of its last line


async def test_a_mailbox_keeps_its_own_limit(host: RecordingHost, channel: OpenChannel) -> None:
    large = mail("x\r\n" * 40_000)
    assert await handed_over(channel, large, "bills@shop.example") == "552"
    assert await handed_over(channel, large, "help@shop.example") == "250"
    assert [inquiry.account for inquiry in host.accepted] == ["help"]


async def test_what_a_machine_writes_is_marked(host: RecordingHost, channel: OpenChannel) -> None:
    assert await handed_over(channel, mail("away", "Auto-Submitted: auto-replied"), "help@shop.example") == "250"
    (inquiry,) = host.accepted
    assert (inquiry.automatic, inquiry.labels) == (True, ("auto-submitted",))
    assert host.sample("turnout_email_received_total", kind="automatic") == 1


async def test_a_reply_that_bounces_is_reported_on_its_case(
    host: RecordingHost, channel: OpenChannel, simulator: EmailSimulator
) -> None:
    await simulator.send(CustomerMessage(ref="1", customer="kim", thread="t", text="hello", subject="Question"))
    reply = answer_to(host.accepted[0])
    assert (await channel.send(reply)).state is DeliveryState.SENT
    report = (
        b"From: MAILER-DAEMON@customers.example\r\nContent-Type: multipart/report; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        b"Action: failed\r\nStatus: 5.2.1\r\n"
        b"--b\r\nContent-Type: message/rfc822\r\n\r\n" + simulator.provider.taken[-1].data + b"\r\n--b--\r\n"
    )
    assert await handed_over(channel, report, "help@shop.example", sender="") == "250"
    (delivery,) = host.reported
    assert (delivery.reply, delivery.case, delivery.conversation) == (reply.id, reply.case, reply.conversation)
    assert (delivery.state, delivery.account) == (DeliveryState.FAILED, "help")
    assert delivery.reason == "the mail came back as undeliverable (5.2.1)"
    assert len(host.accepted) == 1
    assert host.sample("turnout_email_received_total", kind="bounce-told") == 1


async def test_a_bounce_of_somebody_elses_mail_opens_nothing(host: RecordingHost, channel: OpenChannel) -> None:
    assert await handed_over(channel, mail("Undelivered"), "help@shop.example", sender="") == "250"
    assert (host.accepted[0].automatic, host.accepted[0].labels) == (True, ("bounce",))
    assert host.reported == []


async def test_our_own_mail_coming_back_opens_nothing(
    host: RecordingHost, channel: OpenChannel, simulator: EmailSimulator
) -> None:
    await simulator.send(CustomerMessage(ref="1", customer="kim", thread="t", text="hello"))
    looped = answer_to(host.accepted[0], to=Address(account=AccountId("help"), address="bills@shop.example"))
    simulator.threads.address("bills@shop.example")
    assert (await channel.send(looped)).state is DeliveryState.SENT
    shown = await simulator.next_reply()
    echo = mail("again", "X-Loop: help@shop.example", f"In-Reply-To: {shown.key}", sender="help@shop.example")
    assert await handed_over(channel, echo, "bills@shop.example", sender="help@shop.example") == "250"
    assert (host.accepted[-1].automatic, host.accepted[-1].labels) == (True, ("loop",))


async def test_files_travel_both_ways(host: RecordingHost, channel: OpenChannel, simulator: EmailSimulator) -> None:
    file = CustomerFile(name="영수증.pdf", media_type="application/pdf", data=bytes(range(256)) * 300)
    await simulator.send(CustomerMessage(ref="1", customer="kim", thread="t", text="hello", files=(file,)))
    (inquiry,) = host.accepted
    assert inquiry.attachments[0].name == "영수증.pdf"
    assert inquiry.attachments[0].blob == blob_key(AccountId("help"), inquiry.id, 0)
    assert (await channel.send(answer_to(inquiry, attachments=inquiry.attachments))).state is DeliveryState.SENT
    shown = await simulator.next_reply()
    assert [(each.name, each.data) for each in shown.files] == [("영수증.pdf", file.data)]
    assert list(simulator.refusals()) == []


async def test_an_answer_keeps_the_thread_without_plus_address_or_references(
    host: RecordingHost, channel: OpenChannel, simulator: EmailSimulator
) -> None:
    await simulator.send(CustomerMessage(ref="1", customer="kim", thread="t", text="hello"))
    await channel.send(answer_to(host.accepted[0]))
    key = (await simulator.next_reply()).key
    answer = mail("and?", f"In-Reply-To: {key}", message_id="<2@mail.example>")
    assert await handed_over(channel, answer, "help@shop.example") == "250"
    assert host.accepted[1].conversation == host.accepted[0].conversation


async def test_an_answer_is_taken_from_its_quotation(
    host: RecordingHost, channel: OpenChannel, simulator: EmailSimulator
) -> None:
    await simulator.send(CustomerMessage(ref="1", customer="kim", thread="t", text="hello", subject="Question"))
    await channel.send(answer_to(host.accepted[0], automatic=True))
    assert (await simulator.next_reply()).subject == "Re: Question"
    await simulator.send(CustomerMessage(ref="2", customer="kim", thread="t", text="thanks"))
    again = host.accepted[1]
    assert (again.text, again.subject) == ("thanks", "Re: Question")
    assert "> 안녕하세요" in again.quoted
    assert again.conversation == host.accepted[0].conversation
    await channel.send(answer_to(again, id=ReplyId("21111111-2222-5333-8444-555555555555")))
    shown = await simulator.next_reply()
    assert (shown.subject, shown.thread) == ("Re: Question", "t")
    assert list(simulator.refusals()) == []


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"to": Address(account=AccountId("none"), address="kim@mail.example")}, "no such account"),
        ({"to": Address(account=AccountId("help"), address="")}, "address is none"),
        (
            {"attachments": (Attachment(name="x", media_type="a/b", size_bytes=1, sha256="", blob="help/i/7"),)},
            "attachment is gone",
        ),
        (
            {"attachments": (Attachment(name="x", media_type="a/b", size_bytes=10**9, sha256="", blob="help/i/7"),)},
            "too large",
        ),
    ],
)
async def test_what_can_never_be_sent_is_failed(channel: OpenChannel, changes: dict[str, Any], reason: str) -> None:
    inquiry = Inquiry(
        id=InquiryId("i"),
        pool=POOL,
        account=AccountId("help"),
        channel="email",
        conversation=msgspec.convert("c", str),  # type: ignore[arg-type]  # any id will do
        customer=msgspec.convert({"id": "kim"}, type=Inquiry.__annotations__["customer"]),
        reply_to=Address(account=AccountId("help"), address="kim@mail.example"),
        received_at_ms=1,
    )
    result = await channel.send(answer_to(inquiry, **changes))
    assert result.state is DeliveryState.FAILED
    assert reason in result.reason


async def test_accounts_that_cannot_work_together_are_refused(host: RecordingHost) -> None:
    for accounts, told in (
        ([], "needs an account"),
        ([account("help"), account("bills", aliases=["HELP@shop.example"])], "two accounts have the address"),
        ([account("help"), account("bills", listen={"port": 1})], "same `listen`"),
    ):
        with pytest.raises(PluginFailed, match=told):
            await adapter().open(accounts, host)


async def test_a_port_in_use_and_a_bad_certificate_are_told(host: RecordingHost, channel: OpenChannel) -> None:
    port = channel.ports()["smtp"]
    with pytest.raises(PluginFailed, match=f"can't listen on 127.0.0.1 port {port}"):
        await adapter().open([account("x", listen={"port": port})], RecordingHost())
    nowhere = {"port": 0, "tls_cert": "/nowhere/cert.pem", "tls_key": "/nowhere/key.pem"}
    with pytest.raises(PluginFailed, match="No such file"):
        await adapter().open([account("x", listen=nowhere)], RecordingHost())


@pytest.mark.parametrize(
    "options",
    [
        {"address": "no address"},
        {"address": "help+x@shop.example"},
        {"aliases": ["@"]},
        {"listen": {"tls_cert": "x"}},
        {"listen": {"require_tls": True}},
        {"relay": {"host": "x", "username": "u"}},
        {"relay": {"host": "x", "username": "u", "password": "p", "tls": "none"}},
        {"unknown": 1},
        {"max_bytes": 1},
    ],
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        account("help", **options)


async def test_a_relay_that_is_away_is_a_trouble_of_its_account(host: RecordingHost) -> None:
    opened = await adapter().open([account("help")], host)
    try:
        assert list(opened.troubles()) == []
        assert list(opened.routes()) == []
    finally:
        await opened.stop_intake()
        await opened.close(1.0)
        await opened.close(1.0)
