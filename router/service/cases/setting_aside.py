"""Parking by hand: work that is set aside for a while, and taken up again."""

from collections.abc import Callable
from typing import Final

from router.contract.case import CaseState, CaseStatus, read_detail
from router.contract.ids import AdvisorId, CaseId
from router.engine import manual, plans
from router.service.acting import Actor
from router.service.cases.requests import Request
from router.service.configuration.policies import Policies
from router.store.acts import AnyAct, Outcome, Park, Result, Unpark

_GONE: Final = Outcome(result=Result.GONE)
_FOLLOW_UP: Final = "follow_up|0"

Over = Callable[[CaseState], bool]


class SettingAside:
    """Parks the cases of one pool, and takes them up, for who asks. Both raise ``StoreUnavailable`` and ``Contended``:
    repeat with the same operation id."""

    def __init__(self, actor: Actor, *, policies: Policies) -> None:
        self._actor = actor
        self._policies = policies

    async def park(self, case: CaseId, request: Request, *, for_s: int) -> Outcome:
        """Its owner keeps a case that he has at hand, or that was parked before, and it takes nothing of him. It comes
        back when he takes it up, or by itself when there is room after ``for_s``. Gives ``DONE``, ``NOT_YOURS``,
        ``GONE``, ``ABSENT``."""

        def act(state: CaseState) -> AnyAct:
            now = self._actor.now_ms()
            plan = plans.plan(state, read_detail(state.detail), self._policies.scene(state, now))
            until_ms = now + for_s * 1000
            return Park(**request.common(self._actor), case=case, plan=plan, advisor=request.advisor, until_ms=until_ms)

        return await self._actor.attempt(case, act)

    async def unpark(self, case: CaseId, request: Request, *, may_exceed: Over) -> Outcome:
        """Its owner takes a case up again that is parked, or that waits for somebody else, even above his capacity
        where it may be so. Gives ``RETURNED``, ``NO_ROOM``, ``NOT_YOURS``, ``REFUSED`` (he was excluded meanwhile),
        ``GONE``, ``ABSENT``."""

        def act(state: CaseState) -> AnyAct | Outcome:
            if state.state is CaseStatus.PENDING and manual.is_excluded(state, AdvisorId(state.owner)):
                return Outcome(result=Result.REFUSED, case=state)
            # A parked or pending case has an owner; one that hasn't, or is over, is nobody's to take up.
            scene = self._policies.scene(state, self._actor.now_ms())
            detail = plans.taken_up(state, read_detail(state.detail), scene)
            plan = plans.plan(state, detail, scene)
            if _FOLLOW_UP in state.timers and state.state is CaseStatus.PENDING:
                plan = plans.also(plan, {_FOLLOW_UP: 0})
            return Unpark(
                **request.common(self._actor), case=case, plan=plan, advisor=request.advisor, over=may_exceed(state)
            )

        return await self._actor.attempt(case, act)


def back_in_line(state: CaseState, held_ms: int, policies: Policies, actor: Actor) -> Park | Outcome:
    """The act by which a case that was parked by hand until then comes back as soon as there is room."""
    if state.state is not CaseStatus.PARKED:
        return _GONE
    now = actor.now_ms()
    plan = plans.plan(state, read_detail(state.detail), policies.scene(state, now))
    return Park(
        pool=actor.pool,
        gen=actor.gen,
        now_ms=now,
        case=state.id,
        plan=plan,
        held_ms=held_ms,
        reason="its time is over",
    )
