"""Due timers: whatever has become due is taken from the store and served, by as many loops as there are."""

import logging
from typing import Final

from router.contract.case import CaseState, CaseStatus, read_detail
from router.contract.ids import AdvisorId, CaseId
from router.contract.plan import Placing
from router.engine import chasing, consulting, offers, plans, relaxation
from router.engine.plans import Scene
from router.engine.telling import Teller
from router.runtime.clock import Clock
from router.service.acting import Actor
from router.service.cases.setting_aside import back_in_line
from router.service.climbing import Ladders
from router.service.configuration.policies import Policies
from router.service.leaving import Leaving
from router.service.measuring.metrics import OTHER_KIND, ServiceMetrics, timer_kind
from router.service.measuring.tally import count_breach
from router.service.roster import RosterTail
from router.store.acts import (
    AnyAct,
    Close,
    Due,
    Expire,
    Outcome,
    PresenceAct,
    Rejudge,
    Replan,
    Requeue,
    Result,
    Snooze,
    TimerClaim,
    WrapUp,
)
from router.store.marks import late_reason
from router.store.protocol import Reads

LOG = logging.getLogger(__name__)
_LOOK_EVERY_MS: Final = 200
_PACE_MS: Final = 5
_MOST_UNKNOWN: Final = 100
_NOTHING: Final = Outcome(result=Result.GONE)
_LOOKING: Final = frozenset({CaseStatus.QUEUED, CaseStatus.OFFERED})
_UNSPENT: Final = frozenset({Result.GONE, Result.SAME})


class Timers:
    """One loop over a pool's timers. Warnings and breaches fire inside the store; the rest is served here, each
    by an act that carries the claim, so that it takes effect once whoever else serves it too."""

    def __init__(
        self, actor: Actor, reads: Reads, tail: RosterTail, *, policies: Policies, clock: Clock, metrics: ServiceMetrics
    ) -> None:
        self._actor = actor
        self._reads = reads
        self._tail = tail
        self._policies = policies
        self._clock = clock
        self._metrics = metrics
        self._leaving = Leaving(actor, reads, tail, policies=policies)
        self._is_behind = False
        self._unknown: set[str] = set()
        self._ladders = Ladders(actor, tail, policies=policies)

    async def run(self) -> None:
        """Serve until cancelled, never early; another process's earlier timer is seen within 200 ms. After an outage
        those that are late come in the order of their time, 10 in 5 ms at most, so that new work isn't held up."""
        while True:
            if not await self.serve():
                await self._sleep()
            elif self._is_behind:
                await self._clock.sleep_until_ms(self._clock.now_ms() + _PACE_MS)

    async def serve(self) -> int:
        """Take what is due, at most 10, and serve it; how many there were, with those that wait for memory."""
        now = self._actor.now_ms()
        due = await self._actor.one(Due(pool=self._actor.pool, gen=self._actor.gen, now_ms=now))
        self._metrics.timers_put_off.inc(due.put_off)
        self._is_behind = any(claim.late_ms for claim in due.claims)
        for claim in due.claims:
            kind = timer_kind(claim.timer)
            self._metrics.timers.labels(kind).inc()
            if claim.late_ms:
                self._metrics.timers_late.labels("memory" if claim.put_off else "unserved").inc()
            self._metrics.timer_lag_seconds.observe(max(0, now - claim.due_ms) / 1000)
            if claim.fired:
                self._metrics.escalations.labels(kind).inc()
                await self._count_breach(kind, claim)
            else:
                await self._serve_claim(claim)
        return len(due.claims) + due.put_off

    async def _count_breach(self, kind: str, claim: TimerClaim) -> None:
        state = await self._reads.case(self._actor.pool, CaseId(claim.id)) if kind == "breach" else None
        if state is not None:
            count_breach(self._metrics.cases, state, claim.timer)

    async def _sleep(self) -> None:
        status = await self._reads.status(self._actor.pool)
        look_at = self._actor.now_ms() + _LOOK_EVERY_MS
        await self._clock.sleep_until_ms(min(look_at, status.next_timer_ms or look_at))

    async def _serve_claim(self, claim: TimerClaim) -> None:
        if claim.subject == "a":
            await self._serve_advisor(claim)
            return
        case = CaseId(claim.id)
        if timer_kind(claim.timer) == OTHER_KIND:
            self._leave(claim)
            return
        if claim.timer.startswith("close|"):
            close = Close(**self._common(), case=case, claim=(claim.timer, claim.deadline_ms))
            outcome = await self._actor.one(close)
        else:
            outcome = await self._actor.attempt(case, lambda state: self._act(state, claim))
        if outcome.result in _UNSPENT and outcome.case is not None and _stands(outcome.case, claim):
            # It has nothing to do any more: left armed, it would come again every second.
            await self._actor.attempt(case, lambda state: self._drop(state, claim), state=outcome.case)

    # -- cases

    def _act(self, state: CaseState, claim: TimerClaim) -> AnyAct | Outcome:
        """The act that serves a timer of a case, computed for the case as it is."""
        if not _stands(state, claim):
            return _NOTHING
        kind, _, number = claim.timer.partition("|")
        match kind:
            case "offer":
                return self._expire(state, int(number), claim)
            case "step":
                return self._step(state, int(number), claim)
            case "relax":
                return self._relax(state, claim)
            case chasing.KIND:
                return self._chase(state, claim)
            case "cooldown" | "hold":
                return self._released(state, claim)
            case "follow_up":
                return self._follow_up(state, claim)
            case _:
                return self._drop(state, claim)

    def _expire(self, state: CaseState, ver: int, claim: TimerClaim) -> AnyAct:
        scene = self._scene(state)
        if consulting.is_rung(state):
            return self._expire_consult(state, ver, claim)
        detail, teller = read_detail(state.detail), self._teller(scene)
        told = {
            offer.advisor: offers.missed_notices(teller, state, detail, offer.advisor)
            for offer in state.offers
            if offer.ver == ver
        }
        after = offers.missed(state, ver, roster=self._tail.roster, rulebook=scene.rulebook, now_ms=scene.now_ms)
        plan = plans.plan(state, after, scene)
        return Expire(
            **self._planned(state, claim), plan=plan, offer_ver=ver, away_after=scene.rulebook.away_after, told=told
        )

    def _expire_consult(self, state: CaseState, ver: int, claim: TimerClaim) -> AnyAct:
        """Whoever was rung for advice has not answered: the next is rung, if others were meant as well."""
        scene, advisor = self._scene(state), state.offers[0].advisor
        plan, placing = consulting.passed_on(state, self._tail.roster, scene, advisor=advisor, end=consulting.EXPIRED)
        told = offers.missed_notices(self._teller(scene), state, read_detail(state.detail), advisor)
        return Expire(
            **self._planned(state, claim),
            plan=plan,
            offer_ver=ver,
            away_after=scene.rulebook.away_after,
            told={advisor: told},
            placing=placing,
        )

    def _step(self, state: CaseState, number: int, claim: TimerClaim) -> AnyAct:
        return self._ladders.timed(state, number, self._planned(state, claim)) or self._drop(state, claim)

    def _relax(self, state: CaseState, claim: TimerClaim) -> AnyAct:
        """The next step of relaxation, if it is time for it: a case that was placed anew since has another."""
        scene, detail = self._scene(state), read_detail(state.detail)
        step = next(iter(relaxation.ahead(detail, scene.rulebook)), None)
        if step is None or step.at_ms is None or step.at_ms > scene.now_ms or state.state not in _LOOKING:
            return self._drop(state, claim)
        plan = plans.plan(plans.spent(state, claim.timer), relaxation.take(detail), scene)
        return Rejudge(**self._planned(state, claim), plan=plan, about=f"relax {step.number}")

    def _chase(self, state: CaseState, claim: TimerClaim) -> AnyAct:
        """The third party is late: staff is told, and will be again."""
        scene, detail = self._scene(state), read_detail(state.detail)
        if claim.timer != f"{chasing.KIND}|{detail.chased}":
            return self._drop(state, claim)
        terms = scene.terms(detail.verdict)
        told = chasing.notices(self._teller(scene), state, detail, terms)
        plan = plans.plan(state, chasing.chased(detail), scene)
        why = {**self._planned(state, claim), "reason": chasing.reason(detail)}
        return Snooze(**why, plan=plan, notices=told)

    def _released(self, state: CaseState, claim: TimerClaim) -> AnyAct:
        scene = self._scene(state)
        if state.state is CaseStatus.RESOLVED:
            return self._drop(state, claim)
        plan = plans.plan(state, offers.released(read_detail(state.detail), scene.now_ms), scene)
        return Rejudge(**self._planned(state, claim), plan=plan)

    def _follow_up(self, state: CaseState, claim: TimerClaim) -> AnyAct:
        """The promised time has come: back to the owner if he has room, kept for him for a while if not."""
        if state.state is not CaseStatus.PENDING:
            return self._drop(state, claim)
        scene = self._scene(state)
        detail = plans.brought_back(state, scene, self._tail.roster, is_written_to=False)
        owner = offers.back_to(self._tail.roster, detail)
        over = scene.rulebook.weight(state.channel).over_when_back
        asked = offers.asked_first(owner, over=over) if owner else ()
        return Requeue(
            **self._planned(state, claim),
            plan=plans.placed(state, detail, scene),
            placing=Placing(candidates=asked, auto_accept=True),
        )

    def _drop(self, state: CaseState, claim: TimerClaim) -> AnyAct:
        scene = self._scene(state)
        return Replan(**self._planned(state, claim), plan=plans.plan(state, read_detail(state.detail), scene))

    # -- advisors

    async def _serve_advisor(self, claim: TimerClaim) -> None:
        kind, _, number = claim.timer.partition("|")
        advisor = AdvisorId(claim.id)
        spent = (claim.timer, claim.deadline_ms)
        if kind == "lease":
            grace_ms = self._actor.now_ms() + self._policies.active.grace_s * 1000
            act = PresenceAct(**self._common(), advisor=advisor, disconnect=int(number), grace_ms=grace_ms, claim=spent)
            await self._actor.one(act)
        elif kind == "grace":
            await self._leaving.gone(advisor, spent)
        elif kind == "left":
            await self._leaving.leave(advisor, spent)
        elif kind == "wrap_up":
            await self._actor.one(WrapUp(**self._common(), advisor=advisor, case=CaseId(number), claim=spent))
        elif kind == "park":
            await self._actor.attempt(
                CaseId(number), lambda state: back_in_line(state, claim.deadline_ms, self._policies, self._actor)
            )
        else:
            self._leave(claim)

    # -- parts

    def _leave(self, claim: TimerClaim) -> None:
        """A newer version has armed it, and runs beside this one during an upgrade: it comes again a second later, to
        whichever process asks first, until one that knows it has it. Said once a kind."""
        kind = claim.timer.partition("|")[0]
        if kind not in self._unknown and len(self._unknown) < _MOST_UNKNOWN:
            self._unknown.add(kind)
            LOG.warning("a timer of an unknown kind is left to others", extra={"event": "timer.unknown", "timer": kind})

    def _scene(self, state: CaseState) -> Scene:
        return self._policies.scene(state, self._actor.now_ms())

    def _teller(self, scene: Scene) -> Teller:
        return Teller(self._actor.pool, scene.rulebook, self._tail.roster, scene.now_ms)

    def _common(self) -> dict:  # type: ignore[type-arg]
        return {"pool": self._actor.pool, "gen": self._actor.gen, "now_ms": self._actor.now_ms()}

    def _planned(self, state: CaseState, claim: TimerClaim) -> dict:  # type: ignore[type-arg]
        reason = late_reason(claim.late_ms, put_off=claim.put_off) if claim.late_ms else ""
        claimed = (claim.timer, claim.deadline_ms)
        return {**self._common(), "case": state.id, "claim": claimed, "reason": reason}


def _stands(state: CaseState, claim: TimerClaim) -> bool:
    return state.timers.get(claim.timer) == claim.deadline_ms
