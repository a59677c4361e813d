"""The clocks of a case, audited: what counted and what didn't, when each warns and breaches."""

from aiohttp import web

from router.api.acts.rights import shown_case
from router.api.keys import STAFF, Gate
from router.api.rest.answers import json_answer
from router.api.views import View
from router.contract.case import read_detail
from router.contract.codec import rfc3339
from router.contract.ids import CaseId
from router.engine.audit import Change, ClockAudit, Stretch, audit


class StretchView(View, frozen=True, kw_only=True):
    """A part of the time since the clock first ran. ``reason``: ``counted``, ``closed``, ``pending``, ``resolved``, or
    ``recorded``: it counted ``used_s`` at the time, and would count another amount by the calendar of today.
    ``names``: the holidays and special dates on which it was closed. ``ahead``: it is still to come."""

    begins_at: str
    ends_at: str
    reason: str
    used_s: float = 0
    names: tuple[str, ...] = ()
    ahead: bool = False


class ClockChangeView(View, frozen=True, kw_only=True):
    """A change of policy or calendar that reached the clock: the rulebook that made it, and where the due time was and
    is; without one it stood still. ``overdue``: by that it was overdue at once. ``policy``: the one that it brought, if
    another."""

    at: str
    rulebook: str
    was_at: str | None = None
    due_at: str | None = None
    overdue: bool = False
    policy: str = ""


class ClockAuditView(View, frozen=True, kw_only=True):
    """One clock. ``state``: ``running``, ``paused``, ``met`` or ``breached``. ``earlier_s`` was used before the first
    of the ``stretches``: that and those which are not ahead add up to ``used_s``; they reach a year ahead. Without
    ``calendar`` all time counts. ``warnings_at`` are all its warnings, ``warn_at`` the next, without those that came
    before a change put them ahead; ``breach_told``: so did its breach, and it doesn't come again. ``margin_s`` was left
    of the target when it came to its end; if that isn't above 0, it was missed. ``changes``: the last that policies or
    calendars made."""

    clock: str
    state: str
    target_s: int
    used_s: float
    earlier_s: float = 0
    warn_at: str | None = None
    warnings_at: tuple[str, ...] = ()
    due_at: str | None = None
    breach_told: bool = False
    met_at: str | None = None
    margin_s: float | None = None
    calendar: str = ""
    time_zone: str = ""
    stretches: tuple[StretchView, ...] = ()
    changes: tuple[ClockChangeView, ...] = ()


class ClocksPage(View, frozen=True, kw_only=True):
    """All clocks of a case as of ``at``, by the rulebook that its clocks go by."""

    case: str
    at: str
    rulebook: str
    clocks: tuple[ClockAuditView, ...]


class Clocks:
    """The handler of ``/v1/cases/{case}/clocks``."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def show(self, request: web.Request) -> web.Response:
        caller = self._gate.caller(request, STAFF)
        state = await shown_case(caller, CaseId(request.match_info["case"]))
        rulebook, now_ms = caller.desk.policies.clocked_by(state), caller.desk.actor.now_ms()
        found = audit(read_detail(state.detail), rulebook, now_ms)
        page = ClocksPage(case=state.id, at=rfc3339(now_ms), rulebook=rulebook.hash, clocks=tuple(map(_clock, found)))
        return json_answer(page)


def _clock(found: ClockAudit) -> ClockAuditView:
    return ClockAuditView(
        clock=found.name,
        state=found.state,
        target_s=found.target_ms // 1000,
        used_s=found.used_ms / 1000,
        earlier_s=found.earlier_ms / 1000,
        warn_at=_time(found.warn_at_ms),
        warnings_at=tuple(map(rfc3339, found.warnings_ms)),
        due_at=_time(found.due_at_ms),
        breach_told=found.is_breach_told,
        met_at=_time(found.met_at_ms),
        margin_s=None if found.margin_ms is None else found.margin_ms / 1000,
        calendar=found.calendar,
        time_zone=found.time_zone,
        stretches=tuple(map(_stretch, found.stretches)),
        changes=tuple(map(_change, found.changes)),
    )


def _change(made: Change) -> ClockChangeView:
    return ClockChangeView(
        at=rfc3339(made.at_ms),
        rulebook=made.rulebook,
        was_at=_time(made.was_ms),
        due_at=_time(made.now_ms),
        overdue=made.is_overdue,
        policy=made.policy,
    )


def _stretch(part: Stretch) -> StretchView:
    return StretchView(
        begins_at=rfc3339(part.from_ms),
        ends_at=rfc3339(part.to_ms),
        reason=part.reason,
        used_s=part.used_ms / 1000,
        names=part.names,
        ahead=part.is_ahead,
    )


def _time(at_ms: int | None) -> str | None:
    return None if at_ms is None else rfc3339(at_ms)
