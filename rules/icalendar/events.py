"""The events of an iCalendar file as they are written, with their times brought to UTC. Pure."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from msgspec import Struct

from rules.icalendar.components import Component, Property, Unusable, Written, length, when
from rules.icalendar.recurrence import Budget, Misread, Recurrence, read_rule
from rules.icalendar.zone_names import Zone, wall_of, zone_named

YEARS: Final = range(1900, 2200)
_LONGEST: Final = timedelta(days=366)
_DAY: Final = timedelta(days=1)
_STAMPS: Final = ("DTSTART", "DTSTAMP", "LAST-MODIFIED", "CREATED")
_TIMES: Final = (("BYHOUR", "hour"), ("BYMINUTE", "minute"), ("BYSECOND", "second"))


class Moment(NamedTuple):
    """A day, or an instant. A day is the midnight of UTC with its date."""

    at: datetime
    is_day: bool


class Event(Struct, frozen=True, kw_only=True):
    """One ``VEVENT``. ``wall`` is where it begins by the clock of its ``zone``; ``rule`` stands on a line of its own,
    ``until`` is its last moment. ``added`` may last another time than the event. ``replaces``: the occurrence of the
    event of the same ``uid`` that it stands for, with ``and_future`` all later ones as well."""

    uid: str
    line: int
    wall: datetime
    begin: Moment
    zone: Zone
    lasts: timedelta
    name: str
    sequence: int
    is_cancelled: bool
    is_free: bool
    rule: Recurrence | None
    rule_told: Property | None
    until: Moment | None
    added: tuple[tuple[Moment, timedelta | None], ...]
    excepted: tuple[Moment, ...]
    replaces: Moment | None
    and_future: bool


class Reader:
    """Reads one file for a calendar in a zone, which is that of times without one."""

    def __init__(self, root: Component, zone: ZoneInfo, budget: Budget) -> None:
        calendars = [part for part in root.parts if part.kind == "VCALENDAR"]
        self._parts = [part for whole in calendars for part in whole.parts]
        self._described = {part.text("TZID"): part for part in self._parts if part.kind == "VTIMEZONE"}
        self._here = wall_of(zone)
        self._zones: dict[str, Zone] = {}
        self._budget = budget

    def events(self) -> list[Event]:
        """Raises ``Unusable``."""
        return [self._event(part) for part in self._parts if part.kind == "VEVENT"]

    def newest(self) -> int:
        """The greatest year in the file in which an event begins or one was written; 0 without any."""
        events = [part for part in self._parts if part.kind == "VEVENT"]
        told = [part.text(name)[:4] for part in events for name in _STAMPS]
        return max((int(year) for year in told if year.isascii() and year.isdigit() and int(year) in YEARS), default=0)

    def _event(self, part: Component) -> Event:
        start, replaces, told = part.first("DTSTART"), part.first("RECURRENCE-ID"), part.first("RRULE")
        if start is None:
            raise Unusable(f"line {part.line}: an event has no DTSTART")
        if (odd := part.first("EXRULE")) is not None:
            raise odd.refused("`EXRULE` isn't understood: write the days as `EXDATE`")
        written, sequence = when(start, start.value), part.text("SEQUENCE")
        begin = self._moment(start, start.value)
        rule = None if told is None else _rule(told, written)
        return Event(
            uid=part.text("UID"),
            line=start.line,
            wall=written.wall,
            begin=begin,
            zone=self._zone(start, written),
            lasts=self._lasts(part, start, begin),
            name=part.text("SUMMARY")[:200],
            sequence=int(sequence[:9]) if sequence.isascii() and sequence.isdigit() else 0,
            is_cancelled=part.text("STATUS").upper() == "CANCELLED",
            is_free=part.text("TRANSP").upper() == "TRANSPARENT",
            rule=rule,
            rule_told=told,
            until=self._until(start, told, rule),
            added=tuple(self._added(part, begin)),
            excepted=tuple(
                self._moment(each, value, as_day=begin.is_day) for each in part.all("EXDATE") for value in _values(each)
            ),
            replaces=None if replaces is None else self._moment(replaces, replaces.value, as_day=begin.is_day),
            and_future=replaces is not None and replaces.parameters.get("RANGE", "").upper() == "THISANDFUTURE",
        )

    def _lasts(self, part: Component, start: Property, begin: Moment) -> timedelta:
        end, lasting = part.first("DTEND"), part.first("DURATION")
        lasts = _DAY if begin.is_day else timedelta()
        if end is not None:
            until = self._moment(end, end.value)
            if until.is_day is not begin.is_day:
                raise end.refused("`DTEND` is a date if `DTSTART` is one, and else a time")
            # Some programs end a single day on itself; the end is the day after.
            lasts = until.at - begin.at or lasts
        elif lasting is not None:
            lasts = length(lasting)
            if begin.is_day and (lasts % _DAY or not lasts):
                raise lasting.refused("an event of whole days lasts whole days")
        if not timedelta() <= lasts <= _LONGEST:
            raise start.refused(f"it lasts {lasts / _DAY:.0f} days")
        return lasts

    def _until(self, start: Property, told: Property | None, rule: Recurrence | None) -> Moment | None:
        """The rule's last moment, by the clock of the beginning if it says none; a year that is far off is no end."""
        if told is None or rule is None or not rule.until or rule.until[:4] > str(YEARS[-1]):
            return None
        return self._moment(told._replace(parameters=start.parameters), rule.until)

    def _added(self, part: Component, start: Moment) -> Iterator[tuple[Moment, timedelta | None]]:
        for told in part.all("RDATE"):
            for value in _values(told):
                first, _, last = value.partition("/")
                begin, lasts = self._moment(told, first, as_day=start.is_day), None
                if last.strip().upper().startswith("P"):
                    lasts = length(told._replace(value=last))
                elif last:
                    lasts = self._moment(told, last).at - begin.at
                if lasts is not None and not timedelta() <= lasts <= _LONGEST:
                    raise told.refused(f"it lasts {lasts / _DAY:.0f} days")
                yield begin, lasts

    def _moment(self, told: Property, value: str, *, as_day: bool = False) -> Moment:
        """``as_day``: some programs write a time where an event of whole days has a day."""
        found = when(told, value)
        if as_day and not found.is_utc:
            found = Written(datetime.combine(found.wall, time()), is_day=True, is_utc=False)
        if found.wall.year not in YEARS:
            raise told.refused(f"no closure is in the year {found.wall.year}")
        zone = wall_of(_UTC) if found.is_day else self._zone(told, found)
        return Moment(zone(found.wall), found.is_day)

    def _zone(self, told: Property, found: Written) -> Zone:
        name = told.parameters.get("TZID", "")
        if found.is_day or found.is_utc:
            return wall_of(_UTC)
        if not name:
            return self._here
        if name not in self._zones:
            self._zones[name] = zone_named(told, name, self._described, self._budget)
        return self._zones[name]


def _rule(told: Property, start: Written) -> Recurrence:
    try:
        rule = read_rule(told.value)
    except Misread as exc:
        raise told.refused(str(exc)) from exc
    for name, part in _TIMES:
        said = dict(rule.times).get(name)
        if said is not None and said.lstrip("0") not in {str(getattr(start.wall, part)), ""}:
            raise told.refused(f"`{name}={said[:40]}`: a closure repeats at the time it begins at")
    return rule


def _values(told: Property) -> list[str]:
    return [value for value in told.value.split(",") if value.strip()]


_UTC: Final = ZoneInfo("UTC")
