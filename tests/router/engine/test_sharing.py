"""Target shares between queues: who decides when, what they come to over a long run, and that nothing starves."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.contract.ids import AdvisorId, CaseId
from router.engine.decide import Waiting, decide_turn, next_for
from router.engine.explain import ShareTerm, case_again, read_explanation, write_explanation
from router.engine.sharing import gone_first
from router.engine.waiting import ClassWant, WaitClass
from rules import Rulebook
from rules.sharing import Shares
from tests.suites.people import NOW, advisor, roster
from tests.suites.stage import rulebook

TEXT = """
defaults: {queue: chats, language: en}
skills: {billing: money}
outcomes: {solved: Solved}
policies: {standard: {first_response_s: 3600, resolution_s: 86400}}
queues:
  chats: {policy: standard}
  mails: {policy: standard}
  calls: {policy: standard}
"""
PEOPLE = roster(advisor("mina", queues=(), languages={"en": 9}, skills={}))


def book(shares: str = "{queues: {chats: 1, mails: 3}}") -> Rulebook:
    return rulebook(f"{TEXT}shares: {shares}\n" if shares else TEXT)


def head(queue: str, length: int, *, used: float = 0.5, priority: int = 3, units: int = 10, skill: str = "") -> Waiting:
    waiting = WaitClass(
        queue=queue,
        channel="chat",
        units=units,
        wants=(ClassWant(skill, 1, True),) if skill else (),
        language="en",
        tiers=(),
        priority=priority,
        policy="standard",
        clock="first_response",
        excluded=(),
        held_for="",
    )
    due = NOW + int(3_600_000 * (1 - used))
    return Waiting(class_key=waiting.key, score_ms=due, case=CaseId(f"{queue}-{priority}-{units}"), length=length)


@pytest.mark.parametrize(
    ("heads", "first"),
    [
        ([head("chats", 10), head("mails", 10)], "chats-3-10"),  # half of 20, for a quarter
        ([head("chats", 5), head("mails", 20)], "mails-3-10"),  # 20 of 25, for three quarters
        ([head("chats", 5, used=1.5), head("mails", 20)], "mails-3-10"),  # late, but not so late
        ([head("chats", 5, used=2), head("mails", 20)], "chats-3-10"),  # so late that it goes first
        ([head("chats", 5, priority=1), head("mails", 20)], "mails-3-10"),  # whatever the priority
        ([head("chats", 5, used=0.6), head("mails", 15)], "chats-3-10"),  # equally over: urgency
        ([head("chats", 5), head("mails", 15, used=0.6)], "mails-3-10"),
        ([head("chats", 2), head("chats", 3, units=20, used=0.6), head("mails", 1)], "chats-3-20"),  # lines of a queue
        ([head("chats", 20), head("mails", 1), head("calls", 1, used=0.6)], "calls-3-10"),  # no share: by urgency
        ([head("chats", 1, used=0.7), head("mails", 9), head("calls", 99, used=0.6)], "mails-3-10"),  # as one of them
        ([head("chats", 1), head("calls", 99, used=0.4)], "chats-3-10"),  # nobody to share with
        ([head("chats", 1), head("mails", 9, skill="billing")], "chats-3-10"),  # what he can't take doesn't count
        ([head("chats", 9), head("chats", 9), head("mails", 28)], "mails-3-10"),  # a line that is named twice
    ],
)
def test_what_goes_first(heads: list[Waiting], first: str) -> None:
    for order in (heads, heads[::-1]):
        turn = next_for(PEOPLE, AdvisorId("mina"), order, book(), NOW)
        assert turn is not None
        assert turn.head.case == first


def test_without_shares_lengths_mean_nothing() -> None:
    turn = next_for(PEOPLE, AdvisorId("mina"), [head("chats", 10), head("mails", 1, used=0.6)], book(""), NOW)
    assert turn is not None
    assert (turn.head.case, turn.ranked[0].share) == ("mails-3-10", None)


def test_the_record_names_share_target_and_length_and_gives_the_case_again() -> None:
    heads = [head("mails", 20, used=0.9), head("chats", 10)]
    turn = next_for(PEOPLE, AdvisorId("mina"), heads, book(), NOW)
    assert turn is not None
    explanation = decide_turn(PEOPLE, AdvisorId("mina"), turn, book(), NOW)
    read = read_explanation(write_explanation(explanation))
    assert read == explanation
    assert [one.share for one in explanation.heads] == [
        ShareTerm(queue="chats", target=0.25, length=10, total=30),
        ShareTerm(queue="mails", target=0.75, length=20, total=30),
    ]
    assert (case_again(explanation), turn.head.case) == ("chats-3-10", "chats-3-10")


@given(
    st.lists(st.integers(1, 10), min_size=2, max_size=3),
    st.lists(st.integers(1, 4), min_size=3, max_size=3),
    st.integers(0, 1 << 30),
)
def test_over_a_long_overload_the_lines_keep_the_shares(weights: list[int], flows: list[int], seed: int) -> None:
    """Two come for each that is taken up. A line can't hold more than what has come to it, and its share is met unless
    that is so of some line."""
    queues = ("chats", "mails", "calls")[: len(weights)]
    rules = book(f"{{queues: {{{', '.join(f'{q}: {w}' for q, w in zip(queues, weights, strict=True))}}}}}")
    dice, lines, come = random.Random(seed), dict.fromkeys(queues, 0), dict.fromkeys(queues, 0)
    for _ in range(150):
        for queue in dice.choices(queues, flows[: len(queues)], k=2):
            lines[queue] += 1
            come[queue] += 1
        waiting = [head(queue, length, used=dice.random()) for queue, length in lines.items() if length]
        turn = next_for(PEOPLE, AdvisorId("mina"), waiting, rules, NOW)
        assert turn is not None
        lines[turn.head.waiting.queue] -= 1
    total, whole = sum(lines.values()), sum(weights)
    targets = {queue: weight / whole * total for queue, weight in zip(queues, weights, strict=True)}
    if all(come[queue] >= targets[queue] + 10 for queue in queues):
        assert all(abs(lines[queue] - targets[queue]) < 10 for queue in queues)


@given(st.integers(1, 5), st.integers(0, 1 << 30), st.floats(0.01, 100))
def test_nothing_starves_however_large_its_share(priority: int, seed: int, share: float) -> None:
    """One case alone under a line that never ends, whose heads are fresh: it has its turn by its own urgency."""
    rules, dice = book(f"{{queues: {{chats: {share}, mails: 0.01}}}}"), random.Random(seed)
    for used in range(100):
        fresh = head("mails", 1000, used=dice.random(), priority=dice.randint(1, 5))
        lone = head("chats", 1, used=used, priority=priority)
        turn = next_for(PEOPLE, AdvisorId("mina"), [lone, fresh], rules, NOW)
        assert turn is not None
        if turn.head.case == lone.case:
            return
    pytest.fail("it was never taken up")


def emptied(lengths: dict[str, int], rules: Rulebook) -> list[str]:
    """The queues from which cases go, one by one, until nothing waits."""
    gone, left = [], dict(lengths)
    while heads := [head(queue, length) for queue, length in left.items() if length]:
        turn = next_for(PEOPLE, AdvisorId("mina"), heads, rules, NOW)
        assert turn is not None
        gone.append(turn.head.waiting.queue)
        left[gone[-1]] -= 1
    return gone


@pytest.mark.parametrize("seed", range(8))
def test_how_many_go_first_is_as_the_turns_come(seed: int) -> None:
    dice = random.Random(seed)
    shares = {queue: float(dice.randrange(1, 9)) for queue in ("chats", "mails", "calls")}
    lengths = {queue: dice.randrange(1, 25) for queue in sorted(shares, reverse=True)}  # as equals go
    written = ", ".join(f"{queue}: {share}" for queue, share in shares.items())
    gone, seen = emptied(lengths, book(f"{{queues: {{{written}}}}}")), dict.fromkeys(shares, 0)
    for at, queue in enumerate(gone):
        assert gone_first(queue, seen[queue], lengths, Shares(queues=shares)) == at
        seen[queue] += 1


def test_of_very_many_it_is_known_to_a_few_in_a_thousand() -> None:
    few, many = {"chats": 900, "mails": 600}, {"chats": 90_000, "mails": 60_000}
    shares = Shares(queues={"chats": 1, "mails": 3})
    for own in (10, 200, 500):
        found = gone_first("mails", own * 100, many, shares)
        assert found == pytest.approx(100 * gone_first("mails", own, few, shares), rel=0.01)


def test_who_waits_longer_than_was_counted_is_still_told() -> None:
    assert gone_first("mails", 4, {"chats": 1}, Shares(queues={"chats": 1, "mails": 3})) == 5
