"""A soak: steady traffic with a mild fault now and then, while memory, descriptors, outbox and lag are measured."""

import asyncio
import itertools
import os
from collections import Counter
from pathlib import Path
from random import Random
from typing import Final

import msgspec

from tests.suites.faults.checker import check
from tests.suites.faults.evidence import Promise, Violation
from tests.suites.faults.gathering import POOL, StoreView
from tests.suites.faults.plant import Plant
from tests.suites.faults.scenes import Fault, Findings, pass_s, settled
from tests.suites.faults.slopes import Measure, Sample, Slope, slopes
from tests.suites.faults.strikes import BY_NAME

MILD: Final = (
    "cut store",
    "slow store",
    "lose the store's replies",
    "cut pipelines to the store",
    "half-open store",
    "store paused 1 s",
    "cut bus",
    "lose produce acknowledgements",
    "sessions cut",
    "second tabs",
    "a third logs off",
)
"""Faults that no process should end by: so its memory is seen to its end."""

EVERY_S: Final = 5.0
_QUIET_S: Final = 20.0
_A_WAVE: Final = 6
_LAG: Final = "turnout_consumer_lag_records{"


class Soaked(msgspec.Struct, frozen=True, kw_only=True):
    """How it went. ``faults`` counts the mild faults by their name."""

    seconds: float
    inquiries: int
    faults: dict[str, int]
    slopes: tuple[Slope, ...]
    violations: tuple[Violation, ...]

    @property
    def is_fine(self) -> bool:
        """Nothing grows, no promise broke, and something was judged."""
        judged = {slope.measure for slope in self.slopes if slope.judged}
        return judged == set(Measure) and not self.violations and all(slope.is_fine for slope in self.slopes)


async def soak(place: Plant, *, seconds: float, seed: int) -> Soaked:
    """Run for so long, let all drain, and check every promise over all of it."""
    faults, samples = Counter[str](), list[Sample]()
    begun = asyncio.get_running_loop().time()
    trouble = list[Violation]()
    try:
        await _run(place, begun + seconds, faults, samples, random=Random(f"soak {seed}"))
    except* AssertionError as group:
        trouble.append(Violation(promise=Promise.DRAINED, evidence=f"it could not go on: {group.exceptions}"[:300]))
    place.heal()
    lasted = asyncio.get_running_loop().time() - begun
    fault = Fault(name="soak", strike=BY_NAME[MILD[0]].strike, wants=())
    found = await settled(place, fault, Findings(), Counter())
    return Soaked(
        seconds=round(lasted, 1),
        inquiries=sum(entry.what == "write" and entry.kind == "ok" for entry in place.history.entries),
        faults=dict(faults),
        slopes=tuple(slopes(samples, seconds=lasted)),
        violations=(*trouble, *check(found)),
    )


async def _run(place: Plant, ends: float, faults: Counter[str], samples: list[Sample], *, random: Random) -> None:
    """Traffic goes on until the last fault is over, and nobody is left in the midst of anything."""
    async with asyncio.TaskGroup() as group:
        others = [group.create_task(task) for task in (_measure(place, samples), place.nobody_gives_up())]
        striking = group.create_task(_strike(place, ends, random, faults))
        for number in itertools.count():
            await place.writers.wave(f"soak-{number}", _A_WAVE, at_once=_A_WAVE, seed=0)
            if striking.done():
                break
        for task in others:
            task.cancel()


async def _strike(place: Plant, ends: float, random: Random, faults: Counter[str]) -> None:
    """A mild fault, then quiet, again and again."""
    while asyncio.get_running_loop().time() < ends:
        name = random.choice(MILD)
        await BY_NAME[name].strike(place, random, Findings())
        place.heal()
        faults[name] += 1
        await pass_s(min(_QUIET_S, max(0.0, ends - asyncio.get_running_loop().time())))


async def _measure(place: Plant, samples: list[Sample]) -> None:
    begun = asyncio.get_running_loop().time()
    view = StoreView(place.store.url)
    try:
        while True:
            at_s = asyncio.get_running_loop().time() - begun
            for measure, of, value in (*_processes(place), *await _queues(place, view)):
                samples.append(Sample(at_s=at_s, measure=measure, of=of, value=value))
            await pass_s(EVERY_S)
    finally:
        await view.close()


def _processes(place: Plant) -> list[tuple[Measure, str, float]]:
    """What each process has now: ours by their numbers, so that one started again is another."""
    pids = {f"{name} ({part.starts})": part.process.pid for name, part in place.parts.items() if part.running}
    pids["state server"] = place.store.pid
    found = []
    for name, pid in pids.items():
        try:
            found += [(Measure.MEMORY, name, resident(pid)), (Measure.DESCRIPTORS, name, descriptors(pid))]
        except FileNotFoundError:  # it ended between the two looks
            continue
    return found


async def _queues(place: Plant, view: StoreView) -> list[tuple[Measure, str, float]]:
    status = await view.store.status(POOL)
    return [
        (Measure.OUTBOX, "pool", float(status.number - status.trimmed)),
        (Measure.LAG, "routers", await place.metric(_LAG)),
    ]


def resident(pid: int) -> float:
    """The memory of a process that is in use, in bytes; Linux only."""
    pages = int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1])
    return float(pages * os.sysconf("SC_PAGESIZE"))


def descriptors(pid: int) -> float:
    """How many descriptors a process has open; Linux only."""
    return float(sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()))
