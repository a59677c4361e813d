from collections import Counter

import pytest

from router.demo.sabotage import Sabotage, is_lost, times_seen, written
from router.demo.templates import ALL
from router.demo.traffic import (
    Conversation,
    further,
    opening,
    phrases_of,
    reply_mark,
    reply_marks,
    schedule,
    token,
    tokens,
)

CHANNELS = ["chat", "email", "webhook"]


def run(seed: int = 1, seconds: float = 60, rate: float = 6) -> tuple[Conversation, ...]:
    return schedule(seed=seed, seconds=seconds, rate=rate, channels=CHANNELS)


def test_the_same_seed_gives_the_same_traffic_and_another_another() -> None:
    assert run() == run()
    assert run() != run(seed=2)


@pytest.mark.parametrize(("seconds", "rate"), [(60, 6), (300, 2), (30, 50)])
def test_as_many_begin_as_the_rate_says(seconds: float, rate: float) -> None:
    conversations = run(seconds=seconds, rate=rate)
    expected = seconds * rate
    assert abs(len(conversations) - expected) < 5 * expected**0.5
    times = [one.at_s for one in conversations]
    assert times == sorted(times)
    assert times[0] >= 0
    assert times[-1] < seconds


def test_bursts_are_denser_than_what_is_between_them() -> None:
    times = [one.at_s % 15 for one in run(seconds=300)]
    in_burst = sum(6.5 <= at < 8.5 for at in times)
    assert in_burst / 2 > 2 * (len(times) - in_burst) / 13


def test_all_channels_templates_and_habits_occur() -> None:
    conversations = run(seconds=120)
    counts = Counter(one.channel for one in conversations)
    assert set(counts) == set(CHANNELS)
    assert max(counts.values()) - min(counts.values()) <= 1
    assert {one.template.name for one in conversations} == {template.name for template in ALL}
    assert any(one.more for one in conversations)
    assert any(one.writes_later for one in conversations)
    assert len({one.thread for one in conversations}) == len(conversations)


def test_tokens_are_found_in_a_text() -> None:
    name = token(123, 4)
    assert name == "TN-001234"
    assert tokens(f"about {name}, and {token(5, 0)}; again {name}") == (name, "TN-000050")
    assert tokens("nothing TN-12 here") == ()


def test_a_reply_is_known_by_its_mark() -> None:
    assert reply_marks(f"Hello [{token(1, 0)}] [{reply_mark(7)}]") == ("RP-000007",)


def test_every_message_of_a_conversation_names_itself() -> None:
    for one in run(seconds=20):
        assert tokens(opening(one)) == (token(one.number, 0),)
        for nth, occasion in enumerate(("more", "answers", "later"), start=1):
            assert tokens(further(one, nth, phrases_of(one, occasion))) == (token(one.number, nth),)


def test_without_sabotage_nothing_is_touched() -> None:
    for one in run(seconds=10):
        assert not is_lost(Sabotage.NONE, one)
        assert times_seen(Sabotage.NONE, one) == 1
        assert written(Sabotage.NONE, one) == (one.template.subject, opening(one))


def test_sabotage_hits_the_first_conversation_already() -> None:
    one = run(seconds=10)[0]
    assert is_lost(Sabotage.LOSE, one)
    assert times_seen(Sabotage.DOUBLE, one) == 2


@pytest.mark.parametrize("template", ALL, ids=lambda template: template.name)
def test_a_misrouted_message_says_something_in_the_other_language_under_its_own_name(template: object) -> None:
    one = next(one for one in run(seconds=600) if one.template is template and one.number % 4 == 0)
    subject, text = written(Sabotage.MISROUTE, one)
    other = next(
        other for other in ALL if other.subject == subject and other.text.format(token=token(one.number, 0)) == text
    )
    assert other.language != one.template.language
    assert tokens(text) == (token(one.number, 0),)
