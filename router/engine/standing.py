"""Where a case stands on its ladders: what the steps it has taken, and nobody has lowered, come to. Pure."""

from collections.abc import Iterator
from typing import NamedTuple

from router.contract.case import CaseDetail
from router.contract.climb import HANDED, LOWERED, Climb
from rules import Rulebook, Step
from rules.ladders import Easing


class Standing(NamedTuple):
    """``climbs`` are the steps that hold, ``tier`` the one they have moved the case up to (empty: none). The case is on
    ``ladder`` (empty: on none), whose foot is the case's step ``foot``."""

    climbs: tuple[Climb, ...]
    tier: str
    ladder: str
    foot: int


def standing(detail: CaseDetail) -> Standing:
    """Where the case stands now."""
    if not detail.climbed:
        return Standing((), "", detail.verdict.ladder or "", 0)
    entries: list[Climb] = []
    for climb in detail.climbed:
        if climb.trigger == LOWERED:
            entries = [each for each in entries if each.step <= climb.step]
        else:
            entries.append(climb)
    tier, ladder, foot = "", detail.verdict.ladder or "", 0
    for climb in entries:
        tier = climb.tier if climb.trigger == HANDED else climb.tier or tier
        if climb.sets:
            ladder, foot = climb.sets, climb.step
    return Standing(tuple(each for each in entries if each.trigger != HANDED), tier, ladder, foot)


def step_on(rulebook: Rulebook, ladder: str, rung: int) -> Step | None:
    """The step at a place on a ladder, counted from 1; None beyond its end, or when the ladder is gone."""
    found = rulebook.ladders.get(ladder)
    return found.steps[rung - 1] if found and 0 < rung <= len(found.steps) else None


def easings(climbs: tuple[Climb, ...], rulebook: Rulebook) -> Iterator[Easing]:
    """What these steps ask less of the advisors."""
    for climb in climbs:
        step = step_on(rulebook, climb.ladder, climb.rung)
        if step is not None and step.relax is not None:
            yield step.relax
