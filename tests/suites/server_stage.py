"""The stage over a real server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from router.store.keys import prefix
from rules import Rulebook
from tests.servers import Server
from tests.suites.stage import POOL, Stage, stage
from tests.suites.store.benches import redis_benches


@asynccontextmanager
async def stage_on(server: Server, book: Rulebook) -> AsyncIterator[Stage]:
    """The stage, its state in that server until the end; whatever the stage's clock says is right."""
    async with redis_benches(server.url) as make:
        bench = await make()
        assert server.ask(f"SET {prefix(POOL)}witness {2**52}") == b"+OK"
        async with stage(book, bench.store) as scene:
            yield scene
