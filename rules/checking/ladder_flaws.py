"""Checks of ladders that look at more than one value: names, order, and steps that would do nothing."""

from collections.abc import Iterator
from typing import assert_never

from rules.errors import Path
from rules.ladders import Easing, Step, Trigger
from rules.naming import each, key_reference, reference, repeated
from rules.policies import Clock
from rules.rulebook import Document, Queue
from rules.shape import Flaw


def relax_flaws(name: str, queue: Queue, document: Document) -> Iterator[Flaw]:
    """Flaws of a queue's steps of relaxation: they come one after the other, and each asks less than before."""
    levels: dict[str, int] = {}
    dropped: set[str] = set()
    last_s = 0
    for index, step in enumerate(queue.relax):
        path: Path = ("queues", name, "relax", index)
        if step.after_s <= last_s:
            yield Flaw((*path, "after_s"), "not after the step before it")
        last_s = step.after_s
        yield from easing_flaws(step, document, path, tiers=queue.tiers)
        if step.is_empty:
            yield Flaw(path, "the step does nothing: give `levels`, `drop`, `queues`, `tiers` or `languages`")
        for skill, level in step.levels.items():
            if skill in dropped:
                yield Flaw((*path, "levels", skill), f"`{skill}` is dropped by a step before", of_key=True)
            elif level >= levels.get(skill, 11):
                yield Flaw((*path, "levels", skill), f"a step before asks for {levels[skill]} already")
            levels[skill] = level
        for place, skill in enumerate(step.drop):
            if skill in dropped:
                yield Flaw((*path, "drop", place), f"`{skill}` is dropped by a step before")
        dropped.update(step.drop)
        if name in step.queues:
            yield Flaw((*path, "queues", step.queues.index(name)), "the case waits in this queue anyway")


def easing_flaws(easing: Easing, document: Document, path: Path, *, tiers: tuple[str, ...] | None) -> Iterator[Flaw]:
    """Names that stand for nothing, and members that say the same twice. ``tiers``: those of the queue, if it is one
    queue's."""
    yield from key_reference(easing.levels, document.skills, "skill", (*path, "levels"))
    yield from each(easing.drop, document.skills, "skill", (*path, "drop"))
    yield from each(easing.queues, document.queues, "queue", (*path, "queues"))
    yield from each(easing.tiers, document.tiers, "tier", (*path, "tiers"))
    for names in ("drop", "queues", "tiers", "languages"):
        yield from repeated(getattr(easing, names), (*path, names))
    for skill in easing.levels:
        if skill in easing.drop:
            yield Flaw((*path, "levels", skill), f"`{skill}` is dropped by the same step", of_key=True)
    if easing.tiers and tiers == ():
        yield Flaw((*path, "tiers"), "the queue takes advisors of every tier anyway")
    for index, tier in enumerate(easing.tiers):
        if tier in (tiers or ()):
            yield Flaw((*path, "tiers", index), f"the queue takes advisors of `{tier}` anyway")
    if easing.any_language and easing.languages:
        yield Flaw((*path, "languages"), "with `any_language` every language will do")
    if easing.any_language and easing.language_level is not None:
        yield Flaw((*path, "language_level"), "with `any_language` every language will do, at any level")


def ladder_flaws(document: Document) -> Iterator[Flaw]:
    """Flaws of all ladders. Steps on one clock, and those on missed offers, come later and later: they are climbed in
    order."""
    for name, ladder in document.ladders.items():
        last: dict[str, float] = {}
        for index, step in enumerate(ladder.steps):
            path: Path = ("ladders", name, "steps", index)
            yield from _order_flaws(step, last, path)
            yield from _trigger_flaws(step, path)
            yield from _action_flaws(step, name, document, path)


def _order_flaws(step: Step, last: dict[str, float], path: Path) -> Iterator[Flaw]:
    """What isn't after the step before it that waits for the same."""
    match step.trigger:
        case Trigger.SHARE:
            member, value, what = "at", step.share, f"the clock {step.clock}"
        case Trigger.AFTER:
            member, value, what = "after_s", float(step.after_s or 0), f"the clock {step.clock}"
        case Trigger.MISSED:
            member, value, what = "missed", float(step.missed or 0), "missed offers"
        case Trigger.MESSAGE | Trigger.BY_HAND:
            return
        case _:
            assert_never(step.trigger)
    if value <= last.get(member + what, 0.0):
        yield Flaw((*path, member), f"not after the step before it on {what}")
    last[member + what] = value


def _trigger_flaws(step: Step, path: Path) -> Iterator[Flaw]:
    if len(step.triggers) > 1:
        yield Flaw(path, "a step comes for one reason: give one of `at`, `after_s`, `missed`, `match` and `by_hand`")
    if step.trigger not in (Trigger.SHARE, Trigger.AFTER) and step.clock is not Clock.FIRST_RESPONSE:
        yield Flaw((*path, "clock"), "only `at` and `after_s` look at a clock")


def _action_flaws(step: Step, ladder: str, document: Document, path: Path) -> Iterator[Flaw]:
    if step.does_nothing:
        yield Flaw(path, "the step does nothing: give `raise_priority`, `notify` or another action")
    if step.relax is not None:
        inside = (*path, "relax")
        if step.relax.is_empty:
            yield Flaw(inside, "asks nothing less: give `levels`, `drop`, `queues`, `tiers` or `languages`")
        yield from easing_flaws(step.relax, document, inside, tiers=None)
    yield from repeated(step.exclude, (*path, "exclude"))
    if step.move_up and not document.tiers:
        yield Flaw((*path, "move_up"), "the rulebook has no `tiers` to move up")
    yield from reference(step.ladder, document.ladders, "ladder", (*path, "ladder"))
    if step.ladder == ladder:
        yield Flaw((*path, "ladder"), "the case is on this ladder already")
