"""A calendar as it is written: time zone, weekly hours, dated exceptions, national holidays; and what can be wrong.

    calendars:
      company:
        time_zone: Asia/Seoul
        week: {mon-fri: ["09:00-18:00"]}
        holidays: {country: KR}
        dates:
          2026-12-24: {hours: ["09:00-13:00"], name: Half day}
          2026-12-30: {closed: ["15:00-18:00"], name: Party}   # its usual hours without these
          2026-12-31: {name: Founding day}          # no hours: closed
      night-shift:
        extends: company                            # zone, holidays and dates of the company, its own week
        week: {mon-thu: ["22:00-06:00"], sun: ["00:00-24:00"]}

A window that ends at or before its beginning goes over midnight and belongs to the day on which it begins: a closed
day closes what begins on it. `24:00` is the end of a day.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct, structs

from rules.errors import Path
from rules.holidays import is_known
from rules.shape import Flaw, suggestion

DAY_MS: Final = 86_400_000
_WHOLE_DAY: Final = "00:00-24:00"
DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"
_DAY = rf"({'|'.join(DAYS)})"
Days = Annotated[
    str,
    Meta(
        pattern=rf"^(daily|{_DAY}(-{_DAY})?)$",
        extra={"hint": 'is neither a day nor a range of days; write "mon", "mon-fri" or "daily"'},
    ),
]
Window = Annotated[
    str,
    Meta(
        pattern=r"^([01]\d|2[0-3]):[0-5]\d-(([01]\d|2[0-3]):[0-5]\d|24:00)$",
        extra={"hint": 'is no window of a day; write "09:00-17:30"'},
    ),
]
Hours = Annotated[tuple[Window, ...], Meta(max_length=24)]
File = Annotated[
    str,
    Meta(
        pattern=r"^[^/\\]{1,200}\.ics$",
        extra={"hint": 'is no name of a file of the same folder; write one such as "closures.ics"'},
    ),
]
Date = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$", extra={"hint": 'is no date; write "2026-12-24"'})]


class _Spec(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of what is written of a calendar."""


class SpecialDate(_Spec, frozen=True, kw_only=True):
    """One date that differs from its weekday. With `hours` it has those; with `closed` it has its usual ones (the
    weekday's, or the holiday's) except while a clock on the wall shows a time within these windows; with neither it is
    closed."""

    hours: Hours = ()
    closed: Hours = ()
    name: Annotated[str, Meta(max_length=200)] = ""


class HolidaySpec(_Spec, frozen=True, kw_only=True):
    """The public holidays of a country (ISO 3166-1), or of one of its regions; in-between and substitute days too.

    `hours` are kept on them; without any, they are closed. `language` is that of their names (the country's own when
    left out).
    """

    country: Annotated[
        str, Meta(pattern=r"^[A-Z]{2}$", extra={"hint": 'is no country; write two capital letters, such as "KR"'})
    ]
    region: Annotated[str, Meta(max_length=16)] | None = None
    language: (
        Annotated[
            str,
            Meta(
                pattern=r"^[a-z]{2,3}(_[A-Z]{2})?$",
                extra={"hint": 'is no language; write one such as "ko" or "en_US"'},
            ),
        ]
        | None
    ) = None
    hours: Hours = ()


class CalendarSpec(_Spec, frozen=True, kw_only=True):
    """A calendar as written. What it leaves out it has from the calendar that it extends; of `dates` it has both, its
    own first. `closures` names iCalendar files of the same folder, whose events close it: a loaded calendar has them
    among its `dates`."""

    time_zone: Annotated[str, Meta(max_length=64)] | None = None
    extends: Annotated[str, Meta(pattern=_NAME)] | None = None
    week: dict[Days, Hours] | None = None
    holidays: HolidaySpec | None = None
    dates: Annotated[dict[Date, SpecialDate], Meta(max_length=5_000)] = {}
    closures: Annotated[tuple[File, ...], Meta(max_length=20)] = ()


Specs = Mapping[str, CalendarSpec]
Spans = tuple[tuple[int, int], ...]


def whole(name: str, specs: Specs) -> CalendarSpec:
    """The calendar with all that it has from those it extends. The names must exist and not go round in circles."""
    spec = specs[name]
    if spec.extends is None:
        return spec
    base = whole(spec.extends, specs)
    return structs.replace(
        spec,
        extends=None,
        time_zone=spec.time_zone or base.time_zone,
        week=base.week if spec.week is None else spec.week,
        holidays=spec.holidays or base.holidays,
        dates={**base.dates, **spec.dates},
    )


def spans(hours: Hours) -> Spans:
    """Windows as milliseconds from the beginning of their day; one that goes over midnight ends beyond the day."""
    return tuple(_span(window) for window in hours)


def without(open_spans: Spans, closed: Spans) -> Spans:
    """What is left of spans of open time when others are taken out of them."""
    left = open_spans
    for begin, end in closed:
        halves = (half for first, last in left for half in ((first, min(last, begin)), (max(first, end), last)))
        left = tuple(half for half in halves if half[0] < half[1])
    return left


def week_of(spec: CalendarSpec) -> tuple[Hours, ...]:
    """The hours of each weekday, Monday first."""
    hours: list[Hours] = [()] * 7
    for days, windows in (spec.week or {}).items():
        for day in weekdays(days):
            hours[day] = windows
    return tuple(hours)


def weekdays(days: str) -> tuple[int, ...]:
    """`daily`, `tue` or `sat-mon` as numbers, Monday is 0."""
    if days == "daily":
        return tuple(range(7))
    first, _, last = days.partition("-")
    begin, end = DAYS.index(first), DAYS.index(last or first)
    return tuple(day % 7 for day in range(begin, end + 1 if end >= begin else end + 8))


def flaws(specs: Specs) -> Iterator[Flaw]:
    """All that is wrong with calendars that are well-shaped."""
    for name, spec in specs.items():
        path: Path = ("calendars", name)
        circle = list(_base_flaws(name, specs, path))
        yield from circle
        yield from _own_flaws(spec, path)
        if not circle:
            yield from _whole_flaws(whole(name, specs), path)


def _base_flaws(name: str, specs: Specs, path: Path) -> Iterator[Flaw]:
    seen = [name]
    while (base := specs[seen[-1]].extends) is not None:
        if base not in specs:
            if len(seen) == 1:
                yield Flaw((*path, "extends"), f"there is no calendar `{base}`{suggestion(base, specs)}")
            else:
                yield Flaw((*path, "extends"), f"`{seen[-1]}` extends a calendar that isn't there")
            return
        if base in seen:
            yield Flaw((*path, "extends"), f"it extends itself: {' -> '.join([*seen, base])}")
            return
        seen.append(base)


def _own_flaws(spec: CalendarSpec, path: Path) -> Iterator[Flaw]:
    if spec.time_zone is not None and not is_zone(spec.time_zone):
        yield Flaw((*path, "time_zone"), f'"{spec.time_zone}" is no time zone; write one such as "Asia/Seoul"')
    taken: dict[int, str] = {}
    for days, hours in (spec.week or {}).items():
        for day in weekdays(days):
            if day in taken:
                yield Flaw((*path, "week", days), f"{DAYS[day]} is in `{taken[day]}` already", of_key=True)
                break
            taken[day] = days
        yield from _hour_flaws(hours, (*path, "week", days))
    for written, special in spec.dates.items():
        if not _is_date(written):
            yield Flaw((*path, "dates", written), f"`{written}` is no date", of_key=True)
        yield from _hour_flaws(special.hours, (*path, "dates", written, "hours"))
        yield from _hour_flaws(special.closed, (*path, "dates", written, "closed"))
        if special.hours and special.closed:
            yield Flaw((*path, "dates", written), "it has both `hours` and `closed`: write one of them")
    if spec.holidays is not None:
        yield from _hour_flaws(spec.holidays.hours, (*path, "holidays", "hours"))
        if not is_known(spec.holidays.country, spec.holidays.region):
            place = f"{spec.holidays.country} {spec.holidays.region or ''}".strip()
            yield Flaw((*path, "holidays"), f"no public holidays are known for `{place}`")


def _whole_flaws(spec: CalendarSpec, path: Path) -> Iterator[Flaw]:
    if spec.time_zone is None:
        yield Flaw(path, "the field `time_zone` is missing, here and in what it extends")
    if spec.week is None:
        yield Flaw(path, "the field `week` is missing, here and in what it extends")
    elif not any(spec.week.values()):
        yield Flaw((*path, "week"), "it is never open: give at least one window a week")


def _hour_flaws(hours: Hours, path: Path) -> Iterator[Flaw]:
    reached: tuple[int, str] = (-1, "")
    for index, window in enumerate(hours):
        begin, end = _span(window)
        if begin == end - DAY_MS and window != _WHOLE_DAY:
            yield Flaw((*path, index), f'"{window}" is empty or a whole day; write "00:00-24:00" for a day')
        elif begin < reached[0]:
            yield Flaw((*path, index), f'"{window}" begins before "{reached[1]}" has ended')
        reached = (end, window)


def _span(window: str) -> tuple[int, int]:
    first, last = window.split("-")
    begin, end = _minutes(first), _minutes(last)
    return begin * 60_000, (end if end > begin else end + 1440) * 60_000


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def is_zone(name: str) -> bool:
    """Whether there is a time zone of that name."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # what isn't found is a KeyError
        return False
    return True


def _is_date(written: str) -> bool:
    try:
        date.fromisoformat(written)
    except ValueError:
        return False
    return True
