"""A run of the demo from its first file to its account."""

import asyncio
import contextlib
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec

from router.demo.account import Edges, Findings, draw_up
from router.demo.customers import Customers
from router.demo.office import Office
from router.demo.roster import make_roster, roster_document, units_of
from router.demo.sabotage import Sabotage
from router.demo.service import DemoService, ServiceFiles
from router.demo.supervisor import find_waiting
from router.demo.traffic import schedule
from router.runtime.kafka_install import default_cache_dir
from router.runtime.kafka_server import start_kafka
from router.runtime.plugin_catalog import CHANNELS, SIMULATORS, PluginCatalog
from router.runtime.settings import BusKind
from router.runtime.simulators import Entrance, Simulator

_LOOK_S: Final = 0.5
_DRAIN_S: Final = 45.0
_QUIET_S: Final = 6.0
_LINGER_S: Final = 0.5
_KAFKA: Final = "TURNOUT__KAFKA__"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to run. ``keep``: a folder to leave everything in; without it nothing is left."""

    seconds: float
    rate: float
    seed: int
    bus: BusKind
    environ: Mapping[str, str]
    sabotage: Sabotage = Sabotage.NONE
    keep: Path | None = None


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """How things stand, for who watches. ``phase``: ``starting``, ``traffic``, ``draining`` or ``done``."""

    phase: str
    elapsed_s: float
    edges: Edges
    findings: Findings
    in_hand: Mapping[str, int]


class Screen(Protocol):
    """Shows a run to people."""

    def say(self, text: str) -> None:
        """One line on what is being done."""

    def show(self, scene: Scene) -> None:
        """How things stand now; called about twice a second."""


class _Parts:
    """What a run is made of, once it is up."""

    def __init__(self, plan: Plan, folder: Path, simulators: Mapping[str, Simulator]) -> None:
        self.plan = plan
        self.folder = folder
        self.simulators = simulators
        self.units = units_of(simulators)
        self.roster = make_roster(plan.rate)
        conversations = schedule(seed=plan.seed, seconds=plan.seconds, rate=plan.rate, channels=list(simulators))
        self.customers = Customers(simulators, conversations, sabotage=plan.sabotage)
        self.office = Office(self.roster, seed=plan.seed)
        self.service: DemoService
        self.keys: dict[str, str] = {}
        self.started = time.monotonic()

    def edges(self) -> Edges:
        return Edges(
            customers=tuple(self.customers.history),
            advisors=self.office.history(),
            roster={who.id: who for who in self.roster},
            units=self.units,
            channels=tuple(self.simulators),
        )

    def elapsed_s(self) -> float:
        return time.monotonic() - self.started

    def scene(self, phase: str) -> Scene:
        edges = self.edges()
        return Scene(
            phase=phase,
            elapsed_s=self.elapsed_s(),
            edges=edges,
            findings=draw_up(edges, sweep_found=0, seconds=self.elapsed_s()),
            in_hand={advisor.who.id: advisor.in_hand for advisor in self.office.advisors},
        )


async def run_demo(plan: Plan, screen: Screen) -> Findings:
    """Start everything, let the traffic flow, wait until it has drained, draw up the account, stop everything.

    Raises ``DemoFailed`` (alone or in a group), ``SettingsError`` or ``EmbeddedServerError`` when it can't run.
    """
    async with contextlib.AsyncExitStack() as stack:
        folder = stack.enter_context(_folder(plan.keep))
        simulators = _simulators()
        for simulator in simulators.values():
            stack.push_async_callback(simulator.close)
        parts = _Parts(plan, folder, simulators)
        await _start(parts, stack, screen)
        return await _play(parts, screen)


async def _start(parts: _Parts, stack: contextlib.AsyncExitStack, screen: Screen) -> None:
    plan = parts.plan
    screen.say(f"channels: {', '.join(parts.simulators)}; advisors: {len(parts.roster)}; bus: {plan.bus}")
    bootstrap = await stack.enter_async_context(_kafka(plan, parts.folder, screen))
    settings = await _settings(parts, bootstrap)
    files = ServiceFiles(
        folder=parts.folder, settings=settings, roster=roster_document(parts.roster), units=parts.units
    )
    parts.service = DemoService(files, _environ(plan.environ))
    stack.push_async_callback(parts.service.stop)
    screen.say("starting the service")
    await parts.service.start()
    create = ("keys", "create", "--json")
    made = await asyncio.gather(
        parts.service.command(*create, "--each-advisor"), parts.service.command(*create, "--role", "supervisor")
    )
    for keys in made:
        parts.keys |= msgspec.json.decode(keys, type=dict[str, str])
    run_file = parts.service.run_file
    for name, simulator in parts.simulators.items():
        await simulator.enter(Entrance(base_url=run_file.channels[name], ports=run_file.ports.get(name, {})))
    screen.say(f"the service is up (process {run_file.pid}): its log is {parts.service.log_file}")


async def _play(parts: _Parts, screen: Screen) -> Findings:
    online, written = asyncio.Event(), asyncio.Event()
    url = parts.service.run_file.api.replace("http", "ws", 1) + "/v1/session"
    async with asyncio.TaskGroup() as tasks:
        running = [
            tasks.create_task(parts.service.watch(), name="service watch"),
            tasks.create_task(parts.office.run(url, parts.keys, online), name="advisors"),
            tasks.create_task(parts.customers.run(online, written), name="customers"),
        ]
        await online.wait()
        parts.started = time.monotonic()
        await _watch(parts, screen, written)
        await _drain(parts, screen)
        findings = await _account(parts)
        for task in running:
            task.cancel()
    return findings


async def _watch(parts: _Parts, screen: Screen, written: asyncio.Event) -> None:
    """Show how things stand until all customers have begun to write."""
    while not written.is_set():
        screen.show(parts.scene("traffic"))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_S):
                await written.wait()


async def _drain(parts: _Parts, screen: Screen) -> None:
    """Wait until everything is answered, or nothing has happened for a while, or it takes too long."""
    ends = time.monotonic() + _DRAIN_S
    entries, since = 0, time.monotonic()
    while time.monotonic() < ends and time.monotonic() - since < _QUIET_S:
        scene = parts.scene("draining")
        screen.show(scene)
        seen = len(scene.edges.customers) + len(scene.edges.advisors)
        if seen != entries:
            entries, since = seen, time.monotonic()
        await asyncio.sleep(_LOOK_S)
        if _is_settled(scene) and time.monotonic() - since >= _LINGER_S:
            return  # nothing more came in the meantime: late duplicates would have


def _is_settled(scene: Scene) -> bool:
    account = scene.findings.account
    is_resolved = account.sent == account.accepted == account.resolved
    return is_resolved and account.replies_sent == account.replies_delivered


async def _account(parts: _Parts) -> Findings:
    edges, service = parts.edges(), parts.service
    seconds = parts.elapsed_s()
    found = await find_waiting(service.run_file.api, parts.keys["supervisor"])
    edges = msgspec.structs.replace(edges, found=found)
    return draw_up(edges, sweep_found=await service.sweep_found(), seconds=seconds)


# -- what it is made of


@contextlib.contextmanager
def _folder(keep: Path | None) -> Any:
    """Short, since the state store's socket lies in it."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    folder = Path(tempfile.mkdtemp(prefix="turnout-demo-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _simulators() -> dict[str, Simulator]:
    """One for every channel that has both an adapter and a simulator installed."""
    catalog = PluginCatalog()
    names = sorted(set(catalog.names(CHANNELS)) & set(catalog.names(SIMULATORS)))
    return {name: catalog.simulator(name) for name in names}


async def _settings(parts: _Parts, bootstrap: str) -> dict[str, Any]:
    accounts = {}
    for name, simulator in parts.simulators.items():
        account = f"demo-{name.replace('_', '-')}"
        accounts[account] = {"channel": name, "options": dict(await simulator.start(account))}
    settings: dict[str, Any] = {
        "accounts": accounts,
        "http": {"channels_port": 0, "api_port": 0, "ops_port": 0},
        "bus": {"kind": parts.plan.bus.value, "inquiry_partitions": 12, "partitions": 6},
        "router": {"sweep_s": 5},
        "stop_s": 15,
    }
    return settings | ({"kafka": {"bootstrap": [bootstrap]}} if bootstrap else {})


@contextlib.asynccontextmanager
async def _kafka(plan: Plan, folder: Path, screen: Screen) -> AsyncIterator[str]:
    """Where the Kafka is that was started for the run; empty when none is needed, or one is set already."""
    if plan.bus is not BusKind.KAFKA or f"{_KAFKA}BOOTSTRAP" in plan.environ:
        yield ""
        return
    screen.say("starting Kafka (its programs are fetched once, 43 MB)")
    server = await start_kafka(folder / "kafka", cache_dir=default_cache_dir(dict(plan.environ)))
    try:
        yield server.bootstrap
    finally:
        await server.stop()


def _environ(environ: Mapping[str, str]) -> dict[str, str]:
    """The service's environment: of Turnout's settings only how to reach Kafka, else the demo would run on data
    that isn't its own."""
    return {
        name: value for name, value in environ.items() if not name.startswith("TURNOUT_") or name.startswith(_KAFKA)
    }
