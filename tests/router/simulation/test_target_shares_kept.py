"""Target shares between queues, over a simulated day in which more comes than can be taken."""

import pytest
from msgspec.structs import replace

from router.simulation.case import Case, Group, Handling, Traffic
from router.simulation.installation import installation
from router.simulation.kernel import Kernel
from router.simulation.policies import Ours
from router.simulation.traffic import jobs
from rules import ChannelWeight
from rules.sharing import Shares

CALL = Traffic(channel="call", per_hour=600, handle=Handling(mean_s=240), patience_s=600, target_s=600)
CASE = Case(
    title="blended",
    hours=2,
    channels={"call": ChannelWeight(units=100)},
    classes={"sales": CALL, "support": replace(CALL, per_hour=400)},
    advisors={"blended": Group(count=42), "sellers": Group(count=8, queues=("sales",))},
)


def lengths(shares: Shares | None) -> list[float]:
    """How many of each class waited on the average: their waits by the time (Little's law)."""
    scene = installation(CASE)
    rulebook = replace(scene.rulebook, shares=shares)
    fates = Kernel(CASE, scene._replace(rulebook=rulebook), Ours(rulebook)).run(jobs(CASE, 0))
    return [sum(fate.waited_ms for fate in fates if fate.kind == kind) / (CASE.hours * 3_600_000) for kind in (0, 1)]


@pytest.mark.parametrize("sales", [1, 3])
def test_blended_advisors_keep_what_waits_at_its_shares(sales: int) -> None:
    found = lengths(Shares(queues={"sales": sales, "support": 4 - sales}, late=100))
    assert sum(found) > 30
    assert found[0] / sum(found) == pytest.approx(sales / 4, abs=0.035)


def test_without_shares_both_wait_alike_for_their_flow() -> None:
    sales, support = lengths(None)
    assert sales / support == pytest.approx(1.5, rel=0.1)
