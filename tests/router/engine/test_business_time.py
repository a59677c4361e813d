"""Clocks that run by a calendar: due times, warnings, steps and urgency in business time, pauses over closing time."""

from collections import Counter
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.contract.case import Clock, read_detail
from router.engine import plans, sla
from router.engine.facts import facts_of
from router.engine.plans import Scene
from router.engine.terms import Terms
from router.engine.waiting import governing, urgency, wait_class
from rules import Policy, judge
from rules.calendar import Calendar
from rules.opening_hours import CalendarSpec
from rules.policies import Before, Cue
from tests.suites.clock_terms import terms_from
from tests.suites.stage import RULES, inquiry, rulebook

BOOK = rulebook(
    RULES.replace("standard: {first", "standard: {calendar: seoul, first")
    + "calendars: {seoul: {time_zone: Asia/Seoul, week: {mon-fri: ['09:00-18:00']}}}\n"
)
HOUR = 3_600_000
OFFICE = Calendar(CalendarSpec(time_zone="Asia/Seoul", week={"mon-fri": ("09:00-18:00",)}))
POLICY = Policy(first_response_s=4 * 3600, resolution_s=18 * 3600, warn_share=0.75, calendar="seoul")
TERMS = terms_from(POLICY, OFFICE)


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Seoul")).timestamp() * 1000)


FRIDAY = at("2026-11-20 16:00")


def test_a_clock_runs_in_business_time_only() -> None:
    clocks = sla.start(TERMS, FRIDAY)
    assert {name: clock.due_at_ms for name, clock in clocks.items()} == {
        "first_response": at("2026-11-23 11:00"),
        "resolution": at("2026-11-24 16:00"),
    }
    armed = sla.timers(clocks, TERMS, armed={}, now_ms=FRIDAY)
    assert armed["warn.first_response|0"] == at("2026-11-23 10:00")
    assert armed["breach.first_response|0"] == at("2026-11-23 11:00")


@pytest.mark.parametrize(
    ("paused", "resumed", "used_h", "due"),
    [
        ("2026-11-20 17:00", "2026-11-23 10:00", 1, "2026-11-23 13:00"),
        ("2026-11-20 20:00", "2026-11-21 12:00", 2, "2026-11-23 11:00"),  # all of it while closed: nothing changes
        ("2026-11-23 10:00", "2026-11-23 12:30", 3, "2026-11-23 13:30"),
    ],
)
def test_a_pause_keeps_what_was_used_and_goes_on_with_what_is_left(
    paused: str, resumed: str, used_h: int, due: str
) -> None:
    stopped = sla.pend(sla.start(TERMS, FRIDAY), "customer", TERMS, at(paused))["first_response"]
    assert (stopped.used_ms, stopped.due_at_ms, stopped.due_ms) == (used_h * HOUR, None, None)
    going = sla.resume({"first_response": stopped}, TERMS, at(resumed))
    assert going["first_response"].due_at_ms == at(due)
    again = sla.timers(going, TERMS, armed={}, now_ms=at(resumed))
    assert again["breach.first_response|0"] == at(due)


def test_a_clock_that_is_met_tells_how_much_business_time_it_took() -> None:
    met = sla.hear(sla.start(TERMS, FRIDAY), Cue.REPLY, TERMS, at("2026-11-23 09:30"))
    assert (met["first_response"].used_ms, met["first_response"].due_at_ms) == (int(2.5 * HOUR), None)


def test_what_the_calendar_will_never_reach_is_a_deadline_far_away() -> None:
    rarely = Calendar(CalendarSpec(time_zone="UTC", week={"mon": ("09:00-09:01",)}))
    terms = terms_from(Policy(first_response_s=366 * 86_400, resolution_s=1), rarely)
    due = sla.start(terms, FRIDAY)["first_response"].due_at_ms
    assert due is not None
    assert due - FRIDAY > 50 * 366 * 24 * HOUR


def test_a_case_is_planned_by_the_calendar_of_its_policy() -> None:
    came = inquiry("x")
    scene = Scene(rulebook=BOOK, now_ms=FRIDAY)
    opened = plans.opened(came, judge(BOOK, facts_of(came)), scene)
    plan = plans.plan(plans.blank(came, 10, FRIDAY), opened, scene)
    due = at("2026-11-20 17:00")  # an hour of business time
    assert governing(opened.clocks) == ("first_response", due)
    assert (plan.score, plan.timers["breach.first_response|0"], plan.timers["step|1"]) == (due, due, due)
    assert plan.detail is not None
    assert read_detail(plan.detail).clocks == opened.clocks


def test_nothing_grows_urgent_while_it_is_closed() -> None:
    came = inquiry("x")
    late = at("2026-11-20 17:30")
    opened = plans.opened(came, judge(BOOK, facts_of(came)), Scene(rulebook=BOOK, now_ms=late))
    waiting = wait_class(opened, channel="email", units=10, rulebook=BOOK, now_ms=late)
    _, due = governing(opened.clocks)
    assert due == at("2026-11-23 09:30")
    evening, morning, later = (
        urgency(waiting, due, BOOK, at(text)) for text in ("2026-11-20 18:00", "2026-11-23 09:00", "2026-11-23 09:15")
    )
    assert evening == morning < later


def test_scenario_19_a_warning_an_hour_before_the_deadline_comes_at_the_opening_and_not_at_midnight() -> None:
    office = Calendar(CalendarSpec(time_zone="Asia/Seoul", week={"mon-fri": ("10:00-18:00",)}))
    policy = Policy(first_response_s=2 * 3600, resolution_s=90_000, warn=(Before(before_s=3600),))
    terms, monday = terms_from(policy, office), at("2026-11-23 17:00")
    armed = sla.timers(sla.start(terms, monday), terms, armed={}, now_ms=monday)
    assert armed["breach.first_response|0"] == at("2026-11-24 11:00")
    assert armed["warn.first_response|0"] == at("2026-11-24 10:00")
    # A pause over that evening takes nothing away.
    stopped = sla.pend(sla.start(terms, monday), "customer", terms, at("2026-11-23 20:00"))
    going = sla.resume(stopped, terms, at("2026-11-24 08:00"))
    again = sla.timers(going, terms, armed={}, now_ms=at("2026-11-24 08:00"))
    assert again["warn.first_response|0"] == at("2026-11-24 10:00")


@pytest.mark.parametrize("paused", ["2026-11-23 18:00", "2026-11-23 20:00", "2026-11-24 09:59:59.999"])
@pytest.mark.parametrize("resumed", ["2026-11-24 10:00", "2026-11-24 11:00", "2026-11-25 17:30"])
def test_a_warning_that_waits_for_the_opening_is_not_lost_by_a_pause_that_ends_later(paused: str, resumed: str) -> None:
    office = Calendar(CalendarSpec(time_zone="Asia/Seoul", week={"mon-fri": ("10:00-18:00",)}))
    terms = terms_from(Policy(first_response_s=7200, resolution_s=90_000, warn=(Before(before_s=3600),)), office)
    stopped = sla.pend(sla.start(terms, at("2026-11-23 17:00")), "customer", terms, at(paused))
    going = sla.resume(stopped, terms, at(resumed))
    armed = sla.timers(going, terms, armed={}, now_ms=at(resumed))
    assert armed["warn.first_response|0"] == at(resumed) + 1
    later = sla.timers(going, terms, armed=armed, now_ms=at(resumed) + 1)
    assert not [timer for timer in later if "first_response" in timer]
    assert not sla.has_come(stopped["first_response"], 3_600_000, office, at(resumed))


def test_a_warning_that_came_when_the_pause_began_does_not_come_again() -> None:
    terms, monday = terms_from(Policy(first_response_s=7200, resolution_s=90_000, warn_share=0.5), OFFICE), "2026-11-23"
    stopped = sla.pend(sla.start(terms, at(f"{monday} 10:00")), "customer", terms, at(f"{monday} 11:00"))
    assert sla.has_come(stopped["first_response"], 3_600_000, OFFICE, at(f"{monday} 12:00"))
    going = sla.resume(stopped, terms, at(f"{monday} 12:00"))
    armed = sla.timers(going, terms, armed={}, now_ms=at(f"{monday} 12:00"))
    assert "warn.first_response|0" not in armed
    assert armed["breach.first_response|0"] == at(f"{monday} 13:00")


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=12),
    st.integers(2, 20),
    st.sampled_from([(0.5,), (0.25, 0.75), (Before(before_s=3600),)]),
    st.booleans(),
)
def test_whatever_the_pauses_each_warning_and_the_breach_come_once_and_never_early(
    steps: list[int], target_h: int, warn: tuple[float | Before, ...], in_business_time: bool
) -> None:
    """Pauses on the hour: at openings, at closing times, at warnings and at the target itself."""
    office = OFFICE if in_business_time else None
    policy = Policy(first_response_s=target_h * 3600, resolution_s=400 * 3600, warn=warn)
    terms, now = terms_from(policy, office), at("2026-11-20 09:00")
    clocks, fired, armed = sla.start(terms, now), Counter[str](), dict[str, int]()
    for number, step in enumerate([0, *steps, 1, 24 * 30]):
        now += step * HOUR
        _fire(clocks["first_response"], terms, armed, now, fired)
        if number:
            clocks = sla.resume(clocks, terms, now) if number % 2 == 0 else sla.pend(clocks, "customer", terms, now)
        for timer, due in sla.timers(clocks, terms, armed=armed, now_ms=now).items():
            armed.pop(timer, None) if due == 0 else armed.__setitem__(timer, due)
    clocks = sla.resume(clocks, terms, now)
    armed |= {timer: due for timer, due in sla.timers(clocks, terms, armed=armed, now_ms=now).items() if due}
    _fire(clocks["first_response"], terms, armed, now + 60 * 24 * HOUR, fired)
    amounts = sla.amounts("first_response", clocks["first_response"], terms["first_response"])
    assert fired == dict.fromkeys(amounts, 1)


def _fire(clock: Clock, terms: Terms, armed: dict[str, int], now: int, fired: Counter[str]) -> None:
    own = terms["first_response"]
    amounts = sla.amounts("first_response", clock, own)
    for timer, due in [(timer, due) for timer, due in armed.items() if due <= now and timer in amounts]:
        assert sla.used(clock, own.calendar, due) >= amounts[timer]
        fired[timer] += 1
        del armed[timer]
