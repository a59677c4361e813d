"""Faults of the whole: all ways clogged, an old store put back, routers that hang, relays that get stuck, records that
kill, ten times the load."""

import asyncio
import contextlib
import shutil
from pathlib import Path
from random import Random
from typing import Final

from router.runtime.errors import StoreUnavailable
from tests.servers import Server
from tests.suites.eventually import eventually
from tests.suites.faults import gathering, traps
from tests.suites.faults.gathering import POOL, StoreView
from tests.suites.faults.people import now_ms
from tests.suites.faults.plant import RELAYS, Plant
from tests.suites.faults.proxy import Bite
from tests.suites.faults.scenes import Fault, Findings, pass_s

CLOGGED_S: Final = 5.0
HUNG_MS: Final = 7_500
JAMMED_MS: Final = 11_000
SAID_WHY: Final = "a relay said why it ended"
FLOOD: Final = 250
_BETWEEN_S: Final = 0.2
_STUCK_S: Final = 6.0
_NOT_MOVED: Final = "the relay of pool default has not moved"
_WITHIN_S: Final = 90.0
_COUNTED_S: Final = 8.0


async def clog(place: Plant, random: Random, _: Findings) -> None:
    """Every way is held, one after another, and they are let go in an order that is drawn."""
    ways = [*place.store_proxies, place.bus_proxy]
    random.shuffle(ways)
    for proxy in ways:
        proxy.hold()
        await pass_s(_BETWEEN_S)
    await pass_s(CLOGGED_S)
    random.shuffle(ways)
    for proxy in ways:
        proxy.release()
        await pass_s(_BETWEEN_S)


async def put_old_copy_back(place: Plant, random: Random, _: Findings) -> None:
    """The store goes back to what it was before some conversations; returns once somebody has rebuilt it."""
    name = f"since-{random.randint(0, 10**9)}"
    copy = place.folder / name
    gen = await _gen(place)
    await asyncio.to_thread(_copy, place.store, copy)
    await place.writers.wave(name, 10, at_once=10, seed=1)
    await asyncio.to_thread(_replace, place.store, copy)
    place.bites["store put back"] += 1

    async def is_rebuilt() -> bool:
        with contextlib.suppress(StoreUnavailable):
            return await _gen(place) > gen
        return False

    await eventually(is_rebuilt, within_s=_WITHIN_S)
    place.bites["rebuilt"] += 1
    # Sooner than leases are renewed: who is connected is seen to be missing.
    await eventually(lambda: _are_counted(place), within_s=_COUNTED_S)


async def _are_counted(place: Plant) -> bool:
    """Whether everybody who has a session open is connected in the store."""
    view = StoreView(place.store.url)
    try:
        roster = (await view.store.roster(POOL)).advisors
    finally:
        await view.close()
    connected = {advisor.id for advisor in roster if advisor.connections}
    return connected >= {worker.name for worker in place.workers if worker.is_connected}


async def _gen(place: Plant) -> int:
    view = StoreView(place.store.url)
    try:
        return (await view.store.status(POOL)).gen
    finally:
        await view.close()


def _copy(store: Server, copy: Path) -> None:
    """As a backup does that finds everything at one moment."""
    store.freeze()
    try:
        shutil.copytree(store.data_dir, copy)
    finally:
        store.thaw()


def _replace(store: Server, copy: Path) -> None:
    store.kill()
    shutil.rmtree(store.data_dir)
    shutil.copytree(copy, store.data_dir)
    store.start()


async def hang_router(place: Plant, random: Random, _: Findings) -> None:
    """The loop of a router stands still: its watchdog ends it, and the others go on with its work."""
    thread = f"hung-{random.randint(0, 10**9)}"
    talk = await place.writers.say(thread, f"{thread}-a", traps.hangs(now_ms() + HUNG_MS))
    await asyncio.wait_for(talk.heard.wait(), _WITHIN_S)


async def jam_relay(place: Plant, random: Random, _: Findings) -> None:
    """What the relay in charge has in hand gets nowhere, while it says that it is there: its watchdog ends it and tells
    why, and the one that stood by goes on."""
    for name in RELAYS:
        await place.parts[name].start_with(watchdog__poll_age_s=str(_STUCK_S))
    await place.all_up()
    before = await asyncio.to_thread(_say_stuck, place)
    thread = f"{traps.jams(now_ms() + JAMMED_MS)}-{random.randint(0, 999)}"
    talk = await place.writers.say(thread, f"{thread}-a", "hello")
    await asyncio.wait_for(talk.heard.wait(), _WITHIN_S)
    place.bites[SAID_WHY] += await asyncio.to_thread(_say_stuck, place) - before


def _say_stuck(place: Plant) -> int:
    """How often relays said that they ended as they had not moved."""
    logs = (place.parts[name].process.log for name in RELAYS)
    return sum(log.read_text("utf-8", "replace").count(_NOT_MOVED) for log in logs)


async def deadly_record(place: Plant, random: Random, _: Findings) -> None:
    """A record kills whoever handles it, until it is put aside."""
    thread = f"deadly-{random.randint(0, 10**9)}"
    talk = await place.writers.say(thread, f"{thread}-a", traps.KILLS)
    place.poison.update(talk.ids)
    del place.writers.talks[thread]  # nobody will answer it

    async def is_aside() -> bool:
        return talk.ids[0] in await gathering.letters(place.bus)

    await eventually(is_aside, within_s=_WITHIN_S)
    place.bites["put aside"] += 1


async def flood(place: Plant, random: Random, _: Findings) -> None:
    """Many times what the advisors can take, at once."""
    # Few digits in the name: many look like a card's, and are masked.
    await place.writers.wave(f"flood-{random.randint(0, 999)}", FLOOD, at_once=FLOOD, seed=1)
    place.bites["flood"] += 1


STORM_FAULTS: Final = (
    Fault(name="clog all ways", strike=clog, wants=(f"store: {Bite.HELD}", f"bus: {Bite.HELD}")),
    Fault(name="old copy of the store", strike=put_old_copy_back, wants=("store put back", "rebuilt")),
    Fault(name="a router hangs", strike=hang_router, wants=("router ended with 70",)),
    Fault(name="a relay gets stuck", strike=jam_relay, wants=("relay ended with 70", SAID_WHY)),
    Fault(name="deadly record", strike=deadly_record, wants=("put aside", "router ended with -9")),
    Fault(name="ten times the load", strike=flood, wants=("flood",), wait_bound_ms=90_000),
)
