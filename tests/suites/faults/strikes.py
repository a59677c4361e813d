"""What is done to processes, and to their ways to the store and to Kafka; each strike ends what it began."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from random import Random
from typing import Final

from router.runtime.crash_points import CrashPoint
from tests.suites.eventually import eventually
from tests.suites.faults.clocks import CLOCK_FAULTS
from tests.suites.faults.cluster import CLUSTER_FAULTS
from tests.suites.faults.desks import DESK_FAULTS
from tests.suites.faults.disks import DISK_FAULTS
from tests.suites.faults.lone import LONE_FAULTS
from tests.suites.faults.office import OFFICE_FAULTS
from tests.suites.faults.plant import PARTS, RELAYS, ROUTERS, Plant
from tests.suites.faults.proxy import Bite, Proxy, is_act, is_produce
from tests.suites.faults.scenes import Fault, Findings, Strike, pass_s
from tests.suites.faults.sessions import SESSION_FAULTS
from tests.suites.faults.storms import STORM_FAULTS
from tests.suites.faults.takeover import TAKEOVER_FAULTS

SESSION_S: Final = 3.0


# -- processes


async def kill_router(place: Plant, random: Random, _: Findings) -> None:
    place.kill(random.choice(ROUTERS))


async def kill_all(place: Plant, _: Random, __: Findings) -> None:
    for name in PARTS:
        place.kill(name)


async def kill_on_the_way(place: Plant, random: Random, _: Findings) -> None:
    """Every router dies with records read and acts on their way that never arrive."""
    ways = [place.parts[name].store for name in ROUTERS]
    for proxy in ways:
        proxy.hold()
    threads = [f"burst-{random.randint(0, 10**9)}-{number}" for number in range(20)]
    await asyncio.gather(*(place.writers.say(thread, f"{thread}-a", "hello") for thread in threads))
    await pass_s(1)
    for name in ROUTERS:
        place.kill(name)
    for proxy in ways:
        proxy.cut()
        proxy.release()


async def kill_edge(place: Plant, _: Random, __: Findings) -> None:
    for name in (*RELAYS, "api", "channels"):
        place.kill(name)


async def pause_router(place: Plant, random: Random, _: Findings) -> None:
    """For twice its session: it wakes up as a zombie."""
    name = random.choice(ROUTERS)
    place.freeze(name)
    await pass_s(2 * SESSION_S)
    place.thaw(name)


def crash_at(part: str, point: CrashPoint) -> Strike:
    """The process is started anew so that it ends itself there, at a time that is drawn."""

    async def strike(place: Plant, random: Random, _: Findings) -> None:
        name = random.choice(ROUTERS) if part == "router" else part
        one = place.parts[name]
        await one.start_with(crash_at=f"{point}@{random.randint(1, 4)}")
        ends = one.ends
        shaken = [other for other in PARTS if PARTS[other] == PARTS[name] and other != name]
        if point not in _HANDED_OVER:
            shaken.clear()
        # More customers, until it has bitten.
        await asyncio.wait_for(_writing_until(place, lambda: one.ends > ends, random, shaken=shaken), 90)
        place.bites[f"crash {point}"] += 1

    return strike


async def _writing_until(
    place: Plant, has_happened: Callable[[], bool], random: Random, *, shaken: Sequence[str]
) -> None:
    """Customers write, and those who are ``shaken`` are started anew in their turn, until it has happened."""
    waves = 0
    while not has_happened():
        waves += 1
        await place.writers.wave(f"more-{random.randint(0, 10**9)}", 8, at_once=8, seed=waves)
        if shaken and not has_happened():
            await place.restart(shaken[waves % len(shaken)])


# -- the way to the store


def lose_replies_to(*names: str, times: int = 3) -> Strike:
    """The store did it, and nobody gets its answer."""

    async def strike(place: Plant, _: Random, __: Findings) -> None:
        before = _bitten(place, Bite.REPLY_LOST)
        for proxy in place.store_proxies:
            proxy.lose_reply_to(is_act(*names), times=times)
        await eventually(lambda: _bitten(place, Bite.REPLY_LOST) >= before + times, within_s=30)

    return strike


async def cut_pipelines(place: Plant, _: Random, __: Findings) -> None:
    before = _bitten(place, Bite.CUT_WITHIN)
    for proxy in place.store_proxies:
        proxy.cut_within(lambda chunk: b"FCALL" in chunk, times=3)
    await eventually(lambda: _bitten(place, Bite.CUT_WITHIN) >= before + 5, within_s=30)


async def half_open_store(place: Plant, _: Random, __: Findings) -> None:
    for proxy in place.store_proxies:
        proxy.half_open()


async def slow_store(place: Plant, _: Random, __: Findings) -> None:
    for proxy in place.store_proxies:
        proxy.delay(0.15)
    await pass_s(4)


async def cut_store(place: Plant, _random: Random, _: Findings) -> None:
    for __ in range(3):
        for proxy in place.store_proxies:
            proxy.cut()
        await pass_s(0.5)


def pause_store(seconds: float) -> Strike:
    async def strike(place: Plant, _: Random, __: Findings) -> None:
        place.store.freeze()
        place.bites["store frozen"] += 1
        await pass_s(seconds)
        place.store.thaw()

    return strike


async def kill_store(place: Plant, _: Random, __: Findings) -> None:
    await asyncio.to_thread(place.store.kill)
    place.bites["store killed"] += 1
    await pass_s(0.5)
    await asyncio.to_thread(place.store.start)


# -- Kafka


async def cut_bus(place: Plant, _random: Random, _: Findings) -> None:
    for __ in range(3):
        place.bus_proxy.cut()
        await pass_s(0.5)


async def lose_produce_acks(place: Plant, _: Random, __: Findings) -> None:
    before = place.bus_proxy.bites[Bite.REPLY_LOST]
    place.bus_proxy.lose_reply_to(is_produce, times=4)
    await eventually(lambda: place.bus_proxy.bites[Bite.REPLY_LOST] >= before + 4, within_s=60)


async def hold_bus(place: Plant, _: Random, __: Findings) -> None:
    place.bus_proxy.hold()
    await pass_s(4)
    place.bus_proxy.release()


def pause_broker(seconds: float) -> Strike:
    async def strike(place: Plant, _: Random, __: Findings) -> None:
        place.freeze_broker()
        try:
            await pass_s(seconds)
        finally:
            place.thaw_broker()

    return strike


async def kill_broker(place: Plant, _: Random, __: Findings) -> None:
    await place.kafka.kill()
    place.bites["broker killed"] += 1
    await place.kafka.restart()


def _bitten(place: Plant, bite: Bite) -> int:
    proxies: list[Proxy] = place.store_proxies
    return sum(proxy.bites[bite] for proxy in proxies)


def _fault(name: str, strike: Strike, *wants: str, conversations: int = 40) -> Fault:
    return Fault(name=name, strike=strike, wants=wants, conversations=conversations)


def _crash(part: str, point: CrashPoint) -> Fault:
    return _fault(f"crash {point}", crash_at(part, point), f"crash {point}", conversations=20)


_ROUTERS_POINTS: Final = (
    CrashPoint.BEFORE_ACT,
    CrashPoint.AFTER_ACT,
    CrashPoint.AFTER_CLAIM,
    CrashPoint.BEFORE_COMMIT,
    CrashPoint.AFTER_COMMIT,
    CrashPoint.IN_ASSIGNED,
    CrashPoint.IN_REVOKED,
)
_RELAYS_POINTS: Final = (CrashPoint.BEFORE_PRODUCE, CrashPoint.AFTER_PRODUCE, CrashPoint.AFTER_CURSOR)
# One who has just started may reach these only once others of his role join or leave.
_HANDED_OVER: Final = frozenset({CrashPoint.IN_ASSIGNED, CrashPoint.IN_REVOKED, *_RELAYS_POINTS})
_APIS_POINTS: Final = (
    CrashPoint.BEFORE_ACCEPT,
    CrashPoint.AFTER_ACCEPT,
    CrashPoint.BEFORE_RESOLVE,
    CrashPoint.AFTER_RESOLVE,
)
_CHANNELS_POINTS: Final = (CrashPoint.AFTER_SENDING, CrashPoint.BEFORE_SENT)

FAULTS: Final = (
    _fault("kill a router", kill_router, "kill router"),
    _fault("kill all", kill_all, "kill router", "kill relay", "kill api", "kill channels"),
    _fault("kill relay, API and channels", kill_edge, "kill relay", "kill api", "kill channels"),
    _fault("kill routers with acts on the way", kill_on_the_way, "kill router", f"store: {Bite.HELD}"),
    _fault("pause a router", pause_router, "freeze router"),
    *map(partial(_crash, "router"), _ROUTERS_POINTS),
    *map(partial(_crash, RELAYS[0]), _RELAYS_POINTS),
    *map(partial(_crash, "api"), _APIS_POINTS),
    *map(partial(_crash, "channels"), _CHANNELS_POINTS),
    _fault(
        "lose the store's replies", lose_replies_to("admit", "accept", "match", "reply"), f"store: {Bite.REPLY_LOST}"
    ),
    _fault("lose the timers' replies", lose_replies_to("due", "expire", "escalate"), f"store: {Bite.REPLY_LOST}"),
    _fault("cut pipelines to the store", cut_pipelines, f"store: {Bite.CUT_WITHIN}"),
    _fault("half-open store", half_open_store, f"store: {Bite.HALF_OPENED}"),
    _fault("slow store", slow_store, f"store: {Bite.DELAYED}"),
    _fault("cut store", cut_store, f"store: {Bite.CUT}"),
    _fault("store paused 1 s", pause_store(1), "store frozen"),
    _fault("store paused 6 s", pause_store(6), "store frozen"),
    _fault("store paused 30 s", pause_store(30), "store frozen"),
    _fault("store killed", kill_store, "store killed"),
    _fault("cut bus", cut_bus, f"bus: {Bite.CUT}"),
    _fault("lose produce acknowledgements", lose_produce_acks, f"bus: {Bite.REPLY_LOST}"),
    _fault("black hole before the bus", hold_bus, f"bus: {Bite.HELD}"),
    _fault("broker paused 8 s", pause_broker(8), "broker frozen"),
    _fault("broker paused 30 s", pause_broker(30), "broker frozen"),
    _fault("broker killed", kill_broker, "broker killed"),
    *OFFICE_FAULTS,
    *STORM_FAULTS,
    *DISK_FAULTS,
    *CLOCK_FAULTS,
    *SESSION_FAULTS,
    *DESK_FAULTS,
    *LONE_FAULTS,
    *TAKEOVER_FAULTS,
    *CLUSTER_FAULTS,
)
BY_NAME: Final = {fault.name: fault for fault in FAULTS}
