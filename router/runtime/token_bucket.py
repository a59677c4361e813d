"""Rates: a bucket fills steadily up to its size, and each thing done takes tokens out."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

Key = TypeVar("Key")


class Rate(NamedTuple):
    """``per_s`` tokens a second on the long run, ``burst`` at once after a rest."""

    per_s: float
    burst: float


class Bucket(NamedTuple):
    """The state of one bucket: what it held at a moment. Immutable; the functions give the next state."""

    tokens: float
    at_s: float


class Taken(NamedTuple):
    """``wait_s`` is 0 if the tokens were taken, else how long until they could be; inf for never."""

    bucket: Bucket
    wait_s: float


def full(rate: Rate, now_s: float) -> Bucket:
    """A bucket after a rest."""
    return Bucket(rate.burst, now_s)


def take(bucket: Bucket, rate: Rate, now_s: float, tokens: float = 1.0) -> Taken:
    """Take the tokens if they are there; otherwise take nothing. A time before the bucket's own counts as
    the bucket's."""
    now_s = max(now_s, bucket.at_s)
    held = min(rate.burst, bucket.tokens + (now_s - bucket.at_s) * rate.per_s)
    if tokens <= held:
        return Taken(Bucket(held - tokens, now_s), 0.0)
    if tokens > rate.burst or rate.per_s <= 0:
        return Taken(Bucket(held, now_s), float("inf"))
    return Taken(Bucket(held, now_s), (tokens - held) / rate.per_s)


class Limiter(Generic[Key]):
    """A bucket for each key (an address, an account), bounded in number.

    Beyond ``max_keys`` the key that was not seen for longest is forgotten and would start with a full
    bucket again; ``on_forgotten`` is told when that happens to one whose bucket was not full yet.
    """

    def __init__(self, rate: Rate, *, max_keys: int, on_forgotten: Callable[[], object] | None = None) -> None:
        self._rate = rate
        self._max_keys = max_keys
        self._on_forgotten = on_forgotten
        self._buckets: OrderedDict[Key, Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, key: Key, now_s: float, tokens: float = 1.0) -> float:
        """0 if the tokens were taken, else the seconds until they could be."""
        bucket = self._buckets.get(key) or full(self._rate, now_s)
        taken = take(bucket, self._rate, now_s, tokens)
        self._buckets[key] = taken.bucket
        self._buckets.move_to_end(key)
        while len(self._buckets) > self._max_keys:
            self._forget(now_s)
        return taken.wait_s

    def _forget(self, now_s: float) -> None:
        _, bucket = self._buckets.popitem(last=False)
        was_full = take(bucket, self._rate, now_s, self._rate.burst).wait_s == 0
        if not was_full and self._on_forgotten is not None:
            self._on_forgotten()
