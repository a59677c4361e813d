"""The audit of a case's clocks in words. Pure: the page and the zone come in."""

from collections.abc import Iterator, Mapping
from datetime import datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

_NAMES: Final = {"assignment": "time to assignment", "update": "time to update"}


def clock_lines(page: Mapping[str, Any], zone: tzinfo | None) -> Iterator[str]:
    """The page of ``/v1/cases/{case}/clocks`` line by line, times as a clock on the wall of that zone shows them:
    without one, of the clock's own calendar."""
    for number, clock in enumerate(page["clocks"]):
        if number:
            yield ""
        yield from _clock(clock, zone or ZoneInfo(clock.get("time_zone") or "UTC"))


def _clock(clock: Mapping[str, Any], zone: tzinfo) -> Iterator[str]:
    yield f"{clock_name(clock['clock'])}: {clock['state']}, {span(clock['used_s'])} of {span(clock['target_s'])} used"
    counts = f"calendar {clock['calendar']}, {clock['time_zone']}" if clock.get("calendar") else "all time counts"
    yield f"  {counts}; times below are {_zone_name(zone)}"
    for what, times in _times(clock):
        again = ", breached already: it is not told again" if what == "due" and clock.get("breach_told") else ""
        yield f"  {what} {', '.join(_moment(time, zone) for time in times)}{again}"
    if clock.get("margin_s") is not None:
        margin = clock["margin_s"]
        yield f"  ended with {span(margin)} left" if margin > 0 else f"  missed by {span(-margin)}"
    for change in clock.get("changes", ()):
        yield f"  {_change(change, zone)}"
    if clock.get("earlier_s"):
        yield f"  earlier, no longer kept one by one: {span(clock['earlier_s'])} counted"
    is_ahead = False
    for part in clock.get("stretches", ()):
        if part.get("ahead") and not is_ahead:
            is_ahead = True
            yield "  to come:"
        yield f"  {_stretch(part, zone)}"
    if is_ahead and datetime.fromisoformat(part["ends_at"]) < datetime.fromisoformat(clock["due_at"]):
        yield "  ... and so on until it is due"


def clock_name(clock: str) -> str:
    """A clock as people call it."""
    return _NAMES.get(clock, clock.replace("_", " "))


def _times(clock: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    warnings = tuple(clock.get("warnings_at", ())) or tuple(filter(None, (clock.get("warn_at"),)))
    for what, times in (
        ("met", (clock.get("met_at"),)),
        ("warns", warnings),
        ("due", (clock.get("due_at"),)),
    ):
        if times and times[0]:
            yield what, tuple(time for time in times if time)


def _change(change: Mapping[str, Any], zone: tzinfo) -> str:
    was, now = (_moment(at, zone) if at else "not running" for at in (change.get("was_at"), change.get("due_at")))
    late = ", overdue at once" if change.get("overdue") else ""
    policy = f", now by policy {change['policy']}" if change.get("policy") else ""
    return f"changed {_moment(change['at'], zone)} by rulebook {change['rulebook']}: due {was} -> {now}{late}{policy}"


def _stretch(part: Mapping[str, Any], zone: tzinfo) -> str:
    begins, ends = _moment(part["begins_at"], zone), _moment(part["ends_at"], zone)
    if begins[:14] == ends[:14]:
        ends = ends[15:]
    match part["reason"]:
        case "counted":
            said = f"counted {span(part['used_s'])}"
        case "recorded":
            said = f"counted {span(part['used_s'])} by the calendar of then"
        case "closed":
            said = "closed" + (f" ({', '.join(part['names'])})" if part.get("names") else "")
        case waiting:
            said = f"stood still: {waiting}"
    return f"{begins} - {ends}  {said}"


def _moment(text: str, zone: tzinfo) -> str:
    return datetime.fromisoformat(text).astimezone(zone).strftime("%a %Y-%m-%d %H:%M:%S").removesuffix(":00")


def _zone_name(zone: tzinfo) -> str:
    return str(zone) if isinstance(zone, ZoneInfo) else "local time"


def span(seconds: float) -> str:
    """``26 h 5 min``, ``40 s``, ``0.5 s``; nothing finer than a second beyond a minute."""
    if seconds < 60:
        return f"{seconds:g} s"
    hours, rest = divmod(int(seconds), 3600)
    parts = ((hours, "h"), (rest // 60, "min"), (rest % 60, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 s"
