"""Why a clock stands where it stands, as a person would check it: what counted, what didn't, and what is to come."""

from typing import Final

import msgspec

from router.contract.case import CaseDetail, Clock, ClockRun
from router.engine import sla
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


class ClockAudit(msgspec.Struct, frozen=True, kw_only=True):
    """One clock. ``state``: ``running``, ``paused``, ``met`` or ``breached`` (that too while it goes on or stands
    still). ``earlier_ms`` was used in stretches that are no longer kept one by one: it and the counted stretches that
    aren't ahead add up to ``used_ms``."""

    name: str
    state: str
    target_ms: int
    used_ms: int
    earlier_ms: int = 0
    warn_at_ms: int | None = None
    due_at_ms: int | None = None
    met_at_ms: int | None = None
    calendar: str = ""
    time_zone: str = ""
    stretches: tuple[Stretch, ...] = ()


def audit(detail: CaseDetail, rulebook: Rulebook, now_ms: int) -> tuple[ClockAudit, ...]:
    """Every clock of a case as of now, by the rulebook that the case is judged by."""
    calendar = rulebook.calendar_of(detail.verdict.policy)
    policy = rulebook.policies.get(detail.verdict.policy)
    share = policy.warn_share if policy else None
    named = policy.calendar or "" if policy and calendar else ""
    return tuple(
        _audit(name, clock, calendar, warn_share=share, named=named, now_ms=now_ms)
        for name, clock in sorted(detail.clocks.items())
    )


def _audit(
    name: str, clock: Clock, calendar: Calendar | None, *, warn_share: float | None, named: str, now_ms: int
) -> ClockAudit:
    stretches = [*_past(clock, calendar)]
    since, used = clock.running_since_ms, clock.used_ms
    due_at = clock.due_at_ms
    if since is not None and due_at is not None:
        stretches += _parts(since, now_ms, calendar)
        ahead = max(since, now_ms)
        stretches += _parts(ahead, min(due_at, ahead + _AHEAD_MS), calendar, is_ahead=True)
        used += max(0, now_ms - since if calendar is None else calendar.worked(since, now_ms))
    kept = sum(stretch.used_ms for stretch in stretches if not stretch.is_ahead)
    return ClockAudit(
        name=name,
        state=_state(clock, used),
        target_ms=clock.target_ms,
        used_ms=used,
        earlier_ms=used - kept,
        warn_at_ms=sla.reached(clock, warn_share, calendar) if due_at is not None and warn_share else None,
        due_at_ms=due_at,
        met_at_ms=clock.met_at_ms,
        calendar=named,
        time_zone=str(calendar.zone) if calendar else "",
        stretches=tuple(stretches),
    )


def _state(clock: Clock, used_ms: int) -> str:
    if used_ms > clock.target_ms:
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
