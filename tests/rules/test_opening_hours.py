"""Calendars as written: what they have from each other, and every flaw at its place."""

import pytest

from rules.opening_hours import CalendarSpec, HolidaySpec, SpecialDate, flaws, spans, weekdays, whole

BASE = CalendarSpec(
    time_zone="Asia/Seoul",
    week={"mon-fri": ("09:00-18:00",)},
    holidays=HolidaySpec(country="KR"),
    dates={"2026-12-24": SpecialDate(name="half"), "2026-12-31": SpecialDate(name="founding")},
)


def test_a_team_has_from_the_company_what_it_leaves_out() -> None:
    team = CalendarSpec(
        extends="company", week={"sat": ("10:00-12:00",)}, dates={"2026-12-24": SpecialDate(name="own")}
    )
    found = whole("team", {"company": BASE, "team": team})
    assert (found.time_zone, found.week, found.holidays) == ("Asia/Seoul", {"sat": ("10:00-12:00",)}, BASE.holidays)
    assert {day: special.name for day, special in found.dates.items()} == {
        "2026-12-24": "own",
        "2026-12-31": "founding",
    }
    assert whole("bare", {"company": BASE, "bare": CalendarSpec(extends="company")}).week == BASE.week


@pytest.mark.parametrize(
    ("days", "numbers"),
    [
        ("mon", [0]),
        ("mon-fri", [0, 1, 2, 3, 4]),
        ("sat-mon", [5, 6, 0]),
        ("daily", [0, 1, 2, 3, 4, 5, 6]),
        ("sun-sun", [6]),
    ],
)
def test_days_may_go_round_the_week(days: str, numbers: list[int]) -> None:
    assert list(weekdays(days)) == numbers


@pytest.mark.parametrize(
    ("window", "minutes"),
    [
        ("09:00-17:30", (540, 1050)),
        ("22:00-06:00", (1320, 1800)),
        ("00:00-24:00", (0, 1440)),
        ("13:00-24:00", (780, 1440)),
    ],
)
def test_windows_count_from_the_beginning_of_their_day(window: str, minutes: tuple[int, int]) -> None:
    assert spans((window,)) == ((minutes[0] * 60_000, minutes[1] * 60_000),)


def _told(**specs: CalendarSpec) -> list[tuple[str, str]]:
    return [(".".join(map(str, flaw.path)), flaw.message) for flaw in flaws(specs)]


def test_a_sound_calendar_has_no_flaws() -> None:
    assert _told(company=BASE, team=CalendarSpec(extends="company")) == []


@pytest.mark.parametrize(
    ("spec", "path", "message"),
    [
        (CalendarSpec(time_zone="Asia/Soeul", week={"mon": ("09:00-10:00",)}), "c.time_zone", "no time zone"),
        (CalendarSpec(week={"mon": ("09:00-10:00",)}), "c", "`time_zone` is missing"),
        (CalendarSpec(time_zone="UTC"), "c", "`week` is missing"),
        (CalendarSpec(time_zone="UTC", week={"mon": ()}), "c.week", "never open"),
        (CalendarSpec(time_zone="UTC", week={"mon": ("09:00-09:00",)}), "c.week.mon.0", "00:00-24:00"),
        (CalendarSpec(time_zone="UTC", week={"mon": ("09:00-12:00", "11:00-13:00")}), "c.week.mon.1", "before"),
        (CalendarSpec(time_zone="UTC", week={"mon": ("10:00-12:00", "08:00-09:00")}), "c.week.mon.1", "before"),
        (CalendarSpec(time_zone="UTC", week={"mon-wed": ("09:00-10:00",), "tue": ()}), "c.week.tue", "in `mon-wed`"),
        (CalendarSpec(extends="cmpany"), "c.extends", "no calendar `cmpany`"),
        (CalendarSpec(extends="c"), "c.extends", "c -> c"),
        (CalendarSpec(extends="company", dates={"2026-02-30": SpecialDate()}), "c.dates.2026-02-30", "no date"),
        (
            CalendarSpec(
                extends="company", dates={"2026-02-03": SpecialDate(hours=("09:00-10:00",), closed=("09:00-10:00",))}
            ),
            "c.dates.2026-02-03",
            "both `hours` and `closed`",
        ),
        (
            CalendarSpec(extends="company", dates={"2026-02-03": SpecialDate(closed=("09:00-09:00",))}),
            "c.dates.2026-02-03.closed.0",
            "empty",
        ),
        (CalendarSpec(extends="company", holidays=HolidaySpec(country="XX")), "c.holidays", "`XX`"),
        (CalendarSpec(extends="company", holidays=HolidaySpec(country="DE", region="ZZ")), "c.holidays", "`DE ZZ`"),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(spec: CalendarSpec, path: str, message: str) -> None:
    (found,) = [
        flaw for flaw in _told(company=BASE, c=spec) if flaw[0].startswith("calendars.c.") or flaw[0] == "calendars.c"
    ]
    assert found[0] == f"calendars.{path}"
    assert message in found[1]


def test_the_name_that_was_probably_meant_is_told() -> None:
    ((_, message),) = _told(company=BASE, c=CalendarSpec(extends="cmpany"))
    assert "company" in message
