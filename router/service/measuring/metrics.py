"""What the router tells Prometheus."""

from itertools import product
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from router.service.measuring.case_metrics import CaseMetrics
from router.service.relaying.metrics import RelayMetrics
from router.store.acts import AnyAct, Result

_LATENCY_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_WAIT_S: Final = (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 30, 60, 300, 900, 3600, 14400, 86400)
LIMITS: Final = ("wait_classes", "cases", "rulebooks")
ACT_NAMES: Final = tuple(str(kind.__struct_config__.tag) for kind in AnyAct.__args__)


class ServiceMetrics:
    """Counters of one process, in the registry given; every label value is there from the start, at zero."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.acts = Counter("turnout_acts_total", "Acts by what became of them.", ("act", "result"), registry=registry)
        self.act_seconds = Histogram(
            "turnout_act_seconds",
            "Time of one act, round trip included.",
            ("act",),
            buckets=_LATENCY_S,
            registry=registry,
        )
        self.decision_seconds = Histogram(
            "turnout_decision_seconds", "Time of one decision.", buckets=_LATENCY_S, registry=registry
        )
        self.last_decision = Gauge(
            "turnout_last_decision_timestamp_seconds", "When the last decision was made.", registry=registry
        )
        self.assignment_seconds = Histogram(
            "turnout_time_to_offer_seconds",
            "From a case's opening to its first offer.",
            buckets=_WAIT_S,
            registry=registry,
        )
        self.inquiries = Counter(
            "turnout_inquiries_total", "Inquiries taken from the bus.", ("outcome",), registry=registry
        )
        self.cases = CaseMetrics(registry)
        self._declare_loops(registry)
        self._declare_matching(registry)
        self._declare_policy(registry)
        self.limits = Counter(
            "turnout_limits_reached_total",
            "How often something was full: a wait class that had to be shared, a case or rulebook that was forgotten.",
            ("limit",),
            registry=registry,
        )
        for limit in LIMITS:
            self.limits.labels(limit)
        self._start_at_zero()

    def _declare_loops(self, registry: CollectorRegistry) -> None:
        self.relay = RelayMetrics(registry)
        self.dead_letters = Counter("turnout_dead_letters_total", "Records put to the dead letters.", registry=registry)
        self.fenced = Counter(
            "turnout_fenced_total",
            "Partitions of which an act was refused: kept, as the bus says they are ours all the same, or dropped.",
            ("kind",),
            registry=registry,
        )
        for kind in ("kept", "dropped"):
            self.fenced.labels(kind)
        self.rebuilds = Counter(
            "turnout_rebuilds_total", "Pools whose lost state this process has rebuilt from the bus.", registry=registry
        )
        self.timers = Counter("turnout_timers_total", "Timers served.", ("kind",), registry=registry)
        self.timer_lag_seconds = Histogram(
            "turnout_timer_lag_seconds", "How late a timer was served.", buckets=_LATENCY_S, registry=registry
        )
        self.timers_put_off = Counter(
            "turnout_timers_put_off_total",
            "Warnings, breaches and ladder steps put off, as memory was short.",
            registry=registry,
        )
        self.timers_late = Counter(
            "turnout_timers_late_total",
            "Timers served more than a second late, by how they came to be.",
            ("why",),
            registry=registry,
        )
        for why in ("unserved", "memory"):
            self.timers_late.labels(why)
        self.sweep_found = Counter(
            "turnout_sweep_found_total",
            "Cases that waited while somebody eligible was free: must stay zero.",
            registry=registry,
        )
        self.escalations = Counter(
            "turnout_escalations_total",
            "Ladder steps taken, and clocks that warned or breached.",
            ("kind",),
            registry=registry,
        )

    def _declare_matching(self, registry: CollectorRegistry) -> None:
        self.served = Counter(
            "turnout_work_items_served_total",
            "Looks of the matcher at an item: its own or one left by others, by what came of it.",
            ("share", "outcome"),
            registry=registry,
        )
        self.tries = Counter(
            "turnout_match_tries_total",
            "Cases tried to be handed to an advisor: handed, or lost to somebody faster.",
            ("outcome",),
            registry=registry,
        )
        self._tried = {outcome: self.tries.labels(outcome) for outcome in ("handed", "lost")}
        came = product(("own", "left"), ("handed", "nothing", "lost"))
        self._served = {(share, outcome): self.served.labels(share, outcome) for share, outcome in came}

    def count_served(self, *, handed: int, lost: int, left: bool) -> None:
        """The matcher has served an item: with so many tries that handed a case over, and so many in vain."""
        outcome = "handed" if handed else "lost" if lost else "nothing"
        self._served["left" if left else "own", outcome].inc()
        self._tried["handed"].inc(handed)
        self._tried["lost"].inc(lost)

    def _declare_policy(self, registry: CollectorRegistry) -> None:
        self.rules_good = Gauge(
            "turnout_rules_reload_successful", "1 if the rule files were right at the last look.", registry=registry
        )
        self.rules_good.set(1)
        self.replanned = Counter(
            "turnout_replanned_cases_total",
            "Cases looked at after a change of rulebook, by whether it moved their clocks.",
            ("outcome",),
            registry=registry,
        )
        for outcome in ("moved", "untouched", "contended", "unreadable"):
            self.replanned.labels(outcome)
        self.rulebook = Gauge(
            "turnout_rulebook_info", "Always 1; the label is the rulebook in force.", ("hash",), registry=registry
        )

    def act_took(self, act: str, result: Result, seconds: float) -> None:
        """Count one act, and how long it took."""
        self._counted[act, result].inc()
        self._timed[act].observe(seconds)

    def _start_at_zero(self) -> None:
        # Kept, for to look up a child by its labels takes longer than to count.
        self._timed = {name: self.act_seconds.labels(name) for name in ACT_NAMES}
        self._counted = {(name, result): self.acts.labels(name, result) for name, result in product(ACT_NAMES, Result)}
        for kind in TIMER_KINDS:
            self.timers.labels(kind)
        for kind in ("warn", "breach", "step"):
            self.escalations.labels(kind)
        for outcome in INTAKE_OUTCOMES:
            self.inquiries.labels(outcome)


OTHER_KIND: Final = "other"
"""The kind of timers that this version doesn't know."""
TIMER_KINDS: Final = (
    "warn",
    "breach",
    "step",
    "offer",
    "cooldown",
    "relax",
    "hold",
    "follow_up",
    "chase",
    "close",
    "lease",
    "grace",
    "left",
    "wrap_up",
    "park",
    OTHER_KIND,
)
INTAKE_OUTCOMES: Final = ("admitted", "appended", "duplicate", "automatic", "undecodable")


def timer_kind(timer: str) -> str:
    """The closed label of a timer ``kind|n``."""
    kind = timer.split("|", 1)[0].split(".", 1)[0]
    return kind if kind in TIMER_KINDS else OTHER_KIND
