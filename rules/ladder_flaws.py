"""Checks of ladders that look at more than one value: names, order, and steps that would do nothing."""

from collections.abc import Iterator

from rules.errors import Path
from rules.ladders import Easing
from rules.naming import each, key_reference, repeated
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


def easing_flaws(easing: Easing, document: Document, path: Path, *, tiers: tuple[str, ...]) -> Iterator[Flaw]:
    """Names that stand for nothing, and members that say the same twice. ``tiers``: those of the queue."""
    yield from key_reference(easing.levels, document.skills, "skill", (*path, "levels"))
    yield from each(easing.drop, document.skills, "skill", (*path, "drop"))
    yield from each(easing.queues, document.queues, "queue", (*path, "queues"))
    yield from each(easing.tiers, document.tiers, "tier", (*path, "tiers"))
    for names in ("drop", "queues", "tiers", "languages"):
        yield from repeated(getattr(easing, names), (*path, names))
    for skill in easing.levels:
        if skill in easing.drop:
            yield Flaw((*path, "levels", skill), f"`{skill}` is dropped by the same step", of_key=True)
    if easing.tiers and not tiers:
        yield Flaw((*path, "tiers"), "the queue takes advisors of every tier anyway")
    for index, tier in enumerate(easing.tiers):
        if tier in tiers:
            yield Flaw((*path, "tiers", index), f"the queue takes advisors of `{tier}` anyway")
    if easing.any_language and easing.languages:
        yield Flaw((*path, "languages"), "with `any_language` every language will do")
