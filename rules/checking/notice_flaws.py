"""What is wrong with who is told: words that stand for nobody, teams and calendars that aren't there."""

from collections.abc import Iterable, Iterator

from rules.errors import Path
from rules.naming import reference, repeated
from rules.notices import PEOPLE, VIA, Who
from rules.rulebook import Document
from rules.shape import Flaw, suggestion
from rules.teams import Duty


def notice_flaws(document: Document) -> Iterator[Flaw]:
    """Every flaw of what the rulebook says about notices."""
    for path, told in told_lists(document):
        yield from told_flaws(told, path)
    yield from _duty_flaws(document.supervisors, document.calendars, ("supervisors",))
    for name, team in document.teams.items():
        yield from _duty_flaws(team.leads, document.calendars, ("teams", name, "leads"))
    for name, quiet in document.quiet.items():
        yield from reference(quiet.calendar, document.calendars, "calendar", ("quiet", name, "calendar"))
    yield from _queue_flaws(document)


def told_lists(document: Document) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Every list of who is told, and where it stands."""
    for name, ladder in document.ladders.items():
        for index, step in enumerate(ladder.steps):
            yield ("ladders", name, "steps", index, "notify"), step.notify
        yield ("ladders", name, "above"), ladder.above
    for name, policy in document.policies.items():
        for clock, own in policy.clocks.items():
            if own.chase:
                yield ("policies", name, "clocks", str(clock), "chase", "notify"), own.chase.notify
    yield ("away_notify",), document.away_notify


def told_flaws(told: tuple[str, ...], path: Path) -> Iterator[Flaw]:
    """What is wrong with one `notify`."""
    yield from repeated(told, path)
    for index, entry in enumerate(told):
        who, via, target = entry.rpartition(VIA)
        if via and who not in PEOPLE:
            known = sorted(PEOPLE)
            yield Flaw((*path, index), f"`{who}` is nobody; known are {', '.join(known)}{suggestion(who, known)}")
        elif not via and target in PEOPLE:
            yield Flaw((*path, index), f"say by which target of the settings: `{target} via TARGET`")


def _duty_flaws(duties: tuple[Duty, ...], calendars: Iterable[str], path: Path) -> Iterator[Flaw]:
    for index, duty in enumerate(duties):
        yield from reference(duty.calendar, calendars, "calendar", (*path, index, "calendar"))
        if duty.calendar is None and index < len(duties) - 1:
            yield Flaw((*path, index), f"`{duty.advisor}` is always on shift: nobody after him is ever asked")


def _queue_flaws(document: Document) -> Iterator[Flaw]:
    for name, queue in document.queues.items():
        yield from reference(queue.team, document.teams, "team", ("queues", name, "team"))
        climbed = document.ladders.get(queue.ladder) if queue.ladder else None
        if climbed and queue.notify is None and any(Who.QUEUE in step.notify for step in climbed.steps):
            message = f"its ladder `{queue.ladder}` tells `queue`: name a target of the settings here, `notify`"
            yield Flaw(("queues", name), message)
