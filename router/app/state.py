"""Bus, state store and what else a process keeps outside itself."""

from collections.abc import Awaitable
from pathlib import Path
from typing import Final

from router.app.crashing import Crashes
from router.app.process import Process
from router.contract.ids import PoolId
from router.contract.topics import topic_specs
from router.runtime.blobs import Blobs, open_blobs
from router.runtime.bus.choice import make_bus
from router.runtime.bus.counting import CountingBus
from router.runtime.bus.protocol import Bus
from router.runtime.chat_log import RedisChatLog
from router.runtime.ledger import Ledger
from router.runtime.ledger_redis import RedisLedger
from router.runtime.ledger_settling import SettlingLedger
from router.runtime.redis import Coalescer, Purpose, RedisClient, connect
from router.runtime.servers.valkey import start_embedded
from router.runtime.settings.model import BusKind, Mode
from router.runtime.signer import Signer, kept_key
from router.store.redis import RedisStore

_LIBRARY_MS: Final = 3_600_000


class State:
    """Open from ``open_state`` until the process ends."""

    url: str
    bus: Bus
    store: RedisStore
    settling: SettlingLedger
    ledger: Ledger
    chat_log: RedisChatLog
    signer: Signer
    blobs: Blobs


async def open_state(process: Process) -> State:
    """Connect to the state server (standalone: start one), the bus and the object store."""
    state, settings = State(), process.settings
    state.url = await _server(process)
    crashes = Crashes(settings.crash_at)
    bus = bus_of(process, state.url)
    state.bus = crashes.bus(CountingBus(bus, process.runtime_metrics, process.watchdog.publisher()))
    await process.life.open("bus", _open_bus(process, state.bus), lambda _, __: state.bus.close())
    commands = await open_client(process, state.url, "store commands", connections=settings.redis.connections)
    waits = await open_client(process, state.url, "store waits", purpose=Purpose.BLOCKING)
    state.store = crashes.store(commands, waits)
    await process.life.open("store", state.store.open(), lambda _, __: state.store.close())
    process.life.spawn("store library", _keep_library(process, state.store))
    logs = Coalescer(await open_client(process, state.url, "reply and chat logs"))
    chat_waits = await open_client(process, state.url, "chat log waits", purpose=Purpose.BLOCKING)
    state.settling = _ledger(process, state.bus, logs)
    state.ledger = crashes.ledger(state.settling)
    state.chat_log = RedisChatLog(logs, chat_waits)
    state.signer = Signer([settings.signing_key or kept_key(process.data / "signing-key")])
    state.blobs = open_blobs(
        settings.blobs.url,
        process.data / "blobs",
        state.signer,
        max_bytes=settings.blobs.max_bytes,
        metrics=process.runtime_metrics,
    )
    return state


def bus_of(process: Process, store_url: str) -> Bus:
    """The bus of that process, not yet connected; groups that it forgets are counted."""
    forgotten = process.runtime_metrics.bus_groups_forgotten
    return make_bus(process.settings, store_url, on_group_expired=lambda _: forgotten.inc())


def _ledger(process: Process, bus: Bus, logs: Coalescer) -> SettlingLedger:
    settings = process.settings
    return SettlingLedger(
        RedisLedger(logs),
        bus,
        clock=process.clock,
        loses_nothing=settings.mode is Mode.STANDALONE and settings.bus.kind is BusKind.STREAMS,
        settled=process.runtime_metrics.ledger_settlings.inc,
    )


async def _server(process: Process) -> str:
    """The address of the state server."""
    settings = process.settings
    if settings.mode is not Mode.STANDALONE:
        assert settings.redis.url is not None
        return settings.redis.url.reveal()
    binary = Path(settings.redis.binary) if settings.redis.binary else None
    embedded = start_embedded(
        process.data / "valkey",
        max_memory_bytes=settings.redis.max_bytes,
        dies_with_parent=not settings.redis.outlives,
        binary=binary,
    )
    server = await process.life.open("valkey", embedded, lambda one, _: one.stop())
    process.life.spawn("valkey watch", _end_with(server.exited()))
    return server.url


async def _end_with(exited: Awaitable[int]) -> None:
    code = await exited
    raise RuntimeError(f"the embedded Valkey has ended with code {code}")


async def _open_bus(process: Process, bus: Bus) -> None:
    settings = process.settings.bus
    if settings.create_topics:
        pools = tuple(PoolId(pool) for pool in process.settings.pools)
        await bus.create_topics(
            topic_specs(pools, inquiry_partitions=settings.inquiry_partitions, partitions=settings.partitions)
        )


async def open_client(
    process: Process, url: str, name: str, *, purpose: Purpose = Purpose.COMMANDS, connections: int = 8
) -> RedisClient:
    """A client of the state store, given back when the process ends."""
    client = connect(
        url,
        purpose=purpose,
        max_connections=connections,
        answer_s=process.settings.redis.timeout_s,
        metrics=process.runtime_metrics,
    )
    await process.life.open(name, _nothing(), lambda _, __: client.close())
    return client


async def _nothing() -> None:
    """For a part that opens by itself when it is first used."""


async def _keep_library(process: Process, store: RedisStore) -> None:
    """Say every hour that this version's functions are in use; those that nobody uses go after a day."""
    while True:
        await store.keep_library(process.clock.now_ms())
        await process.clock.sleep_until_ms(process.clock.now_ms() + _LIBRARY_MS)
