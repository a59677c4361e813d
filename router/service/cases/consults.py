"""Consults: an advisor is asked for advice on a case that stays with who has it."""

from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from router.contract.case import CaseState, read_detail
from router.contract.ids import AdvisorId, CaseId
from router.engine import consulting, plans
from router.engine.consulting import Whom
from router.engine.plans import Scene
from router.service.acting import Actor
from router.service.cases import notes
from router.service.configuration.policies import Policies
from router.service.roster import RosterTail
from router.store.acts import AnyAct, Consult, Decline, HandBack, Outcome, Result

_NOTHING: Final = Outcome(result=Result.GONE)


class Advised(NamedTuple):
    """What came of asking for advice. ``lacking`` says why nobody could be asked: ``rung``, ``many``, ``unknown``,
    ``himself``, ``excluded``, ``absent``, ``full``, ``nobody``."""

    outcome: Outcome
    lacking: str = ""


class Consults:
    """Makes the acts of consults on the cases of one pool. Every act is planned for the case as it is; ``common`` is
    what all acts carry. All raise ``StoreUnavailable`` and ``Contended``."""

    def __init__(self, actor: Actor, tail: RosterTail, *, policies: Policies) -> None:
        self._actor = actor
        self._tail = tail
        self._policies = policies

    async def ask(
        self, case: CaseId, common: dict[str, Any], whom: Whom, *, by: AdvisorId | None, note: str = ""
    ) -> Advised:
        """Ring who is meant, the best first, for the rulebook's ``consult_offer_s``; ``note`` is for him to read. Gives
        ``OFFERED``, ``DONE`` (he is in at once), ``SAME``, ``NOT_YOURS``, ``ABSENT``, or ``REFUSED`` with what is
        ``lacking``."""

        def act(state: CaseState) -> AnyAct:
            scene, owner = self._scene(state), by or AdvisorId(state.owner)
            asked = consulting.asked(state, scene, whom, by=owner)
            found = consulting.candidates(state, self._tail.roster, scene, asked)
            return Consult(
                **common,
                case=case,
                plan=plans.plan(state, replace(read_detail(state.detail), ask=asked), scene),
                advisor=owner,
                units=scene.rulebook.consult_units,
                placing=consulting.placing(found, scene),
                message=notes.written(case, note, author=common["actor"], now_ms=scene.now_ms),
            )

        outcome = await self._actor.attempt(case, act)
        if outcome.result is not Result.REFUSED or outcome.case is None:
            return Advised(outcome)
        return Advised(outcome, consulting.lacking(outcome.case, self._tail.roster, whom))

    def declined(
        self, state: CaseState, common: dict[str, Any], *, advisor: AdvisorId, offer_ver: int, end: str
    ) -> Decline:
        """The act by which one who is rung doesn't come in: the next is rung, if others were meant as well."""
        plan, placing = consulting.passed_on(state, self._tail.roster, self._scene(state), advisor=advisor, end=end)
        return Decline(**common, case=state.id, plan=plan, advisor=advisor, offer_ver=offer_ver, placing=placing)

    def left(self, state: CaseState, common: dict[str, Any], *, advisor: AdvisorId) -> AnyAct | Outcome:
        """The act by which an advisor who has gone is no longer asked, or in on the case; an outcome when he is
        neither."""
        offer = next((offer for offer in state.offers if offer.advisor == advisor), None)
        if offer is not None and consulting.is_rung(state):
            return self.declined(state, common, advisor=advisor, offer_ver=offer.ver, end=consulting.LEFT)
        if advisor not in state.consults:
            return _NOTHING
        plan = consulting.handed_back(state, self._scene(state), advisor)
        return HandBack(**common, case=state.id, plan=plan, advisor=advisor)

    async def hand_back(self, case: CaseId, common: dict[str, Any], *, advisor: AdvisorId) -> Outcome:
        """What was asked of a consulted advisor is done, or he isn't asked any more. Gives ``DONE``, ``SAME`` (he was
        neither in nor rung), ``ABSENT``."""

        def act(state: CaseState) -> AnyAct:
            plan = consulting.handed_back(state, self._scene(state), advisor)
            return HandBack(**common, case=case, plan=plan, advisor=advisor)

        return await self._actor.attempt(case, act)

    def _scene(self, state: CaseState) -> Scene:
        return self._policies.scene(state, self._actor.now_ms())
