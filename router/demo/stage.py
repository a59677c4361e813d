"""What a run needs, opened in order and closed in reverse: folder, simulators, Kafka, the service, its keys."""

import asyncio
import contextlib
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from router.demo.errors import DemoFailed, ServiceFailed
from router.demo.roster import Advisor, make_roster, roster_document, units_of
from router.demo.sabotage import Sabotage
from router.demo.service import DemoService, ServiceFiles
from router.runtime.plugin_catalog import CHANNELS, SIMULATORS, PluginCatalog
from router.runtime.servers.kafka_install import default_cache_dir
from router.runtime.servers.kafka_server import start_kafka
from router.runtime.settings.model import BusKind
from router.runtime.simulators import Entrance, Simulator

_KAFKA: Final = "TURNOUT__KAFKA__"
_KEYS: Final = msgspec.json.Decoder(dict[str, str])

Say = Callable[[str], None]


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What to run. ``keep``: a folder to leave everything in; without it nothing is left."""

    seconds: float
    rate: float
    seed: int
    bus: BusKind
    environ: Mapping[str, str]
    sabotage: Sabotage = Sabotage.NONE
    keep: Path | None = None


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """All of it, ready: the service answers, the simulators know its ports, everybody has a key."""

    simulators: Mapping[str, Simulator]
    roster: tuple[Advisor, ...]
    units: Mapping[str, int]
    service: DemoService
    advisor_keys: Mapping[str, str]
    supervisor_key: str

    @property
    def session_url(self) -> str:
        return f"{self.service.run_file.api.replace('http', 'ws', 1)}/v1/session"


@contextlib.asynccontextmanager
async def open_stage(plan: Plan, say: Say) -> AsyncIterator[Stage]:
    """Raises ``DemoFailed``, ``PluginFailed`` or ``EmbeddedServerError`` when it can't be had."""
    async with contextlib.AsyncExitStack() as stack:
        folder = stack.enter_context(_folder(plan.keep))
        simulators = _simulators()
        for simulator in simulators.values():
            stack.push_async_callback(simulator.close)
        roster, units = make_roster(plan.rate), units_of(simulators)
        say(f"channels: {', '.join(simulators)}; advisors: {len(roster)}; bus: {plan.bus}")
        bootstrap = await stack.enter_async_context(_kafka(plan, folder, say))
        settings = await _settings(plan, simulators, bootstrap)
        files = ServiceFiles(folder=folder, settings=settings, roster=roster_document(roster), units=units)
        service = DemoService(files, _environ(plan.environ))
        stack.push_async_callback(service.stop)
        say("starting the service")
        await service.start()
        for name, simulator in simulators.items():
            await simulator.enter(_entrance(service, name))
        keys = await asyncio.gather(_keys(service, "--each-advisor"), _keys(service, "--role", "supervisor"))
        say(f"the service is up (process {service.run_file.pid}); while it runs its log is {service.log_file}")
        yield Stage(
            simulators=simulators,
            roster=roster,
            units=units,
            service=service,
            advisor_keys=keys[0],
            supervisor_key=keys[1]["supervisor"],
        )


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    """Short by itself, since the state store's socket lies in it."""
    if keep is not None:
        if keep.exists() and any(keep.iterdir()):
            raise DemoFailed(f"{keep} is not empty: its earlier messages would mix with the new ones; name another")
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


async def _settings(plan: Plan, simulators: Mapping[str, Simulator], bootstrap: str) -> dict[str, Any]:
    # A Kafka that is used again knows the conversations of earlier runs: by its account each run has its own.
    run, accounts = secrets.token_hex(3), {}
    for name, simulator in simulators.items():
        account = f"demo-{name.replace('_', '-')}-{run}"
        accounts[account] = {"channel": name, "options": dict(await simulator.start(account))}
    settings: dict[str, Any] = {
        "accounts": accounts,
        "http": {"channels_port": 0, "api_port": 0, "ops_port": 0},
        "bus": {"kind": plan.bus.value, "inquiry_partitions": 12, "partitions": 6},
        "router": {"sweep_s": 5},
        "stop_s": 15,
    }
    return settings | ({"kafka": {"bootstrap": [bootstrap]}} if bootstrap else {})


@contextlib.asynccontextmanager
async def _kafka(plan: Plan, folder: Path, say: Say) -> AsyncIterator[str]:
    """Where the Kafka is that was started for the run; empty when none is needed, or one is set already."""
    if plan.bus is not BusKind.KAFKA or f"{_KAFKA}BOOTSTRAP" in plan.environ:
        yield ""
        return
    say("starting Kafka (its programs, 43 MB, are fetched the first time)")
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


def _entrance(service: DemoService, channel: str) -> Entrance:
    run_file = service.run_file
    if channel not in run_file.channels:
        raise ServiceFailed(f"the service doesn't say where {channel} listens; it has {', '.join(run_file.channels)}")
    return Entrance(base_url=run_file.channels[channel], ports=run_file.ports.get(channel, {}))


async def _keys(service: DemoService, *arguments: str) -> dict[str, str]:
    return _KEYS.decode(await service.command("keys", "create", "--json", *arguments))
