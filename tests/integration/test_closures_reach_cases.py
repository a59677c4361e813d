"""Somebody puts another calendar file into the folder of the rules: the clocks of the cases that are there go by it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from router.contract.case import Clock, read_detail
from tests.servers import Server
from tests.suites.eventually import eventually
from tests.suites.rules_on_disk import LONG_S, Place, place_with

SEOUL = ZoneInfo("Asia/Seoul")
HOUR_MS = 3_600_000
RULES = """
defaults: {queue: general, language: en}
outcomes: {solved: Solved}
calendars:
  office: {time_zone: Asia/Seoul, week: {daily: ["00:00-24:00"]}, closures: [company.ics]}
policies: {standard: {first_response_s: 36000, resolution_s: 864000, calendar: office}}
queues: {general: {policy: standard}}
"""

pytestmark = pytest.mark.timeout(300)


def exported(begin: datetime) -> str:
    """A file as Outlook writes it, with one event of two hours."""
    end = begin + timedelta(hours=2)
    zone = "TZID=Korea Standard Time"
    event = f"BEGIN:VEVENT\r\nUID:a\r\nDTSTART;{zone}:{begin:%Y%m%dT%H%M%S}\r\nDTEND;{zone}:{end:%Y%m%dT%H%M%S}\r\n"
    return f"BEGIN:VCALENDAR\r\n{event}SUMMARY:전사 교육\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"


async def first_response(place: Place) -> Clock:
    (state,) = await place.cases()
    return read_detail(state.detail).clocks["first_response"]


async def test_an_event_in_a_changed_file_moves_the_due_time_by_what_it_closes(tmp_path: Path, valkey: Server) -> None:
    files = {"rules.yaml": RULES, "company.ics": exported(datetime(2020, 1, 1, 9, tzinfo=UTC))}
    async with place_with(tmp_path, valkey, files) as place:
        await place.write(1)
        before = (await first_response(place)).due_at_ms
        assert before is not None
        soon = datetime.fromtimestamp(before / 1000, SEOUL).replace(minute=0, second=0) - timedelta(hours=4)
        (place.rules / "company.ics").write_text(exported(soon), "utf-8")

        async def is_moved() -> bool:
            return (await first_response(place)).due_at_ms == before + 2 * HOUR_MS

        await eventually(is_moved, within_s=LONG_S)
