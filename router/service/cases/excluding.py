"""Keeping a case from advisors by hand, and letting them have it again."""

from typing import Any

from msgspec.structs import replace

from router.contract.case import CaseDetail, CaseState, read_detail
from router.contract.ids import AdvisorId, CaseId
from router.contract.plan import Plan
from router.engine import consulting, exclusions, plans, relaxation
from router.engine.plans import Scene
from router.service.acting import Actor
from router.service.cases.consults import Consults
from router.service.cases.requests import Request
from router.service.configuration.policies import Policies
from router.service.roster import RosterTail
from router.store.acts import AnyAct, Outcome, Rejudge, Requeue, Result


class Excluding:
    """Changes whom the cases of one pool are kept from."""

    def __init__(self, actor: Actor, tail: RosterTail, *, policies: Policies) -> None:
        self._actor = actor
        self._policies = policies
        self._consults = Consults(actor, tail, policies=policies)

    async def change(self, case: CaseId, request: Request, *, lift: tuple[str, ...] = ()) -> Outcome:
        """Keep an open case from whom the request says, and from some no longer. Whoever has it, is offered it or is
        asked in on it (or rung to be) loses it at once, and it waits at its old place. Gives ``DONE``, ``QUEUED`` (it
        was taken from somebody), ``GONE`` (it isn't open), ``ABSENT``. Raises ``StoreUnavailable`` and ``Contended``:
        repeat it with the same operation id."""
        common = request.common(self._actor)

        def act(state: CaseState) -> AnyAct:
            scene = self._policies.scene(state, self._actor.now_ms())
            told = {"by": request.actor, "reason": request.reason}
            after = exclusions.lift(request.wish.heeded(state, scene.now_ms, **told), lift, scene.now_ms, **told)
            if exclusions.is_with_excluded(state, after):
                return Requeue(**common, case=case, plan=_freed(state, after, scene))
            return Rejudge(**common, case=case, plan=plans.plan(state, after, scene), about=_told(state, after))

        outcome = await self._actor.attempt(case, act)
        if outcome.case is None or outcome.result is Result.GONE:
            return outcome
        return await self._part(outcome, common)

    async def _part(self, outcome: Outcome, common: dict[str, Any]) -> Outcome:
        """End the advice of who is excluded, and what rings at him for it. It comes after: a repeat of the whole ends
        it if it was cut off."""
        assert outcome.case is not None
        for name in sorted(_asked(outcome.case) & {*read_detail(outcome.case.detail).excluded}):
            ended = await self._leave(outcome.case, AdvisorId(name), common)
            outcome = replace(outcome, number=max(outcome.number, ended.number), case=ended.case or outcome.case)
        return outcome

    async def _leave(self, state: CaseState, advisor: AdvisorId, common: dict[str, Any]) -> Outcome:
        def act(found: CaseState) -> AnyAct | Outcome:
            return self._consults.left(found, {**common, "op": ""}, advisor=advisor)

        return await self._actor.attempt(state.id, act, state=state)


def _asked(state: CaseState) -> set[str]:
    """Who is in on the case beside its owner, or rung to be."""
    rung = {str(offer.advisor) for offer in state.offers} if consulting.is_rung(state) else set()
    return rung | {*state.consults}


def _told(state: CaseState, after: CaseDetail) -> str:
    """For the history: whom the case is kept from, and whom it isn't any more."""
    before, now = {*read_detail(state.detail).excluded}, {*after.excluded}
    changes = (("exclude", now - before), ("admit", before - now))
    return "; ".join(f"{what} {', '.join(sorted(names))}" for what, names in changes if names)


def _freed(state: CaseState, detail: CaseDetail, scene: Scene) -> Plan:
    waits = relaxation.anew(replace(detail, held_for="", held_until_ms=None), scene.now_ms)
    return plans.placed(state, plans.taken_up(state, waits, scene), scene)
