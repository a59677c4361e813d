"""Recurrence rules: the RFC's own examples, a library's days for drawn rules, and what is refused."""

import datetime as dt
from datetime import date, datetime
from unittest.mock import patch

import pytest
from dateutil import rrule as library  # type: ignore[import-untyped]  # it ships no types
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.icalendar.recurrence import Budget, Misread, read_rule, recurring

PLENTY = 1_000_000
FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY")
WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def days(rule: str, first: str, last: str) -> list[str]:
    found = recurring(read_rule(rule), date.fromisoformat(first), date.fromisoformat(last), Budget(PLENTY))
    return [day.isoformat() for day in found]


@pytest.mark.parametrize(
    ("rule", "first", "last", "meant"),
    [
        ("FREQ=DAILY;INTERVAL=10;COUNT=3", "1997-09-02", "2000-01-01", ["1997-09-02", "1997-09-12", "1997-09-22"]),
        ("FREQ=WEEKLY", "1997-09-02", "1997-09-20", ["1997-09-02", "1997-09-09", "1997-09-16"]),
        ("FREQ=WEEKLY;COUNT=4;WKST=SU;BYDAY=TU,TH", "1997-09-02", "1998-01-01",
         ["1997-09-02", "1997-09-04", "1997-09-09", "1997-09-11"]),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "1997-08-05", "1998-01-01",
         ["1997-08-05", "1997-08-10", "1997-08-19", "1997-08-24"]),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "1997-08-05", "1998-01-01",
         ["1997-08-05", "1997-08-17", "1997-08-19", "1997-08-31"]),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=1FR", "1997-09-05", "1998-01-01", ["1997-09-05", "1997-10-03", "1997-11-07"]),
        ("FREQ=MONTHLY;COUNT=3;BYDAY=-2MO", "1997-09-22", "1998-01-01", ["1997-09-22", "1997-10-20", "1997-11-17"]),
        ("FREQ=MONTHLY;BYMONTHDAY=-3", "1997-09-28", "1997-12-01", ["1997-09-28", "1997-10-29", "1997-11-28"]),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2", "1997-09-29", "1997-12-01",
         ["1997-09-29", "1997-10-30", "1997-11-27"]),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "1998-02-13", "1999-01-01",
         ["1998-02-13", "1998-03-13", "1998-11-13"]),
        ("FREQ=MONTHLY;BYDAY=1SA,TU;COUNT=4", "2026-01-03", "2027-01-01",
         ["2026-01-03", "2026-01-06", "2026-01-13", "2026-01-20"]),
        ("FREQ=YEARLY;BYDAY=20MO", "1997-05-19", "1999-12-31", ["1997-05-19", "1998-05-18", "1999-05-17"]),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "1997-05-12", "1999-12-31", ["1997-05-12", "1998-05-11", "1999-05-17"]),
        ("FREQ=YEARLY;BYWEEKNO=20", "1997-05-12", "1999-12-31", ["1997-05-12", "1998-05-11", "1999-05-17"]),
        ("FREQ=YEARLY;INTERVAL=3;COUNT=4;BYYEARDAY=1,100,200", "1997-01-01", "2003-01-01",
         ["1997-01-01", "1997-04-10", "1997-07-19", "2000-01-01"]),
        ("FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", "1996-11-05", "2004-12-31",
         ["1996-11-05", "2000-11-07", "2004-11-02"]),
        ("FREQ=YEARLY", "2024-02-29", "2032-12-31", ["2024-02-29", "2028-02-29", "2032-02-29"]),
        ("FREQ=MONTHLY", "2026-01-31", "2026-06-01", ["2026-01-31", "2026-03-31", "2026-05-31"]),
        # The first day counts, also where the rule means others.
        ("FREQ=MONTHLY;BYMONTHDAY=1;COUNT=2", "2026-01-31", "2026-06-01", ["2026-01-31", "2026-02-01"]),
    ],
)  # fmt: skip
def test_a_rule_means_these_days(rule: str, first: str, last: str, meant: list[str]) -> None:
    assert days(rule, first, last) == meant


@st.composite
def rules(draw: st.DrawFn) -> tuple[str, date]:
    """A rule, and a day that it means."""
    first = draw(st.dates(date(1995, 1, 1), date(2030, 12, 31)))
    frequency = draw(st.sampled_from(FREQUENCIES))
    parts = {"FREQ": frequency, "INTERVAL": str(draw(st.integers(1, 5))), "WKST": draw(st.sampled_from(WEEKDAYS))}

    def some(own: int, others: st.SearchStrategy[int]) -> str:
        return ",".join(str(one) for one in {own, *draw(st.lists(others, max_size=3))})

    def own(name: str) -> bool:
        return draw(st.booleans(), label=name)

    if own("month"):
        parts["BYMONTH"] = some(first.month, st.integers(1, 12))
    if own("month day") and frequency != "WEEKLY":
        parts["BYMONTHDAY"] = some(first.day, st.integers(1, 31).flatmap(lambda n: st.sampled_from((n, -n))))
    if own("year day") and frequency == "YEARLY":
        parts["BYYEARDAY"] = some(first.timetuple().tm_yday, st.integers(1, 366).map(lambda n: -n))
    if own("week") and frequency == "YEARLY" and parts["WKST"] == "MO":
        parts["BYWEEKNO"] = some(first.isocalendar().week, st.integers(1, 53).map(lambda n: -n))
        parts["BYDAY"] = WEEKDAYS[first.weekday()]
    if own("weekday"):
        place = draw(st.booleans()) and frequency == "MONTHLY"
        told = f"{(first.day - 1) // 7 + 1}" if place else ""
        # Weekdays with a place beside others without one mean both; the library means neither.
        other = draw(st.sampled_from(WEEKDAYS))
        parts["BYDAY"] = ",".join(f"{told}{day}" for day in sorted({WEEKDAYS[first.weekday()], other}))
    if own("position") and parts.keys() & {"BYDAY", "BYMONTHDAY", "BYYEARDAY"}:
        parts["BYSETPOS"] = draw(st.sampled_from(("1", "-1", "1,-1")))
    return ";".join(f"{name}={value}" for name, value in parts.items()), first


@settings(max_examples=150, deadline=None)
@given(rules())
def test_it_means_the_days_that_a_library_means(drawn: tuple[str, date]) -> None:
    rule, first = drawn
    last = first.replace(year=first.year + 9, day=1)
    begin, end = (datetime.combine(day, dt.time()) for day in (first, last))
    with patch.object(dt, "MAXYEAR", last.year):  # else it looks until the year 9999 for what a rule never means
        theirs = {when.date() for when in library.rrulestr(rule, dtstart=begin).between(begin, end, inc=True)}
    ours = list(recurring(read_rule(rule), first, last, Budget(PLENTY)))
    assert ours == sorted(set(ours))
    assert {*ours} == theirs | {first}


@settings(max_examples=50, deadline=None)
@given(rules(), st.integers(0, 2_000))
def test_what_lies_before_a_day_may_be_left_out(drawn: tuple[str, date], later: int) -> None:
    rule, first = drawn
    last, since = first.replace(year=first.year + 9, day=1), first + dt.timedelta(days=later)
    whole = recurring(read_rule(rule), first, last, Budget(PLENTY))
    cut = recurring(read_rule(rule), first, last, Budget(PLENTY), since=since)
    assert [day for day in cut if day >= since] == [day for day in whole if day >= since]


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("INTERVAL=2", "it has no `FREQ`"),
        ("FREQ=FORTNIGHTLY", "`FREQ=FORTNIGHTLY` isn't understood"),
        ("FREQ=HOURLY", "once a day at most"),
        ("FREQ=YEARLY;COUNT=x", "`COUNT` is no number"),
        ("FREQ=YEARLY;INTERVAL=0", "`INTERVAL` is no number"),
        ("FREQ=YEARLY;COUNT=2;UNTIL=20270101", "both `COUNT` and `UNTIL`"),
        ("FREQ=YEARLY;BYEASTER=0", "`BYEASTER` isn't understood"),
        ("RSCALE=CHINESE;FREQ=YEARLY", "`RSCALE` isn't understood: for lunar holidays use `holidays`"),
        ("FREQ=MONTHLY;BYDAY=1XX", "`XX` is no weekday"),
        ("FREQ=WEEKLY;BYDAY=2MO", "a place such as 2 is for a month or a year"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "`32`, which is no number from 1 to 31"),
        ("FREQ=YEARLY;BYMONTH=-1", "below 0"),
        ("FREQ=YEARLY;BYSETPOS=++1", "`++1`, which is no number"),
        ("FREQ=YEARLY;BYYEARDAY=" + "1," * 500 + "1", "more than 400 members"),
    ],
)
def test_what_is_no_rule_or_not_understood_is_refused(rule: str, told: str) -> None:
    with pytest.raises(Misread) as caught:
        read_rule(rule)
    assert told in str(caught.value)


@pytest.mark.parametrize("rule", ["FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY"])
def test_a_rule_that_asks_for_too_much_ends_with_the_budget(rule: str) -> None:
    budget = Budget(1_000)
    with pytest.raises(Misread, match="too often, or in vain"):
        list(recurring(read_rule(rule), date(1900, 1, 1), date(2190, 1, 1), budget))
    assert budget.days < 0
