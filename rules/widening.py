"""Who of a roster may have the cases of a queue, at each step of its relaxation."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rules.ladders import Easing
from rules.membership import steps_of
from rules.roster import AdvisorRow
from rules.rulebook import Queue, Rulebook


class Stage(NamedTuple):
    """A queue after so long a wait: 0 before its first step. ``members`` serve it then, ``easing`` is what is asked
    less by then."""

    after_s: int
    members: tuple[AdvisorRow, ...]
    easing: tuple[Easing, ...]

    def able(self, wanted: Mapping[str, int]) -> list[AdvisorRow]:
        """The members who have what is still needed of these levels."""
        needed = dict(wanted)
        for easing in self.easing:
            for skill in easing.drop:
                needed.pop(skill, None)
            needed.update(
                {skill: min(level, needed[skill]) for skill, level in easing.levels.items() if skill in needed}
            )
        return [row for row in self.members if all(row.has(skill, level) for skill, level in needed.items())]


def stages(name: str, rulebook: Rulebook, rows: Sequence[AdvisorRow]) -> tuple[Stage, ...]:
    """The queue before relaxation, and after each step."""
    queue = rulebook.queues[name]
    easings = steps_of(name, queue)
    return tuple(
        Stage(easings[taken - 1].after_s if taken else 0, _members(name, queue, easings[:taken], rows), easings[:taken])
        for taken in range(len(easings) + 1)
    )


def _members(name: str, queue: Queue, easings: Sequence[Easing], rows: Sequence[AdvisorRow]) -> tuple[AdvisorRow, ...]:
    served = [name, *(other for easing in easings for other in easing.queues)]
    tiers = {*queue.tiers, *(tier for easing in easings for tier in easing.tiers)} if queue.tiers else set()
    return tuple(row for row in rows if any(map(row.serves, served)) and (not tiers or row.tier in tiers))
