"""The judgement: a rulebook and the facts of one inquiry in, a verdict out."""

from typing import Final

from rules.conditions.view import Settled, View
from rules.facts import Facts
from rules.rulebook import Effect, Rule, Rulebook, SkillWant
from rules.verdict import Reason, Verdict, Want

MAX_REASONS: Final = 50


def judge(rulebook: Rulebook, facts: Facts) -> Verdict:
    """Say where the inquiry goes and what it needs. Never raises; the same input has the same verdict.

    Rules are tried in order. One that matches sets its fields and ends the judgement unless it
    continues. A field that two rules set keeps the first one's value; labels, skills and exclusions add up,
    with the highest level asked for. The first promise that matches gives the policy. The chosen queue then gives
    policy, ladder and acknowledgement, the facts or the text give the language, and the defaults fill what is still
    open.
    """
    view = View(facts)
    draft = _Draft()
    for rule, test in zip(rulebook.rules, rulebook.tests, strict=True):
        if test(view):
            draft.take(rule)
            if not rule.continue_:
                break
    return draft.verdict(rulebook, view)


def called(rulebook: Rulebook, ladder: str, facts: Facts) -> tuple[int, ...]:
    """The steps of a ladder, counted from 1, that wait for a message like this one. None of a ladder that is gone."""
    tests = rulebook.calls.get(ladder, ())
    if not any(tests):
        return ()
    view = View(facts)
    return tuple(number for number, test in enumerate(tests, start=1) if test is not None and test(view))


class _Draft:
    """A verdict in the making."""

    def __init__(self) -> None:
        self._set: dict[str, str | int | bool] = {}
        self._wants: dict[str, Want] = {}
        self._labels: dict[str, None] = {}
        self._excluded: dict[str, None] = {}
        self._reasons: list[Reason] = []

    def take(self, rule: Rule) -> None:
        """Take over what the rule sets and nothing before it has set."""
        effect = rule.set
        names = [name for name, value in _single(effect) if self._fill(name, value)]
        if effect.skills:
            self._want(effect)
            names.append("wants")
        if effect.labels:
            self._labels.update(dict.fromkeys(effect.labels))
            names.append("labels")
        if effect.exclude:
            self._excluded.update(dict.fromkeys(effect.exclude))
            names.append("exclude")
        self._because(rule.name, names, even_if_none=True)

    def verdict(self, rulebook: Rulebook, view: View) -> Verdict:
        """Fill the gaps and close the draft."""
        defaults = rulebook.defaults
        unset = [name for name, value in _defaults(rulebook) if self._fill(name, value)]
        queue = rulebook.queues[str(self._set["queue"])]
        self._promise(rulebook, view)
        given = (("policy", queue.policy), ("ladder", queue.ladder), ("acknowledge", queue.acknowledge))
        self._because("queue", [name for name, value in given if self._fill(name, value)])
        self._because("language", ["language"] if self._fill("language", view.language) else [])
        if self._fill("language", defaults.language):
            unset.append("language")
        self._because("defaults", unset)
        return Verdict(
            **self._set,  # type: ignore[arg-type]  # every value was filled from a field of its type
            wants=tuple(self._wants.values()),
            labels=tuple(self._labels),
            reasons=tuple(self._reasons),
            rulebook=rulebook.hash,
            exclude=tuple(self._excluded),
        )

    def _promise(self, rulebook: Rulebook, view: View) -> None:
        """The policy of the first promise that matches, unless a rule has set one."""
        if not rulebook.promises or "policy" in self._set:
            return
        queue, priority = str(self._set["queue"]), int(self._set["priority"])
        settled = Settled(view.facts, queue=queue, priority=priority, labels=tuple(self._labels))
        for promise, test in zip(rulebook.promises, rulebook.promise_tests, strict=True):
            if test(settled):
                self._fill("policy", promise.policy)
                self._because(promise.name, ["policy"])
                return

    def _fill(self, name: str, value: str | int | bool | None) -> bool:
        if value is None or name in self._set:
            return False
        self._set[name] = value
        return True

    def _want(self, effect: Effect) -> None:
        for skill, asked in effect.skills.items():
            want = Want(skill, asked.level, asked.hard) if isinstance(asked, SkillWant) else Want(skill, asked)
            before = self._wants.get(skill)
            self._wants[skill] = _stricter(before, want) if before else want

    def _because(self, name: str, fields: list[str], *, even_if_none: bool = False) -> None:
        if (fields or even_if_none) and len(self._reasons) < MAX_REASONS:
            self._reasons.append(Reason(name, tuple(fields)))


def _stricter(one: Want, other: Want) -> Want:
    """Both wants in one. A hard one isn't raised by a soft one: that would turn a wish into a must."""
    if one.hard != other.hard:
        return one if one.hard else other
    return one if one.level >= other.level else other


def _single(effect: Effect) -> tuple[tuple[str, str | int | bool | None], ...]:
    return (
        ("queue", effect.queue),
        ("priority", effect.priority),
        ("language", effect.language),
        ("language_level", effect.language_level),
        ("policy", effect.policy),
        ("ladder", effect.ladder),
        ("acknowledge", effect.acknowledge),
    )


def _defaults(rulebook: Rulebook) -> tuple[tuple[str, str | int], ...]:
    return (("queue", rulebook.defaults.queue), ("priority", rulebook.defaults.priority))
