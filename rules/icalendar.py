"""Closures from iCalendar files (RFC 5545): the whole days of their events, with the events' names. Pure: text in.

Understood are events of whole days (`DTSTART;VALUE=DATE`), over one day or several (`DTEND`, `DURATION:PnD`), once or
every year (`RRULE:FREQ=YEARLY` with `INTERVAL`, `COUNT`, `UNTIL`), less their `EXDATE`s; cancelled ones are left out.
Anything else in an event that bears on its days is a flaw rather than a day that counts by mistake.
"""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Final, NamedTuple

import msgspec

from rules.errors import Path
from rules.opening_hours import CalendarSpec, SpecialDate
from rules.shape import Flaw, suggestion

MAX_CHARS: Final = 1_000_000
MAX_DATES: Final = 5_000
_MOST: Final = 20_000
_YEARS_AHEAD: Final = 50
_LONGEST: Final = 366
_RULE: Final = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"})


class Unusable(Exception):
    """The file can't be read as closures; the text says which line, and why."""

    retryable = False


class _Property(NamedTuple):
    line: int
    parameters: str
    value: str


_Event = dict[str, _Property]


def closures_of(text: str) -> dict[str, SpecialDate]:
    """The days of a file's events as dates of a calendar, each closed. Raises ``Unusable``."""
    if len(text) > MAX_CHARS:
        raise Unusable(f"it has more than {MAX_CHARS:,} characters")
    found: dict[str, SpecialDate] = {}
    for event in _events(text):
        name = _unescaped(event["SUMMARY"].value)[:200] if "SUMMARY" in event else ""
        for day in _days(event):
            found[day.isoformat()] = SpecialDate(name=name)
            if len(found) > _MOST:
                raise Unusable(f"it closes more than {_MOST:,} days")
    return found


def with_closures(
    calendars: Mapping[str, CalendarSpec], files: Mapping[str, str], flaws: list[Flaw]
) -> dict[str, CalendarSpec]:
    """The calendars with the days of the files they name among their dates; what they say themselves goes before.
    Files are known by the last part of their path. What can't be used is added to ``flaws``."""
    by_name = {path.replace("\\", "/").rpartition("/")[2]: text for path, text in files.items()}
    return {name: _filled(spec, by_name, ("calendars", name, "closures"), flaws) for name, spec in calendars.items()}


def _filled(spec: CalendarSpec, files: Mapping[str, str], path: Path, flaws: list[Flaw]) -> CalendarSpec:
    dates: dict[str, SpecialDate] = {}
    for index, file in enumerate(spec.closures):
        if file not in files:
            flaws.append(Flaw((*path, index), f"there is no file `{file}`{suggestion(file, files)}"))
            continue
        try:
            dates |= closures_of(files[file])
        except Unusable as exc:
            flaws.append(Flaw((*path, index), f"`{file}`: {exc}"))
    joined = {**dates, **spec.dates}
    if len(joined) > MAX_DATES:
        flaws.append(Flaw(path, f"with these files it has more than {MAX_DATES:,} dates"))
    return msgspec.structs.replace(spec, closures=(), dates=joined) if spec.closures else spec


def _events(text: str) -> Iterator[_Event]:
    event: _Event | None = None
    depth = 0
    for number, line in _lines(text):
        head, _, value = line.partition(":")
        name, _, parameters = head.upper().partition(";")
        kind = value.strip().upper()
        if name == "BEGIN" and kind == "VEVENT":
            event, depth = {}, 0
        elif name == "END" and kind == "VEVENT" and event is not None:
            if event.get("STATUS", _NONE).value.strip().upper() != "CANCELLED":
                yield event
            event = None
        elif name in {"BEGIN", "END"}:
            depth += 1 if name == "BEGIN" else -1  # an alarm within the event has properties of its own
        elif event is not None and not depth:
            kept = event.get(name)
            joined = f"{kept.value},{value}" if kept and name == "EXDATE" else value
            event[name] = _Property(number, parameters, joined)
    if event is not None:
        raise Unusable("an event has no end")


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines as they were before they were folded, with the number of the first."""
    held: tuple[int, str] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if line[:1] in {" ", "\t"} and held is not None:
            held = (held[0], held[1] + line[1:])
            continue
        if held is not None:
            yield held
        held = (number, line)
    if held is not None:
        yield held


def _days(event: _Event) -> Iterator[date]:
    start = event.get("DTSTART")
    if start is None:
        raise Unusable("an event has no DTSTART")
    first = _date(start)
    length = _length(event, first)
    for name in ("RDATE", "RECURRENCE-ID"):
        if name in event:
            raise Unusable(f"line {event[name].line}: `{name}` isn't understood: write the days out")
    excepted = event.get("EXDATE", _NONE)
    without = {_date(excepted._replace(value=each)) for each in excepted.value.split(",") if each}
    for begin in _begins(event.get("RRULE"), first):
        if begin not in without:
            yield from (begin + timedelta(days=step) for step in range(length))


def _length(event: _Event, first: date) -> int:
    """How many days it lasts; the end that is written is the day after."""
    days = 1
    if "DTEND" in event:
        days = (_date(event["DTEND"]) - first).days
    elif "DURATION" in event:
        told = event["DURATION"].value.strip().upper()
        number = told[1:-1]
        if not (told[:1] == "P" and told[-1:] in {"D", "W"} and number.isascii() and number.isdigit()):
            raise Unusable(f"line {event['DURATION'].line}: only a duration of whole days is understood")
        days = int(number[:4]) * (7 if told.endswith("W") else 1)
    if not 1 <= days <= _LONGEST:
        raise Unusable(f"line {event['DTSTART'].line}: it lasts {days} days")
    return days


def _begins(rule: _Property | None, first: date) -> Iterator[date]:
    if rule is None:
        yield first
        return
    parts = dict(part.partition("=")[::2] for part in rule.value.strip().upper().split(";") if part)
    if parts.get("FREQ") != "YEARLY" or not parts.keys() <= _RULE:
        raise Unusable(f"line {rule.line}: only `FREQ=YEARLY` is understood: write the days out")
    until = _date(rule._replace(value=parts["UNTIL"][:8])) if "UNTIL" in parts else date.max
    step, count = _number(parts, "INTERVAL", rule), _number(parts, "COUNT", rule, default=_YEARS_AHEAD)
    for year in range(first.year, min(first.year + step * min(count, _YEARS_AHEAD), 2199), step):
        try:
            begin = first.replace(year=year)
        except ValueError:  # the 29th of February comes in leap years only
            continue
        if begin <= until:
            yield begin


def _number(parts: Mapping[str, str], name: str, rule: _Property, *, default: int = 1) -> int:
    told = parts.get(name, str(default))
    if not (told.isascii() and told.isdigit() and int(told[:6]) > 0):
        raise Unusable(f"line {rule.line}: `{name}` is no number")
    return int(told[:6])


def _date(told: _Property) -> date:
    value = told.value.strip()
    if len(value) != 8 or not (value.isascii() and value.isdigit()):
        raise Unusable(f"line {told.line}: only whole days can be closures: write a date such as 20261225")
    try:
        return date(int(value[:4]), int(value[4:6]), int(value[6:]))
    except ValueError as exc:
        raise Unusable(f"line {told.line}: `{value}` is no date") from exc


def _unescaped(text: str) -> str:
    plain = text.strip().replace("\\\\", "\0")
    for written, meant in (("\\n", " "), ("\\N", " "), ("\\,", ","), ("\\;", ";")):
        plain = plain.replace(written, meant)
    return plain.replace("\0", "\\")


_NONE: Final = _Property(0, "", "")
