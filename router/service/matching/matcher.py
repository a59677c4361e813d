"""The matcher: serves work items until nobody who could take a waiting case is left with room for it."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Final, NamedTuple

from router.contract.case import CaseState, read_detail
from router.contract.ids import AdvisorId, PoolId
from router.engine import offers, plans
from router.engine.decide import Turn, Waiting, decide_turn, next_for, nominate
from router.engine.explain import in_order, write_explanation
from router.service.acting import Actor
from router.service.configuration.policies import Policies
from router.service.errors import Contended
from router.service.matching.line_lengths import LinedReads, LineLengths
from router.service.matching.parking import Parking
from router.service.matching.shares import Shares, WholeShare
from router.service.measuring.metrics import ServiceMetrics
from router.service.roster import RosterTail
from router.store.acts import Done, Match, Outcome, Result
from router.store.protocol import Share, WorkBatch, WorkItem

LOG = logging.getLogger(__name__)
_WAIT_MS: Final = 500
_HELPED: Final = 20
MAX_TRIES: Final = 200
_HANDED: Final = frozenset({Result.OFFERED, Result.ASSIGNED})
_GONE: Final = Outcome(result=Result.GONE)


class _Tries:
    """What became of the tries made for one item."""

    handed = 0
    lost = 0

    def count(self, *, handed: bool) -> None:
        self.handed += handed
        self.lost += not handed


class _Look:
    """The heads of the classes. Old ones are enough to see that nothing waits, for a class that isn't among them gets
    an item of its own, and a later one, once a case waits there; but nobody is given a case by them."""

    def __init__(self, heads: Sequence[Waiting]) -> None:
        self.heads = heads
        self.is_new = True


class _Found(NamedTuple):
    """Who should have which case next."""

    advisor: AdvisorId
    turn: Turn


class Matcher:
    """One loop over a pool's work. ``shares`` says which items this router looks at; by default at all."""

    def __init__(
        self,
        actor: Actor,
        reads: LinedReads,
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
        self._parking = Parking(actor, tail, policies=policies)
        self._lines = LineLengths(actor.pool, reads)

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
        look = _Look(await self._heads())
        served: list[WorkItem] = []
        for item in batch.items:
            tries = _Tries()
            if await self._serve(item, look, tries):
                served.append(item)
            else:
                LOG.warning("a work item takes very many tries", extra={"event": "matcher.long", "pool": self._pool})
            self._metrics.count_served(handed=tries.handed, lost=tries.lost, left=left)
            look.is_new = False
            await asyncio.sleep(0)
            if tries.handed or tries.lost:
                # That took its time, and who has an item is left out by intake as long as it stands.
                served = await self._say_done(served)
        await self._say_done(served)

    async def _say_done(self, served: list[WorkItem]) -> list[WorkItem]:
        """Say of these that they are done; none are left to be said."""
        if served:
            await self._actor.apply([self._done(item) for item in served])
        return []

    async def _serve(self, item: WorkItem, look: _Look, tries: _Tries) -> bool:
        """Whether it is done; an item that isn't comes again, behind none."""
        kind, _, name = item.item.partition("|")
        while tries.handed + tries.lost < MAX_TRIES:
            found = self._next(AdvisorId(name), look) if kind == "a" else self._nominated(name, look)
            advisor = AdvisorId(name) if kind == "a" else found.advisor if found else None
            parked = self._parking.next_for(advisor, found.turn if found else None) if advisor else None
            if parked is not None:
                tries.count(handed=await self._parking.resume(parked))
                look.is_new = False
                continue
            if found is None:
                return True
            if look.is_new:
                await self._count_try(found, tries)
                look.is_new = False
            else:
                look.heads = await self._heads()
                look.is_new = True
        return False

    def _next(self, advisor: AdvisorId, look: _Look) -> _Found | None:
        """What an advisor should have next, if he has room and anything waits that he may be offered."""
        if not look.heads:
            return None
        with self._metrics.decision_seconds.time():
            turn = next_for(self._tail.roster, advisor, look.heads, self._policies.active, self._now())
        return _Found(advisor, turn) if turn else None

    def _nominated(self, class_key: str, look: _Look) -> _Found | None:
        """For whom a class asks. It only nominates him: he is decided for over all his classes."""
        mine = next((head for head in look.heads if head.class_key == class_key), None)
        member = nominate(self._tail.roster, mine, self._policies.active, self._now()) if mine else None
        return self._next(member.state.id, look) if member else None

    async def _count_try(self, found: _Found, tries: _Tries) -> None:
        """Whatever comes of it, the roster is newer afterwards, and so must be the heads."""
        tries.count(handed=await self._try(found.advisor, found.turn))

    async def _try(self, advisor: AdvisorId, turn: Turn) -> bool:
        """Whether he was handed the case; not when somebody else was faster."""
        try:
            await self._parking.make_room(turn)
            outcome = await self._actor.attempt(turn.head.case, lambda state: self._match(state, advisor, turn))
        except Contended:
            return False
        if outcome.result in _HANDED and outcome.case is not None:
            self._count(outcome.case)
            self._lines.handed(turn.head.class_key)
        return outcome.result in _HANDED

    def _match(self, state: CaseState, advisor: AdvisorId, turn: Turn) -> Match | Outcome:
        if state.class_key != turn.head.class_key:
            return _GONE
        now = self._now()
        rulebook = self._policies.judged_by(state)
        explanation = decide_turn(self._tail.roster, advisor, turn, rulebook, now)
        others = in_order(explanation)
        candidates = offers.rung(self._tail.roster, advisor, others, offers.ring_of(turn.head.waiting, rulebook))
        scene, detail = self._policies.scene(state, now), read_detail(state.detail)
        plan = plans.plan(state, detail, scene, why=write_explanation(explanation))
        return Match(
            pool=self._pool,
            gen=self._actor.gen,
            now_ms=now,
            case=state.id,
            plan=plans.if_taken(plan, state, detail, scene),
            class_key=turn.head.class_key,
            placing=offers.placing(candidates, turn.head.waiting, rulebook, now),
        )

    def _count(self, state: CaseState) -> None:
        now = self._now()
        self._metrics.last_decision.set(now / 1000)
        self._metrics.assignment_seconds.observe((now - state.opened_at_ms) / 1000)

    def _done(self, item: WorkItem) -> Done:
        return Done(pool=self._pool, gen=self._actor.gen, now_ms=self._now(), item=item.item, stamp=item.stamp)

    async def _heads(self) -> Sequence[Waiting]:
        return await self._lines.heads(self._now(), counted=self._policies.active.shares is not None)

    def _now(self) -> int:
        return self._actor.now_ms()
