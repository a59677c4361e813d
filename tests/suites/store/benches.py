"""Benches for every kind of store."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from router.contract.ids import PoolId
from router.runtime.redis import Purpose, RedisClient, connect
from router.store.keys import key, prefix
from router.store.library import build_library
from router.store.memory import MemoryStore
from router.store.redis import RedisStore
from tests.suites.store.bench import POOL, START_MS, Bench, Desk, MakeBench


async def memory_bench(*, outbox_mark: int = 100_000, max_classes: int = 4_096) -> Bench:
    """A store in memory."""
    witness = [START_MS]
    store = MemoryStore(lambda: witness[0], outbox_mark=outbox_mark, max_classes=max_classes)

    async def set_witness(now_ms: int) -> None:
        witness[0] = now_ms

    async def set_format(pool: PoolId, number: int) -> None:
        store._pools[pool].format = number

    async def no_keys() -> list[str]:
        return []

    async def restart(_pool: PoolId) -> None:
        store.rebuilds.life += 1

    return Bench(
        store=store,
        set_witness=set_witness,
        set_format=set_format,
        keys=no_keys,
        rebuilds=store.rebuilds,
        restart=restart,
    )


@asynccontextmanager
async def redis_benches(url: str) -> AsyncIterator[MakeBench]:
    """Makes stores on an empty server, whose witness is a key; closes all of them at the end."""
    commands, waits = connect(url), connect(url, purpose=Purpose.BLOCKING)
    stores: list[RedisStore] = []

    async def make(*, outbox_mark: int = 100_000, max_classes: int = 4_096) -> Bench:
        store = RedisStore(
            commands, waits, outbox_mark=outbox_mark, max_classes=max_classes, library=build_library("key")
        )
        await store.open()
        stores.append(store)
        return _bench(store, commands)

    try:
        yield make
    finally:
        for store in stores:
            await store.close()
        await commands.close()
        await waits.close()


@asynccontextmanager
async def redis_desk(url: str) -> AsyncIterator[Desk]:
    """A desk at one open pool on an empty server."""
    async with redis_benches(url) as make:
        yield await Desk(await make()).open()


def _bench(store: RedisStore, client: RedisClient) -> Bench:
    witness = prefix(POOL) + "witness"

    async def set_witness(now_ms: int) -> None:
        await client.call("SET", witness, now_ms)

    async def set_format(pool: PoolId, number: int) -> None:
        await client.call("HSET", key(pool, "meta"), "format", number)

    async def keys_there() -> list[str]:
        reply = await client.call("KEYS", "*")
        assert isinstance(reply, list)
        return sorted({name.decode() for name in reply} - {witness})

    async def restart(pool: PoolId) -> None:
        # The server lives on; what matters is that the pool's row names another life of it.
        await client.call("HSET", key(pool, "meta"), "verified", "another life")

    return Bench(
        store=store,
        set_witness=set_witness,
        set_format=set_format,
        keys=keys_there,
        rebuilds=store.rebuilds,
        restart=restart,
    )
