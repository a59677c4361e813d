"""Which case goes first: each order of a queue, and cases of queues with different orders."""

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from router.contract.case import CaseDetail, Clock
from router.contract.ids import AccountId, AdvisorId, CaseId, InquiryId
from router.engine.decide import Waiting, next_for
from router.engine.waiting import NO_CLOCK, score, urgency, wait_class
from rules import Rulebook, Verdict
from tests.suites.people import NOW, advisor, roster
from tests.suites.stage import RULES, rulebook

TARGET_S = 3600
ORDERS = ("urgency", "fifo", "priority")
BOOK = rulebook(
    RULES.replace(
        "  direct:", "".join(f"  {name}: {{policy: standard, order: {name}}}\n" for name in ORDERS) + "  direct:"
    )
)


def waiting(queue: str, *, priority: int = 3, waited_s: float = 0, name: str = "c", book: Rulebook = BOOK) -> Waiting:
    """A case that has waited for so long, as its queue keeps it."""
    placed = NOW - round(waited_s * 1000)
    detail = CaseDetail(
        account=AccountId("a"),
        origin=InquiryId("i"),
        customer="x",
        verdict=Verdict(queue=queue, priority=priority, policy="standard", rulebook=book.hash),
        clocks={"first_response": Clock(target_ms=TARGET_S * 1000, running_since_ms=placed)},
        placed_at_ms=placed,
    )
    found = wait_class(detail, channel="email", units=10, rulebook=book, now_ms=NOW)
    return Waiting(class_key=found.key, score_ms=score(detail, book), case=CaseId(name))


def value(head: Waiting, *, later_s: float = 0, book: Rulebook = BOOK) -> float:
    return urgency(head.waiting, head.score_ms, book, NOW + round(later_s * 1000))


def chosen(*heads: Waiting) -> str:
    people = roster(advisor("mina", queues=()))
    turns = [next_for(people, AdvisorId("mina"), each, BOOK, NOW) for each in (heads, heads[::-1])]
    (name,) = {turn.head.case for turn in turns if turn is not None}
    return name


@pytest.mark.parametrize(
    ("queue", "clock", "score_ms"),
    [
        ("urgency", "first_response", NOW + 3_590_000),
        ("fifo", NO_CLOCK, NOW - 10_000),
        ("priority", NO_CLOCK, NOW - 10_000),
        ("gone", "first_response", NOW + 3_590_000),
    ],
)
def test_a_line_goes_by_due_times_or_by_age(queue: str, clock: str, score_ms: int) -> None:
    head = waiting(queue, waited_s=10)
    assert (head.waiting.clock, head.score_ms) == (clock, score_ms)


@pytest.mark.parametrize(
    ("queue", "first", "second"),
    [
        pytest.param("urgency", {"waited_s": 20}, {"waited_s": 10}, id="urgency: the nearer its target"),
        pytest.param("urgency", {"priority": 2}, {}, id="urgency: the higher priority"),
        pytest.param("urgency", {"priority": 2}, {"waited_s": 1_400}, id="urgency: a step of priority from the start"),
        pytest.param("urgency", {"waited_s": 1_500}, {"priority": 2}, id="urgency: for two fifths of the target"),
        pytest.param("urgency", {"waited_s": 5_400}, {"priority": 1, "waited_s": 600}, id="urgency: yet it ages"),
        pytest.param("fifo", {"waited_s": 20}, {"waited_s": 10}, id="fifo: the older"),
        pytest.param("fifo", {"priority": 5, "waited_s": 0.001}, {"priority": 1}, id="fifo: whatever its priority"),
        pytest.param("priority", {"priority": 2}, {"waited_s": TARGET_S - 1}, id="priority: before age"),
        pytest.param("priority", {"waited_s": 20}, {"waited_s": 10}, id="priority: then the older"),
        pytest.param("priority", {"waited_s": TARGET_S + 1}, {"priority": 2}, id="priority: yet it ages"),
        pytest.param(
            "priority", {"priority": 5, "waited_s": 4 * TARGET_S + 1}, {"priority": 1}, id="priority: none starves"
        ),
    ],
)  # fmt: skip
def test_which_goes_first_in_a_queue(queue: str, first: dict[str, float], second: dict[str, float]) -> None:
    heads = waiting(queue, name="first", **first), waiting(queue, name="second", **second)  # type: ignore[arg-type]
    assert chosen(*heads) == "first"


def test_a_case_that_has_used_up_its_target_counts_nearly_the_same_in_every_order() -> None:
    values = [value(waiting(queue, waited_s=TARGET_S)) for queue in ORDERS]
    assert max(values) / min(values) < 1.15


@pytest.mark.parametrize("old", ORDERS)
@pytest.mark.parametrize("new", ORDERS)
def test_no_stream_of_new_cases_keeps_an_old_one_waiting(old: str, new: str) -> None:
    lowest = waiting(old, priority=5)
    assert value(lowest, later_s=10 * TARGET_S) > value(waiting(new, priority=1))


@pytest.mark.parametrize("queue", ORDERS)
def test_a_case_never_wants_less_while_it_waits(queue: str) -> None:
    head = waiting(queue)
    values = [value(head, later_s=later_s) for later_s in (-10, 0, 0.001, 60, TARGET_S, 10_000 * TARGET_S)]
    assert values == sorted(values)
    assert values[-1] > values[-2] > values[0]


def test_age_is_counted_in_the_business_time_of_the_queues_policy() -> None:
    text = RULES.replace("standard: {first", "standard: {calendar: office, first").replace(
        "  general: {policy: standard,", "  general: {policy: standard, order: fifo,"
    )
    book = rulebook(text + "calendars: {office: {time_zone: UTC, week: {daily: ['09:00-17:00']}}}\n")
    evening = round(datetime(2026, 3, 2, 17, tzinfo=UTC).timestamp() * 1000)
    head = waiting("general", book=book).waiting
    values = [urgency(head, evening, book, evening + hours * 3_600_000) for hours in (0, 15, 16, 17)]
    assert values[0] == values[1] == values[2] < values[3]


def test_a_case_that_was_placed_by_its_clock_before_the_order_changed_still_counts_by_it() -> None:
    head = waiting("urgency", waited_s=1800)
    kept = replace(head.waiting, queue="fifo")
    older = waiting("fifo", waited_s=1801)
    assert value(older) > urgency(kept, head.score_ms, BOOK, NOW) > value(waiting("fifo", waited_s=1799))
