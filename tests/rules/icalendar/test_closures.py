"""Closures from iCalendar files: which days and hours of which events, in calendars of a rulebook; what is refused."""

import contextlib
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules import RulebookError, content, load, restore
from rules.icalendar.closures import closures_of
from rules.icalendar.components import MAX_CHARS, Unusable
from rules.opening_hours import CalendarSpec, flaws

SEOUL = ZoneInfo("Asia/Seoul")

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
        ("DTSTART;VALUE=DATE:20280229\r\nRRULE:FREQ=YEARLY;COUNT=2", ["2028-02-29", "2032-02-29"]),
        (
            "DTSTART;VALUE=DATE:20260301\r\nRRULE:FREQ=YEARLY;COUNT=3\r\nEXDATE;VALUE=DATE:20270301",
            ["2026-03-01", "2028-03-01"],
        ),
        ("DTSTART;VALUE=DATE:20261225\r\nSTATUS:CANCELLED", []),
        ("DTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261225", ["2026-12-25"]),
        ("DTSTART;VALUE=DATE:20261225\r\nTRANSP:TRANSPARENT", ["2026-12-25"]),
        (
            "DTSTART;VALUE=DATE:20261225\r\nRDATE;VALUE=DATE:20261231,20270102",
            ["2026-12-25", "2026-12-31", "2027-01-02"],
        ),
        (
            "DTSTART;VALUE=DATE:20261201\r\nRRULE:FREQ=MONTHLY;BYDAY=1TU;COUNT=3",
            ["2026-12-01", "2027-01-05", "2027-02-02"],
        ),
        (
            "DTSTART;VALUE=DATE:20261201\r\nRRULE:FREQ=WEEKLY;COUNT=3\r\nEXDATE;TZID=Asia/Seoul:20261208T000000",
            ["2026-12-01", "2026-12-15"],
        ),
        ("CREATED:00001231T000000Z\r\nDTSTART;VALUE=DATE:20261225", ["2026-12-25"]),
        ("no property at all\r\nDTSTART;VALUE=DATE:20261225", ["2026-12-25"]),
        ("DTSTART;VALUE=DATE:20261225\r\nBEGIN:VALARM\r\nDURATION:PT5M\r\nEND:VALARM", ["2026-12-25"]),
    ],
)
def test_an_event_closes_its_days(event: str, days: list[str]) -> None:
    assert list(closures_of(ics(event), SEOUL)) == days


def korean(*events: str) -> str:
    """Events as Google exports them, with its own description of the zone."""
    zone = "BEGIN:VTIMEZONE\nTZID:Asia/Seoul\nBEGIN:STANDARD\nTZOFFSETFROM:+0900\nTZOFFSETTO:+0900\nTZNAME:KST\n"
    zone += "DTSTART:19700101T000000\nEND:STANDARD\nEND:VTIMEZONE\n"
    body = "".join(f"BEGIN:VEVENT\n{event}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nX-WR-TIMEZONE:Asia/Seoul\n{zone}{body}END:VCALENDAR\n"


OUTLOOK = """\
BEGIN:VTIMEZONE
TZID:{name}
BEGIN:STANDARD
DTSTART:16011104T020000
RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010311T020000
RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
END:DAYLIGHT
END:VTIMEZONE
"""


@pytest.mark.parametrize(
    ("event", "hours"),
    [
        ("DTSTART;TZID=Asia/Seoul:20261224T130000\nDTEND;TZID=Asia/Seoul:20261224T180000", ("13:00-18:00",)),
        ("DTSTART:20261224T040000Z\nDTEND:20261224T090000Z", ("13:00-18:00",)),
        ("DTSTART:20261224T130000\nDURATION:PT5H", ("13:00-18:00",)),
        ("DTSTART;TZID=Korea Standard Time:20261224T130000\nDURATION:PT5H", ("13:00-18:00",)),
        ('DTSTART;TZID="/example.org/20260101_1/Asia/Seoul":20261224T130000\nDURATION:PT5H', ("13:00-18:00",)),
        ("DTSTART;TZID=Europe/Berlin:20261224T050000\nDURATION:PT5H", ("13:00-18:00",)),
        ("DTSTART:20261224T130010\nDTEND:20261224T140050", ("13:00-14:01",)),
        ("DTSTART:20261224T180000\nDTEND:20261224T240000", "is no date"),
        ("DTSTART:20261224T000000\nDTEND:20261225T000000", ()),
        ("DTSTART:20261223T150000Z\nDTEND:20261224T150000Z", ()),
        ("DTSTART:20261224T130000", None),
        ("DTSTART:20261224T130000\nDURATION:PT5H\nTRANSP:TRANSPARENT", None),
    ],
)
def test_an_event_with_times_closes_a_part_of_its_day(event: str, hours: tuple[str, ...] | str | None) -> None:
    if isinstance(hours, str):
        with pytest.raises(Unusable, match=hours):
            closures_of(korean(event), SEOUL)
        return
    found = closures_of(korean(event), SEOUL)
    assert {day: each.closed for day, each in found.items()} == ({} if hours is None else {"2026-12-24": hours})


def test_an_event_over_midnight_closes_parts_of_both_days_and_the_days_between() -> None:
    found = closures_of(korean("DTSTART:20261224T130000\nDTEND:20261227T090000\nSUMMARY:서버 이전"), SEOUL)
    assert [(day, each.closed, each.name) for day, each in found.items()] == [
        ("2026-12-24", ("13:00-24:00",), "서버 이전"),
        ("2026-12-25", (), "서버 이전"),
        ("2026-12-26", (), "서버 이전"),
        ("2026-12-27", ("00:00-09:00",), "서버 이전"),
    ]


def test_events_of_one_day_are_joined_and_a_whole_day_goes_before_its_parts() -> None:
    morning, noon = (
        "DTSTART:20261224T090000\nDTEND:20261224T1200{}\nSUMMARY:회의",
        "DTSTART:20261224T113000\nDTEND:20261224T130000",
    )
    whole = "DTSTART;VALUE=DATE:20261225\nSUMMARY:성탄절", "DTSTART:20261225T130000\nDURATION:PT1H\nSUMMARY:점검"
    found = closures_of(korean(morning.format("00"), noon, *whole), SEOUL)
    assert (found["2026-12-24"].closed, found["2026-12-24"].name) == (("09:00-13:00",), "회의")
    assert (found["2026-12-25"].closed, found["2026-12-25"].name) == ((), "성탄절 / 점검")


@pytest.mark.parametrize(
    "name", ["Eastern Standard Time", "Customized Time Zone", "(UTC-05:00) Eastern Time (US & Canada)"]
)
def test_outlook_names_zones_in_its_own_way_or_describes_them(name: str) -> None:
    event = 'DTSTART;TZID="{0}":2026{1}T120000\nDTEND;TZID="{0}":2026{1}T140000'
    events = "".join(f"BEGIN:VEVENT\n{event.format(name, day)}\nEND:VEVENT\n" for day in ("0307", "0308", "1101"))
    text = f"BEGIN:VCALENDAR\n{OUTLOOK.format(name=name)}{events}END:VCALENDAR\n"
    found = closures_of(text, ZoneInfo("UTC"))
    assert {day: each.closed for day, each in found.items()} == {
        "2026-03-07": ("17:00-19:00",),
        "2026-03-08": ("16:00-18:00",),
        "2026-11-01": ("17:00-19:00",),
    }


def test_what_repeats_keeps_its_time_on_the_wall_of_its_own_zone() -> None:
    weekly = "DTSTART;TZID=Europe/Berlin:20261020T140000\nDURATION:PT2H\nRRULE:FREQ=WEEKLY;UNTIL=20261103T130000Z"
    found = closures_of(korean(weekly), SEOUL)
    assert {day: each.closed for day, each in found.items()} == {
        "2026-10-20": ("21:00-23:00",),
        "2026-10-27": ("22:00-24:00",),  # Europe has put its clocks back
        "2026-11-03": ("22:00-24:00",),
    }


MASTER = "UID:a\nDTSTART;TZID=Asia/Seoul:20261202T150000\nDURATION:PT2H\nRRULE:FREQ=WEEKLY;COUNT=4\nSUMMARY:교육"


@pytest.mark.parametrize(
    ("change", "days"),
    [
        ("EXDATE;TZID=Asia/Seoul:20261209T150000", ["02 15:00", "16 15:00", "23 15:00"]),
        ("EXDATE:20261209T060000Z,20261216T060000Z", ["02 15:00", "23 15:00"]),
        ("EXDATE;VALUE=DATE:20261209", ["02 15:00", "16 15:00", "23 15:00"]),
        ("RDATE;TZID=Asia/Seoul:20261211T100000", ["02 15:00", "09 15:00", "11 10:00", "16 15:00", "23 15:00"]),
        ("RDATE;VALUE=PERIOD:20261211T010000Z/PT1H", ["02 15:00", "09 15:00", "11 10:00", "16 15:00", "23 15:00"]),
    ],
)
def test_occurrences_are_excepted_and_added(change: str, days: list[str]) -> None:
    assert begins(korean(f"{MASTER}\n{change}")) == days


MOVED = "UID:a\nRECURRENCE-ID;TZID=Asia/Seoul{0}:20261209T150000\nDTSTART:20261210T010000Z\nDURATION:PT1H\n{1}"


@pytest.mark.parametrize(
    ("other", "days"),
    [
        (MOVED.format("", ""), ["02 15:00", "10 10:00", "16 15:00", "23 15:00"]),
        (MOVED.format("", "STATUS:CANCELLED"), ["02 15:00", "16 15:00", "23 15:00"]),
        (MOVED.format(";RANGE=THISANDFUTURE", ""), ["02 15:00", "10 10:00", "17 10:00", "24 10:00"]),
        (MOVED.format(";RANGE=THISANDFUTURE", "STATUS:CANCELLED"), ["02 15:00"]),
        ("UID:a\nSEQUENCE:1\nDTSTART:20261204T090000\nDURATION:PT1H", ["04 09:00"]),
        ("UID:a\nSEQUENCE:1\nDTSTART:20261204T090000\nSTATUS:CANCELLED", []),
    ],
)
def test_another_event_of_the_same_uid_changes_occurrences_or_is_a_later_version(other: str, days: list[str]) -> None:
    assert begins(korean(MASTER, other)) == days
    assert begins(korean(other, MASTER)) == days


def begins(text: str) -> list[str]:
    return [f"{day[-2:]} {each.closed[0][:5]}" for day, each in closures_of(text, SEOUL).items()]


def test_what_repeats_is_written_out_around_the_newest_date_of_the_file() -> None:
    """A file that was exported today closes for ten years on, however long ago its events began."""
    stamp = "DTSTAMP:20261122T000000Z"
    weekly = closures_of(korean(f"DTSTART;VALUE=DATE:20150107\nRRULE:FREQ=WEEKLY\n{stamp}"), SEOUL)
    assert (min(weekly), max(weekly)) == ("2024-01-03", "2035-12-26")
    yearly = closures_of(korean(f"DTSTART;VALUE=DATE:20150107\nRRULE:FREQ=YEARLY\n{stamp}"), SEOUL)
    assert (min(yearly), max(yearly), len(yearly)) == ("2015-01-07", "2075-01-07", 61)
    endless = closures_of(korean("DTSTART;VALUE=DATE:20260107\nRRULE:FREQ=YEARLY;UNTIL=99991231T235959Z"), SEOUL)
    assert len(endless) == 50


def test_names_are_unfolded_and_unescaped() -> None:
    found = closures_of(ics("DTSTART;VALUE=DATE:20261225\r\nSUMMARY:Day off\\, a l\r\n ong one\\; 설날"), SEOUL)
    assert found["2026-12-25"].name == "Day off, a long one; 설날"


def test_a_calendar_is_closed_on_the_days_of_its_files_and_of_those_it_extends() -> None:
    book = load(FILES)
    office = book.open_hours["office"]

    def hours(day: str) -> float:
        begin = round(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000)
        return office.worked(begin, begin + 86_400_000) / 3_600_000

    assert [hours(day) for day in ("2026-11-30", "2026-12-01", "2026-12-25", "2026-12-26")] == [0, 8, 0, 3]
    assert office.name_of(datetime(2026, 11, 30, tzinfo=UTC).date()) == "Moving house"


def test_a_calendar_is_closed_for_a_part_of_its_own_hours_by_an_event_of_one_that_it_extends() -> None:
    half = ics("DTSTART;TZID=Asia/Seoul:20261130T190000\r\nDTEND;TZID=Asia/Seoul:20261130T230000\r\nSUMMARY:송년회")
    book = load(FILES | {"policy/company.ics": half, "policy/office.ics": ics()})
    begin = round(datetime(2026, 11, 30, tzinfo=UTC).timestamp() * 1000)
    worked = {name: book.open_hours[name].worked(begin, begin + 86_400_000) / 3_600_000 for name in book.calendars}
    assert worked == {"company": 20, "office": 4}
    assert restore(content(book)).open_hours["office"].worked(begin, begin + 86_400_000) == 4 * 3_600_000


def test_a_stored_rulebook_needs_the_files_no_more() -> None:
    book = load(FILES)
    again = restore(content(book))
    assert again.hash == book.hash
    assert again.calendars == book.calendars
    assert book.hash != load(FILES | {"policy/office.ics": ics("DTSTART:20261201")}).hash


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ics("DTSTART:20261345"), "line 4: `20261345` is no date"),
        (ics("DTSTART:tomorrow"), "line 4: `TOMORROW` is neither a date such as 20261225 nor a time"),
        (ics("DTSTART:16011225"), "line 4: no closure is in the year 1601"),
        (ics("SUMMARY:No day"), "line 3: an event has no DTSTART"),
        (ics("DTSTART:20261225\r\nRRULE:FREQ=HOURLY"), "line 5: `FREQ=HOURLY`: a closure repeats once a day at most"),
        (ics("DTSTART:20261225\r\nRRULE:FREQ=YEARLY;COUNT=x"), "line 5: `COUNT` is no number"),
        (ics("DTSTART:20261225T090000\r\nRRULE:FREQ=DAILY;BYHOUR=9,17"), "line 5: `BYHOUR=9,17`: a closure repeats at"),
        (ics("DTSTART:20261225\r\nEXRULE:FREQ=YEARLY"), "line 5: `EXRULE` isn't understood"),
        (ics("DTSTART:20261225\r\nDURATION:PT5H"), "line 5: an event of whole days lasts whole days"),
        (ics("DTSTART:20261225\r\nDURATION:-P1D"), "line 5: `-P1D` is no duration"),
        (ics("DTSTART:20261225\r\nDTEND:20261225T120000"), "line 5: `DTEND` is a date if `DTSTART` is one"),
        (ics("DTSTART:20261225\r\nDTEND:20261224"), "line 4: it lasts -1 days"),
        (ics("DTSTART:20261225\r\nDTEND:20361225"), "it lasts 3653 days"),
        (ics("DTSTART;TZID=Mars/Olympus:20261225T090000"), 'line 4: there is no time zone "Mars/Olympus"'),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261225\n", "line 2: `VEVENT` has no end: is the file whole?"),
        ("BEGIN:VCALENDAR\nBEGIN:VEVENT\nEND:VCALENDAR\n", "line 3: `END:VCALENDAR` where `END:VEVENT` was expected"),
        ("END:VCALENDAR\n", "line 1: `END:VCALENDAR` where nothing to end was expected"),
        ("<html>Please log in</html>", "it is no iCalendar file"),
        ("x" * (MAX_CHARS + 1), "more than 1,000,000 characters"),
        ("BEGIN:VCALENDAR\n" * 20, "line 9: it has more components, or deeper ones"),
        (
            ics("DTSTART:19000101\r\nRRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30\r\nDTSTAMP:20260101T000000Z") * 40,
            ": its events repeat too often, or in vain for too long: write the days out",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_line(text: str, told: str) -> None:
    with pytest.raises(Unusable) as caught:
        closures_of(text, SEOUL)
    assert told in str(caught.value)
    with pytest.raises(RulebookError) as refused:
        load(FILES | {"policy/office.ics": text})
    assert "policy/a.yaml:13:75 calendars.office.closures[0]: `office.ics`: " in str(refused.value)
    assert told in str(refused.value)


def test_more_dates_than_a_calendar_may_have_are_refused() -> None:
    years = ics(
        *(f"DTSTART;VALUE=DATE:2026{month:02}01\r\nDURATION:P28D\r\nRRULE:FREQ=YEARLY" for month in range(1, 5))
    )
    assert len(closures_of(years, SEOUL)) == 4 * 28 * 50
    with pytest.raises(RulebookError, match="more than 5,000 dates"):
        load(FILES | {"policy/office.ics": years})


def test_a_file_that_is_not_there_is_said() -> None:
    with pytest.raises(RulebookError) as caught:
        load({path: text for path, text in FILES.items() if path != "policy/office.ics"})
    assert "calendars.office.closures[0]: there is no file `office.ics`" in str(caught.value)


FRAGMENTS = st.sampled_from(
    [
        "BEGIN:VEVENT", "END:VEVENT", "BEGIN:VTIMEZONE", "END:VTIMEZONE", "BEGIN:STANDARD", "END:STANDARD", "UID:a",
        "TZID:Here", "TZOFFSETFROM:+0900", "TZOFFSETTO:-9999", "DTSTART;TZID=Here:20260101T000000", "DTSTART:22001231",
        "DTSTART:19000101T000000", "DTSTART:21991231T235959Z", "DTSTART;TZID=Pacific/Apia:20111230T100000",
        "DTEND:20261231",
        "DTEND:21991231T235960", "DURATION:P366D", "DURATION:P9999W", "RRULE:FREQ=YEARLY", "RRULE:FREQ=DAILY;COUNT=999",
        "RRULE:FREQ=WEEKLY;UNTIL=19000101", "RRULE:FREQ=MONTHLY;BYDAY=-5FR;BYSETPOS=-1", "EXDATE:20260101,,20270101T1",
        "RDATE;VALUE=PERIOD:20260101T000000/20250101T000000", "RECURRENCE-ID;RANGE=THISANDFUTURE:21991231T000000Z",
        "SEQUENCE:99999999999", "DTSTAMP:9999", "SUMMARY:\\", "STATUS:CANCELLED", " folded", "X",
    ]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(FRAGMENTS | st.text(max_size=8), max_size=14))
def test_whatever_a_file_says_it_is_read_or_refused(lines: list[str]) -> None:
    body = "\n".join(["BEGIN:VCALENDAR", "BEGIN:VEVENT", *lines, "DTSTART:20260101", "END:VEVENT", "END:VCALENDAR"])
    with contextlib.suppress(Unusable):
        for day, each in closures_of(body, SEOUL).items():
            assert date.fromisoformat(day)
            assert len(each.closed) <= 24
            assert not list(
                flaws({"it": CalendarSpec(time_zone="UTC", week={"mon": ("09:00-10:00",)}, dates={day: each})})
            )
