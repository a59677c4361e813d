"""iCalendar files (RFC 5545) as a tree of components with their lines: text in, no meaning yet. Pure and bounded.

Tolerant where files in the wild are: a byte order mark, any line ending, lines without a colon, names in any case.
Strict where a mistake would shift what belongs where: a component that doesn't end, or ends where another began.
"""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from msgspec import Struct

MAX_CHARS: Final = 1_000_000
_MOST_COMPONENTS: Final = 20_000
_DEEPEST: Final = 8
_ENDS: Final = re.compile(r"\r\n|\n|\r")
_HEAD: Final = re.compile(r'^([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+=(?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)*):')
_PARAMETER: Final = re.compile(r';([A-Za-z0-9-]+)=((?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)')
_DATE: Final = re.compile(r"(\d{4})(\d{2})(\d{2})", re.ASCII)
_TIME: Final = re.compile(r"(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})(Z?)", re.ASCII)
_DURATION: Final = re.compile(
    r"\+?P(?:(\d{1,4})W)?(?:(\d{1,5})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,7})S)?)?", re.ASCII
)
_ESCAPED: Final = re.compile(r"\\(.)")


class Unusable(Exception):
    """The file can't be read as closures; the text says which line, and why."""

    retryable = False


class Property(NamedTuple):
    """``NAME;PARAMETER=...:value`` and the line it begins on; names are capital letters."""

    line: int
    name: str
    parameters: dict[str, str]
    value: str

    def refused(self, why: str) -> Unusable:
        return Unusable(f"line {self.line}: {why}")


class Component(Struct):
    """``BEGIN:kind`` to its end."""

    kind: str
    line: int
    properties: list[Property]
    parts: "list[Component]"

    def first(self, name: str) -> Property | None:
        return next(self.all(name), None)

    def all(self, name: str) -> Iterator[Property]:
        return (each for each in self.properties if each.name == name)

    def text(self, name: str) -> str:
        """The value of a property of text, unescaped; empty without one."""
        found = self.first(name)
        return "" if found is None else _ESCAPED.sub(lambda each: _MEANT.get(each[1], each[1]), found.value).strip()


def read(text: str) -> Component:
    """The components of a file. Raises ``Unusable``."""
    if len(text) > MAX_CHARS:
        raise Unusable(f"it has more than {MAX_CHARS:,} characters")
    root = Component("", 1, [], [])
    opened, count = [root], 0
    for number, line in _lines(text.removeprefix("\ufeff")):
        told = _property(number, line)
        if told is None:
            continue
        kind = told.value.strip().upper()
        if told.name == "BEGIN":
            count += 1
            _open(opened, Component(kind, number, [], []), count)
        elif told.name == "END":
            _close(opened, kind, told)
        else:
            opened[-1].properties.append(told)
    if len(opened) > 1:
        raise Unusable(f"line {opened[-1].line}: `{opened[-1].kind}` has no end: is the file whole?")
    if not any(each.kind == "VCALENDAR" for each in root.parts):
        raise Unusable("it is no iCalendar file: it has no `BEGIN:VCALENDAR`")
    return root


def _open(opened: list[Component], begun: Component, count: int) -> None:
    if len(opened) > _DEEPEST or count > _MOST_COMPONENTS:
        raise Unusable(f"line {begun.line}: it has more components, or deeper ones, than a calendar needs")
    opened[-1].parts.append(begun)
    opened.append(begun)


def _close(opened: list[Component], kind: str, told: Property) -> None:
    if opened[-1].kind != kind or len(opened) == 1:
        wanted = f"`END:{opened[-1].kind}`" if len(opened) > 1 else "nothing to end"
        raise told.refused(f"`END:{kind[:40]}` where {wanted} was expected")
    opened.pop()


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines as they were before they were folded, with the number of the first."""
    begun, held = 0, [""]
    for number, line in enumerate(_ENDS.split(text), start=1):
        if line[:1] in {" ", "\t"} and begun:
            held.append(line[1:])
            continue
        if begun:
            yield begun, "".join(held)
        begun, held = number, [line]
    yield begun, "".join(held)


def _property(number: int, line: str) -> Property | None:
    """What the line says; None for one that is none, as broken descriptions have them."""
    head = _HEAD.match(line)
    if head is None:
        return None
    parameters = {name.upper(): value.strip('"') for name, value in _PARAMETER.findall(head[2])}
    return Property(number, head[1].upper(), parameters, line[head.end() :])


# -- values


class Written(NamedTuple):
    """A day, or a time of one, as it is written: by the clock of UTC, of a zone that is named beside it, or of
    wherever one is."""

    wall: datetime
    is_day: bool
    is_utc: bool


def when(told: Property, value: str) -> Written:
    """Raises ``Unusable``."""
    text = value.strip().upper()
    day, time = _DATE.fullmatch(text), _TIME.fullmatch(text)
    found = day or time
    if found is None:
        raise told.refused(f"`{text[:40]}` is neither a date such as 20261225 nor a time such as 20261225T130000")
    try:
        # A leap second is the last one of its minute here.
        wall = datetime(*(min(int(part), 59 if at == 5 else 9999) for at, part in enumerate(found.groups()[:6])))  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError as exc:
        raise told.refused(f"`{text}` is no date") from exc
    return Written(wall, day is not None, found.groups()[-1] == "Z")


def length(told: Property) -> timedelta:
    """A duration. Raises ``Unusable``."""
    found = _DURATION.fullmatch(told.value.strip().upper())
    if found is None or not any(found.groups()):
        raise told.refused(f"`{told.value.strip()[:40]}` is no duration such as P1D or PT4H")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)


_MEANT: Final = {"n": " ", "N": " "}
