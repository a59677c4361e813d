"""Whole lives a second: admitted, offered, accepted, answered, resolved, each act's event on the bus."""

import asyncio
from typing import Final

from router.api.desks import Desk
from router.contract.advisor import AdvisorState, WorkKind
from router.contract.ids import CaseId, PoolId
from tests.bench.bare import BareLoop
from tests.bench.ground import Ground
from tests.bench.results import Sample
from tests.bench.script import Author, live
from tests.bench.seen import events, span_s
from tests.bench.traffic import inquiry, record

_AT_ONCE: Final = 256


async def measure(ground: Ground, run: int) -> Sample:
    """Service: lanes, engine, relay and matcher, and advisors who take what the roster's tail shows them, act by
    act, waiting for each act's event. Bare loops: the same acts, batch by batch, one pipeline for each kind. The
    relay has a process of its own.

    Advisors act from the router's process, through its desk as their sessions do: a case is read when it is offered,
    then each act is planned by casework. That they all sit at one router is as in a standalone installation; sockets,
    frames and the other pushes of a session aren't in it, nor are deliveries, for the bare loops have none either.
    """
    pool = PoolId(f"life-{run}")
    messages = [inquiry(pool, number) for number in range(ground.scale.lives)]
    await ground.load(pool, [record(message) for message in messages])
    author = Author(ground, pool)
    await author.open()
    lives = {message.id: await author.whole(message) for message in messages}
    rates = {}
    for batch in ground.scale.batches:
        await ground.reset(pool)
        rates[batch] = len(lives) / await BareLoop(ground, pool, lives).run(f"bare-{pool}-{batch}", batch=batch)
    rate = await _serve(ground, pool, len(messages))
    parts = {f"bare_{batch}": (value, "lives/s") for batch, value in rates.items()}
    return Sample(value=rate, baseline=max(rates.values()), parts=parts)


async def _serve(ground: Ground, pool: PoolId, count: int) -> float:
    await ground.reset(pool)
    since_ms = (await ground.store.status(pool)).now_ms
    async with ground.service(pool) as desk:
        office = _Office(desk, count)
        async with asyncio.timeout(ground.scale.longest_s), asyncio.TaskGroup() as group:
            desk.tail.listen(lambda state: office.look(state, group))
            for member in list(desk.tail.roster):
                office.look(member.state, group)
            await office.done.wait()
    admitted = await events(ground, pool, "admit", since_ms=since_ms)
    resolved = await events(ground, pool, "resolve", since_ms=since_ms)
    assert len(resolved) == count, f"{len(resolved)} of {count} cases were resolved"
    return count / span_s(admitted, resolved)


class _Office:
    """All advisors: each offer that appears in somebody's work set is lived to its end, a bounded number at once."""

    def __init__(self, desk: Desk, count: int) -> None:
        self._desk = desk
        self._left = count
        self._seen: set[CaseId] = set()
        self._hands = asyncio.Semaphore(_AT_ONCE)
        self.done = asyncio.Event()

    def look(self, state: AdvisorState, group: asyncio.TaskGroup) -> None:
        for name, work in state.work.items():
            case = CaseId(name)
            if work.kind is WorkKind.OFFER and case not in self._seen:
                self._seen.add(case)
                group.create_task(self._live(case))

    async def _live(self, case: CaseId) -> None:
        async with self._hands:
            state = await self._desk.reads.case(self._desk.pool, case)
            assert state is not None
            await live(self._desk.casework, case, state.offers[0], self._desk.progress.reached)
        self._left -= 1
        if not self._left:
            self.done.set()
