"""A new advisor's first weeks: what he is given less of, from a day on.

onboarding:
  from: 2026-11-02
  time_zone: Asia/Seoul
  weeks:
    - {budget: 30, level: 3}
    - {budget: 60, level: 5}
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo

from msgspec import Meta, Struct

from rules.errors import Path
from rules.ladders import Level
from rules.opening_hours import Date, is_zone
from rules.shape import Flaw

MAX_WEEKS = 52


class Week(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """At most so much `budget`, and no skill above `level`; what isn't said isn't bounded."""

    budget: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    level: Level | None = None


class Onboarding(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, rename={"from_": "from"}
):
    """The weeks, one after another, the first beginning on the day `from_` in the time zone (UTC, if not said). Before
    that day the first holds already; after the last, nothing is bounded any more."""

    from_: Date
    weeks: Annotated[tuple[Week, ...], Meta(min_length=1, max_length=MAX_WEEKS)]
    time_zone: str = "UTC"

    def number(self, now_ms: int) -> int:
        """Which week it is, from 0; the number of weeks when they are over."""
        today = datetime.fromtimestamp(now_ms / 1000, self._zone).date()
        passed = (today - date.fromisoformat(self.from_)).days // 7
        return min(max(passed, 0), len(self.weeks))

    def week(self, now_ms: int) -> Week:
        """What is bounded at that time."""
        number = self.number(now_ms)
        return self.weeks[number] if number < len(self.weeks) else Week()

    @property
    def _zone(self) -> tzinfo:
        return UTC if self.time_zone == "UTC" else ZoneInfo(self.time_zone)


def onboarding_flaws(onboarding: Onboarding, path: Path) -> Iterator[Flaw]:
    """A day that isn't in the calendar, a zone that isn't on the map."""
    try:
        date.fromisoformat(onboarding.from_)
    except ValueError:
        yield Flaw((*path, "from"), f"`{onboarding.from_}` is no date")
    if not is_zone(onboarding.time_zone):
        message = f'"{onboarding.time_zone}" is no time zone; write one such as "Asia/Seoul"'
        yield Flaw((*path, "time_zone"), message)
