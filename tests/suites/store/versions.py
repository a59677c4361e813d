"""Two versions of the store on one server, as during a rolling upgrade."""

import hashlib
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

from router.runtime.redis import Purpose, connect
from router.store.library import FORMAT, Library, build_library
from router.store.redis import RedisStore
from tests.suites.store.bench import Bench, Desk, WholeStore
from tests.suites.store.benches import redis_benches

NEXT_FORMAT = FORMAT + 1
_FORMAT = "FORMAT = {},"


def other_version(of: Library, *, writes: int = FORMAT) -> Library:
    """What the same sources with one comment more are bundled to; ``writes`` is the format of its state."""
    _, _, body = of.text.partition("\n")
    assert body.count(_FORMAT.format(FORMAT)) == 1
    body = f"-- another version\n{body}".replace(_FORMAT.format(FORMAT), _FORMAT.format(writes))
    name = f"turnout_{hashlib.sha256(body.encode()).hexdigest()[:12]}"
    return Library(name=name, text=f"#!lua name={name}\n{body.replace(of.name, name)}")


class InTurns:
    """Two stores behind the face of one: each call is the other's."""

    def __init__(self, *stores: RedisStore) -> None:
        self._turns = itertools.cycle(stores)

    def __getattr__(self, name: str) -> Any:
        return getattr(next(self._turns), name)


class Versions:
    """``old`` and ``new`` are desks at the same pool, each by its own functions; ``both`` uses them in turns."""

    def __init__(self, bench: Bench, new: RedisStore) -> None:
        assert isinstance(bench.store, RedisStore)
        self.old_store, self.new_store = bench.store, new
        self.old = Desk(bench)
        self.new = Desk(replace(bench, store=new))
        self.both = Desk(replace(bench, store=cast("WholeStore", InTurns(bench.store, new))))


@asynccontextmanager
async def two_versions(url: str, *, writes: int = FORMAT, **marks: int) -> AsyncIterator[Versions]:
    """Both on an empty server, their clocks a key; no pool is open yet."""
    commands, waits = connect(url), connect(url, purpose=Purpose.BLOCKING)
    new = RedisStore(commands, waits, library=other_version(build_library("key"), writes=writes), **marks)
    try:
        async with redis_benches(url) as make:
            bench = await make(**marks)
            await new.open()
            yield Versions(bench, new)
    finally:
        await new.close()
        await commands.close()
        await waits.close()
