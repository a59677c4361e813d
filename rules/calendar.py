"""Business time, exactly: when an amount of it is used up, how much lies between two instants, what counted and why.

Instants are UTC milliseconds. A calendar is open at an instant if a clock on the wall there shows a time inside one of
the day's windows: an hour that is skipped in spring never counts, one that comes twice in autumn counts twice, and
"00:00-24:00" on seven days is all of time. Nothing is open from the year 2200 on.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import accumulate, islice
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from rules.holidays import holidays_of
from rules.opening_hours import DAY_MS, CalendarSpec, Spans, spans, week_of, without

_FIRST_YEAR: Final = 1970
_LAST_YEAR: Final = 2199
_EPOCH: Final = date(1970, 1, 1)
_DAY: Final = timedelta(days=1)
_MILLISECOND: Final = timedelta(milliseconds=1)


class NeverOpen(Exception):
    """The calendar isn't open for so long any more."""

    retryable = False


class Segment(Struct, frozen=True, kw_only=True):
    """A stretch of time that counted or didn't. ``names`` are those of the special days for which it didn't."""

    from_ms: int
    to_ms: int
    counted: bool
    names: tuple[str, ...] = ()


class _Year(Struct, frozen=True):
    """The open stretches within one year of UTC, apart from each other. ``before`` is what is open before each, and
    at the end in all."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    before: tuple[int, ...]

    def open_before(self, at_ms: int) -> int:
        """Milliseconds open in this year before that instant."""
        index = bisect_right(self.starts, at_ms) - 1
        if index < 0:
            return 0
        return self.before[index] + min(at_ms, self.ends[index]) - self.starts[index]

    def reached(self, amount_ms: int) -> int:
        """The instant at which so much of the year's open time is used up; 0 is the first opening."""
        if amount_ms == 0:
            return self.starts[0]
        index = bisect_left(self.before, amount_ms) - 1
        return self.starts[index] + amount_ms - self.before[index]


class Calendar:
    """One compiled calendar. Years are worked out when they are first asked for, and kept."""

    def __init__(self, spec: CalendarSpec) -> None:
        """``spec`` is whole: it extends nothing, has a time zone and a week, and no flaws."""
        assert spec.time_zone is not None
        self._spec = spec
        self._zone = ZoneInfo(spec.time_zone)
        self._week = [spans(hours) for hours in week_of(spec)]
        self._dates = {date.fromisoformat(each): special for each, special in spec.dates.items()}
        self._partly_closed = any(special.closed for special in spec.dates.values())
        self._years: dict[int, _Year] = {}

    @property
    def zone(self) -> ZoneInfo:
        return self._zone

    def due(self, start_ms: int, amount_ms: int) -> int:
        """When ``amount_ms`` of business time since ``start_ms`` is used up: at the end of a window rather than at
        the beginning of the next. Nothing is used up at once. Raises ``NeverOpen``."""
        if amount_ms <= 0:
            return start_ms
        number = _year_of(start_ms)
        year = self._year(number)
        amount_ms += year.open_before(start_ms)
        while amount_ms > year.before[-1]:
            amount_ms -= year.before[-1]
            number += 1
            year = self._year(number)
        return year.reached(amount_ms)

    def back(self, end_ms: int, amount_ms: int) -> int:
        """The latest instant from which ``amount_ms`` of business time lead to ``end_ms``: at the beginning of a
        window rather than at the end of the one before. Raises ``NeverOpen``."""
        if amount_ms <= 0:
            return end_ms
        number = _year_of(end_ms)
        year = self._year(number)
        left_ms = year.open_before(end_ms) - amount_ms
        while left_ms < 0:
            number -= 1
            year = self._year(number)
            left_ms += year.before[-1]
        index = bisect_right(year.before, left_ms, hi=len(year.starts)) - 1
        return year.starts[index] + left_ms - year.before[index]

    def worked(self, from_ms: int, to_ms: int) -> int:
        """Business time between two instants; negative when they are the wrong way round."""
        if to_ms < from_ms:
            return -self.worked(to_ms, from_ms)
        first, last = _year_of(from_ms), _year_of(to_ms)
        whole = sum(self._year(number).before[-1] for number in range(first, last))
        return whole + self._year(last).open_before(to_ms) - self._year(first).open_before(from_ms)

    def is_open(self, at_ms: int) -> bool:
        return self.worked(at_ms, at_ms + 1) > 0

    def next_opening(self, at_ms: int) -> int:
        """The first instant from ``at_ms`` on at which it is open: itself when it is. Raises ``NeverOpen``."""
        return self.due(at_ms, 1) - 1

    def openings(self, at_ms: int, count: int) -> tuple[tuple[int, int], ...]:
        """The next stretches of open time within two years, the first from ``at_ms`` on: a preview for whoever wrote
        the calendar."""
        last_ms = min(at_ms + 2 * 366 * DAY_MS, _midnight(_LAST_YEAR + 1) - 1)
        return tuple(islice(_joined(self._stretches(at_ms, last_ms)), count))

    def segments(self, from_ms: int, to_ms: int) -> tuple[Segment, ...]:
        """All of the time between two instants, stretch by stretch: what counted, what didn't, and for which special
        days. What counted adds up to ``worked``."""
        found: list[Segment] = []
        reached = from_ms
        for start, end in _joined(self._stretches(from_ms, to_ms)):
            if start > reached:
                found.append(self._closed(reached, start))
            found.append(Segment(from_ms=start, to_ms=end, counted=True))
            reached = end
        if reached < to_ms:
            found.append(self._closed(reached, to_ms))
        return tuple(found)

    def _stretches(self, from_ms: int, to_ms: int) -> Iterator[tuple[int, int]]:
        for number in range(_year_of(from_ms), _year_of(to_ms) + 1):
            year = self._year(number)
            for start, end in zip(year.starts, year.ends, strict=True):
                if end > from_ms and start < to_ms:
                    yield max(start, from_ms), min(end, to_ms)

    def _closed(self, from_ms: int, to_ms: int) -> Segment:
        first = datetime.fromtimestamp(from_ms / 1000, self._zone).date()
        last = datetime.fromtimestamp((to_ms - 1) / 1000, self._zone).date()
        days = (first + step * _DAY for step in range(min((last - first).days, 366) + 1))
        named = ((day, name) for day in days if (name := self.name_of(day)))
        names = dict.fromkeys(name for day, name in named if self._is_why(day, from_ms, to_ms))
        return Segment(from_ms=from_ms, to_ms=to_ms, counted=False, names=tuple(names))

    def _is_why(self, day: date, from_ms: int, to_ms: int) -> bool:
        """Whether a special day has taken usual hours out of what is closed. One without any hours always counts, also
        on a weekend: whoever checks the stretch looks for it."""
        if not self._hours(day):
            return True
        midnight = datetime.combine(day, datetime.min.time(), self._zone)
        begin, end = (
            (datetime.fromtimestamp(at_ms / 1000, self._zone) - midnight) // _MILLISECOND for at_ms in (from_ms, to_ms)
        )
        return any(first < end and begin < last for first, last in self._taken(day))

    def _taken(self, day: date) -> Spans:
        """What a special day that has hours takes from the usual ones, its own and those of the night before."""
        special, usual = self._dates.get(day), self._week[day.weekday()]
        if special is None or not special.closed:
            return without(usual, self._hours(day))
        night = tuple((begin - DAY_MS, end - DAY_MS) for begin, end in self._hours(day - _DAY))
        return tuple(
            (max(first, begin), min(last, end))
            for first, last in (*night, *self._hours(day))
            for begin, end in spans(special.closed)
            if max(first, begin) < min(last, end)
        )

    # -- days

    def name_of(self, day: date) -> str:
        """What makes the day special: its own name, else the holiday's; empty on any other day."""
        special = self._dates.get(day)
        if special is not None:
            return special.name or self._holidays(day.year).get(day, "") or day.isoformat()
        return self._holidays(day.year).get(day, "")

    def windows_on(self, day: date) -> Spans:
        """The windows that begin on the day, in milliseconds from its midnight by the clock on the wall; one over
        midnight ends beyond the day."""
        return without(self._hours(day), self._closed_around(day))

    def _hours(self, day: date) -> Spans:
        special = self._dates.get(day)
        if special is not None and not special.closed:
            return spans(special.hours)
        if self._spec.holidays is not None and day in self._holidays(day.year):
            return spans(self._spec.holidays.hours)
        return self._week[day.weekday()]

    def _closed_around(self, day: date) -> Spans:
        """What is taken out of the hours that begin on that day: windows reach into the next one, and these do too."""
        if not self._partly_closed:
            return ()
        near = ((step, self._dates.get(day + timedelta(days=step))) for step in (-1, 0, 1))
        return tuple(
            (begin + step * DAY_MS, end + step * DAY_MS)
            for step, special in near
            if special is not None
            for begin, end in spans(special.closed)
        )

    def _holidays(self, year: int) -> dict[date, str]:
        told = self._spec.holidays
        return {} if told is None else holidays_of(told.country, told.region, told.language, year)

    # -- years

    def _year(self, number: int) -> _Year:
        year = self._years.get(number)
        if year is None:
            year = self._years[number] = self._worked_out(number)
        return year

    def _worked_out(self, number: int) -> _Year:
        if not _FIRST_YEAR <= number <= _LAST_YEAR:
            raise NeverOpen(f"the calendar isn't known for the year {number}")
        first, last = _midnight(number), _midnight(number + 1)
        offsets = [part for year in (number - 1, number, number + 1) for part in offsets_of(self._zone, year)]
        stretches: list[tuple[int, int]] = []
        # Two days more on each side: zones differ from UTC by up to 14 hours, and windows reach into the next day.
        for step in range(-2, (last - first) // DAY_MS + 2):
            day = _EPOCH + timedelta(days=first // DAY_MS + step)
            stretches += self._open_on(day, offsets)
        merged = _merged((max(start, first), min(end, last)) for start, end in stretches)
        lengths = (end - start for start, end in merged)
        before = tuple(accumulate(lengths, initial=0))
        return _Year(tuple(start for start, _ in merged), tuple(end for _, end in merged), before)

    def _open_on(self, day: date, offsets: Sequence[tuple[int, int, int]]) -> Iterator[tuple[int, int]]:
        """The instants at which the wall shows a time within the windows that begin on that day."""
        midnight = (day - _EPOCH).days * DAY_MS
        for begin, end in self.windows_on(day):
            for first, last, offset in offsets:
                yield max(midnight + begin - offset, first), min(midnight + end - offset, last)


@lru_cache(maxsize=1024)
def offsets_of(zone: ZoneInfo, year: int) -> tuple[tuple[int, int, int], ...]:
    """The year's stretches of one distance to UTC: from, to, and how far the zone is ahead, in milliseconds."""
    parts: list[tuple[int, int, int]] = []
    first, last = _midnight(year), _midnight(year + 1)
    begin, offset = first, _offset(zone, first)
    for at in range(first + DAY_MS, last + 1, DAY_MS):
        if _offset(zone, at) != offset:
            change = _change(zone, at - DAY_MS, at)
            parts.append((begin, change, offset))
            begin, offset = change, _offset(zone, at)
    return (*parts, (begin, last, offset))


def _change(zone: ZoneInfo, before: int, after: int) -> int:
    """The first second in between at which the distance to UTC is another."""
    old = _offset(zone, before)
    while after - before > 1000:
        middle = (before + after) // 2000 * 1000
        before, after = (middle, after) if _offset(zone, middle) == old else (before, middle)
    return after


def _offset(zone: ZoneInfo, at_ms: int) -> int:
    ahead = datetime.fromtimestamp(at_ms / 1000, zone).utcoffset()
    assert ahead is not None
    return round(ahead / timedelta(milliseconds=1))


def _joined(stretches: Iterator[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Stretches in order, those that meet at the turn of a year made one."""
    held = next(stretches, None)
    for start, end in stretches:
        if held is not None and held[1] == start:
            held = (held[0], end)
        elif held is not None:
            yield held
            held = (start, end)
    if held is not None:
        yield held


def _merged(stretches: Iterator[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same instants in stretches that are in order, apart and not empty."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(each for each in stretches if each[0] < each[1]):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def _midnight(year: int) -> int:
    return (date(year, 1, 1) - _EPOCH).days * DAY_MS


def _year_of(at_ms: int) -> int:
    return datetime.fromtimestamp(at_ms / 1000, UTC).year
