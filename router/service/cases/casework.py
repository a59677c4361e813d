"""What people do to cases: each method is one act, planned for the case as it is, whoever else is at work on it."""

from typing import Any, Final

import msgspec
from msgspec.structs import replace

from router.contract.case import KEPT_ENTRIES, CaseDetail, CaseState, CaseStatus, Pending, read_detail, write_detail
from router.contract.climb import HANDED
from router.contract.codec import encode
from router.contract.ids import AdvisorId, CaseId, InquiryId, reply_id
from router.contract.messages import Inquiry, TranscriptEntry
from router.contract.messages import Reply as ReplyMessage
from router.contract.plan import Plan
from router.engine import capacity, climbing, consulting, manual, offers, plans, relaxation
from router.engine.climbing import Cause
from router.engine.consulting import Whom
from router.engine.decide import decide
from router.engine.explain import write_explanation
from router.engine.plans import Scene
from router.service.acting import Actor
from router.service.cases import notes
from router.service.cases.consults import Advised, Consults
from router.service.cases.excluding import Excluding
from router.service.cases.requests import Request
from router.service.cases.setting_aside import SettingAside
from router.service.climbing import ByHand, Ladders
from router.service.configuration.policies import Policies
from router.service.roster import RosterTail
from router.store.acts import (
    Accept,
    AnyAct,
    Assign,
    Decline,
    FollowUp,
    Label,
    Note,
    Outcome,
    Pend,
    Reply,
    Requeue,
    Resolve,
    Result,
    Snooze,
    Transfer,
    WrapUp,
)
from router.store.protocol import Reads

_ENTRY: Final[msgspec.json.Decoder[TranscriptEntry]] = msgspec.json.Decoder(TranscriptEntry)
_FEW: Final = 8
_WAITING: Final = frozenset({CaseStatus.QUEUED, CaseStatus.OFFERED})
_NOTHING_TO_ANSWER: Final = Outcome(result=Result.GONE)


class Casework:
    """Acts of people on the cases of one pool. All raise ``StoreUnavailable`` and ``Contended`` (repeat with the
    same operation id); what was refused is in the outcome's result."""

    def __init__(self, actor: Actor, reads: Reads, tail: RosterTail, *, policies: Policies) -> None:
        self._actor = actor
        self._reads = reads
        self._tail = tail
        self._policies = policies
        self._ladders = Ladders(actor, tail, policies=policies)
        self.excluding = Excluding(actor, tail, policies=policies)
        self.aside = SettingAside(actor, policies=policies)
        self._consults = Consults(actor, tail, policies=policies)

    # -- offers

    async def accept(self, case: CaseId, request: Request, *, advisor: AdvisorId, offer_ver: int) -> Outcome:
        """Take an offer. Gives ``ASSIGNED``, ``DONE`` (it was a consult: he is in), ``SAME`` (his already), ``GONE``,
        ``ABSENT``."""

        def act(state: CaseState) -> AnyAct | Outcome:
            scene, is_consult = self._scene(state), consulting.is_rung(state)
            if is_consult and manual.is_excluded(state, advisor):
                # A step of the ladder may have excluded him while he was rung.
                return replace(_NOTHING_TO_ANSWER, case=state)
            joined = consulting.noted(state, scene, advisor=advisor, end=consulting.JOINED) if is_consult else None
            plan = joined or plans.accepted(state, scene)
            return Accept(**self._common(request), case=case, advisor=advisor, offer_ver=offer_ver, plan=plan)

        return await self._actor.attempt(case, act)

    async def decline(self, case: CaseId, request: Request, *, advisor: AdvisorId, offer_ver: int) -> Outcome:
        """Give an offer back, for good if the request says ``someone_else``; the case waits at its old place. A consult
        rings at the next, if others were meant as well. Gives ``QUEUED``, ``OFFERED``, ``DONE`` (nobody is asked any
        more), ``GONE``, ``ABSENT``."""

        def act(state: CaseState) -> AnyAct:
            if consulting.is_rung(state):
                common, end = self._common(request), consulting.DECLINED
                kept = write_detail(self._kept(state, request, present=advisor), before=state.detail)
                without = replace(state, detail=kept)
                return self._consults.declined(without, common, advisor=advisor, offer_ver=offer_ver, end=end)
            scene = self._scene(state)
            detail = offers.without(
                self._kept(state, request, present=advisor),
                state,
                advisor,
                roster=self._tail.roster,
                rulebook=scene.rulebook,
                now_ms=scene.now_ms,
            )
            plan = plans.plan(state, detail, scene)
            return Decline(**self._common(request), case=case, plan=plan, advisor=advisor, offer_ver=offer_ver)

        return await self._actor.attempt(case, act)

    # -- the conversation

    async def reply(self, case: CaseId, request: Request, *, text: str) -> Outcome:
        """Answer the customer through the channel of his last message. Gives ``DONE``, ``NOT_YOURS``, ``GONE``
        (there is no message to answer), ``ABSENT``. The reply's id follows from case and operation id."""
        last = await self._last_inquiry(case)

        def act(state: CaseState) -> AnyAct | Outcome:
            if last is None:
                return replace(_NOTHING_TO_ANSWER, case=state)
            scene = self._scene(state)
            if request.advisor in state.consults and not scene.rulebook.consults_reply:
                return Outcome(result=Result.NOT_YOURS, case=state)
            answer = ReplyMessage(
                id=reply_id(case, request.op),
                pool=self._actor.pool,
                case=case,
                conversation=state.conversation,
                to=last.reply_to,
                text=text,
                created_at_ms=scene.now_ms,
                subject=last.subject,
                advisor=request.advisor,
                thread=last.thread,
            )
            detail = plans.replied(state, answer.id, request.actor, scene)
            body = encode(answer).decode()
            plan = plans.plan(state, detail, scene)
            return Reply(
                **self._common(request), case=case, plan=plan, advisor=request.advisor, message=body, reply=body
            )

        return await self._actor.attempt(case, act)

    async def note(self, case: CaseId, request: Request, *, text: str) -> Outcome:
        """Add an internal note. Gives ``DONE``, ``ABSENT``."""
        return await self._actor.one(Note(**self._common(request), case=case, message=self._note(case, request, text)))

    async def label(
        self, case: CaseId, request: Request, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()
    ) -> Outcome:
        """Put labels on and take labels off, by which the case may weigh something else. Gives ``DONE``, ``ABSENT``."""

        def act(state: CaseState) -> AnyAct:
            detail = read_detail(state.detail)
            kept = [label for label in dict.fromkeys((*detail.labels, *add)) if label not in remove]
            labelled, scene = replace(detail, labels=tuple(kept[-KEPT_ENTRIES:])), self._scene(state)
            plan = plans.plan(plans.weighed(state, labelled, scene), labelled, scene)
            return Label(**self._common(request), case=case, plan=plan)

        return await self._actor.attempt(case, act)

    # -- resting

    async def pend(self, case: CaseId, request: Request, *, pending: Pending) -> Outcome:
        """Wait for somebody else, with ``pending.until_ms`` as a follow-up if it is set. Gives ``DONE``,
        ``NOT_YOURS``, ``ABSENT``."""

        def act(state: CaseState) -> AnyAct:
            scene = self._scene(state)
            owner = request.advisor or AdvisorId(state.owner)
            plan = plans.plan(state, plans.pended(state, pending, scene), scene)
            if pending.until_ms is None:
                return Pend(**self._common(request), case=case, plan=self._without(plan, state), advisor=owner)
            plan = plans.also(plan, {"follow_up|0": pending.until_ms})
            return FollowUp(**self._common(request), case=case, plan=plan, advisor=owner)

        return await self._actor.attempt(case, act)

    async def resolve(self, case: CaseId, request: Request, *, outcome: str, seen: InquiryId | None = None) -> Outcome:
        """End the work; the reopen window begins. ``seen`` is the customer's last message that was read, if that
        matters. Gives ``DONE``, ``SAME``, ``NOT_YOURS``, ``UNSEEN``, ``ABSENT``."""

        def act(state: CaseState) -> AnyAct:
            scene = self._scene(state)
            plan = plans.plan(state, plans.resolved(state, outcome, scene), scene)
            plan = plans.also(self._without(plan, state), {"close|0": scene.now_ms + scene.rulebook.reopen_s * 1000})
            until_ms = capacity.wrap_up_until(state, scene.rulebook, scene.now_ms, by=request.advisor)
            return Resolve(
                **self._common(request), case=case, plan=plan, advisor=request.advisor, seen=seen, wrap_up_ms=until_ms
            )

        return await self._actor.attempt(case, act)

    async def wrap_up(self, case: CaseId, request: Request, *, advisor: AdvisorId, more_s: int = 0) -> Outcome:
        """End an advisor's wrap-up of a case, or let it go on for ``more_s`` from now. Gives ``DONE``, ``GONE`` (there
        is none), ``ABSENT``."""
        until_ms = self._actor.now_ms() + more_s * 1000 if more_s else 0
        act = WrapUp(**self._common(request), advisor=advisor, case=case, until_ms=until_ms)
        return await self._actor.one(act)

    # -- handing on

    async def transfer(
        self,
        case: CaseId,
        request: Request,
        *,
        queue: str = "",
        to: AdvisorId | None = None,
        tier: str = "",
        note: str = "",
    ) -> Outcome:
        """Hand on to a queue, to a tier (of that queue, or its own), or to one advisor (who must be able to take it
        now), with an internal note if there is one. Gives ``ASSIGNED``,
        ``OFFERED``, ``QUEUED``, ``REFUSED``, ``NOT_YOURS``, ``GONE``, ``ABSENT``."""

        def act(state: CaseState) -> AnyAct:
            scene = self._scene(state)
            detail = self._kept(state, request)
            if queue or tier:
                verdict = replace(detail.verdict, queue=queue or detail.verdict.queue)
                moved = relaxation.anew(replace(detail, verdict=verdict, tier=tier), scene.now_ms)
                cause = Cause(trigger=HANDED, by=request.actor, reason=request.reason)
                detail = climbing.handed(state, moved, cause, scene.now_ms)
            if request.advisor:
                detail = replace(detail, last_advisor=request.advisor, held_for="", held_until_ms=None)
            detail = plans.taken_up(state, detail, scene)
            waiting = plans.waiting_class(state, plans.unassigned(state, detail, scene), scene)
            member = self._tail.roster.get(to) if to and to not in detail.excluded else None
            asked = offers.asked_first(member) if member else ()
            why = decide(self._tail.roster, waiting, case, scene.rulebook, scene.now_ms).explanation
            if to:
                why = manual.by_hand(why, self._tail.roster, waiting, to=to, actor=request.actor)
            return Transfer(
                **self._common(request),
                case=case,
                plan=plans.placed(state, detail, scene, why=write_explanation(why), waiting=waiting),
                advisor=request.advisor,
                placing=offers.placing(asked, waiting, scene.rulebook, scene.now_ms),
                must=to is not None,
                message=self._note(case, request, note),
                wrap_up_ms=capacity.wrap_up_until(state, scene.rulebook, scene.now_ms, by=request.advisor),
            )

        return await self._actor.attempt(case, act)

    async def take(self, case: CaseId, request: Request, *, advisor: AdvisorId) -> Outcome:
        """An advisor takes a case that waits, or is offered to him or others, and so looks after it. Gives
        ``ASSIGNED``, ``SAME``, ``NO_ROOM``, ``UNFIT``, ``REFUSED`` (he is excluded), ``GONE`` (somebody else has it, or
        it doesn't wait), ``ABSENT``."""
        return await self.assign(case, request, to=advisor, only_waiting=True)

    async def put_off(self, case: CaseId, request: Request, *, for_s: int = 0) -> Outcome:
        """The next steps of the ladder wait for so long; with 0 somebody looks after the case, and they stop if the
        ladder says so. Gives ``DONE``, ``GONE`` (resolved), ``ABSENT``."""

        def act(state: CaseState) -> AnyAct | Outcome:
            if state.state is CaseStatus.RESOLVED:
                return Outcome(result=Result.GONE, case=state)
            now_ms, found = self._actor.now_ms(), read_detail(state.detail)
            until_ms = now_ms + for_s * 1000 if for_s else found.put_off_until_ms
            detail = replace(found, put_off_until_ms=until_ms, heeded_at_ms=found.heeded_at_ms if for_s else now_ms)
            return Snooze(**self._common(request), case=case, plan=self._plan(state, detail))

        return await self._actor.attempt(case, act)

    async def assign(
        self, case: CaseId, request: Request, *, to: AdvisorId, over: bool = False, only_waiting: bool = False
    ) -> Outcome:
        """A supervisor gives a case to an advisor, whatever the filters say; with ``over`` even above his capacity,
        with ``only_waiting`` none that somebody else has. The case records who did so, and what it overrode. Gives
        ``ASSIGNED``, ``SAME``, ``NO_ROOM``, ``UNFIT``, ``GONE``, ``ABSENT``."""

        def act(state: CaseState) -> AnyAct | Outcome:
            if only_waiting and state.state not in _WAITING and state.owner != to:
                return Outcome(result=Result.GONE, case=state)
            if only_waiting and manual.is_excluded(state, to):
                return Outcome(result=Result.REFUSED, case=state)
            seen = self._heeded(state) if only_waiting else state
            return self._given(seen, request, to=to, over=over)

        return await self._actor.attempt(case, act)

    async def pick(self, case: CaseId, request: Request, *, advisor: AdvisorId) -> Outcome:
        """An advisor takes a waiting case out of its line, if he may be offered it; that he declined it doesn't count,
        nor for whom it is kept. Gives ``ASSIGNED``, ``REFUSED`` (he isn't eligible), ``NO_ROOM``, ``UNFIT``, ``GONE``
        (it doesn't wait any more), ``ABSENT``."""

        def act(state: CaseState) -> AnyAct | Outcome:
            if state.state is not CaseStatus.QUEUED:
                return replace(_NOTHING_TO_ANSWER, case=state)
            if not manual.may_pick(state, self._tail.roster, self._scene(state), advisor):
                return Outcome(result=Result.REFUSED, case=state)
            return self._given(state, request, to=advisor, over=False)

        return await self._actor.attempt(case, act)

    async def consult(self, case: CaseId, request: Request, *, whom: Whom, note: str = "") -> Advised:
        """Ask for advice, with an internal note if there is one; the owner keeps the case. Gives ``OFFERED``, ``DONE``
        (he is in at once), ``SAME``, ``NOT_YOURS``, ``ABSENT``, or ``REFUSED`` with what is ``lacking``."""
        return await self._consults.ask(case, self._common(request), whom, by=request.advisor, note=note)

    async def hand_back(self, case: CaseId, request: Request, *, advisor: AdvisorId) -> Outcome:
        """What was asked of a consulted advisor is done, or he isn't rung any more. Gives ``DONE``, ``SAME`` (he was
        neither), ``ABSENT``."""
        return await self._consults.hand_back(case, self._common(request), advisor=advisor)

    async def requeue(self, case: CaseId, request: Request) -> Outcome:
        """A supervisor puts a case back into its queue. Gives ``QUEUED``, ``GONE``, ``ABSENT``."""

        def act(state: CaseState) -> AnyAct:
            scene = self._scene(state)
            found = relaxation.anew(self._kept(state, request), scene.now_ms)
            freed = plans.taken_up(state, replace(found, held_for="", held_until_ms=None), scene)
            return Requeue(**self._common(request), case=case, plan=plans.placed(state, freed, scene))

        return await self._actor.attempt(case, act)

    # -- ladders

    async def escalate(self, case: CaseId, request: Request, *, note: str = "") -> ByHand:
        """Take the next step of the case's ladder, for the request's reason. Gives ``DONE``, ``QUEUED``, ``NOT_YOURS``,
        ``GONE``, ``ABSENT``; ``SAME`` with what is lacking: a step above, or a note where the step needs one."""
        return await self._ladders.climb(case, self._common(request), advisor=request.advisor, note=note)

    async def lower(self, case: CaseId, request: Request, *, step: int) -> Outcome:
        """Put the case back to a step below, for the request's reason. Gives ``DONE``, ``SAME``, ``GONE``,
        ``ABSENT``."""
        return await self._ladders.lower(case, self._common(request), step=step)

    # -- parts

    def _kept(self, state: CaseState, request: Request, *, present: str = "") -> CaseDetail:
        """The case without whom the request keeps it from."""
        told = {"by": request.actor, "reason": request.reason}
        return request.wish.heeded(state, self._actor.now_ms(), present=present, **told)

    def _heeded(self, state: CaseState) -> CaseState:
        """The case with who takes it looking after it."""
        detail = replace(read_detail(state.detail), heeded_at_ms=self._actor.now_ms())
        return replace(state, detail=write_detail(detail, before=state.detail))

    def _given(self, state: CaseState, request: Request, *, to: AdvisorId, over: bool) -> Assign:
        plan = manual.assigned(state, self._tail.roster, self._scene(state), to=to, actor=request.actor)
        return Assign(**self._common(request), case=state.id, plan=plan, advisor=to, over=over)

    async def _last_inquiry(self, case: CaseId) -> Inquiry | None:
        """The customer's last message: nearly always one of the last few."""
        for last in (_FEW, None):
            for text in reversed(await self._reads.messages(self._actor.pool, case, last=last)):
                entry = _ENTRY.decode(text)
                if isinstance(entry, Inquiry):
                    return entry
        return None

    def _plan(self, state: CaseState, detail: Any) -> Plan:
        return plans.plan(state, detail, self._scene(state))

    def _note(self, case: CaseId, request: Request, text: str) -> str:
        return notes.written(case, text, author=request.actor, now_ms=self._actor.now_ms())

    def _without(self, plan: Plan, state: CaseState) -> Plan:
        """The plan of a case that rests: no follow-up of before stands."""
        return plans.also(plan, {"follow_up|0": 0}) if "follow_up|0" in state.timers else plan

    def _scene(self, state: CaseState) -> Scene:
        return self._policies.scene(state, self._actor.now_ms())

    def _common(self, request: Request) -> dict[str, Any]:
        return request.common(self._actor)
