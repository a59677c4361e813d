"""A real installation for journeys: the service as a child process, customers' simulators, advisors over the API."""

import asyncio
import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import yaml

from router.runtime import run_file
from router.runtime.plugin_catalog import PluginCatalog
from router.runtime.run_file import RunFile
from router.runtime.servers import valkey_guard
from router.runtime.simulators import Entrance, Simulator
from tests.kafka_server_fixture import Broker
from tests.servers import Server
from tests.suites.eventually import eventually

START_S = 60.0


class Process:
    """``turnout up`` as a child. ``data`` is its data directory; its log is in ``log``. ``environment`` goes over
    ours at the next start."""

    def __init__(self, folder: Path, settings: dict[str, Any], *, roles: Sequence[str] = (), name: str = "up") -> None:
        self.data = Path(settings["data_dir"])
        self.log = folder / f"{name}.log"
        self._file = folder / f"{name}.yaml"
        self._file.write_text(yaml.safe_dump(settings, allow_unicode=True), "utf-8")
        self._roles = roles
        self._process: subprocess.Popen[bytes] | None = None
        self.environment: dict[str, str] = {}

    @property
    def pid(self) -> int:
        """Of the child that was started last."""
        assert self._process is not None
        return self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether there is no child, or it is gone."""
        return self._process is None or self._process.poll() is not None

    @property
    def exit_code(self) -> int:
        """Of the child that ended last, as ``Popen`` gives it; 0 when there was none."""
        return (self._process.poll() or 0) if self._process is not None else 0

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "router.cli", *words, "--settings", str(self._file)]

    async def start(self) -> RunFile:
        """Start, and wait until it is ready; its log is in the failure if it doesn't get there."""
        roles = [word for role in self._roles for word in ("--role", role)]
        run_file.remove(self.data) if self.data.exists() else None
        self._process = self._spawned([*self.command("up"), *roles])
        running: list[RunFile] = []

        async def is_ready() -> bool:
            assert self._process is not None
            if self._process.poll() is not None:
                raise AssertionError(f"the service ended with {self._process.returncode}:\n{self.tail()}")
            found = run_file.read(self.data)
            if found is not None and found.pid == self._process.pid:
                running.append(found)
                return await _is_ready(found.ops)
            return False

        await eventually(is_ready, within_s=START_S)
        return running[-1]

    def _spawned(self, command: Sequence[str]) -> "subprocess.Popen[bytes]":
        """A child that is told to end when we do, even by SIGKILL, where the kernel does that."""
        lock = os.open(self.log.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        guard = [sys.executable, "-I", "-S", valkey_guard.__file__, "exec", str(lock), str(os.getpid()), ""]
        with os.fdopen(lock, "wb"), self.log.open("ab") as log:
            return subprocess.Popen(
                [*(guard if sys.platform == "linux" else ()), *command],
                stdout=log,
                stderr=log,
                env={**os.environ, **self.environment},
                pass_fds=(lock,),
            )

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        if self._process is None:
            return 0
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise

    def tail(self) -> str:
        return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-40:])

    def run(self, *words: str) -> str:
        """Another command of ours against this installation; its output."""
        done = subprocess.run(self.command(*words), capture_output=True, check=True, timeout=60)
        return done.stdout.decode()


async def _is_ready(ops: str) -> bool:
    try:
        async with aiohttp.ClientSession() as http, http.get(f"{ops}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


class Advisor:
    """One advisor at his desk, over the WebSocket of the API."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, welcome: dict[str, Any]) -> None:
        self.name = welcome["advisor"]
        self.welcome = welcome
        self._socket = socket
        self._ops = itertools.count(1)
        self._frames: list[dict[str, Any]] = []

    async def ask(self, kind: str, **members: Any) -> dict[str, Any]:
        """Ask for something and wait for its answer; pushes that come before it are kept."""
        op = f"{os.getpid()}-{id(self)}-{next(self._ops)}"
        await self._socket.send_json({"type": kind, "op": op, **members})
        return await self._next(lambda frame: frame.get("op") == op and frame["type"] in {"result", "problem"})

    async def push(self, kind: str, **members: Any) -> dict[str, Any]:
        """The next push of that kind with those members."""
        return await self._next(lambda frame: frame["type"] == kind and members.items() <= frame.items())

    async def _next(self, wanted: Any) -> dict[str, Any]:
        for kept in self._frames:
            if wanted(kept):
                self._frames.remove(kept)
                return kept
        async with asyncio.timeout(30):
            while True:
                frame: dict[str, Any] = json.loads(await self._socket.receive_str())
                if wanted(frame):
                    return frame
                self._frames.append(frame)


def kafka_settings(broker: Broker, server: Server) -> dict[str, Any]:
    """How to run on servers of their own."""
    return {
        "bus": {"kind": "kafka", "inquiry_partitions": 8, "partitions": 4},
        "kafka": {"bootstrap": [broker.bootstrap]},
        "redis": {"url": server.url},
        "signing_key": "a key for a journey, long enough to sign",
    }


class Installation:
    """Everything around a running service."""

    def __init__(self, process: Process, stack: AsyncExitStack) -> None:
        self.process = process
        self.running: RunFile
        self.customers: dict[str, Simulator] = {}
        self._stack = stack
        self._http = aiohttp.ClientSession()

    async def sign_in(self, advisor: str, *, presence: str = "online") -> Advisor:
        key = self.process.run("keys", "create", "--advisor", advisor).strip()
        socket = await self._stack.enter_async_context(self._http.ws_connect(f"{self.running.api}/v1/session"))
        await socket.send_json({"type": "hello", "key": key})
        async with asyncio.timeout(30):
            welcome = json.loads(await socket.receive_str())
        assert welcome["type"] == "welcome", welcome
        person = Advisor(socket, welcome)
        answer = await person.ask("presence", presence=presence)
        assert answer["type"] == "result", answer
        return person

    async def enter(self) -> None:
        """Tell each customer where his channel is now: again after another start."""
        for name, customer in self.customers.items():
            url, ports = self.running.channels[name], self.running.ports.get(name, {})
            await customer.enter(Entrance(base_url=url, ports=ports))

    async def metrics(self) -> dict[str, float]:
        async with self._http.get(f"{self.running.ops}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}

    async def close(self) -> None:
        await self._http.close()


@asynccontextmanager
async def installation(
    folder: Path, *, channels: Sequence[str], more: dict[str, Any] | None = None, kind: type[Process] = Process
) -> AsyncIterator[Installation]:
    """A running installation with a simulator of each channel, on free ports of loopback. ``kind`` is another child."""
    catalog = PluginCatalog()
    async with AsyncExitStack() as stack:
        customers = {}
        accounts = {}
        for name in channels:
            customers[name] = catalog.simulator(name)
            stack.push_async_callback(customers[name].close)
            options = dict(await customers[name].start(f"{name.replace('_', '-')}-account"))
            accounts[f"{name.replace('_', '-')}-account"] = {"channel": name, "options": options}
        settings = {
            "data_dir": str(folder / "data"),
            "http": {"channels_port": 0, "api_port": 0, "ops_port": 0},
            "bus": {"inquiry_partitions": 8, "partitions": 4},
            "accounts": accounts,
            **(more or {}),
        }
        process = kind(folder, msgspec.to_builtins(settings))
        stack.callback(process.stop)
        place = Installation(process, stack)
        stack.push_async_callback(place.close)
        place.running = await process.start()
        place.customers = customers
        await place.enter()
        yield place
