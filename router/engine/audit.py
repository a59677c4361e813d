"""Why a clock stands where it stands, as a person would check it: what counted, what didn't, and what is to come."""

from typing import Final

import msgspec

from router.contract.case import CaseDetail, Clock, ClockRun, Replanned
from router.engine import sla
from router.engine.terms import NO_TERMS, ClockTerms, own_terms, terms_of
from rules import Rulebook
from rules.calendar import Calendar, Segment

_AHEAD_MS: Final = 366 * 86_400_000


class Stretch(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the time since the clock first ran. ``reason``: ``counted``, ``closed`` (with the ``names`` of special
    days), what it waits for (``pending``, ``resolved``), or ``recorded``: a run that counted ``used_ms`` at the time,
    and would count another amount by today's calendar. ``is_ahead``: it is still to come."""

    from_ms: int
    to_ms: int
    reason: str
    used_ms: int = 0
    names: tuple[str, ...] = ()
    is_ahead: bool = False


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A change of policy or calendar that reached the clock, by the rulebook that made it, and where its due time was
    and is; ``policy``: the one that it brought, if another."""

    at_ms: int
    rulebook: str
    was_ms: int | None = None
    now_ms: int | None = None
    is_overdue: bool = False
    policy: str = ""


class ClockAudit(msgspec.Struct, frozen=True, kw_only=True):
    """One clock. ``state``: ``running``, ``paused``, ``met`` or ``breached`` (that too while it goes on or stands
    still). ``earlier_ms`` was used in stretches that are no longer kept one by one: it and the counted stretches that
    aren't ahead add up to ``used_ms``. ``warn_at_ms`` is the next warning, or the last if all are past; ``warnings_ms``
    all of them, without those that were told before a change put them ahead: they don't come again. Nor does a breach
    that ``is_breach_told``. What is ahead is listed for a year. ``margin_ms``: what was left when it came to its
    end."""

    name: str
    state: str
    target_ms: int
    used_ms: int
    earlier_ms: int = 0
    warn_at_ms: int | None = None
    warnings_ms: tuple[int, ...] = ()
    due_at_ms: int | None = None
    is_breach_told: bool = False
    met_at_ms: int | None = None
    margin_ms: int | None = None
    calendar: str = ""
    time_zone: str = ""
    stretches: tuple[Stretch, ...] = ()
    changes: tuple[Change, ...] = ()


def audit(detail: CaseDetail, rulebook: Rulebook, now_ms: int) -> tuple[ClockAudit, ...]:
    """Every clock of a case as of now, by the rulebook that its clocks go by."""
    terms = terms_of(rulebook, detail.verdict.policy) or NO_TERMS
    return tuple(
        _audit(name, clock, own_terms(terms, name, clock), detail=detail, now_ms=now_ms)
        for name, clock in sorted(detail.clocks.items())
    )


def _audit(name: str, clock: Clock, own: ClockTerms, *, detail: CaseDetail, now_ms: int) -> ClockAudit:
    stretches = [*_past(clock, own.calendar)]
    since, used = clock.running_since_ms, sla.used(clock, own.calendar, now_ms)
    due_at = clock.due_at_ms
    if since is not None and due_at is not None:
        stretches += _parts(since, now_ms, own.calendar)
        ahead = max(since, now_ms)
        stretches += _parts(ahead, min(due_at, ahead + _AHEAD_MS), own.calendar, is_ahead=True)
    kept = sum(stretch.used_ms for stretch in stretches if not stretch.is_ahead)
    warnings = _warnings(name, clock, own, detail.fired)
    return ClockAudit(
        name=name,
        state=_state(clock, used),
        target_ms=clock.target_ms,
        used_ms=used,
        earlier_ms=used - kept,
        warn_at_ms=next((at for at in warnings if at > now_ms), warnings[-1] if warnings else None),
        warnings_ms=warnings,
        due_at_ms=due_at,
        is_breach_told=due_at is not None and sla.breach(name, clock) in detail.fired,
        met_at_ms=clock.met_at_ms,
        margin_ms=_margin(name, clock, detail),
        calendar=own.calendar_name,
        time_zone=str(own.calendar.zone) if own.calendar else "",
        stretches=tuple(stretches),
        changes=tuple(_change(name, each) for each in detail.replans if name in each.moved),
    )


def _warnings(name: str, clock: Clock, own: ClockTerms, told: tuple[str, ...]) -> tuple[int, ...]:
    if clock.due_at_ms is None:
        return ()
    ahead = sla.amounts(name, clock, own)
    for timer in (*told, sla.breach(name, clock)):
        ahead.pop(timer, None)
    return tuple(sorted(sla.falls_due(clock, amount_ms, own.calendar) for amount_ms in ahead.values()))


def _margin(name: str, clock: Clock, detail: CaseDetail) -> int | None:
    """What was left when the clock came to its end; None while it may still go on."""
    if clock.met_at_ms is None and (name != sla.RESOLUTION or not detail.outcome):
        return None
    return clock.target_ms - clock.used_ms


def _change(name: str, change: Replanned) -> Change:
    moved = change.moved[name]
    return Change(
        at_ms=change.at_ms,
        rulebook=change.rulebook,
        was_ms=moved.was_ms,
        now_ms=moved.now_ms,
        is_overdue=name in change.overdue,
        policy=change.policy,
    )


def _state(clock: Clock, used_ms: int) -> str:
    if used_ms >= clock.target_ms:  # a breach is at the target; over a closing time the clock stays there
        return "breached"
    if clock.met_at_ms is not None:
        return "met"
    return "paused" if clock.running_since_ms is None else "running"


def _past(clock: Clock, calendar: Calendar | None) -> list[Stretch]:
    """The runs that have ended, with the pauses between them and up to the present run."""
    found: list[Stretch] = []
    nexts = [run.from_ms for run in clock.runs[1:]]
    if clock.runs and clock.running_since_ms is not None:
        nexts.append(clock.running_since_ms)
    for index, run in enumerate(clock.runs):
        found += _run(run, calendar)
        if index < len(nexts) and nexts[index] > run.to_ms:
            found.append(Stretch(from_ms=run.to_ms, to_ms=nexts[index], reason=run.ended_by))
    return found


def _run(run: ClockRun, calendar: Calendar | None) -> list[Stretch]:
    parts = _parts(run.from_ms, run.to_ms, calendar)
    if sum(part.used_ms for part in parts) == run.used_ms:
        return parts
    return [Stretch(from_ms=run.from_ms, to_ms=run.to_ms, reason="recorded", used_ms=run.used_ms)]


def _parts(from_ms: int, to_ms: int, calendar: Calendar | None, *, is_ahead: bool = False) -> list[Stretch]:
    if to_ms <= from_ms:
        return []
    parts = (
        (Segment(from_ms=from_ms, to_ms=to_ms, counted=True),)
        if calendar is None
        else calendar.segments(from_ms, to_ms)
    )
    return [
        Stretch(
            from_ms=part.from_ms,
            to_ms=part.to_ms,
            reason="counted" if part.counted else "closed",
            used_ms=part.to_ms - part.from_ms if part.counted else 0,
            names=part.names,
            is_ahead=is_ahead,
        )
        for part in parts
    ]
