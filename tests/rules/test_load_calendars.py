"""Calendars of a rulebook: loaded, restored, and refused with the place of what is wrong."""

import pytest

from rules import RulebookError, content, load, restore

GOOD = """\
defaults: {queue: general}
policies:
  standard: {first_response_s: 3600, resolution_s: 7200}
queues:
  general: {policy: standard}
outcomes: {solved: Done}
"""
CALENDARS = """\
calendars:
  seoul:
    time_zone: Asia/Seoul
    week: {mon-fri: ["09:00-18:00"], sat: ["10:00-13:00"]}
    holidays: {country: KR}
    dates:
      2026-12-31: {name: Founding day}
"""
WITH_CALENDAR = GOOD.replace("{first_response_s: 3600,", "{calendar: seoul, first_response_s: 3600,") + CALENDARS


def test_a_policy_runs_by_its_calendar_and_so_does_a_restored_rulebook() -> None:
    book = load({"a.yaml": WITH_CALENDAR})
    again = restore(content(book))
    assert again.hash == book.hash != load({"a.yaml": GOOD}).hash
    friday = 1_774_000_800_000  # 2026-03-20 10:00 UTC, 19:00 in Seoul: closed
    for each in (book, again):
        found = each.calendar_of("standard")
        assert found is not None
        assert found.next_opening(friday) == friday + 15 * 3_600_000
    assert load({"a.yaml": GOOD}).calendar_of("standard") is None
    assert book.calendar_of("gone") is None


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "calendar: seoul",
            "calendar: soeul",
            'policies.standard.calendar: there is no calendar `soeul` (did you mean "seoul"?)',
        ),
        ("Asia/Seoul", "Seoul", 'calendars.seoul.time_zone: "Seoul" is no time zone; write one such as "Asia/Seoul"'),
        ("09:00-18:00", "9-18", 'calendars.seoul.week.mon-fri[0]: "9-18" is no window of a day; write "09:00-17:30"'),
        ("mon-fri", "mo-fr", "the name `mo-fr` can't be used"),
        ("2026-12-31", "31.12.2026", "the name `31.12.2026` can't be used"),
        ("country: KR", "country: Korea", 'calendars.seoul.holidays.country: "Korea" is no country'),
        ("country: KR", "country: QQ", "calendars.seoul.holidays: no public holidays are known for `QQ`"),
        ("time_zone: Asia/Seoul", "zone: Asia/Seoul", "unknown field `zone`"),
    ],
)
def test_what_is_wrong_with_a_calendar_is_said_with_its_place(old: str, new: str, told: str) -> None:
    assert old in WITH_CALENDAR
    with pytest.raises(RulebookError) as caught:
        load({"a.yaml": WITH_CALENDAR.replace(old, new)})
    problems = [str(problem) for problem in caught.value.problems]
    assert any(told in problem and problem.startswith("a.yaml:") for problem in problems), problems


def test_a_whole_day_may_be_written_and_an_empty_window_may_not() -> None:
    always = WITH_CALENDAR.replace('{mon-fri: ["09:00-18:00"], sat: ["10:00-13:00"]}', '{daily: ["00:00-24:00"]}')
    assert load({"a.yaml": always}).open_hours["seoul"].is_open(1_774_000_800_000)
    with pytest.raises(RulebookError, match='"09:00-09:00" is empty or a whole day'):
        load({"a.yaml": always.replace("00:00-24:00", "09:00-09:00")})
