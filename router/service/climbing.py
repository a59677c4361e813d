"""Climbing a ladder: one act a step, whoever or whatever brings it: a timer, a customer's message, a person."""

from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from router.contract.case import CaseDetail, CaseState, read_detail
from router.contract.ids import AdvisorId, CaseId
from router.contract.messages import Inquiry
from router.contract.plan import Placing
from router.engine import climbing, consulting, escalation, plans
from router.engine.climbing import BY_HAND, BY_MESSAGE, Cause, Climbed
from router.engine.facts import facts_of
from router.engine.plans import Scene
from router.engine.telling import Teller
from router.service.acting import Actor
from router.service.cases import notes
from router.service.configuration.policies import Policies
from router.service.roster import RosterTail
from router.store.acts import AnyAct, Escalate, Outcome, Result

NO_STEP: Final = "no-step"
NOTE_NEEDED: Final = "note-needed"
_NOTHING: Final = Outcome(result=Result.GONE)


class ByHand(NamedTuple):
    """What came of a step that a person asked for. ``lacking`` says why none was taken: ``no-step``,
    ``note-needed``."""

    outcome: Outcome
    lacking: str = ""


class Ladders:
    """Makes the acts of ladders for the cases of one pool. Every step is planned for the case as it is."""

    def __init__(self, actor: Actor, tail: RosterTail, *, policies: Policies) -> None:
        self._actor = actor
        self._tail = tail
        self._policies = policies

    def timed(self, state: CaseState, number: int, common: dict[str, Any]) -> Escalate | None:
        """The act for a step whose time has come, or for which offers enough were missed; None when the case has it
        already, or its ladder hasn't."""
        step = escalation.step_of(read_detail(state.detail), self._scene(state).rulebook, number)
        if step is None or number <= state.step:
            return None
        return self._act(state, number, Cause(trigger=str(step.trigger)), common)

    async def heed(self, inquiry: Inquiry, state: CaseState) -> Outcome | None:
        """Take the step that a customer's message calls for; None when it calls for none. The inquiry names the
        operation: to heed it again changes nothing. Raises ``Contended`` and ``StoreUnavailable``."""
        if self._called_by(inquiry, state) is None:
            return None
        common = self._common() | {"op": f"heed:{inquiry.id}"}
        cause = Cause(trigger=BY_MESSAGE)

        def act(found: CaseState) -> AnyAct | Outcome:
            number = self._called_by(inquiry, found)
            made = self._act(found, number, cause, common) if number is not None else None
            return made or replace(_NOTHING, case=found)

        return await self._actor.attempt(state.id, act, state=state)

    async def climb(self, case: CaseId, common: dict[str, Any], *, advisor: AdvisorId | None, note: str) -> ByHand:
        """Take the next step by hand, for the reason in ``common``. Gives ``DONE``, ``QUEUED``, ``NOT_YOURS``,
        ``GONE``, ``ABSENT``; ``SAME`` with what is ``lacking``."""
        lacking = ""

        def act(state: CaseState) -> AnyAct:
            nonlocal lacking
            detail, scene = read_detail(state.detail), self._scene(state)
            number = escalation.next_by_hand(state, detail, scene.rulebook)
            step = escalation.step_of(detail, scene.rulebook, number) if number is not None else None
            lacking = NO_STEP if step is None else NOTE_NEEDED if step.note and not note else ""
            cause = Cause(trigger=BY_HAND, by=common["actor"], reason=common["reason"])
            made = self._act(state, number, cause, common) if number is not None and not lacking else None
            if made is None:
                # The store knows whether this was asked, and done, before.
                made = Escalate(**common, case=state.id, plan=plans.plan(state, detail, scene), step=state.step)
            said = notes.written(state.id, note, author=common["actor"], now_ms=self._actor.now_ms())
            return replace(made, advisor=advisor, message=said)

        outcome = await self._actor.attempt(case, act)
        is_lacking = outcome.result is Result.SAME and not outcome.repeated
        return ByHand(outcome, (lacking or NO_STEP) if is_lacking else "")

    async def lower(self, case: CaseId, common: dict[str, Any], *, step: int) -> Outcome:
        """Put the case back to a step below. Gives ``DONE``, ``SAME`` (it is there, or below), ``GONE``, ``ABSENT``."""
        cause = Cause(trigger=BY_HAND, by=common["actor"], reason=common["reason"])

        def act(state: CaseState) -> AnyAct:
            scene, to = self._scene(state), min(step, state.step)
            after = climbing.lowered(state, read_detail(state.detail), to, cause, scene.now_ms)
            plan = plans.plan(replace(state, step=to), after, scene)
            return Escalate(**common, case=state.id, plan=plan, step=to, lower=True)

        return await self._actor.attempt(case, act)

    # -- parts

    def _act(self, state: CaseState, number: int, cause: Cause, common: dict[str, Any]) -> Escalate | None:
        scene = self._scene(state)
        climbed = climbing.climb(
            state,
            read_detail(state.detail),
            number,
            cause,
            rulebook=scene.rulebook,
            roster=self._tail.roster,
            now_ms=scene.now_ms,
        )
        if climbed is None:
            return None
        after = plans.weighed(replace(state, step=number), climbed.detail, scene)
        detail, placing = self._beside(after, climbed, scene)
        if climbed.take:
            plan = plans.placed(after, plans.taken_up(after, detail, scene), scene)
        else:
            plan = plans.plan(after, detail, scene)
        teller = Teller(self._actor.pool, scene.rulebook, self._tail.roster, scene.now_ms)
        told = escalation.notices(teller, after, detail=detail, step=climbed.step, told=climbed.told, take=climbed.take)
        return Escalate(
            **{"case": state.id, **common},
            plan=plan,
            step=number,
            take=climbed.take,
            placing=placing,
            notices=told,
        )

    def _beside(self, state: CaseState, climbed: Climbed, scene: Scene) -> tuple[CaseDetail, Placing]:
        """Who may be asked in, the best first, and the case with what is noted of that."""
        if not climbed.beside or not state.owner:
            return climbed.detail, Placing()
        return consulting.beside(state, climbed.detail, self._tail.roster, scene)

    def _called_by(self, inquiry: Inquiry, state: CaseState) -> int | None:
        detail, scene = read_detail(state.detail), self._scene(state)
        facts = facts_of(inquiry, reopened=detail.reopened)
        return escalation.called_by(state, detail, scene.rulebook, facts)

    def _scene(self, state: CaseState) -> Scene:
        return self._policies.scene(state, self._actor.now_ms())

    def _common(self) -> dict[str, Any]:
        return {"pool": self._actor.pool, "gen": self._actor.gen, "now_ms": self._actor.now_ms()}
