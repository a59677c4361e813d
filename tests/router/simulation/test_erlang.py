"""The Erlang formulas against values worked out in another way, and the simulation against the formulas."""

import math

import pytest

from router.simulation.case import Case, Group, Handling, Traffic
from router.simulation.erlang import Queueing, erlang_a, erlang_b, erlang_c
from router.simulation.estimates import estimate
from router.simulation.measures import ALL
from router.simulation.runs import run
from rules import ChannelWeight


def _summed(*, per_s: float, mean_service_s: float, servers: int, patience_s: float) -> tuple[float, float, float]:
    """Mean wait, share that gives up and share that waits of M/M/n+M, by its stationary distribution, state by
    state."""
    weights = [1.0]
    for present in range(1, 3_000):
        leaving = min(present, servers) / mean_service_s + max(0, present - servers) / patience_s
        weights.append(weights[-1] * per_s / leaving)
    total = math.fsum(weights)
    waiting = math.fsum(max(0, present - servers) * weight for present, weight in enumerate(weights)) / total
    return waiting / per_s, waiting / patience_s / per_s, math.fsum(weights[servers:]) / total


@pytest.mark.parametrize(
    ("offered", "servers", "blocked"),
    [(1.0, 1, 0.5), (2.0, 2, 0.4), (5.0, 0, 1.0), (10.0, 10, 0.2146), (20.0, 30, 0.0085)],
)
def test_erlang_b_is_that_of_the_tables(offered: float, servers: int, blocked: float) -> None:
    assert erlang_b(offered, servers) == pytest.approx(blocked, abs=5e-5)


def test_one_server_without_patience_is_the_textbook_case() -> None:
    found = erlang_c(per_s=0.5, mean_service_s=1, servers=1, target_s=2)
    assert found == pytest.approx(Queueing(1 - 0.5 * math.exp(-1), 1.0, 0.0, 0.5))


def test_servers_that_cannot_keep_up_have_no_long_run() -> None:
    with pytest.raises(ValueError, match="can't keep up"):
        erlang_c(per_s=1, mean_service_s=10, servers=10, target_s=20)


@pytest.mark.parametrize(
    ("per_s", "servers", "patience_s"), [(0.07, 11, 120), (0.07, 16, 60), (0.5, 1, 1), (2.0, 30, 400)]
)
def test_erlang_a_is_what_its_states_sum_up_to(per_s: float, servers: int, patience_s: float) -> None:
    found = erlang_a(per_s=per_s, mean_service_s=180, servers=servers, patience_s=patience_s, target_s=20)
    summed = _summed(per_s=per_s, mean_service_s=180, servers=servers, patience_s=patience_s)
    assert (found.mean_wait_s, found.abandoned, found.delayed) == pytest.approx(summed, rel=1e-6, abs=1e-9)


def test_with_great_patience_erlang_a_is_erlang_c() -> None:
    given = {"per_s": 0.07, "mean_service_s": 180, "servers": 15, "target_s": 20}
    patient = erlang_a(**given, patience_s=1e7)  # type: ignore[arg-type]  # servers is an int
    assert patient == pytest.approx(erlang_c(**given), rel=1e-3, abs=1e-4)  # type: ignore[arg-type]


@pytest.mark.parametrize(("patience_s", "strategy"), [(None, "longest-idle"), (90.0, "balanced")])
def test_the_simulation_agrees_with_the_formulas(patience_s: float | None, strategy: str) -> None:
    servers, target_s, per_s = (7, 20, 0.03) if patience_s is None else (6, 20, 0.035)
    case = Case(
        title="one class",
        hours=6,
        warm_up_h=1,
        seed=20,
        channels={"call": ChannelWeight(units=100)},
        classes={
            "call": Traffic(
                channel="call",
                per_hour=per_s * 3600,
                handle=Handling(mean_s=180),
                patience_s=patience_s,
                target_s=target_s,
            )
        },
        advisors={"team": Group(count=servers)},
    )
    found = [run(case, strategy, replication).classes[ALL] for replication in range(8)]
    given = {"per_s": per_s, "mean_service_s": 180.0, "servers": servers, "target_s": target_s}
    exact = erlang_a(**given, patience_s=patience_s) if patience_s else erlang_c(**given)  # type: ignore[arg-type]
    assert estimate([one.sla for one in found]).holds(exact.sla)
    assert estimate([one.mean_wait_s for one in found]).holds(exact.mean_wait_s)
    assert estimate([one.abandoned for one in found]).holds(exact.abandoned)
