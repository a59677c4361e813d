"""A rulebook held against the time that lies ahead: what is well-formed and once was right, and is no more.

All are doubts: what such a rulebook says can be done, and a person may want it so.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime

from rules.calendar import NeverOpen
from rules.errors import Path, Problem, Severity
from rules.icalendar.closures import Closing
from rules.rulebook import Rulebook
from rules.tree import Tree, show


def expired(rulebook: Rulebook, now_ms: int) -> Iterator[Problem]:
    """iCalendar files that close nothing any more, calendars that don't open any more, and promises that never fall
    due by theirs, as of now."""
    tree = Tree({}, rulebook.places)
    for path, message in (*_files(rulebook, now_ms), *_calendars(rulebook, now_ms), *_promises(rulebook, now_ms)):
        yield Problem(message, show(path), tree.place(path), Severity.WARNING)


def _files(rulebook: Rulebook, now_ms: int) -> Iterator[tuple[Path, str]]:
    for path, closing in rulebook.closing.items():
        zone = rulebook.open_hours[str(path[1])].zone
        if message := _over(closing, datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone).date()):
            yield path, message


def _over(closing: Closing, today: date) -> str:
    if closing.last is None:
        return f"`{closing.file}` closes nothing: it has no events, or only such as are shown as free"
    if closing.last < today:
        return f"`{closing.file}` closes nothing any more: its last day was {closing.last}; export it anew"
    return ""


def _calendars(rulebook: Rulebook, now_ms: int) -> Iterator[tuple[Path, str]]:
    for name, calendar in rulebook.open_hours.items():
        if not calendar.openings(now_ms, 1):
            yield ("calendars", name), "it is not open in the next two years: no clock that goes by it moves"


def _promises(rulebook: Rulebook, now_ms: int) -> Iterator[tuple[Path, str]]:
    for name, policy in rulebook.policies.items():
        for clock, target_s in policy.targets.items():
            calendar = rulebook.calendar_of(name, clock)
            try:
                _ = calendar and calendar.due(now_ms, target_s * 1000)
            except NeverOpen:
                message = f"the calendar `{policy.calendar_name(clock)}` is never open for so long: it never falls due"
                yield ("policies", name, f"{clock}_s"), message
