"""An audit adds up, and reads as a person would check it."""

from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from router.contract.case import CaseDetail, Clock
from router.contract.ids import AccountId, InquiryId
from router.engine import sla
from router.engine.audit import audit
from router.engine.terms import terms_of
from rules import Verdict
from rules.policies import Cue
from tests.suites.clock_terms import by_calendar, terms_from
from tests.suites.stage import RULES, rulebook

SEOUL = ZoneInfo("Asia/Seoul")
BOOK = rulebook(
    RULES.replace(
        "standard: {first_response_s: 3600", "standard: {calendar: seoul, warn_share: 0.75, first_response_s: 14400"
    )
    + "calendars: {seoul: {time_zone: Asia/Seoul, week: {mon-fri: ['09:00-18:00']}, holidays: {country: KR}}}\n"
)
POLICY, OFFICE = BOOK.policies["standard"], BOOK.open_hours["seoul"]
TERMS = terms_of(BOOK, "standard")
VERDICT = Verdict(queue="general", policy="standard", rulebook=BOOK.hash)


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=SEOUL).timestamp() * 1000)


def wall(instant: int | None) -> str:
    assert instant is not None
    return datetime.fromtimestamp(instant / 1000, SEOUL).strftime("%a %H:%M")


def detail(clocks: dict[str, Clock]) -> CaseDetail:
    return CaseDetail(account=AccountId("a"), origin=InquiryId("i"), customer="c", verdict=VERDICT, clocks=clocks)


def test_a_running_clock_shows_what_counted_what_was_closed_and_what_is_to_come() -> None:
    clocks = sla.start(TERMS, at("2026-02-13 16:00"))  # the Friday before Seollal
    (found, _) = audit(detail(clocks), BOOK, at("2026-02-13 19:00"))
    assert (found.name, found.state, found.calendar, found.time_zone) == (
        "first_response",
        "running",
        "seoul",
        "Asia/Seoul",
    )
    assert (wall(found.warn_at_ms), wall(found.due_at_ms)) == ("Thu 10:00", "Thu 11:00")
    assert [(wall(one.from_ms), wall(one.to_ms), one.reason, one.names, one.is_ahead) for one in found.stretches] == [
        ("Fri 16:00", "Fri 18:00", "counted", (), False),
        ("Fri 18:00", "Fri 19:00", "closed", (), False),
        ("Fri 19:00", "Thu 09:00", "closed", ("설날 전날", "설날", "설날 다음날"), True),
        ("Thu 09:00", "Thu 11:00", "counted", (), True),
    ]


def test_pauses_stand_between_the_runs_with_their_reason() -> None:
    clocks = sla.start(TERMS, at("2026-03-03 09:00"))
    clocks = sla.pend(clocks, "customer", TERMS, at("2026-03-03 10:00"))
    clocks = sla.resume(clocks, TERMS, at("2026-03-03 15:00"))
    clocks = sla.hear(clocks, Cue.REPLY, TERMS, at("2026-03-03 16:30"))
    found = audit(detail(clocks), BOOK, at("2026-03-04 12:00"))[0]
    assert (found.state, found.used_ms, found.due_at_ms) == ("met", 9_000_000, None)
    assert [(one.reason, one.used_ms // 60_000) for one in found.stretches] == [
        ("counted", 60),
        ("pending", 0),
        ("counted", 90),
    ]


def test_a_clock_that_ran_by_another_calendar_shows_what_was_recorded() -> None:
    elapsed = by_calendar(TERMS, None)
    clocks = sla.start(elapsed, at("2026-03-07 09:00"))  # a Saturday
    clocks = sla.pend(clocks, "customer", elapsed, at("2026-03-07 11:00"))
    found = audit(detail(clocks), BOOK, at("2026-03-07 12:00"))[0]
    assert [(one.reason, one.used_ms) for one in found.stretches] == [("recorded", 7_200_000)]
    assert (found.state, found.used_ms, found.earlier_ms) == ("paused", 7_200_000, 0)


def test_a_late_clock_is_breached_whether_it_runs_stands_or_was_met() -> None:
    running = sla.start(TERMS, at("2026-03-03 09:00"))
    late = at("2026-03-03 15:00")
    met = sla.hear(running, Cue.REPLY, TERMS, late)
    for clocks in (running, sla.pend(running, "customer", TERMS, late), met):
        assert audit(detail(clocks), BOOK, late)[0].state == "breached"


def test_a_policy_without_calendar_counts_all_of_the_time() -> None:
    book = rulebook()
    clocks = sla.start(terms_of(book, "standard"), 1_000)
    known = replace(detail(clocks), verdict=replace(VERDICT, rulebook=book.hash))
    found = audit(known, book, 61_000)[0]
    assert (found.calendar, found.time_zone, found.used_ms) == ("", "", 60_000)
    assert [(one.to_ms - one.from_ms, one.is_ahead) for one in found.stretches] == [(60_000, False), (3_540_000, True)]


@settings(max_examples=80, deadline=None)
@given(st.lists(st.integers(1, 40 * 3_600_000), min_size=1, max_size=60), st.booleans())
def test_it_always_adds_up(steps: list[int], in_business_time: bool) -> None:
    terms = TERMS if in_business_time else by_calendar(TERMS, None)
    book = BOOK if in_business_time else rulebook()
    now = at("2026-02-10 10:00")
    clocks = sla.start(terms, now)
    for number, step in enumerate(steps):
        now += step
        clocks = sla.resume(clocks, terms, now) if number % 2 else sla.pend(clocks, "customer", terms, now)
    for found in audit(detail(clocks), book, now):
        past = [one for one in found.stretches if not one.is_ahead]
        assert sum(one.used_ms for one in past) + found.earlier_ms == found.used_ms
        assert found.earlier_ms >= 0
        assert found.earlier_ms == 0 or len(steps) > sla.KEPT_RUNS
        assert all(one.to_ms == other.from_ms for one, other in pairwise(past))
        if found.due_at_ms is not None and found.state == "running":
            ahead = sum(one.used_ms for one in found.stretches if one.is_ahead)
            assert ahead == found.target_ms - found.used_ms


@pytest.mark.parametrize("warn_share", [0.5, 0.75])
def test_the_warning_is_where_its_timer_is(warn_share: float) -> None:
    policy = replace(POLICY, warn_share=warn_share)
    book = replace(BOOK, policies={"standard": policy})
    start = at("2026-03-03 16:00")
    terms = terms_from(policy, OFFICE)
    clocks = sla.start(terms, start)
    timers = sla.timers(clocks, terms, armed={}, now_ms=start)
    assert audit(detail(clocks), book, start)[0].warn_at_ms == timers["warn.first_response|0"]


def test_what_was_told_before_a_change_put_it_ahead_is_not_announced_again() -> None:
    start = at("2026-03-03 16:00")
    clocks = sla.start(TERMS, start)
    told = ("warn.first_response|0", "breach.first_response|0")
    found, other = audit(replace(detail(clocks), fired=told), BOOK, start)
    assert (found.warnings_ms, found.warn_at_ms, found.is_breach_told) == ((), None, True)
    assert other.warn_at_ms is not None
    assert not other.is_breach_told


def test_a_target_used_up_at_closing_time_is_breached_all_night() -> None:
    clocks = sla.start(TERMS, at("2026-03-03 14:00"))
    shown = [audit(detail(clocks), BOOK, at(text))[0].state for text in ("2026-03-03 17:59:59", "2026-03-03 18:00")]
    assert shown == ["running", "breached"]
