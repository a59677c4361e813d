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
from router.store.acts import Done, Match, Result
from router.store.protocol import Reads, WorkBatch, WorkItem

LOG = logging.getLogger(__name__)
_WAIT_MS: Final = 1_000
MAX_TRIES: Final = 200
_HANDED: Final = frozenset({Result.OFFERED, Result.ASSIGNED})


class Matcher:
    """One loop over a pool's work. ``share`` is this router's part of the items, (k, n)."""

    def __init__(
        self, actor: Actor, reads: Reads, tail: RosterTail, *, policies: Policies, metrics: ServiceMetrics
    ) -> None:
        self._actor = actor
        self._reads = reads
        self._tail = tail
        self._policies = policies
        self._metrics = metrics
        self.share = (0, 1)

    @property
    def _pool(self) -> PoolId:
        return self._actor.pool

    async def run(self) -> None:
        """Serve until cancelled."""
        stamped = 0
        while True:
            batch = await self._reads.work(self._pool, share=self.share)
            if batch.items:
                await self.serve(batch)
            else:
                stamped = await self._reads.stamped(self._pool, max(stamped, batch.stamp), wait_ms=_WAIT_MS)

    async def settle(self) -> None:
        """Serve until there is no work left: what tests and the sweep's second look use."""
        while (batch := await self._reads.work(self._pool, share=self.share)).items:
            await self.serve(batch)

    async def serve(self, batch: WorkBatch) -> None:
        """Serve the items in their order. An item is done when a look at the newest state finds no match."""
        await self._tail.caught_up(batch.change)
        served = []
        for item in batch.items:
            if await self._serve(item):
                served.append(item)
            else:
                LOG.warning("a work item takes very many tries", extra={"event": "matcher.long", "pool": self._pool})
            await asyncio.sleep(0)
        await self._actor.apply([self._done(item) for item in served])

    async def _serve(self, item: WorkItem) -> bool:
        """Whether it is done; an item that isn't comes again, behind none."""
        kind, _, name = item.item.partition("|")
        return await self._feed(AdvisorId(name)) if kind == "a" else await self._drain(name)

    async def _feed(self, advisor: AdvisorId) -> bool:
        """Give an advisor cases until he has no room, or none he may be offered waits."""
        for _ in range(MAX_TRIES):
            if not await self._turn(advisor, await self._heads()):
                return True
        return False

    async def _drain(self, class_key: str) -> bool:
        """Find advisors for a class. It only nominates them: each is decided for over all his classes."""
        for _ in range(MAX_TRIES):
            heads = await self._heads()
            mine = next((head for head in heads if head.class_key == class_key), None)
            member = nominate(self._tail.roster, mine, self._policies.active, self._now()) if mine else None
            if member is None or not await self._turn(member.state.id, heads):
                return True
        return False

    async def _turn(self, advisor: AdvisorId, heads: Sequence[Waiting]) -> bool:
        """One try for one advisor; False when nothing waits for him. Whatever comes of it, roster and heads are
        newer at the next look."""
        with self._metrics.decision_seconds.time():
            turn = next_for(self._tail.roster, advisor, heads, self._policies.active, self._now())
        if turn is None:
            return False
        state = await self._reads.case(self._pool, turn.head.case)
        if state is not None and state.class_key == turn.head.class_key:
            outcome = await self._actor.one(self._match(state, advisor, turn))
            if outcome.result in _HANDED:
                self._count(state)
        return True

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
