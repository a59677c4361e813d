"""An installation spread over processes, which are replaced one by one under traffic by those of a newer version."""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp

from router.runtime.bus.kafka import KafkaBus
from router.runtime.bus.kafka_client import KafkaOptions
from router.runtime.bus.protocol import Bus
from router.runtime.bus.streams import StreamsBus
from router.runtime.plugin_catalog import PluginCatalog
from router.runtime.run_file import RunFile
from router.runtime.simulators import Entrance, Simulator
from tests.suites.crowd import Customers, Line, Watch
from tests.suites.crowd_advisor import Worker
from tests.suites.eventually import eventually
from tests.suites.installation import Process

# In the order in which they are replaced: between the first and the last every role is there in both versions.
ROLES: Final = {
    "edge-0": ("relay", "api"),
    **{f"router-{number}": ("router",) for number in range(3)},
    "edge-1": ("relay", "api", "channels"),
}
ADVISORS: Final = tuple(f"advisor-{number}" for number in range(6))
STOP_S: Final = 10.0
RULES: Final = """
defaults: {queue: general, language: en}
outcomes: {solved: Solved}
channels: {webhook: {units: 10}}
policies: {standard: {first_response_s: 3600, resolution_s: 86400}}
queues: {general: {policy: standard, offer_s: 30}}
away_after: 0
grace_s: 10
"""


class Replicas(Line):
    """Where the API's replicas are reached, in rotation, those too that are down just now."""

    def __init__(self) -> None:
        super().__init__()
        self._urls: dict[str, str] = {}
        self._turn = itertools.count()

    def put(self, name: str, url: str) -> None:
        self._urls[name] = url
        self.open(url)

    async def address(self) -> str:
        await super().address()
        urls = list(self._urls.values())
        return urls[next(self._turn) % len(urls)]


class Replaceable(Process):
    """``turnout up`` of this version, or of the newer one from the next start on."""

    is_newer = False

    def command(self, *words: str) -> list[str]:
        python, dash, module, *rest = super().command(*words)
        return [python, dash, "tests.suites.newer_version" if self.is_newer else module, *rest]


class Rolling:
    """The processes by name, and everybody around them."""

    def __init__(self, folder: Path, more: dict[str, Any], simulator: Simulator) -> None:
        self.line = Replicas()
        self.watch = Watch()
        self.simulator = simulator
        self.customers = Customers(simulator, self.line, self.watch, seed=7)
        self.workers: list[Worker] = []
        self.parts = {
            name: Replaceable(folder, {**more, "data_dir": str(folder / name)}, roles=roles, name=name)
            for name, roles in ROLES.items()
        }
        self.running: dict[str, RunFile] = {}
        self.bus = _bus(more)
        self.http = aiohttp.ClientSession()

    async def start(self, name: str) -> None:
        """Start a process, and tell everybody where it is."""
        self.running[name] = found = await self.parts[name].start()
        if found.api:
            self.line.put(name, found.api)
        if found.channels:
            await self.simulator.enter(Entrance(base_url=found.channels["webhook"]))

    async def replace(self, name: str) -> float:
        """SIGTERM, and the newer version in its place; how long the old one took to end in good order."""
        part, begun_s = self.parts[name], time.monotonic()
        code = await asyncio.to_thread(part.stop)
        took_s = time.monotonic() - begun_s
        assert code == 0, part.tail()
        part.is_newer = True
        await self.start(name)
        return took_s

    async def metric(self, name: str) -> dict[str, float]:
        """A metric of the processes that have it."""
        found: dict[str, float] = {}
        for part, running in self.running.items():
            async with self.http.get(f"{running.ops}/metrics") as answer:
                lines = [line for line in (await answer.text()).splitlines() if line.startswith(f"{name} ")]
            found.update((part, float(line.rsplit(" ", 1)[1])) for line in lines)
        return found

    def said(self, event: str) -> list[str]:
        """The processes whose logs have such a line."""
        return [name for name, part in self.parts.items() if f'"{event}"' in part.log.read_text("utf-8", "replace")]

    @asynccontextmanager
    async def at_work(self, crowd: int) -> AsyncIterator["asyncio.Task[None]"]:
        """The crowd writes and all advisors are at their desks; the task ends when one of them gives up."""
        made = await asyncio.to_thread(self.parts["edge-0"].run, "keys", "create", "--each-advisor", "--json")
        keys = json.loads(made)
        self.workers = [Worker(name, keys[name], self.line, self.watch) for name in ADVISORS]
        working = asyncio.create_task(self._work(crowd), name="crowd")
        try:
            yield working
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    async def _work(self, crowd: int) -> None:
        async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as tasks:
            tasks.create_task(self.customers.run(crowd), name="customers")
            for worker in self.workers:
                tasks.create_task(worker.run(http), name=worker.name)

    async def close(self) -> None:
        await self.http.close()
        await self.bus.close()
        for part in self.parts.values():
            part.kill()


async def happens(claim: Callable[[], object], working: "asyncio.Task[None]", *, within_s: float = 40.0) -> None:
    """Wait for something; whoever of the crowd has given up meanwhile says why."""
    await eventually(lambda: working.done() or claim(), within_s=within_s)
    if working.done():
        await working


@asynccontextmanager
async def rolling(folder: Path, more: dict[str, Any]) -> AsyncIterator[Rolling]:
    """All roles running, customers let in; ``more`` names the store and the bus."""
    simulator = PluginCatalog().simulator("webhook")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(simulator.close)
        options = dict(await simulator.start("webhook-account"))
        settings = {
            **_policy(folder),
            "http": {"channels_port": 0, "api_port": 0, "ops_port": 0},
            "accounts": {"webhook-account": {"channel": "webhook", "options": options}},
            "signing_key": "a key for a journey, long enough to sign",
            "router": {"sweep_s": 1.0},
            "stop_s": STOP_S,
            **more,
        }
        place = Rolling(folder, settings, simulator)
        stack.push_async_callback(place.close)
        await asyncio.gather(*(place.start(name) for name in ROLES))
        yield place


def _policy(folder: Path) -> dict[str, Any]:
    (folder / "rules").mkdir()
    (folder / "rules" / "rules.yaml").write_text(RULES, "utf-8")
    rows = "".join(f"\n  - {{id: {name}, name: {name}, languages: {{en: 9}}, budget: 20}}" for name in ADVISORS)
    (folder / "roster.yaml").write_text(f"advisors:{rows}\n", "utf-8")
    return {"rules_dir": str(folder / "rules"), "roster_file": str(folder / "roster.yaml")}


def _bus(more: dict[str, Any]) -> Bus:
    if more["bus"].get("kind") == "kafka":
        return KafkaBus(KafkaOptions(bootstrap=",".join(more["kafka"]["bootstrap"])))
    return StreamsBus(more["redis"]["url"])
