"""Checks of well-shaped policies that look at more than one value."""

from collections.abc import Iterator

from rules.errors import Path
from rules.naming import RESERVED, reference, repeated
from rules.policies import Clock, ClockOptions
from rules.rulebook import Document
from rules.shape import Flaw


def policy_flaws(document: Document) -> Iterator[Flaw]:
    """Calendars that aren't there, and options of clocks that say nothing, or two things at once."""
    for name, policy in document.policies.items():
        path: Path = ("policies", name)
        yield from reference(policy.calendar, document.calendars, "calendar", (*path, "calendar"))
        for clock, own in policy.clocks.items():
            of_clock: Path = (*path, "clocks", str(clock))
            if policy.target_s(clock) is None:
                yield Flaw(of_clock, f"the policy promises nothing for it: give `{clock}_s`", of_key=True)
            yield from _clock_flaws(clock, own, document, of_clock)


def promise_flaws(document: Document) -> Iterator[Flaw]:
    """Promises of policies that aren't there, by a name that stands for something else, or that are never reached."""
    taken = {rule.name for rule in document.rules} | RESERVED
    last = ""
    for index, promise in enumerate(document.promises):
        path: Path = ("promises", index)
        yield from reference(promise.policy, document.policies, "policy", (*path, "policy"))
        if promise.name in taken:
            yield Flaw((*path, "name"), f"something else is called `{promise.name}` too")
        if last:
            yield Flaw(path, f"never reached: `{last}` before it always matches")
        taken.add(promise.name)
        last = last or ("" if promise.match else promise.name)


def _clock_flaws(clock: Clock, own: ClockOptions, document: Document, path: Path) -> Iterator[Flaw]:
    yield from reference(own.calendar, document.calendars, "calendar", (*path, "calendar"))
    if own.elapsed and own.calendar is not None:
        yield Flaw((*path, "calendar"), "with `elapsed` all time counts: give one or the other")
    if own.chase is not None and clock is not Clock.THIRD_PARTY:
        yield Flaw((*path, "chase"), "only `third_party` is chased")
    for field in ("pause", "starts", "stops"):
        yield from repeated(tuple(map(str, getattr(own, field) or ())), (*path, field))
