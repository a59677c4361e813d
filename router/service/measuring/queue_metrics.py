"""How the queues of a pool stand, for Prometheus: counted now and then by one router for all."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry, Gauge

from router.contract.ids import PoolId
from router.engine.exclusions import waits_for_the_excluded
from router.engine.roster import Roster
from router.engine.waiting import NO_CLOCK, read_class
from router.service.measuring.case_metrics import MAX_NAMES, OTHER
from router.store.protocol import LineSize
from rules import Rulebook
from rules.verdict import HIGHEST_PRIORITY, LOWEST_PRIORITY

PRIORITIES: Final = tuple(str(priority) for priority in range(HIGHEST_PRIORITY, LOWEST_PRIORITY + 1))
_Place = tuple[str, str]


class QueueMetrics:
    """Gauges of one process. The queues are those of the rulebook in force; a case that still waits in one that is
    gone, or is beyond the limit, is counted under ``other``."""

    def __init__(self, registry: CollectorRegistry, pools: Sequence[str]) -> None:
        names = ("pool", "queue", "priority")
        self.depth = Gauge("turnout_queue_depth", "Cases that wait, by queue and priority.", names, registry=registry)
        self.oldest_age_seconds = Gauge(
            "turnout_queue_oldest_age_seconds", "Time since the oldest of them was opened.", names, registry=registry
        )
        self.next_breach = Gauge(
            "turnout_queue_next_breach_timestamp_seconds",
            "When the most urgent of them breaches, or has breached; 0 without one.",
            ("pool", "queue"),
            registry=registry,
        )
        self.excluded = Gauge(
            "turnout_queue_excluded_cases",
            "Cases for which nobody is online but who must not have them, or has just declined.",
            ("pool", "queue"),
            registry=registry,
        )
        self._pools = pools
        self._queues: frozenset[str] = frozenset()
        self._start({OTHER})

    def adopt(self, rulebook: Rulebook) -> None:
        """A rulebook has come into force: its queues are there, at zero, and those it hasn't are gone."""
        queues = frozenset(sorted(rulebook.queues)[:MAX_NAMES])
        for pool in self._pools:
            for queue in self._queues - queues:
                self.next_breach.remove(pool, queue)
                self.excluded.remove(pool, queue)
                for priority in PRIORITIES:
                    self.depth.remove(pool, queue, priority)
                    self.oldest_age_seconds.remove(pool, queue, priority)
        self._start(queues - self._queues)
        self._queues = queues

    def show(self, pool: PoolId, lines: Sequence[LineSize], now_ms: int, *, roster: Roster) -> None:
        """What waits now; what isn't in ``lines`` is at zero."""
        self._show_excluded(pool, lines, roster)
        depth: Counter[_Place] = Counter()
        opened: dict[_Place, int] = {}
        due: dict[str, int] = {}
        for line in lines:
            place, is_clocked = self._place(line.class_key)
            if is_clocked:
                due[place[0]] = min(line.score, due.get(place[0], line.score))
            depth[place] += line.length
            opened[place] = min(line.opened_at_ms, opened.get(place, line.opened_at_ms))
        for queue in (*self._queues, OTHER):
            self.next_breach.labels(pool, queue).set(due.get(queue, 0) / 1000)
            for priority in PRIORITIES:
                place = (queue, priority)
                age_ms = max(0, now_ms - opened[place]) if place in opened else 0
                self.depth.labels(pool, *place).set(depth[place])
                self.oldest_age_seconds.labels(pool, *place).set(age_ms / 1000)

    def _show_excluded(self, pool: PoolId, lines: Sequence[LineSize], roster: Roster) -> None:
        found: Counter[str] = Counter()
        for line in lines:
            try:
                waiting = read_class(line.class_key)
            except msgspec.DecodeError:  # of another version
                continue
            if waits_for_the_excluded(roster, waiting):
                found[waiting.queue if waiting.queue in self._queues else OTHER] += line.length
        for queue in (*self._queues, OTHER):
            self.excluded.labels(pool, queue).set(found[queue])

    def _place(self, class_key: str) -> tuple[_Place, bool]:
        """Where the class is counted, and whether its score is the due time of a clock."""
        try:
            waiting = read_class(class_key)
        except msgspec.DecodeError:  # of another version
            return (OTHER, PRIORITIES[-1]), False
        priority = str(waiting.priority)
        queue = waiting.queue if waiting.queue in self._queues else OTHER
        place = queue, priority if priority in PRIORITIES else PRIORITIES[-1]
        return place, waiting.clock != NO_CLOCK

    def _start(self, queues: set[str] | frozenset[str]) -> None:
        for pool in self._pools:
            for queue in queues:
                self.next_breach.labels(pool, queue)
                self.excluded.labels(pool, queue)
                for priority in PRIORITIES:
                    self.depth.labels(pool, queue, priority)
                    self.oldest_age_seconds.labels(pool, queue, priority)
