"""Terms of clocks for tests, from a policy and a calendar, without a rulebook around them."""

from msgspec.structs import replace

from router.engine.terms import ClockTerms, Terms
from rules import Policy
from rules.calendar import Calendar
from rules.policies import Before, conduct_of


def terms_from(policy: Policy, calendar: Calendar | None = None) -> Terms:
    """What every clock of the policy is held to; all of them run by that calendar."""
    return {
        clock: ClockTerms(
            target_ms=target_s * 1000,
            conduct=conduct_of(policy, clock),
            calendar=calendar,
            calendar_name=policy.calendar or "",
            warn_ms=tuple(
                target_s * 1000 - each.before_s * 1000 if isinstance(each, Before) else int(target_s * 1000 * each)
                for each in policy.warnings(clock)
            ),
            chase=policy.options(clock).chase,
        )
        for clock, target_s in policy.targets.items()
    }


def by_calendar(terms: Terms, calendar: Calendar | None) -> Terms:
    """The same terms, counted by another calendar."""
    return {clock: replace(own, calendar=calendar) for clock, own in terms.items()}
