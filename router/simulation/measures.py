"""What one replication comes to: promises kept, waiting, customers lost, and how even the load was."""

import math
from collections.abc import Sequence

import msgspec

from router.simulation.estimates import gini
from router.simulation.kernel import Fate

ALL = "all"


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """Of one class in one replication. ``sla`` is the share that somebody took up within the target; who gave up or was
    never served counts as missed. Waits are of all, until they were taken up or gave up. Nobody came: all zero, and an
    ``sla`` of 1."""

    count: int
    sla: float
    mean_wait_s: float
    p95_wait_s: float
    abandoned: float


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """One replication: each class and ``all``, by name. ``gini`` is of the advisors' hours of work, ``load`` the share
    of the simulated time that an advisor worked on a case, which is more than 1 where he has several at once."""

    classes: dict[str, Measure]
    gini: float


def measured(
    fates: Sequence[Fate],
    *,
    names: Sequence[str],
    targets_ms: Sequence[int],
    advisors: Sequence[str],
    warm_up_ms: int = 0,
) -> Measured:
    """The measures of what came after the warm-up; the load is of all the time."""
    late = [fate for fate in fates if fate.at_ms >= warm_up_ms]
    classes = {
        name: _measure([fate for fate in late if fate.kind == kind], targets_ms) for kind, name in enumerate(names)
    }
    worked = dict.fromkeys(advisors, 0)
    for fate in fates:
        if fate.advisor:
            worked[fate.advisor] += fate.worked_ms
    return Measured(classes={ALL: _measure(late, targets_ms), **classes}, gini=gini(list(worked.values())))


def _measure(fates: Sequence[Fate], targets_ms: Sequence[int]) -> Measure:
    size = len(fates)
    if not size:
        return Measure(count=0, sla=1.0, mean_wait_s=0.0, p95_wait_s=0.0, abandoned=0.0)
    waits = sorted(fate.waited_ms for fate in fates)
    in_time = sum(bool(fate.advisor) and fate.waited_ms <= targets_ms[fate.kind] for fate in fates)
    return Measure(
        count=size,
        sla=in_time / size,
        mean_wait_s=sum(waits) / size / 1000,
        p95_wait_s=waits[math.ceil(0.95 * size) - 1] / 1000,
        abandoned=sum(fate.has_left for fate in fates) / size,
    )
