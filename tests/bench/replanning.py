"""What routing notices of a changed policy that is brought to very many open cases.

A relay and a router run, a process each. Cases wait that nobody can take; customers write at a steady rate, and are
offered to somebody at once. Half of the time nothing else happens; then the file with the policies is changed, and the
router brings the change to every case while the customers go on writing.
"""

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import aiohttp
from msgspec.structs import replace
from prometheus_client import CollectorRegistry

from router.app import Role
from router.contract.advisor import AdvisorState, WorkKind
from router.contract.ids import CaseId, PoolId, case_id
from router.runtime.clock import SystemClock
from router.service.acting import Actor
from router.service.configuration.policies import Policies
from router.service.configuration.rule_files import RuleFiles
from router.service.measuring.metrics import ServiceMetrics
from router.service.replanning import forecast
from router.service.roster import RosterTail
from tests.bench.backlog import fill
from tests.bench.ground import Ground, settle, staff
from tests.bench.results import Sample, percentile
from tests.bench.script import Author
from tests.bench.traffic import inquiry, record, write_policy
from tests.suites.installation import Process

_MODELS: Final = 28
_UNSPOKEN: Final = "ja"
_LOOK_S: Final = 3.0
_FEWEST: Final = 20


async def measure(ground: Ground, run: int) -> Sample:
    """Milliseconds (p99) from an inquiry on the bus to its offer while the change is brought to all cases; the
    baseline is the same without. ``cases``: how many a second it is brought to. ``forecast``: seconds that a look at
    what the way back would change takes."""
    pool, scale = PoolId(f"replan-{run}"), ground.scale
    async with _office(ground, pool) as office:
        old = office.files.rulebook()
        await office.looked_at(scale.open_cases)
        # A minute later the router looks at all of them again: the time until then is calm.
        async with asyncio.timeout(scale.longest_s * 4), asyncio.TaskGroup() as group:
            writing = group.create_task(office.write(scale.beside_a_second))
            await office.watched(scale.calm_s)
            calm = office.waits()
            office.change()
            span = await office.replanned(scale.open_cases)
            await office.until_written(_FEWEST)
            busy = office.waits()
            writing.cancel()
        began = time.monotonic()
        back = await forecast(office.actor, ground.store, ground.store, Policies(office.files.rulebook()), against=old)
        parts = {"forecast": (time.monotonic() - began, "s")}
        assert back.touched >= scale.open_cases
    parts |= {
        "cases": (scale.open_cases / span, "cases/s"),
        "p50": (percentile(busy, 0.5) * 1000, "ms"),
        "calm_p50": (percentile(calm, 0.5) * 1000, "ms"),
        "worst": (max(busy) * 1000, "ms"),
        "calm_worst": (max(calm) * 1000, "ms"),
    }
    return Sample(value=percentile(busy, 0.99) * 1000, baseline=percentile(calm, 0.99) * 1000, parts=parts)


class _Office:
    """The customers, who see in the advisors' roster what becomes of what they write."""

    def __init__(self, ground: Ground, pool: PoolId, rules: Path, files: RuleFiles) -> None:
        self.files = files
        self.actor = Actor(
            pool, ground.store, ground.store, clock=SystemClock(), metrics=ServiceMetrics(CollectorRegistry())
        )
        self.tail = RosterTail(pool, ground.store)
        self.tail.listen(self._look)
        self._ground = ground
        self._pool = pool
        self._file = rules / "rulebook.yaml"
        self.ops = ""
        self._on_bus: dict[CaseId, float] = {}
        self._offered: dict[CaseId, float] = {}

    def change(self) -> None:
        """Everybody is promised an answer later."""
        text = self._file.read_text("utf-8").replace("first_response_s: ", "first_response_s: 1")
        self._file.write_text(text, "utf-8")

    async def looked_at(self, count: int) -> None:
        """Return when the router has seen that so many cases are as they should be, which it does at its start."""
        async with aiohttp.ClientSession() as http:
            while await self._came(http, "untouched") < count:
                await _pass(_LOOK_S)

    def waits(self) -> list[float]:
        """Seconds from the bus to the offer of those offered since this was asked before."""
        found = [max(0.0, at - self._on_bus[case]) for case, at in self._offered.items() if case in self._on_bus]
        for case in list(self._offered):
            if self._on_bus.pop(case, None) is not None:
                del self._offered[case]
        return found

    async def until_written(self, count: int) -> None:
        while len(self._offered) < count:
            await _pass(_LOOK_S)

    async def write(self, rate: int) -> None:
        """So many inquiries a second, never waiting for an answer, until cancelled."""
        clock = SystemClock()
        began = clock.now_ms()
        async with asyncio.TaskGroup() as group:
            for number in itertools.count(_MODELS):
                await clock.sleep_until_ms(began + number * 1000 // rate)
                group.create_task(self._publish(number))

    async def _publish(self, number: int) -> None:
        message = inquiry(self._pool, number)
        await self._ground.bus.publish([record(message)])
        self._on_bus[case_id(message.id)] = time.monotonic()

    def _look(self, state: AdvisorState) -> None:
        now = time.monotonic()
        for name, work in state.work.items():
            if work.kind is WorkKind.OFFER:
                self._offered.setdefault(CaseId(name), now)

    async def watched(self, seconds: float) -> None:
        """Let so much time go by, the page of metrics asked for as often as it is later."""
        until = time.monotonic() + seconds
        async with aiohttp.ClientSession() as http:
            while (left := until - time.monotonic()) > 0:
                await self._came(http, "moved")
                await _pass(min(_LOOK_S, left))

    async def replanned(self, count: int) -> float:
        """Seconds from the first to the last of so many cases that the change has reached."""
        began = 0.0
        async with aiohttp.ClientSession() as http:
            while True:
                moved = await self._came(http, "moved")
                now = time.monotonic()
                began = began or (now - _LOOK_S if moved else 0.0)
                if moved >= count:
                    return now - began
                await _pass(_LOOK_S)

    async def _came(self, http: aiohttp.ClientSession, outcome: str) -> float:
        async with http.get(f"{self.ops}/metrics") as answer:
            text = await answer.text()
        # Reading the whole page takes a tenth of a second, in which no customer of this process would write.
        series = f'turnout_replanned_cases_total{{outcome="{outcome}"}} '
        return float(text.partition(series)[2].partition("\n")[0])


@asynccontextmanager
async def _office(ground: Ground, pool: PoolId) -> AsyncIterator[_Office]:
    folder = ground.folder / str(pool)
    rules, roster = write_policy(folder, ground.scale.advisors)
    files = RuleFiles(str(rules), str(roster))
    await ground.load(pool, [])
    await staff(ground.store, pool, files.roster())
    await settle(ground.store, pool)
    await _open(ground, pool, files)
    async with AsyncExitStack() as stack:
        office = _Office(ground, pool, rules, files)
        for role in (Role.RELAY, Role.ROUTER):
            settings = ground.settings(pool, f"{pool}-{role}") | {"rules_dir": str(rules), "roster_file": str(roster)}
            process = Process(ground.folder, settings, roles=(role,), name=f"{pool}-{role}")
            stack.push_async_callback(asyncio.to_thread, process.stop)
            office.ops = (await process.start()).ops
        await office.actor.open()
        following = asyncio.create_task(office.tail.run())
        await office.tail.ready.wait()
        yield office
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    await ground.wipe(pool)


async def _open(ground: Ground, pool: PoolId, files: RuleFiles) -> None:
    """Open cases in a language that nobody speaks."""
    author = Author(ground, pool, files)
    await author.open()
    models = [replace(inquiry(pool, number), language=_UNSPOKEN) for number in range(_MODELS)]
    await fill(ground, pool, [(await author.admit(model)).admit for model in models], ground.scale.open_cases)


async def _pass(seconds: float) -> None:
    clock = SystemClock()
    await clock.sleep_until_ms(clock.now_ms() + round(seconds * 1000))
