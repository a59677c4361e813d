"""Several router processes at one pool whose advisors have room for one case each.

``free_to_offer`` is how long an advisor who has just resolved his case waits for the next, while many wait.
``router_conflicts`` is how often routers get into each other's way while most advisors, but not all, are at work.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import aiohttp
from prometheus_client.parser import text_string_to_metric_families

from router.app import Role
from router.contract.ids import AdvisorId, CaseId, PoolId
from router.runtime.clock import SystemClock
from router.service.configuration.rule_files import RuleFiles
from tests.bench.ground import Ground, settle, staff
from tests.bench.office import Office
from tests.bench.results import Sample, percentile
from tests.bench.traffic import inquiry, record, write_policy
from tests.suites.installation import Process

_PAGE: Final = 500


async def measure_free_to_offer(ground: Ground, run: int) -> Sample:
    """Milliseconds from the store's answer to the act that frees an advisor until the roster's tail shows his next
    offer, in a process that is no router's; all advisors are at work, ``backlog`` cases wait, and so many are freed a
    second. The baseline is the p99 of that act's own round trip."""
    pool, scale, clock = PoolId(f"free-{run}"), ground.scale, SystemClock()
    acts: list[float] = []
    waits: list[float] = []
    async with _routers(ground, pool) as (office, _):
        await _publish(ground, pool, range(scale.advisors + scale.backlog))
        await office.until_held(scale.advisors)
        await office.until_waiting(scale.backlog)
        async with asyncio.timeout(scale.longest_s), asyncio.TaskGroup() as group:
            began = clock.now_ms()
            for number, (advisor, case) in enumerate(_in_turn(office, scale.frees, run)):
                await clock.sleep_until_ms(began + number * 1000 // scale.frees_a_second)
                group.create_task(_free(office, advisor, case, acts=acts, waits=waits))
    measured = {"p50": waits, "act_p50": acts}
    parts = {name: (percentile(values, 0.5) * 1000, "ms") for name, values in measured.items()}
    return Sample(value=percentile(waits, 0.99) * 1000, baseline=percentile(acts, 0.99) * 1000, parts=parts)


async def measure_conflicts(ground: Ground, run: int) -> Sample:
    """Percent of the tries to hand a case to an advisor that were in vain, as somebody else was faster, while
    inquiries come so fast that ``busy`` of the advisors are at work. Placed by the act that admits them are most; the
    part says which share."""
    pool, scale, clock, dice = PoolId(f"busy-{run}"), ground.scale, SystemClock(), random.Random(run)
    rate = scale.busy * scale.advisors / scale.held_s
    async with _routers(ground, pool) as (office, ops):
        ending = asyncio.create_task(_work(office, dice, scale.held_s))
        began = clock.now_ms()
        async with asyncio.timeout(scale.longest_s):
            for number in range(round(rate * scale.busy_s)):
                await clock.sleep_until_ms(began + round(number * 1000 / rate))
                await _publish(ground, pool, range(number, number + 1))
        tries = await _counted(ops)
        ending.cancel()
        await asyncio.gather(ending, return_exceptions=True)
    at_once, handed, lost = tries["admit"], tries["handed"], tries["lost"]
    placed = at_once + handed
    parts = {"placed": (placed, "cases"), "at_once": (100 * at_once / placed, "%")}
    return Sample(value=100 * lost / (placed + lost), parts=parts)


async def _free(office: Office, advisor: AdvisorId, case: CaseId, *, acts: list[float], waits: list[float]) -> None:
    began, freed, offered = await office.free(advisor, case)
    acts.append(freed - began)
    waits.append(max(0.0, await offered - freed))


def _in_turn(office: Office, count: int, seed: int) -> Iterator[tuple[AdvisorId, CaseId]]:
    """Advisors who have a case, as drawn, and what they have; each is taken out of those who have one."""
    dice = random.Random(seed)
    for _ in range(count):
        advisor = dice.choice(tuple(office.held))
        yield advisor, office.held.pop(advisor)


async def _work(office: Office, dice: random.Random, held_s: float) -> None:
    """Everybody resolves what he has, after a while that is drawn."""
    async with asyncio.TaskGroup() as group:
        while True:
            await office.until_held(1)
            while office.held:
                group.create_task(_resolve(office, *office.held.popitem(), after_s=dice.expovariate(1 / held_s)))


async def _resolve(office: Office, advisor: AdvisorId, case: CaseId, *, after_s: float) -> None:
    clock = SystemClock()
    await clock.sleep_until_ms(clock.now_ms() + round(after_s * 1000))
    await office.resolve(advisor, case)


@asynccontextmanager
async def _routers(ground: Ground, pool: PoolId) -> AsyncIterator[tuple[Office, list[str]]]:
    """Routers and a relay, a process each, the advisors at their desks, and where the routers' metrics are."""
    folder = ground.folder / f"tight-{pool}"
    rules, roster = write_policy(folder, ground.scale.advisors, one_each=True)
    files = RuleFiles(str(rules), str(roster))
    await ground.load(pool, [])
    await staff(ground.store, pool, files.roster())
    await settle(ground.store, pool)
    async with AsyncExitStack() as stack:
        ops = []
        for name in ("relay", *(f"router-{number}" for number in range(ground.scale.routers))):
            settings = ground.settings(pool, f"{pool}-{name}") | {"rules_dir": str(rules), "roster_file": str(roster)}
            role = Role.RELAY if name == "relay" else Role.ROUTER
            process = Process(ground.folder, settings, roles=(role,), name=f"{pool}-{name}")
            stack.push_async_callback(asyncio.to_thread, process.stop)
            running = await process.start()
            ops += [running.ops] if role is Role.ROUTER else []
        office = Office(pool, ground.store, files.rulebook())
        async with office.open():
            yield office, ops


async def _publish(ground: Ground, pool: PoolId, numbers: range) -> None:
    for first in range(numbers.start, numbers.stop, _PAGE):
        page = range(first, min(first + _PAGE, numbers.stop))
        await ground.bus.publish([record(inquiry(pool, number)) for number in page])


async def _counted(ops: list[str]) -> Counter[str]:
    """Cases placed by the act that admits them, and tries of the matchers, over all routers."""
    found: Counter[str] = Counter()
    async with aiohttp.ClientSession() as http:
        for one in ops:
            async with http.get(f"{one}/metrics") as answer:
                text = await answer.text()
            for family in text_string_to_metric_families(text):
                for sample in family.samples:
                    if sample.name == "turnout_match_tries_total":
                        found[sample.labels["outcome"]] += round(sample.value)
                    elif sample.name == "turnout_acts_total" and sample.labels["act"] == "admit":
                        found["admit"] += round(sample.value) if sample.labels["result"] == "offered" else 0
    return found
