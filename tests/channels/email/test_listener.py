"""The SMTP port, over real sockets."""

import asyncio
import logging
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from channels.email.listener import BUSY, TAKEN, Listener, Received, Reception
from channels.email.options import Listen
from router.runtime.clock import SystemClock
from tests.suites.email_ports import connected
from tests.suites.eventually import eventually


class Desk:
    """Takes what comes, or does what a test says instead."""

    def __init__(self) -> None:
        self.taken: list[Received] = []
        self.refused: list[str] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.waiting = 0
        self.error: Exception | None = None

    async def take(self, received: Received) -> str:
        self.waiting += 1
        await self.gate.wait()
        self.waiting -= 1
        if self.error is not None:
            raise self.error
        self.taken.append(received)
        return TAKEN


@asynccontextmanager
async def listening(desk: Desk, *, max_bytes: int = 100_000, **options: Any) -> AsyncIterator[Listener]:
    listener = Listener(
        Listen(port=0, **options),
        Reception(lambda address: address.endswith("@shop.example"), desk.take, max_bytes),
        clock=SystemClock(),
        refused=desk.refused.append,
    )
    await listener.start()
    try:
        yield listener
    finally:
        desk.gate.set()
        await listener.close(1.0)


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_a_mail_arrives_byte_for_byte(desk: Desk) -> None:
    async with listening(desk) as listener, connected(listener.port) as client:
        await client.begin()
        client.write("Subject: 안녕\r\n\r\n..dot\r\n\x00\xff\r\n.\r\n".encode("latin-1", "replace"))
        assert await client.answer() == TAKEN
    (received,) = desk.taken
    assert (received.sender, received.recipients) == ("kim@mail.example", ("help@shop.example",))
    assert received.data == b"Subject: ??\r\n\r\n.dot\r\n\x00\xff\r\n"


async def test_several_mails_and_pipelined_commands_go_over_one_connection(desk: Desk) -> None:
    async with listening(desk) as listener, connected(listener.port) as client:
        await client.begin()
        client.write(b"one\r\n.\r\nMAIL FROM:<>\r\nRCPT TO:<help@shop.example>\r\nDATA\r\n")
        answers = [await client.answer() for _ in range(4)]
        assert [answer[:3] for answer in answers] == ["250", "250", "250", "354"]
        client.write(b"two\r\n.\r\nQUIT\r\n")
        assert [(await client.answer())[:3] for _ in range(2)] == ["250", "221"]
    assert [(each.sender, each.data) for each in desk.taken] == [("kim@mail.example", b"one\r\n"), ("", b"two\r\n")]


async def test_no_mail_hides_in_another(desk: Desk) -> None:
    async with listening(desk) as listener, connected(listener.port) as client:
        await client.begin()
        client.write(b"a\n.\r\nMAIL FROM:<x@y.z>\r\nb\r\n.\nc\n.\nd\r\n.\r\n")
        assert await client.answer() == TAKEN
    assert len(desk.taken) == 1


async def test_who_does_not_live_here_is_refused(desk: Desk) -> None:
    async with listening(desk) as listener, connected(listener.port) as client:
        answer = await client.begin(recipient="x@elsewhere.example")
        assert answer.startswith("503")
    assert desk.refused == ["unknown-mailbox"]


async def test_size_is_advertised_and_held(desk: Desk) -> None:
    async with listening(desk) as listener, connected(listener.port) as client:
        assert "SIZE 100000" in await client.say("EHLO x")
        assert (await client.say("MAIL FROM:<a@b.c> SIZE=200000")).startswith("552")
        await client.begin()
        client.write(b"x" * 150_000 + b"\r\n.\r\n")
        assert (await client.answer()).startswith("552")
        await client.begin()
        client.write(b"small\r\n.\r\n")
        assert await client.answer() == TAKEN
    assert desk.refused == ["too-large"]


async def test_all_together_hold_no_more_than_allowed(desk: Desk) -> None:
    async with (
        listening(desk, max_bytes=2_000_000, in_hand_bytes=1_048_576) as listener,
        connected(listener.port) as first,
        connected(listener.port) as second,
    ):
        desk.gate.clear()
        await first.begin()
        first.write(b"x" * 900_000 + b"\r\n.\r\n")
        await eventually(lambda: desk.waiting)
        await second.begin()
        second.write(b"x" * 900_000 + b"\r\n.\r\n")
        assert await second.answer() == BUSY
        desk.gate.set()
        assert await first.answer() == TAKEN
        await second.begin()
        second.write(b"x" * 900_000 + b"\r\n.\r\n")
        assert await second.answer() == TAKEN


async def test_connections_are_bounded(desk: Desk) -> None:
    async with listening(desk, connections=1) as listener:
        async with connected(listener.port) as first:
            async with connected(listener.port) as second:
                assert await second.answer() == ""
            assert (await first.say("NOOP")).startswith("250")
        await eventually(lambda: not listener.open)
        async with connected(listener.port) as third:
            assert (await third.say("NOOP")).startswith("250")
    assert desk.refused == ["connections"]


async def test_one_sender_can_be_too_fast(desk: Desk) -> None:
    async with listening(desk, sender_per_s=0.001, sender_burst=2) as listener, connected(listener.port) as client:
        await client.say("EHLO x")
        answers = []
        for sender in ("a@b.c", "A@B.C", "a@b.c", "d@b.c"):
            answers.append((await client.say(f"MAIL FROM:<{sender}>"))[:3])
            await client.say("RSET")
    assert answers == ["250", "250", "451", "250"]
    assert desk.refused == ["sender-rate"]


async def test_an_error_of_ours_is_not_told(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.error = ValueError("a secret")
    async with listening(desk) as listener, connected(listener.port) as client:
        await client.begin()
        client.write(b"x\r\n.\r\n")
        assert await client.answer() == "451 4.3.0 Local error, try again later"
    assert desk.refused == ["error"]
    assert "a mail could not be taken" in caplog.text


async def test_nobody_is_named_in_the_log(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with listening(desk) as listener, connected(listener.port) as client:
        await client.begin()
        client.write(b"x\r\n.\r\n")
        await client.answer()
        await client.say("NONSENSE kim@mail.example")
    assert "mail.example" not in caplog.text


async def test_a_stop_lets_the_mail_in_hand_be_answered(desk: Desk) -> None:
    async with listening(desk) as listener, connected(listener.port) as first, connected(listener.port) as idle:
        desk.gate.clear()
        await first.begin()
        first.write(b"x\r\n.\r\n")
        await eventually(lambda: desk.waiting)
        await listener.stop()
        await idle.say("EHLO x")
        assert (await idle.say("MAIL FROM:<a@b.c>")).startswith("421")
        with pytest.raises(ConnectionError):
            await asyncio.open_connection("127.0.0.1", listener.port)
        closing = asyncio.create_task(listener.close(5.0))
        desk.gate.set()
        assert await first.answer() == TAKEN
        await closing


async def test_a_close_cuts_what_takes_too_long(desk: Desk) -> None:
    async with listening(desk) as listener, connected(listener.port) as client:
        desk.gate.clear()
        await client.begin()
        client.write(b"x\r\n.\r\n")
        await eventually(lambda: desk.waiting)
        await listener.close(0.01)
        with pytest.raises((ConnectionError, AssertionError)):
            assert await client.answer() != ""


async def test_a_connection_that_breaks_off_leaves_nothing(desk: Desk) -> None:
    async with listening(desk) as listener:
        async with connected(listener.port) as client:
            await client.begin()
            client.write(b"x" * 50_000)
        await eventually(lambda: not listener.open)
        assert listener.in_hand.take(listener.listen.in_hand_bytes)
    assert desk.taken == []


async def test_starttls(desk: Desk, tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    try:
        subprocess.run([*command.split(), "-keyout", key, "-out", cert], check=True, capture_output=True)  # noqa: ASYNC221
    except FileNotFoundError:
        pytest.skip("needs the openssl command: install the package openssl")
    options: dict[str, Any] = {"tls_cert": str(cert), "tls_key": str(key), "require_tls": True}
    async with listening(desk, **options) as listener, connected(listener.port) as client:
        assert "STARTTLS" in await client.say("EHLO x")
        assert (await client.say("MAIL FROM:<a@b.c>")).startswith("530")
        await client.start_tls()
        assert "AUTH" not in await client.say("EHLO x")
        await client.begin()
        client.write(b"x\r\n.\r\n")
        assert await client.answer() == TAKEN
        assert len(listener.open) == 1
    assert not listener.open
