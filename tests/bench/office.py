"""Advisors of a benchmark: each takes what he is offered, and is free again when told to be.

They act in the benchmark's process as a replica of the API would: over the store, with a roster of their own.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from prometheus_client import CollectorRegistry

from router.contract.advisor import AdvisorState, WorkKind
from router.contract.ids import AdvisorId, CaseId, OperationId, PoolId
from router.runtime.clock import SystemClock
from router.service.acting import Actor
from router.service.cases.casework import Casework
from router.service.cases.requests import Request
from router.service.configuration.policies import Policies
from router.service.measuring.metrics import ServiceMetrics
from router.service.roster import RosterTail
from router.store.acts import Result
from router.store.redis import RedisStore
from rules import Rulebook
from tests.suites.eventually import eventually

_ADMITTED_S: Final = 120.0


class Office:
    """``held``: who has which case; whoever takes an entry out sees to that case. Everybody has room for one."""

    def __init__(self, pool: PoolId, store: RedisStore, rulebook: Rulebook) -> None:
        metrics = ServiceMetrics(CollectorRegistry())
        self.actor = Actor(pool, store, store, clock=SystemClock(), metrics=metrics)
        self.tail = RosterTail(pool, store)
        self.actor.tell(self.tail.correct)
        self._casework = Casework(self.actor, store, self.tail, policies=Policies(rulebook))
        self._reads = store
        self._pool = pool
        self.held: dict[AdvisorId, CaseId] = {}
        self._seen: set[CaseId] = set()
        self._waiting: dict[AdvisorId, asyncio.Future[float]] = {}
        self._taken = asyncio.Condition()
        self._group: asyncio.TaskGroup

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """At work while in here; a failure of any advisor ends it."""
        await self.actor.open()
        async with asyncio.TaskGroup() as self._group:
            self.tail.listen(self._look)
            following = self._group.create_task(self.tail.run())
            await self.tail.ready.wait()
            for member in list(self.tail.roster):
                self._take_over(member.state)
                self._look(member.state)
            yield
            following.cancel()

    async def until_held(self, count: int) -> None:
        """Return when so many advisors have a case."""
        async with self._taken:
            await self._taken.wait_for(lambda: len(self.held) >= count)

    async def until_waiting(self, count: int) -> None:
        """Return when so many cases wait: the routers have admitted what there was."""

        async def are_there() -> bool:
            return sum(line.length for line in await self._reads.line_sizes(self._pool)) >= count

        await eventually(are_there, within_s=_ADMITTED_S)

    async def free(self, advisor: AdvisorId, case: CaseId) -> "tuple[float, float, asyncio.Future[float]]":
        """Let him resolve what he has: when he began, when the store had done it, and when he was seen to be offered
        the next case, all by ``time.monotonic``."""
        self._waiting[advisor] = asyncio.get_running_loop().create_future()
        began, waiting = time.monotonic(), self._waiting[advisor]
        await self.resolve(advisor, case)
        return began, time.monotonic(), waiting

    async def resolve(self, advisor: AdvisorId, case: CaseId) -> None:
        outcome = await self._casework.resolve(case, self._request("resolve", case, advisor), outcome="solved")
        assert outcome.result is Result.DONE, outcome.result

    def _take_over(self, state: AdvisorState) -> None:
        """What he has from an earlier run is his."""
        for case, work in state.work.items():
            if work.kind is WorkKind.CASE:
                self._seen.add(CaseId(case))
                self.held[state.id] = CaseId(case)

    def _look(self, state: AdvisorState) -> None:
        now = time.monotonic()
        for name, work in state.work.items():
            case = CaseId(name)
            if work.kind is WorkKind.OFFER and case not in self._seen:
                self._seen.add(case)
                if (waiting := self._waiting.pop(state.id, None)) is not None:
                    waiting.set_result(now)
                self._group.create_task(self._take(state.id, case))

    async def _take(self, advisor: AdvisorId, case: CaseId) -> None:
        state = await self._reads.case(self._pool, case)
        assert state is not None
        request = self._request("accept", case, advisor)
        outcome = await self._casework.accept(case, request, advisor=advisor, offer_ver=state.offers[0].ver)
        assert outcome.result is Result.ASSIGNED, outcome.result
        self.held[advisor] = case
        async with self._taken:
            self._taken.notify_all()

    def _request(self, step: str, case: CaseId, advisor: AdvisorId) -> Request:
        return Request(op=OperationId(f"bench:{step}-{case}"), actor=advisor, advisor=advisor)
