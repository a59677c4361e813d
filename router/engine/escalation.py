"""Ladders: when the next step is due, what it changes, whom it tells."""

from msgspec.structs import replace

from router.contract.case import CaseDetail, CaseState
from router.engine import sla, telling
from router.engine.telling import Happening, Teller
from router.engine.terms import own_terms, terms_of
from rules import Ladder, Rulebook, Step


def ladder_of(detail: CaseDetail, rulebook: Rulebook) -> Ladder | None:
    """The ladder the verdict named, unless the rulebook has lost it."""
    name = detail.verdict.ladder
    return rulebook.ladders.get(name) if name else None


def timers(
    state: CaseState, detail: CaseDetail, rulebook: Rulebook, now_ms: int, *, clocked_by: Rulebook | None = None
) -> dict[str, int]:
    """What to arm so that each step not yet taken comes when its clock has used its share. ``clocked_by``: the rulebook
    whose policies the clocks go by, if that is another.

    Unlike a warning, a step knows by the case's step whether it was taken: one that is overdue and not armed
    is armed for now. One that is armed and overdue is left to whoever has claimed it.
    """
    ladder, terms = ladder_of(detail, rulebook), terms_of(clocked_by or rulebook, detail.verdict.policy)
    armed, wanted = state.timers, dict[str, int]()
    for number, step in enumerate(ladder.steps if ladder else (), start=1):
        clock = detail.clocks.get(str(step.clock))
        if number > state.step and clock is not None and clock.running_since_ms is not None and clock.met_at_ms is None:
            own = own_terms(terms, str(step.clock), clock)
            at = sla.reached(clock, step.share, own.calendar)
            timer = f"step|{number}"
            wanted[timer] = at if at > now_ms else armed.get(timer, now_ms)
    changes = {timer: at for timer, at in wanted.items() if armed.get(timer) != at}
    return changes | {timer: 0 for timer in armed if timer.startswith("step|") and timer not in wanted}


def step_at(ladder: Ladder | None, number: int) -> Step | None:
    """The step of that number, counted from 1; None beyond the ladder's end."""
    return ladder.steps[number - 1] if ladder and 0 < number <= len(ladder.steps) else None


def take(detail: CaseDetail, step: Step) -> CaseDetail:
    """What a step changes of the case."""
    return replace(detail, raised=detail.raised + step.raise_priority)


def notices(teller: Teller, state: CaseState, *, detail: CaseDetail, step: Step, number: int) -> tuple[str, ...]:
    """What staff are told of the step, the same whenever it is computed again for the same version of the case."""
    clock = detail.clocks.get(str(step.clock))
    happening = Happening(
        kind="step",
        mark=f"step-{number}.{state.ver}",
        step=number,
        clock=str(step.clock),
        due_at_ms=clock.due_at_ms if clock else None,
    )
    return telling.notices(teller, state, detail=detail, happening=happening, told=step.notify)
