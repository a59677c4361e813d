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
from router.simulation.measures import ALL, Measure, Measured
from router.simulation.pooled import pooled
from router.simulation.runs import run
from router.simulation.traffic import HOUR_MS, jobs, rates
from rules import restore

Told = Callable[[int], object]


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be simulated. ``rules`` is a real rulebook as ``rules.content`` writes it, empty for none; ``workers``
    are the advisors of a real roster, if they are not the case's. Unlike a rulebook it can be sent to a process."""

    name: str
    case: Case
    policies: tuple[str, ...]
    replications: int
    rules: bytes = b""
    workers: tuple[Worker, ...] = ()


class Row(msgspec.Struct, frozen=True, kw_only=True, rename={"class_": "class"}):
    """What a policy comes to for a class of a case, or for ``all`` of it. ``bound`` is the greatest ``sla`` that there
    could be; ``gini`` is of the advisors' hours of work, so the same for every class."""

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
    """All rows, how many inquiries a replication had on the average, and by how much each policy keeps more promises
    than the first, with the interval."""

    rows: tuple[Row, ...]
    inquiries: float
    ahead: dict[str, Estimate]


def answer(question: Question, *, processes: int = 1, told: Told = lambda _: None) -> Answer:
    """Run every policy on every replication. ``told`` is called with how many more inquiries are done; all of them are
    ``inquiries_of``."""
    found: dict[str, list[Measured]] = {policy: [] for policy in question.policies}
    for policy, one in _measured(question, processes, told):
        found[policy].append(one)
    bounds = _bounds(question)
    rows = [
        _row(question.name, policy, name, [each.classes[name] for each in runs], runs=runs, bound=bounds[name])
        for policy, runs in found.items()
        for name in (ALL, *question.case.classes)
    ]
    shares = {policy: [each.classes[ALL].sla for each in runs] for policy, runs in found.items()}
    first = shares[question.policies[0]]
    return Answer(
        rows=tuple(rows),
        inquiries=fmean(each.classes[ALL].count for each in found[question.policies[0]]),
        ahead={policy: difference(share, first) for policy, share in shares.items()},
    )


def inquiries_of(question: Question) -> int:
    """About how many inquiries ``answer`` will go through."""
    case = question.case
    hourly = (rates(case, name, traffic) for name, traffic in case.classes.items())
    day = sum(rate * (until - at) for each in hourly for (at, rate), (until, _) in pairwise(each))
    return round(day * question.replications * len(question.policies))


def _measured(question: Question, processes: int, told: Told) -> Iterator[tuple[str, Measured]]:
    """Each run as it ends, in the order of policies and replications."""
    tasks = [(policy, number) for policy in question.policies for number in range(question.replications)]
    if processes == 1 or len(tasks) == 1:
        scene = _scene(question)
        for policy, number in tasks:
            yield policy, run(question.case, policy, number, scene=scene, told=told)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(tasks)), context, _learn, (question,)) as pool:
        for (policy, _), one in zip(tasks, pool.map(_run_known, tasks), strict=True):
            told(one.classes[ALL].count)
            yield policy, one


_KNOWN: list[tuple[Question, Installation]] = []


def _learn(question: Question) -> None:
    """What a process is told once: to send it with every task would take longer than many a task."""
    _KNOWN[:] = [(question, _scene(question))]


def _run_known(task: tuple[str, int]) -> Measured:
    ((question, scene),) = _KNOWN
    return run(question.case, task[0], task[1], scene=scene)


def _scene(question: Question) -> Installation:
    return installation(question.case, restore(question.rules) if question.rules else None, question.workers)


def _bounds(question: Question) -> dict[str, float]:
    """Of each class and of all: the least that is proven, averaged over the replications."""
    case, scene = question.case, _scene(question)
    units = [scene.rulebook.weight(traffic.channel).units for traffic in case.classes.values()]
    warm_up_ms = round(case.warm_up_h * HOUR_MS)
    shares: dict[str, list[float]] = {name: [] for name in (ALL, *case.classes)}
    for replication in range(question.replications):
        drawn = list(jobs(case, replication))
        for kind, name in enumerate(case.classes):
            own = [job for job in drawn if job.kind == kind]
            shares[name].append(pooled(own, scene, units=units, warm_up_ms=warm_up_ms))
        bound = pooled(drawn, scene, units=units, warm_up_ms=warm_up_ms)
        if len(drawn) <= MOST_JOBS and not warm_up_ms:
            languages = [verdict.language or "" for verdict in scene.verdicts]
            bound = min(bound, clairvoyant(drawn, scene, units=units, languages=languages))
        shares[ALL].append(bound)
    return {name: fmean(each) for name, each in shares.items()}


def _row(
    case: str, policy: str, name: str, of_class: Sequence[Measure], *, runs: Sequence[Measured], bound: float
) -> Row:
    sla = estimate([each.sla for each in of_class])
    return Row(
        case=case,
        policy=policy,
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
