"""Timers in the events: each fires once, at its deadline or after it, and none stays behind."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from router.contract.case import Case
from router.contract.events import CaseEvent, EventType
from tests.suites.faults.evidence import Evidence, Promise, Violation

LATE_MS: Final = 15_000
_TIMED: Final = frozenset({"share", "after", "missed"})


def timers(evidence: Evidence, events: Sequence[CaseEvent]) -> Iterator[Violation]:
    """What fired early, twice, unarmed or never."""
    before: dict[str, Case] = {}
    armed: dict[str, dict[str, int]] = {}
    fired: Counter[tuple[str, str, int]] = Counter()
    for event in events:
        was = before.get(event.subject)
        timer = _timer_of(event, was)
        if timer is not None and was is not None and was.ver == event.ver - 1:
            deadline = armed[event.subject].get(timer)
            if deadline is None:
                yield Violation(promise=Promise.TIMERS, evidence=f"{event.id}: {timer} was not armed")
            else:
                fired[event.subject, timer, deadline] += 1
                if event.at_ms < deadline:
                    early = f"{event.id}: {timer} is {deadline - event.at_ms} ms early"
                    yield Violation(promise=Promise.TIMERS, evidence=early)
        before[event.subject] = event.case
        armed[event.subject] = _armed(armed.get(event.subject, {}), event)
    for (case, name, deadline), times in fired.items():
        if times > 1:
            yield Violation(promise=Promise.TIMERS, evidence=f"{case}: {name} of {deadline} fired {times} times")
    next_ms = evidence.snapshot.status.next_timer_ms
    if next_ms is not None and next_ms < evidence.now_ms - LATE_MS:
        yield Violation(promise=Promise.TIMERS, evidence=f"a timer of {next_ms} has not fired by {evidence.now_ms}")


def _armed(before: dict[str, int], event: CaseEvent) -> dict[str, int]:
    """The deadlines after an event. One that was due already has only been put off, by whoever claimed it."""
    due = {timer: deadline for timer, deadline in before.items() if deadline <= event.at_ms}
    return {timer: due.get(timer, deadline) for timer, deadline in event.case.timers.items()}


def _timer_of(event: CaseEvent, was: Case | None) -> str | None:
    """The timer that an event served."""
    match event.type:
        case EventType.DUE:
            return event.about
        case EventType.ESCALATE:
            # By hand, with a message, or lowered, it served none.
            climbed = event.case.climbed
            return f"step|{event.case.step}" if not climbed or climbed[-1].trigger in _TIMED else None
        case EventType.REJUDGE if event.about.startswith("relax "):
            return "relax|0"
        case EventType.CLOSE:
            return "close|0"
        case EventType.EXPIRE if was is not None:
            return next((f"offer|{offer.ver}" for offer in was.offers), None)
        case _:
            return None
