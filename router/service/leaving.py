"""An advisor who has gone: what becomes of the work he leaves, channel by channel."""

from typing import Any, Final

from router.contract.advisor import AdvisorState, Presence, Work, WorkKind
from router.contract.case import CaseState, read_detail
from router.contract.ids import AdvisorId, CaseId
from router.engine import offers, plans, relaxation
from router.engine.plans import Scene
from router.service.acting import Actor, MakeAct
from router.service.cases.consults import Consults
from router.service.configuration.policies import Policies
from router.service.roster import RosterTail
from router.store.acts import AnyAct, Outcome, PresenceAct, Requeue, Result
from router.store.protocol import Reads
from rules.capacity import WhenGone

LOST: Final = "connection-lost"
SHIFT_ENDED: Final = "shift-ended"
_NOTHING: Final = Outcome(result=Result.GONE)
_AT_HAND: Final = frozenset({WorkKind.CASE, WorkKind.OFFER, WorkKind.PARKED})
_BESIDE: Final = frozenset({WorkKind.CONSULT, WorkKind.CONSULT_OFFER})

Spent = tuple[str, int]


class Leaving:
    """Serves two timers of an advisor: ``grace``, when he hasn't come back, and ``left``, for the work he leaves.

    The first arms the second in the same act, and coming back disarms it: whoever dies between, and however often it
    is served, each case is given on once, and nobody's who is back.
    """

    def __init__(self, actor: Actor, reads: Reads, tail: RosterTail, *, policies: Policies) -> None:
        self._actor = actor
        self._reads = reads
        self._policies = policies
        self._consults = Consults(actor, tail, policies=policies)

    async def gone(self, advisor: AdvisorId, spent: Spent) -> None:
        """Nobody has come back in time: he is offline from now on."""
        state = await self._reads.advisor(self._actor.pool, advisor)
        presence, reason = _presence(state)
        act = PresenceAct(
            **self._common(),
            advisor=advisor,
            presence=presence,
            reason=reason,
            claim=spent,
            left_ms=self._actor.now_ms(),
        )
        await self._actor.one(act)

    async def leave(self, advisor: AdvisorId, spent: Spent) -> None:
        """Give on what he has, as the channel of each case says. Raises ``Contended`` and ``StoreUnavailable``; the
        timer stands until all is done."""
        state = await self._reads.advisor(self._actor.pool, advisor)
        if state is None or state.timers.get(spent[0]) != spent[1]:
            return
        for case, work in state.work.items():
            make = self._given_on(state, work)
            if make is not None:
                await self._actor.attempt(CaseId(case), make)
        await self._actor.one(PresenceAct(**self._common(), advisor=advisor, claim=spent))

    def _given_on(self, advisor: AdvisorState, work: Work) -> MakeAct | None:
        """The act that takes an entry of his work set from him; None for what waits for him."""
        if work.kind in _BESIDE:
            common = {**self._common(), "reason": advisor.reason or LOST}
            return lambda state: self._consults.left(state, common, advisor=advisor.id)
        fate = self._policies.active.weight(work.channel).fate
        if work.kind not in _AT_HAND or fate is WhenGone.STAYS:
            return None
        team = offers.team_of(advisor) if fate is WhenGone.TEAM else ""
        return lambda state: self._requeue(state, advisor, team)

    def _requeue(self, state: CaseState, advisor: AdvisorState, team: str) -> AnyAct | Outcome:
        if state.owner != advisor.id and all(offer.advisor != advisor.id for offer in state.offers):
            return _NOTHING
        scene = self._scene(state)
        detail = relaxation.anew(read_detail(state.detail), scene.now_ms)
        detail = offers.held_for_team(detail, team, scene.rulebook, scene.now_ms) if team else detail
        plan = plans.placed(state, detail, scene)
        return Requeue(**self._common(), case=state.id, plan=plan, reason=advisor.reason or LOST)

    def _scene(self, state: CaseState) -> Scene:
        return self._policies.scene(state, self._actor.now_ms())

    def _common(self) -> dict[str, Any]:
        return {"pool": self._actor.pool, "gen": self._actor.gen, "now_ms": self._actor.now_ms()}


def _presence(state: AdvisorState | None) -> tuple[Presence | None, str]:
    """What he is from now on, and why: one who has signed off himself stays as he said."""
    if state is None or state.presence is Presence.OFFLINE:
        return None, ""
    return Presence.OFFLINE, SHIFT_ENDED if state.presence is Presence.FINISHING else LOST
