"""Rulebook and roster held against what lies outside both: the pools and the notice targets of an installation."""

from collections.abc import Iterator

from msgspec import Struct

from rules.errors import Path, Problem, Severity
from rules.roster import AdvisorRow, Roster
from rules.rulebook import Rulebook
from rules.shape import suggestion
from rules.tree import Tree, show


class Surroundings(Struct, frozen=True, kw_only=True):
    """What the settings name. The first pool is that of advisors who name none."""

    pools: tuple[str, ...] = ("default",)
    targets: tuple[str, ...] = ()

    def rows(self, roster: Roster, pool: str) -> tuple[AdvisorRow, ...]:
        """The advisors of one pool."""
        return tuple(row for row in roster.advisors if (row.pool or self.pools[0]) == pool)


def misplaced(rulebook: Rulebook, roster: Roster, around: Surroundings) -> Iterator[Problem]:
    """Names that stand for nothing there. A pool that isn't there is an error; a notice without a target is not: it
    is dropped and counted, and the ladder does the rest of its step."""
    for row in roster.advisors:
        if row.pool and row.pool not in around.pools:
            message = f"the settings have no pool `{row.pool}`{suggestion(row.pool, around.pools)}"
            yield Problem(message, f"advisor {row.id}", roster.places.get((row.id,)))
    tree = Tree({}, rulebook.places)
    for path, target in _notified(rulebook):
        if target not in around.targets:
            message = f"the settings have no target `{target}`: its notices go nowhere"
            yield Problem(message + suggestion(target, around.targets), show(path), tree.place(path), Severity.WARNING)


def _notified(rulebook: Rulebook) -> Iterator[tuple[Path, str]]:
    """Every target that the rulebook names, and where."""
    for name, ladder in rulebook.ladders.items():
        for index, step in enumerate(ladder.steps):
            for target in step.notify:
                yield ("ladders", name, "steps", index, "notify"), target
    for name, policy in rulebook.policies.items():
        for clock, own in policy.clocks.items():
            for target in own.chase.notify if own.chase else ():
                yield ("policies", name, "clocks", str(clock), "chase", "notify"), target
    for target in rulebook.away_notify:
        yield ("away_notify",), target
