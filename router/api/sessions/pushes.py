"""What an advisor is told when his state or one of his cases changes."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple, assert_never

from router.api.desks import Desk
from router.api.sessions import frames
from router.api.sessions.frames import Push, WorkItem
from router.api.transcripts import last_said
from router.contract.advisor import AdvisorState, Presence, Work, WorkKind
from router.contract.case import CaseState, CaseStatus, SentReply, read_detail
from router.contract.codec import rfc3339
from router.contract.events import CaseEvent, EventType
from router.contract.ids import AdvisorId, CaseId
from router.engine.waiting import effective_priority

_AT_HAND: Final = frozenset({WorkKind.CASE, WorkKind.CONSULT})
_RINGING: Final = frozenset({WorkKind.OFFER, WorkKind.CONSULT_OFFER})
_PUT_ASIDE: Final = _RINGING | _AT_HAND
# That a wrap-up begins or ends is told apart.
_ASIDE: Final = frozenset({None, WorkKind.WRAP_UP, WorkKind.PARKED})
_ENDS_OF_WORK: Final = {
    "resolve": "resolved",
    "pend": "pending",
    "follow_up": "pending",
    "transfer": "transferred",
    "assign": "reassigned",
    "requeue": "requeued",
    "park": "parked",
    "move": "moved",
    "hand_back": "handed-back",
}
_ENDS_OF_OFFERS: Final = dict.fromkeys(_ENDS_OF_WORK, "withdrawn") | {
    "accept": "taken",
    "decline": "declined",
    "expire": "expired",
}

OF_CONSULTS: Final = frozenset({EventType.ACCEPT, EventType.DECLINE, EventType.EXPIRE, EventType.HAND_BACK})


class Step(NamedTuple):
    """One entry of a work set came (``after``), went (``before`` alone) or is there for another reason."""

    case: CaseId
    before: WorkKind | None
    after: WorkKind | None


def steps(before: AdvisorState, after: AdvisorState) -> Iterator[Step]:
    """How one work set became the other. Where versions between them were missed an offer counts as new again:
    it may be another one of the same case. After a rebuild so does all that is there: he may have ended it in what was
    lost, or have been shown the case as an old copy of the store had it."""
    is_rebuilt = before.gen != after.gen
    is_next = (before.gen, before.ver + 1) == (after.gen, after.ver)
    for case in before.work.keys() - after.work.keys():
        yield Step(CaseId(case), before.work[case].kind, None)
    for case, work in after.work.items():
        old = before.work.get(case)
        is_another = work.kind in _RINGING and not is_next
        if old is None or old.kind is not work.kind or is_another or is_rebuilt:
            yield Step(CaseId(case), old.kind if old else None, work.kind)


def _presence_of(state: AdvisorState) -> tuple[Presence, str, tuple[str, ...]]:
    return state.presence, state.reason, state.away_from


def _wrap_ups(before: AdvisorState, after: AdvisorState) -> Iterator[Push]:
    """Wrap-ups that have begun, moved or ended."""
    for case, work in after.work.items():
        until_ms = after.wrap_up_until(case)
        if work.kind is WorkKind.WRAP_UP and until_ms is not None and until_ms != before.wrap_up_until(case):
            yield frames.WrapUpBegun(case=case, until=rfc3339(until_ms), units=work.units)
    for case, work in before.work.items():
        if work.kind is WorkKind.WRAP_UP and (case not in after.work or after.work[case].kind is not work.kind):
            yield frames.WrapUpEnded(case=case)


class Teller:
    """Puts changes into words for one advisor. Reads the store, so what it says is as new as can be."""

    def __init__(self, desk: Desk, advisor: AdvisorId) -> None:
        self._desk = desk
        self._advisor = advisor

    async def work_set(self, state: AdvisorState) -> tuple[WorkItem, ...]:
        """The whole work set; what has gone meanwhile is left out."""
        found = [await self._item(CaseId(case), work, state) for case, work in state.work.items()]
        return tuple(item for item in found if item is not None)

    async def changes(self, before: AdvisorState, after: AdvisorState) -> list[Push]:
        """The pushes between two states of his."""
        told: list[Push] = []
        if _presence_of(before) != _presence_of(after):
            presence, reason, away_from = _presence_of(after)
            told.append(frames.PresenceChanged(presence=presence, ver=after.ver, reason=reason, away_from=away_from))
        for step in steps(before, after):
            push = await self._step(step, after)
            if push is not None:
                told.append(push)
        return [*told, *_wrap_ups(before, after)]

    async def event(self, event: CaseEvent) -> Push | None:
        """What an event on one of his cases means to him."""
        if event.type is EventType.ADMIT:
            inquiry = event.about or event.case.last_inquiry
            said = await last_said(self._desk, event.subject, inquiry=inquiry)
            return frames.Message(
                case=event.subject,
                inquiry=inquiry,
                inquiries=event.case.inquiries,
                ver=event.case.ver,
                subject=said.subject,
                summary=said.summary,
            )
        if event.type in OF_CONSULTS:
            return _consulted(event)
        sent = _delivered(event)
        if sent is None:
            return None
        return frames.Delivery(
            case=event.subject, reply=sent.id, state=sent.state, ver=event.case.ver, reason=sent.reason
        )

    async def _step(self, step: Step, after: AdvisorState) -> Push | None:
        if step.after in _ASIDE:
            is_told = step.before in _PUT_ASIDE or (step.before is WorkKind.PARKED and step.after is None)
            return await self._ended(step) if is_told else None
        item = await self._item(step.case, after.work[step.case], after)
        if item is None:
            return None
        if step.after in _RINGING:
            return frames.Offered(
                work=item, case=item.case, offer_ver=item.offer_ver, deadline=item.deadline, ver=item.ver
            )
        if step.after in _AT_HAND:
            return frames.Assigned(work=item, case=item.case, ver=item.ver)
        return None

    async def _ended(self, step: Step) -> Push:
        history = await self._desk.reads.history(self._desk.pool, step.case)
        if step.before in _RINGING:
            ver, reason = _last(history, _ENDS_OF_OFFERS, "withdrawn")
            return frames.OfferEnded(case=step.case, reason=reason, ver=ver)
        ver, reason = _last(history, _ENDS_OF_WORK, "ended")
        return frames.Released(case=step.case, reason=reason, ver=ver)

    async def _item(self, case: CaseId, work: Work, person: AdvisorState) -> WorkItem | None:
        state = await self._desk.reads.case(self._desk.pool, case)
        if state is None or not _has(state, self._advisor, work.kind):
            return None
        said = await last_said(self._desk, case)
        offer = next((offer for offer in state.offers if offer.advisor == self._advisor), None)
        detail = read_detail(state.detail)
        until_ms = offer.deadline_ms if offer else person.wrap_up_until(case) or person.parked_until(case)
        return WorkItem(
            case=case,
            kind=work.kind,
            queue=detail.verdict.queue,
            channel=state.channel,
            units=work.units,
            priority=effective_priority(detail),
            conversation=state.conversation,
            ver=state.ver,
            language=detail.verdict.language or "",
            subject=said.subject,
            summary=said.summary,
            customer=said.customer,
            inquiry=state.last_inquiry,
            inquiries=state.inquiries,
            offer_ver=offer.ver if offer else 0,
            deadline=rfc3339(until_ms) if until_ms is not None else "",
            asked_by=state.owner if work.kind is WorkKind.CONSULT_OFFER else "",
        )


def concerned(event: CaseEvent) -> str:
    """The advisor an event is to be pushed to; empty when nobody needs to be told."""
    case = event.case
    if event.type is EventType.ADMIT and event.outcome in ("appended", "returned"):
        return case.owner
    if event.type is EventType.DELIVERED:
        sent = _delivered(event)
        if sent is not None and sent.state in ("failed", "unknown"):
            return case.owner or case.last_advisor
    if event.type in OF_CONSULTS and case.state is not CaseStatus.OFFERED and event.actor != case.owner:
        return case.owner
    return ""


def _consulted(event: CaseEvent) -> Push | None:
    """What an event says of the advice its case's owner asked for; None when it is about something else."""
    ask = event.case.ask
    if ask is None or ask.last != event.about:
        return None
    rings = next((offer.advisor for offer in event.case.offers), "")
    return frames.Consulted(
        case=event.subject, advisor=ask.last, state=ask.end, ver=event.case.ver, reason=event.reason, rings=rings
    )


def _has(state: CaseState, advisor: AdvisorId, kind: WorkKind) -> bool:
    """Whether the case still is his in that way: the store is read later than his work set, and to tell of what has
    ended since would put back on his desk what he was told is done."""
    match kind:
        case WorkKind.OFFER | WorkKind.CONSULT_OFFER:
            return any(offer.advisor == advisor for offer in state.offers)
        case WorkKind.CASE | WorkKind.PARKED:
            return state.owner == advisor
        case WorkKind.CONSULT:
            return advisor in state.consults
        case WorkKind.WRAP_UP:
            return True
        case _:
            assert_never(kind)


def _delivered(event: CaseEvent) -> SentReply | None:
    """The reply that a delivery is about, which the event names as ``<reply>=<state>``."""
    name = event.about.partition("=")[0]
    return next((reply for reply in event.case.replies if reply.id == name), None)


def _last(history: Sequence[str], meanings: dict[str, str], otherwise: str) -> tuple[int, str]:
    """The newest line of a history that has a meaning here: its version, and what it means."""
    for line in reversed(history):
        ver, act, _ = line.split("|", 2)
        if act in meanings:
            return int(ver), meanings[act]
    return 0, otherwise
