"""The traffic of a case, drawn beforehand: every policy is given the very same inquiries (common random numbers)."""

import heapq
import math
import random
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final, NamedTuple

from router.simulation.case import Case, Handling, Traffic

HOUR_MS: Final = 3_600_000


class Job(NamedTuple):
    """One inquiry: when it comes, of which class (by its number in the case), how long an undisturbed advisor works on
    it, and how long the customer waits (0: for ever)."""

    at_ms: int
    kind: int
    handle_ms: int
    patience_ms: int


def jobs(case: Case, replication: int) -> Iterator[Job]:
    """The inquiries of one replication, in the order of their arrival; the same whenever they are drawn again. The
    numbers of a class don't change with what other classes there are."""
    factor = _busyness(case, replication)
    streams = (
        _stream(case, number, name, traffic, replication=replication, factor=factor)
        for number, (name, traffic) in enumerate(case.classes.items())
    )
    return heapq.merge(*streams)


def rates(case: Case, name: str, traffic: Traffic) -> list[tuple[float, float]]:
    """From which hour on how many come in an hour, until the last entry, where none come any more."""
    turns = [(0.0, traffic.per_hour)] if isinstance(traffic.per_hour, float | int) else None
    turns = turns or [(0.0, 0.0), *((turn.from_h, turn.per_hour) for turn in traffic.per_hour)]  # type: ignore[union-attr]  # told apart in the line above
    bursts = [
        (burst.from_h, burst.from_h + burst.minutes / 60, burst.factor)
        for burst in case.bursts
        if not burst.classes or name in burst.classes
    ]
    edges = {hour for hour, _ in turns} | {edge for begin, end, _ in bursts for edge in (begin, end)}
    found = []
    for hour in sorted(edge for edge in edges if edge < case.hours):
        rate = next(rate for begin, rate in reversed(turns) if begin <= hour)
        found.append((hour, rate * math.prod(factor for begin, end, factor in bursts if begin <= hour < end)))
    return [*found, (case.hours, 0.0)]


def _busyness(case: Case, replication: int) -> float:
    if not case.busyness_cv:
        return 1.0
    variance = case.busyness_cv**2
    return _random(case, replication, "busyness").gammavariate(1 / variance, variance)


def _stream(case: Case, number: int, name: str, traffic: Traffic, *, replication: int, factor: float) -> Iterator[Job]:
    arrivals, work, patience = (_random(case, replication, f"{name}/{what}") for what in ("at", "handle", "patience"))
    handle = _drawing(traffic.handle, work)
    mean_patience_ms = (traffic.patience_s or 0.0) * 1000
    for begin, end in pairwise(rates(case, name, traffic)):
        per_ms = begin[1] * factor / HOUR_MS
        at, until = begin[0] * HOUR_MS, end[0] * HOUR_MS
        while per_ms > 0:
            at += arrivals.expovariate(per_ms)
            if at >= until:
                break
            patience_ms = math.ceil(patience.expovariate(1 / mean_patience_ms)) if mean_patience_ms else 0
            yield Job(int(at), number, max(1, round(handle())), patience_ms)


def _drawing(handling: Handling, source: random.Random) -> Callable[[], float]:
    """What draws milliseconds of work."""
    mean_ms = handling.mean_s * 1000
    if handling.cv == 1:
        return lambda: source.expovariate(1 / mean_ms)
    if not handling.cv:
        return lambda: mean_ms
    sigma = math.sqrt(math.log1p(handling.cv**2))
    mu = math.log(mean_ms) - sigma**2 / 2
    return lambda: source.lognormvariate(mu, sigma)


def _random(case: Case, replication: int, what: str) -> random.Random:
    return random.Random(f"{case.seed}/{replication}/{what}")  # noqa: S311 - nothing secret
