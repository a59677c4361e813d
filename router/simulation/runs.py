"""Runs: replications of a case under policies, on the same traffic."""

from collections.abc import Callable

from router.simulation.case import Case
from router.simulation.contenders import contender
from router.simulation.installation import Installation, installation
from router.simulation.kernel import Kernel
from router.simulation.measures import Measured, measured
from router.simulation.traffic import HOUR_MS, jobs


def run(
    case: Case,
    policy: str,
    replication: int,
    *,
    scene: Installation | None = None,
    told: Callable[[int], object] = lambda _: None,
) -> Measured:
    """One replication under one policy. ``told`` is called with how many more inquiries have come, now and then."""
    scene = scene or installation(case)
    chosen, rulebook = contender(policy, case, scene.rulebook)
    fates = Kernel(case, scene._replace(rulebook=rulebook), chosen, told).run(jobs(case, replication))
    return measured(
        fates,
        names=tuple(case.classes),
        targets_ms=scene.targets_ms,
        advisors=[worker.id for worker in scene.workers],
        warm_up_ms=round(case.warm_up_h * HOUR_MS),
    )
