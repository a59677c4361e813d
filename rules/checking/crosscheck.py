"""Checks of a well-shaped rulebook that look at more than one value: names that must exist, order, ranges."""

from collections.abc import Iterator
from typing import Final

from rules import opening_hours
from rules.capacity import weight_flaws
from rules.checking.covering import covered
from rules.checking.ladder_flaws import ladder_flaws, relax_flaws
from rules.checking.notice_flaws import notice_flaws
from rules.checking.policy_flaws import policy_flaws, promise_flaws
from rules.errors import Path
from rules.exclusion import exclusion_flaws
from rules.naming import RESERVED, each, key_reference, reference, repeated
from rules.rulebook import Document, Effect, Queue, Rule, Strategy
from rules.shape import Flaw
from rules.sharing import share_flaws

MAX_RULES: Final = 5_000
MAX_SKILLS: Final = 256
MAX_LABELS: Final = 256
"""Bounds of what one verdict can grow to when rules continue."""


def cross_flaws(document: Document) -> Iterator[Flaw]:
    """Every flaw of the rulebook as a whole, but for its conditions."""
    yield from reference(document.defaults.queue, document.queues, "queue", ("defaults", "queue"))
    for name, queue in document.queues.items():
        path: Path = ("queues", name)
        yield from reference(queue.policy, document.policies, "policy", (*path, "policy"))
        yield from reference(queue.ladder, document.ladders, "ladder", (*path, "ladder"))
        yield from each(queue.tiers, document.tiers, "tier", (*path, "tiers"))
        if queue.pick != "all":
            yield from each(queue.pick, document.tiers, "tier", (*path, "pick"))
        yield from _strategy_flaws(queue, path)
        yield from relax_flaws(name, queue, document)
    yield from weight_flaws(document.channels)
    yield from share_flaws(document.shares, document.queues)
    yield from policy_flaws(document)
    yield from promise_flaws(document)
    yield from opening_hours.flaws(document.calendars)
    yield from repeated(document.tiers, ("tiers",))
    yield from ladder_flaws(document)
    yield from _rule_flaws(document)
    yield from notice_flaws(document)
    yield from _size_flaws(document)


def _strategy_flaws(queue: Queue, path: Path) -> Iterator[Flaw]:
    """Options of a strategy that the queue hasn't, and weights that rank nobody."""
    if queue.weights is not None and queue.strategy is not Strategy.BALANCED:
        yield Flaw((*path, "weights"), f"only `balanced` looks at it; the strategy is `{queue.strategy}`")
    if queue.weights is not None and not queue.weights.total:
        yield Flaw((*path, "weights"), "all are 0: give at least one term a weight")


def _rule_flaws(document: Document) -> Iterator[Flaw]:
    seen: set[str] = set()
    last: Rule | None = None
    for index, rule in enumerate(document.rules):
        path: Path = ("rules", index)
        if rule.name in seen:
            yield Flaw((*path, "name"), f"another rule is called `{rule.name}` too")
        if rule.name in RESERVED:
            yield Flaw((*path, "name"), f"`{rule.name}` is reserved for the reasons of a verdict")
        seen.add(rule.name)
        yield from _effect_flaws(rule.set, document, (*path, "set"))
        if last:
            yield Flaw(path, f"never reached: `{last.name}` before it always matches and doesn't continue")
        elif not rule.match and not rule.continue_:
            last = rule
    yield from (Flaw(("rules", index), message) for index, message in covered(document.rules))
    yield from exclusion_flaws((rule.set.exclude, rule.continue_) for rule in document.rules)


def _effect_flaws(effect: Effect, document: Document, path: Path) -> Iterator[Flaw]:
    yield from reference(effect.queue, document.queues, "queue", (*path, "queue"))
    yield from reference(effect.policy, document.policies, "policy", (*path, "policy"))
    yield from reference(effect.ladder, document.ladders, "ladder", (*path, "ladder"))
    yield from key_reference(effect.skills, document.skills, "skill", (*path, "skills"))
    yield from repeated(effect.exclude, (*path, "exclude"))


def _size_flaws(document: Document) -> Iterator[Flaw]:
    labels = {label for rule in document.rules for label in rule.set.labels}
    sizes = (
        ("rules", len(document.rules), MAX_RULES, "rules"),
        ("skills", len(document.skills), MAX_SKILLS, "skills"),
        ("rules", len(labels), MAX_LABELS, "different labels"),
    )
    for section, size, most, what in sizes:
        if size > most:
            yield Flaw((section,), f"{size:,} {what}; at most {most:,} are allowed")
    for section in ("queues", "policies", "outcomes"):
        if not getattr(document, section):
            yield Flaw((section,), "at least one is needed")
