"""Closures of a calendar from iCalendar files: whole days, and parts of days. Pure: text in.

An event of whole days closes them; so does one with times that covers a day from midnight to midnight. Any other
closes the part of the day during which it takes place, by the clock on the calendar's wall, to the minute. An event
with times that is shown as free (``TRANSP:TRANSPARENT``) closes nothing; one of whole days does even so, for that is
how programs publish holidays.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from rules.errors import Path
from rules.icalendar.components import Unusable, read
from rules.icalendar.events import Reader
from rules.icalendar.occurrences import Occurrence, occurrences
from rules.icalendar.recurrence import Budget
from rules.opening_hours import CalendarSpec, SpecialDate, is_zone
from rules.shape import Flaw, suggestion

MAX_DATES: Final = 5_000
_MOST: Final = 20_000
_MOST_WINDOWS: Final = 24
_WORK: Final = 300_000
_DAY: Final = 1_440
_MINUTE: Final = timedelta(minutes=1)

_Parts = list[tuple[int, int]]


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """What a file does to a calendar that names it: the last day on which it closes anything; None when it never
    does."""

    file: str
    last: date | None


class _Closed(msgspec.Struct):
    """What is closed of one day, in minutes from its midnight, by which events."""

    parts: _Parts
    names: dict[str, None]


_Found = dict[date, _Closed]


def closures_of(text: str, zone: ZoneInfo) -> dict[str, SpecialDate]:
    """The days of a file's events as dates of a calendar in that zone. Raises ``Unusable``."""
    found: _Found = {}
    _add(found, text, zone)
    return _dates(found)


def with_closures(
    calendars: Mapping[str, CalendarSpec], files: Mapping[str, str], flaws: list[Flaw], closing: dict[Path, Closing]
) -> dict[str, CalendarSpec]:
    """The calendars with the days of the files they name among their dates; what they say themselves goes before.
    Files are known by the last part of their path. What can't be used is added to ``flaws``, how far each file that
    can reaches to ``closing``, by where it is named."""
    by_name = {path.replace("\\", "/").rpartition("/")[2]: text for path, text in files.items()}
    return {
        name: _filled(
            spec, by_name, ("calendars", name, "closures"), flaws, zone=_zone(name, calendars), closing=closing
        )
        for name, spec in calendars.items()
    }


def _filled(
    spec: CalendarSpec,
    files: Mapping[str, str],
    path: Path,
    flaws: list[Flaw],
    *,
    zone: ZoneInfo,
    closing: dict[Path, Closing],
) -> CalendarSpec:
    found: _Found = {}
    for index, file in enumerate(spec.closures):
        if file not in files:
            flaws.append(Flaw((*path, index), f"there is no file `{file}`{suggestion(file, files)}"))
            continue
        try:
            last = _add(found, files[file], zone)
            _dates(found)
            closing[*path, index] = Closing(file=file, last=last)
        except Unusable as exc:
            flaws.append(Flaw((*path, index), f"`{file}`: {exc}"))
            found.clear()
    joined = {**_dates(found), **spec.dates}
    if len(joined) > MAX_DATES:
        flaws.append(Flaw(path, f"with these files it has more than {MAX_DATES:,} dates"))
    return msgspec.structs.replace(spec, closures=(), dates=joined) if spec.closures else spec


def _add(found: _Found, text: str, zone: ZoneInfo) -> date | None:
    """The last of the days that it has added."""
    budget = Budget(_WORK)
    reader = Reader(read(text), zone, budget)
    count, latest = 0, None
    for each in occurrences(reader.events(), reader.newest(), budget):
        for day, begin, end in _days(each, zone):
            count += 1
            latest = day if latest is None else max(latest, day)
            closed = found.setdefault(day, _Closed([], {}))
            closed.parts.append((begin, end))
            closed.names |= {each.name: None} if each.name else {}
        if max(count, len(found)) > _MOST:
            raise Unusable(f"line {each.line}: with this event it closes more than {_MOST:,} days")
    return latest


def _dates(found: _Found) -> dict[str, SpecialDate]:
    return {day.isoformat(): _special(day, closed) for day, closed in sorted(found.items())}


def _zone(name: str, calendars: Mapping[str, CalendarSpec]) -> ZoneInfo:
    """The calendar's zone, its own or that of one it extends; any where none is told, which is a flaw elsewhere."""
    seen: set[str] = set()
    while name in calendars and name not in seen:
        told = calendars[name].time_zone
        if told is not None:
            return ZoneInfo(told if is_zone(told) else "UTC")
        seen.add(name)
        name = calendars[name].extends or ""
    return ZoneInfo("UTC")


def _days(each: Occurrence, zone: ZoneInfo) -> Iterator[tuple[date, int, int]]:
    """The days on which it closes something, from which minute to which."""
    if each.begin.is_day:
        yield from (
            (each.begin.at.date() + timedelta(days=step), 0, _DAY) for step in range((each.end - each.begin.at).days)
        )
        return
    begin, end = (at.astimezone(zone).replace(tzinfo=None) for at in (each.begin.at, each.end))
    if each.is_free or each.end == each.begin.at:
        return
    day = begin.date()
    while (midnight := datetime.combine(day, datetime.min.time())) < end:
        first = max(0, (begin - midnight) // _MINUTE)
        last = min(_DAY, -((midnight - end) // _MINUTE))
        if first < last:
            yield day, first, last
        day += timedelta(days=1)


def _special(day: date, closed: _Closed) -> SpecialDate:
    parts = _merged(closed.parts)
    if parts == [(0, _DAY)]:
        return SpecialDate(name=_named(closed.names))
    if len(parts) > _MOST_WINDOWS:
        raise Unusable(f"it closes more than {_MOST_WINDOWS} parts of {day}")
    windows = tuple(f"{_clock(begin)}-{_clock(end)}" for begin, end in parts)
    return SpecialDate(closed=windows, name=_named(closed.names))


def _merged(parts: Iterable[tuple[int, int]]) -> _Parts:
    found: _Parts = []
    for begin, end in sorted(parts):
        if found and begin <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((begin, end))
    return found


def _named(names: Iterable[str]) -> str:
    return " / ".join(names)[:200]


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
