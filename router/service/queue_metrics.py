"""How the queues of a pool stand, for Prometheus: counted now and then by one router for all."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import msgspec
from prometheus_client import CollectorRegistry, Gauge

from router.contract.ids import PoolId
from router.engine.waiting import read_class
from router.service.case_metrics import MAX_NAMES, OTHER
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
        self._pools = pools
        self._queues: frozenset[str] = frozenset()
        self._start({OTHER})

    def adopt(self, rulebook: Rulebook) -> None:
        """A rulebook has come into force: its queues are there, at zero, and those it hasn't are gone."""
        queues = frozenset(sorted(rulebook.queues)[:MAX_NAMES])
        for pool in self._pools:
            for queue in self._queues - queues:
                for priority in PRIORITIES:
                    self.depth.remove(pool, queue, priority)
                    self.oldest_age_seconds.remove(pool, queue, priority)
        self._start(queues - self._queues)
        self._queues = queues

    def show(self, pool: PoolId, lines: Sequence[LineSize], now_ms: int) -> None:
        """What waits now; what isn't in ``lines`` is at zero."""
        depth: Counter[_Place] = Counter()
        opened: dict[_Place, int] = {}
        for line in lines:
            place = self._place(line.class_key)
            depth[place] += line.length
            opened[place] = min(line.opened_at_ms, opened.get(place, line.opened_at_ms))
        for queue in (*self._queues, OTHER):
            for priority in PRIORITIES:
                place = (queue, priority)
                age_ms = max(0, now_ms - opened[place]) if place in opened else 0
                self.depth.labels(pool, *place).set(depth[place])
                self.oldest_age_seconds.labels(pool, *place).set(age_ms / 1000)

    def _place(self, class_key: str) -> _Place:
        try:
            waiting = read_class(class_key)
        except msgspec.DecodeError:  # of another version
            return OTHER, PRIORITIES[-1]
        priority = str(waiting.priority)
        queue = waiting.queue if waiting.queue in self._queues else OTHER
        return queue, priority if priority in PRIORITIES else PRIORITIES[-1]

    def _start(self, queues: set[str] | frozenset[str]) -> None:
        for pool in self._pools:
            for queue in queues:
                for priority in PRIORITIES:
                    self.depth.labels(pool, queue, priority)
                    self.oldest_age_seconds.labels(pool, queue, priority)
