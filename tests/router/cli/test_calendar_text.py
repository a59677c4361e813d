"""A calendar in words: whether it is open, its next days and its special ones, in both languages."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from router.cli.calendar_text import calendar_lines
from rules.calendar import Calendar
from rules.opening_hours import CalendarSpec, HolidaySpec, SpecialDate

SEOUL = "Asia/Seoul"
OFFICE = CalendarSpec(
    time_zone=SEOUL,
    week={"mon-fri": ("09:00-12:00", "13:00-18:00")},
    holidays=HolidaySpec(country="KR"),
    dates={
        "2026-12-24": SpecialDate(closed=("15:00-18:00",), name="송년회"),
        "2026-12-31": SpecialDate(hours=("09:00-24:00",), name="Stocktaking"),
    },
)


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(SEOUL)).timestamp() * 1000)


def lines(spec: CalendarSpec, now: str, language: str = "en") -> list[str]:
    return list(calendar_lines("office", Calendar(spec), at(now), language))


def test_its_next_days_and_the_special_ones_are_listed() -> None:
    assert lines(OFFICE, "2026-12-24 14:00")[:10] == [
        "calendar office (Asia/Seoul, where it is Thu 2026-12-24 14:00): open until Thu 2026-12-24 15:00",
        "  next:",
        "    Thu 2026-12-24  09:00-12:00, 13:00-15:00  송년회",
        "    Mon 2026-12-28  09:00-12:00, 13:00-18:00",
        "    Tue 2026-12-29  09:00-12:00, 13:00-18:00",
        "  special days:",
        "    Thu 2026-12-24  09:00-12:00, 13:00-15:00  송년회",
        "    Fri 2026-12-25  closed  기독탄신일",
        "    Thu 2026-12-31  09:00-24:00  Stocktaking",
        "    Fri 2027-01-01  closed  신정연휴",
    ]


def test_it_is_said_in_korean() -> None:
    assert lines(OFFICE, "2026-12-24 15:00", "ko")[:3] == [
        "달력 office (Asia/Seoul, 현지 시각 2026-12-24(목) 15:00): 운영 시간 아님, 2026-12-28(월) 09:00부터 운영",
        "  다음 운영일:",
        "    2026-12-28(월)  09:00-12:00, 13:00-18:00",
    ]
    assert "    2026-12-25(금)  휴무  기독탄신일" in lines(OFFICE, "2026-12-24 15:00", "ko")


@pytest.mark.parametrize(
    ("week", "now", "state"),
    [
        ({"daily": ("00:00-24:00",)}, "2026-12-24 15:00", "open at all times"),
        ({"thu": ("22:00-06:00",)}, "2026-12-25 01:00", "open until Fri 2026-12-25 06:00"),
        ({"fri": ("22:00-06:00",)}, "2026-12-24 15:00", "closed until Fri 2026-12-25 22:00"),
        ({"fri": ("22:00-06:00",)}, "2199-12-31 15:00", "not open in the next two years"),
    ],
)
def test_it_says_whether_it_is_open(week: dict[str, tuple[str, ...]], now: str, state: str) -> None:
    first, *rest = lines(CalendarSpec(time_zone=SEOUL, week=week), now)
    assert first.endswith(f"): {state}")
    assert bool(rest) is (state != "open at all times")


@pytest.mark.parametrize(
    ("now", "next_days"),
    [
        ("2026-12-21 05:00", ["Mon 2026-12-21", "Thu 2026-12-24"]),
        ("2026-12-21 17:59", ["Mon 2026-12-21", "Thu 2026-12-24"]),
        ("2026-12-21 18:00", ["Thu 2026-12-24", "Mon 2026-12-28"]),
        ("2026-12-24 23:00", ["Thu 2026-12-24", "Mon 2026-12-28"]),
        ("2026-12-25 05:00", ["Mon 2026-12-28", "Thu 2026-12-31"]),
    ],
)
def test_a_day_that_is_over_is_not_next(now: str, next_days: list[str]) -> None:
    spec = CalendarSpec(time_zone=SEOUL, week={"mon": ("09:00-18:00",), "thu": ("22:00-06:00",)})
    assert [line.split("  ")[2] for line in lines(spec, now)[2:4]] == next_days
