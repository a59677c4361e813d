"""Ladders: which step comes when, what climbing makes of a case, and that lowering takes it back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from router.contract.case import CaseDetail, CaseState, CaseStatus, Clock, Pending
from router.contract.ids import AccountId, InquiryId
from router.engine import climbing, escalation, relaxation
from router.engine.climbing import Cause
from router.engine.standing import standing
from router.engine.waiting import effective_priority
from rules import Facts, Rulebook, Verdict
from tests.suites.people import NOW, advisor, case_of, roster
from tests.suites.stage import RULES, rulebook

STEPS = """  standard:
    above: [director]
    steps:
      - {at: 0.5, raise_priority: 1}
      - {after_s: 60, clock: resolution, move_up: true, relax: {tiers: [junior]}}
      - {missed: 2, labels: [missed]}
      - {match: {text: {words: [lawyer]}}, ladder: urgent}
      - {by_hand: true, move_up: true, reassign: take, raise_priority: 1}
  urgent: {steps: [{at: 0.9, raise_priority: 2}, {by_hand: true, notify: [leads]}]}
"""
BOOK = rulebook(RULES.replace("  standard: {steps: [{at: breach, raise_priority: 1, notify: [webhook]}]}\n", STEPS))
RUNNING = {
    "first_response": Clock(target_ms=100_000, running_since_ms=NOW),
    "resolution": Clock(target_ms=900_000, running_since_ms=NOW),
}
BY_HAND = Cause(trigger="by-hand", by="jun", reason="help")
PEOPLE = roster(
    advisor("jun", tier="junior", queues=(), languages={"en": 5}),
    advisor("sen", tier="senior", queues=(), languages={"en": 5}),
    advisor("lee", tier="lead", queues=(), languages={"en": 5}),
)


def case(step: int = 0, **members: Any) -> CaseState:
    return case_of(None, **({"state": CaseStatus.ASSIGNED, "ver": 3, "owner": "jun", "step": step} | members))


def known(book: Rulebook = BOOK, **members: Any) -> CaseDetail:
    verdict = Verdict(queue="general", policy="standard", ladder="standard", language="en", rulebook=book.hash)
    detail = CaseDetail(
        account=AccountId("a"),
        origin=InquiryId("i"),
        customer="x",
        verdict=verdict,
        placed_at_ms=NOW,
        clocks=RUNNING,
    )
    return replace(detail, **members)


def climbed(number: int, state: CaseState | None = None, detail: CaseDetail | None = None) -> climbing.Climbed:
    found = climbing.climb(
        state or case(), detail or known(), number, BY_HAND, rulebook=BOOK, roster=PEOPLE, now_ms=NOW
    )
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("state", "detail", "armed"),
    [
        (case(), known(), {"step|1": NOW + 50_000, "step|2": NOW + 60_000}),
        (case(1), known(), {"step|2": NOW + 60_000}),
        (case(), known(peak=1), {"step|2": NOW + 60_000}),
        (case(), known(missed_offers=1), {"step|1": NOW + 50_000, "step|2": NOW + 60_000}),
        (case(2), known(missed_offers=2), {"step|3": NOW}),
        (case(2), known(missed_offers=2, outcome="solved"), {}),
        (case(2), known(missed_offers=2, pending=Pending(on="customer", since_ms=NOW)), {}),
        (case(2), known(missed_offers=2, peak=3), {}),
        (case(3), known(), {}),
        (case(), known(clocks={}), {}),
    ],
)
def test_what_is_armed(state: CaseState, detail: CaseDetail, armed: dict[str, int]) -> None:
    assert escalation.timers(state, detail, BOOK, NOW) == armed


def test_a_step_that_is_no_longer_to_come_is_disarmed() -> None:
    armed = {"step|1": NOW + 50_000, "step|2": NOW + 60_000, "step|9": NOW + 5}
    assert escalation.timers(case(1, timers=armed), known(), BOOK, NOW) == {"step|1": 0, "step|9": 0}


@pytest.mark.parametrize(("step", "expected"), [(0, 5), (4, 5), (5, None)])
def test_the_step_that_a_person_takes(step: int, expected: int | None) -> None:
    assert escalation.next_by_hand(case(step), known(), BOOK) == expected


def test_without_one_for_a_person_he_takes_the_next() -> None:
    book = rulebook()
    assert escalation.next_by_hand(case(), known(book), book) == 1
    assert escalation.next_by_hand(case(), known(book, verdict=replace(known().verdict, ladder=None)), book) is None


@pytest.mark.parametrize(("step", "text", "expected"), [(0, "my lawyer", 4), (4, "my lawyer", None), (0, "hi", None)])
def test_the_step_that_a_message_calls_for(step: int, text: str, expected: int | None) -> None:
    facts = Facts(channel="email", account="a", text=text)
    assert escalation.called_by(case(step), known(), BOOK, facts) == expected


@pytest.mark.parametrize(
    ("owner", "people", "tier"),
    [
        ("jun", ("jun", "sen", "lee"), "senior"),
        ("jun", ("jun", "lee"), "lead"),
        ("sen", ("jun", "sen", "lee"), "lead"),
        ("lee", ("jun", "sen", "lee"), ""),
        ("", ("jun", "sen", "lee"), "senior"),
        ("jun", ("jun",), ""),
    ],
)
def test_the_next_tier_above(owner: str, people: tuple[str, ...], tier: str) -> None:
    present = roster(*(member.state for member in PEOPLE if member.state.id in people))
    assert climbing.next_tier(case(owner=owner), known(), BOOK, present, NOW) == tier


def test_a_case_that_was_moved_up_is_for_that_tier_and_those_let_in() -> None:
    after = climbed(2).detail
    assert relaxation.asked(after, BOOK).tiers == ("senior", "junior")
    again = climbed(5, case(2), after)
    assert relaxation.asked(again.detail, BOOK).tiers == ("lead", "junior")
    assert (again.take, again.told, set(again.detail.declined)) == (True, (), {"jun"})
    assert climbed(5, case(2, owner="lee"), again.detail).told == ("director",)


def test_another_ladder_counts_on_and_lowering_leads_back() -> None:
    after = climbed(4).detail
    assert standing(after)[2:] == ("urgent", 4)
    assert escalation.timers(case(4), after, BOOK, NOW) == {"step|5": NOW + 90_000}
    higher = climbed(5, case(4), after).detail
    assert effective_priority(higher) == 1
    lowered = climbing.lowered(case(5), higher, 2, BY_HAND, NOW)
    assert (standing(lowered)[2:], lowered.raised, lowered.peak) == (("standard", 0), 0, 5)
    assert escalation.timers(case(2), lowered, BOOK, NOW) == {}


def test_a_ladder_that_is_gone_does_nothing() -> None:
    lost = known(verdict=replace(known().verdict, ladder="gone"))
    assert escalation.timers(case(), lost, BOOK, NOW) == {}
    assert climbing.climb(case(), lost, 1, BY_HAND, rulebook=BOOK, roster=PEOPLE, now_ms=NOW) is None
    assert escalation.next_by_hand(case(), lost, BOOK) is None


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 8)), max_size=12))
def test_whatever_is_climbed_and_lowered_adds_up(moves: list[tuple[bool, int]]) -> None:
    state, detail = case(), known()
    for is_up, number in moves:
        before = state.step
        if is_up and number > state.step:
            found = climbing.climb(state, detail, number, BY_HAND, rulebook=BOOK, roster=PEOPLE, now_ms=NOW)
            if found is None:
                continue
            state, detail = replace(state, step=number), found.detail
        elif number < state.step:
            detail = climbing.lowered(state, detail, number, BY_HAND, NOW)
            state = replace(state, step=number)
            assert detail.peak >= before
        at = standing(detail)
        assert detail.raised == sum(each.raised for each in at.climbs) >= 0
        assert all(each.step <= state.step for each in at.climbs)
        assert [each.step for each in at.climbs] == sorted({each.step for each in at.climbs})
        for timer in escalation.timers(state, detail, BOOK, NOW):
            assert int(timer.removeprefix("step|")) > max(state.step, detail.peak)
