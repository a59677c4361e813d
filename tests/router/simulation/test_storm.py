"""Overload of the routing itself: more comes than advisors can take, and then less again."""

import pytest

from router.simulation.case import Burst, Case, Group, Handling, Traffic
from router.simulation.contenders import contender
from router.simulation.installation import installation
from router.simulation.kernel import Fate, Kernel
from router.simulation.traffic import HOUR_MS, jobs
from rules import ChannelWeight
from tests.bench.results import percentile

ADVISORS, HANDLE_MS, CALM_PER_HOUR, TIMES = 10, 60_000, 300, 5
FROM_MS, UNTIL_MS = HOUR_MS // 2, HOUR_MS // 2 + 600_000
SPARE_A_MINUTE = ADVISORS - CALM_PER_HOUR / 60


def day() -> tuple[list[int], list[Fate]]:
    """When each inquiry came, and what became of it."""
    case = Case(
        title="five times the load for ten minutes",
        hours=2.5,
        channels={"call": ChannelWeight(units=100)},
        classes={"a": Traffic(channel="call", per_hour=CALM_PER_HOUR, handle=Handling(mean_s=60, cv=0), target_s=20)},
        advisors={"team": Group(count=ADVISORS)},
        bursts=(Burst(from_h=0.5, minutes=10, factor=TIMES),),
    )
    scene = installation(case)
    chosen, rulebook = contender("balanced", case, scene.rulebook)
    came = list(jobs(case, 1))
    fates = Kernel(case, scene._replace(rulebook=rulebook), chosen).run(came)
    return [job.at_ms for job in came], fates


def test_scenario_24_a_storm_is_worked_off_at_full_pace_and_leaves_nothing_behind() -> None:
    came, fates = day()
    assert not any(fate.has_left for fate in fates)
    begun = [at + fate.waited_ms for at, fate in zip(came, fates, strict=True)]
    # No collapse: from soon after its begin until its end everybody is at work without a pause.
    served = sum(FROM_MS + 60_000 <= at < UNTIL_MS for at in begun)
    assert served >= 0.99 * ADVISORS * (UNTIL_MS - FROM_MS - 60_000) / HANDLE_MS
    # The backlog drains as fast as what is spare allows.
    left = sum(at < UNTIL_MS <= start for at, start in zip(came, begun, strict=True))
    assert left > 5 * ADVISORS
    drained_ms = UNTIL_MS + 1.3 * left / SPARE_A_MINUTE * 60_000
    assert drained_ms < 2 * HOUR_MS
    late = [fate.waited_ms for at, fate in zip(came, fates, strict=True) if at > drained_ms]
    calm = [fate.waited_ms for at, fate in zip(came, fates, strict=True) if at < FROM_MS]
    # And the tail is what it was.
    assert len(late) > 100
    assert percentile(late, 0.95) <= max(percentile(calm, 0.95), 1_000)


def test_nobody_is_overtaken_in_it() -> None:
    came, fates = day()
    begun = [at + fate.waited_ms for at, fate in zip(came, fates, strict=True)]
    assert begun == pytest.approx(sorted(begun), abs=1)
