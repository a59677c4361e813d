"""Plans: what each act is to write, computed for one version of a case.

Every function takes the case as it is, changes what is known of it, and derives class, score and timers anew
from the whole, so no act can forget one of them.
"""

import msgspec
from msgspec.structs import replace

from router.contract.case import (
    KEPT_ENTRIES,
    CaseDetail,
    CaseState,
    CaseStatus,
    Pending,
    SentReply,
    read_detail,
    write_detail,
)
from router.contract.ids import ReplyId, case_id
from router.contract.messages import Inquiry
from router.contract.plan import Plan, Taken
from router.engine import chasing, escalation, exclusions, offers, relaxation, sla
from router.engine.hearing import Hearing
from router.engine.roster import Roster
from router.engine.terms import Terms, terms_of
from router.engine.waiting import WaitClass, crowded_class, score, wait_class
from rules import Reason, Rulebook, Verdict
from rules.judge import MAX_REASONS
from rules.policies import Cue


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What every plan needs besides the case: the rulebook it is judged by, and the time. ``clocked_by``: the rulebook
    whose policies its clocks go by, if that is another one."""

    rulebook: Rulebook
    now_ms: int
    clocked_by: Rulebook | None = None

    def terms(self, verdict: Verdict) -> Terms:
        """What the case's clocks are held to."""
        return terms_of(self.clocked_by or self.rulebook, verdict.policy)

    def hearing(self, detail: CaseDetail, ver: int) -> Hearing:
        """How the clocks of a case of that version hear what happens now."""
        return Hearing(terms=self.terms(detail.verdict), ver=ver, now_ms=self.now_ms)


def opened(inquiry: Inquiry, verdict: Verdict, scene: Scene) -> CaseDetail:
    """A new case, as its first inquiry and the verdict make it."""
    detail = CaseDetail(
        account=inquiry.account,
        origin=inquiry.id,
        customer=inquiry.customer.id,
        verdict=verdict,
        clocks=sla.start(scene.terms(verdict), scene.now_ms),
        placed_at_ms=scene.now_ms,
        labels=verdict.labels,
    )
    return exclusions.judged(detail, verdict, scene.now_ms)


def blank(inquiry: Inquiry, units: int, now_ms: int) -> CaseState:
    """The state that an opening plan is computed for: version 0."""
    return CaseState(
        id=case_id(inquiry.id),
        state=CaseStatus.QUEUED,
        ver=0,
        gen=0,
        conversation=inquiry.conversation,
        channel=inquiry.channel,
        units=units,
        opened_at_ms=now_ms,
        changed_at_ms=now_ms,
    )


def weighed(state: CaseState, detail: CaseDetail, scene: Scene) -> CaseState:
    """The case with what it takes of a budget by its labels: what to plan with where they have changed."""
    units = scene.rulebook.units(state.channel, detail.labels)
    return state if units == state.units else replace(state, units=units)


def waiting_class(state: CaseState, detail: CaseDetail, scene: Scene) -> WaitClass:
    """The class in which the case would wait."""
    return wait_class(detail, channel=state.channel, units=state.units, rulebook=scene.rulebook, now_ms=scene.now_ms)


def plan(
    state: CaseState,
    detail: CaseDetail,
    scene: Scene,
    *,
    why: str | None = None,
    waiting: WaitClass | None = None,
) -> Plan:
    """The plan that makes ``detail`` of the case: its class, place and timers follow from it. ``waiting`` is the
    case's ``waiting_class``, for who knows it already."""
    waiting = waiting or waiting_class(state, detail, scene)
    crowded, key = crowded_class(waiting, detail), waiting.key
    return Plan(
        ver=state.ver,
        class_key=key,
        crowded_key=key if crowded is waiting else crowded.key,
        score=score(detail, scene.rulebook),
        detail=write_detail(detail, before=state.detail),
        why=why,
        timers=_timers(state, detail, scene),
        units=state.units,
    )


def _timers(state: CaseState, detail: CaseDetail, scene: Scene) -> dict[str, int]:
    """What to arm and disarm so that the case has the timers that follow from ``detail``."""
    now, armed = scene.now_ms, state.timers
    return (
        _clock_timers(state, detail, scene)
        | offers.timers(detail, armed=armed, now_ms=now)
        | relaxation.timers(detail, scene.rulebook, armed=armed, now_ms=now)
    )


def _clock_timers(state: CaseState, detail: CaseDetail, scene: Scene) -> dict[str, int]:
    """Those of them that follow from the clocks."""
    now, terms, armed = scene.now_ms, scene.terms(detail.verdict), state.timers
    return (
        sla.timers(detail.clocks, terms, armed=armed, now_ms=now, fired=detail.fired)
        | chasing.timers(detail, terms, armed=armed, now_ms=now)
        | escalation.timers(state, detail, scene.rulebook, now, clocked_by=scene.clocked_by)
    )


def spent(state: CaseState, timer: str) -> CaseState:
    """The case without the timer that is being served: whatever of its kind is overdue too is armed anew."""
    return replace(state, timers={name: at for name, at in state.timers.items() if name != timer})


def also(planned: Plan, timers: dict[str, int]) -> Plan:
    """The plan with timers of its own act."""
    return replace(planned, timers=planned.timers | timers)


def placed(
    state: CaseState,
    detail: CaseDetail,
    scene: Scene,
    *,
    why: str | None = None,
    waiting: WaitClass | None = None,
) -> Plan:
    """The plan for a case that is to find somebody: in ``detail`` nobody has it yet. It says too what becomes of the
    case if it is somebody's in the same act. ``waiting`` is the class of ``unassigned``."""
    waits = unassigned(state, detail, scene)
    planned = plan(state, waits, scene, why=why, waiting=waiting)
    return _with_taken(planned, state, waits, scene, after=assigned(state, detail, scene))


def unassigned(state: CaseState, detail: CaseDetail, scene: Scene) -> CaseDetail:
    """The case while it waits for somebody to have it."""
    return scene.hearing(detail, state.ver).heard(detail, Cue.UNASSIGNED)


def assigned(state: CaseState, detail: CaseDetail, scene: Scene) -> CaseDetail:
    """The case once somebody has it."""
    return scene.hearing(detail, state.ver).heard(detail, Cue.ASSIGNED)


def if_taken(planned: Plan, state: CaseState, detail: CaseDetail, scene: Scene) -> Plan:
    """The plan of ``detail`` with what it comes to if the act gives the case to somebody at once; as it is if that is
    the same."""
    return _with_taken(planned, state, detail, scene, after=assigned(state, detail, scene))


def _with_taken(planned: Plan, state: CaseState, waits: CaseDetail, scene: Scene, *, after: CaseDetail) -> Plan:
    if after.clocks == waits.clocks:
        return planned
    armed = {timer: at for timer, at in (state.timers | planned.timers).items() if at}
    # The two differ by nothing but their clocks.
    timers = _clock_timers(replace(state, timers=armed), after, scene)
    return replace(planned, taken=Taken(detail=write_detail(after, before=state.detail), timers=timers))


def accepted(state: CaseState, scene: Scene) -> Plan | None:
    """The plan for a case that an advisor takes; None when it has nothing to say, and the act needs none."""
    detail = read_detail(state.detail)
    after = assigned(state, detail, scene)
    return None if after is detail else plan(state, after, scene)


def taken_up(state: CaseState, detail: CaseDetail, scene: Scene) -> CaseDetail:
    """The case when somebody is to work on it now: it waits for nobody outside any more."""
    if detail.pending is None:
        return detail
    return replace(scene.hearing(detail, state.ver).back(detail), pending=None)


def written_to(state: CaseState, scene: Scene) -> CaseDetail:
    """An open case with one more message of the customer's."""
    detail = read_detail(state.detail)
    return scene.hearing(detail, state.ver).written_to(detail)


def brought_back(state: CaseState, scene: Scene, roster: Roster, *, is_written_to: bool = True) -> CaseDetail:
    """A pending or resolved case that the customer has written to, or whose follow-up has come: clocks go on, and it is
    kept for its owner for a while, as its queue says. To plan with ``placed``."""
    detail = read_detail(state.detail)
    is_reopened = state.state is CaseStatus.RESOLVED
    hearing = scene.hearing(detail, state.ver)
    gone_on = hearing.back(detail)
    back = replace(
        hearing.written_to(gone_on) if is_written_to else gone_on,
        pending=None,
        outcome="",
        placed_at_ms=scene.now_ms,
        relaxed=0,
        waits_from_ms=0,
        missed_offers=0,
        reopened=detail.reopened + is_reopened,
        last_advisor=state.owner or detail.last_advisor,
    )
    return offers.hold(back, scene.rulebook, roster, scene.now_ms)


def heard(detail: CaseDetail, verdict: Verdict, now_ms: int) -> CaseDetail:
    """A reopened case with what the rules say of the message that reopened it: its queue, skills and clocks stay, as
    its owner is asked first unless he is excluded; it takes the higher of the two priorities, and all labels."""
    before = detail.verdict
    priority = min(before.priority, verdict.priority)
    labels = tuple(dict.fromkeys((*before.labels, *verdict.labels)))
    after = exclusions.judged(detail, verdict, now_ms)
    changed = {
        "priority": priority != before.priority,
        "labels": labels != before.labels,
        "exclude": after is not detail,
    }
    new = {name for name, is_new in changed.items() if is_new}
    if not new:
        return detail
    reasons = (Reason(each.rule, tuple(sorted(new & {*each.set}))) for each in verdict.reasons if new & {*each.set})
    return replace(
        after,
        verdict=replace(before, priority=priority, labels=labels, reasons=(*before.reasons, *reasons)[-MAX_REASONS:]),
        labels=tuple(dict.fromkeys((*detail.labels, *verdict.labels))),
    )


def pended(state: CaseState, pending: Pending, scene: Scene) -> CaseDetail:
    """A case that waits for somebody else: its clocks stand still, as far as their policy says so for him."""
    detail = read_detail(state.detail)
    pended = scene.hearing(detail, state.ver).pended(detail, pending.on)
    return replace(pended, pending=pending, last_advisor=state.owner)


def resolved(state: CaseState, outcome: str, scene: Scene) -> CaseDetail:
    """A case whose work is done: no clock runs, nothing is held or cooling down."""
    detail = read_detail(state.detail)
    return replace(
        scene.hearing(detail, state.ver).resolved(detail),
        outcome=outcome,
        pending=None,
        last_advisor=state.owner or detail.last_advisor,
        declined={},
        held_for="",
        held_until_ms=None,
    )


def replied(state: CaseState, reply: ReplyId, advisor: str, scene: Scene) -> CaseDetail:
    """A case with one more reply by a person, which the customer may have been promised."""
    return with_reply(read_detail(state.detail), reply, scene, ver=state.ver, advisor=advisor)


def with_reply(
    detail: CaseDetail, reply: ReplyId, scene: Scene, *, ver: int = 0, advisor: str = "", automatic: bool = False
) -> CaseDetail:
    """One more reply to the case of that version. An automatic one stops no clock, for nobody has answered yet, unless
    the policy says so."""
    sent = SentReply(id=reply, at_ms=scene.now_ms, advisor=advisor)
    cue = Cue.AUTOMATIC_REPLY if automatic else Cue.REPLY
    return replace(
        scene.hearing(detail, ver).heard(detail, cue),
        replies=(*detail.replies, sent)[-KEPT_ENTRIES:],
        replies_count=detail.replies_count + 1,
        acknowledged=detail.acknowledged or automatic,
    )


def delivered(state: CaseState, reply: ReplyId, outcome: str, reason: str) -> CaseDetail | None:
    """The case with what became of a reply; None when it knows no such reply or knows this already."""
    detail = read_detail(state.detail)
    known = {item.id: item for item in detail.replies}
    if reply not in known or (known[reply].state, known[reply].reason) == (outcome, reason):
        return None
    known[reply] = replace(known[reply], state=outcome, reason=reason)
    return replace(detail, replies=tuple(known.values()))
