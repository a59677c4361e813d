"""Everything in one process, killed at the worst moments: nothing is lost, and nothing is there twice."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import pytest

from router.contract.topics import DEAD_LETTERS
from router.runtime.bus.streams import StreamsBus
from router.runtime.servers.valkey_directory import ask, holder_of
from router.runtime.simulators import Entrance
from tests.suites.crowd import Customers, Line, Moment, Watch
from tests.suites.crowd_account import (
    Office,
    count,
    faults_of,
    faults_of_answers,
    faults_of_work,
    story,
)
from tests.suites.crowd_advisor import Worker
from tests.suites.eventually import eventually
from tests.suites.installation import Installation, installation

KILLS = int(os.environ.get("TURNOUT_TEST_KILLS", "10"))
SEED = int(os.environ.get("TURNOUT_TEST_SEED", "20240229"))
CROWD = 90
IN_FLIGHT = 50
ADVISORS = tuple(f"advisor-{number}" for number in range(8))
RULES = """
defaults: {queue: general, language: en}
outcomes: {solved: Solved}
channels: {webhook: {units: 10}}
policies: {standard: {first_response_s: 3600, resolution_s: 86400}}
queues: {general: {policy: standard, offer_s: 30}}
away_after: 0
"""
MOMENTS = (
    "writing",
    "accepted",
    "offer",
    "asking accept",
    "taken",
    "asking reply",
    "replied",
    "heard",
    "asking resolve",
    "resolved",
)


def settings_of(folder: Path) -> dict[str, Any]:
    (folder / "rules").mkdir()
    (folder / "rules" / "rules.yaml").write_text(RULES, "utf-8")
    rows = "".join(f"\n  - {{id: {name}, name: {name}, languages: {{en: 9}}, budget: 20}}" for name in ADVISORS)
    (folder / "roster.yaml").write_text(f"advisors:{rows}\n", "utf-8")
    return {
        "rules_dir": str(folder / "rules"),
        "roster_file": str(folder / "roster.yaml"),
        "redis": {"outlives": True},
        "router": {"sweep_s": 2.0},
    }


class Killer:
    """Kills the service, its store with it or not, and starts it again."""

    def __init__(self, place: Installation, line: Line) -> None:
        self._place = place
        self._line = line
        self._lock = place.process.data / "valkey" / "server.lock"
        self.fired = asyncio.Event()

    def kill(self, customers: Customers, *, store_too: bool) -> bool:
        """SIGKILL, at once; not now while too little is in flight."""
        if customers.in_flight < IN_FLIGHT:
            return False
        os.kill(self._place.running.pid, signal.SIGKILL)
        if store_too:
            os.kill(holder_of(self._lock).pid, signal.SIGKILL)
        self._line.cut()
        self.fired.set()
        return True

    async def start_again(self, *, store_too: bool) -> None:
        """On the same data; the customers find the new port."""
        self._place.process.kill()
        left = holder_of(self._lock)
        if not store_too:
            assert (await ask(left.socket, b"PING")).startswith(b"+"), "the store should have been left behind"
        self._place.running = await self._place.process.start()
        assert holder_of(self._lock).pid != left.pid
        await self.enter()

    async def leave_nothing(self) -> None:
        """Stop the service; a store that it can't take with it, dead as it is, is ended too."""
        await asyncio.to_thread(self._place.process.stop)
        left = holder_of(self._lock)
        if await ask(left.socket, b"PING"):
            os.kill(left.pid, signal.SIGKILL)

    async def enter(self) -> None:
        """Tell everybody where the service is now."""
        running = self._place.running
        await self._place.customers["webhook"].enter(Entrance(base_url=running.channels["webhook"]))
        self._line.open(running.api)


def moments() -> list[tuple[Moment, bool]]:
    """When to kill, and whether the store goes too: of each kind of moment one, in a seeded order."""
    drawn = Random(SEED)
    kinds = drawn.sample(MOMENTS, len(MOMENTS))
    with_store = drawn.sample(range(KILLS), KILLS // 2)
    return [(Moment(kinds[place % len(kinds)], drawn.randint(5, 40)), place in with_store) for place in range(KILLS)]


@asynccontextmanager
async def at_work(
    place: Installation, customers: Customers, line: Line, watch: Watch
) -> AsyncIterator[tuple[list[Worker], asyncio.Task[None]]]:
    """The crowd writes and all advisors are at their desks; the task ends when one of them gives up."""
    keys = json.loads(place.process.run("keys", "create", "--each-advisor", "--json"))
    workers = [Worker(name, keys[name], line, watch) for name in ADVISORS]

    async def work() -> None:
        async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as tasks:
            tasks.create_task(customers.run(CROWD), name="customers")
            for worker in workers:
                tasks.create_task(worker.run(http), name=worker.name)

    working = asyncio.create_task(work(), name="crowd")
    try:
        yield workers, working
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def seen(happening: asyncio.Event, working: asyncio.Task[None], *, within_s: float) -> None:
    """Wait for something; whoever of the crowd has given up meanwhile says why."""
    waiting = asyncio.create_task(happening.wait(), name="waiting")
    await asyncio.wait((waiting, working), timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if working.done():
        await working
    assert happening.is_set(), f"not within {within_s} s"


@pytest.mark.timeout(420)
async def test_nothing_is_lost_and_nothing_is_twice_however_often_it_is_killed(tmp_path: Path) -> None:
    line, watch = Line(), Watch()
    async with installation(tmp_path, channels=["webhook"], more=settings_of(tmp_path)) as place:
        killer = Killer(place, line)
        customers = Customers(place.customers["webhook"], line, watch, seed=SEED)
        await killer.enter()
        try:
            async with at_work(place, customers, line, watch) as (workers, working):
                for number, (moment, store_too) in enumerate(moments()):
                    begun = len(customers.talks)
                    if number % 2 == 0:  # one kill in full flow, the next in the midst of coming back
                        await eventually(lambda: working.done() or customers.has_answers_since(begun), within_s=60)  # noqa: B023
                    killer.fired.clear()
                    watch.arm(moment, partial(killer.kill, customers, store_too=store_too))
                    await seen(killer.fired, working, within_s=60)
                    await killer.start_again(store_too=store_too)
                customers.close()
                await seen(customers.finished, working, within_s=120)
                await eventually(lambda: not any(worker.holds for worker in workers), within_s=60)
                await eventually(lambda: not faults_of_answers(workers, customers.talks), within_s=60)
                await nothing_went_wrong(place, customers, workers)
        finally:
            await killer.leave_nothing()


async def nothing_went_wrong(place: Installation, customers: Customers, workers: list[Worker]) -> None:
    key = place.process.run("keys", "create", "--role", "supervisor").strip()
    bus = StreamsBus(place.running.store)
    async with aiohttp.ClientSession() as http:
        office = Office(http, place.running.api, key)
        faults = [fault for talk in customers.talks.values() for fault in await faults_of(talk, office)]
        told = await story(bus, "default")
        faults += told.faults() + told.holders().shared
        faults += faults_of_work(await office.work(), told.last())
        faults += faults_of_answers(workers, customers.talks)
        assert faults == []
        assert set(told.last()) == {talk.ids[0] for talk in customers.talks.values()}
        assert await count(bus, DEAD_LETTERS) == 0
    await bus.close()
    assert all(most <= 2 for most in told.holders().most.values())
    assert not place.customers["webhook"].refusals()
    assert (await place.metrics())["turnout_sweep_found_total"] == 0
