"""A comparison goes on for as long as it has to, here as by several processes."""

import pytest

from router.simulation.case import Case, Group, Handling, Traffic
from router.simulation.comparison import answer
from router.simulation.measures import ALL
from router.simulation.question import Entry, Question, inquiries_of
from rules import ChannelWeight

CALL = Traffic(channel="call", per_hour=30, handle=Handling(mean_s=120), patience_s=60, target_s=20)


def question(*policies: str, replications: int = 2, most: int = 0, within: float = 0.005) -> Question:
    case = Case(
        title="x",
        hours=1,
        channels={"call": ChannelWeight(units=100)},
        classes={"money": CALL, "other": CALL},
        advisors={"team": Group(count=2)},
    )
    entries = tuple(Entry(label=policy, policy=policy) for policy in policies)
    return Question(name="x", case=case, entries=entries, replications=replications, most=most, within=within)


@pytest.mark.parametrize(
    ("replications", "most", "rounds"),
    [(10, 0, (10,)), (10, 10, (10,)), (10, 40, (10, 20, 40)), (10, 50, (10, 20, 40, 50)), (10, 3, (3,))],
)
def test_replications_are_doubled_up_to_the_most(replications: int, most: int, rounds: tuple[int, ...]) -> None:
    assert question("balanced", replications=replications, most=most).rounds == rounds


def test_the_more_are_compared_and_looked_at_the_surer_each_has_to_be() -> None:
    assert question("balanced", "round-robin").level == pytest.approx(0.95)
    assert question("balanced", "round-robin", "least-loaded", most=4).level == pytest.approx(1 - 0.05 / 4)


def test_it_ends_when_what_is_asked_is_known() -> None:
    same = answer(question("balanced", "longest-idle", most=16))
    assert (same.replications, same.ahead["longest-idle"]) == (2, (0.0, 0.0))
    rough = answer(question("balanced", "fifo-least-count", most=8, within=1.0))
    assert rough.replications == 2


def test_it_goes_on_to_the_most_while_it_is_not() -> None:
    asked = question("balanced", "strict-priority", "least-skilled", most=8, within=0.0)
    found = answer(asked)
    unsure = [each for each in found.ahead.values() if each.holds(0.0) and each.half > 0]
    assert found.replications == 8 if unsure else found.replications < 8


def test_processes_find_what_one_does_and_tell_how_far_they_are() -> None:
    asked, told = question("balanced", "round-robin", replications=3), list[int]()
    assert answer(asked, processes=2, told=told.append) == answer(asked)
    assert all(more > 0 for more in told)
    assert sum(told) == pytest.approx(inquiries_of(asked), rel=0.3)


def test_bounds_are_of_each_class_and_no_entry_is_above_them() -> None:
    found = answer(question("balanced", "skill-rings"))
    assert [(row.policy, row.class_) for row in found.rows][:3] == [
        ("balanced", name) for name in (ALL, "money", "other")
    ]
    assert all(row.sla <= row.bound <= 1 for row in found.rows)
