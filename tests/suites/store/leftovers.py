"""Keys of a server that belong to nothing any more."""

from router.store.keys import kind_of, prefix
from tests.suites.store.bench import POOL, Bench
from tests.suites.store.dump import Dump


async def leftovers(bench: Bench, dump: Dump) -> list[str]:
    """Keys that the list of keys doesn't know, or whose subject the pool no longer has."""
    live = {"case": set(dump.cases), "advisor": set(dump.advisors), "class": set(dump.lines)}
    found = []
    for name in await bench.keys():
        kind = kind_of(POOL, name)
        subject = name.removeprefix(prefix(POOL) + kind.stem) if kind else ""
        if kind is None or (kind.of in live and subject not in live[kind.of]):
            found.append(name)
    return found
