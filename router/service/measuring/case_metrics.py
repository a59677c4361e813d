"""What becomes of cases, for Prometheus: offers, assignments, SLA targets, ladders."""

from itertools import product
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from rules import Clock, Rulebook

OTHER: Final = "other"
MAX_NAMES: Final = 200
_WAIT_S: Final = (1, 5, 15, 30, 60, 120, 300, 600, 1800, 3600, 14400, 43200, 86400, 259200)
OFFER_OUTCOMES: Final = ("made", "accepted", "declined", "expired", "taken_back")
_TARGETS: Final = frozenset(str(clock) for clock in Clock)
ASSIGNED_BY: Final = ("accepted", "automatic", "person", "returned")
WRAP_UP_ENDS: Final = ("elapsed", "early", "extended")


class Names:
    """A closed set of label values that a rulebook may add to, up to a limit; whatever isn't in it is ``other``."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def learn(self, names: list[str]) -> list[str]:
        """Know these from now on; those that are new and still have a place."""
        fresh = [name for name in names if name not in self._known][: MAX_NAMES - len(self._known)]
        self._known.update(fresh)
        return fresh

    def label(self, name: str | None) -> str:
        return name if name in self._known and name else OTHER


class CaseMetrics:
    """Counters of one process. Each event is counted by the process whose act made it, so sums over processes are
    right. Policies, ladders and their steps are those of the rulebooks that have been in force; they begin at zero."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.offers = Counter(
            "turnout_offers_total",
            "Offers made, and what became of them.",
            ("outcome",),
            registry=registry,
        )
        self.consults = Counter(
            "turnout_consults_total",
            "Advisors rung for advice beside a case's owner, and what became of it.",
            ("outcome",),
            registry=registry,
        )
        self.assignments = Counter(
            "turnout_assignments_total", "Cases given to an advisor, by how.", ("by",), registry=registry
        )
        self.over = Counter(
            "turnout_assigned_over_capacity_total",
            "Offers and assignments above an advisor's capacity, allowed to and marked so.",
            registry=registry,
        )
        self.assignment_seconds = Histogram(
            "turnout_time_to_assignment_seconds",
            "From a case's opening, or its customer's coming back, to its advisor.",
            buckets=_WAIT_S,
            registry=registry,
        )
        self.sla = Counter(
            "turnout_sla_targets_total",
            "SLA targets met or missed: each once, when it is reached or breached.",
            ("policy", "target", "result"),
            registry=registry,
        )
        self.steps = Counter(
            "turnout_escalation_steps_total", "Steps of ladders taken.", ("ladder", "step"), registry=registry
        )
        self.wrap_ups = Counter(
            "turnout_wrap_ups_total",
            "Wrap-ups that ended by their time or early, and such as were made longer.",
            ("end",),
            registry=registry,
        )
        self._policies = Names()
        self._ladders = Names()
        self._steps: dict[str, int] = {}
        self._start_at_zero()

    def adopt(self, rulebook: Rulebook) -> None:
        """A rulebook has come into force: its policies and ladders are there, at zero. What was counted under the
        names of one before stays."""
        for policy in self._policies.learn(sorted(rulebook.policies)):
            self._start_policy(policy)
        self._ladders.learn(sorted(rulebook.ladders))
        for name, ladder in rulebook.ladders.items():
            self._start_ladder(self._ladders.label(name), len(ladder.steps))

    def offer(self, outcome: str, count: int = 1) -> None:
        """So many offers were made, or came to that end."""
        self._offers[outcome].inc(count)

    def consult(self, outcome: str, count: int = 1) -> None:
        """So many advisors were rung for advice, or answered so."""
        self._consults[outcome].inc(count)

    def assigned(self, by: str) -> None:
        """A case was given to an advisor."""
        self._assigned[by].inc()

    def target(self, policy: str, target: str, *, met: bool) -> None:
        """A target was met or missed."""
        known = target if target in _TARGETS else OTHER
        self.sla.labels(self._policies.label(policy), known, "met" if met else "missed").inc()

    def step(self, ladder: str | None, step: int) -> None:
        """A step of a ladder was taken."""
        name = self._ladders.label(ladder)
        known = str(step) if step <= self._steps.get(name, 0) else OTHER
        self.steps.labels(name, known).inc()

    def _start_at_zero(self) -> None:
        # Kept, for to look up a child by its labels takes longer than to count.
        self._offers = {outcome: self.offers.labels(outcome) for outcome in OFFER_OUTCOMES}
        self._consults = {outcome: self.consults.labels(outcome) for outcome in OFFER_OUTCOMES}
        self._assigned = {by: self.assignments.labels(by) for by in ASSIGNED_BY}
        for end in WRAP_UP_ENDS:
            self.wrap_ups.labels(end)
        self._start_policy(OTHER)
        self.steps.labels(OTHER, OTHER)

    def _start_policy(self, policy: str) -> None:
        for target, result in product((*Clock, OTHER), ("met", "missed")):
            self.sla.labels(policy, str(target), result)

    def _start_ladder(self, ladder: str, steps: int) -> None:
        if ladder == OTHER:
            return
        for number in range(self._steps.get(ladder, 0) + 1, steps + 1):
            self.steps.labels(ladder, str(number))
        self._steps[ladder] = max(steps, self._steps.get(ladder, 0))
        self.steps.labels(ladder, OTHER)
