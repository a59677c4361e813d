"""Whom staff notices go to, and not before when: entries of ``notify`` become targets and people."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from router.contract.case import CaseDetail, CaseState
from router.contract.codec import encode
from router.contract.ids import AdvisorId, PoolId, notice_id
from router.contract.messages import Notice
from router.engine.roster import Roster
from router.engine.waiting import effective_priority
from rules import Rulebook
from rules.calendar import NeverOpen
from rules.notices import Addressee, Who, addressee
from rules.teams import Duty

LONGEST_QUIET_MS: Final = 5 * 86_400_000
"""Notices stay on the bus for a week; what is held for longer than this is told, quiet hours or not."""


class Teller(NamedTuple):
    """What tells who is who, and when it is."""

    pool: PoolId
    rulebook: Rulebook
    roster: Roster
    now_ms: int


class Happening(NamedTuple):
    """What staff are told of. ``mark`` is its name within the case, never used for anything else of it. The last four
    are as in the notice."""

    kind: str
    mark: str
    step: int = 0
    clock: str = ""
    due_at_ms: int | None = None
    about: AdvisorId | None = None
    trigger: str = ""
    owner: str | None = None
    top: bool = False


def notices(
    teller: Teller, state: CaseState, *, detail: CaseDetail, happening: Happening, told: Iterable[str]
) -> tuple[str, ...]:
    """One notice for each target, and for each of the people at it, the same whenever it is computed again; as JSON.

    Somebody who isn't there is stood in for: the assignee by the lead, the lead by a supervisor. With nobody left, the
    target itself is told.
    """
    places = dict.fromkeys(place for entry in told for place in _places(teller, state, detail, addressee(entry)))
    return tuple(_notice(teller, state, detail, happening, place) for place in places)


_Place = tuple[str, AdvisorId | None]


def _notice(teller: Teller, state: CaseState, detail: CaseDetail, happening: Happening, place: _Place) -> str:
    target, advisor = place
    named = target if advisor is None else f"{target}/{advisor}"
    notice = Notice(
        id=notice_id(state.id, happening.mark, named),
        pool=teller.pool,
        case=state.id,
        kind=happening.kind,
        target=target,
        at_ms=teller.now_ms,
        queue=detail.verdict.queue,
        priority=effective_priority(detail),
        step=happening.step,
        clock=happening.clock,
        due_at_ms=happening.due_at_ms,
        staff=() if advisor is None else (advisor,),
        about=happening.about,
        trigger=happening.trigger,
        owner=happening.owner,
        top=happening.top,
        not_before_ms=_quiet_until(teller, detail, target),
    )
    return encode(notice).decode()


def _places(teller: Teller, state: CaseState, detail: CaseDetail, asked: Addressee) -> Iterator[_Place]:
    match asked.who:
        case Who.TARGET:
            yield asked.target, None
        case Who.QUEUE:
            queue = teller.rulebook.queues.get(detail.verdict.queue)
            if queue is not None and queue.notify is not None:
                yield queue.notify, None
        case Who.ASSIGNEE | Who.LEAD | Who.SUPERVISOR:
            yield asked.target, _person(teller, state, detail, asked.who)


def _person(teller: Teller, state: CaseState, detail: CaseDetail, who: Who) -> AdvisorId | None:
    if who is Who.ASSIGNEE and state.owner:
        return AdvisorId(state.owner)
    rulebook = teller.rulebook
    lead = None
    if who is not Who.SUPERVISOR:
        team = rulebook.teams.get(_team(teller, state, detail))
        lead = _on_shift(teller, team.leads) if team else None
    return lead or _on_shift(teller, rulebook.supervisors)


def _team(teller: Teller, state: CaseState, detail: CaseDetail) -> str:
    """That of the advisor who has the case; of its queue while nobody has it, or he has none."""
    member = teller.roster.get(AdvisorId(state.owner)) if state.owner else None
    queue = teller.rulebook.queues.get(detail.verdict.queue)
    return (member.profile.team if member else "") or (queue.team if queue and queue.team else "")


def _on_shift(teller: Teller, duties: Iterable[Duty]) -> AdvisorId | None:
    """The first whose hours these are; nobody outside everybody's hours."""
    for duty in duties:
        calendar = teller.rulebook.open_hours.get(duty.calendar) if duty.calendar else None
        if calendar is None or calendar.is_open(teller.now_ms):
            return AdvisorId(duty.advisor)
    return None


def _quiet_until(teller: Teller, detail: CaseDetail, target: str) -> int | None:
    """When the target's quiet hours end; None if there are none now, or the case is too urgent for them."""
    quiet = teller.rulebook.quiet.get(target)
    if quiet is None or effective_priority(detail) <= quiet.urgent:
        return None
    calendar = teller.rulebook.open_hours.get(quiet.calendar)
    if calendar is None or calendar.is_open(teller.now_ms):
        return None
    latest_ms = teller.now_ms + LONGEST_QUIET_MS
    try:
        return min(calendar.next_opening(teller.now_ms), latest_ms)
    except NeverOpen:
        return latest_ms
