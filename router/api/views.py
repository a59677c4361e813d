"""Cases and advisors as the API shows them: times in RFC 3339, nothing that only the store needs. Pure."""

import msgspec

from router.contract.advisor import AdvisorState, Profile, Work, read_profile
from router.contract.case import CaseDetail, CaseState, Clock, read_detail
from router.contract.climb import Climb
from router.contract.codec import rfc3339
from router.contract.exclusion import Exclusion
from router.engine.escalation import heeded_at
from router.engine.waiting import effective_priority


class View(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of what is shown; members at their default are left out."""


class OfferView(View, frozen=True, kw_only=True):
    advisor: str
    offer_ver: int
    deadline: str


class ClockView(View, frozen=True, kw_only=True):
    """An SLA clock. ``due_at`` is absent while it stands still."""

    target_s: int
    due_at: str | None = None
    met_at: str | None = None


class PendingView(View, frozen=True, kw_only=True):
    on: str
    since: str
    reason: str = ""
    until: str | None = None


class ReplyView(View, frozen=True, kw_only=True):
    """A reply sent. ``state``: ``sending``, then ``sent``, ``failed`` or ``unknown``."""

    id: str
    at: str
    state: str
    advisor: str = ""
    reason: str = ""


class ClimbView(View, frozen=True, kw_only=True):
    """A step of a ladder that the case took, or (``trigger`` ``lowered``) was lowered to, or (``handed``) that
    a person handed it on from the tier it had climbed to: by whom (empty: by itself),
    why, and who had the case then. ``tier``: the one that it was moved up to."""

    step: int
    at: str
    trigger: str
    ladder: str = ""
    by: str = ""
    reason: str = ""
    owner: str = ""
    tier: str = ""


class ExclusionView(View, frozen=True, kw_only=True):
    """Since when an advisor must not have the case or, ``lifted``, may have it again: who said so (an advisor or a key)
    and why, or the rules."""

    advisor: str
    at: str
    by: str = ""
    reason: str = ""
    rules: tuple[str, ...] = ()
    lifted: bool = False


class AskView(View, frozen=True, kw_only=True):
    """For whose advice was asked last (by nobody: by a step of its ladder), and what came of it: ``end`` (``joined``,
    ``declined``, ``expired``, ``left``, ``recalled``, ``ended``) with the one who was ``last``. Those ``tried`` are
    left out for a while."""

    by: str
    at: str
    to: str = ""
    queue: str = ""
    tier: str = ""
    skills: dict[str, int] = {}
    tried: tuple[str, ...] = ()
    last: str = ""
    end: str = ""


class CaseView(View, frozen=True, kw_only=True):
    """A case as it is now. ``tier`` is the one it was handed to; ``step`` its place on the ladder, ``escalations`` how
    it came there; ``units`` what it takes of a budget. The ``offers`` of a case that has an owner ring for advice;
    ``consults`` are those who give it, and ``ask`` says of whom it was asked last. ``last_inquiry`` is the customer's
    last message, to be named as ``seen`` when the case is resolved; ``excluded`` who must not have it, ``exclusions``
    how that came to be. Somebody looks after it since ``acknowledged_at``; the steps of its ladder wait, or waited,
    until ``snoozed_until``."""

    id: str
    state: str
    ver: int
    queue: str
    channel: str
    priority: int
    conversation: str
    account: str
    customer: str
    units: int
    opened_at: str
    changed_at: str
    inquiries: int
    rulebook: str
    last_inquiry: str = ""
    language: str = ""
    owner: str = ""
    last_advisor: str = ""
    held_for: str = ""
    tier: str = ""
    labels: tuple[str, ...] = ()
    wants: dict[str, int] = {}
    offers: tuple[OfferView, ...] = ()
    consults: tuple[str, ...] = ()
    ask: AskView | None = None
    clocks: dict[str, ClockView] = {}
    pending: PendingView | None = None
    outcome: str = ""
    replies: tuple[ReplyView, ...] = ()
    reopened: int = 0
    step: int = 0
    escalations: tuple[ClimbView, ...] = ()
    over: bool = False
    previous: str = ""
    excluded: tuple[str, ...] = ()
    exclusions: tuple[ExclusionView, ...] = ()
    acknowledged_at: str | None = None
    snoozed_until: str | None = None


class WorkView(View, frozen=True, kw_only=True):
    """One entry of a work set, as a supervisor sees it. ``until``: when its wrap-up ends, or what was parked by hand
    may come back by itself."""

    case: str
    kind: str
    channel: str
    units: int
    until: str | None = None


class AdvisorView(View, frozen=True, kw_only=True):
    """An advisor with presence and load. ``away_from`` are the channels that he takes nothing of while online."""

    id: str
    name: str
    presence: str
    load: int
    budget: int
    team: str = ""
    tier: str = ""
    reason: str = ""
    idle_since: str | None = None
    skills: dict[str, int] = {}
    languages: dict[str, int] = {}
    queues: tuple[str, ...] = ()
    secondary: tuple[str, ...] = ()
    caps: dict[str, int] = {}
    connections: int = 0
    missed: int = 0
    work: tuple[WorkView, ...] = ()
    away_from: tuple[str, ...] = ()


def case_view(state: CaseState) -> CaseView:
    detail = read_detail(state.detail)
    return CaseView(
        id=state.id,
        state=state.state,
        ver=state.ver,
        queue=detail.verdict.queue,
        channel=state.channel,
        priority=effective_priority(detail),
        conversation=state.conversation,
        account=detail.account,
        customer=detail.customer,
        units=state.units,
        opened_at=rfc3339(state.opened_at_ms),
        changed_at=rfc3339(state.changed_at_ms),
        inquiries=state.inquiries,
        rulebook=detail.verdict.rulebook,
        last_inquiry=state.last_inquiry,
        language=detail.verdict.language or "",
        owner=state.owner,
        last_advisor=detail.last_advisor,
        held_for=detail.held_for,
        tier=detail.tier,
        labels=detail.labels,
        wants={want.skill: want.level for want in detail.verdict.wants},
        offers=_offers(state),
        consults=tuple(sorted(state.consults)),
        ask=_ask(detail),
        clocks={name: _clock(clock) for name, clock in detail.clocks.items()},
        pending=_pending(detail),
        outcome=detail.outcome,
        replies=_replies(detail),
        reopened=detail.reopened,
        step=state.step,
        escalations=tuple(map(_climb, detail.climbed)),
        over=state.over,
        previous=detail.previous,
        excluded=detail.excluded,
        exclusions=tuple(map(_exclusion, detail.exclusions)),
        acknowledged_at=_time(heeded_at(detail)),
        snoozed_until=_time(detail.put_off_until_ms or None),
    )


def advisor_view(state: AdvisorState) -> AdvisorView:
    profile: Profile = read_profile(state.profile)
    return AdvisorView(
        id=state.id,
        name=profile.name,
        presence=state.presence,
        load=state.load,
        budget=state.budget,
        team=profile.team,
        tier=profile.tier,
        reason=state.reason,
        away_from=state.away_from,
        idle_since=_time(state.idle_since_ms or None),
        skills=profile.skills,
        languages=profile.languages,
        queues=profile.queues,
        secondary=profile.secondary,
        caps=state.caps,
        connections=len(state.connections),
        missed=state.missed,
        work=tuple(work_view(case, entry, state) for case, entry in state.work.items()),
    )


def work_view(case: str, entry: Work, state: AdvisorState) -> WorkView:
    until = _time(state.wrap_up_until(case) or state.parked_until(case))
    return WorkView(case=case, kind=entry.kind, channel=entry.channel, units=entry.units, until=until)


def _time(at_ms: int | None) -> str | None:
    return None if at_ms is None else rfc3339(at_ms)


def _ask(detail: CaseDetail) -> AskView | None:
    ask = detail.ask
    if ask is None:
        return None
    return AskView(
        by=ask.by,
        at=rfc3339(ask.at_ms),
        to=ask.to,
        queue=ask.queue,
        tier=ask.tier,
        skills=ask.skills,
        tried=tuple(sorted(ask.tried)),
        last=ask.last,
        end=ask.end,
    )


def _offers(state: CaseState) -> tuple[OfferView, ...]:
    return tuple(
        OfferView(advisor=offer.advisor, offer_ver=offer.ver, deadline=rfc3339(offer.deadline_ms))
        for offer in state.offers
    )


def _climb(climb: Climb) -> ClimbView:
    return ClimbView(
        step=climb.step,
        at=rfc3339(climb.at_ms),
        trigger=climb.trigger,
        ladder=climb.ladder,
        by=climb.by,
        reason=climb.reason,
        owner=climb.owner,
        tier=climb.tier,
    )


def _exclusion(said: Exclusion) -> ExclusionView:
    return ExclusionView(
        advisor=said.advisor,
        at=rfc3339(said.at_ms),
        by=said.by,
        reason=said.reason,
        rules=said.rules,
        lifted=said.lifted,
    )


def _clock(clock: Clock) -> ClockView:
    return ClockView(target_s=clock.target_ms // 1000, due_at=_time(clock.due_at_ms), met_at=_time(clock.met_at_ms))


def _pending(detail: CaseDetail) -> PendingView | None:
    rest = detail.pending
    if rest is None:
        return None
    return PendingView(on=rest.on, since=rfc3339(rest.since_ms), reason=rest.reason, until=_time(rest.until_ms))


def _replies(detail: CaseDetail) -> tuple[ReplyView, ...]:
    return tuple(
        ReplyView(id=sent.id, at=rfc3339(sent.at_ms), state=sent.state, advisor=sent.advisor, reason=sent.reason)
        for sent in detail.replies
    )
