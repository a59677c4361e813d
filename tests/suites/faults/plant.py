"""The plant that faults are made in: three routers, relay, API and channels as processes of their own, each with a
proxy before the store, all with one before Kafka, and somebody who starts again what ends."""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp

from router.runtime.bus.kafka import KafkaBus
from router.runtime.bus.kafka_client import KafkaOptions
from router.runtime.clock import SystemClock
from router.runtime.plugin_catalog import PluginCatalog
from router.runtime.run_file import RunFile
from router.runtime.servers.kafka_server import KafkaPorts, KafkaServer, free_ports
from router.runtime.simulators import Entrance, Simulator
from tests.servers import Server
from tests.suites import processes
from tests.suites.crowd import Line, Watch
from tests.suites.eventually import eventually
from tests.suites.faults.brokers import Brokers, start_brokers
from tests.suites.faults.history import History
from tests.suites.faults.people import RecordedWorker, Writers, at_desks
from tests.suites.faults.proxy import Proxy, to_socket
from tests.suites.installation import Process

ADVISORS: Final = tuple(f"advisor-{number}" for number in range(6))
ONE_AT_A_TIME: Final = ADVISORS[-1]
"""The others may have two cases at once."""
RULES: Final = """
defaults: {queue: general, language: en}
outcomes: {solved: Solved}
channels:
  webhook: {units: 10}
  letter: {units: 10, interruptible: true}
  call: {units: 20, interrupts: true, wrap_up_s: 3}
rules:
  - {name: bells, match: {channel: bell}, set: {queue: bells}}
policies: {standard: {first_response_s: 4, resolution_s: 86400}}
ladders:
  standard: {steps: [{at: breach, raise_priority: 1}, {at: 3, raise_priority: 1}, {missed: 6, labels: [missed]}]}
queues:
  general: {policy: standard, ladder: standard, offer_s: 3, relax: [{after_s: 2, any_language: true}]}
  bells: {policy: standard, ladder: standard, offer_s: 3, ring: 2}
away_after: 0
grace_s: 5
backoff_s: 1
consult_offer_s: 3
cool_down_s: 1
reopen_s: 60
"""
RINGS: Final = {"bells": 2}
WRAP_UPS_MS: Final = {"call": 3_000}
ROUTERS: Final = ("router-0", "router-1", "router-2")
RELAYS: Final = ("relay-0", "relay-1")
PARTS: Final = {
    **dict.fromkeys(ROUTERS, "router"),
    **dict.fromkeys(RELAYS, "relay"),
    "api": "api",
    "channels": "channels",
}
_STARTS_WITHIN_S: Final = 120.0


class Part:
    """One process and its proxy to the store. It is started again whenever it ends, while ``wanted``."""

    def __init__(self, process: Process, store: Proxy, role: str) -> None:
        self.process = process
        self.role = role
        self.store = store
        self.wanted = True
        self.starts = 0
        self.ends = 0
        self.codes: Counter[int] = Counter()
        self.running: RunFile | None = None
        self._once: dict[str, str] = {}
        self._clock = SystemClock()

    async def keep(self) -> None:
        """Start it again and again, at once after an end, later when it ends in starting; until cancelled."""
        failures = 0
        while True:
            await eventually(lambda: self.wanted, within_s=3600)
            self.starts += 1
            try:
                self.running = await self.process.start()
                failures = 0
            except AssertionError:
                failures += 1
            self._forget_once()
            await eventually(lambda: self.process.has_ended, within_s=3600)
            self.running = None
            self.ends += 1
            self.codes[self.process.exit_code] += 1
            if failures:
                await self._clock.sleep_until_ms(self._clock.now_ms() + 1000 * min(failures, 3))

    async def start_with(self, **settings: str) -> None:
        """Start it anew with these settings, this once: ``crash_at`` ends it at that point."""
        self._once = {f"TURNOUT__{name.upper()}": value for name, value in settings.items()}
        self.process.environment |= self._once
        starts = self.starts
        await asyncio.to_thread(self.process.stop)
        await eventually(lambda: self.starts > starts, within_s=_STARTS_WITHIN_S)

    def _forget_once(self) -> None:
        for name in self._once:
            self.process.environment.pop(name, None)
        self._once = {}


class Plant:
    """Everything that runs, and everybody around it."""

    def __init__(self, folder: Path, store: Server, brokers: Brokers) -> None:
        self.folder = folder
        self.store = store
        self.brokers = brokers
        self.parts: dict[str, Part] = {}
        self.stack: AsyncExitStack
        self.history = History()
        self.watch = Watch()
        self.bites: Counter[str] = Counter()
        self.poison: set[str] = set()
        self.workers: list[RecordedWorker] = []
        self.people: set[asyncio.Task[None]] = set()
        self.writers: Writers
        self.bus: KafkaBus
        self._line = Line()
        self._http = aiohttp.ClientSession()

    # -- what faults do

    def kill(self, name: str) -> None:
        """SIGKILL; it is started again."""
        self.parts[name].process.kill()
        self.bites[f"kill {self.parts[name].role}"] += 1

    async def restart(self, name: str) -> None:
        """SIGTERM, and wait until it is there again."""
        part = self.parts[name]
        starts = part.starts
        await asyncio.to_thread(part.process.stop)
        self.bites[f"restart {part.role}"] += 1
        await eventually(lambda: part.starts > starts and part.running, within_s=_STARTS_WITHIN_S)

    def freeze(self, name: str) -> None:
        processes.freeze(self.parts[name].process.pid)
        self.bites[f"freeze {self.parts[name].role}"] += 1

    def thaw(self, name: str) -> None:
        processes.thaw(self.parts[name].process.pid)

    def freeze_broker(self) -> None:
        processes.freeze(self.kafka.pid)
        self.bites["broker frozen"] += 1

    def thaw_broker(self) -> None:
        processes.thaw(self.kafka.pid)

    @property
    def kafka(self) -> KafkaServer:
        """The first broker, or the only one."""
        return self.brokers.servers[0]

    @property
    def bus_proxy(self) -> Proxy:
        """Before the first broker."""
        return self.brokers.proxies[0]

    @property
    def kafka_address(self) -> str:
        """As clients see it."""
        return self.brokers.address

    @property
    def store_proxies(self) -> list[Proxy]:
        return [part.store for part in self.parts.values()]

    def heal(self) -> None:
        """End what the proxies do."""
        for proxy in (*self.store_proxies, *self.brokers.proxies):
            proxy.behave()

    async def all_up(self) -> None:
        """Everything runs and is ready."""
        await eventually(lambda: all(part.running for part in self.parts.values()), within_s=_STARTS_WITHIN_S)

    async def metric(self, name: str, role: str = "") -> float:
        """The sum of a metric over the processes (of a role) that answer, all its labels together where ``name`` ends
        ``{``."""
        total = 0.0
        for part in self.parts.values():
            if part.running is None or role not in ("", part.role):
                continue
            with contextlib.suppress(aiohttp.ClientError, TimeoutError):
                async with self._http.get(f"{part.running.ops}/metrics", timeout=aiohttp.ClientTimeout(5)) as answer:
                    text = await answer.text()
                total += sum(_value(line) for line in text.splitlines() if line.startswith(name))
        return total

    # -- its life

    async def nobody_gives_up(self) -> None:
        """Return never; raise why one of the people gave up."""
        done, _ = await asyncio.wait(self.people, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()

    async def open(self, stack: AsyncExitStack, mutant: str = "") -> None:
        """Start all, let people in. What scenes add ends when the stack unwinds, too."""
        self.stack = stack
        stack.push_async_callback(self._http.close)
        simulator = PluginCatalog().simulator("webhook")
        stack.push_async_callback(simulator.close)
        options = dict(await simulator.start("webhook-account"))
        self._settings = self._common({"webhook-account": {"channel": "webhook", "options": options}})
        self._mutant = mutant
        ports = free_ports()
        for name, role in PARTS.items():
            await self.add(name, role, ports)
        await self.all_up()
        await self._let_in(stack, simulator)

    async def add(self, name: str, role: str, ports: KafkaPorts | None = None) -> Part:
        """One more process, which is kept up from now on; ``ports`` are those of channels and API."""
        proxy = Proxy(to_socket(str(self.store.socket)))
        port = await proxy.open()
        self.stack.push_async_callback(proxy.close)
        ports = ports or free_ports()
        settings = {
            **self._settings,
            "data_dir": str(self.folder / name),
            "redis": {"url": f"redis://127.0.0.1:{port}/0"},
            "http": {"channels_port": ports.clients, "api_port": ports.controller, "ops_port": 0},
        }
        process = MutantProcess(self.folder, settings, roles=(role,), name=name, mutant=self._mutant)
        self.stack.callback(process.kill)
        part = self.parts[name] = Part(process, proxy, role)
        await _run(self.stack, part.keep(), "keeper")
        return part

    def _common(self, accounts: dict[str, Any]) -> dict[str, Any]:
        """What all processes are told."""
        copies = len(self.brokers.servers)
        return {
            **self._policy(),
            "accounts": accounts,
            "signing_key": "a key for a plant, long enough to sign",
            "bus": {"kind": "kafka", "inquiry_partitions": 6, "partitions": 4, "replication_factor": copies},
            "kafka": {"bootstrap": self.kafka_address.split(","), "session_timeout_s": 3.0},
            "router": {"sweep_s": 5.0, "max_attempts": 3},
            "watchdog": {"loop_blocked_s": 5.0},
            "stop_s": 5.0,
        }

    def _policy(self) -> dict[str, Any]:
        (self.folder / "rules").mkdir()
        (self.folder / "rules" / "rules.yaml").write_text(RULES, "utf-8")
        budgets = dict.fromkeys(ADVISORS, 20) | {ONE_AT_A_TIME: 10}
        rows = "".join(
            f"\n  - {{id: {name}, name: {name}, languages: {{en: 9}}, budget: {budget}}}"
            for name, budget in budgets.items()
        )
        (self.folder / "roster.yaml").write_text(f"advisors:{rows}\n", "utf-8")
        return {"rules_dir": str(self.folder / "rules"), "roster_file": str(self.folder / "roster.yaml")}

    async def _let_in(self, stack: AsyncExitStack, simulator: Simulator) -> None:
        self.bus = KafkaBus(KafkaOptions(bootstrap=self.kafka_address))
        stack.push_async_callback(self.bus.close)
        api, channels = self.parts["api"], self.parts["channels"]
        assert api.running is not None
        assert channels.running is not None
        made = await asyncio.to_thread(api.process.run, "keys", "create", "--each-advisor", "--json")
        keys = json.loads(made)
        self._line.open(api.running.api)
        await simulator.enter(Entrance(base_url=channels.running.channels["webhook"]))
        self.writers = Writers(simulator, self.watch, self.history)
        passed: set[str] = set()
        self.workers = [
            RecordedWorker(name, keys[name], self._line, self.watch, history=self.history, passed=passed)
            for name in ADVISORS
        ]
        self.people = {
            await _run(stack, self.writers.listen(), "customers listen"),
            await _run(stack, at_desks(self.workers), "advisors"),
        }


class MutantProcess(Process):
    """``turnout up``, or the same of a mutant; routers and relays walk into traps."""

    def __init__(
        self, folder: Path, settings: dict[str, Any], *, roles: Sequence[str], name: str, mutant: str = ""
    ) -> None:
        super().__init__(folder, settings, roles=roles, name=name)
        self._mutant = mutant or ("none" if {"router", "relay"} & set(roles) else "")

    def command(self, *words: str) -> list[str]:
        python, dash, module, *rest = super().command(*words)
        if self._mutant:
            return [python, dash, "tests.faults.mutants", self._mutant, *rest]
        return [python, dash, module, *rest]


async def _run(stack: AsyncExitStack, work: Any, name: str) -> "asyncio.Task[None]":
    """A task from now until the stack unwinds."""
    task = asyncio.create_task(work, name=name)

    async def end() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)  # a scene that it spoilt has said so

    stack.push_async_callback(end)
    return task


def _value(line: str) -> float:
    return float(line.rsplit(" ", 1)[1])


@asynccontextmanager
async def plant(folder: Path, *, mutant: str = "", brokers: int = 1) -> AsyncIterator[Plant]:
    """A running plant on servers of its own; ``mutant`` names a change that breaks the product."""
    async with AsyncExitStack() as stack:
        store = Server("valkey", append_fsync="no")
        stack.callback(store.close)
        place = Plant(folder, store, await start_brokers(stack, folder, brokers))
        await place.open(stack, mutant)
        yield place
