import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.runtime.token_bucket import Bucket, Limiter, Rate, full, take

RATE = Rate(per_s=2, burst=10)


@pytest.mark.parametrize(
    ("bucket", "now_s", "tokens", "left", "wait_s"),
    [
        (Bucket(10, 0), 0, 1, 9, 0),
        (Bucket(10, 0), 0, 10, 0, 0),
        (Bucket(0, 0), 0, 1, 0, 0.5),
        (Bucket(0, 0), 0.5, 1, 0, 0),
        (Bucket(0, 0), 3, 8, 6, 1),
        (Bucket(9, 0), 1000, 1, 9, 0),
        (Bucket(0, 5), 4, 1, 0, 0.5),
        (Bucket(10, 0), 0, 11, 10, math.inf),
    ],
)
def test_tokens_are_taken_or_a_wait_is_named(
    bucket: Bucket, now_s: float, tokens: float, left: float, wait_s: float
) -> None:
    taken = take(bucket, RATE, now_s, tokens)
    assert (taken.bucket.tokens, taken.wait_s) == (left, wait_s)


def test_a_bucket_that_never_fills_says_never() -> None:
    assert take(Bucket(0, 0), Rate(0, 5), 100).wait_s == math.inf


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0.01, 5)), max_size=60))
def test_never_more_than_burst_and_rate_allow(steps: list[tuple[float, float]]) -> None:
    bucket, now_s, given_out = full(RATE, 0), 0.0, 0.0
    for pause_s, tokens in steps:
        now_s += pause_s
        bucket, wait_s = take(bucket, RATE, now_s, tokens)
        given_out += tokens if wait_s == 0 else 0
        assert given_out <= RATE.burst + now_s * RATE.per_s + 1e-6
        assert 0 <= bucket.tokens <= RATE.burst


@given(st.floats(0, 9.99), st.floats(0.01, 10))
def test_who_waits_as_long_as_told_gets_his_tokens(held: float, tokens: float) -> None:
    refused = take(Bucket(held, 0), RATE, 0, tokens)
    assert take(refused.bucket, RATE, refused.wait_s + 1e-9, tokens).wait_s == 0 or refused.wait_s == 0


def test_keys_have_buckets_of_their_own() -> None:
    limiter: Limiter[str] = Limiter(Rate(1, 1), max_keys=10)
    assert [limiter.take("a", 0), limiter.take("b", 0), limiter.take("a", 0)] == [0, 0, 1]
    assert limiter.take("a", 1) == 0


def test_the_table_is_bounded_and_says_when_it_forgets_too_early() -> None:
    forgotten: list[int] = []
    limiter: Limiter[int] = Limiter(Rate(1, 2), max_keys=3, on_forgotten=lambda: forgotten.append(1))
    for key in range(4):
        limiter.take(key, 0)
    assert (len(limiter), len(forgotten)) == (3, 1)
    limiter.take(4, 100)
    assert (len(limiter), len(forgotten)) == (3, 1)
    assert limiter.take(0, 100, 2) == 0
