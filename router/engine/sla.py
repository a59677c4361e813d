"""SLA clocks: starting, pausing, meeting them, and the timers they need.

They run by the calendar given or, without one, in elapsed time. A timer fires exactly once, without anybody keeping a
list of those that have: a deadline ahead is armed; one that has passed is left alone, for it has fired or, still armed,
is about to.
"""

from typing import Final

from msgspec.structs import replace

from router.contract.case import Clock, ClockRun
from rules import Policy
from rules.calendar import Calendar, NeverOpen

FIRST_RESPONSE: Final = "first_response"
RESOLUTION: Final = "resolution"

PENDING: Final = "pending"
RESOLVED: Final = "resolved"
MET: Final = "met"
KEPT_RUNS: Final = 20

_NEVER_MS: Final = 100 * 366 * 86_400_000

Clocks = dict[str, Clock]


def start(policy: Policy, now_ms: int, calendar: Calendar | None = None) -> Clocks:
    """The clocks of a new case."""
    targets = {FIRST_RESPONSE: policy.first_response_s, RESOLUTION: policy.resolution_s}
    return {name: _run(Clock(target_ms=target_s * 1000), now_ms, calendar) for name, target_s in targets.items()}


def pause(clocks: Clocks, now_ms: int, calendar: Calendar | None = None, *, ended_by: str = PENDING) -> Clocks:
    """All that run stand still, keeping what they have used."""
    return {name: _stop(clock, now_ms, calendar, ended_by) for name, clock in clocks.items()}


def resume(clocks: Clocks, now_ms: int, calendar: Calendar | None = None) -> Clocks:
    """All that aren't met go on with what was left; one that runs is left alone."""
    return {
        name: _run(clock, now_ms, calendar) if clock.met_at_ms is None and clock.running_since_ms is None else clock
        for name, clock in clocks.items()
    }


def meet(clocks: Clocks, name: str, now_ms: int, calendar: Calendar | None = None) -> Clocks:
    """The target is reached, for good; meeting it again changes nothing."""
    clock = clocks.get(name)
    if clock is None or clock.met_at_ms is not None:
        return clocks
    return clocks | {name: replace(_stop(clock, now_ms, calendar, MET), met_at_ms=now_ms)}


def reached(clock: Clock, share: float, calendar: Calendar | None = None) -> int:
    """When a running clock will have used that share of its target. What it has used already lies in the past, and how
    far back means nothing."""
    assert clock.running_since_ms is not None
    left = int(clock.target_ms * share) - clock.used_ms
    if calendar is None or left <= 0:
        return clock.running_since_ms + left
    try:
        return calendar.due(clock.running_since_ms, left)
    except NeverOpen:
        return clock.running_since_ms + _NEVER_MS


def timers(
    clocks: Clocks,
    policy: Policy | None,
    calendar: Calendar | None = None,
    *,
    armed: dict[str, int],
    now_ms: int,
) -> dict[str, int]:
    """What to arm and disarm so that each running clock warns and breaches; a policy that is gone fires nothing."""
    wanted: dict[str, int] = {}
    for name, clock in clocks.items():
        if policy is not None and clock.running_since_ms is not None and clock.met_at_ms is None:
            wanted[f"warn.{name}|0"] = reached(clock, policy.warn_share, calendar)
            wanted[f"breach.{name}|0"] = reached(clock, 1.0, calendar)
    changes = {timer: at for timer, at in wanted.items() if at > now_ms and armed.get(timer) != at}
    for timer, at in armed.items():
        if timer.startswith(("warn.", "breach.")) and timer not in wanted and at > now_ms:
            changes[timer] = 0
    return changes


def _run(clock: Clock, now_ms: int, calendar: Calendar | None) -> Clock:
    running = replace(clock, running_since_ms=now_ms)
    return running if calendar is None else replace(running, due_ms=reached(running, 1.0, calendar))


def _stop(clock: Clock, now_ms: int, calendar: Calendar | None, ended_by: str) -> Clock:
    since = clock.running_since_ms
    if since is None:
        return clock
    passed = max(0, now_ms - since if calendar is None else calendar.worked(since, now_ms))
    run = ClockRun(from_ms=since, to_ms=max(since, now_ms), used_ms=passed, ended_by=ended_by)
    runs = (*clock.runs, run)[-KEPT_RUNS:]
    return replace(clock, used_ms=clock.used_ms + passed, running_since_ms=None, due_ms=None, runs=runs)
