"""The way out, against servers that answer as they are told."""

import asyncio
from collections.abc import Callable

import pytest

from channels.kit.mail_relay import Outgoing, Relay, RelayClient
from router.contract.messages import DeliveryState
from router.runtime.errors import SendLater
from tests.suites.email_ports import scripted

MAIL = Outgoing("<r1@shop.example>", "help@shop.example", "kim@mail.example", b"Subject: x\r\n\r\n.dot\r\n")


def answers(**other: str) -> Callable[[str], str]:
    """A server that takes everything but what ``other`` says of a command."""
    usual = {"EHLO": "250-scripted\r\n250 8BITMIME", "DATA": "354 go on", "QUIT": "221 bye"}

    def answer(line: str) -> str:
        verb = "DOT" if line == "." else line.split(" ", 1)[0].upper()
        return {**usual, **other}.get(verb, "250 fine")

    return answer


def client(port: int, **options: object) -> RelayClient:
    return RelayClient(Relay(host="127.0.0.1", port=port, tls="none", timeout_s=2.0, **options))  # type: ignore[arg-type]  # a few options by name


async def test_a_mail_that_is_taken_is_sent() -> None:
    async with scripted(answers()) as (port, heard):
        relay = client(port)
        result = await relay.send(MAIL)
        assert (result.state, result.provider_message_id) == (DeliveryState.SENT, MAIL.message_id)
        assert relay.trouble is None
    assert [line for line in heard if line.startswith(("MAIL", "RCPT"))] == [
        "MAIL FROM:<help@shop.example>",
        "RCPT TO:<kim@mail.example>",
    ]


async def test_a_machines_mail_has_the_null_return_path() -> None:
    async with scripted(answers()) as (port, heard):
        assert (await client(port).send(MAIL._replace(sender=""))).state is DeliveryState.SENT
    assert "MAIL FROM:<>" in heard


@pytest.mark.parametrize(
    ("command", "said", "reason"),
    [
        ("RCPT", "550 5.1.1 <kim@mail.example> unknown", "the mail server refused the recipient (550 5.1.1)"),
        ("RCPT", "550 unknown", "the mail server refused the recipient (550)"),
        ("MAIL", "553 5.7.1 no", "the mail server refused the sender (553 5.7.1)"),
        ("DATA", "554 no", "the mail server refused the message (554)"),
        ("DOT", "552 5.3.4 too large", "the mail server refused the message (552 5.3.4)"),
    ],
)
async def test_a_no_for_good_is_failed_and_quotes_nobody(command: str, said: str, reason: str) -> None:
    async with scripted(answers(**{command: said})) as (port, _):
        result = await client(port).send(MAIL)
    assert (result.state, result.reason) == (DeliveryState.FAILED, reason)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("RCPT", "451 4.7.1 greylisted"),
        ("RCPT", "452 4.2.2 mailbox full"),
        ("MAIL", "421 4.3.2 stopping"),
        ("MAIL", "530 5.7.0 authentication required"),
        ("DOT", "451 later"),
        ("EHLO", "421 busy"),
        ("EHLO", ""),
        ("DATA", ""),
        ("DOT", ""),
    ],
)
async def test_whatever_may_pass_is_sent_later(command: str, said: str) -> None:
    async with scripted(answers(**{command: said})) as (port, _):
        with pytest.raises(SendLater) as caught:
            await client(port).send(MAIL)
    assert "mail.example" not in caught.value.reason


async def test_a_bye_that_goes_wrong_changes_nothing() -> None:
    async with scripted(answers(QUIT="")) as (port, _):
        assert (await client(port).send(MAIL)).state is DeliveryState.SENT


async def test_nobody_there_is_a_trouble_until_somebody_is() -> None:
    async with scripted(answers()) as (port, _):
        relay = client(port)
        assert (await relay.send(MAIL)).state is DeliveryState.SENT
    with pytest.raises(SendLater, match="reached"):
        await relay.send(MAIL)
    assert relay.trouble is not None


async def test_a_server_without_the_tls_that_is_asked_for_gets_nothing() -> None:
    async with scripted(answers()) as (port, heard):
        relay = RelayClient(Relay(host="127.0.0.1", port=port, tls="starttls", timeout_s=2.0))
        with pytest.raises(SendLater):
            await relay.send(MAIL)
    assert relay.trouble is not None
    assert not [line for line in heard if line.startswith("MAIL")]


async def test_an_address_that_the_server_has_no_way_to_take_is_failed() -> None:
    async with scripted(answers()) as (port, heard):
        assert (await client(port).send(MAIL._replace(recipient="김@mail.example"))).state is DeliveryState.FAILED
    assert not [line for line in heard if line.startswith("RCPT")]


async def test_an_address_beyond_ascii_is_announced() -> None:
    async with scripted(answers(EHLO="250-scripted\r\n250 SMTPUTF8")) as (port, heard):
        assert (await client(port).send(MAIL._replace(recipient="김@mail.example"))).state is DeliveryState.SENT
    assert any(line.startswith("MAIL") and line.lower().endswith("smtputf8") for line in heard)


async def test_no_more_connections_than_allowed() -> None:
    open_now, most = 0, 0

    def answer(line: str) -> str:
        nonlocal open_now, most
        open_now += line.startswith("MAIL") - line.startswith("QUIT")
        most = max(most, open_now)
        return answers()(line)

    async with scripted(answer) as (port, _):
        relay = client(port, connections=2)
        await asyncio.gather(*(relay.send(MAIL) for _ in range(10)))
    assert 1 <= most <= 2
