"""What was right once, and is no more: each is a doubt with its place, and no error."""

from datetime import UTC, datetime

import pytest

from rules import content, load, restore
from rules.checking.expiry import expired
from rules.errors import Severity

RULES = """\
defaults: {queue: general}
outcomes: {solved: Solved}
queues: {general: {policy: standard}}
policies: {standard: {first_response_s: 3600, resolution_s: 31622400, calendar: office}}
calendars:
  office:
    time_zone: Asia/Seoul
    week: {mon-fri: ["09:00-18:00"]}
    closures: [company.ics]
"""
DAY = "DTSTART;VALUE=DATE:{}\nSUMMARY:Founding day"


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def told(events: str, now: str, rules: str = RULES) -> list[str]:
    event = f"BEGIN:VEVENT\n{events}\nEND:VEVENT\n" if events else ""
    book = load({"a.yaml": rules, "company.ics": f"BEGIN:VCALENDAR\n{event}END:VCALENDAR\n"})
    found = list(expired(book, at(now)))
    assert all(problem.severity is Severity.WARNING for problem in found)
    return [str(problem) for problem in found]


@pytest.mark.parametrize(
    ("event", "now", "said"),
    [
        (DAY.format("20261231"), "2026-12-31 14:59", ""),
        (DAY.format("20261231"), "2026-12-31 15:00", " any more: its last day was 2026-12-31; export it anew"),
        (DAY.format("20241231") + "\nRRULE:FREQ=YEARLY", "2026-12-31 15:00", ""),
        (
            DAY.format("20241231") + "\nRRULE:FREQ=YEARLY;COUNT=2",
            "2026-12-01",
            " any more: its last day was 2025-12-31",
        ),
        ("", "2026-12-01", ": it has no events, or only such as are shown as free"),
        (
            "DTSTART:20270101T090000\nDURATION:PT1H\nTRANSP:TRANSPARENT",
            "2026-12-01",
            ": it has no events, or only such",
        ),
    ],
)
def test_a_file_that_closes_nothing_any_more_is_said(event: str, now: str, said: str) -> None:
    found = told(event, now)
    assert len(found) == bool(said)
    if said:
        assert f"a.yaml:9:16 calendars.office.closures[0]: `company.ics` closes nothing{said}" in found[0]


def test_a_stored_rulebook_says_nothing_of_files_that_it_needs_no_more() -> None:
    files = {"a.yaml": RULES, "company.ics": "BEGIN:VCALENDAR\nEND:VCALENDAR\n"}
    assert len(list(expired(load(files), at("2026-12-01")))) == 1
    assert list(expired(restore(content(load(files))), at("2026-12-01"))) == []


def test_a_calendar_that_does_not_open_any_more_is_said() -> None:
    (found,) = told(DAY.format("20261201") + "\nRRULE:FREQ=DAILY", "2026-12-01")
    assert "calendars.office: it is not open in the next two years" in found


def test_a_promise_that_never_falls_due_is_said() -> None:
    rules = RULES.replace('mon-fri: ["09:00-18:00"]', 'mon: ["09:00-09:05"]').replace(
        "    closures: [company.ics]\n", ""
    )
    (found,) = told("", "2026-12-01", rules)
    assert (
        "policies.standard.resolution_s: the calendar `office` is never open for so long: it never falls due" in found
    )
    assert told("", "2026-12-01", rules.replace("calendar: office", "clocks: {resolution: {elapsed: true}}")) == []
