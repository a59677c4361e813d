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
from router.contract.plan import Plan
from router.engine import escalation, offers, relaxation, sla
from router.engine.roster import Roster
from router.engine.waiting import WaitClass, crowded_class, score, wait_class
from rules import Reason, Rulebook, Verdict
from rules.calendar import Calendar
from rules.judge import MAX_REASONS


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What every plan needs besides the case: the rulebook it is judged by, and the time."""

    rulebook: Rulebook
    now_ms: int

    def calendar(self, verdict: Verdict) -> Calendar | None:
        """What the case's clocks run by; None is elapsed time."""
        return self.rulebook.calendar_of(verdict.policy)


def opened(inquiry: Inquiry, verdict: Verdict, scene: Scene) -> CaseDetail:
    """A new case, as its first inquiry and the verdict make it."""
    policy = scene.rulebook.policies.get(verdict.policy)
    return CaseDetail(
        account=inquiry.account,
        origin=inquiry.id,
        customer=inquiry.customer.id,
        verdict=verdict,
        clocks=sla.start(policy, scene.now_ms, scene.calendar(verdict)) if policy else {},
        placed_at_ms=scene.now_ms,
        labels=verdict.labels,
    )


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
    now = scene.now_ms
    waiting = waiting or waiting_class(state, detail, scene)
    policy = scene.rulebook.policies.get(detail.verdict.policy)
    timers = (
        sla.timers(detail.clocks, policy, scene.calendar(detail.verdict), armed=state.timers, now_ms=now)
        | escalation.timers(state, detail, scene.rulebook, now)
        | offers.timers(detail, armed=state.timers, now_ms=now)
        | relaxation.timers(detail, scene.rulebook, armed=state.timers, now_ms=now)
    )
    return Plan(
        ver=state.ver,
        class_key=waiting.key,
        crowded_key=crowded_class(waiting, detail).key,
        score=score(detail, scene.rulebook),
        detail=write_detail(detail, before=state.detail),
        why=why,
        timers=timers,
    )


def also(planned: Plan, timers: dict[str, int]) -> Plan:
    """The plan with timers of its own act."""
    return replace(planned, timers=planned.timers | timers)


def brought_back(state: CaseState, scene: Scene, roster: Roster) -> CaseDetail:
    """A pending or resolved case that the customer has written to: clocks go on, and it is kept for its owner for a
    while, as its queue says."""
    detail = read_detail(state.detail)
    is_reopened = state.state is CaseStatus.RESOLVED
    back = replace(
        detail,
        clocks=sla.resume(detail.clocks, scene.now_ms, scene.calendar(detail.verdict)),
        pending=None,
        outcome="",
        placed_at_ms=scene.now_ms,
        relaxed=0,
        waits_from_ms=0,
        reopened=detail.reopened + is_reopened,
        last_advisor=state.owner or detail.last_advisor,
    )
    return offers.hold(back, scene.rulebook, roster, scene.now_ms)


def heard(detail: CaseDetail, verdict: Verdict) -> CaseDetail:
    """A reopened case with what the rules say of the message that reopened it: its queue, skills and clocks stay, as
    its owner is asked first; it takes the higher of the two priorities, and all labels."""
    before = detail.verdict
    priority = min(before.priority, verdict.priority)
    labels = tuple(dict.fromkeys((*before.labels, *verdict.labels)))
    new = {
        name
        for name, is_new in (("priority", priority != before.priority), ("labels", labels != before.labels))
        if is_new
    }
    if not new:
        return detail
    reasons = (Reason(each.rule, tuple(sorted(new & {*each.set}))) for each in verdict.reasons if new & {*each.set})
    return replace(
        detail,
        verdict=replace(before, priority=priority, labels=labels, reasons=(*before.reasons, *reasons)[-MAX_REASONS:]),
        labels=tuple(dict.fromkeys((*detail.labels, *verdict.labels))),
    )


def pended(state: CaseState, pending: Pending, scene: Scene) -> CaseDetail:
    """A case that waits for somebody else: its clocks stand still."""
    detail = read_detail(state.detail)
    clocks = sla.pause(detail.clocks, scene.now_ms, scene.calendar(detail.verdict))
    return replace(detail, pending=pending, clocks=clocks, last_advisor=state.owner)


def resolved(state: CaseState, outcome: str, scene: Scene) -> CaseDetail:
    """A case whose work is done: no clock runs, nothing is held or cooling down."""
    detail = read_detail(state.detail)
    return replace(
        detail,
        outcome=outcome,
        pending=None,
        clocks=sla.pause(detail.clocks, scene.now_ms, scene.calendar(detail.verdict), ended_by=sla.RESOLVED),
        last_advisor=state.owner or detail.last_advisor,
        declined={},
        held_for="",
        held_until_ms=None,
    )


def replied(state: CaseState, reply: ReplyId, advisor: str, scene: Scene) -> CaseDetail:
    """A case with one more reply by a person; the first meets the first-response clock."""
    return with_reply(read_detail(state.detail), reply, scene, advisor=advisor)


def with_reply(
    detail: CaseDetail, reply: ReplyId, scene: Scene, *, advisor: str = "", automatic: bool = False
) -> CaseDetail:
    """One more reply; an automatic one stops no clock, for nobody has answered yet."""
    sent = SentReply(id=reply, at_ms=scene.now_ms, advisor=advisor)
    clocks = detail.clocks
    if not automatic:
        clocks = sla.meet(clocks, sla.FIRST_RESPONSE, scene.now_ms, scene.calendar(detail.verdict))
    return replace(
        detail,
        clocks=clocks,
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
