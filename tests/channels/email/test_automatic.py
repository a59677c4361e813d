"""Mail that no person wrote."""

import pytest

from channels.email.automatic import Origin, bounce_of, origin_of
from channels.email.mime import parse, read_headers
from channels.email.threads import MailTokens, SentReply
from router.contract.ids import AccountId, CaseId, ConversationId, ReplyId
from router.runtime.secret import Secret
from router.runtime.signer import Signer

SENT = SentReply(ReplyId("r1"), CaseId("c1"), ConversationId("11111111-2222-4333-8444-555555555555"))
TOKENS = MailTokens(Signer([Secret("key")]), AccountId("shop"))


def is_own(address: str) -> bool:
    return address == "help@shop.example"


@pytest.mark.parametrize(
    ("header", "sender", "author", "origin"),
    [
        ("", "kim@x.y", "kim@x.y", None),
        ("Auto-Submitted: no", "kim@x.y", "kim@x.y", None),
        ("Auto-Submitted: auto-replied", "kim@x.y", "kim@x.y", Origin.AUTO_SUBMITTED),
        ("Auto-Submitted: Auto-Generated; type=x", "kim@x.y", "kim@x.y", Origin.AUTO_SUBMITTED),
        ("X-Autoreply: yes", "kim@x.y", "kim@x.y", Origin.AUTO_SUBMITTED),
        ("Precedence: bulk", "kim@x.y", "kim@x.y", Origin.BULK),
        ("Precedence: Junk", "kim@x.y", "kim@x.y", Origin.BULK),
        ("Precedence: list", "kim@x.y", "kim@x.y", Origin.LIST),
        ("Precedence: first-class", "kim@x.y", "kim@x.y", None),
        ("List-Unsubscribe: <mailto:x>", "kim@x.y", "kim@x.y", Origin.LIST),
        ("", "", "kim@x.y", Origin.BOUNCE),
        ("", "<>", "kim@x.y", Origin.BOUNCE),
        ("", "x@x.y", "MAILER-DAEMON@x.y", Origin.BOUNCE),
        ("Content-Type: multipart/report; report-type=delivery-status", "x@x.y", "x@x.y", Origin.BOUNCE),
        ("X-Loop: help@shop.example", "kim@x.y", "kim@x.y", Origin.LOOP),
        ("X-Loop: other@shop.example", "kim@x.y", "kim@x.y", None),
        ("", "help@shop.example", "help@shop.example", Origin.LOOP),
    ],
)
def test_what_kind_of_mail(header: str, sender: str, author: str, origin: Origin | None) -> None:
    headers = read_headers(f"{header}\r\n".encode())
    assert origin_of(headers, sender=sender, author=author, is_own=is_own) is origin


def report(*, action: str = "failed", sealed: str | None = None, kind: str = "text/rfc822-headers") -> bytes:
    sealed = TOKENS.seal(SENT) if sealed is None else sealed
    return (
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; x\r\n\r\n"
        f"Final-Recipient: rfc822; kim@x.y\r\nAction: {action}\r\nStatus: 5.1.1\r\n"
        f"--b\r\nContent-Type: {kind}\r\n\r\nSubject: Re: x\r\nX-Turnout-Reply: {sealed}\r\n\r\ntext\r\n--b--\r\n"
    ).encode()


@pytest.mark.parametrize("kind", ["text/rfc822-headers", "message/rfc822"])
def test_a_report_of_failure_names_its_reply(kind: str) -> None:
    bounce = bounce_of(parse(report(kind=kind)).root, TOKENS)
    assert bounce is not None
    assert (bounce.sent, bounce.status) == (SENT, "5.1.1")


@pytest.mark.parametrize("action", ["delayed", "delivered", "relayed", "expanded", ""])
def test_any_other_report_says_nothing(action: str) -> None:
    assert bounce_of(parse(report(action=action)).root, TOKENS) is None


def test_a_forged_report_says_nothing() -> None:
    forged = MailTokens(Signer([Secret("guess")]), AccountId("shop")).seal(SENT)
    assert bounce_of(parse(report(sealed=forged)).root, TOKENS) is None


def test_a_bounce_of_an_old_server_is_read_too() -> None:
    data = f"From: mailer-daemon@x.y\r\n\r\nSorry.\r\n\r\n> X-Turnout-Reply: {TOKENS.seal(SENT)}\r\n".encode()
    bounce = bounce_of(parse(data).root, TOKENS)
    assert bounce is not None
    assert (bounce.sent, bounce.status) == (SENT, "")


def test_a_receipt_is_no_bounce() -> None:
    data = report().replace(b"delivery-status", b"disposition-notification")
    assert bounce_of(parse(data).root, TOKENS) is None
