"""A stage for scenarios: the real engine and services over a store, with time that only the scenario moves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from prometheus_client import CollectorRegistry

from router.contract.advisor import Presence, Profile
from router.contract.case import CaseState, CaseStatus
from router.contract.codec import encode
from router.contract.ids import AccountId, AdvisorId, CaseId, ConversationId, InquiryId, OperationId, PoolId
from router.contract.messages import Address, Customer, Inquiry
from router.runtime.clock import ManualClock
from router.service.acting import Actor
from router.service.cases.casework import Casework
from router.service.cases.requests import Request
from router.service.configuration.policies import Policies
from router.service.intake import Intake
from router.service.matching.matcher import Matcher
from router.service.matching.sweep import Sweep
from router.service.measuring.metrics import ServiceMetrics
from router.service.measuring.tally import Tally
from router.service.progress import Progress
from router.service.roster import RosterTail
from router.service.timers import Timers
from router.store.acts import Outcome, PresenceAct, ProfileAct, Result
from router.store.memory import MemoryStore
from rules import Rulebook, load
from tests.suites.store.bench import WholeStore

POOL = PoolId("default")
SWEEP_S = 30
RULES = """
defaults: {queue: general, language: en}
skills: {billing: money, technical: machines}
tiers: [junior, senior, lead]
outcomes: {solved: Solved}
channels:
  email: {units: 10, interruptible: true}
  chat: {units: 30}
  call: {units: 100}
policies:
  standard: {first_response_s: 3600, resolution_s: 86400}
ladders:
  standard: {steps: [{at: breach, raise_priority: 1, notify: [webhook]}]}
queues:
  general: {policy: standard, ladder: standard, offer_s: 30}
  billing: {policy: standard, ladder: standard, offer_s: 30}
  direct: {policy: standard, auto_accept: true}
cool_down_s: 120
backoff_s: 15
away_after: 3
rules:
  - {name: urgent, match: {labels: {contains: urgent}}, set: {priority: 1}, continue: true}
  - {name: direct, match: {labels: {contains: direct}}, set: {queue: direct}}
  - {name: billing, match: {text: {contains: invoice}}, set: {queue: billing, skills: {billing: 5}}}
  - {name: technical, match: {text: {contains: machine}}, set: {skills: {technical: 5}}}
"""


def rulebook(text: str = RULES) -> Rulebook:
    return load({"rules.yaml": text})


def inquiry(
    name: str, text: str = "hello", *, channel: str = "email", talk: str = "", labels: tuple[str, ...] = ()
) -> Inquiry:
    return Inquiry(
        id=InquiryId(name),
        pool=POOL,
        account=AccountId("acc"),
        channel=channel,
        conversation=ConversationId(talk or f"talk-{name}"),
        customer=Customer(id=f"customer-{name}"),
        reply_to=Address(account=AccountId("acc"), address="somebody"),
        received_at_ms=1,
        text=text,
        labels=labels,
    )


class Stage:
    """What scenarios are written in. ``admit`` and the acts return what the services return; ``settle`` lets the
    matcher work until it is done; ``pass_s`` moves the clock and serves the timers that come due on the way."""

    def __init__(self, rules: Rulebook, store: WholeStore | None = None) -> None:
        self.clock = ManualClock()
        # Most scenarios look into a store in memory; one on a server does for the others.
        self.store = cast("MemoryStore", store) if store else MemoryStore(self.clock.now_ms)
        self.registry = CollectorRegistry()
        self.metrics = ServiceMetrics(self.registry)
        self.policies = Policies(rules)
        self.metrics.cases.adopt(rules)
        self.actor = Actor(POOL, self.store, self.store, clock=self.clock, metrics=self.metrics)
        self.tail = RosterTail(POOL, self.store)
        self.actor.show(Tally(self.metrics, self.tail.roster).observe)
        self.actor.tell(self.tail.correct)
        progress = Progress(POOL, self.store)
        self.intake = Intake(self.actor, self.tail, policies=self.policies, progress=progress, metrics=self.metrics)
        self.matcher = Matcher(self.actor, self.store, self.tail, policies=self.policies, metrics=self.metrics)
        self.timers = Timers(
            self.actor, self.store, self.tail, policies=self.policies, clock=self.clock, metrics=self.metrics
        )
        self.casework = Casework(self.actor, self.store, self.tail, policies=self.policies)
        self.sweep = Sweep(
            POOL,
            self.store,
            self.tail,
            rebuilds=self.store.rebuilds,
            policies=self.policies,
            clock=self.clock,
            metrics=self.metrics,
            every_s=SWEEP_S,
        )
        self._ops = 0
        self.tailing: asyncio.Task[None] | None = None

    def follow(self) -> None:
        """Follow the roster, again if the store was away meanwhile."""
        if self.tailing is None or self.tailing.done():
            self.tailing = asyncio.create_task(self.tail.run(), name="tail")

    # -- people

    async def hire(
        self, name: str, *, budget: int = 30, presence: Presence | None = Presence.ONLINE, **profile: object
    ) -> None:
        person = Profile(**{"languages": {"en": 10}, "budget": budget, **profile})  # type: ignore[arg-type]
        act = ProfileAct(
            **self.common(), advisor=AdvisorId(name), budget=budget, profile=encode(person).decode(), caps=person.caps
        )
        await self.actor.one(act)
        if presence is not None:
            await self.presence(name, presence)
        await self.settle()

    async def presence(self, name: str, presence: Presence, *, connect: int = 0, lease_ms: int = 0) -> Outcome:
        act = PresenceAct(
            **self.common(), advisor=AdvisorId(name), presence=presence, connect=connect, lease_ms=lease_ms
        )
        return await self.actor.one(act)

    def common(self) -> dict:  # type: ignore[type-arg]
        return {"pool": POOL, "gen": self.actor.gen, "now_ms": self.clock.now_ms()}

    def request(self, advisor: str = "") -> Request:
        self._ops += 1
        return Request(
            op=OperationId(f"op-{self._ops}"),
            actor=advisor or "supervisor",
            advisor=AdvisorId(advisor) if advisor else None,
        )

    # -- work

    async def write(self, name: str, text: str = "hello", **more: object) -> Outcome:
        await self.caught_up()
        return await self.intake.admit(inquiry(name, text, **more))  # type: ignore[arg-type]

    async def accept(self, case: str) -> Outcome:
        state = await self.case(case)
        offer = state.offers[0]
        return await self.casework.accept(
            CaseId(case), self.request(offer.advisor), advisor=offer.advisor, offer_ver=offer.ver
        )

    async def decline(self, case: str) -> Outcome:
        offer = (await self.case(case)).offers[0]
        return await self.casework.decline(
            CaseId(case), self.request(offer.advisor), advisor=offer.advisor, offer_ver=offer.ver
        )

    async def resolve(self, case: str) -> Outcome:
        owner = (await self.case(case)).owner
        return await self.casework.resolve(CaseId(case), self.request(owner), outcome="solved")

    # -- looking and waiting

    async def case(self, case: str) -> CaseState:
        state = await self.store.case(POOL, CaseId(case))
        assert state is not None, f"case {case} isn't there"
        return state

    async def holder(self, case: str) -> str:
        """Who has the case, or is offered it; empty when it waits."""
        state = await self.case(case)
        return state.owner or next((offer.advisor for offer in state.offers), "")

    async def load(self, name: str) -> int:
        state = await self.store.advisor(POOL, AdvisorId(name))
        assert state is not None
        return state.load

    async def caught_up(self) -> None:
        await self.tail.caught_up((await self.store.status(POOL)).change)

    async def settle(self) -> None:
        await self.matcher.settle()
        await self.caught_up()

    async def pass_s(self, seconds: float) -> None:
        """Let time pass from timer to timer."""
        end = self.clock.now_ms() + int(seconds * 1000)
        while True:
            status = await self.store.status(POOL)
            if status.next_timer_ms is None or status.next_timer_ms > end:
                break
            await self.clock.advance_ms(max(0, status.next_timer_ms - self.clock.now_ms()))
            await self.caught_up()
            await self.timers.serve()
            await self.settle()
        await self.clock.advance_ms(max(0, end - self.clock.now_ms()))
        await self.settle()

    async def nobody_waits_in_vain(self) -> None:
        assert await self.sweep.look() == set()
        assert (await self.store.status(POOL)).work == 0


@asynccontextmanager
async def stage(rules: Rulebook | None = None, store: WholeStore | None = None) -> AsyncIterator[Stage]:
    scene = Stage(rules or rulebook(), store)
    await scene.actor.open()
    scene.follow()
    try:
        await scene.tail.ready.wait()
        yield scene
    finally:
        assert scene.tailing is not None
        scene.tailing.cancel()
        await asyncio.gather(scene.tailing, return_exceptions=True)


__all__ = ["POOL", "CaseStatus", "Result", "Stage", "inquiry", "rulebook", "stage"]
