"""Closures from iCalendar files: which days of which events, in calendars of a rulebook, and what is refused."""

from datetime import UTC, datetime

import pytest

from rules import RulebookError, content, load, restore
from rules.icalendar import MAX_CHARS, Unusable, closures_of

BOOK = """\
defaults: {queue: general}
policies:
  standard: {first_response_s: 3600, resolution_s: 7200, calendar: office}
queues:
  general: {policy: standard}
outcomes: {solved: Done}
calendars:
  company:
    time_zone: UTC
    week: {daily: ["00:00-24:00"]}
    closures: [company.ics]
    dates: {2026-12-26: {hours: ["09:00-12:00"], name: Half a day}}
  office: {extends: company, week: {mon-fri: ["09:00-17:00"]}, closures: [office.ics]}
"""


def ics(*events: str) -> str:
    body = "".join(f"BEGIN:VEVENT\r\n{event}\r\nEND:VEVENT\r\n" for event in events)
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{body}END:VCALENDAR\r\n"


COMPANY = ics("DTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261227\r\nSUMMARY:Christmas")
OFFICE = ics("DTSTART;VALUE=DATE:20261130\r\nSUMMARY:Moving house")
FILES = {"policy/a.yaml": BOOK, "policy/company.ics": COMPANY, "policy/office.ics": OFFICE}


@pytest.mark.parametrize(
    ("event", "days"),
    [
        ("DTSTART;VALUE=DATE:20261225", ["2026-12-25"]),
        ("DTSTART:20261225", ["2026-12-25"]),
        ("DTSTART;VALUE=DATE:20261230\r\nDTEND;VALUE=DATE:20270102", ["2026-12-30", "2026-12-31", "2027-01-01"]),
        ("DTSTART;VALUE=DATE:20261230\r\nDURATION:P2D", ["2026-12-30", "2026-12-31"]),
        ("DTSTART;VALUE=DATE:20260301\r\nRRULE:FREQ=YEARLY;COUNT=3", ["2026-03-01", "2027-03-01", "2028-03-01"]),
        ("DTSTART;VALUE=DATE:20260301\r\nRRULE:FREQ=YEARLY;UNTIL=20270401", ["2026-03-01", "2027-03-01"]),
        ("DTSTART;VALUE=DATE:20260301\r\nRRULE:FREQ=YEARLY;INTERVAL=2;COUNT=2", ["2026-03-01", "2028-03-01"]),
        ("DTSTART;VALUE=DATE:20280229\r\nRRULE:FREQ=YEARLY;COUNT=5", ["2028-02-29", "2032-02-29"]),
        (
            "DTSTART;VALUE=DATE:20260301\r\nRRULE:FREQ=YEARLY;COUNT=3\r\nEXDATE;VALUE=DATE:20270301",
            ["2026-03-01", "2028-03-01"],
        ),
        ("DTSTART;VALUE=DATE:20261225\r\nSTATUS:CANCELLED", []),
        ("DTSTART;VALUE=DATE:20261225\r\nBEGIN:VALARM\r\nDURATION:PT5M\r\nEND:VALARM", ["2026-12-25"]),
    ],
)
def test_an_event_closes_its_days(event: str, days: list[str]) -> None:
    assert list(closures_of(ics(event))) == days


def test_names_are_unfolded_and_unescaped() -> None:
    found = closures_of(ics("DTSTART;VALUE=DATE:20261225\r\nSUMMARY:Day off\\, a l\r\n ong one\\; 설날"))
    assert found["2026-12-25"].name == "Day off, a long one; 설날"


def test_a_calendar_is_closed_on_the_days_of_its_files_and_of_those_it_extends() -> None:
    book = load(FILES)
    office = book.open_hours["office"]

    def hours(day: str) -> float:
        begin = round(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)
        return office.worked(begin, begin + 86_400_000) / 3_600_000

    assert [hours(day) for day in ("2026-11-30", "2026-12-01", "2026-12-25", "2026-12-26")] == [0, 8, 0, 3]
    assert office.name_of(datetime(2026, 11, 30, tzinfo=UTC).date()) == "Moving house"


def test_a_stored_rulebook_needs_the_files_no_more() -> None:
    book = load(FILES)
    again = restore(content(book))
    assert again.hash == book.hash
    assert again.calendars == book.calendars
    assert book.hash != load(FILES | {"policy/office.ics": ics("DTSTART:20261201")}).hash


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ics("DTSTART:20261225T090000Z"), "line 4: only whole days can be closures"),
        (ics("DTSTART:20261345"), "line 4: `20261345` is no date"),
        (ics("SUMMARY:No day"), "an event has no DTSTART"),
        (ics("DTSTART:20261225\r\nRRULE:FREQ=WEEKLY"), "line 5: only `FREQ=YEARLY` is understood"),
        (ics("DTSTART:20261225\r\nRRULE:FREQ=YEARLY;BYDAY=1MO"), "line 5: only `FREQ=YEARLY` is understood"),
        (ics("DTSTART:20261225\r\nRRULE:FREQ=YEARLY;COUNT=x"), "line 5: `COUNT` is no number"),
        (ics("DTSTART:20261225\r\nDURATION:PT5H"), "line 5: only a duration of whole days"),
        (ics("DTSTART:20261225\r\nDTEND:20261225"), "line 4: it lasts 0 days"),
        (ics("DTSTART:20261225\r\nDTEND:20361225"), "it lasts 3653 days"),
        (ics("DTSTART:20261225\r\nRDATE:20270101"), "line 5: `RDATE` isn't understood"),
        ("BEGIN:VEVENT\nDTSTART:20261225\n", "an event has no end"),
        ("x" * (MAX_CHARS + 1), "more than 1,000,000 characters"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(text: str, told: str) -> None:
    with pytest.raises(Unusable) as caught:
        closures_of(text)
    assert told in str(caught.value)
    with pytest.raises(RulebookError) as refused:
        load(FILES | {"policy/office.ics": text})
    assert "policy/a.yaml:13:75 calendars.office.closures[0]: `office.ics`: " in str(refused.value)
    assert told in str(refused.value)


def test_more_dates_than_a_calendar_may_have_are_refused() -> None:
    years = ics(
        *(f"DTSTART;VALUE=DATE:2026{month:02}01\r\nDURATION:P28D\r\nRRULE:FREQ=YEARLY" for month in range(1, 5))
    )
    assert len(closures_of(years)) == 4 * 28 * 50
    with pytest.raises(RulebookError, match="more than 5,000 dates"):
        load(FILES | {"policy/office.ics": years})


def test_a_file_that_is_not_there_is_said() -> None:
    with pytest.raises(RulebookError) as caught:
        load({path: text for path, text in FILES.items() if path != "policy/office.ics"})
    assert "calendars.office.closures[0]: there is no file `office.ics`" in str(caught.value)
