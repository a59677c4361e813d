"""A comparison: several policies on the same traffic, with what nobody could do better."""

from collections.abc import Sequence
from statistics import fmean

import msgspec

from router.simulation.crew import Crew, Told, crew
from router.simulation.estimates import Estimate, difference, estimate
from router.simulation.measures import ALL, Measured
from router.simulation.question import Question

Found = dict[str, list[Measured]]


class Row(msgspec.Struct, frozen=True, kw_only=True, rename={"class_": "class"}):
    """What an entry comes to for a class of a case, or for ``all`` of it; ``policy`` is its label. ``bound`` is the
    greatest ``sla`` that there could be; ``gini`` is of the advisors' hours of work, so the same for every class."""

    case: str
    policy: str
    class_: str
    sla: float
    sla_ci: tuple[float, float]
    mean_wait_s: float
    p95_wait_s: float
    abandoned: float
    gini: float
    bound: float


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """All rows, how many replications they are of and how many inquiries each had on the average, and by how much each
    entry keeps more promises than the first. These intervals are sure together: ``Question.level``."""

    rows: tuple[Row, ...]
    replications: int
    inquiries: float
    ahead: dict[str, Estimate]


def answer(question: Question, *, processes: int = 1, told: Told = lambda _: None) -> Answer:
    """Run every entry on every replication. ``told`` is called with how many more inquiries have come, of
    ``inquiries_of`` or more in all."""
    found: Found = {entry.label: [] for entry in question.entries}
    with crew(question, processes=processes, told=told) as at_work:
        done = 0
        for upto in question.rounds:
            _measure(question, at_work, found, range(done, upto))
            done = upto
            if _is_known(question, ahead := _ahead(question, found)):
                break
        proven = _proven(question, at_work, range(done))
    return Answer(
        rows=_rows(question, found, proven),
        replications=done,
        inquiries=fmean(each.classes[ALL].count for each in found[question.entries[0].label]),
        ahead=ahead,
    )


def _measure(question: Question, at_work: Crew, found: Found, replications: range) -> None:
    tasks = [(entry, number) for entry in range(len(question.entries)) for number in replications]
    for (entry, _), one in zip(tasks, at_work.runs(tasks), strict=True):
        found[question.entries[entry].label].append(one)


def _ahead(question: Question, found: Found) -> dict[str, Estimate]:
    shares = {label: [each.classes[ALL].sla for each in runs] for label, runs in found.items()}
    first = shares[question.entries[0].label]
    return {label: difference(share, first, level=question.level) for label, share in shares.items()}


def _is_known(question: Question, ahead: dict[str, Estimate]) -> bool:
    """Whether each entry is better or worse than the first beyond doubt, or as good within what is asked."""
    return all(not each.holds(0.0) or each.half <= question.within for each in ahead.values())


def _proven(question: Question, at_work: Crew, replications: range) -> list[dict[str, float]]:
    """The bounds of each entry, averaged over the replications: those with the same rules and people have the same."""
    keys = [(entry.rules, repr(entry.workers)) for entry in question.entries]
    entries = sorted({keys.index(key) for key in keys})
    tasks = [(entry, number) for entry in entries for number in replications]
    shares: dict[int, list[dict[str, float]]] = {entry: [] for entry in entries}
    for (entry, _), each in zip(tasks, at_work.bounds(tasks), strict=True):
        shares[entry].append(each)
    means = {entry: {name: fmean(one[name] for one in each) for name in each[0]} for entry, each in shares.items()}
    return [means[keys.index(key)] for key in keys]


def _rows(question: Question, found: Found, proven: Sequence[dict[str, float]]) -> tuple[Row, ...]:
    return tuple(
        _row(question.name, entry.label, name, found[entry.label], bound=bound[name])
        for entry, bound in zip(question.entries, proven, strict=True)
        for name in (ALL, *question.case.classes)
    )


def _row(case: str, label: str, name: str, runs: Sequence[Measured], *, bound: float) -> Row:
    of_class = [each.classes[name] for each in runs]
    sla = estimate([each.sla for each in of_class])
    return Row(
        case=case,
        policy=label,
        class_=name,
        sla=_rounded(sla.mean),
        sla_ci=(_rounded(max(0.0, sla.low)), _rounded(min(1.0, sla.high))),
        mean_wait_s=_rounded(fmean(each.mean_wait_s for each in of_class)),
        p95_wait_s=_rounded(fmean(each.p95_wait_s for each in of_class)),
        abandoned=_rounded(fmean(each.abandoned for each in of_class)),
        gini=_rounded(fmean(each.gini for each in runs)),
        bound=_rounded(bound),
    )


def _rounded(value: float) -> float:
    return round(value, 5)
