"""The composition root: the one place where the objects of a process are built and joined."""

import asyncio
import importlib.util
import os
import secrets
import time
from collections.abc import Awaitable, Callable
from enum import StrEnum
from importlib import metadata
from pathlib import Path
from typing import Final

from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from router.api.desks import Desk
from router.api.server import ApiParts, ApiServer
from router.contract.ids import PoolId
from router.contract.topics import DELIVERIES, inquiries, topic_specs
from router.runtime import run_file as run_files
from router.runtime.blobs import open_blobs
from router.runtime.bus.choice import make_bus
from router.runtime.bus.lanes import Consumer, Limits
from router.runtime.bus.protocol import Bus, Record
from router.runtime.channel_host_role import ChannelRole, RoleParts
from router.runtime.chat_log import RedisChatLog
from router.runtime.clock import SystemClock
from router.runtime.ledger import RedisLedger
from router.runtime.lifecycle import Lifecycle
from router.runtime.metrics import RuntimeMetrics
from router.runtime.notice_host import NoticeRole
from router.runtime.ops import OpsServer, Readiness
from router.runtime.plugin_catalog import Installation
from router.runtime.redis import Coalescer, Purpose, RedisClient, connect
from router.runtime.run_file import RunFile
from router.runtime.settings import Mode, Settings
from router.runtime.signer import Signer, kept_key
from router.runtime.valkey import start_embedded
from router.runtime.watchdog import LoopWatch, Watchdog
from router.service.acting import Actor
from router.service.api_keys import KeyTable
from router.service.casework import Casework
from router.service.configuration import ConfigurationTail, ConfigurationWriter
from router.service.dead_letters import DeadLetters
from router.service.deliveries import Deliveries
from router.service.fences import Fences, NoFences
from router.service.gauges import Gauges, PoolMetrics
from router.service.intake import Intake
from router.service.matcher import Matcher
from router.service.metrics import ServiceMetrics
from router.service.policies import Policies
from router.service.policy_loader import PolicyLoader
from router.service.progress import Progress
from router.service.relay import Relay
from router.service.roster import RosterTail
from router.service.rule_files import RuleFiles
from router.service.sweep import Sweep
from router.service.timers import Timers
from router.store.redis import RedisStore
from rules import Rulebook

_FIRST_RULEBOOK_S: Final = 60.0
_LIBRARY_MS: Final = 3_600_000


class Role(StrEnum):
    """What a process does. Standalone, one process does all."""

    ROUTER = "router"
    RELAY = "relay"
    CHANNELS = "channels"
    API = "api"


class Service:
    """One process: opened in order, closed in reverse by its lifecycle."""

    def __init__(self, settings: Settings, roles: frozenset[Role], installation: Installation) -> None:
        self._settings = settings
        self._roles = roles
        self._installation = installation
        self._registry = CollectorRegistry()
        self._clock = SystemClock()
        self._runtime_metrics = RuntimeMetrics(self._registry, version=metadata.version("turnout"), mode=settings.mode)
        self._metrics = ServiceMetrics(self._registry)
        self._pool_metrics = PoolMetrics(self._registry, settings.served_pools if Role.ROUTER in roles else ())
        self._readiness = Readiness()
        self._life = Lifecycle(stop_s=settings.stop_s)
        self._policies: Policies
        self._keys: KeyTable
        self._loader: PolicyLoader | None = None
        self._bus: Bus
        self._store: RedisStore
        self._store_url = ""
        self._pools: dict[PoolId, Desk] = {}

    async def run(self) -> None:
        """Serve until told to stop. Raises what made the service fail."""
        data = Path(self._settings.data_dir)
        async with self._life:
            await asyncio.to_thread(data.mkdir, parents=True, exist_ok=True)
            self._life.handle_signals(self._loader_asked)
            await self._open_watch()
            await self._open_state(data)
            if self._roles & {Role.ROUTER, Role.API}:
                await self._open_policy()
                await self._open_pools()
            run_file = await self._open_roles(data)
            self._readiness.add("start", _is_done)
            await self._life.open("run file", _write_run_file(data, run_file), _remove_run_file)
            await self._life.stopped()
            self._readiness.withdraw("the process is stopping")

    # -- state

    async def _open_watch(self) -> None:
        watch = LoopWatch(self._runtime_metrics, blocked_s=self._settings.watchdog.loop_blocked_s)
        watchdog = Watchdog(self._clock, watch, poll_age_s=self._settings.watchdog.poll_age_s)
        self._life.spawn("loop watch", watch.run())
        self._ops = OpsServer(
            registry=self._registry,
            metrics=self._runtime_metrics,
            readiness=self._readiness,
            liveness=watchdog.problem,
        )
        http = self._settings.http
        await self._life.open("ops port", self._ops.start(http.host, http.ops_port), lambda _, __: self._ops.close())

    async def _open_state(self, data: Path) -> None:
        settings = self._settings
        if settings.mode is Mode.STANDALONE:
            binary = Path(settings.redis.binary) if settings.redis.binary else None
            embedded = start_embedded(data / "valkey", dies_with_parent=not settings.redis.outlives, binary=binary)
            server = await self._life.open("valkey", embedded, lambda one, _: one.stop())
            self._store_url = server.url
            self._life.spawn("valkey watch", _end_with(server.exited()))
        else:
            assert settings.redis.url is not None
            self._store_url = settings.redis.url.reveal()
        self._bus = make_bus(settings, self._store_url)
        await self._life.open("bus", self._open_bus(), lambda _, __: self._bus.close())
        commands = await self._connect("store commands", connections=settings.redis.connections)
        waits = await self._connect("store waits", purpose=Purpose.BLOCKING)
        self._store = RedisStore(commands, waits)
        await self._life.open("store", self._store.open(), lambda _, __: self._store.close())
        self._life.spawn("store library", self._keep_library())
        logs = Coalescer(await self._connect("reply and chat logs"))
        self._ledger = RedisLedger(logs)
        self._chat_log = RedisChatLog(logs, await self._connect("chat log waits", purpose=Purpose.BLOCKING))
        self._signer = Signer([settings.signing_key or kept_key(data / "signing-key")])
        self._blobs = open_blobs(settings.blobs.url, data / "blobs", self._signer, metrics=self._runtime_metrics)

    async def _connect(self, name: str, *, purpose: Purpose = Purpose.COMMANDS, connections: int = 8) -> RedisClient:
        """A client of the state store, given back when the process ends."""
        client = connect(self._store_url, purpose=purpose, max_connections=connections)
        await self._life.open(name, _nothing(), lambda _, __: client.close())
        return client

    async def _keep_library(self) -> None:
        """Say every hour that this version's functions are in use; those that nobody uses go after a day."""
        while True:
            await self._store.keep_library(self._clock.now_ms())
            await self._clock.sleep_until_ms(self._clock.now_ms() + _LIBRARY_MS)

    async def _open_bus(self) -> None:
        bus = self._settings.bus
        if bus.create_topics:
            pools = tuple(PoolId(pool) for pool in self._settings.pools)
            specs = topic_specs(pools, inquiry_partitions=bus.inquiry_partitions, partitions=bus.partitions)
            await self._bus.create_topics(specs)

    # -- pools

    async def _open_pools(self) -> None:
        for name in self._settings.served_pools:
            pool = PoolId(name)
            if pool not in self._pools:
                self._pools[pool] = await self._life.open(f"pool {pool}", self._open_pool(pool))

    async def _open_pool(self, pool: PoolId) -> Desk:
        actor = Actor(pool, self._store, self._store, clock=self._clock, metrics=self._metrics)
        await actor.open()
        tail = RosterTail(pool, self._store)
        actor.tell(tail.correct)
        progress = Progress(pool, self._store)
        self._life.spawn(f"roster {pool}", tail.run())
        self._life.spawn(f"progress {pool}", progress.run())
        await tail.ready.wait()
        casework = Casework(actor, self._store, tail, policies=self._policies)
        return Desk(
            actor=actor,
            reads=self._store,
            casework=casework,
            tail=tail,
            progress=progress,
            policies=self._policies,
        )

    # -- roles

    async def _open_roles(self, data: Path) -> RunFile:
        if Role.RELAY in self._roles:
            for name in self._settings.served_pools:
                await self._store.open_pool(PoolId(name))  # whichever role comes first makes it
                relay = Relay(PoolId(name), self._store, self._bus, clock=self._clock, metrics=self._metrics)
                self._life.spawn(f"relay {name}", relay.run())
        if Role.ROUTER in self._roles:
            await self._open_routers()
        run_file = RunFile(
            pid=os.getpid(),
            roles=tuple(sorted(self._roles)),
            ops=f"http://{self._settings.http.host}:{self._ops.port}",
            store=self._store_url if self._settings.mode is Mode.STANDALONE else "",
        )
        if Role.API in self._roles:
            run_file = await self._open_api(run_file)
        if Role.CHANNELS in self._roles:
            run_file = await self._open_channels(run_file)
        return run_file

    async def _open_routers(self) -> None:
        for pool in self._pools.values():
            self._open_router(pool)
        if self._loader is not None:
            await self._life.open("advisors", self._loader.enrol([pool.actor for pool in self._pools.values()]))
            self._life.spawn("policy files", self._loader.run())

    def _open_router(self, pool: Desk) -> None:
        name = pool.actor.pool
        matcher = Matcher(pool.actor, self._store, pool.tail, policies=self._policies, metrics=self._metrics)
        timers = Timers(
            pool.actor, self._store, pool.tail, policies=self._policies, clock=self._clock, metrics=self._metrics
        )
        sweep = Sweep(
            name,
            self._store,
            pool.tail,
            clock=self._clock,
            metrics=self._metrics,
            every_s=self._settings.router.sweep_s,
        )
        gauges = Gauges(name, self._store, pool.tail, clock=self._clock, metrics=self._pool_metrics)
        loops = {"matcher": matcher.run(), "timers": timers.run(), "sweep": sweep.run(), "gauges": gauges.run()}
        for title, work in loops.items():
            self._life.spawn(f"{title} {name}", work)
        self._consume_deliveries(pool)
        self._consume_inquiries(pool)

    def _consume_inquiries(self, pool: Desk) -> None:
        name = pool.actor.pool
        intake = Intake(pool.actor, pool.tail, policies=self._policies, progress=pool.progress, metrics=self._metrics)
        fences = Fences(name, self._store, DeadLetters(self._bus, self._metrics))

        async def admit(record: Record) -> Awaitable[None] | None:
            return await intake.handle(record, fences.fence_of(record))

        router = self._settings.router
        limits = Limits(lanes=router.lanes, max_in_flight=router.lanes * 16, resume_at=router.lanes * 8)
        consumer = Consumer(self._bus, f"router.{name}", [inquiries(name)], handle=admit, hooks=fences, limits=limits)
        self._run_consumer(f"inquiries {name}", consumer)

    def _consume_deliveries(self, pool: Desk) -> None:
        name = pool.actor.pool
        deliveries = Deliveries(pool.actor, policies=self._policies, progress=pool.progress)
        hooks = NoFences(DeadLetters(self._bus, self._metrics))
        consumer = Consumer(self._bus, f"deliveries.{name}", [DELIVERIES], handle=deliveries.handle, hooks=hooks)
        self._run_consumer(f"deliveries {name}", consumer)

    def _run_consumer(self, name: str, consumer: Consumer) -> None:
        async def is_polling() -> str | None:
            if consumer.polled_at is None:
                return "has not joined its group yet"
            if self._settings.mode is Mode.STANDALONE and not consumer.owned:
                return "waits for its partitions"
            age_s = time.monotonic() - consumer.polled_at
            return f"has not polled for {age_s:.0f} s" if age_s > 10 else None

        self._readiness.add(name, is_polling)
        self._life.spawn(name, consumer.run(), ask=consumer.stop)

    async def _open_api(self, run_file: RunFile) -> RunFile:
        parts = ApiParts(
            desks=self._pools,
            keys=self._keys,
            bus=self._bus,
            blobs=self._blobs,
            clock=self._clock,
            registry=self._registry,
            settings=self._settings,
            process=f"{os.getpid()}-{secrets.token_hex(6)}",
        )
        server = ApiServer(parts)
        http = self._settings.http
        self._life.spawn("api events", server.run())
        await self._life.open("api port", server.start(http.host, http.api_port), lambda _, __: server.close())
        return replace(run_file, api=f"http://{http.host}:{server.port}")

    async def _open_channels(self, run_file: RunFile) -> RunFile:
        parts = RoleParts(
            self._bus, self._ledger, self._blobs, self._signer, self._clock, self._registry, self._chat_log
        )
        role = ChannelRole(
            parts, settings=self._settings, channels=self._installation.channels, on_failure=self._life.fail
        )
        await self._life.open("channels", role.start(), lambda _, left_s: role.close(left_s))

        async def has_no_troubles() -> str | None:
            return "; ".join(role.troubles()) or None

        self._readiness.add("channels", has_no_troubles)
        await self._open_notices(parts)
        entrances = role.entrances()
        return replace(
            run_file,
            channels={name: entrance.base_url for name, entrance in entrances.items()},
            ports={name: entrance.ports for name, entrance in entrances.items()},
        )

    async def _open_notices(self, parts: RoleParts) -> None:
        role = NoticeRole(parts, notifiers=self._installation.notifiers, on_failure=self._life.fail)
        await self._life.open("notices", role.start(), lambda _, left_s: role.close(left_s))

        async def has_no_troubles() -> str | None:
            return "; ".join(role.troubles()) or None

        self._readiness.add("notices", has_no_troubles)

    # -- policy

    async def _open_policy(self) -> None:
        """The configuration as the topic has it, after a router has put into it what the files say."""
        process = f"{os.getpid()}-{secrets.token_hex(6)}"
        self._keys = KeyTable()
        tail = ConfigurationTail(self._bus, self._keys, clock=self._clock, process=process)
        self._life.spawn("configuration", tail.run())
        await self._life.open("configuration", tail.ready.wait())
        if Role.ROUTER in self._roles:
            writer = ConfigurationWriter(self._bus, clock=self._clock)
            files = RuleFiles(self._settings.rules_dir, self._settings.roster_file)
            self._loader = PolicyLoader(files, writer, tail, clock=self._clock, metrics=self._metrics)
            await self._life.open("rules", self._loader.start())
        first: asyncio.Future[Rulebook] = asyncio.get_running_loop().create_future()
        tail.listen(lambda rulebook: None if first.done() else first.set_result(rulebook))
        active = await self._life.open("rulebook", _awaited(first), within_s=_FIRST_RULEBOOK_S)
        self._policies = Policies(active, tail.stored)
        tail.listen(self._activate)

    def _activate(self, rulebook: Rulebook) -> None:
        self._policies.activate(rulebook)
        self._metrics.rulebook.clear()
        self._metrics.rulebook.labels(rulebook.hash).set(1)

    def _loader_asked(self) -> None:
        if self._loader is not None:
            self._loader.ask()


async def _awaited(future: "asyncio.Future[Rulebook]") -> Rulebook:
    return await future


async def _is_done() -> None:
    """The check of a process whose roles have no other: everything has been opened."""


async def _nothing() -> None:
    """For a part that opens by itself when it is first used."""


async def _end_with(exited: Awaitable[int]) -> None:
    code = await exited
    raise RuntimeError(f"the embedded Valkey has ended with code {code}")


async def _write_run_file(data: Path, run_file: RunFile) -> Path:
    await asyncio.to_thread(run_files.write, data, run_file)
    return data


async def _remove_run_file(data: Path, _left_s: float) -> None:
    await asyncio.to_thread(run_files.remove, data)


def serve(settings: Settings, roles: frozenset[Role], installation: Installation) -> None:
    """Run a service in a fresh event loop until it ends; on uvloop where that is installed."""
    with asyncio.Runner(loop_factory=_fast_loop()) as runner:
        runner.run(Service(settings, roles, installation).run())


def _fast_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if importlib.util.find_spec("uvloop") is None:
        return None
    import uvloop  # noqa: PLC0415  # an extra that need not be there

    return uvloop.new_event_loop
