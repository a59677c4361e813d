"""Rulebook and roster held against what lies outside both: the pools and the notice targets of an installation."""

from collections.abc import Iterator

from msgspec import Struct

from rules.checking.notice_flaws import told_lists
from rules.errors import Path, Problem, Severity
from rules.notices import target_of
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
    is dropped and counted, and the ladder does the rest of its step. Each such target is told once."""
    for row in roster.advisors:
        if row.pool and row.pool not in around.pools:
            message = f"the settings have no pool `{row.pool}`{suggestion(row.pool, around.pools)}"
            yield Problem(message, f"advisor {row.id}", roster.places.get((row.id,)))
    tree = Tree({}, rulebook.places)
    places: dict[str, list[Path]] = {}
    for path, target in _notified(rulebook):
        places.setdefault(target, []).append(path)
    for target, (first, *others) in places.items():
        if target not in around.targets:
            message = (
                f"the settings have no target `{target}`: its notices go nowhere{suggestion(target, around.targets)}"
            )
            more = f" (named in {len(others)} more places)" if others else ""
            yield Problem(message + more, show(first), tree.place(first), Severity.WARNING)
    known = {row.id for row in roster.advisors}
    for path, advisor in _on_duty(rulebook):
        if advisor not in known:
            message = f"the roster has no advisor `{advisor}`{suggestion(advisor, known)}"
            yield Problem(message, show(path), tree.place(path), Severity.WARNING)
    led = {row.team for row in roster.advisors if row.team}
    for name in rulebook.teams:
        if name not in led:
            message = f"the roster has no team `{name}`{suggestion(name, led)}"
            yield Problem(message, show(("teams", name)), tree.place(("teams", name)), Severity.WARNING)


def _notified(rulebook: Rulebook) -> Iterator[tuple[Path, str]]:
    """Every target that the rulebook names, and where."""
    for path, told in told_lists(rulebook):
        yield from ((path, target) for entry in told if (target := target_of(entry)))
    for name, queue in rulebook.queues.items():
        if queue.notify is not None:
            yield ("queues", name, "notify"), queue.notify
    for target in rulebook.quiet:
        yield ("quiet", target), target


def _on_duty(rulebook: Rulebook) -> Iterator[tuple[Path, str]]:
    """Every advisor whom the rulebook names, and where."""
    for name, team in rulebook.teams.items():
        for index, duty in enumerate(team.leads):
            yield ("teams", name, "leads", index, "advisor"), duty.advisor
    for index, duty in enumerate(rulebook.supervisors):
        yield ("supervisors", index, "advisor"), duty.advisor
