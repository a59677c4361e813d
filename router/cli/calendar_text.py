"""A calendar as whoever wrote it would check it: whether it is open, its next days, and the special ones. Pure."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Final, NamedTuple

from rules.calendar import Calendar
from rules.opening_hours import Spans

_DAYS: Final = 3
_SPECIAL: Final = 8
_AHEAD: Final = 366
_DAY_MS: Final = 86_400_000
_ALWAYS: Final = ((0, _DAY_MS),)


class _Said(NamedTuple):
    head: str
    now_open: str
    now_closed: str
    always: str
    never: str
    coming: str
    special: str
    closed: str
    date: str
    weekdays: tuple[str, ...]


SAID: Final = {
    "en": _Said(
        "calendar {name} ({zone}, where it is {now}): {state}",
        "open until {at}",
        "closed until {at}",
        "open at all times",
        "not open in the next two years",
        "next:",
        "special days:",
        "closed",
        "{weekday} {date}",
        ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    ),
    "ko": _Said(
        "달력 {name} ({zone}, 현지 시각 {now}): {state}",
        "{at}까지 운영",
        "운영 시간 아님, {at}부터 운영",
        "연중무휴 24시간 운영",
        "앞으로 2년 동안 운영하지 않음",
        "다음 운영일:",
        "특별한 날:",
        "휴무",
        "{date}({weekday})",
        ("월", "화", "수", "목", "금", "토", "일"),
    ),
}


def calendar_lines(name: str, calendar: Calendar, now_ms: int, language: str = "en") -> Iterator[str]:
    """The next three days on which it is open, today until it closes, and the next eight special ones, all within a
    year; times as a clock on the wall there shows them."""
    said = SAID[language]
    today = _wall(calendar, now_ms).date()
    days = [today + timedelta(days=step) for step in range(_AHEAD)]
    is_always = all(calendar.windows_on(day) == _ALWAYS for day in days)
    state = said.always if is_always else _state(calendar, now_ms, said)
    yield said.head.format(name=name, zone=calendar.zone, now=_moment(calendar, now_ms, said), state=state)
    if not is_always:
        opened = (day for day in days if calendar.windows_on(day) and not _is_over(calendar, day, now_ms))
        yield from _listed(said.coming, calendar, islice(opened, _DAYS), said)
    special = (day for day in days if calendar.name_of(day))
    yield from _listed(said.special, calendar, islice(special, _SPECIAL), said)


def _listed(title: str, calendar: Calendar, days: Iterator[date], said: _Said) -> Iterator[str]:
    for number, day in enumerate(days):
        if not number:
            yield f"  {title}"
        name = calendar.name_of(day)
        yield f"    {_date(day, said)}  {_hours(calendar.windows_on(day)) or said.closed}{f'  {name}' if name else ''}"


def _is_over(calendar: Calendar, day: date, now_ms: int) -> bool:
    """Whether the last window that begins on the day has ended."""
    midnight = datetime.combine(day, datetime.min.time(), calendar.zone)
    return midnight + timedelta(milliseconds=calendar.windows_on(day)[-1][1]) <= _wall(calendar, now_ms)


def _state(calendar: Calendar, now_ms: int, said: _Said) -> str:
    found = calendar.openings(now_ms, 1)
    if not found:
        return said.never
    begin, end = found[0]
    is_open = begin <= now_ms
    return (said.now_open if is_open else said.now_closed).format(at=_moment(calendar, end if is_open else begin, said))


def _hours(windows: Spans) -> str:
    return ", ".join(f"{_clock(begin)}-{_clock(end, is_end=True)}" for begin, end in windows)


def _clock(at_ms: int, *, is_end: bool = False) -> str:
    minute = at_ms // 60_000 % 1440
    return "24:00" if is_end and not minute else f"{minute // 60:02}:{minute % 60:02}"


def _moment(calendar: Calendar, at_ms: int, said: _Said) -> str:
    shown = _wall(calendar, at_ms)
    return f"{_date(shown.date(), said)} {shown:%H:%M}"


def _date(day: date, said: _Said) -> str:
    return said.date.format(weekday=said.weekdays[day.weekday()], date=day.isoformat())


def _wall(calendar: Calendar, at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, calendar.zone)
