"""Wait classes: which queued cases are interchangeable for every advisor, and which of their heads goes first.

All that an advisor could care about is in a class's key, so cases of a class differ only by their score, the
due time of the clock that governs them. Only heads need comparing, however long the lines are.
"""

from functools import lru_cache
from typing import Final

import msgspec

from router.contract.case import CaseDetail, Clock
from rules import Rulebook
from rules.verdict import HIGHEST_PRIORITY, LOWEST_PRIORITY

MAX_EXCLUDED: Final = 8
NO_CLOCK: Final = "age"
_AGE_TARGET_MS: Final = 3_600_000
_HEAD_START: Final = 0.05


class ClassWant(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A skill and its level, as the class needs it."""

    skill: str
    level: int
    hard: bool


class WaitClass(msgspec.Struct, frozen=True, array_like=True):
    """The members of a class key, in the order of their place in the key."""

    queue: str
    channel: str
    units: int
    wants: tuple[ClassWant, ...]
    language: str
    tiers: tuple[str, ...]
    priority: int
    policy: str
    clock: str
    excluded: tuple[str, ...]
    held_for: str

    @property
    def key(self) -> str:
        return _ENCODER.encode(self).decode()


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(WaitClass)


@lru_cache(maxsize=8192)
def read_class(key: str) -> WaitClass:
    """The class that a key stands for. Raises ``msgspec.DecodeError`` for a key of another format."""
    return _DECODER.decode(key)


def governing(clocks: dict[str, Clock]) -> tuple[str, int | None]:
    """The running clock that is due first, and when; (``age``, None) when none runs."""
    running = [(clock.due_at_ms, name) for name, clock in clocks.items() if clock.due_at_ms is not None]
    if not running:
        return NO_CLOCK, None
    due, name = min(running)
    return name, due


def effective_priority(detail: CaseDetail) -> int:
    """The verdict's priority less what escalation has raised it by; 1 is the highest."""
    return max(HIGHEST_PRIORITY, min(LOWEST_PRIORITY, detail.verdict.priority - detail.raised))


def wait_class(detail: CaseDetail, *, channel: str, units: int, rulebook: Rulebook, now_ms: int) -> WaitClass:
    """The class in which a case waits from now on. Ended cool-downs and holds no longer count."""
    verdict = detail.verdict
    queue = rulebook.queues.get(verdict.queue)
    clock, _ = governing(detail.clocks)
    declined = sorted(name for name, until in detail.declined.items() if until > now_ms)
    held = detail.held_for if detail.held_until_ms is None or detail.held_until_ms > now_ms else ""
    return WaitClass(
        queue=verdict.queue,
        channel=channel,
        units=units,
        wants=tuple(sorted(ClassWant(want.skill, want.level, want.hard) for want in verdict.wants)),
        language=verdict.language or "",
        tiers=queue.tiers if queue else (),
        priority=effective_priority(detail),
        policy=verdict.policy,
        clock=clock,
        excluded=tuple(sorted({*detail.excluded, *declined[:MAX_EXCLUDED]})),
        held_for=held,
    )


def crowded_class(waiting: WaitClass, detail: CaseDetail) -> WaitClass:
    """The class without hold and without soft exclusions, for when there are too many classes."""
    return msgspec.structs.replace(waiting, excluded=tuple(sorted(detail.excluded)), held_for="")


def score(detail: CaseDetail) -> int:
    """The place in the line: the governing clock's due time, or when the case was placed."""
    _, due = governing(detail.clocks)
    return due if due is not None else detail.placed_at_ms


def urgency(waiting: WaitClass, score_ms: int, rulebook: Rulebook, now_ms: int) -> float:
    """How much a head wants to be next; the greatest goes first.

    Convex in the share of the SLA target used, times a weight that doubles with each priority: the
    generalised c-mu rule (Van Mieghem, "Dynamic Scheduling with Convex Delay Costs", Annals of Applied
    Probability 5(3), 1995). Every class ages, so none starves. The time that is left is counted as the clock counts
    it: a case doesn't grow urgent overnight.
    """
    target = target_ms(waiting, rulebook)
    if waiting.clock == NO_CLOCK:
        used = now_ms - score_ms
    else:
        calendar = rulebook.calendar_of(waiting.policy)
        used = target - (score_ms - now_ms if calendar is None else calendar.worked(now_ms, score_ms))
    share = max(0.0, used / target) + _HEAD_START
    return float(2 ** (LOWEST_PRIORITY - waiting.priority)) * share * share


def target_ms(waiting: WaitClass, rulebook: Rulebook) -> int:
    """The target of a class's clock in milliseconds; an hour for a policy that the rulebook has lost."""
    policy = rulebook.policies.get(waiting.policy)
    if policy is None or waiting.clock == NO_CLOCK:
        return _AGE_TARGET_MS
    return (policy.first_response_s if waiting.clock == "first_response" else policy.resolution_s) * 1000
