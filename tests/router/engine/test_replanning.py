"""What a newer library knows reaches the cases that are open, though their rulebook says what it said."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from router.contract.case import CaseDetail, Clock
from router.contract.ids import AccountId, InquiryId
from router.engine import replanning, sla
from router.engine.terms import terms_of
from rules import Rulebook, Verdict, holidays
from tests.suites.stage import RULES, rulebook

SEOUL = ZoneInfo("Asia/Seoul")
TEXT = (
    RULES.replace("standard: {first_response_s: 3600", "standard: {calendar: seoul, first_response_s: 14400")
    + "calendars: {seoul: {time_zone: Asia/Seoul, week: {mon-fri: ['09:00-18:00']}, holidays: {country: KR}}}\n"
)


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=SEOUL).timestamp() * 1000)


def decreed(monkeypatch: pytest.MonkeyPatch, day: date) -> Rulebook:
    """The rulebook as a process reads it whose library has one holiday more."""
    known = holidays.holidays_of
    monkeypatch.setattr("rules.calendar.holidays_of", lambda *place: known(*place) | {day: "임시 공휴일"})
    return rulebook(TEXT)


def opened(book: Rulebook, clocks: dict[str, Clock]) -> CaseDetail:
    verdict = Verdict(queue="general", policy="standard", rulebook=book.hash)
    return CaseDetail(account=AccountId("a"), origin=InquiryId("i"), customer="c", verdict=verdict, clocks=clocks)


@pytest.mark.parametrize("is_paused", [False, True])
def test_a_day_that_a_newer_library_knows_moves_what_is_open(monkeypatch: pytest.MonkeyPatch, is_paused: bool) -> None:
    before = rulebook(TEXT)
    terms = terms_of(before, "standard")
    clocks = sla.start(terms, at("2026-11-23 16:00"))
    if is_paused:
        clocks = sla.pend(clocks, "customer", terms, at("2026-11-24 10:00"))
    detail, now = opened(before, clocks), at("2026-11-24 10:00")
    assert not replanning.is_touched(detail, before, before)
    after = decreed(monkeypatch, date(2026, 11, 24))
    assert after.hash == before.hash
    assert replanning.is_touched(detail, after, after)
    change = replanning.change_of(detail, after, after, now)
    first = change.detail.clocks["first_response"]
    assert sla.used(first, after.open_hours["seoul"], now) == 2 * 3_600_000
    assert first.due_at_ms == (None if is_paused else at("2026-11-25 11:00"))
    assert not replanning.is_touched(change.detail, after, after)


def test_what_was_breached_by_then_is_not_breached_again(monkeypatch: pytest.MonkeyPatch) -> None:
    before = rulebook(TEXT)
    detail = opened(before, sla.start(terms_of(before, "standard"), at("2026-11-23 16:00")))
    after, now = decreed(monkeypatch, date(2026, 11, 24)), at("2026-11-24 11:00")
    change = replanning.change_of(detail, after, after, now)
    assert "breach.first_response|0" in change.detail.fired
    assert change.overdue == ()
    armed = sla.timers(
        change.detail.clocks, terms_of(after, "standard"), armed={}, now_ms=now, fired=change.detail.fired
    )
    assert not [timer for timer in armed if timer.startswith("breach.first_response")]
