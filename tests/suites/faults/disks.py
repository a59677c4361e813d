"""Disks that are full: the state server's and the broker's.

A limit on the size of files stands for the full disk: it takes no rights, the server's next write fails, and room is
there again when the limit goes. A state server then refuses to be written to until it has caught up; a broker ends.
"""

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import Random
from typing import Final

from router.runtime.bus.kafka_topics import answers
from tests.servers import Server
from tests.suites.eventually import eventually
from tests.suites.faults.gathering import StoreView
from tests.suites.faults.plant import Plant
from tests.suites.faults.scenes import Fault, Findings, pass_s

REFUSED: Final = "refused for the disk"
ENDED: Final = "broker ended for its disk"
_CODE: Final = "MISCONF"
_FULL_S: Final = 5.0
_WITHIN_S: Final = 60.0


@contextmanager
def full_disk(pid: int) -> Iterator[None]:
    """No file of that process takes another byte, until the block ends; one that has ended by then is let go."""
    soft, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, hard))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))


async def store_disk_full(place: Plant, _: Random, __: Findings) -> None:
    """The server's log can't be written; then there is room again, and it catches up."""
    view = StoreView(place.store.url)
    try:
        with full_disk(place.store.pid):
            await _note_refusals(place, view)
    finally:
        await view.close()


async def store_dies_on_a_full_disk(place: Plant, _: Random, __: Findings) -> None:
    """What it said yes to in its last moment was never written, and may be relayed: the store comes back behind."""
    view = StoreView(place.store.url)
    try:
        with full_disk(place.store.pid):
            await _note_refusals(place, view)
            await asyncio.to_thread(place.store.kill)
    finally:
        await view.close()
    place.bites["store killed"] += 1
    await asyncio.to_thread(place.store.start)


async def _note_refusals(place: Plant, view: StoreView) -> None:
    before = await view.refused(_CODE)
    await pass_s(_FULL_S)
    place.bites[REFUSED] += await view.refused(_CODE) - before


async def broker_disk_full(place: Plant, _: Random, __: Findings) -> None:
    """It can't append to its log and ends itself; it comes back once there is room."""
    port = int(place.kafka.bootstrap.rpartition(":")[2])

    async def is_gone() -> bool:
        return not await answers("127.0.0.1", port)

    with full_disk(place.kafka.pid):
        await eventually(is_gone, within_s=_WITHIN_S)
        place.bites[ENDED] += 1
    await pass_s(1)
    await place.kafka.restart()


async def store_that_writes_each_act(place: Plant, _: Random, __: Findings) -> None:
    """Told to have each act on disk before it answers, a server that can't ends itself; it comes back with room."""
    server = place.store
    assert server.ask("CONFIG SET appendfsync always") == b"+OK"
    with full_disk(server.pid):
        await eventually(lambda: server.ask("PING") != b"+PONG", within_s=_WITHIN_S)
        place.bites["store ended for its disk"] += 1
        await pass_s(2)
    await asyncio.to_thread(_start_again, server)


def _start_again(server: Server) -> None:
    server.kill()  # it is gone: this only takes note of it
    server.start()


DISK_FAULTS: Final = (
    Fault(name="store's disk full", strike=store_disk_full, wants=(REFUSED,)),
    Fault(name="store dies on a full disk", strike=store_dies_on_a_full_disk, wants=(REFUSED, "store killed")),
    Fault(
        name="store's disk full, each act written",
        strike=store_that_writes_each_act,
        wants=("store ended for its disk",),
    ),
    Fault(name="broker's disk full", strike=broker_disk_full, wants=(ENDED,)),
)
