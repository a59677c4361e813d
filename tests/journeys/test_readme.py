"""The README's tour and its other commands, run as they stand there; only ports and folders are changed."""

import asyncio
import os
import re
import shlex
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from tests.suites.eventually import eventually

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [one.getsockname()[1] for one in held]
    finally:
        for one in held:
            one.close()


class Reader:
    """Somebody who types what the README says, in a folder of his own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        smtp, mailbox = free_ports(2)
        tour = yaml.safe_load((ROOT / "deploy" / "tour.yaml").read_text("utf-8"))
        options = tour["accounts"]["help"]["options"]
        self.changed = {
            "deploy/tour.yaml": str(folder / "tour.yaml"),
            str(options["listen"]["port"]): str(smtp),
            str(options["relay"]["port"]): str(mailbox),
            ".venv/bin/python": shlex.quote(sys.executable),
            ".venv/bin/turnout": f"{shlex.quote(sys.executable)} -m router.cli",
        }
        options["listen"]["port"], options["relay"]["port"] = smtp, mailbox
        tour |= {"data_dir": str(folder / "data"), "http": {"channels_port": 0, "api_port": 0, "ops_port": 0}}
        (folder / "tour.yaml").write_text(yaml.safe_dump(tour), "utf-8")
        self.environ = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}

    def command(self, text: str) -> str:
        for old, new in self.changed.items():
            text = text.replace(old, new)
        return text

    async def open(self, text: str) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_shell(
            f"exec {self.command(text)}",
            stdin=pipe,
            stdout=pipe,
            stderr=asyncio.subprocess.STDOUT,
            cwd=ROOT,
            env=self.environ,
        )

    async def run(self, text: str) -> tuple[int, str]:
        child = await asyncio.create_subprocess_shell(
            self.command(text),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=ROOT,
            env=self.environ,
        )
        said, _ = await asyncio.wait_for(child.communicate(), 60)
        assert child.returncode is not None
        return child.returncode, said.decode()

    @asynccontextmanager
    async def running(self, text: str) -> AsyncIterator[asyncio.subprocess.Process]:
        child = await self.open(text)
        try:
            yield child
        finally:
            if child.returncode is None:
                child.terminate()
            await asyncio.wait_for(child.communicate(), 40)


async def until_said(child: asyncio.subprocess.Process, wanted: str) -> str:
    """What it says up to and with the words wanted."""
    assert child.stdout is not None
    said = ""
    async with asyncio.timeout(60):
        while not re.search(wanted, said):
            more = await child.stdout.read(65_536)
            assert more, f"it ended without saying {wanted!r}:\n{said}"
            said += more.decode()
    return said


@pytest.mark.timeout(240)
async def test_the_tour_works_as_it_is_written(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    up, mailbox, ready, writes, advisor, check = blocks("sh")
    (typed,) = blocks("text")
    async with reader.running(up), reader.running(mailbox) as printed:
        status, export = ready.strip().splitlines()

        async def is_ready() -> bool:
            return (await reader.run(status))[0] == 0

        await eventually(is_ready, within_s=60)
        code, key = await reader.run(export.removeprefix("export TURNOUT_KEY=$(").removesuffix(")"))
        assert code == 0, key
        reader.environ["TURNOUT_KEY"] = key.strip()
        assert (await reader.run(writes))[0] == 0
        async with reader.running(advisor) as desk:
            assert desk.stdin is not None
            for line, answer in zip(typed.strip().splitlines(), ANSWERS, strict=True):
                desk.stdin.write(f"{line}\n".encode())
                if answer:
                    await until_said(desk, answer)
        mail = await until_said(printed, "We have refunded the second charge")
        assert re.search(r"In-Reply-To: <1@example\.com>", mail)
    assert "check" in check


ANSWERS = (r"offer 1", r"accept 1: assigned", r"two charges", r"reply 1: done", r"resolve 1: done", "")


async def test_the_scaled_settings_are_in_order(tmp_path: Path) -> None:
    code, said = await Reader(tmp_path).run(blocks("sh")[-1])
    assert code == 0, said


def test_every_path_that_the_readme_names_exists() -> None:
    linked = re.findall(r"\]\(([^)#]+)\)", README)
    assert linked
    assert [path for path in linked if not (ROOT / path).exists()] == []


def test_every_make_target_that_the_readme_names_exists() -> None:
    targets = set(re.findall(r"^    make (\w+)", README, flags=re.MULTILINE))
    makefile = (ROOT / "Makefile").read_text("utf-8")
    assert targets == {"demo", "test"}
    assert all(re.search(rf"^{target}:", makefile, flags=re.MULTILINE) for target in targets)
