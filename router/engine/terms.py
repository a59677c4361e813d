"""The terms of a policy's clocks: targets, calendars, warnings and conduct, worked out once for each rulebook."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import msgspec

from router.contract.case import Clock
from rules import Rulebook
from rules.calendar import Calendar
from rules.policies import Before, Chase, Conduct, Cue, Policy, conduct_of


class ClockTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What one clock is held to. Without ``calendar`` all time counts; ``warn_ms`` is how much it has used when it
    warns, in the order of the policy."""

    target_ms: int
    conduct: Conduct
    calendar: Calendar | None = None
    calendar_name: str = ""
    warn_ms: tuple[int, ...] = ()
    chase: Chase | None = None


Terms = Mapping[str, ClockTerms]


@lru_cache(maxsize=512)
def terms_of(rulebook: Rulebook, policy: str) -> Terms:
    """The terms of a policy by the clock; none for a policy that the rulebook doesn't have (any more)."""
    found = rulebook.policies.get(policy)
    if found is None:
        return {}
    return {clock: _terms(rulebook, policy, clock) for clock in found.targets}


@lru_cache(maxsize=64)
def hears_messages(rulebook: Rulebook) -> bool:
    """Whether a customer's further message may start a clock by any policy."""
    return any(
        Cue.MESSAGE in terms.conduct.starts
        for policy in rulebook.policies
        for terms in terms_of(rulebook, policy).values()
    )


def _terms(rulebook: Rulebook, name: str, clock: str) -> ClockTerms:
    policy = rulebook.policies[name]
    target_ms = (policy.target_s(clock) or 0) * 1000
    return ClockTerms(
        target_ms=target_ms,
        conduct=conduct_of(policy, clock),
        calendar=rulebook.calendar_of(name, clock),
        calendar_name=policy.calendar_name(clock) or "",
        warn_ms=_warnings(policy, clock, target_ms),
        chase=policy.options(clock).chase,
    )


def _warnings(policy: Policy, clock: str, target_ms: int) -> tuple[int, ...]:
    """A warning that would have to come before the clock has begun is none, and has no place."""
    amounts = (
        target_ms - each.before_s * 1000 if isinstance(each, Before) else int(target_ms * each)
        for each in policy.warnings(clock)
    )
    return tuple(amount for amount in amounts if amount > 0)


def own_terms(terms: Terms, name: str, clock: Clock) -> ClockTerms:
    """The terms of a clock that runs already; of a policy that is gone, its own target in elapsed time."""
    found = terms.get(name)
    return found or ClockTerms(target_ms=clock.target_ms, conduct=_lost(name))


@lru_cache(maxsize=64)
def _lost(name: str) -> Conduct:
    return conduct_of(None, name)


NO_TERMS: Final[Terms] = {}
