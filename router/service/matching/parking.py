"""Parking and taking up again: interruptible work makes room for what interrupts, and comes back to who had it."""

from typing import Any, Final

from router.contract.case import CaseState, CaseStatus, read_detail
from router.contract.ids import AdvisorId, CaseId
from router.engine import plans
from router.engine.decide import Turn
from router.engine.parking import gives_way, to_resume
from router.service.acting import Actor
from router.service.configuration.policies import Policies
from router.service.errors import Contended
from router.service.roster import RosterTail
from router.store.acts import Outcome, Park, Result, Unpark

_GONE: Final = Outcome(result=Result.GONE)


class Parking:
    """The matcher's part in it. Each case is parked by an act of its own, before the one that hands over what it makes
    room for: whoever dies between, or hands over in vain, leaves a work item of the advisor behind, and with it what
    was parked is taken up again."""

    def __init__(self, actor: Actor, tail: RosterTail, *, policies: Policies) -> None:
        self._actor = actor
        self._tail = tail
        self._policies = policies

    def next_for(self, advisor: AdvisorId, turn: Turn | None) -> CaseId | None:
        """The parked case that he takes up before anything else: not when what he would have instead interrupts, for
        it would be parked again at once."""
        if turn is not None and gives_way(turn.head.waiting.channel, self._policies.active):
            return None
        member = self._tail.roster.get(advisor)
        return to_resume(member.state) if member else None

    async def resume(self, case: CaseId) -> bool:
        """Let its owner take it up again; False when he can't, which the roster shows from then on."""
        try:
            outcome = await self._actor.attempt(case, self._unpark)
        except Contended:
            return False
        return outcome.result is Result.RETURNED

    async def make_room(self, turn: Turn) -> None:
        """Park what has to give way for a turn. Raises ``Contended``."""
        for case in turn.park:
            await self._actor.attempt(case, lambda state: self._park(state, turn))

    def _unpark(self, state: CaseState) -> Unpark | Outcome:
        if state.state is not CaseStatus.PARKED:
            return _GONE
        return Unpark(**self._planned(state), reason="room again")

    def _park(self, state: CaseState, turn: Turn) -> Park | Outcome:
        if state.state is not CaseStatus.ASSIGNED:
            return _GONE
        return Park(**self._planned(state), reason=f"room for {turn.head.case}")

    def _planned(self, state: CaseState) -> dict[str, Any]:
        """The members of an act that changes nothing else of a case."""
        now = self._actor.now_ms()
        plan = plans.plan(state, read_detail(state.detail), self._policies.scene(state, now))
        return {"pool": self._actor.pool, "gen": self._actor.gen, "now_ms": now, "case": state.id, "plan": plan}
