"""How long a case is likely to wait: what is known, and how often the estimate is right."""

import random

import pytest
from msgspec.structs import replace

from router.contract.ids import CaseId
from router.engine.decide import Waiting
from router.engine.estimate import FEWEST, Lines, ahead_of, likely_wait
from router.engine.waiting import ClassWant
from tests.suites.people import CLASS, NOW, advisor, roster
from tests.suites.stage import RULES, rulebook

BOOK = rulebook()


@pytest.mark.parametrize(
    ("handed", "known"),
    [
        ([], False),
        ([NOW - 1] * (FEWEST - 1), False),
        ([NOW] * 9, False),  # all at once: nothing is known of a rate
        ([NOW - 1] * FEWEST, True),
    ],
)
def test_it_is_said_only_where_enough_is_known(handed: list[int], known: bool) -> None:
    assert (likely_wait(handed, 0, NOW) is not None) == known


def test_it_grows_with_what_is_ahead_and_falls_with_the_pace() -> None:
    def wait(ahead: int, every_s: int) -> int:
        found = likely_wait([NOW - every_s * 1000 * number for number in range(1, 11)], ahead, NOW)
        assert found is not None
        return found.likely_ms

    assert wait(0, 60) < wait(1, 60) < wait(9, 60)
    assert wait(4, 30) < wait(4, 60)
    assert wait(9, 60) == pytest.approx(10 * 60_000, rel=0.1)


def test_eight_of_ten_waits_lie_within_the_bounds_whatever_is_known_and_however_many_go_first() -> None:
    dice = random.Random(7)
    below = above = 0
    tries = 4_000
    for _ in range(tries):
        gap_s, known, ahead = dice.choice((1, 10, 100)), dice.choice((3, 8, 16, 32)), dice.choice((0, 1, 4, 9, 30))
        handed, at = [], float(NOW)
        for _ in range(known):
            at -= dice.expovariate(1 / gap_s) * 1000
            handed.append(int(at))
        waited = sum(dice.expovariate(1 / gap_s) for _ in range(ahead + 1)) * 1000
        found = likely_wait(handed, ahead, NOW)
        assert found is not None
        below += waited < found.least_ms
        above += waited > found.most_ms
    assert below / tries == pytest.approx(0.1, abs=0.02)
    assert above / tries == pytest.approx(0.1, abs=0.02)


def head(name: str, **members: object) -> Waiting:
    return Waiting(class_key=replace(CLASS, **members).key, score_ms=NOW + 1_000, case=CaseId(name))


@pytest.mark.parametrize(
    ("others", "ahead"),
    [
        ([], 2),
        ([head("urgent", priority=1)], 2 + 7),
        ([head("later", priority=5)], 2),
        ([head("of others", priority=1, wants=(ClassWant("technical", 5, True),))], 2),
        ([head("urgent", priority=1), head("too", priority=2)], 2 + 7 + 1),
    ],
)
def test_lines_count_that_are_more_urgent_and_want_the_same_people(others: list[Waiting], ahead: int) -> None:
    people = roster(advisor("ann"), advisor("bob", skills={"technical": 9}))
    lines = Lines(heads=[head("first"), *others], lengths={replace(CLASS, priority=1).key: 7, CLASS.key: 9})
    lines = replace(lines, lengths={**lines.lengths, replace(CLASS, priority=1, wants=()).key: 7})
    assert ahead_of(head("mine"), 2, lines, roster=people, rulebook=BOOK, now_ms=NOW) == ahead


SHARING = rulebook(RULES + "shares: {queues: {billing: 1, general: 3}, late: 2}\n")


@pytest.mark.parametrize(
    ("score_ms", "others", "ahead"),
    [
        (NOW + 9_000, [], 2),
        # Nine are more than a quarter of 29: they go until seven stand by twenty.
        (NOW + 9_000, [("general", 20, 1)], 2),
        # Of these 39 go first, though none is more urgent: then seven stand by 21.
        (NOW + 9_000, [("general", 60, 5)], 2 + 39),
        # So late that shares have no say.
        (NOW - 3_600_000, [("general", 60, 5)], 2),
        (NOW - 3_600_000, [("general", 60, 1)], 2 + 60),
        # A queue without a share goes by urgency.
        (NOW + 9_000, [("direct", 5, 1)], 2 + 5),
        (NOW + 9_000, [("general", 60, 5), ("direct", 5, 5)], 2 + 39),
    ],
)
def test_where_queues_have_shares_what_goes_first_goes_by_these(
    score_ms: int, others: list[tuple[str, int, int]], ahead: int
) -> None:
    people = roster(advisor("ann", queues=()))
    heads = [replace(head(name, queue=name, priority=priority), score_ms=score_ms) for name, _, priority in others]
    mine = replace(head("mine"), score_ms=score_ms)
    lengths = {one.class_key: length for one, (_, length, _) in zip(heads, others, strict=True)}
    lines = Lines(heads=[replace(mine, case=CaseId("first")), *heads], lengths={**lengths, CLASS.key: 9})
    assert ahead_of(mine, 2, lines, roster=people, rulebook=SHARING, now_ms=NOW) == ahead
