"""Business time against an oracle that counts minutes and shares no code with it; all of time in every zone.

``TURNOUT_TEST_CALENDARS`` is the number of cases, at least 100,000 in the large run. They are the same in every run.
"""

import os
import random
from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

import pytest
import yaml

from rules import load
from rules.calendar import Calendar
from rules.opening_hours import CalendarSpec
from tests.suites.minute_oracle import DAYS, Oracle

CASES: Final = int(os.environ.get("TURNOUT_TEST_CALENDARS", "2000"))
EACH: Final = 40
"""Cases looked at in one calendar and stretch of time."""
STRETCH: Final = 3 * 1440
MINUTE_MS: Final = 60_000
ZONES: Final = sorted(available_timezones())
_BOOK: Final = """\
defaults: {queue: general}
policies: {standard: {first_response_s: 60, resolution_s: 60}}
queues: {general: {policy: standard}}
outcomes: {solved: Done}
"""


def compiled(text: str) -> Calendar:
    """The calendar as a rulebook has it."""
    indented = "".join(f"    {line}\n" for line in text.splitlines())
    return load({"a.yaml": f"{_BOOK}calendars:\n  it:\n{indented}"}).open_hours["it"]


def written(dice: random.Random, day: date) -> str:
    """A calendar with any hours, and dates of its own around that day."""
    cut = sorted(dice.sample(range(7), dice.randrange(1, 4)))
    ranges = [f"{DAYS[first]}-{DAYS[last - 1]}" for first, last in zip(cut, [*cut[1:], 7], strict=True)]
    dates = {(day + timedelta(days=dice.randrange(-1, 4))).isoformat(): special(dice) for _ in range(dice.randrange(3))}
    week = {days: hours(dice) for days in ranges}
    if not any(week.values()):
        week[ranges[0]] = ["00:00-24:00"]
    spec = {"time_zone": dice.choice(ZONES), "week": week, "dates": dates}
    return yaml.safe_dump(spec)


def special(dice: random.Random) -> dict[str, list[str]]:
    """A date with hours of its own, with a part taken out of its usual ones, or closed."""
    windows = hours(dice)
    return {dice.choice(("hours", "closed")): windows} if windows and dice.random() < 0.7 else {}


def hours(dice: random.Random) -> list[str]:
    """Up to three windows, the last maybe over midnight."""
    marks = sorted(dice.sample(range(1440), 2 * dice.randrange(4)))
    windows = [(begin, end) for begin, end in zip(marks[::2], marks[1::2], strict=True)]
    if windows and windows[-1][0] and dice.random() < 0.3:
        windows[-1] = (windows[-1][0], dice.randrange(windows[-1][0]))
    if dice.random() < 0.1:
        windows = [(0, 1440)]
    return [f"{_clock(begin)}-{_clock(end)}" for begin, end in windows]


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def stretch(dice: random.Random) -> date:
    """A day of any year; half of them in the months in which clocks are changed."""
    month = dice.choice((3, 4, 9, 10, 11)) if dice.random() < 0.5 else dice.randrange(1, 13)
    return date(dice.randrange(1975, 2100), month, dice.randrange(1, 29))


@pytest.mark.timeout(3_600)
def test_it_agrees_with_whoever_counts_the_minutes() -> None:
    dice = random.Random(2026)
    looked = 0
    while looked < CASES:
        day = stretch(dice)
        text = written(dice, day)
        start_s = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) - 60 * dice.randrange(1440)
        oracle, ours = Oracle(text, start_s, STRETCH), compiled(text)
        for _ in range(EACH):
            _compare(oracle, ours, dice, text)
            looked += 1


def _compare(oracle: Oracle, ours: Calendar, dice: random.Random, text: str) -> None:
    first, last = sorted(dice.sample(range(STRETCH + 1), 2))
    amount = dice.randrange(1, 900)

    def at(minute: int) -> int:
        return (oracle.start_s + 60 * minute) * 1000

    told = (text, oracle.start_s, first, last, amount)
    assert ours.worked(at(first), at(last)) == oracle.worked(first, last) * MINUTE_MS, told
    if (due := oracle.due(first, amount)) is not None:
        assert ours.due(at(first), amount * MINUTE_MS) == at(due), told
    if (back := oracle.back(last, amount)) is not None:
        assert ours.back(at(last), amount * MINUTE_MS) == at(back), told
    if (opening := oracle.next_opening(first)) is not None:
        assert ours.next_opening(at(first)) == at(opening), told


def test_all_of_time_is_wall_time_in_every_zone_over_three_years() -> None:
    dice = random.Random(7)
    begin, end = (round(datetime(year, 1, 1, tzinfo=UTC).timestamp() * 1000) for year in (2025, 2028))
    for zone in ZONES:
        always = Calendar(CalendarSpec(time_zone=zone, week={"daily": ("00:00-24:00",)}))
        assert always.worked(begin, end) == end - begin, zone
        at, amount = dice.randrange(begin, end), dice.randrange(1, 40 * 86_400_000)
        assert (always.due(at, amount), always.back(at, amount)) == (at + amount, at - amount), zone
        assert always.segments(begin, end)[0].to_ms == end, zone


@pytest.mark.parametrize(
    ("week", "start", "hours_s", "due"),
    [
        ("mon-fri: ['08:00-17:00']", "2026-11-20 16:00", 4, "2026-11-23 11:00"),  # Friday to Monday
        ("mon-fri: ['09:00-17:00']", "2026-11-20 17:00", 8, "2026-11-23 17:00"),
        ("mon-fri: ['09:00-17:00']", "2026-11-20 16:00", 1, "2026-11-20 17:00"),  # at the end, not on Monday
        ("mon-fri: ['22:00-06:00']", "2026-11-20 23:00", 8, "2026-11-23 23:00"),  # Friday's night ends on Saturday
    ],
)
@pytest.mark.parametrize("zone", ["Asia/Seoul", "America/New_York", "Europe/London"])
def test_published_examples_have_their_right_answers(zone: str, week: str, start: str, hours_s: int, due: str) -> None:
    def instant(text: str) -> int:
        return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)

    office = compiled(f"time_zone: {zone}\nweek: {{{week}}}\n")
    assert office.due(instant(start), hours_s * 3_600_000) == instant(due)
