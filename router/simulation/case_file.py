"""Cases from files: YAML held against the shape of ``Case``, every problem with its file, line and path."""

from collections.abc import Iterator
from importlib import resources
from typing import Final

import msgspec

from router.simulation.case import Case, Traffic
from router.simulation.errors import CaseError
from rules.errors import Problem
from rules.shape import Flaw, flaws_of, suggestion
from rules.tree import read_tree, show

_SUFFIX: Final = ".yaml"


def read_case(file: str, text: str, *, is_judged: bool = False, is_staffed: bool = False) -> Case:
    """The case in a text; ``file`` is what problems name. ``is_judged`` tells that there is a real rulebook: it says
    what is promised and who may take what, so the case need not; ``is_staffed`` that there is a real roster. Raises
    ``CaseError`` with every problem."""
    problems: list[Problem] = []
    tree = read_tree(file, text, problems)
    flaws = list(flaws_of(tree.plain, Case)) if tree.is_whole else []
    case = msgspec.convert(tree.plain, Case, strict=False) if tree.is_whole and not flaws else None
    if case:
        flaws += _flaws(case, is_judged=is_judged, is_staffed=is_staffed)
    problems += [Problem(flaw.message, show(flaw.path), tree.place(flaw.path, of_key=flaw.of_key)) for flaw in flaws]
    if problems or case is None:
        raise CaseError(problems)
    return case


def names() -> tuple[str, ...]:
    """The cases that come with Turnout."""
    folder = resources.files("router.simulation") / "cases"
    return tuple(sorted(each.name.removesuffix(_SUFFIX) for each in folder.iterdir() if each.name.endswith(_SUFFIX)))


def text_of(name: str) -> str:
    """The text of a case that comes with Turnout. Raises ``OSError`` for a name that there isn't."""
    return (resources.files("router.simulation") / "cases" / f"{name}{_SUFFIX}").read_text("utf-8")


def _flaws(case: Case, *, is_judged: bool, is_staffed: bool) -> Iterator[Flaw]:
    """What only shows when the parts are seen together."""
    if case.warm_up_h >= case.hours:
        yield Flaw(("warm_up_h",), f"must be less than `hours` ({case.hours:g}), or nothing is left to measure")
    if not is_staffed and not case.advisors:
        yield Flaw((), "the field `advisors` is missing: without a roster file nobody would answer")
    if not is_judged:
        yield from _unjudged_flaws(case)
    for name, traffic in case.classes.items():
        yield from _turn_flaws(name, traffic)
    for index, burst in enumerate(case.bursts):
        for at, name in enumerate(burst.classes):
            if name not in case.classes:
                yield Flaw(
                    ("bursts", index, "classes", at), f'there is no class "{name}"{suggestion(name, case.classes)}'
                )
    for name, group in case.advisors.items():
        if group.shift and group.shift.to_h <= group.shift.from_h:
            yield Flaw(("advisors", name, "shift"), "a shift must end after it has begun")


def _unjudged_flaws(case: Case) -> Iterator[Flaw]:
    for name, traffic in case.classes.items():
        if traffic.target_s is None:
            yield Flaw(("classes", name), "the field `target_s` is missing: without a rulebook nothing else promises")
    queues = {traffic.queue or name for name, traffic in case.classes.items()}
    for name, group in case.advisors.items():
        for at, queue in enumerate(() if group.queues == "all" else group.queues):
            if queue not in queues:
                path = ("advisors", name, "queues", at)
                yield Flaw(path, f'no class waits in a queue "{queue}"{suggestion(queue, queues)}')
        if group.secondary:
            yield Flaw(
                ("advisors", name, "secondary"), "without a rulebook no queue says when its secondary members join"
            )


def _turn_flaws(name: str, traffic: Traffic) -> Iterator[Flaw]:
    if isinstance(traffic.per_hour, int | float):
        return
    hours = [turn.from_h for turn in traffic.per_hour]
    if hours != sorted(set(hours)):
        yield Flaw(("classes", name, "per_hour"), "the turns must be in the order of their hours, each hour once")
