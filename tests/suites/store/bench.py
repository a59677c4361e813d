"""What every suite of the state store works with: a bench that holds one store, and a desk that acts on it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from router.contract.advisor import AdvisorState, Presence
from router.contract.case import CaseState
from router.contract.ids import AdvisorId, CaseId, ConversationId, InquiryId, PoolId
from router.contract.plan import Candidate, Placing, Plan
from router.store.acts import (
    Act,
    Admit,
    AnyAct,
    Consult,
    Done,
    Outcome,
    PlannedAct,
    PresenceAct,
    ProfileAct,
    Result,
)
from router.store.protocol import Attempts, Lines, Outbox, Pressure, Reads, Store, WorkItem
from router.store.rebuilds import Rebuilds

POOL = PoolId("main")
START_MS = 1_760_000_000_000
QUEUE = "billing|chat|1"


class WholeStore(Store, Attempts, Pressure, Reads, Lines, Outbox, Protocol):
    """All that a store offers."""


@dataclass(frozen=True)
class Bench:
    """A store under test, and what only tests may do to it. ``keys``: those on its server, but the witness.
    ``restart``: the server begins another life with all it holds, as after a crash."""

    store: WholeStore
    set_witness: Callable[[int], Awaitable[None]]
    set_format: Callable[[PoolId, int], Awaitable[None]]
    keys: Callable[[], Awaitable[list[str]]]
    rebuilds: Rebuilds
    restart: Callable[[PoolId], Awaitable[None]]


class MakeBench(Protocol):
    async def __call__(self, *, outbox_mark: int = 100_000, max_classes: int = 4_096) -> Bench: ...


class Desk:
    """Acts on one pool of a store with a clock that moves only when told to."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.store = bench.store
        self.now = START_MS
        self.gen = 1

    async def open(self) -> "Desk":
        await self.store.open_pool(POOL)
        await self.bench.set_witness(self.now)
        return self

    async def pass_ms(self, ms: int) -> None:
        self.now += ms
        await self.bench.set_witness(self.now)

    # -- acts

    def act(self, kind: type[Act], **members: Any) -> AnyAct:
        return kind(**{"pool": POOL, "gen": self.gen, "now_ms": self.now, **members})  # type: ignore[return-value]  # every act that suites name is one of the union

    async def do(self, act: AnyAct) -> Outcome:
        (outcome,) = await self.store.apply([act])
        return outcome

    async def plan(self, case: str, **changes: Any) -> Plan:
        """A plan for the case as it is now, that keeps its place in the line."""
        state = await self.case(case)
        base = Plan(ver=state.ver if state else 0, class_key=QUEUE, score=state.score if state else self.now)
        return msgspec.structs.replace(base, **changes)

    async def on(self, kind: type[PlannedAct], case: str, *, plan: Plan | None = None, **members: Any) -> Outcome:
        """Apply a planned act to a case, by default with a fresh plan."""
        return await self.do(self.act(kind, case=CaseId(case), plan=plan or await self.plan(case), **members))

    async def advisor(self, name: str, *, budget: int = 100, online: bool = True, **members: Any) -> AdvisorState:
        """Make an advisor and answer his state, with no work left for the matcher."""
        await self.do(self.act(ProfileAct, advisor=AdvisorId(name), budget=budget, profile="{}", **members))
        if online:
            await self.do(self.act(PresenceAct, advisor=AdvisorId(name), presence=Presence.ONLINE))
        await self.serve_all()
        return await self.person(name)

    def admission(self, name: str, /, placing: Placing = Placing(), **members: Any) -> Admit:  # noqa: B008 - frozen
        """An admit that opens a case of that name in the conversation ``talk-<name>``."""
        base: dict[str, Any] = {
            "case": CaseId(name),
            "conversation": ConversationId(f"talk-{name}"),
            "inquiry": InquiryId(name),
            "message": f'{{"text":"{name}"}}',
            "channel": "chat",
            "units": 30,
            "plan": Plan(ver=0, class_key=QUEUE, score=self.now),
            "placing": placing,
        }
        act = self.act(Admit, **{**base, **members})
        assert isinstance(act, Admit)
        return act

    async def admit(self, name: str, /, placing: Placing = Placing(), **members: Any) -> Outcome:  # noqa: B008 - frozen
        return await self.do(self.admission(name, placing, **members))

    async def ring(self, *names: str, at_once: int = 1, wait_ms: int = 20_000, over: bool = False) -> Placing:
        """Offer to these advisors, judged as they are now."""
        return await self.placing(*names, over=over, ring=at_once, offer_deadline_ms=self.now + wait_ms)

    async def hand(self, *names: str, over: bool = False) -> Placing:
        """Assign to the first of these advisors who fits, judged as they are now."""
        return await self.placing(*names, over=over, auto_accept=True)

    async def placing(self, *names: str, over: bool = False, **members: Any) -> Placing:
        people = [await self.person(name) for name in names]
        found = tuple(Candidate(advisor=person.id, elig=person.elig, over=over) for person in people)
        return Placing(candidates=found, **members)

    # -- situations

    async def assigned(self, case: str, name: str, **members: Any) -> CaseState:
        """Open a case and hand it to that advisor at once."""
        outcome = await self.admit(case, await self.hand(name), **members)
        assert outcome.result is Result.ASSIGNED, outcome
        assert outcome.case is not None
        return outcome.case

    async def offered(self, case: str, *names: str, **members: Any) -> CaseState:
        """Open a case and offer it to all these advisors at once."""
        outcome = await self.admit(case, await self.ring(*names, at_once=len(names)), **members)
        assert outcome.result is Result.OFFERED, outcome
        assert outcome.case is not None
        return outcome.case

    async def asked_in(self, case: str, owner: str, name: str, *, units: int = 10) -> Outcome:
        """The owner of a case asks that advisor in, at once."""
        return await self.on(Consult, case, advisor=owner, units=units, placing=await self.hand(name))

    async def serve_all(self) -> None:
        """Be a matcher that has nothing to give: end every work item."""
        batch = await self.store.work(POOL, limit=10_000)
        await self.store.apply([self.act(Done, item=item.item, stamp=item.stamp) for item in batch.items])

    # -- looks

    async def case(self, case: str) -> CaseState | None:
        return await self.store.case(POOL, CaseId(case))

    async def state(self, case: str) -> CaseState:
        found = await self.case(case)
        assert found is not None, f"no case {case}"
        return found

    async def person(self, name: str) -> AdvisorState:
        found = await self.store.advisor(POOL, AdvisorId(name))
        assert found is not None, f"no advisor {name}"
        return found

    async def work(self) -> dict[str, WorkItem]:
        batch = await self.store.work(POOL, limit=10_000)
        return {item.item: item for item in batch.items}

    async def waiting(self, class_key: str = QUEUE) -> Sequence[CaseId]:
        return await self.store.waiting(POOL, class_key)

    async def number(self) -> int:
        return (await self.store.status(POOL)).number
