"""The table of benchmarks: what ``python -m tests.bench`` runs, and what each should reach."""

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from tests.bench import (
    backlog,
    bus_to_offer,
    decisions,
    life_throughput,
    line_throughput,
    matching,
    rebuilding,
    replanning,
    timers,
)
from tests.bench.ground import Ground
from tests.bench.results import Aim, Judged, Sample


class Bench(NamedTuple):
    """``measure`` makes one run, numbered from 1, on the ground given."""

    measure: Callable[[Ground, int], Awaitable[Sample]]
    unit: str
    aim: Aim


BENCHES: Final[dict[str, Bench]] = {
    "line_throughput": Bench(line_throughput.measure, "inquiries/s", Aim(judged=Judged.RATIO_AT_LEAST, limit=0.5)),
    "life_throughput": Bench(life_throughput.measure, "lives/s", Aim(judged=Judged.RATIO_AT_LEAST, limit=0.5)),
    "bus_to_offer": Bench(bus_to_offer.measure, "ms (p99)", Aim(judged=Judged.VALUE_AT_MOST, limit=20)),
    "decide_roster_growth": Bench(decisions.measure_growth, "us", Aim(judged=Judged.RATIO_AT_MOST, limit=2)),
    "decide_rate": Bench(decisions.measure_rate, "decisions/s", Aim(judged=Judged.VALUE_AT_LEAST, limit=300_000)),
    "decide_backlog_growth": Bench(backlog.measure, "ms", Aim(judged=Judged.RATIO_AT_MOST, limit=2)),
    "free_to_offer": Bench(matching.measure_free_to_offer, "ms (p99)", Aim(judged=Judged.VALUE_AT_MOST, limit=100)),
    "rebuild": Bench(rebuilding.measure, "s", Aim(judged=Judged.VALUE_AT_MOST, limit=120)),
    "replan": Bench(replanning.measure, "ms (p99)", Aim(judged=Judged.RATIO_AT_MOST, limit=2)),
    "due_time_rate": Bench(timers.measure_due_times, "due times/s", Aim(judged=Judged.VALUE_AT_LEAST, limit=200_000)),
    "timer_bytes": Bench(timers.measure_bytes, "bytes", Aim(judged=Judged.VALUE_AT_MOST, limit=300)),
    "timer_claims": Bench(timers.measure_claims, "timers/s", Aim(judged=Judged.VALUE_AT_LEAST, limit=2_000)),
    "timer_lag": Bench(timers.measure_lag, "ms (p99)", Aim(judged=Judged.VALUE_AT_MOST, limit=250)),
    "router_conflicts": Bench(matching.measure_conflicts, "%", Aim(judged=Judged.VALUE_AT_MOST, limit=1)),
}
