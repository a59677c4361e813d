"""The acts of a run, made beforehand by the real intake and casework over the store in memory.

What a bare loop then applies to the real store are the very acts the service would: verdict, plan, explanation and
candidates as the engine makes them; only the making costs the loop nothing.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

import msgspec
from prometheus_client import CollectorRegistry

from router.contract.case import Offer
from router.contract.ids import CaseId, OperationId, PoolId
from router.contract.messages import Inquiry
from router.runtime.clock import SystemClock
from router.service.acting import Actor
from router.service.cases.casework import Casework
from router.service.cases.requests import Request
from router.service.configuration.policies import Policies
from router.service.configuration.rule_files import RuleFiles
from router.service.intake import Intake
from router.service.measuring.metrics import ServiceMetrics
from router.service.progress import Progress
from router.service.roster import RosterTail
from router.store.acts import Accept, Admit, AnyAct, Outcome, Reply, Resolve, Result
from router.store.memory import MemoryStore
from router.store.protocol import OutboxEntry
from tests.bench.ground import Ground, settle, staff

ANSWER = "Thank you for writing to us. We have looked into it and put it right; you will see it within a day."


Durable = Callable[[int], Awaitable[None]]


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """What happens to one inquiry, in order."""

    admit: Admit
    accept: Accept | None = None
    reply: Reply | None = None
    resolve: Resolve | None = None


async def _at_once(_number: int) -> None:
    """Memory is as durable as it gets."""


class _Recording(MemoryStore):
    """Remembers the acts it is given."""

    def __init__(self, witness: Callable[[], int]) -> None:
        super().__init__(witness, outbox_mark=100_000_000)
        self.acts: list[AnyAct] = []

    async def apply(self, acts: Sequence[AnyAct]) -> Sequence[Outcome]:
        self.acts.extend(acts)
        return await super().apply(acts)


class Author:
    """Writes lives: one at a time, by the rules and over a roster like those of the ground, or as given."""

    def __init__(self, ground: Ground, pool: PoolId, files: RuleFiles | None = None) -> None:
        clock = SystemClock()
        rulebook = files.rulebook() if files else ground.rulebook
        self._pool = pool
        self._roster = files.roster() if files else ground.roster
        self._store = _Recording(clock.now_ms)
        metrics = ServiceMetrics(CollectorRegistry())
        self._actor = Actor(pool, self._store, self._store, clock=clock, metrics=metrics)
        self._tail = RosterTail(pool, self._store)
        self._actor.tell(self._tail.correct)
        policies = Policies(rulebook)
        progress = Progress(pool, self._store)
        self._intake = Intake(self._actor, self._tail, policies=policies, progress=progress, metrics=metrics)
        self._casework = Casework(self._actor, self._store, self._tail, policies=policies)

    async def open(self) -> None:
        await staff(self._store, self._pool, self._roster)
        await settle(self._store, self._pool)
        await self._actor.open()
        following = asyncio.create_task(self._tail.run())
        await self._tail.ready.wait()
        following.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await following

    async def admit(self, inquiry: Inquiry) -> Life:
        """Only its beginning: admitted, and offered if anybody has room."""
        self._store.acts.clear()
        outcome = await self._intake.admit(inquiry)
        assert outcome.result in {Result.OFFERED, Result.QUEUED}, outcome.result
        (admit,) = self._store.acts
        assert isinstance(admit, Admit)
        return Life(admit=admit)

    async def part(self, inquiry: Inquiry, *, acts: int) -> Sequence[OutboxEntry]:
        """It is admitted, and so many acts of its advisor follow: what the outbox holds of that."""
        after = (await self._store.status(self._pool)).number
        begun = await self.admit(inquiry)
        case = await self._store.case(self._pool, begun.admit.case)
        assert case is not None
        await live(self._casework, case.id, case.offers[0], _at_once, acts=acts)
        await settle(self._store, self._pool)
        return [entry for entry in await self._store.pending(self._pool, after) if entry.case is not None]

    async def whole(self, inquiry: Inquiry) -> Life:
        """From the inquiry to the end of the work."""
        begun = await self.admit(inquiry)
        case = await self._store.case(self._pool, begun.admit.case)
        assert case is not None
        self._store.acts.clear()
        await live(self._casework, case.id, case.offers[0], _at_once)
        accept, reply, resolve = self._store.acts
        assert isinstance(accept, Accept)
        assert isinstance(reply, Reply)
        assert isinstance(resolve, Resolve)
        await settle(self._store, self._pool)
        return Life(admit=begun.admit, accept=accept, reply=reply, resolve=resolve)


async def live(casework: Casework, case: CaseId, offer: Offer, durable: Durable, *, acts: int = 3) -> None:
    """What an advisor does with an offer: accept, answer, resolve, each when the act before is durable; or only so many
    of these."""

    def request(step: str) -> Request:
        return Request(op=OperationId(f"bench:{step}-{case}"), actor=offer.advisor, advisor=offer.advisor)

    steps: tuple[Callable[[], Awaitable[Outcome]], ...] = (
        lambda: casework.accept(case, request("accept"), advisor=offer.advisor, offer_ver=offer.ver),
        lambda: casework.reply(case, request("reply"), text=ANSWER),
        lambda: casework.resolve(case, request("resolve"), outcome="solved"),
    )
    for step in steps[:acts]:
        outcome = await step()
        assert outcome.result in {Result.ASSIGNED, Result.DONE}, outcome.result
        await durable(outcome.number)
