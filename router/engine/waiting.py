"""Wait classes: which queued cases are interchangeable for every advisor, and which of their heads goes first.

All that an advisor could care about is in a class's key, so cases of a class differ only by their score, the
due time of the clock that governs them, or when they were placed where the queue's order goes by that. Only heads
need comparing, however long the lines are.
"""

from functools import lru_cache
from typing import Final

import msgspec

from router.contract.case import CaseDetail, Clock
from router.engine.relaxation import asked
from rules import Rulebook
from rules.calendar import Calendar
from rules.policies import Clock as Kind
from rules.rulebook import Queue, QueueOrder
from rules.verdict import DEFAULT_PRIORITY, HIGHEST_PRIORITY, LOWEST_PRIORITY

MAX_EXCLUDED: Final = 8
NO_CLOCK: Final = "age"
TEAM_MARK: Final = "@"
"""What ``held_for`` begins with where it names a team. No advisor's id does."""
_AGE_TARGET_MS: Final = 3_600_000


class ClassWant(msgspec.Struct, frozen=True, array_like=True, order=True):
    """A skill and its level, as the class needs it."""

    skill: str
    level: int
    hard: bool


class WaitClass(msgspec.Struct, frozen=True, array_like=True):
    """The members of a class key, in the order of their place in the key. Members of ``queues`` and speakers of
    ``languages`` will do as well as those of ``queue`` and ``language``; the language is needed at its level. Keys of
    before haven't these three."""

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
    queues: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    language_level: int = 1

    @property
    def key(self) -> str:
        written = _ENCODER.encode(self).decode()
        if self.language_level == 1:
            written = f"{written.removesuffix(_AT_ALL)}]"
        return f"{written.removesuffix(_NO_MORE)}]" if written.endswith(_NO_MORE) else written


_NO_MORE: Final = ",[],[]]"
"""How a key would end that lets nobody else in: it is left out, and the key is as it was before there was more."""
_AT_ALL: Final = ",1]"
"""The same of a key that asks for the language at no level."""
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
    """The class in which a case waits from now on, with what it asks at its step of relaxation. Ended cool-downs and
    holds no longer count."""
    verdict, asks = detail.verdict, asked(detail, rulebook)
    queue = rulebook.queues.get(verdict.queue)
    clock, _ = _governing(detail, queue)
    declined = sorted(name for name, until in detail.declined.items() if until > now_ms)
    held = detail.held_for if detail.held_until_ms is None or detail.held_until_ms > now_ms else ""
    return WaitClass(
        queue=verdict.queue,
        channel=channel,
        units=units,
        wants=tuple(sorted(ClassWant(want.skill, want.level, want.hard) for want in asks.wants)),
        language=asks.language,
        tiers=asks.tiers,
        priority=effective_priority(detail),
        policy=verdict.policy,
        clock=clock,
        excluded=tuple(sorted({*detail.excluded, *declined[:MAX_EXCLUDED]})),
        held_for=held,
        queues=asks.queues,
        languages=asks.languages,
        language_level=asks.language_level if asks.language else 1,
    )


def crowded_class(waiting: WaitClass, detail: CaseDetail) -> WaitClass:
    """The class without hold and without soft exclusions, for when there are too many classes: itself, mostly."""
    hard = tuple(sorted(detail.excluded))
    if not waiting.held_for and waiting.excluded == hard:
        return waiting
    return msgspec.structs.replace(waiting, excluded=hard, held_for="")


def score(detail: CaseDetail, rulebook: Rulebook) -> int:
    """The place in the line: the governing clock's due time, or when the case was placed, if none governs or the
    queue's order doesn't go by clocks."""
    _, due = _governing(detail, rulebook.queues.get(detail.verdict.queue))
    return due if due is not None else detail.placed_at_ms


def _governing(detail: CaseDetail, queue: Queue | None) -> tuple[str, int | None]:
    return governing(detail.clocks) if queue is None or queue.order is QueueOrder.URGENCY else (NO_CLOCK, None)


def urgency(waiting: WaitClass, score_ms: int, rulebook: Rulebook, now_ms: int) -> float:
    """How much a head wants to be next; the greatest goes first, in a queue and between queues.

    By ``urgency`` it is convex in the share of the SLA target used, times a weight that doubles with each priority:
    the generalised c-mu rule (Van Mieghem, "Dynamic Scheduling with Convex Delay Costs", Annals of Applied
    Probability 5(3), 1995). A fresh case has an urgency too, so a step of priority is worth two fifths of a target
    from the start: simulated, that keeps more promises. By ``fifo`` the same, but of a case's age only. By
    ``priority`` a step of priority is worth one target of waiting. A case of the default priority that has used up
    its target is worth nearly the same by each, and each grows without bound, so none starves. Time is counted as
    the clock counts it: a case doesn't grow urgent overnight.
    """
    queue = rulebook.queues.get(waiting.queue)
    order = queue.order if queue else QueueOrder.URGENCY
    share = max(0.0, share_used(waiting, score_ms, rulebook, now_ms))
    match order:
        case QueueOrder.URGENCY:
            return 2.0 ** (DEFAULT_PRIORITY - waiting.priority) * (1 + share) ** 2
        case QueueOrder.FIFO:
            return (1 + share) ** 2
        case QueueOrder.PRIORITY:
            return (LOWEST_PRIORITY - waiting.priority + share) ** 2 / 2


def share_used(waiting: WaitClass, score_ms: int, rulebook: Rulebook, now_ms: int) -> float:
    """The used share of the class's target (1: all of it), or its age's share of the queue's."""
    if waiting.clock == NO_CLOCK:
        target, calendar = _age_target(waiting.queue, rulebook)
        return (now_ms - score_ms if calendar is None else calendar.worked(score_ms, now_ms)) / target
    target, calendar = target_ms(waiting, rulebook), rulebook.calendar_of(waiting.policy, waiting.clock)
    return 1 - (score_ms - now_ms if calendar is None else calendar.worked(now_ms, score_ms)) / target


def _age_target(name: str, rulebook: Rulebook) -> tuple[int, Calendar | None]:
    """The first response that a queue promises, and what it counts by. Where clocks govern, a case without one that
    runs ages by the hour."""
    queue = rulebook.queues.get(name)
    policy = rulebook.policies.get(queue.policy) if queue and queue.order is not QueueOrder.URGENCY else None
    if queue is None or policy is None:
        return _AGE_TARGET_MS, None
    return policy.first_response_s * 1000, rulebook.calendar_of(queue.policy, Kind.FIRST_RESPONSE)


def target_ms(waiting: WaitClass, rulebook: Rulebook) -> int:
    """The target of a class's clock in milliseconds; an hour for one that the rulebook has lost."""
    policy = rulebook.policies.get(waiting.policy)
    target_s = policy.target_s(waiting.clock) if policy else None
    return _AGE_TARGET_MS if target_s is None else target_s * 1000
