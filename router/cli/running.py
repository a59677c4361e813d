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
from router.runtime.settings.model import Mode, Settings

T = TypeVar("T")


def on_bus(settings: Settings, work: Callable[[Bus], Awaitable[T]]) -> T:
    """Run something on the bus of the running installation, or exit 2 saying why it can't be reached."""
    if settings.mode is Mode.STANDALONE:
        running = run_file.read(Path(settings.data_dir))
        if running is None:
            refuse(
                "the service isn't running",
                (f"nothing runs on data_dir {settings.data_dir}: start it with `turnout up`, then repeat this",),
            )
        store_url = running.store
    else:
        assert settings.redis.url is not None
        store_url = settings.redis.url.reveal()

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
