"""Business time counted minute by minute, by somebody who knows nothing of ours: only zoneinfo and YAML.

It reads a calendar as it is written, looks at a clock on the wall there once a minute, and counts.
"""

from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from zoneinfo import ZoneInfo

import yaml

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Oracle:
    """A stretch of minutes from an instant of UTC on (Unix seconds, a whole minute), and which of them are open."""

    def __init__(self, text: str, start_s: int, minutes: int) -> None:
        written = yaml.load(text, Loader=yaml.BaseLoader)
        self._zone = ZoneInfo(written["time_zone"])
        self._week = {day: hours for days, hours in written["week"].items() for day in _named(days)}
        self._dates = {date.fromisoformat(day): special or {} for day, special in written.get("dates", {}).items()}
        self.start_s = start_s
        self.is_open = [self._opened(start_s + 60 * step) for step in range(minutes)]
        self._before = [0, *accumulate(self.is_open)]

    def worked(self, first: int, last: int) -> int:
        """Open minutes from minute ``first`` to minute ``last``."""
        return self._before[last] - self._before[first]

    def due(self, first: int, amount: int) -> int | None:
        """The minute at whose beginning so many have been open since ``first``; None beyond the stretch."""
        counted = 0
        for step in range(first, len(self.is_open)):
            counted += self.is_open[step]
            if counted == amount:
                return step + 1
        return None

    def back(self, last: int, amount: int) -> int | None:
        """The latest minute from which so many are open until ``last``; None before the stretch."""
        counted = 0
        for step in range(last - 1, -1, -1):
            counted += self.is_open[step]
            if counted == amount:
                return step
        return None

    def next_opening(self, first: int) -> int | None:
        """The first open minute from ``first`` on."""
        return next((step for step in range(first, len(self.is_open)) if self.is_open[step]), None)

    def _opened(self, at_s: int) -> bool:
        wall = datetime.fromtimestamp(at_s, UTC).astimezone(self._zone)
        minute, today = wall.hour * 60 + wall.minute, wall.date()
        if self._is_taken_out(minute, today):
            return False
        if any(begin <= minute < end for begin, end in self._windows(today)):
            return True
        yesterday = today - timedelta(days=1)
        return any(begin <= minute + 1440 < end for begin, end in self._windows(yesterday))

    def _windows(self, day: date) -> list[tuple[int, int]]:
        special = self._dates.get(day)
        usual = self._week.get(DAYS[day.weekday()], [])
        hours = usual if special is None or "closed" in special else special.get("hours", [])
        return [_window(window) for window in hours]

    def _is_taken_out(self, minute: int, today: date) -> bool:
        """Whether today, or from yesterday on, something is closed at that minute of the day."""
        for back in (0, 1):
            special = self._dates.get(today - timedelta(days=back), {})
            closed = [_window(window) for window in special.get("closed", [])]
            if any(begin <= minute + back * 1440 < end for begin, end in closed):
                return True
        return False


def _named(days: str) -> list[str]:
    if days == "daily":
        return list(DAYS)
    first, _, last = days.partition("-")
    begin = DAYS.index(first)
    count = (DAYS.index(last or first) - begin) % 7 + 1
    return [DAYS[(begin + step) % 7] for step in range(count)]


def _window(text: str) -> tuple[int, int]:
    begin, end = (int(clock[:2]) * 60 + int(clock[3:]) for clock in text.split("-"))
    return begin, end if end > begin else end + 1440
