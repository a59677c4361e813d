"""Which days a recurrence rule of iCalendar (RFC 5545, section 3.3.10) means, in bounded work. Pure.

All parts are understood but those that repeat more than once a day: a closure does not. The libraries for this walk on
to the year 9999 when nothing matches ("the 30th of February"), so that one line of a file holds a process up for
minutes; here every day that is looked at is paid for from a ``Budget``. A test compares the days with such a library.
"""

from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

_DAY: Final = timedelta(days=1)
_WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_SUB_DAILY: Final = frozenset({"HOURLY", "MINUTELY", "SECONDLY"})
_LIMITS: Final = {"BYMONTH": 12, "BYWEEKNO": 53, "BYYEARDAY": 366, "BYMONTHDAY": 31, "BYSETPOS": 366}
_PARTS: Final = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYHOUR", "BYMINUTE", "BYSECOND"})
_MOST_NUMBERS: Final = 400


class Frequency(StrEnum):
    """How long a period is, of which the rule picks days."""

    YEARLY = "YEARLY"
    MONTHLY = "MONTHLY"
    WEEKLY = "WEEKLY"
    DAILY = "DAILY"


class Misread(Exception):
    """A rule that isn't one, or isn't understood; the text says why."""

    retryable = False


class Budget(Struct):
    """How many days may still be looked at."""

    days: int

    def spend(self) -> None:
        """Raises ``Misread`` when nothing is left."""
        self.days -= 1
        if self.days < 0:
            raise Misread("its events repeat too often, or in vain for too long: write the days out")


class Recurrence(Struct, frozen=True, kw_only=True):
    """A rule. ``by_day`` has weekdays (Monday is 0) with their place in the month or year, 0 for every one. ``until``
    is as written; ``times`` are the parts that name an hour, a minute or a second."""

    frequency: Frequency
    interval: int = 1
    count: int | None = None
    until: str = ""
    week_start: int = 0
    by_month: frozenset[int] = frozenset()
    by_week: frozenset[int] = frozenset()
    by_year_day: frozenset[int] = frozenset()
    by_month_day: frozenset[int] = frozenset()
    by_day: frozenset[tuple[int, int]] = frozenset()
    by_position: frozenset[int] = frozenset()
    times: tuple[tuple[str, str], ...] = ()


def read_rule(text: str) -> Recurrence:
    """The rule that is written after ``RRULE:``. Raises ``Misread``."""
    parts = {
        name.strip(): value.strip() for name, _, value in (part.partition("=") for part in text.upper().split(";"))
    }
    parts.pop("", None)
    if "RSCALE" in parts:
        raise Misread("`RSCALE` isn't understood: for lunar holidays use `holidays`, or write the days out")
    if unknown := sorted(parts.keys() - _PARTS - _LIMITS.keys()):
        raise Misread(f"`{unknown[0]}` isn't understood")
    if "COUNT" in parts and "UNTIL" in parts:
        raise Misread("it has both `COUNT` and `UNTIL`")
    frequency = _frequency(parts)
    return Recurrence(
        frequency=frequency,
        interval=_number(parts, "INTERVAL", 1),
        count=_number(parts, "COUNT", 1) if "COUNT" in parts else None,
        until=parts.get("UNTIL", ""),
        week_start=_weekday(parts.get("WKST", "MO")),
        by_month=_numbers(parts, "BYMONTH", is_signed=False),
        by_week=_numbers(parts, "BYWEEKNO"),
        by_year_day=_numbers(parts, "BYYEARDAY"),
        by_month_day=_numbers(parts, "BYMONTHDAY"),
        by_day=_days(parts, frequency),
        by_position=_numbers(parts, "BYSETPOS"),
        times=tuple((name, parts[name]) for name in ("BYHOUR", "BYMINUTE", "BYSECOND") if name in parts),
    )


def recurring(rule: Recurrence, first: date, last: date, budget: Budget, *, since: date = date.min) -> Iterator[date]:
    """Every day from ``first``, which always counts as one, to ``last``; at most ``count`` of them. ``until`` is left
    to the caller; days before ``since`` may be left out. Raises ``Misread`` when the budget is used up."""
    yield first
    left = None if rule.count is None else rule.count - 1
    full = _with_implied(rule, first)
    for period in _periods(full, first, last, since if left is None else date.min):
        chosen = [day for day in _days_of(full, period, budget) if _is_meant(full, day)]
        for day in _placed(chosen, full.by_position):
            if first < day <= last and left != 0:
                yield day
                left = None if left is None else left - 1
        if left == 0:
            return


def _with_implied(rule: Recurrence, first: date) -> Recurrence:
    """What the rule doesn't say it takes from its first day."""
    if rule.by_year_day or rule.by_month_day or rule.by_day:
        return rule
    match rule.frequency:
        case Frequency.YEARLY if rule.by_week:
            return replace(rule, by_day=frozenset({(0, first.weekday())}))
        case Frequency.YEARLY:
            return replace(
                rule, by_month=rule.by_month or frozenset({first.month}), by_month_day=frozenset({first.day})
            )
        case Frequency.MONTHLY:
            return replace(rule, by_month_day=frozenset({first.day}))
        case Frequency.WEEKLY:
            return replace(rule, by_day=frozenset({(0, first.weekday())}))
        case _:
            return rule


def _periods(rule: Recurrence, first: date, last: date, since: date) -> Iterator[date]:
    """The first day of each period, from that in which ``first`` lies; short ones that end before ``since`` are left
    out."""
    match rule.frequency:
        case Frequency.YEARLY:
            yield from (date(year, 1, 1) for year in range(first.year, last.year + 1, rule.interval))
        case Frequency.MONTHLY:
            months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month, rule.interval)
            yield from (date(month // 12, month % 12 + 1, 1) for month in months)
        case Frequency.WEEKLY | Frequency.DAILY:
            is_weekly = rule.frequency is Frequency.WEEKLY
            back = (first.weekday() - rule.week_start) % 7 if is_weekly else 0
            step = rule.interval * (7 if is_weekly else 1)
            begin = first.toordinal() - back
            begin += max(0, (since.toordinal() - begin) // step) * step
            yield from (date.fromordinal(day) for day in range(begin, last.toordinal() + 1, step))


def _days_of(rule: Recurrence, begin: date, budget: Budget) -> Iterator[date]:
    """The days of a period that lie in the rule's months, on the days of the month that it names."""
    match rule.frequency:
        case Frequency.YEARLY:
            months = sorted(rule.by_month) or range(1, 13)
            found = (day for month in months for day in _of_month(rule, begin.year, month))
        case Frequency.MONTHLY:
            found = (day for day in _of_month(rule, begin.year, begin.month))
        case Frequency.WEEKLY:
            found = (begin + step * _DAY for step in range(7))
        case Frequency.DAILY:
            found = (day for day in (begin,))
    for day in found:
        budget.spend()
        yield day
    budget.spend()


def _of_month(rule: Recurrence, year: int, month: int) -> Iterator[date]:
    length = monthrange(year, month)[1]
    told = {day if day > 0 else length + 1 + day for day in rule.by_month_day} or range(1, length + 1)
    return (date(year, month, day) for day in sorted(told) if 0 < day <= length)


def _is_meant(rule: Recurrence, day: date) -> bool:
    return (
        (not rule.by_month or day.month in rule.by_month)
        and (not rule.by_month_day or _is_among(rule.by_month_day, day.day, monthrange(day.year, day.month)[1]))
        and (not rule.by_year_day or _is_among(rule.by_year_day, day.timetuple().tm_yday, _length(day.year)))
        and (not rule.by_week or _is_among(rule.by_week, *_week(day, rule.week_start)))
        and (not rule.by_day or _is_weekday(rule, day))
    )


def _is_among(wanted: frozenset[int], number: int, total: int) -> bool:
    """Whether the number, counted from the beginning or from the end, is wanted."""
    return number in wanted or number - total - 1 in wanted


def _is_weekday(rule: Recurrence, day: date) -> bool:
    """Whether the day is one of the weekdays, or has its place in the month or year among days of that name."""
    weekday = day.weekday()
    in_month = rule.frequency is Frequency.MONTHLY or bool(rule.by_month)
    number, total = (
        (day.day, monthrange(day.year, day.month)[1]) if in_month else (day.timetuple().tm_yday, _length(day.year))
    )
    places = (0, (number - 1) // 7 + 1, -((total - number) // 7 + 1))
    return any((place, weekday) in rule.by_day for place in places)


def _week(day: date, week_start: int) -> tuple[int, int]:
    """The number of a day's week, and how many the year of that week has: a week is of the year that has most of it."""
    middle = day - (day.weekday() - week_start) % 7 * _DAY + 3 * _DAY
    end = date(middle.year, 12, 28)
    last = end - (end.weekday() - week_start) % 7 * _DAY + 3 * _DAY
    return (middle.timetuple().tm_yday - 1) // 7 + 1, (last.timetuple().tm_yday - 1) // 7 + 1


def _placed(days: list[date], positions: frozenset[int]) -> list[date]:
    if not positions:
        return days
    return [day for at, day in enumerate(days, start=1) if _is_among(positions, at, len(days))]


def _length(year: int) -> int:
    return date(year, 12, 31).timetuple().tm_yday


# -- reading


def _frequency(parts: Mapping[str, str]) -> Frequency:
    told = parts.get("FREQ", "")
    if told in _SUB_DAILY:
        raise Misread(f"`FREQ={told}`: a closure repeats once a day at most")
    if told not in Frequency.__members__:
        raise Misread(f"`FREQ={told[:20]}` isn't understood" if told else "it has no `FREQ`")
    return Frequency(told)


def _days(parts: Mapping[str, str], frequency: Frequency) -> frozenset[tuple[int, int]]:
    found = set()
    for told in _listed(parts, "BYDAY"):
        place = _signed("BYDAY", told[:-2], 53) if told[:-2] else 0
        if place and (frequency in {Frequency.WEEKLY, Frequency.DAILY} or "BYWEEKNO" in parts):
            raise Misread(f"`BYDAY={told}`: a place such as {place} is for a month or a year")
        found.add((place, _weekday(told[-2:])))
    return frozenset(found)


def _weekday(told: str) -> int:
    if told not in _WEEKDAYS:
        raise Misread(f"`{told[:20]}` is no weekday")
    return _WEEKDAYS.index(told)


def _number(parts: Mapping[str, str], name: str, default: int) -> int:
    told = parts.get(name, str(default))
    if not (told.isascii() and told.isdigit() and 0 < len(told) <= 6 and int(told) > 0):
        raise Misread(f"`{name}` is no number")
    return int(told)


def _numbers(parts: Mapping[str, str], name: str, *, is_signed: bool = True) -> frozenset[int]:
    found = frozenset(_signed(name, told, _LIMITS[name]) for told in _listed(parts, name))
    if found and not is_signed and min(found) < 0:
        raise Misread(f"`{name}` has a number that is below 0")
    return found


def _listed(parts: Mapping[str, str], name: str) -> list[str]:
    told = [each.strip() for each in parts[name].split(",")] if name in parts else []
    if len(told) > _MOST_NUMBERS:
        raise Misread(f"`{name}` has more than {_MOST_NUMBERS} members")
    return told


def _signed(name: str, told: str, limit: int) -> int:
    digits = told.lstrip("+-") if told[:1] in {"+", "-"} else told
    is_number = digits.isascii() and digits.isdigit() and len(digits) <= 3 and len(told) - len(digits) <= 1
    if not is_number or not 0 < int(digits) <= limit:
        raise Misread(f"`{name}` has `{told[:20]}`, which is no number from 1 to {limit}")
    return -int(digits) if told.startswith("-") else int(digits)
