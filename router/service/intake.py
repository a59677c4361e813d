"""Intake: an inquiry from the bus is judged, and admitted to its case."""

import logging
from collections.abc import Awaitable
from typing import Final

from msgspec.structs import replace

from router.contract.case import CaseDetail, CaseState, CaseStatus
from router.contract.codec import Decoder, encode
from router.contract.errors import TooLarge
from router.contract.ids import case_id
from router.contract.messages import MAX_INQUIRY_BYTES, Handover, Inquiry, IntakeMessage
from router.contract.plan import Placing, Plan
from router.engine import offers, plans
from router.engine.acknowledgement import acknowledgement
from router.engine.decide import decide
from router.engine.explain import write_explanation
from router.engine.facts import facts_of
from router.engine.plans import Scene
from router.engine.terms import hears_messages
from router.runtime.bus.protocol import Record
from router.runtime.errors import PartitionFenced
from router.service.acting import MAX_ATTEMPTS, Actor
from router.service.climbing import Ladders
from router.service.configuration.policies import Policies
from router.service.errors import Contended, IntakeHeldBack, NotServed
from router.service.matching.aims import aimed
from router.service.measuring.metrics import INTAKE_OUTCOMES, ServiceMetrics
from router.service.progress import Progress
from router.service.roster import RosterTail
from router.store.acts import Admit, Fence, Outcome, Result
from rules import judge

LOG = logging.getLogger(__name__)
_DECODER: Final = Decoder(IntakeMessage)
_RESTS: Final = frozenset({CaseStatus.PENDING, CaseStatus.RESOLVED})
_APPENDED: Final = frozenset({Result.APPENDED, Result.RETURNED})


class Intake:
    """Handles the records of one pool's inquiries topic, one at a time per conversation."""

    def __init__(
        self, actor: Actor, tail: RosterTail, *, policies: Policies, progress: Progress, metrics: ServiceMetrics
    ) -> None:
        self._actor = actor
        self._tail = tail
        self._policies = policies
        self._progress = progress
        self._ladders = Ladders(actor, tail, policies=policies)
        self._decision_seconds = metrics.decision_seconds
        self._counts = {outcome: metrics.inquiries.labels(outcome) for outcome in INTAKE_OUTCOMES}

    async def handle(self, record: Record, fence: Fence) -> Awaitable[None] | None:
        """Admit one record; what it returns completes when the act's event is on the bus.

        Raises ``Undecodable``, ``TooLarge`` and ``NotServed`` (for the dead letters), ``IntakeHeldBack`` and store
        errors (to be tried again), ``PartitionFenced`` when the partition is somebody else's, or seems to be.
        """
        message = _DECODER.decode(record.value, object)
        if isinstance(message, Handover):
            raise NotServed("handovers between pools are not served by this version")
        assert isinstance(message, Inquiry)
        if len(record.value or b"") > MAX_INQUIRY_BYTES:
            raise TooLarge(f"the inquiry has {len(record.value or b'')} bytes, the most is {MAX_INQUIRY_BYTES}")
        if message.automatic:
            self._counts["automatic"].inc()
            return None
        outcome = await self.admit(message, fence=fence)
        return self._progress.confirmation(await self._actor.durable_at(outcome))

    async def admit(self, inquiry: Inquiry, *, fence: Fence | None = None) -> Outcome:
        """Bring an inquiry to its case, computing the act again as often as the case changes under it."""
        state: CaseState | None = None
        for attempt in range(MAX_ATTEMPTS):
            act = self._bring(inquiry, state, fence) if state else self._open(inquiry, fence)
            if attempt == MAX_ATTEMPTS - 1:
                act = replace(act, fresh=False)  # a message rather lands without starting a clock than not at all
            with aimed(self._tail.roster, act.placing):
                outcome = await self._actor.one(act)
            if outcome.result is not Result.CONFLICT:
                return await self._heeded(inquiry, self._seen(outcome))
            state = outcome.case
        raise Contended(f"the case of inquiry {inquiry.id} changed under {MAX_ATTEMPTS} attempts")

    def _seen(self, outcome: Outcome) -> Outcome:
        if outcome.result is Result.FULL:
            raise IntakeHeldBack("the pool takes no new work just now")
        if outcome.result is Result.FENCED:
            raise PartitionFenced("this partition was taken over by another router")
        if outcome.result is Result.DUPLICATE:
            label = "duplicate"
        else:
            label = "appended" if outcome.result in _APPENDED else "admitted"
        self._counts[label].inc()
        return outcome

    async def _heeded(self, inquiry: Inquiry, outcome: Outcome) -> Outcome:
        """The step of a ladder that the message calls for is taken too: also when it comes again, as a router may have
        died in between."""
        state = outcome.case
        if state is None or state.last_inquiry != inquiry.id:
            return outcome
        climbed = await self._ladders.heed(inquiry, state)
        if climbed is None:
            return outcome
        return replace(outcome, number=max(outcome.number, climbed.durable_at), case=climbed.case or state)

    # -- acts

    def _open(self, inquiry: Inquiry, fence: Fence | None) -> Admit:
        scene = Scene(rulebook=self._policies.active, now_ms=self._actor.now_ms())
        verdict = judge(scene.rulebook, facts_of(inquiry))
        units = scene.rulebook.units(inquiry.channel, verdict.labels)
        detail = plans.opened(inquiry, verdict, scene)
        replies: tuple[str, ...] = ()
        note = acknowledgement(inquiry, verdict, scene.rulebook, now_ms=scene.now_ms)
        if note is not None:
            replies = (encode(note).decode(),)
            detail = plans.with_reply(detail, note.id, scene, automatic=True)
        state = plans.blank(inquiry, units, scene.now_ms)
        plan, placing = self._place(state, detail, scene)
        return self._act(inquiry, state, plan=plan, placing=placing, fence=fence, replies=replies)

    def _bring(self, inquiry: Inquiry, state: CaseState, fence: Fence | None) -> Admit:
        """The customer writes to a case that is there already."""
        if state.state in _RESTS:
            return self._bring_back(inquiry, state, fence)
        scene = self._policies.scene(state, self._actor.now_ms())
        plan = plans.plan(state, plans.written_to(state, scene), scene)
        return self._act(inquiry, state, plan=plan, placing=Placing(), fence=fence)

    def _bring_back(self, inquiry: Inquiry, state: CaseState, fence: Fence | None) -> Admit:
        """The customer writes to a case that rests: its owner is asked first if he is there, and it waits for him as
        long as it is kept for him."""
        scene = self._policies.scene(state, self._actor.now_ms())
        detail = plans.brought_back(state, scene, self._tail.roster)
        if state.state is CaseStatus.RESOLVED:
            said = judge(self._policies.active, facts_of(inquiry, reopened=detail.reopened))
            detail = plans.heard(detail, said, scene.now_ms)
            state = plans.weighed(state, detail, scene)
        plan, placing = self._place(state, detail, scene)
        owner = offers.back_to(self._tail.roster, detail)
        if owner is not None:
            is_pending = state.state is CaseStatus.PENDING
            auto_accept = placing.auto_accept or is_pending
            over = is_pending and scene.rulebook.weight(state.channel).over_when_back
            placing = replace(placing, candidates=offers.asked_first(owner, over=over), auto_accept=auto_accept)
        plan = plans.also(plan, {timer: 0 for timer in ("close|0", "follow_up|0") if timer in state.timers})
        return self._act(inquiry, state, plan=plan, placing=placing, fence=fence)

    def _place(self, state: CaseState, detail: CaseDetail, scene: Scene) -> tuple[Plan, Placing]:
        waiting = plans.waiting_class(state, plans.unassigned(state, detail, scene), scene)
        with self._decision_seconds.time():
            decision = decide(
                self._tail.roster,
                waiting,
                state.id,
                scene.rulebook,
                scene.now_ms,
                last_advisor=detail.last_advisor,
            )
        plan = plans.placed(state, detail, scene, why=write_explanation(decision.explanation), waiting=waiting)
        return plan, offers.placing(decision.candidates, waiting, scene.rulebook, scene.now_ms)

    def _act(
        self,
        inquiry: Inquiry,
        state: CaseState,
        *,
        plan: Plan,
        placing: Placing,
        fence: Fence | None,
        replies: tuple[str, ...] = (),
    ) -> Admit:
        return Admit(
            pool=self._actor.pool,
            gen=self._actor.gen,
            now_ms=self._actor.now_ms(),
            case=case_id(inquiry.id),
            conversation=inquiry.conversation,
            inquiry=inquiry.id,
            message=encode(inquiry).decode(),
            channel=inquiry.channel,
            units=state.units,
            plan=plan,
            placing=placing,
            fence=fence,
            replies=replies,
            fresh=hears_messages(self._policies.active),
        )
