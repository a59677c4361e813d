"""When the events of an iCalendar file take place: repeated, excepted, added, moved and cancelled. Pure and bounded.

Events of one ``UID`` belong together: one that repeats, and those that stand for single occurrences of it
(``RECURRENCE-ID``), or for all from one on (``RANGE=THISANDFUTURE``). Of several versions of one the latest
``SEQUENCE`` counts.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple

from rules.icalendar.events import YEARS, Event, Moment
from rules.icalendar.recurrence import Budget, Frequency, Misread, recurring

_KEPT_YEARS: Final = 2
_YEARS_AHEAD: Final = 10
_YEARLY_AHEAD: Final = 50


class Occurrence(NamedTuple):
    """One time that an event takes place: whole days, from the first to before the last, or from an instant to
    another. ``is_free``: nobody is kept by it."""

    name: str
    begin: Moment
    end: datetime
    is_free: bool
    line: int


class _Begin(NamedTuple):
    """Where an occurrence begins, on which day by its event's own clock, and how long it lasts if that differs."""

    moment: Moment
    day: date
    lasts: timedelta | None = None


def occurrences(events: Iterable[Event], newest: int, budget: Budget) -> Iterator[Occurrence]:
    """All that take place. What repeats yearly is written out for 50 years from the year ``newest``, what repeats more
    often from two years before to ten years after it. Raises ``Unusable``."""
    by_uid: dict[str, list[Event]] = {}
    for number, event in enumerate(events):
        by_uid.setdefault(event.uid or f"\0{number}", []).append(event)
    for together in by_uid.values():
        yield from _of_one(_latest(together), newest, budget)


def _latest(events: Sequence[Event]) -> list[Event]:
    newest: dict[Moment | None, int] = {}
    for event in events:
        newest[event.replaces] = max(newest.get(event.replaces, 0), event.sequence)
    return [event for event in events if event.sequence == newest[event.replaces]]


def _of_one(events: Sequence[Event], newest: int, budget: Budget) -> Iterator[Occurrence]:
    changes = sorted((event for event in events if event.replaces is not None), key=_place)
    replaced = _left_out(each.replaces for each in changes if each.replaces is not None)
    lasting = [each for each in changes if each.and_future]
    for event in events:
        if event.replaces is None and not event.is_cancelled:
            excepted = _left_out(event.excepted)
            for begin in _begins(event, newest, budget):
                if not (_is_among(begin, replaced) or _is_among(begin, excepted)):
                    yield from _at(event, begin, lasting)
    for change in changes:
        if not change.is_cancelled:
            yield _occurrence(change, change.begin.at)


def _at(event: Event, begin: _Begin, lasting: Sequence[Event]) -> Iterator[Occurrence]:
    """What takes place where the event would: it, or what the last change before that made of it, which lies as far
    from there as the change from the occurrence it was made for."""
    changes = bisect_left(lasting, begin.moment.at, key=_place)
    if not changes:
        yield _occurrence(event, begin.moment.at, begin.lasts)
    elif not (change := lasting[changes - 1]).is_cancelled:
        yield _occurrence(change, begin.moment.at + (change.begin.at - _place(change)))


_LeftOut = tuple[set[datetime], set[date]]


def _is_among(begin: _Begin, left_out: _LeftOut) -> bool:
    instants, days = left_out
    return begin.moment.at in instants or begin.day in days


def _left_out(moments: Iterable[Moment]) -> _LeftOut:
    told = list(moments)
    return {each.at for each in told if not each.is_day}, {each.at.date() for each in told if each.is_day}


def _begins(event: Event, newest: int, budget: Budget) -> Iterator[_Begin]:
    if event.rule is None:
        yield _Begin(event.begin, event.wall.date())
    else:
        for day in _repeated(event, newest, budget):
            wall = datetime.combine(day, event.wall.time())
            at = wall.replace(tzinfo=UTC) if event.begin.is_day else event.zone(wall)
            if event.until is None or (day if event.until.is_day else at) <= _limit(event.until):
                yield _Begin(Moment(at, event.begin.is_day), day)
    for moment, lasts in event.added:
        yield _Begin(moment, moment.at.date(), lasts)


def _limit(until: Moment) -> date:
    return until.at.date() if until.is_day else until.at


def _repeated(event: Event, newest: int, budget: Budget) -> Iterator[date]:
    rule, told, first = event.rule, event.rule_told, event.wall.date()
    assert rule is not None
    assert told is not None
    is_yearly = rule.frequency is Frequency.YEARLY
    year = newest + (_YEARLY_AHEAD if is_yearly else _YEARS_AHEAD)
    last = date(min(year, YEARS[-1]), 1, 1) - timedelta(days=1)
    if event.until is not None:
        last = min(last, event.until.at.date() + timedelta(days=1))  # by another clock it may be the day after
    kept = first if is_yearly else date(max(newest - _KEPT_YEARS, YEARS[0]), 1, 1)
    try:
        yield from (day for day in recurring(rule, first, last, budget, since=kept) if day >= kept)
    except Misread as exc:
        raise told.refused(str(exc)) from exc


def _occurrence(event: Event, at: datetime, lasts: timedelta | None = None) -> Occurrence:
    is_day = event.begin.is_day
    end = at + (event.lasts if lasts is None else lasts)
    return Occurrence(event.name, Moment(at, is_day), end, event.is_free, event.line)


def _place(change: Event) -> datetime:
    assert change.replaces is not None
    return change.replaces.at
