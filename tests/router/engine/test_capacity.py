"""How long a wrap-up may last in all."""

import pytest

from router.contract.ids import AdvisorId
from router.engine.capacity import wrap_up_began, wrap_up_left_s
from tests.suites.stage import RULES, rulebook

BOOK = rulebook(RULES.replace("chat: {units: 30}", "chat: {units: 30, wrap_up_s: 30, wrap_up_most_s: 90}"))
HISTORY = (
    "1|admit|offered|1000|ann|i1",
    "2|accept|assigned|2000|mina|mina",
    "3|transfer|assigned|3000|mina|mina",
    "4|resolve|done|9000|jun|jun",
    "5|note|done|9500|mina|",
)


@pytest.mark.parametrize(("advisor", "began"), [("mina", 3000), ("jun", 9000), ("hana", None)])
def test_it_began_when_he_had_finished(advisor: str, began: int | None) -> None:
    assert wrap_up_began(HISTORY, AdvisorId(advisor)) == began


def test_an_advisor_who_had_it_twice_began_the_second_time() -> None:
    assert wrap_up_began((*HISTORY, "6|resolve|done|99000|mina|mina"), AdvisorId("mina")) == 99_000


@pytest.mark.parametrize(
    ("began", "now", "left"),
    [(1_000, 1_000, 90), (1_000, 31_500, 59), (1_000, 91_000, 0), (1_000, 200_000, 0), (None, 5, 0)],
)
def test_what_is_left_of_it(began: int | None, now: int, left: int) -> None:
    assert wrap_up_left_s(began, "chat", BOOK, now) == left


def test_a_channel_that_says_nothing_lets_it_last_an_hour() -> None:
    assert wrap_up_left_s(0, "call", BOOK, 0) == 3_600
