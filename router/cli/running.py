"""The running installation, as a command reaches it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from router.cli.given import refuse
from router.runtime import run_file
from router.runtime.bus.choice import make_bus
from router.runtime.bus.protocol import Bus
from router.runtime.errors import RuntimeFailure
from router.runtime.redis import Purpose, connect
from router.runtime.settings.model import Mode, Settings
from router.store.redis import RedisStore, StoreMisconfigured

T = TypeVar("T")


def on_bus(settings: Settings, work: Callable[[Bus], Awaitable[T]]) -> T:
    """Run something on the bus of the running installation, or exit 2 saying why it can't be reached."""
    store_url = _store_url(settings)

    async def run() -> T:
        bus = make_bus(settings, store_url)
        try:
            return await work(bus)
        finally:
            await bus.close()

    try:
        return asyncio.run(run())
    except RuntimeFailure as exc:
        refuse("the bus can't be reached", (str(exc),))


def on_bus_and_store(settings: Settings, work: Callable[[Bus, RedisStore], Awaitable[T]]) -> T:
    """Run something on bus and state store of the running installation, or exit 2 saying why they can't be
    reached. The store is opened."""
    store_url = _store_url(settings)

    async def run() -> T:
        bus = make_bus(settings, store_url)
        commands, waits = connect(store_url), connect(store_url, purpose=Purpose.BLOCKING)
        store = RedisStore(commands, waits)
        try:
            await store.open()
            return await work(bus, store)
        finally:
            await store.close()
            await bus.close()
            await commands.close()
            await waits.close()

    try:
        return asyncio.run(run())
    except (RuntimeFailure, StoreMisconfigured) as exc:
        refuse("bus or state store can't be reached", (str(exc),))


def _store_url(settings: Settings) -> str:
    if settings.mode is not Mode.STANDALONE:
        assert settings.redis.url is not None
        return settings.redis.url.reveal()
    running = run_file.read(Path(settings.data_dir))
    if running is None:
        refuse(
            "the service isn't running",
            (f"nothing runs on data_dir {settings.data_dir}: start it with `turnout up`, then repeat this",),
        )
    return running.store
