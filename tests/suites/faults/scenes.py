"""A scene: customers write, a fault strikes at a moment, everything settles, and the checker looks at all of it."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from random import Random
from typing import Final

import msgspec

from router.contract.advisor import WorkKind
from router.runtime.clock import SystemClock
from tests.suites.crowd import Moment
from tests.suites.eventually import eventually
from tests.suites.faults import gathering
from tests.suites.faults.checker import check
from tests.suites.faults.evidence import Evidence, Promise, Violation
from tests.suites.faults.gathering import StoreView
from tests.suites.faults.people import now_ms
from tests.suites.faults.plant import RINGS, WRAP_UPS_MS, Plant
from tests.suites.faults.proxy import Bite

CONVERSATIONS: Final = 40
AT_ONCE: Final = 14
LOOKS: Final = 10
DRAINS_S: Final = 60.0
COMMITTED_S: Final = 20.0
MOMENTS: Final = ("accepted", "asking accept", "taken", "asking reply", "replied", "heard", "asking resolve")


class Findings(msgspec.Struct):
    """What a fault found out while it struck."""

    committed_early: list[str] = []
    stale: list[str] = []
    uncounted: list[str] = []


Strike = Callable[[Plant, Random, Findings], Coroutine[None, None, None]]


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """``wants`` are the bites without which a run of it proves nothing; ``brokers`` is how many its plant has."""

    name: str
    strike: Strike
    wants: tuple[str, ...]
    conversations: int = CONVERSATIONS
    wait_bound_ms: int = 45_000
    brokers: int = 1


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """How a scene went."""

    fault: str
    seed: int
    inquiries: int
    seconds: float
    bites: dict[str, int]
    violations: tuple[Violation, ...]


async def pass_s(seconds: float) -> None:
    """Let a fault last."""
    clock = SystemClock()
    await clock.sleep_until_ms(clock.now_ms() + int(seconds * 1000))


async def play(place: Plant, fault: Fault, seed: int) -> Report:
    """One run of a fault. Whatever went wrong is in the report."""
    random = Random(f"{fault.name} {seed}")
    begun, before, entries = time.monotonic(), _bites(place), len(place.history.entries)
    struck, findings = asyncio.Event(), Findings()
    moment = Moment(random.choice(MOMENTS), random.randint(3, 15))

    def strike_now() -> bool:
        struck.set()
        return True

    place.watch.arm(moment, strike_now)
    trouble: list[Violation] = []
    try:
        await _struck(place, fault, seed, struck=struck, strike=fault.strike(place, random, findings))
    except* (AssertionError, TimeoutError) as group:
        trouble = [_stuck(exc) for exc in _leaves(group)]
    place.heal()
    bites = Counter(_bites(place))
    bites.subtract(before)
    found = await settled(place, fault, findings, bites)
    written = sum(1 for entry in place.history.entries[entries:] if entry.what == "write" and entry.kind == "ok")
    return Report(
        fault=fault.name,
        seed=seed,
        inquiries=written,
        seconds=round(time.monotonic() - begun, 1),
        bites={name: times for name, times in bites.items() if times > 0},
        violations=(*trouble, *check(found)),
    )


async def _struck(
    place: Plant, fault: Fault, seed: int, *, struck: asyncio.Event, strike: Coroutine[None, None, None]
) -> None:
    """Let customers write, and strike in the midst of it; returns when all is healed and everybody was answered."""
    writing = place.writers.wave(fault.name, fault.conversations, at_once=AT_ONCE, seed=seed)
    try:
        async with asyncio.TaskGroup() as tasks:
            people = tasks.create_task(place.nobody_gives_up(), name="people")
            wave = tasks.create_task(writing, name="wave")
            happening = asyncio.create_task(struck.wait(), name="moment")
            await asyncio.wait((wave, happening), return_when=asyncio.FIRST_COMPLETED)
            happening.cancel()
            await strike
            place.heal()
            await wave
            people.cancel()
    finally:
        strike.close()  # what has not begun, if customers gave up before


def _leaves(group: BaseExceptionGroup[Exception]) -> Iterator[BaseException]:
    for each in group.exceptions:
        if isinstance(each, BaseExceptionGroup):
            yield from _leaves(each)
        else:
            yield each


def _stuck(exc: BaseException) -> Violation:
    return Violation(promise=Promise.DRAINED, evidence=f"the scene could not go on: {type(exc).__name__} {exc}"[:300])


def _bites(place: Plant) -> dict[str, int]:
    total = Counter(place.bites)
    for proxy in place.store_proxies:
        total.update({f"store: {bite}": times for bite, times in proxy.bites.items()})
    for proxy in place.brokers.proxies:
        total.update({f"bus: {bite}": times for bite, times in proxy.bites.items()})
    for name, part in place.parts.items():
        total[f"{name} ended"] = part.ends
        total.update({f"{part.role} ended with {code}": times for code, times in part.codes.items()})
    return dict(total)


async def settled(place: Plant, fault: Fault, findings: Findings, bites: Counter[str]) -> Evidence:
    """All evidence, once everything has drained or had time enough for it."""
    await place.all_up()
    # Who was cut short while he put the store back did so in a thread.
    await eventually(lambda: place.store.ask("PING") == b"+PONG", within_s=DRAINS_S)
    view = StoreView(place.store.url)
    try:
        backlog: dict[str, int] = {}

        async def drained() -> bool:
            backlog.clear()
            backlog.update(await _backlog(place, view))
            return not any(backlog.values())

        with contextlib.suppress(AssertionError):  # the checker says what is left
            await eventually(drained, within_s=DRAINS_S)
        for _ in range(LOOKS):
            found = await _evidence(place, view, fault, findings=findings, bites=bites, backlog=backlog)
            if (await view.store.status(gathering.POOL)).number == found.snapshot.status.trimmed:
                break  # nothing happened while we looked
        return found
    finally:
        await view.close()


async def _backlog(place: Plant, view: StoreView) -> dict[str, int]:
    status = await view.store.status(gathering.POOL)
    kinds = Counter(item.kind for each in await view.people() for item in each.work.values())
    return {
        "outbox": status.number - status.trimmed,
        "queued": status.queued,
        "work": status.work,
        "parked": kinds[WorkKind.PARKED],
        "wrapping up": kinds[WorkKind.WRAP_UP],
        "at hand": sum(bool(worker.holds) for worker in place.workers),
        "disconnected": sum(not worker.is_connected for worker in place.workers),
        "unheard": sum(not talk.replies for talk in place.writers.talks.values()),
    }


async def _evidence(
    place: Plant, view: StoreView, fault: Fault, *, findings: Findings, bites: Counter[str], backlog: dict[str, int]
) -> Evidence:
    bus = place.bus
    snapshot = await view.snapshot()
    inquiries = await gathering.inquiries(bus)
    ends: dict[int, int] = {}
    for record in inquiries:
        ends[record.partition] = max(ends.get(record.partition, 0), record.offset + 1)
    lag = 0

    async def is_caught_up() -> bool:
        nonlocal lag
        offsets = await gathering.committed(place.kafka_address)
        lag = sum(max(0, end - offsets.get(partition, 0)) for partition, end in ends.items())
        return lag == 0

    with contextlib.suppress(AssertionError):
        await eventually(is_caught_up, within_s=COMMITTED_S)
    return Evidence(
        snapshot=snapshot,
        now_ms=now_ms(),
        history=tuple(place.history.entries),
        events=await gathering.events(bus),
        advisors=await gathering.advisors(bus),
        compacted=await gathering.compacted(bus),
        inquiries=inquiries,
        replies=await gathering.replies(bus),
        deliveries=await gathering.deliveries(bus),
        letters=await gathering.letters(bus),
        expected_letters=frozenset(place.poison),
        backlog={**backlog, "input lag": lag},
        online=frozenset(worker.name for worker in place.workers if worker.is_connected),
        committed_early=tuple(findings.committed_early),
        stale=tuple(findings.stale),
        uncounted=tuple(findings.uncounted),
        repeated=bites[f"store: {Bite.REPEATED}"],
        swept=int(await place.metric("turnout_sweep_found_total ")),
        wait_bound_ms=fault.wait_bound_ms,
        rings=RINGS,
        wrap_ups_ms=WRAP_UPS_MS,
        bites=dict(bites),
        wanted_bites=fault.wants,
    )
