"""Clocks in words."""

from zoneinfo import ZoneInfo

import pytest

from router.cli.clock_text import clock_lines, span

SEOUL = ZoneInfo("Asia/Seoul")
CLOCK = {
    "clock": "first_response",
    "state": "running",
    "target_s": 14400,
    "used_s": 7200,
    "warn_at": "2026-02-19T01:00:00.000Z",
    "due_at": "2026-02-19T02:00:00.000Z",
    "calendar": "seoul",
    "time_zone": "Asia/Seoul",
    "stretches": [
        {"begins_at": "2026-02-13T07:00:00Z", "ends_at": "2026-02-13T08:00:00Z", "reason": "counted", "used_s": 3600},
        {"begins_at": "2026-02-13T08:00:00Z", "ends_at": "2026-02-13T08:00:30Z", "reason": "pending"},
        {"begins_at": "2026-02-13T08:00:30Z", "ends_at": "2026-02-13T09:00:30Z", "reason": "recorded", "used_s": 3600},
        {
            "begins_at": "2026-02-13T09:00:30Z",
            "ends_at": "2026-02-19T00:00:00Z",
            "reason": "closed",
            "names": ["설날"],
            "ahead": True,
        },
        {
            "begins_at": "2026-02-19T00:00:00Z",
            "ends_at": "2026-02-19T02:00:00Z",
            "reason": "counted",
            "used_s": 7200,
            "ahead": True,
        },
    ],
}


def test_a_clock_reads_as_a_person_would_check_it() -> None:
    assert list(clock_lines({"clocks": [CLOCK]}, None)) == [
        "first response: running, 2 h of 4 h used",
        "  calendar seoul, Asia/Seoul; times below are Asia/Seoul",
        "  warns Thu 2026-02-19 10:00",
        "  due Thu 2026-02-19 11:00",
        "  Fri 2026-02-13 16:00 - 17:00  counted 1 h",
        "  Fri 2026-02-13 17:00 - 17:00:30  stood still: pending",
        "  Fri 2026-02-13 17:00:30 - 18:00:30  counted 1 h by the calendar of then",
        "  to come:",
        "  Fri 2026-02-13 18:00:30 - Thu 2026-02-19 09:00  closed (설날)",
        "  Thu 2026-02-19 09:00 - 11:00  counted 2 h",
    ]


def test_what_lies_too_far_ahead_to_be_listed_is_said() -> None:
    assert list(clock_lines({"clocks": [{**CLOCK, "due_at": "2027-03-01T02:00:00.000Z"}]}, None))[-2:] == [
        "  Thu 2026-02-19 09:00 - 11:00  counted 2 h",
        "  ... and so on until it is due",
    ]


def test_a_breach_that_a_later_change_put_ahead_is_said_not_to_come_again() -> None:
    lines = list(clock_lines({"clocks": [{**CLOCK, "breach_told": True}]}, None))
    assert "  due Thu 2026-02-19 11:00, breached already: it is not told again" in lines


def test_another_zone_shows_the_same_instants() -> None:
    lines = list(clock_lines({"clocks": [CLOCK, {**CLOCK, "calendar": "", "earlier_s": 61}]}, ZoneInfo("UTC")))
    assert "  due Thu 2026-02-19 02:00" in lines
    assert "  all time counts; times below are UTC" in lines
    assert "  earlier, no longer kept one by one: 1 min 1 s counted" in lines
    assert lines.count("") == 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (0.5, "0.5 s"), (59, "59 s"), (60, "1 min"), (3600, "1 h"), (93_905.9, "26 h 5 min 5 s")],
)
def test_spans(seconds: float, text: str) -> None:
    assert span(seconds) == text
