"""Ladders: when the next step is due, and whom it tells. What a step does to a case is in ``climbing``."""

from typing import Final, assert_never

from msgspec.structs import replace

from router.contract.case import CaseDetail, CaseState, Clock
from router.contract.climb import Climb
from router.contract.ids import AdvisorId
from router.engine import sla, telling
from router.engine.relaxation import waits_from_ms
from router.engine.standing import standing, step_on
from router.engine.telling import Happening, Teller
from router.engine.terms import NO_TERMS, Terms, own_terms, terms_of
from rules import Facts, Ladder, Rulebook, Step, called
from rules.ladders import Trigger

_UNKNOWN: Final = Climb(step=0, at_ms=0, trigger="")


def timers(
    state: CaseState, detail: CaseDetail, rulebook: Rulebook, now_ms: int, *, clocked_by: Rulebook | None = None
) -> dict[str, int]:
    """What to arm so that each step not yet taken comes in time: when its clock has used its share or run so long, at
    once when so many offers were missed. ``clocked_by``: the rulebook whose policies the clocks go by, if that is
    another. A step that a person has lowered the case from doesn't come again by itself.

    Unlike a warning, a step knows by the case's step whether it was taken: one that is overdue and not armed
    is armed for now. One that is armed and overdue is left to whoever has claimed it.
    """
    at, armed, wanted = standing(detail), state.timers, dict[str, int]()
    ladder = rulebook.ladders.get(at.ladder)
    steps = ladder.steps if ladder and not is_stopped(detail, ladder) else ()
    terms = terms_of(clocked_by or rulebook, detail.verdict.policy) if steps else NO_TERMS
    for number, step in enumerate(steps, start=at.foot + 1):
        known = _due_ms(step, detail, terms, now_ms) if number > max(state.step, detail.peak) else None
        if known is not None:
            due = max(known, detail.put_off_until_ms)
            timer = f"step|{number}"
            wanted[timer] = due if due > now_ms else armed.get(timer, now_ms)
    changes = {timer: due for timer, due in wanted.items() if armed.get(timer) != due}
    return changes | {timer: 0 for timer in armed if timer.startswith("step|") and timer not in wanted}


def is_stopped(detail: CaseDetail, ladder: Ladder) -> bool:
    """Whether somebody looks after the case, of whom the ladder says that it stops for him. It goes on when the case
    comes back, or is taken from him, to wait for others."""
    return ladder.acknowledged == "stop" and heeded_at(detail) is not None


def heeded_at(detail: CaseDetail) -> int | None:
    """Since when somebody looks after the case; None when nobody does, or did before it waited for others again."""
    return detail.heeded_at_ms if 0 < detail.heeded_at_ms >= waits_from_ms(detail) else None


def step_of(detail: CaseDetail, rulebook: Rulebook, number: int) -> Step | None:
    """The case's step of that number; None below the foot of its ladder, or beyond its end."""
    at = standing(detail)
    return step_on(rulebook, at.ladder, number - at.foot)


def next_by_hand(state: CaseState, detail: CaseDetail, rulebook: Rulebook) -> int | None:
    """The step that a person takes: the first above that waits for a person, else the next one whatever it waits for;
    None at the top, or without a ladder."""
    at = standing(detail)
    ladder = rulebook.ladders.get(at.ladder)
    above = [
        (not step.by_hand, number)
        for number, step in enumerate(ladder.steps if ladder else (), start=at.foot + 1)
        if number > state.step
    ]
    return min(above)[1] if above else None


def called_by(state: CaseState, detail: CaseDetail, rulebook: Rulebook, facts: Facts) -> int | None:
    """The highest step that a customer's message calls for; None when it calls for none above where the case is."""
    at = standing(detail)
    above = [at.foot + rung for rung in called(rulebook, at.ladder, facts) if at.foot + rung > state.step]
    return max(above, default=None)


def notices(
    teller: Teller, state: CaseState, *, detail: CaseDetail, step: Step, told: tuple[str, ...], take: bool = False
) -> tuple[str, ...]:
    """What staff are told of the step, the same whenever it is computed again for the same version of the case.
    ``state`` and ``detail`` have taken it; with ``take`` nobody has the case since."""
    taken = detail.climbed[-1] if detail.climbed else _UNKNOWN
    is_timed = step.trigger in (Trigger.SHARE, Trigger.AFTER)
    clock = detail.clocks.get(str(step.clock)) if is_timed else None
    happening = Happening(
        kind="step",
        mark=f"step-{state.step}.{state.ver}",
        step=state.step,
        clock=str(step.clock) if is_timed else "",
        due_at_ms=clock.due_at_ms if clock else None,
        about=AdvisorId(taken.by) if taken.by and teller.roster.get(AdvisorId(taken.by)) else None,
        trigger=taken.trigger,
        owner="" if take else state.owner,
        top=step.move_up and bool(taken.step) and not taken.tier,
    )
    return telling.notices(teller, state, detail=detail, happening=happening, told=told)


def _due_ms(step: Step, detail: CaseDetail, terms: Terms, now_ms: int) -> int | None:
    """When a step is due by what is known now; None for one that nothing but a person or a message brings."""
    match step.trigger:
        case Trigger.SHARE | Trigger.AFTER:
            clock = detail.clocks.get(str(step.clock))
            if clock is None or clock.running_since_ms is None or clock.met_at_ms is not None:
                return None
            return _reached(step, clock, terms)
        case Trigger.MISSED:
            is_looking = not detail.outcome and detail.pending is None
            return now_ms if is_looking and detail.missed_offers >= (step.missed or 0) else None
        case Trigger.MESSAGE | Trigger.BY_HAND:
            return None
        case _:
            assert_never(step.trigger)


def _reached(step: Step, clock: Clock, terms: Terms) -> int:
    calendar = own_terms(terms, str(step.clock), clock).calendar
    if step.after_s is None:
        return sla.reached(clock, step.share, calendar)
    return sla.reached(replace(clock, target_ms=step.after_s * 1000), 1.0, calendar)
