"""Business time: worked examples, both directions, every minute against a clock on the wall, years at once."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from rules.calendar import Calendar, NeverOpen
from rules.opening_hours import CalendarSpec, HolidaySpec, SpecialDate, spans, week_of

HOUR = 3_600_000
MINUTE = 60_000
OFFICE = {"mon-fri": ("09:00-17:00",)}


def at(text: str, zone: str = "UTC") -> int:
    """Instant of a wall time that comes once."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def wall(instant: int, zone: str) -> str:
    return datetime.fromtimestamp(instant / 1000, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


def calendar(zone: str, week: Mapping[str, tuple[str, ...]], **more: object) -> Calendar:
    return Calendar(CalendarSpec(time_zone=zone, week=dict(week), **more))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "zone", ["America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Seoul", "Pacific/Apia"]
)
@pytest.mark.parametrize("year", [2011, 2025, 2026, 2028])
def test_scenario_16_always_open_is_wall_time(zone: str, year: int) -> None:
    always = calendar(zone, {"daily": ("00:00-24:00",)})
    begin, end = at(f"{year}-01-01", zone), at(f"{year + 1}-01-01", zone)
    assert always.worked(begin, end) == end - begin
    assert always.due(begin, end - begin) == end
    assert [(each.counted, each.to_ms - each.from_ms) for each in always.segments(begin, end)] == [(True, end - begin)]


@pytest.mark.parametrize(
    ("week", "start", "hours", "due"),
    [
        ({"mon-fri": ("08:00-17:00",)}, "2026-11-20 16:00", 4, "2026-11-23 11:00"),
        (OFFICE, "2026-11-20 17:00", 8, "2026-11-23 17:00"),
        (OFFICE, "2026-11-21 12:00", 1, "2026-11-23 10:00"),
        (OFFICE, "2026-11-20 16:00", 1, "2026-11-20 17:00"),
        (OFFICE, "2026-11-20 16:00", 0, "2026-11-20 16:00"),
        (OFFICE, "2026-11-20 16:00", 40, "2026-11-27 16:00"),
        ({"mon-fri": ("09:00-12:00", "13:00-18:00")}, "2026-11-20 11:30", 1, "2026-11-20 13:30"),
    ],
)
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Seoul"])
def test_scenario_17_worked_examples(
    zone: str, week: dict[str, tuple[str, ...]], start: str, hours: int, due: str
) -> None:
    found = calendar(zone, week)
    assert wall(found.due(at(start, zone), hours * HOUR), zone) == due
    assert found.worked(at(start, zone), at(due, zone)) == hours * HOUR


def test_scenario_18_a_window_over_midnight_belongs_to_the_day_it_begins_on() -> None:
    night = calendar("Europe/Berlin", {"fri": ("22:00-06:00",)}, dates={"2026-11-28": SpecialDate()})
    assert wall(night.due(at("2026-11-27 12:00", "Europe/Berlin"), 8 * HOUR), "Europe/Berlin") == "2026-11-28 06:00"
    closed = calendar("Europe/Berlin", {"fri": ("22:00-06:00",)}, dates={"2026-11-27": SpecialDate()})
    assert wall(closed.next_opening(at("2026-11-27", "Europe/Berlin")), "Europe/Berlin") == "2026-12-04 22:00"


@pytest.mark.parametrize(
    ("zone", "day", "window", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", "00:00-06:00", 5),  # 02:00 to 03:00 doesn't come
        ("Europe/Berlin", "2026-03-29", "02:30-03:30", 0.5),
        ("Europe/Berlin", "2026-03-29", "02:00-03:00", 0),
        ("Europe/Berlin", "2026-10-25", "00:00-06:00", 7),  # 02:00 to 03:00 comes twice
        ("Europe/Berlin", "2026-10-25", "02:30-03:30", 1.5),
        ("Australia/Lord_Howe", "2026-10-04", "00:00-06:00", 5.5),  # half an hour
        ("America/New_York", "2026-11-01", "01:15-01:45", 1),
        ("Pacific/Apia", "2011-12-30", "00:00-24:00", 0),  # the day that Samoa left out
    ],
)
def test_scenario_18_windows_on_the_days_when_clocks_change(zone: str, day: str, window: str, hours: float) -> None:
    found = calendar(zone, {"daily": (window,)})
    begin = at(f"{day} 00:00", zone)
    assert found.worked(begin, at(f"{date.fromisoformat(day) + timedelta(days=1)} 00:00", zone)) == hours * HOUR


def test_scenario_18_a_holiday_on_the_due_day_and_a_half_day() -> None:
    dates = {
        "2026-12-24": SpecialDate(hours=("09:00-12:00",), name="Christmas Eve"),
        "2026-12-25": SpecialDate(name="x"),
    }
    found = calendar("Europe/Berlin", OFFICE, dates=dates)
    assert wall(found.due(at("2026-12-23 16:00", "Europe/Berlin"), 5 * HOUR), "Europe/Berlin") == "2026-12-28 10:00"


def test_korean_lunar_and_substitute_holidays_are_closed_and_named() -> None:
    found = calendar("Asia/Seoul", OFFICE, holidays=HolidaySpec(country="KR"))
    start = at("2026-02-13 16:00", "Asia/Seoul")  # the last working day before Seollal
    assert wall(found.due(start, 2 * HOUR), "Asia/Seoul") == "2026-02-19 10:00"
    before, closed, after = found.segments(start, at("2026-02-19 10:00", "Asia/Seoul"))
    assert (before.counted, after.counted) == (True, True)
    assert closed.names == ("설날 전날", "설날", "설날 다음날")
    assert found.name_of(date(2026, 3, 2)) == "삼일절 대체 휴일"


def test_holidays_speak_the_language_asked_for_whatever_the_machine_speaks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    names = [
        calendar("Asia/Seoul", OFFICE, holidays=HolidaySpec(country="KR", language=language)).name_of(date(2026, 10, 9))
        for language in (None, "en_US", "xx")
    ]
    assert names == ["한글날", "Hangul Day", "한글날"]


@pytest.mark.parametrize(
    ("closed", "hours"),
    [
        (("13:00-18:00",), 4),
        (("11:00-14:00",), 5),
        (("00:00-10:00", "16:00-24:00"), 6),
        (("22:00-06:00",), 8),
        (("00:00-24:00",), 0),
    ],
)
def test_a_date_may_be_closed_for_a_part_of_its_usual_hours(closed: tuple[str, ...], hours: int) -> None:
    found = calendar("Asia/Seoul", OFFICE, dates={"2026-12-24": SpecialDate(closed=closed, name="송년회")})
    begin, end = at("2026-12-24 00:00", "Asia/Seoul"), at("2026-12-25 00:00", "Asia/Seoul")
    assert found.worked(begin, end) == hours * HOUR


@pytest.mark.parametrize(
    ("week", "special", "named"),
    [
        ("09:00-17:00", SpecialDate(closed=("12:00-14:00",)), ["12:00-14:00"]),
        ("09:00-17:00", SpecialDate(closed=("13:00-18:00",)), ["13:00-24:00"]),
        ("09:00-17:00", SpecialDate(closed=("18:00-22:00",)), []),
        ("09:00-17:00", SpecialDate(closed=("00:00-24:00",)), ["00:00-24:00"]),
        ("09:00-17:00", SpecialDate(hours=("09:00-12:00",)), ["12:00-24:00"]),
        ("09:00-17:00", SpecialDate(hours=("08:00-17:00",)), []),
        ("09:00-17:00", SpecialDate(), ["00:00-24:00"]),
        ("22:00-06:00", SpecialDate(closed=("04:00-05:00", "09:00-17:00")), ["04:00-05:00"]),
        ("22:00-06:00", SpecialDate(closed=("23:00-24:00",)), ["23:00-24:00"]),
        ("22:00-06:00", SpecialDate(), ["06:00-24:00"]),
    ],
)
def test_a_stretch_is_named_after_the_special_day_that_closed_it_and_no_other(
    week: str, special: SpecialDate, named: list[str]
) -> None:
    found = calendar("Asia/Seoul", {"daily": (week,)}, dates={"2026-12-24": structs.replace(special, name="송년회")})
    midnight, end = at("2026-12-24 00:00", "Asia/Seoul"), at("2026-12-25 00:00", "Asia/Seoul")
    parts = found.segments(midnight, end)
    assert {name for part in parts for name in part.names} == ({"송년회"} if named else set())
    clocked = [tuple(f"{(each - midnight) // HOUR:02}:00" for each in (part.from_ms, part.to_ms)) for part in parts]
    assert ["-".join(span) for span, part in zip(clocked, parts, strict=True) if part.names] == named


def test_a_part_that_is_closed_is_taken_out_of_the_hours_kept_on_a_holiday_and_of_the_night_before() -> None:
    kept = HolidaySpec(country="KR", hours=("10:00-14:00",))
    day = {"2026-12-25": SpecialDate(closed=("12:00-20:00",))}
    found = calendar("Asia/Seoul", OFFICE, holidays=kept, dates=day)
    assert found.worked(at("2026-12-25", "Asia/Seoul"), at("2026-12-26", "Asia/Seoul")) == 2 * HOUR
    night = calendar("UTC", {"thu": ("22:00-06:00",)}, dates={"2026-12-25": SpecialDate(closed=("00:00-05:00",))})
    assert night.worked(at("2026-12-24"), at("2026-12-26")) == 3 * HOUR


def test_a_region_has_holidays_of_its_own_and_hours_may_be_kept_on_them() -> None:
    bavaria = HolidaySpec(country="DE", region="BY", hours=("10:00-12:00",))
    found = calendar("Europe/Berlin", {"daily": ("09:00-17:00",)}, holidays=bavaria)
    assert found.openings(at("2026-01-06", "Europe/Berlin"), 1) == (
        (at("2026-01-06 10:00", "Europe/Berlin"), at("2026-01-06 12:00", "Europe/Berlin")),
    )


def test_what_never_comes_is_said() -> None:
    found = calendar("UTC", OFFICE)
    with pytest.raises(NeverOpen):
        found.due(at("2026-01-01"), 10**14)
    with pytest.raises(NeverOpen):
        found.back(at("2026-01-01"), 10**14)


def test_a_due_time_years_ahead_is_right() -> None:
    found = calendar("UTC", {"daily": ("00:00-12:00",)})
    assert found.due(at("2020-01-01"), 12 * HOUR * 3653) == at("2029-12-31 12:00")


ZONES = st.sampled_from(
    ["America/New_York", "Europe/London", "Australia/Lord_Howe", "Asia/Seoul", "Africa/Casablanca", "America/St_Johns"]
)
CLOCK = st.integers(0, 47).map(lambda half: f"{half // 2:02}:{half % 2 * 30:02}")
WINDOW = st.tuples(CLOCK, CLOCK).filter(lambda pair: pair[0] != pair[1]).map("-".join)
SPECIAL = st.one_of(
    st.just(SpecialDate()),
    WINDOW.map(lambda window: SpecialDate(hours=(window,))),
    WINDOW.map(lambda window: SpecialDate(closed=(window,))),
)
WEEK = st.dictionaries(
    st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), st.tuples(WINDOW), min_size=1
)
DAYS = st.sampled_from([date(2026, 3, 7), date(2026, 3, 28), date(2026, 4, 4), date(2026, 10, 3), date(2026, 10, 31)])


@settings(max_examples=60, deadline=None)
@given(ZONES, WEEK, DAYS, st.dictionaries(st.integers(0, 3), SPECIAL, max_size=2))
def test_it_agrees_with_a_clock_on_the_wall_minute_by_minute(
    zone: str, week: dict[str, tuple[str, ...]], first: date, special: dict[int, SpecialDate]
) -> None:
    dates = {(first + timedelta(days=n)).isoformat(): one for n, one in special.items()}
    spec = CalendarSpec(time_zone=zone, week=week, dates=dates)
    found = Calendar(spec)
    begin = at(f"{first} 00:00", zone)
    open_minutes = 0
    for minute in range(0, 3 * 24 * 60, 10):
        instant = begin + minute * MINUTE
        is_open = _shows_an_open_time(spec, datetime.fromtimestamp(instant / 1000, ZoneInfo(zone)))
        assert found.is_open(instant) is is_open
        assert found.worked(begin, instant) == open_minutes * MINUTE
        open_minutes += 10 if is_open else 0


def _shows_an_open_time(spec: CalendarSpec, shown: datetime) -> bool:
    minutes, is_open = shown.hour * 60 + shown.minute, False
    for back in (0, 1):
        day = shown.date() - timedelta(days=back)
        special = spec.dates.get(day.isoformat())
        hours = week_of(spec)[day.weekday()] if special is None or special.closed else special.hours
        at_ms = (minutes + back * 1440) * MINUTE
        if special is not None and any(begin <= at_ms < end for begin, end in spans(special.closed)):
            return False
        is_open = is_open or any(begin <= at_ms < end for begin, end in spans(hours))
    return is_open


@settings(max_examples=150, deadline=None)
@given(ZONES, WEEK, st.integers(0, 10**12), st.integers(1, 10**10))
def test_both_directions_undo_each_other(zone: str, week: dict[str, tuple[str, ...]], since: int, amount: int) -> None:
    found = Calendar(CalendarSpec(time_zone=zone, week=week))
    start = at("2020-01-01") + since // 1000 * 1000
    due = found.due(start, amount)
    assert found.worked(start, due) == amount
    assert found.worked(start, due - 1) == amount - 1  # the first such instant
    back = found.back(due, amount)
    assert back >= start
    assert found.worked(back, due) == amount
    assert found.worked(back + 1, due) == amount - 1  # the last such instant
    parts = found.segments(start, due)
    assert sum(each.to_ms - each.from_ms for each in parts if each.counted) == amount
    assert [each.from_ms for each in parts] == [start, *(each.to_ms for each in parts[:-1])]
    assert all(one.counted is not other.counted for one, other in pairwise(parts))
