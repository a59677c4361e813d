"""Explanations in words: why here, why not the others, why still waiting, and what would free it. Pure."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Final

from router.api.relaxing import RelaxView, relax_lines, relax_views
from router.api.views import View
from router.contract.case import CaseState, CaseStatus, read_detail
from router.contract.codec import rfc3339
from router.engine.eligibility import Filter, fit, sieve
from router.engine.explain import Explanation, read_explanation
from router.engine.roster import Roster
from router.engine.waiting import TEAM_MARK, WaitClass, governing, wait_class
from rules import Rulebook

_NAMED: Final = 3
_LOOKED_AT: Final = 20
_LOOKING: Final = frozenset({CaseStatus.QUEUED, CaseStatus.OFFERED})
_REASONS: Final[Mapping[str, str]] = {
    Filter.PRESENCE: "not online",
    Filter.QUEUE: "not serving this queue",
    Filter.TIER: "not of a tier this queue asks for",
    Filter.SKILL: "without a needed skill at its level",
    Filter.LANGUAGE: "not speaking the customer's language",
    Filter.EXCLUDED: "excluded, or has just declined it",
    Filter.HELD: "not the one it is kept for",
    Filter.ROOM: "without room for it",
}


class RemovedView(View, frozen=True, kw_only=True):
    """Advisors that one filter took out; the first of them by name."""

    filter: str
    count: int
    reason: str
    first: tuple[str, ...] = ()


class ExplanationView(View, frozen=True, kw_only=True):
    """``why_here``: the rules that judged it and the last decision; ``why_not``: who was out then, and why;
    ``why_waiting``: as things are now. ``decided_at`` is when the last decision was made. ``relaxes``: what it will ask
    less of the advisors while it waits."""

    why_here: tuple[str, ...]
    why_not: tuple[RemovedView, ...] = ()
    why_waiting: tuple[str, ...] = ()
    relaxes: tuple[RelaxView, ...] = ()
    decided_at: str | None = None
    rulebook: str = ""
    strategy: str = ""


def explained(state: CaseState, roster: Roster, rulebook: Rulebook, now_ms: int) -> ExplanationView:
    """All that can be said of where a case is."""
    last = read_explanation(state.why)
    return ExplanationView(
        why_here=(*_judged(state), *_decided(state, last)),
        why_not=tuple(_removed(last)) if last else (),
        why_waiting=tuple(_waiting(state, roster, rulebook, now_ms)),
        relaxes=relax_views(read_detail(state.detail), rulebook) if state.state in _LOOKING else (),
        decided_at=rfc3339(last.at_ms) if last else None,
        rulebook=read_detail(state.detail).verdict.rulebook,
        strategy=last.strategy if last else "",
    )


def _judged(state: CaseState) -> Iterator[str]:
    verdict = read_detail(state.detail).verdict
    for reason in verdict.reasons:
        if reason.set:
            yield f"rule {reason.rule} set {', '.join(reason.set)}"
    wants = ", ".join(f"{want.skill} {want.level}{'' if want.hard else ' (soft)'}" for want in verdict.wants)
    language = f", in {verdict.language}" if verdict.language else ""
    yield f"it belongs to queue {verdict.queue} with priority {verdict.priority}{language}; wants: {wants or 'nothing'}"


def _decided(state: CaseState, last: Explanation | None) -> Iterator[str]:
    if last is None:
        return
    yield f"{last.considered} advisors were looked at, {len(last.best)} of the eligible ranked by {last.strategy}"
    if last.turn:
        yield f"{last.turn} had room, and of the heads he may be offered this was the most urgent"
    for place, one in enumerate(last.best[:_NAMED], start=1):
        terms = ", ".join(f"{name} {value:g}" for name, value in one.terms.items())
        yield f"{place}. {one.advisor} ({terms})"
    if state.owner:
        yield f"{state.owner} has it"


def _removed(last: Explanation) -> Iterator[RemovedView]:
    for name, out in last.removed.items():
        yield RemovedView(filter=name, count=out.count, reason=_REASONS.get(name, name), first=out.first)


def _waiting(state: CaseState, roster: Roster, rulebook: Rulebook, now_ms: int) -> Iterator[str]:
    detail = read_detail(state.detail)
    if state.state is CaseStatus.PENDING and detail.pending is not None:
        until = f" until {rfc3339(detail.pending.until_ms)}" if detail.pending.until_ms else ""
        yield f"it waits for the {detail.pending.on}{until}"
    if state.state is CaseStatus.OFFERED:
        for offer in state.offers:
            yield f"offered to {offer.advisor} until {rfc3339(offer.deadline_ms)}"
    if state.state is not CaseStatus.QUEUED:
        return
    waiting = wait_class(detail, channel=state.channel, units=state.units, rulebook=rulebook, now_ms=now_ms)
    sifted = sieve(roster, waiting)
    for name, out in sifted.removed.items():
        yield f"{out.bit_count()} {_REASONS[name]} ({_names(roster, out)})"
    yield from _wrapping_up(roster, sifted.removed.get(Filter.ROOM, 0), now_ms)
    if sifted.eligible:
        yield f"{_names(roster, sifted.eligible)} can take it now: it comes next, or a more urgent case comes first"
    else:
        yield _what_frees(roster, waiting)
    yield from relax_lines(detail, rulebook, now_ms)
    clock, due = governing(detail.clocks)
    if due is not None:
        yield f"its {clock} clock is due at {rfc3339(due)}"


def _wrapping_up(roster: Roster, bits: int, now_ms: int) -> Iterator[str]:
    """Who would have room but for what he wraps up, for how long yet."""
    for member in itertools.islice(roster.members(bits), _LOOKED_AT):
        ends = [until for case in member.state.work if (until := member.state.wrap_up_until(case)) is not None]
        if ends:
            yield f"{member.state.id} is in wrap-up for {max(0, min(ends) - now_ms) // 1000} s"


def _what_frees(roster: Roster, waiting: WaitClass) -> str:
    """The nearest way to an advisor, from what the others lack."""
    removed = sieve(roster, waiting).removed
    if full := removed.get(Filter.ROOM, 0):
        return f"it is taken when one of these gets room: {_names(roster, full)}"
    if held := waiting.held_for:
        who = f"the team {held.removeprefix(TEAM_MARK)}" if held.startswith(TEAM_MARK) else held
        return f"it is kept for {who} until its hold ends"
    if Filter.EXCLUDED in removed:
        return "it is offered again when the cool-down of who declined it ends"
    absent = removed.get(Filter.PRESENCE, 0) & fit(roster, waiting)
    if absent:
        return f"it is taken when one of these comes online: {_names(roster, absent)}"
    return "nobody on the roster could take it: it needs another queue, or an advisor with its skills and language"


def _names(roster: Roster, bits: int) -> str:
    """The first few of a set by name."""
    first = itertools.islice((member.state.id for member in roster.members(bits)), _NAMED)
    return ", ".join(first) + (", ..." if bits.bit_count() > _NAMED else "")
