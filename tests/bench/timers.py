"""Clocks at work: how fast due times are worked out, what an armed timer takes, how fast timers fire and how late.

``due_time_rate`` is the rules alone, in processor time. The others stand on a server that holds ``timers`` armed
warnings, four to a case, as cases have them.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack
from typing import Any, Final

from msgspec.structs import replace

from router.app import Role
from router.contract.ids import CaseId, ConversationId, InquiryId, PoolId
from router.contract.plan import Plan
from router.engine import plans
from router.engine.facts import facts_of
from router.engine.plans import Scene
from router.runtime.clock import SystemClock
from router.store.acts import Admit, Due
from router.store.protocol import OutboxEntry
from rules import judge
from rules.calendar import Calendar
from rules.opening_hours import CalendarSpec, HolidaySpec
from tests.bench.ground import Ground, batches
from tests.bench.results import Sample, percentile
from tests.bench.traffic import inquiry
from tests.suites.installation import Process

_OF_CASE: Final = 4
_BATCH: Final = 64
_POLLERS: Final = 2
_FAR_MS: Final = 30 * 86_400_000
_HOUR_MS: Final = 3_600_000
_LEAD_MS: Final = 2_000
_BEGAN_MS: Final = 1_767_225_600_000  # 2026-01-01


async def measure_due_times(ground: Ground, run: int) -> Sample:
    """Due times that one core works out in a second, each up to 400 hours ahead in an office's hours with public
    holidays, beside adding up that office's opening hours one by one."""
    office = Calendar(
        CalendarSpec(
            time_zone="Asia/Seoul",
            week={"mon-fri": ("09:00-12:00", "13:00-18:00"), "sat": ("10:00-14:00",)},
            holidays=HolidaySpec(country="KR"),
        )
    )
    dice = random.Random(run)
    asked = [
        (_BEGAN_MS + dice.randrange(2 * 365 * 24) * _HOUR_MS, dice.randrange(1, 400) * _HOUR_MS)
        for _ in range(ground.scale.due_times)
    ]
    few = asked[: max(1, len(asked) // 200)]
    assert [office.due(*each) for each in few] == [_added_up(office, *each) for each in few]
    return Sample(
        value=len(asked) / _timed(lambda: [office.due(*each) for each in asked]),
        baseline=len(few) / _timed(lambda: [_added_up(office, *each) for each in few]),
    )


async def measure_bytes(ground: Ground, run: int) -> Sample:
    """Bytes of the server's memory that one armed timer takes, beside those of a case without any."""
    count = ground.scale.timers // _OF_CASE
    still, armed = PoolId(f"still-{run}"), PoolId(f"armed-{run}")
    await _open(ground, still, [{}] * count)
    bare = await ground.used_bytes(still)
    await ground.wipe(still)
    far = SystemClock().now_ms() + _FAR_MS
    await _open(ground, armed, list(_armed(range(far, far + ground.scale.timers))))
    whole = await ground.used_bytes(armed)
    await ground.wipe(armed)
    return Sample(value=(whole - bare) / (count * _OF_CASE), baseline=bare / count)


async def measure_claims(ground: Ground, run: int) -> Sample:
    """Timers that fire in a second, each with its event, when two pollers take all that are due."""
    pool, clock = PoolId(f"claims-{run}"), SystemClock()
    past = clock.now_ms()
    await _open(ground, pool, list(_armed(range(past - ground.scale.timers_due, past))))
    gen = (await ground.store.status(pool)).gen
    began = clock.monotonic()

    async def poll() -> int:
        served = 0
        while True:
            (outcome,) = await ground.store.apply([Due(pool=pool, gen=gen, now_ms=clock.now_ms())])
            if not outcome.claims:
                return served
            served += len(outcome.claims)

    served = sum(await asyncio.gather(*(poll() for _ in range(_POLLERS))))
    took_s = clock.monotonic() - began
    await ground.wipe(pool)
    return Sample(value=served / took_s, parts={"fired": (served, "timers")})


async def measure_lag(ground: Ground, run: int) -> Sample:
    """Milliseconds (p99) by which timers fire late, while so many a second are due among all that are armed, with two
    routers, one of them killed half-way; none fires twice or early."""
    pool, scale, clock = PoolId(f"lag-{run}"), ground.scale, SystemClock()
    await ground.load(pool, [])
    far = clock.now_ms() + _FAR_MS
    await _open(ground, pool, list(_armed(range(far, far + scale.timers))))
    count = round(scale.timers_a_second * scale.timers_s)
    async with AsyncExitStack() as stack:
        routers = [_router(ground, pool, f"{pool}-{number}") for number in range(2)]
        for router in routers:
            stack.push_async_callback(asyncio.to_thread, router.stop)
            await router.start()
        first = clock.now_ms() + _LEAD_MS + count
        await _open(ground, pool, list(_armed(_instants(first, count, scale.timers_a_second))), name="due")
        assert clock.now_ms() < first, "they were not armed in time: arm fewer"
        await clock.sleep_until_ms(first + round(scale.timers_s * 500))
        await asyncio.to_thread(routers[0].kill)
        lags = await _lags(ground, pool, count)
    await ground.wipe(pool)
    assert min(lags) >= 0
    return Sample(
        value=percentile(lags, 0.99),
        parts={"p50": (percentile(lags, 0.5), "ms"), "worst": (max(lags), "ms")},
    )


def _router(ground: Ground, pool: PoolId, name: str) -> Process:
    return Process(ground.folder, ground.settings(pool, name), roles=(Role.ROUTER,), name=name)


def _instants(first_ms: int, count: int, rate: int) -> list[int]:
    """Instants so many a second, from the first on."""
    return [first_ms + round(number * 1000 / rate) for number in range(count)]


def _armed(deadlines: Sequence[int]) -> Iterator[dict[str, int]]:
    """The timers of each case: a timer's number tells when it is due."""
    for at in range(0, len(deadlines), _OF_CASE):
        yield {f"warn.bench|{due}.{at + place}": due for place, due in enumerate(deadlines[at : at + _OF_CASE])}


async def _open(ground: Ground, pool: PoolId, timers: Sequence[dict[str, int]], *, name: str = "case") -> None:
    """Open a case for each of these sets of timers."""
    gen, now_ms = (await ground.store.open_pool(pool)).gen, SystemClock().now_ms()
    common: dict[str, Any] = {"pool": pool, "gen": gen, "now_ms": now_ms}
    like = _plan(ground, pool, now_ms)
    for at, batch in enumerate(batches(timers, _BATCH)):
        acts = []
        for place, armed in enumerate(batch):
            case = f"{name}-{at * _BATCH + place}"
            acts.append(
                Admit(
                    **common,
                    case=CaseId(case),
                    conversation=ConversationId(case),
                    inquiry=InquiryId(case),
                    message="{}",
                    channel="email",
                    units=10,
                    plan=replace(like, score=at, timers=armed),
                )
            )
        await ground.store.apply(acts)
        await _trim(ground, pool)


def _plan(ground: Ground, pool: PoolId, now_ms: int) -> Plan:
    """How a case of the office is opened that nobody is there to take."""
    came, scene = inquiry(pool, 0), Scene(rulebook=ground.rulebook, now_ms=now_ms)
    detail = plans.opened(came, judge(ground.rulebook, facts_of(came)), scene)
    return plans.plan(plans.blank(came, 10, now_ms), detail, scene)


async def _trim(ground: Ground, pool: PoolId) -> None:
    """Be the relay: a full outbox takes no new cases."""
    lease = await ground.store.take(pool)
    await ground.store.trim(pool, lease, (await ground.store.status(pool)).number)
    await ground.store.release(pool, lease)


async def _lags(ground: Ground, pool: PoolId, count: int) -> list[float]:
    """How late each of so many timers has fired, by the events of their firing."""
    seen: dict[str, float] = {}
    async with asyncio.timeout(ground.scale.longest_s):
        async for entry in _entries(ground, pool):
            if entry.kind == "due":
                assert entry.about not in seen, f"{entry.about} fired twice"
                seen[entry.about] = entry.at_ms - int(entry.about.partition("|")[2].partition(".")[0])
            if len(seen) == count:
                break
    return list(seen.values())


async def _entries(ground: Ground, pool: PoolId) -> AsyncIterator[OutboxEntry]:
    after = 0
    while True:
        for entry in await ground.store.pending(pool, after, limit=500, wait_ms=500):
            after = entry.number
            yield entry


def _added_up(office: Calendar, start_ms: int, amount_ms: int) -> int:
    for begin, end in office.openings(start_ms, 400):
        if amount_ms <= end - begin:
            return begin + amount_ms
        amount_ms -= end - begin
    raise AssertionError("not reached")


def _timed(act: Any) -> float:
    began = time.process_time()
    act()
    return max(time.process_time() - began, 1e-9)
