"""The customers' provider takes nothing that is wrong, and shows nothing twice."""

from collections.abc import AsyncIterator

import aiosmtplib
import pytest

from channels.email.simulator import EmailSimulator
from channels.email.simulator_checks import Known, Submission, complaints
from router.runtime.simulators import Simulator

KNOWN = Known(
    "help@shop.example",
    frozenset({"kim@customers.example"}),
    {"<1@c.example>": "<1@c.example>", "<2@c.example>": "<1@c.example>"},
)
HEADERS = {
    "Date": "Tue, 5 Mar 2024 15:21:10 +0900",
    "From": "help@shop.example",
    "To": "kim@customers.example",
    "Message-ID": "<r1@shop.example>",
    "MIME-Version": "1.0",
    "Subject": "Re: x",
    "In-Reply-To": "<2@c.example>",
    "References": "<1@c.example> <2@c.example>",
}


def submission(body: bytes = b"text\r\n", **changed: str | None) -> Submission:
    headers = {**HEADERS, **{name.replace("_", "-"): value for name, value in changed.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value is not None)
    return Submission("help@shop.example", "kim@customers.example", (), head.encode() + b"\r\n" + body)


def test_a_sound_mail_has_no_complaint() -> None:
    assert list(complaints(submission(), KNOWN)) == []
    assert list(complaints(submission(In_Reply_To=None, References=None), KNOWN)) == []


@pytest.mark.parametrize(
    ("mail", "wrong"),
    [
        (submission(Message_ID=None), "0 headers Message-ID"),
        (submission(Message_ID="r1"), "the Message-ID is none"),
        (submission(Date=None), "0 headers Date"),
        (submission(From="other@shop.example"), "the sender is not the mailbox"),
        (submission(Subject="Re: RE: x"), "the subject says Re: more than once"),
        (submission(In_Reply_To="<9@c.example>"), "In-Reply-To names a mail that no customer has"),
        (submission(References=None), "References doesn't end with the mail that is answered"),
        (submission(References="<1@c.example>"), "References doesn't end with the mail that is answered"),
        (submission(References="<2@c.example>"), "References doesn't begin with the thread's first mail"),
        (submission(In_Reply_To=None), "References without In-Reply-To"),
        (submission(b"a\nb\r\n"), "a line ends without CR LF"),
        (submission(b"a\rb\r\n"), "a line ends without CR LF"),
        (submission(b"x" * 999), "a line is longer than 998 bytes"),
        (submission("가".encode()), "8-bit text without BODY=8BITMIME"),
        (submission(Subject="가"), "a header has 8-bit bytes"),
        (submission()._replace(recipient="nobody@c.example"), "nobody has the address that it is sent to"),
        (submission()._replace(sender=""), "the return path is not the mailbox"),
        (submission(Auto_Submitted="auto-replied"), "an automatic mail has a return path"),
        (submission(To="lee@customers.example"), "the recipient isn't the one in the header"),
    ],
)
def test_what_is_wrong_is_said(mail: Submission, wrong: str) -> None:
    assert wrong in list(complaints(mail, KNOWN))


@pytest.fixture
async def simulator() -> AsyncIterator[EmailSimulator]:
    made: Simulator = EmailSimulator()
    assert isinstance(made, EmailSimulator)
    await made.start("help")
    made.threads.address("kim@customers.example")
    made.threads.sent("t", "<1@c.example>")
    yield made
    await made.close()
    await made.close()


async def hand_over(simulator: EmailSimulator, mail: Submission) -> int:
    client = aiosmtplib.SMTP(hostname="127.0.0.1", port=simulator.provider.port, start_tls=False)
    async with client:
        try:
            await client.sendmail(mail.sender, [mail.recipient], mail.data)
        except aiosmtplib.SMTPDataError as exc:
            return exc.code
        return 250


async def test_it_refuses_over_the_wire_and_says_why(simulator: EmailSimulator) -> None:
    sound = submission(In_Reply_To="<1@c.example>", References="<1@c.example>")
    assert await hand_over(simulator, sound._replace(recipient="nobody@c.example")) == 550
    assert await hand_over(simulator, submission(Message_ID=None)) == 550
    assert "nobody has the address that it is sent to" in simulator.refusals()
    assert "0 headers Message-ID" in simulator.refusals()


async def test_a_mail_that_comes_twice_is_shown_once_in_its_thread(simulator: EmailSimulator) -> None:
    sound = submission(In_Reply_To="<1@c.example>", References="<1@c.example>")
    assert [await hand_over(simulator, sound) for _ in range(2)] == [250, 250]
    shown = await simulator.next_reply()
    assert (shown.customer, shown.thread, shown.key) == ("kim@customers.example", "t", "<r1@shop.example>")
    assert simulator.provider.arrived.empty()
    assert list(simulator.refusals()) == []


async def test_a_mail_that_answers_nothing_is_in_no_thread(simulator: EmailSimulator) -> None:
    assert await hand_over(simulator, submission(In_Reply_To=None, References=None)) == 250
    assert (await simulator.next_reply()).thread is None
