"""Where benchmarks run: real servers, the real service, pools made ready for a run.

The service is composed as when it is scaled: the relay is a process of its own (``turnout up --role relay``), and
the router another: this one, so that a benchmark can look at it. A bare loop is one process.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import msgspec

from router.api.desks import Desk
from router.app import Role, Service
from router.contract.advisor import Presence
from router.contract.ids import AdvisorId, PoolId
from router.contract.topics import inquiries, topic_specs
from router.runtime.bus.choice import make_bus
from router.runtime.bus.protocol import Bus, Outgoing
from router.runtime.clock import SystemClock
from router.runtime.plugin_catalog import Installation
from router.runtime.redis import Purpose, connect
from router.runtime.servers.kafka_install import default_cache_dir
from router.runtime.servers.kafka_server import start_kafka
from router.runtime.servers.valkey import start_embedded
from router.runtime.settings.model import BusKind, BusSettings, Settings
from router.runtime.settings.tree import build
from router.service.configuration.rule_files import RuleFiles, profile_of
from router.store.acts import AnyAct, Done, PresenceAct, ProfileAct
from router.store.keys import prefix
from router.store.memory import MemoryStore
from router.store.protocol import Outbox, Store
from router.store.redis import RedisStore
from rules import Roster, Rulebook
from tests.bench.traffic import write_policy
from tests.suites.eventually import eventually
from tests.suites.installation import Process

T = TypeVar("T")

_PAGE: Final = 1_000
_BATCH: Final = 100
_START_S: Final = 60.0
_KEY: Final = "benchmarks-sign-nothing-with-this-key"


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """How much is run. Everything is bounded by it."""

    runs: int = 3
    advisors: int = 1_000
    inquiries: int = 6_000
    lives: int = 2_000
    batches: tuple[int, ...] = (32, 64, 128, 256, 512)
    rate: int = 500
    paced: int = 10_000
    partitions: int = 64
    longest_s: float = 300.0
    rosters: tuple[int, ...] = (100, 1_000, 10_000)
    routers: int = 3
    backlog: int = 10_000
    backlogs: tuple[int, int] = (1_000, 1_000_000)
    turns: int = 300
    frees: int = 2_000
    frees_a_second: int = 100
    held_s: float = 10.0
    busy: float = 0.7
    busy_s: float = 40.0
    decisions: int = 2_000
    open_cases: int = 100_000
    beside_a_second: int = 100
    calm_s: float = 20.0
    due_times: int = 200_000
    timers: int = 1_000_000
    timers_due: int = 50_000
    timers_a_second: int = 2_000
    timers_s: float = 20.0


QUICK: Final = Scale(
    runs=1,
    advisors=40,
    inquiries=300,
    lives=80,
    batches=(32, 512),
    paced=250,
    partitions=4,
    rosters=(10, 20, 40),
    backlog=100,
    backlogs=(20, 200),
    turns=10,
    frees=20,
    held_s=0.5,
    busy_s=2.0,
    decisions=50,
    open_cases=200,
    beside_a_second=40,
    calm_s=1.0,
    due_times=500,
    timers=400,
    timers_due=200,
    timers_a_second=100,
    timers_s=1.5,
)


class Ground:
    """Running servers, and what every run on them shares. Made by ``open_ground``."""

    def __init__(
        self, folder: Path, store_url: str, bus: BusSettings, *, brokers: tuple[str, ...], scale: Scale
    ) -> None:
        self.folder = folder
        self.scale = scale
        self.kind = bus.kind
        self._store_url = store_url
        self._bus = bus
        self._brokers = brokers
        rules, roster = write_policy(folder, scale.advisors)
        self._rules_dir, self._roster_file = str(rules), str(roster)
        files = RuleFiles(self._rules_dir, self._roster_file)
        self.rulebook: Rulebook = files.rulebook()
        self.roster: Roster = files.roster()
        self._commands = connect(store_url, max_connections=32)
        self._waits = connect(store_url, purpose=Purpose.BLOCKING)
        self.store = RedisStore(self._commands, self._waits)
        self.bus: Bus

    def settings(self, pool: PoolId, part: str) -> dict[str, Any]:
        """What ``turnout up`` is told to serve that pool here, as a part of the installation."""
        return {
            "data_dir": str(self.folder / part),
            "pools": [pool],
            "redis": {"url": self._store_url},
            "kafka": {"bootstrap": list(self._brokers)},
            "bus": msgspec.to_builtins(self._bus),
            "http": {"channels_port": 0, "api_port": 0, "ops_port": 0},
            "signing_key": _KEY,
            "rules_dir": self._rules_dir,
            "roster_file": self._roster_file,
        }

    async def open(self) -> None:
        self.bus = make_bus(_read(self.settings(PoolId("default"), "bus")), self._store_url)
        await self.store.open()

    async def close(self) -> None:
        await self.bus.close()
        await self.store.close()
        await self._commands.close()
        await self._waits.close()

    async def load(self, pool: PoolId, records: Sequence[Outgoing]) -> None:
        """Make the topics of a pool, and put inquiries on its own."""
        await self.bus.create_topics(
            topic_specs((pool,), inquiry_partitions=self._bus.inquiry_partitions, partitions=self._bus.partitions)
        )
        for batch in batches(records, _PAGE):
            await self.bus.publish(batch)

    async def reset(self, pool: PoolId) -> None:
        """The pool as new: no case, all advisors online and idle, nothing left for matcher or relay."""
        await self.wipe(pool)
        await staff(self.store, pool, self.roster)
        await settle(self.store, pool)
        lease = await self.store.take(pool)
        await self.store.trim(pool, lease, (await self.store.status(pool)).number)
        await self.store.release(pool, lease)

    async def used_bytes(self, pool: PoolId) -> int:
        """Memory of the state server that the keys of a pool take, each counted whole by the server."""
        total = 0
        async for names in self._keys(pool):
            asked = await self._commands.exchange([("MEMORY", "USAGE", name, "SAMPLES", 0) for name in names])
            total += sum(cast("list[int]", asked))
        return total

    async def wipe(self, pool: PoolId) -> None:
        """Nothing of the pool is left in the store."""
        async for names in self._keys(pool):
            await self._commands.call("UNLINK", *names)

    async def _keys(self, pool: PoolId) -> AsyncIterator[list[bytes]]:
        cursor: object = b"0"
        while True:
            reply = await self._commands.call(
                "SCAN", cast("bytes", cursor), "MATCH", f"{prefix(pool)}*", "COUNT", _PAGE
            )
            cursor, names = cast("tuple[bytes, list[bytes]]", reply)
            if names:
                yield names
            if cursor == b"0":
                break

    @asynccontextmanager
    async def service(self, pool: PoolId, *, ready: bool = False) -> AsyncIterator[Desk]:
        """The relay in a child, and the router in this process; the desk of their pool.

        With ``ready`` the router has joined its groups; else it may have begun to work, and waits for no one.
        """
        relay = Process(self.folder, self.settings(pool, "relay"), roles=(Role.RELAY,), name="relay")
        try:
            await relay.start()
            async with self._router(pool, ready=ready) as desk:
                yield desk
        finally:
            await asyncio.to_thread(relay.stop)

    @asynccontextmanager
    async def _router(self, pool: PoolId, *, ready: bool) -> AsyncIterator[Desk]:
        service = Service(_read(self.settings(pool, "router")), frozenset({Role.ROUTER}), Installation({}, {}))
        # Ctrl-C is for the benchmark: the service would only stop itself, and leave the run waiting for it.
        running = asyncio.create_task(service.run(signals=False), name="bench-service")
        try:
            desk = await _desk(service, pool, running)
            if ready:
                await _join(service)
            yield desk
        finally:
            service.process.life.request_stop("the run is over")
            await running


def _read(settings: dict[str, Any]) -> Settings:
    problems: list[str] = []
    read = build(Settings, settings, problems=problems)
    assert read is not None, problems
    return read


async def _desk(service: Service, pool: PoolId, running: "asyncio.Task[None]") -> Desk:
    def found() -> Desk | None:
        if running.done():
            running.result()
        return service.desks.get(pool)

    desk = await eventually(found, within_s=_START_S)
    assert desk is not None
    return desk


async def _join(service: Service) -> None:
    async def is_ready() -> bool:
        return not await service.process.readiness.problems()

    await eventually(is_ready, within_s=_START_S)


async def staff(store: Store, pool: PoolId, roster: Roster) -> None:
    """Make the pool with its advisors, all online."""
    gen = (await store.open_pool(pool)).gen
    common: dict[str, Any] = {"pool": pool, "gen": gen, "now_ms": SystemClock().now_ms()}
    for rows in batches(roster.advisors, _BATCH):
        acts: list[AnyAct] = []
        for row in rows:
            profile, name = profile_of(row), AdvisorId(row.id)
            text = msgspec.json.encode(profile, order="deterministic").decode()
            acts.append(ProfileAct(**common, advisor=name, budget=profile.budget, profile=text, caps=profile.caps))
            acts.append(PresenceAct(**common, advisor=name, presence=Presence.ONLINE))
        await store.apply(acts)


async def settle(store: RedisStore | MemoryStore, pool: PoolId) -> None:
    """Say of all work items that they are served: right while no case waits."""
    while (work := await store.work(pool)).items:
        await store.apply(
            [Done(pool=pool, gen=work.gen, now_ms=work.now_ms, item=one.item, stamp=one.stamp) for one in work.items]
        )


async def relayed(outbox: Outbox, pool: PoolId, number: int, *, within_s: float) -> None:
    """Return when the relay has brought the outbox to the bus up to that number."""
    async with asyncio.timeout(within_s):
        reached = 0
        while reached < number:
            reached = await outbox.relayed(pool, reached, wait_ms=1_000)


def batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in order, so many at a time; the last may be fewer."""
    return (items[at : at + size] for at in range(0, len(items), size))


@asynccontextmanager
async def open_ground(kind: BusKind, scale: Scale) -> AsyncIterator[Ground]:
    """Start a Valkey (its log synced every second), and Kafka if that is the bus. Raises ``EmbeddedServerError``
    saying what is missing. ``TURNOUT_TEST_KAFKA`` (host:port) names a broker to use instead of our own."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="turnout-bench-")))
        brokers: tuple[str, ...] = ()
        if kind is BusKind.KAFKA:
            brokers = (os.environ.get("TURNOUT_TEST_KAFKA") or await _own_kafka(stack, folder / "kafka"),)
        valkey = await start_embedded(folder / "valkey", append_fsync="everysec")
        stack.push_async_callback(valkey.stop)
        bus = BusSettings(kind=kind, inquiry_partitions=scale.partitions, partitions=min(16, scale.partitions))
        ground = Ground(folder, valkey.url, bus, brokers=brokers, scale=scale)
        await ground.open()
        stack.push_async_callback(ground.close)
        yield ground


async def _own_kafka(stack: AsyncExitStack, folder: Path) -> str:
    server = await start_kafka(folder, cache_dir=default_cache_dir(dict(os.environ)))
    stack.push_async_callback(server.kill)
    return server.bootstrap


def topic_of(pool: PoolId) -> str:
    return inquiries(pool)
