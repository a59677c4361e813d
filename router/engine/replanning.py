"""A change of policies or calendars, as it reaches a case: new due times, nothing told twice, nothing left untold.

A clock's warnings and its breach are told once. What was told before the change, and is ahead again by it, is kept in
the case's ``fired`` and not armed a second time; what wasn't, and is past by it, fires at once from a timer whose
number ends in ``.replan``, so that its event says what has caused it.

A case isn't judged again. But what gave it its policy (its queue, a promise, a rule, by their names) may give another
one now, and then the case has that. Of a policy that is gone nothing fires any more: the queue's takes its place.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import msgspec
from msgspec.structs import replace

from router.contract.case import CaseDetail, CaseState, Clock, DueMove, Replanned
from router.contract.plan import Plan
from router.engine import plans, sla
from router.engine.plans import Scene
from router.engine.terms import ClockTerms, Terms, terms_of
from rules import Policy, Rulebook
from rules.opening_hours import CalendarSpec, whole

KEPT_REPLANS: Final = 5
CAUSED: Final = ".replan"
QUEUE: Final = "queue"
_ANEW: Final = ("step|", "chase|")


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a change does to one case: the detail afterwards, and the timers that are overdue by it."""

    detail: CaseDetail
    replanned: Replanned
    overdue: tuple[str, ...] = ()


@lru_cache(maxsize=1024)
def promised(rulebook: Rulebook, policy: str) -> tuple[Policy, dict[str, CalendarSpec]] | None:
    """What two rulebooks must have in common for a policy's clocks to run the same; None without such a policy."""
    found = rulebook.policies.get(policy)
    if found is None:
        return None
    names = {name for clock in found.targets if (name := found.calendar_name(clock)) is not None}
    return found, {name: whole(name, rulebook.calendars) for name in names}


@lru_cache(maxsize=64)
def _givers(rulebook: Rulebook) -> dict[str, str]:
    """The policies that promises and rules give, by their names."""
    by_rule = {rule.name: rule.set.policy for rule in rulebook.rules if rule.set.policy is not None}
    return {promise.name: promise.policy for promise in rulebook.promises} | by_rule


def _given(rulebook: Rulebook, giver: str, queue: str) -> str | None:
    if giver == QUEUE:
        return rulebook.queues[queue].policy if queue in rulebook.queues else None
    return _givers(rulebook).get(giver)


def policy_after(detail: CaseDetail, before: Rulebook, after: Rulebook) -> str:
    """The policy of a case by ``after``. It stays what it is if what gave it is gone or was another, such as the queue
    that the case was in before somebody transferred it; but one that is gone itself gives way to that of the queue."""
    verdict = detail.verdict
    giver = next((each.rule for each in verdict.reasons if "policy" in each.set), "")
    was, now = _given(before, giver, verdict.queue), _given(after, giver, verdict.queue)
    if was is None:
        was, now = _given(before, QUEUE, verdict.queue), now or _given(after, QUEUE, verdict.queue)
    if was == verdict.policy and now is not None:
        return now
    if verdict.policy in after.policies:
        return verdict.policy
    return _given(after, QUEUE, verdict.queue) or verdict.policy


def is_touched(detail: CaseDetail, before: Rulebook, after: Rulebook) -> bool:
    """Whether a case has another policy by ``after``, or its clocks run otherwise than they did. A policy that the
    rulebook hasn't any more changes nothing where the queue is gone, too."""
    was, now = detail.verdict.policy, policy_after(detail, before, after)
    new = promised(after, now)
    return new is not None and (now != was or new != promised(before, was) or _is_outdated(detail, after, now))


def _is_outdated(detail: CaseDetail, rulebook: Rulebook, policy: str) -> bool:
    """Whether its clocks were reckoned otherwise than they are now, although the rulebook says the same: by other
    holidays or rules of a time zone, which come with newer libraries."""
    terms = terms_of(rulebook, policy)
    clocked = ((clock, terms[name]) for name, clock in detail.clocks.items() if name in terms)
    return any(
        clock.met_at_ms is None and own.calendar is not None and _held_to(clock, own) != clock for clock, own in clocked
    )


def change_of(detail: CaseDetail, before: Rulebook, after: Rulebook, now_ms: int) -> Change:
    """What becomes of a case that was held to the terms of ``before`` and is to be held to those of ``after``."""
    policy_was, policy = detail.verdict.policy, policy_after(detail, before, after)
    old, new = terms_of(before, policy_was), terms_of(after, policy)
    clocks = {
        name: clock if clock.met_at_ms is not None else _held_to(clock, new[name])
        for name, clock in detail.clocks.items()
        if name in new or clock.met_at_ms is not None
    }
    was, now = _told(detail.clocks, old, now_ms), _told(clocks, new, now_ms)
    fired = {timer for timer, is_past in was.items() if is_past} | {*detail.fired}
    # A case that is resolved has kept its promises or missed them: no change tells that anew.
    overdue = tuple(
        timer
        for timer, is_past in now.items()
        if is_past and not detail.outcome and timer not in fired and not _is_late_word(timer, fired)
    )
    replanned = Replanned(
        at_ms=now_ms,
        rulebook=after.hash,
        policy=policy if policy != policy_was else "",
        policy_was=policy_was if policy != policy_was else "",
        moved=_moved(detail.clocks, clocks),
        overdue=tuple(dict.fromkeys(sla.clock_of(timer) for timer in overdue if timer.startswith("breach."))),
    )
    changed = replace(
        detail,
        verdict=replace(detail.verdict, policy=policy),
        clocks=clocks,
        fired=tuple(sorted(timer for timer, is_past in now.items() if not is_past and timer in fired)),
        terms=after.hash,
        replans=(*detail.replans, replanned)[-KEPT_REPLANS:],
    )
    return Change(detail=changed, replanned=replanned, overdue=overdue)


def plan(state: CaseState, change: Change, scene: Scene) -> Plan:
    """The plan that brings a change to a case; the scene's clocks go by the rulebook that made it."""
    # Steps and reminders that are overdue by it come at once, and are armed for later until now.
    kept = {timer: at for timer, at in state.timers.items() if not timer.startswith(_ANEW)}
    planned = plans.plan(replace(state, timers=kept), change.detail, scene)
    timers = dict.fromkeys((timer for timer in state.timers if timer.startswith(_ANEW)), 0) | planned.timers
    for timer in change.overdue:
        timers |= {timer: 0, f"{timer}{CAUSED}": scene.now_ms}
    return replace(planned, timers=timers)


def _held_to(clock: Clock, own: ClockTerms) -> Clock:
    """The clock with its new target, and what it used counted anew as far as its runs are kept."""
    runs = clock.runs
    if own.calendar is not None:
        runs = tuple(replace(run, used_ms=own.calendar.worked(run.from_ms, run.to_ms)) for run in runs)
    else:
        runs = tuple(replace(run, used_ms=run.to_ms - run.from_ms) for run in runs)
    earlier_ms = clock.used_ms - sum(run.used_ms for run in clock.runs)
    used_ms = earlier_ms + sum(run.used_ms for run in runs)
    return sla.due_again(replace(clock, target_ms=own.target_ms, used_ms=used_ms, runs=runs), own.calendar)


def _told(clocks: Mapping[str, Clock], terms: Terms, now_ms: int) -> dict[str, bool]:
    """Every warning and breach of the clocks that aren't met, and whether its time is past."""
    found: dict[str, bool] = {}
    for name, clock in clocks.items():
        own = terms.get(name)
        if own is not None and clock.met_at_ms is None:
            for timer, amount_ms in sla.amounts(name, clock, own).items():
                found[timer] = sla.has_come(clock, amount_ms, own.calendar, now_ms)
    return found


def _is_late_word(timer: str, fired: set[str]) -> bool:
    """Whether it is a warning of what has been breached already."""
    kind, _, rest = timer.partition(".")
    clock, _, number = rest.partition("|")
    return kind == "warn" and f"breach.{clock}|{number.partition('.')[0]}" in fired


def _moved(before: Mapping[str, Clock], after: Mapping[str, Clock]) -> dict[str, DueMove]:
    moved = {}
    for name in (*before, *(after.keys() - before.keys())):
        was, now = before.get(name), after.get(name)
        same = was is not None and now is not None and (was.due_at_ms, was.target_ms) == (now.due_at_ms, now.target_ms)
        if not same:
            moved[name] = DueMove(was_ms=was.due_at_ms if was else None, now_ms=now.due_at_ms if now else None)
    return moved
