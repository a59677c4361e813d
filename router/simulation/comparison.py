"""A comparison: several policies on the same traffic, with what nobody could do better."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from statistics import fmean

import msgspec

from router.simulation.case import Case
from router.simulation.clairvoyant import MOST_JOBS, clairvoyant
from router.simulation.estimates import Estimate, difference, estimate
from router.simulation.installation import Installation, Worker, installation
from router.simulation.measures import ALL, Measured
from router.simulation.pooled import pooled
from router.simulation.runs import run
from router.simulation.traffic import HOUR_MS, Job, jobs, rates
from rules import restore

Told = Callable[[int], object]


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """Who takes part: a policy, and what it is run on. ``rules`` is a real rulebook as ``rules.content`` writes it,
    empty for none; ``workers`` are the advisors of a real roster, if they are not the case's. Unlike a rulebook it can
    be sent to a process."""

    label: str
    policy: str
    rules: bytes = b""
    workers: tuple[Worker, ...] = ()

    def scene(self, case: Case) -> Installation:
        return installation(case, restore(self.rules) if self.rules else None, self.workers)


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be simulated. Labels differ; the first entry is what the others are held against."""

    name: str
    case: Case
    entries: tuple[Entry, ...]
    replications: int


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
    """All rows, how many inquiries a replication had on the average, and by how much each entry keeps more promises
    than the first, with the interval."""

    rows: tuple[Row, ...]
    inquiries: float
    ahead: dict[str, Estimate]


def answer(question: Question, *, processes: int = 1, told: Told = lambda _: None) -> Answer:
    """Run every entry on every replication. ``told`` is called with how many more inquiries are done, of about
    ``inquiries_of`` in all."""
    found: dict[str, list[Measured]] = {entry.label: [] for entry in question.entries}
    for entry, one in _measured(question, processes, told):
        found[entry.label].append(one)
    bounds = _Bounds(question)
    rows = [
        _row(question.name, entry.label, name, found[entry.label], bound=bounds.of(entry)[name])
        for entry in question.entries
        for name in (ALL, *question.case.classes)
    ]
    shares = {label: [each.classes[ALL].sla for each in runs] for label, runs in found.items()}
    first = question.entries[0].label
    return Answer(
        rows=tuple(rows),
        inquiries=fmean(each.classes[ALL].count for each in found[first]),
        ahead={label: difference(share, shares[first]) for label, share in shares.items()},
    )


def inquiries_of(question: Question) -> int:
    """About how many inquiries ``answer`` will go through."""
    case = question.case
    hourly = (rates(case, name, traffic) for name, traffic in case.classes.items())
    day = sum(rate * (until - at) for each in hourly for (at, rate), (until, _) in pairwise(each))
    return round(day * question.replications * len(question.entries))


def _measured(question: Question, processes: int, told: Told) -> Iterator[tuple[Entry, Measured]]:
    """Each run as it ends, in the order of entries and replications."""
    tasks = [(entry, number) for entry in range(len(question.entries)) for number in range(question.replications)]
    if processes == 1 or len(tasks) == 1:
        scenes = [entry.scene(question.case) for entry in question.entries]
        for at, number in tasks:
            entry = question.entries[at]
            yield entry, run(question.case, entry.policy, number, scene=scenes[at], told=told)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(tasks)), context, _learn, (question,)) as pool:
        for (at, _), one in zip(tasks, pool.map(_run_known, tasks), strict=True):
            told(one.classes[ALL].count)
            yield question.entries[at], one


_KNOWN: list[tuple[Question, list[Installation]]] = []


def _learn(question: Question) -> None:
    """What a process is told once: to send it with every task would take longer than many a task."""
    _KNOWN[:] = [(question, [entry.scene(question.case) for entry in question.entries])]


def _run_known(task: tuple[int, int]) -> Measured:
    ((question, scenes),) = _KNOWN
    at, number = task
    return run(question.case, question.entries[at].policy, number, scene=scenes[at])


class _Bounds:
    """The bounds of each entry: by class and for all, the least that is proven, averaged over the replications. Entries
    with the same rules and people have the same."""

    def __init__(self, question: Question) -> None:
        self._question = question
        self._known: dict[tuple[bytes, str], dict[str, float]] = {}

    def of(self, entry: Entry) -> dict[str, float]:
        key = (entry.rules, repr(entry.workers))
        if key not in self._known:
            self._known[key] = self._found(entry.scene(self._question.case))
        return self._known[key]

    def _found(self, scene: Installation) -> dict[str, float]:
        case = self._question.case
        shares: dict[str, list[float]] = {name: [] for name in (ALL, *case.classes)}
        for replication in range(self._question.replications):
            drawn = list(jobs(case, replication))
            own = {name: [job for job in drawn if job.kind == kind] for kind, name in enumerate(case.classes)}
            for name, each in ({ALL: drawn} | own).items():
                shares[name].append(min(_pooled(each, case, scene), _clairvoyant(each, case, scene)))
        return {name: fmean(each) for name, each in shares.items()}


def _pooled(drawn: Sequence[Job], case: Case, scene: Installation) -> float:
    return pooled(drawn, scene, units=_units(case, scene), warm_up_ms=round(case.warm_up_h * HOUR_MS))


def _clairvoyant(drawn: Sequence[Job], case: Case, scene: Installation) -> float:
    """1, which bounds nothing, where it would take too long, or not all of them count."""
    if len(drawn) > MOST_JOBS or case.warm_up_h:
        return 1.0
    languages = [verdict.language or "" for verdict in scene.verdicts]
    return clairvoyant(drawn, scene, units=_units(case, scene), languages=languages)


def _units(case: Case, scene: Installation) -> list[int]:
    judged = zip(case.classes.values(), scene.verdicts, strict=True)
    return [scene.rulebook.units(traffic.channel, verdict.labels) for traffic, verdict in judged]


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
