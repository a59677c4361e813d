"""A rulebook held against a roster: what is well-formed but can't work.

An error is something that will leave cases waiting for ever, or a name in the roster that means
nothing. A warning is for a person to judge.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Final

from rules.errors import Path, Problem, Severity
from rules.exclusion import LAST_ADVISOR
from rules.membership import secondary
from rules.roster import AdvisorRow, Roster
from rules.rulebook import Effect, Rulebook, SkillWant, Strategy
from rules.shape import suggestion
from rules.tree import Tree, show
from rules.widening import stages

_BY_SKILL: Final = frozenset({Strategy.MOST_SKILLED, Strategy.LEAST_SKILLED})


def lint(rulebook: Rulebook, roster: Roster) -> tuple[Problem, ...]:
    """Every problem between the two, errors first; none means that each queue and want has a taker."""
    linter = _Linter(rulebook, roster)
    found = [
        *linter.roster_names(),
        *linter.capacity(),
        *linter.queues(),
        *linter.skills(),
        *linter.rules(),
        *linter.exclusions(),
        *linter.ladders(),
    ]
    return tuple(sorted(found, key=lambda problem: problem.severity is Severity.WARNING))


class _Linter:
    """One rulebook and one roster."""

    def __init__(self, rulebook: Rulebook, roster: Roster) -> None:
        self._rulebook = rulebook
        self._roster = roster
        self._tree = Tree({}, rulebook.places)
        self._best = _best_levels(roster.advisors)
        self._stages = {name: stages(name, rulebook, roster.advisors) for name in rulebook.queues}
        self._members = {name: found[0].members for name, found in self._stages.items()}

    def roster_names(self) -> Iterator[Problem]:
        """Skills, queues, tiers and channels that the rulebook doesn't know."""
        book = self._rulebook
        for row in self._roster.advisors:
            queues = row.secondary if row.queues == "all" else (*row.queues, *row.secondary)
            yield from self._unknown(row, queues, book.queues, "queue")
            yield from self._unknown(row, row.skills, book.skills, "skill")
            yield from self._unknown(row, row.caps, book.channels, "channel")
            yield from self._unknown(row, (row.tier,) if row.tier else (), book.tiers, "tier")

    def capacity(self) -> Iterator[Problem]:
        """Channels that nobody has the budget for."""
        most = max((row.budget for row in self._roster.advisors), default=0)
        for name, weight in self._rulebook.channels.items():
            if weight.units > most:
                yield self._in_book(("channels", name), f"no advisor has a budget of {weight.units} units")

    def queues(self) -> Iterator[Problem]:
        """Queues without members, and those where a language spoken elsewhere has no speaker."""
        spoken = _spoken(self._roster.advisors)
        yield from self._unskilled()
        for name, members in self._members.items():
            yield from self._idle_steps(name)
            yield from self._secondary(name)
            if not members:
                message, severity = self._until("no advisor on the roster takes cases of this queue", name, {})
                yield self._in_book(("queues", name), message, severity)
                continue
            level = self._rulebook.queues[name].language_level
            for language in sorted(spoken - _spoken(members, level)):
                message = f'no advisor of this queue speaks "{language}"{_at(level)}, which others do'
                yield self._in_book(("queues", name), message, Severity.WARNING)

    def _idle_steps(self, name: str) -> Iterator[Problem]:
        """Steps of relaxation that widen the queue to nobody."""
        found = self._stages[name]
        for before, after in pairwise(found):
            step, queue = after.easing[-1], self._rulebook.queues[name]
            if (step.queues or step.tiers) and before.members == after.members and step in queue.relax:
                message = "the step lets nobody in who could not have the case before"
                yield self._in_book(("queues", name, "relax", queue.relax.index(step)), message, Severity.WARNING)

    def _secondary(self, name: str) -> Iterator[Problem]:
        """Secondary members who never get a case of the queue, and a time at which nobody joins."""
        members = sum(row.serves(secondary(name)) and row.queues != "all" for row in self._roster.advisors)
        after_s = self._rulebook.queues[name].secondary_after_s
        if members and after_s is None:
            message = f"{members} on the roster are secondary members: without `secondary_after_s` they get none of it"
            yield self._in_book(("queues", name), message, Severity.WARNING)
        elif after_s is not None and not members:
            message = "no advisor on the roster is a secondary member of the queue"
            yield self._in_book(("queues", name, "secondary_after_s"), message, Severity.WARNING)

    def _until(self, message: str, queue: str, wanted: dict[str, int]) -> tuple[str, Severity]:
        """What leaves cases waiting for ever is an error; what ends with a step of relaxation is to be judged."""
        after_s = next((stage.after_s for stage in self._stages[queue] if stage.able(wanted)), None)
        if after_s is None:
            return message, Severity.ERROR
        return f"{message} before it is relaxed, after {after_s} s", Severity.WARNING

    def _unskilled(self) -> Iterator[Problem]:
        """Queues that rank by the skills that a case wants, where no rule ever wants one."""
        if any(rule.set.skills for rule in self._rulebook.rules):
            return
        for name, queue in self._rulebook.queues.items():
            if queue.strategy in _BY_SKILL:
                message = f"the strategy is `{queue.strategy}`, and no rule wants a skill"
                yield self._in_book(("queues", name, "strategy"), message, Severity.WARNING)

    def skills(self) -> Iterator[Problem]:
        """Declared skills that nobody has."""
        for skill in self._rulebook.skills:
            if not self._is_held(skill, 1):
                yield self._in_book(("skills", skill), "no advisor on the roster has this skill", Severity.WARNING)

    def rules(self) -> Iterator[Problem]:
        """Rules whose skills no member of their queue has, alone or after a rule that continues."""
        carriers: list[tuple[str, dict[str, int]]] = []
        for index, rule in enumerate(self._rulebook.rules):
            path: Path = ("rules", index, "set", "skills")
            hard = _hard(rule.set)
            queue = rule.set.queue or self._rulebook.defaults.queue
            for skill, level in hard.items():
                if not self._is_held(skill, level):
                    message = f"no advisor has `{skill}` at level {level} or above"
                    message, severity = self._until(message, queue, {skill: level})
                    yield self._in_book((*path, skill), message, severity)
            yield from self._unspoken(rule.set, queue, index)
            if not rule.continue_:
                yield from self._stuck(queue, hard, path, Severity.ERROR)
            for carried_queue, carried in carriers:
                wanted = hard | {skill: max(level, hard.get(skill, 0)) for skill, level in carried.items()}
                yield from self._stuck(carried_queue, wanted, path, Severity.WARNING)
            if rule.continue_ and rule.set.queue:
                carriers.append((rule.set.queue, hard))

    def _unspoken(self, effect: Effect, queue: str, index: int) -> Iterator[Problem]:
        """The languages of a rule's queue that nobody there speaks as well as the rule asks."""
        members, level = self._members[queue], effect.language_level or 1
        wanted = {effect.language} if effect.language else _spoken(members)
        for language in sorted(wanted - _spoken(members, level)) if effect.language_level else ():
            message = f'nobody in the queue `{queue}` speaks "{language}"{_at(level)}'
            yield self._in_book(("rules", index, "set", "language_level"), message, Severity.WARNING)

    def exclusions(self) -> Iterator[Problem]:
        """Excluded advisors who aren't there, and rules that leave nobody in their queue."""
        for name, ladder in self._rulebook.ladders.items():
            for index, step in enumerate(ladder.steps):
                yield from self._not_there(step.exclude, ("ladders", name, "steps", index, "exclude"))
        for index, rule in enumerate(self._rulebook.rules):
            path: Path = ("rules", index, "set", "exclude")
            yield from self._not_there(rule.set.exclude, path)
            queue = rule.set.queue or self._rulebook.defaults.queue
            last = self._stages[queue][-1].members
            if last and all(row.id in rule.set.exclude for row in last):
                message = f"it excludes everybody who takes cases of the queue `{queue}`"
                yield self._in_book(path, message, Severity.WARNING)

    def _not_there(self, names: tuple[str, ...], path: Path) -> Iterator[Problem]:
        known = {row.id for row in self._roster.advisors}
        for place, name in enumerate(names):
            if name not in known and name != LAST_ADVISOR:
                message = f"no advisor on the roster is called `{name}`{suggestion(name, known)}"
                yield self._in_book((*path, place), message, Severity.WARNING)

    def ladders(self) -> Iterator[Problem]:
        """Steps that move a case up where nobody is told once no tier is left."""
        for name, ladder in self._rulebook.ladders.items():
            for index, step in enumerate(ladder.steps):
                if step.move_up and not ladder.above:
                    path: Path = ("ladders", name, "steps", index, "move_up")
                    message = "above the last tier nobody is told: give the ladder `above`"
                    yield self._in_book(path, message, Severity.WARNING)

    def _stuck(self, queue: str, wanted: dict[str, int], path: Path, severity: Severity) -> Iterator[Problem]:
        """A problem if the queue has members, but none, or none with some language, has all the skills."""
        members = self._members[queue]
        if not members or not all(self._is_held(skill, level) for skill, level in wanted.items()):
            return  # said already, of the queue or the skill itself
        said = ", ".join(f"{skill} {level}" for skill, level in sorted(wanted.items()))
        able = [row for row in members if _has_all(row, wanted)]
        if not able:
            message, worst = self._until(f"nobody in the queue `{queue}` has all of: {said}", queue, wanted)
            yield self._in_book(path, message, worst if severity is Severity.ERROR else severity)
            return
        for language in sorted(_spoken(members) - _spoken(able)):
            message = f'nobody in the queue `{queue}` who speaks "{language}" has all of: {said}'
            yield self._in_book(path, message, Severity.WARNING)

    def _is_held(self, skill: str, level: int) -> bool:
        return self._best.get(skill, 0) >= level

    def _unknown(self, row: AdvisorRow, names: Iterable[str], known: Iterable[str], what: str) -> Iterator[Problem]:
        for name in names:
            if name not in known:
                message = f"the rulebook has no {what} `{name}`{suggestion(name, known)}"
                yield Problem(message, f"advisor {row.id}", self._roster.places.get((row.id,)))

    def _in_book(self, path: Path, message: str, severity: Severity = Severity.ERROR) -> Problem:
        return Problem(message, show(path), self._tree.place(path), severity)


def _hard(effect: Effect) -> dict[str, int]:
    """The levels that a rule demands, without what it only prefers."""
    return {
        skill: asked.level if isinstance(asked, SkillWant) else asked
        for skill, asked in effect.skills.items()
        if not isinstance(asked, SkillWant) or asked.hard
    }


def _best_levels(rows: Iterable[AdvisorRow]) -> dict[str, int]:
    best: dict[str, int] = {}
    for row in rows:
        for skill, level in row.skills.items():
            best[skill] = max(level, best.get(skill, 0))
    return best


def _has_all(row: AdvisorRow, wanted: dict[str, int]) -> bool:
    return all(row.has(skill, level) for skill, level in wanted.items())


def _spoken(rows: Iterable[AdvisorRow], least: int = 1) -> set[str]:
    return {language for row in rows for language, level in row.languages.items() if level >= least}


def _at(level: int) -> str:
    return f" at level {level} or above" if level > 1 else ""
