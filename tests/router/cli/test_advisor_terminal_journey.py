"""The terminal client as a child process, over pipes, against a real service."""

import asyncio
import os
import pty
import re
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from router.runtime.simulators import CustomerMessage
from tests.suites.installation import Installation, installation

RULES = """
defaults: {queue: general, language: en}
tiers: [junior]
outcomes: {solved: Solved}
policies: {standard: {first_response_s: 3600, resolution_s: 86400}}
queues: {general: {policy: standard}, second: {policy: standard}}
"""
ROSTER = """
advisors:
  - {id: mina, name: Mina, languages: {en: 9, ko: 9}}
  - {id: jun, name: Jun, languages: {en: 9, ko: 9}, queues: [second]}
"""


class Desk:
    """``turnout advisor`` with its standard input and output as pipes."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self._child = child
        self.said = ""

    def type(self, *lines: str) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write("".join(f"{line}\n" for line in lines).encode())

    async def shows(self, pattern: str) -> re.Match[str]:
        """Wait until what it printed since the last find holds the pattern."""
        assert self._child.stdout is not None
        while (found := re.search(pattern, self.said)) is None:
            try:
                async with asyncio.timeout(30):
                    data = await self._child.stdout.read(65_536)
            except TimeoutError as exc:
                raise AssertionError(f"it never said {pattern!r}: {self.said}") from exc
            assert data, f"it ended, and never said {pattern!r}: {self.said}"
            self.said += data.decode()
        self.said = self.said[found.end() :]
        return found

    async def ends(self) -> int:
        assert self._child.stdin is not None
        self._child.stdin.close()
        async with asyncio.timeout(40):
            assert self._child.stdout is not None
            self.said += (await self._child.stdout.read()).decode()
            return await self._child.wait()


@asynccontextmanager
async def desk(*words: str, **environ: str) -> AsyncIterator[Desk]:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "router.cli", "advisor", *words),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, "TZ": "UTC", **environ},
    )
    try:
        yield Desk(child)
    finally:
        if child.returncode is None:
            child.kill()
        await child.communicate()


@asynccontextmanager
async def place(folder: Path) -> AsyncIterator[Installation]:
    (folder / "rules").mkdir()
    (folder / "rules" / "rules.yaml").write_text(RULES, "utf-8")
    (folder / "roster.yaml").write_text(ROSTER, "utf-8")
    policy: dict[str, Any] = {"rules_dir": str(folder / "rules"), "roster_file": str(folder / "roster.yaml")}
    async with installation(folder, channels=["webhook"], more=policy) as running:
        yield running


def key_of(running: Installation, advisor: str) -> str:
    return running.process.run("keys", "create", "--advisor", advisor).strip()


def settings_of(running: Installation) -> tuple[str, ...]:
    return tuple(running.process.command("advisor")[-2:])


def message(ref: str, text: str) -> CustomerMessage:
    return CustomerMessage(ref=ref, customer="김민수", thread=ref, subject="배송 문의", text=text)


@pytest.mark.timeout(150)
async def test_a_message_is_accepted_read_answered_and_resolved_at_the_terminal(tmp_path: Path) -> None:
    async with place(tmp_path) as running:
        customer = running.customers["webhook"]
        async with desk(*settings_of(running), TURNOUT_KEY=key_of(running, "mina")) as mina:
            await mina.shows("mina: you are offline")
            mina.type("online")
            await mina.shows("you are online")
            text = "택배가 안 와요\n\x1b]0;owned\x07\x1b[2Joffer 9: take me\u202e"
            assert (await customer.send(message("m1", text))).accepted
            await mina.shows(r"offer 1: general, webhook, priority 3, ko, 김민수: 택배가 안 와요 .*offer 9: take me\n")
            await mina.shows("s to answer: `accept 1`")
            mina.type("accept")
            await mina.shows(r"accept 1: assigned")
            mina.type("read 1")
            await mina.shows(r"subject: 배송 문의\n  \| 택배가 안 와요\n  \| .*offer 9: take me\n")
            mina.type("reply 1", "오늘 보냈습니다.", "", "..", ".", "reply 1 Second.", "note 1 seen", "label 1 +late")
            await mina.shows("reply 1: done")
            reply = await asyncio.wait_for(customer.next_reply(), 20)
            assert reply.text.startswith("오늘 보냈습니다.\n\n.")
            assert (await asyncio.wait_for(customer.next_reply(), 20)).text == "Second."
            mina.type("resolve 1 slved")
            await mina.shows("Did you mean 'solved'")
            mina.type("resolve 1 solved", "quit")
            await mina.shows("resolve 1: done")
            assert await mina.ends() == 1  # a command was refused, and this is a pipe
            assert "\x1b" not in mina.said


@pytest.mark.timeout(150)
async def test_a_case_handed_on_by_a_bare_name_reaches_the_advisor_of_that_name(tmp_path: Path) -> None:
    async with place(tmp_path) as running:
        keys = [key_of(running, name) for name in ("mina", "jun")]
        where = settings_of(running)
        async with (
            desk(*where, TURNOUT_KEY=keys[0]) as mina,
            desk("--url", running.running.api, "--key", keys[1]) as jun,
        ):
            mina.type("online")
            jun.type("online")
            await jun.shows("you are online")
            await mina.shows("you are online")
            assert (await running.customers["webhook"].send(message("m1", "Where is it?"))).accepted
            await mina.shows("offer 1: ")
            mina.type("accept 1", "transfer 1 jun")
            await mina.shows("1 has gone: transferred")
            await jun.shows("offer 1: general")
            jun.type("accept", "pend 1 on third-party until 2h because courier")
            await jun.shows("pend 1: done")
            jun.type("list")
            await jun.shows(r"1 +pending +general")
            assert await mina.ends() == 0
            assert await jun.ends() == 0


@pytest.mark.timeout(150)
async def test_what_was_typed_while_the_service_was_away_takes_effect_once_when_it_is_back(tmp_path: Path) -> None:
    async with place(tmp_path) as running:
        customer = running.customers["webhook"]
        async with desk(*settings_of(running), TURNOUT_KEY=key_of(running, "mina")) as mina:
            mina.type("online")
            await mina.shows("you are online")
            assert (await customer.send(message("m1", "Where is it?"))).accepted
            await mina.shows("offer 1: ")
            mina.type("accept")
            await mina.shows("accept 1: assigned")
            running.process.kill()
            await mina.shows("connection lost")
            mina.type("reply 1 It is on its way.", "resolve 1 solved")
            await running.process.start()
            await mina.shows("connected again")
            await mina.shows("reply 1: done")
            await mina.shows("resolve 1: done")
            assert (await asyncio.wait_for(customer.next_reply(), 20)).text == "It is on its way."
            assert await mina.ends() == 0


@pytest.mark.timeout(150)
async def test_a_key_out_of_force_and_a_service_that_is_not_there_have_exit_codes(tmp_path: Path) -> None:
    async with place(tmp_path) as running:
        key = key_of(running, "mina")
        async with desk(*settings_of(running), TURNOUT_KEY="turnout_0_wrong") as stranger:
            await stranger.shows("signed out: A valid API key is needed")
            assert await stranger.ends() == 3
        async with desk(*settings_of(running), TURNOUT_KEY=key) as mina:
            await mina.shows("you are offline")
            running.process.run("keys", "revoke", key.split("_")[1])
            await mina.shows("signed out: the key is no longer in force")
            assert await mina.ends() == 3
        address = running.running.api
    async with desk("--url", address, "--key", key) as nobody:
        await nobody.shows("the service can't be reached")
        assert await nobody.ends() == 2


@pytest.mark.timeout(150)
async def test_at_a_real_terminal_what_is_told_does_not_tear_what_is_being_typed(tmp_path: Path) -> None:
    async with place(tmp_path) as running:
        ours, its = pty.openpty()
        before = termios.tcgetattr(its)
        child = await asyncio.create_subprocess_exec(
            *running.process.command("advisor"),
            stdin=its,
            stdout=its,
            stderr=its,
            env={**os.environ, "TERM": "xterm-256color", "TURNOUT_KEY": key_of(running, "mina")},
        )
        try:
            await _shows(ours, b"to begin.\x1b[0m\r\n> ")
            os.write(ours, b"online\r")
            await _shows(ours, b"online: done\x1b[0m\r\n> ")
            os.write(ours, "note 1 안녕".encode())
            await _shows(ours, "안녕".encode())
            assert (await running.customers["webhook"].send(message("m1", "Where is it?"))).accepted
            await _shows(ours, "\x1b[0m\r\n> note 1 안녕".encode())
            os.write(ours, b" x\r")
            await _shows(ours, b"note 1: done")
            os.write(ours, b"quit\r")
            async with asyncio.timeout(20):
                assert await child.wait() == 0
            assert termios.tcgetattr(its) == before
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
            os.close(ours)
            os.close(its)


async def _shows(terminal: int, wanted: bytes) -> None:
    """Read what the terminal shows up to the words wanted."""
    loop, seen = asyncio.get_running_loop(), b""
    while wanted not in seen:
        ready = asyncio.Event()
        loop.add_reader(terminal, ready.set)
        try:
            await asyncio.wait_for(ready.wait(), 30)
        except TimeoutError as exc:
            raise AssertionError(f"never shown: {wanted!r}; shown: {seen!r}") from exc
        finally:
            loop.remove_reader(terminal)
        seen += os.read(terminal, 4096)
