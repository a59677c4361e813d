"""The time zones of iCalendar files: as they are named, by whatever program, or as the file describes them itself."""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import win_tz

from rules.icalendar.components import Component, Property, Unusable, when
from rules.icalendar.recurrence import Budget, Misread, read_rule, recurring
from rules.opening_hours import is_zone

Zone = Callable[[datetime], datetime]
"""From what a clock on the wall shows to the instant, in UTC."""

_OFFSET: Final = re.compile(r"([+-])(\d{2})(\d{2})(\d{2})?", re.ASCII)
_LAST: Final = date(2100, 1, 1)


class _Onset(NamedTuple):
    """A time from which on the clocks are another distance ahead of UTC, by the clocks before it."""

    at: datetime
    before: timedelta
    after: timedelta


def wall_of(zone: ZoneInfo) -> Zone:
    """The clock of a zone that is known."""
    return lambda wall: wall.replace(tzinfo=zone).astimezone(UTC)


def zone_named(told: Property, name: str, described: Mapping[str, Component], budget: Budget) -> Zone:
    """The zone of that name: one of the world's list (``Asia/Seoul``), one as Windows and Outlook call it (``Korea
    Standard Time``), either behind a prefix, or one that the file describes. Raises ``Unusable``."""
    known = _known(name)
    if known is None and name in described:
        own = described[name]
        known = _known(own.text("X-LIC-LOCATION")) or _known(own.text("TZID"))
        if known is None:
            return _described(own, budget)
    if known is None:
        raise told.refused(f'there is no time zone "{name[:80]}", and the file doesn\'t describe it')
    return wall_of(ZoneInfo(known))


def _known(name: str) -> str | None:
    parts = [part for part in name.strip().split("/") if part]
    for count in (len(parts), 3, 2, 1):  # others put a prefix before it: /example.org/20260101_1/Asia/Seoul
        tail = "/".join(parts[-count:]) if 0 < count <= len(parts) else ""
        if tail and (found := win_tz.get(tail, tail)) and is_zone(found):
            return found
    return None


def _described(zone: Component, budget: Budget) -> Zone:
    onsets = sorted(onset for part in zone.parts for onset in _onsets(part, budget))
    if not onsets:
        raise Unusable(f'line {zone.line}: the time zone "{zone.text("TZID")[:80]}" says no distance to UTC')
    begins = [onset.at for onset in onsets]

    def to_utc(wall: datetime) -> datetime:
        at = bisect_right(begins, wall)
        ahead = onsets[at - 1].after if at else onsets[0].before
        return (wall - ahead).replace(tzinfo=UTC)

    return to_utc


def _onsets(part: Component, budget: Budget) -> Iterator[_Onset]:
    start, before, after = part.first("DTSTART"), part.first("TZOFFSETFROM"), part.first("TZOFFSETTO")
    if start is None or before is None or after is None:
        raise Unusable(f"line {part.line}: `{part.kind[:40]}` lacks `DTSTART`, `TZOFFSETFROM` or `TZOFFSETTO`")
    first = when(start, start.value).wall
    distances = _distance(before), _distance(after)
    begins = [first]
    begins += [when(each, told).wall for each in part.all("RDATE") for told in each.value.split(",") if told.strip()]
    if (told := part.first("RRULE")) is not None:
        begins += [datetime.combine(day, first.time()) for day in _repeated(told, first.date(), budget)]
    yield from (_Onset(begin, *distances) for begin in begins)


def _repeated(told: Property, first: date, budget: Budget) -> Iterator[date]:
    try:
        rule = read_rule(told.value)
        last = when(told, rule.until).wall.date() if rule.until else _LAST
        yield from recurring(rule, first, min(last, _LAST), budget)
    except Misread as exc:
        raise told.refused(str(exc)) from exc


def _distance(told: Property) -> timedelta:
    found = _OFFSET.fullmatch(told.value.strip())
    if found is None:
        raise told.refused(f"`{told.value.strip()[:20]}` is no distance to UTC such as +0900")
    sign, hours, minutes, seconds = found.groups()
    ahead = timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds or 0))
    return -ahead if sign == "-" else ahead
