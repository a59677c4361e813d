"""Times as an advisor types and reads them. Pure: the present comes in."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

FORMS: Final = "30m, 2h, 3d, 14:30, tomorrow 9:00, 2026-11-24, 2026-11-24T09:00 or with a zone: ...T09:00+09:00"
_AGE: Final = re.compile(r"\+?(\d{1,3})\s*(m|min|h|d)")
_CLOCK: Final = re.compile(r"(?:(tomorrow)\s+)?(\d{1,2}):(\d{2})")
_UNITS: Final = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days"}


def read_time(text: str, now: datetime) -> datetime | None:
    """The time meant, in the zone of ``now``; None when it is none of ``FORMS``. A clock time alone is the next
    such time; one without a zone is the terminal's."""
    text = text.strip().lower()
    if age := _AGE.fullmatch(text):
        return now + timedelta(**{_UNITS[age[2]]: int(age[1])})
    if clock := _CLOCK.fullmatch(text):
        return _clock_time(now, int(clock[2]), int(clock[3]), is_tomorrow=bool(clock[1]))
    try:
        found = datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=now.tzinfo)


def _clock_time(now: datetime, hour: int, minute: int, *, is_tomorrow: bool) -> datetime | None:
    if hour > 23 or minute > 59:
        return None
    found = now.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return found + timedelta(days=1) if is_tomorrow or found <= now else found


def read_instant(text: str) -> datetime | None:
    """A time of the service, RFC 3339; None when there is none."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC) if text else None
    except ValueError:
        return None


def shown_time(text: str, now: datetime) -> str:
    """A time of the service as it is read at the terminal: with the date unless it is today."""
    found = read_instant(text)
    if found is None:
        return text
    here = found.astimezone(now.tzinfo)
    return here.strftime("%H:%M" if here.date() == now.date() else "%Y-%m-%d %H:%M")


def seconds_left(deadline: str, now: datetime) -> int:
    """Whole seconds until then, 0 when it is past or absent."""
    found = read_instant(deadline)
    return 0 if found is None else max(0, round((found - now).total_seconds()))
