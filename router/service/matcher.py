"""The matcher: serves work items until nobody who could take a waiting case is left with room for it."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final

from router.contract.case import CaseState, read_detail
from router.contract.ids import AdvisorId, PoolId
from router.contract.plan import Candidate
from router.engine import offers, plans
from router.engine.decide import Turn, Waiting, decide_turn, next_for, nominate
from router.engine.explain import write_explanation
from router.engine.plans import Scene
from router.service.acting import Actor
from router.service.metrics import ServiceMetrics
from router.service.policies import Policies
from router.service.roster import RosterTail
from router.service.shares import Shares, WholeShare
from router.store.acts import Done, Match, Result
from router.store.protocol import Reads, Share, WorkBatch, WorkItem

LOG = logging.getLogger(__name__)
_WAIT_MS: Final = 500
_HELPED: Final = 20
MAX_TRIES: Final = 200
_HANDED: Final = frozenset({Result.OFFERED, Result.ASSIGNED})


class _Tries:
    """What became of the tries made for one item."""

    handed = 0
    lost = 0


class Matcher:
    """One loop over a pool's work. ``shares`` says which items this router looks at; by default at all."""

    def __init__(
        self,
        actor: Actor,
        reads: Reads,
        tail: RosterTail,
        *,
        policies: Policies,
        metrics: ServiceMetrics,
        shares: Shares | None = None,
    ) -> None:
        self._actor = actor
        self._reads = reads
        self._tail = tail
        self._policies = policies
        self._metrics = metrics
        self._shares = shares or WholeShare()

    @property
    def _pool(self) -> PoolId:
        return self._actor.pool

    async def run(self) -> None:
        """Serve until cancelled."""
        stamped = 0
        while True:
            newest = await self.look()
            if newest is not None:
                # Short, since what others leave undone shows only to who looks twice.
                stamped = await self._reads.stamped(self._pool, max(stamped, newest), wait_ms=_WAIT_MS)

    async def settle(self) -> None:
        """Serve until there is no work left: what tests use."""
        while await self.look() is None:
            pass

    async def look(self) -> int | None:
        """Serve what there is: this router's items, and such as nobody serves. When there is nothing, the newest
        stamp, to be waited beyond."""
        batch = await self._reads.work(self._pool, share=self._shares.own(self._now()))
        self._shares.looked(batch.stamp, self._now())
        if batch.items:
            await self.serve(batch)
        abandoned = self._shares.abandoned(self._now(), is_busy=bool(batch.items))
        helped = abandoned is not None and await self._help(abandoned)
        return None if batch.items or helped else batch.stamp

    async def _help(self, share: Share) -> bool:
        """Serve some items that others have left; whether there were any."""
        batch = await self._reads.work(self._pool, share=share, limit=_HELPED)
        if batch.items:
            await self.serve(batch, left=True)
        else:
            self._shares.found_none(share)
        return bool(batch.items)

    async def serve(self, batch: WorkBatch, *, left: bool = False) -> None:
        """Serve the items in their order. An item is done when a look at the newest state finds no match."""
        await self._tail.caught_up(batch.change)
        served = []
        for item in batch.items:
            tries = _Tries()
            if await self._serve(item, tries):
                served.append(item)
            else:
                LOG.warning("a work item takes very many tries", extra={"event": "matcher.long", "pool": self._pool})
            self._metrics.count_served(handed=tries.handed, lost=tries.lost, left=left)
            await asyncio.sleep(0)
        await self._actor.apply([self._done(item) for item in served])

    async def _serve(self, item: WorkItem, tries: _Tries) -> bool:
        """Whether it is done; an item that isn't comes again, behind none."""
        kind, _, name = item.item.partition("|")
        return await self._feed(AdvisorId(name), tries) if kind == "a" else await self._drain(name, tries)

    async def _feed(self, advisor: AdvisorId, tries: _Tries) -> bool:
        """Give an advisor cases until he has no room, or none he may be offered waits."""
        for _ in range(MAX_TRIES):
            if not await self._turn(advisor, await self._heads(), tries):
                return True
        return False

    async def _drain(self, class_key: str, tries: _Tries) -> bool:
        """Find advisors for a class. It only nominates them: each is decided for over all his classes."""
        for _ in range(MAX_TRIES):
            heads = await self._heads()
            mine = next((head for head in heads if head.class_key == class_key), None)
            member = nominate(self._tail.roster, mine, self._policies.active, self._now()) if mine else None
            if member is None or not await self._turn(member.state.id, heads, tries):
                return True
        return False

    async def _turn(self, advisor: AdvisorId, heads: Sequence[Waiting], tries: _Tries) -> bool:
        """One try for one advisor; False when nothing waits for him. Whatever comes of it, roster and heads are
        newer at the next look."""
        with self._metrics.decision_seconds.time():
            turn = next_for(self._tail.roster, advisor, heads, self._policies.active, self._now())
        if turn is None:
            return False
        if await self._try(advisor, turn):
            tries.handed += 1
        else:
            tries.lost += 1
        return True

    async def _try(self, advisor: AdvisorId, turn: Turn) -> bool:
        """Whether he was handed the case; not when somebody else was faster."""
        state = await self._reads.case(self._pool, turn.head.case)
        if state is None or state.class_key != turn.head.class_key:
            return False
        outcome = await self._actor.one(self._match(state, advisor, turn))
        if outcome.result in _HANDED:
            self._count(state)
        return outcome.result in _HANDED

    def _match(self, state: CaseState, advisor: AdvisorId, turn: Turn) -> Match:
        now = self._now()
        rulebook = self._policies.judged_by(state)
        explanation = decide_turn(self._tail.roster, advisor, turn, rulebook, now)
        member = self._tail.roster.get(advisor)
        candidate = Candidate(advisor=advisor, elig=member.state.elig if member else 0)
        scene = Scene(rulebook=rulebook, now_ms=now)
        detail = read_detail(state.detail)
        return Match(
            pool=self._pool,
            gen=self._actor.gen,
            now_ms=now,
            case=state.id,
            plan=plans.plan(state, detail, scene, why=write_explanation(explanation)),
            class_key=turn.head.class_key,
            placing=offers.placing((candidate,), turn.head.waiting, rulebook, now),
        )

    def _count(self, state: CaseState) -> None:
        now = self._now()
        self._metrics.last_decision.set(now / 1000)
        self._metrics.assignment_seconds.observe((now - state.opened_at_ms) / 1000)

    def _done(self, item: WorkItem) -> Done:
        return Done(pool=self._pool, gen=self._actor.gen, now_ms=self._now(), item=item.item, stamp=item.stamp)

    async def _heads(self) -> Sequence[Waiting]:
        return [
            Waiting(class_key=head.class_key, score_ms=head.score, case=head.case)
            for head in await self._reads.heads(self._pool)
        ]

    def _now(self) -> int:
        return self._actor.now_ms()
