"""SLA clocks in elapsed time: starting, pausing, meeting them, and the timers they need.

A timer fires exactly once, without anybody keeping a list of those that have: a deadline ahead is armed; one
that has passed is left alone, for it has fired or, still armed, is about to.
"""

from typing import Final

from msgspec.structs import replace

from router.contract.case import Clock
from rules import Policy

FIRST_RESPONSE: Final = "first_response"
RESOLUTION: Final = "resolution"

Clocks = dict[str, Clock]


def start(policy: Policy, now_ms: int) -> Clocks:
    """The clocks of a new case."""
    return {
        FIRST_RESPONSE: Clock(target_ms=policy.first_response_s * 1000, running_since_ms=now_ms),
        RESOLUTION: Clock(target_ms=policy.resolution_s * 1000, running_since_ms=now_ms),
    }


def pause(clocks: Clocks, now_ms: int) -> Clocks:
    """All that run stand still, keeping what they have used."""
    return {name: _stop(clock, now_ms) for name, clock in clocks.items()}


def resume(clocks: Clocks, now_ms: int) -> Clocks:
    """All that aren't met go on with what was left; one that runs is left alone."""
    return {
        name: replace(clock, running_since_ms=now_ms)
        if clock.met_at_ms is None and clock.running_since_ms is None
        else clock
        for name, clock in clocks.items()
    }


def meet(clocks: Clocks, name: str, now_ms: int) -> Clocks:
    """The target is reached, for good; meeting it again changes nothing."""
    clock = clocks.get(name)
    if clock is None or clock.met_at_ms is not None:
        return clocks
    return clocks | {name: replace(_stop(clock, now_ms), met_at_ms=now_ms)}


def timers(clocks: Clocks, policy: Policy | None, *, armed: dict[str, int], now_ms: int) -> dict[str, int]:
    """What to arm and disarm so that each running clock warns and breaches; a policy that is gone fires nothing."""
    wanted: dict[str, int] = {}
    for name, clock in clocks.items():
        if policy is not None and clock.running_since_ms is not None and clock.met_at_ms is None:
            started = clock.running_since_ms - clock.used_ms
            wanted[f"warn.{name}|0"] = started + int(clock.target_ms * policy.warn_share)
            wanted[f"breach.{name}|0"] = started + clock.target_ms
    changes = {timer: at for timer, at in wanted.items() if at > now_ms and armed.get(timer) != at}
    for timer, at in armed.items():
        if timer.startswith(("warn.", "breach.")) and timer not in wanted and at > now_ms:
            changes[timer] = 0
    return changes


def _stop(clock: Clock, now_ms: int) -> Clock:
    if clock.running_since_ms is None:
        return clock
    used = clock.used_ms + max(0, now_ms - clock.running_since_ms)
    return replace(clock, used_ms=used, running_since_ms=None)
