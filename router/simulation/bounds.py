"""Bounds: the share of promises that nobody could have kept more of, on the traffic of one replication."""

from collections.abc import Sequence

from router.simulation.case import Case
from router.simulation.clairvoyant import MOST_JOBS, clairvoyant
from router.simulation.installation import Installation
from router.simulation.measures import ALL
from router.simulation.pooled import pooled
from router.simulation.traffic import HOUR_MS, Job, jobs


def bounds(case: Case, scene: Installation, replication: int) -> dict[str, float]:
    """By class and for ``all``, the least that is proven."""
    drawn = list(jobs(case, replication))
    own = {name: [job for job in drawn if job.kind == kind] for kind, name in enumerate(case.classes)}
    return {
        name: min(_pooled(each, case, scene), _clairvoyant(each, case, scene))
        for name, each in ({ALL: drawn} | own).items()
    }


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
