"""How a pool stands, for Prometheus: looked up every few seconds, whatever happens in between."""

from collections import Counter
from enum import StrEnum
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from router.contract.advisor import AdvisorState, Presence, WorkKind
from router.contract.ids import PoolId
from router.runtime.clock import Clock
from router.service.measuring.invariants import InvariantMetrics
from router.service.measuring.queue_metrics import QueueMetrics
from router.service.pressure import PressureMetrics
from router.service.roster import RosterTail
from router.store.protocol import PoolStatus, Reads

_LOOK_EVERY_MS: Final = 5_000


class Load(StrEnum):
    """How much of his budget an advisor uses: nothing, some, all, or more."""

    FREE = "free"
    PARTLY = "partly"
    FULL = "full"
    OVER = "over"


class PoolMetrics:
    """Gauges of the pools of one process; pools and presences are closed sets, there from the start."""

    def __init__(self, registry: CollectorRegistry, pools: tuple[str, ...]) -> None:
        own = ("pool",)
        self.waiting = Gauge("turnout_cases_waiting", "Cases that wait in a queue.", own, registry=registry)
        self.classes = Gauge("turnout_wait_classes", "Wait classes that hold a case.", own, registry=registry)
        self.outbox = Gauge("turnout_outbox_length", "Events that are not on the bus yet.", own, registry=registry)
        self.timers = Gauge("turnout_timers_armed", "Timers that are armed.", own, registry=registry)
        self.overdue_seconds = Gauge(
            "turnout_timer_overdue_seconds", "How long the first timer has been due.", own, registry=registry
        )
        self.work = Gauge("turnout_work_items", "Items that the matcher has yet to serve.", own, registry=registry)
        self.load_units = Gauge(
            "turnout_advisor_load_units", "Units of capacity in use, over all advisors.", own, registry=registry
        )
        self.budget_units = Gauge(
            "turnout_advisor_budget_units",
            "Units of capacity that advisors online have in all.",
            own,
            registry=registry,
        )
        self.advisors = Gauge("turnout_advisors", "Advisors by presence.", ("pool", "presence"), registry=registry)
        self.online = Gauge("turnout_advisors_online", "Advisors online by load.", ("pool", "load"), registry=registry)
        self.wrapping_up = Gauge(
            "turnout_advisors_wrapping_up", "Advisors who wrap up what they have resolved.", own, registry=registry
        )
        self.queues = QueueMetrics(registry, pools)
        self.invariants = InvariantMetrics(registry)
        self.pressure = PressureMetrics(registry, pools)
        of_pools = (self.waiting, self.classes, self.outbox, self.timers, self.overdue_seconds, self.work)
        for pool in pools:
            for gauge in (*of_pools, self.load_units, self.budget_units, self.wrapping_up):
                gauge.labels(pool)
            for load in Load:
                self.online.labels(pool, load)
            for presence in Presence:
                self.advisors.labels(pool, presence)


class Gauges:
    """One loop over one pool."""

    def __init__(self, pool: PoolId, reads: Reads, tail: RosterTail, *, clock: Clock, metrics: PoolMetrics) -> None:
        self._pool = pool
        self._reads = reads
        self._tail = tail
        self._clock = clock
        self._metrics = metrics

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await self._clock.sleep_until_ms(self._clock.now_ms() + _LOOK_EVERY_MS)

    async def look(self) -> None:
        """Set every gauge to what is so now."""
        self._show_status(await self._reads.status(self._pool))
        self._show_roster()

    def _show_status(self, status: PoolStatus) -> None:
        metrics, pool = self._metrics, self._pool
        first = status.next_timer_ms
        overdue_ms = max(0, self._clock.now_ms() - first) if first is not None else 0
        metrics.waiting.labels(pool).set(status.queued)
        metrics.classes.labels(pool).set(status.classes)
        metrics.outbox.labels(pool).set(status.number - status.trimmed)
        metrics.timers.labels(pool).set(status.timers)
        metrics.overdue_seconds.labels(pool).set(overdue_ms / 1000)
        metrics.work.labels(pool).set(status.work)

    def _show_roster(self) -> None:
        states = [member.state for member in self._tail.roster]
        present = Counter(state.presence for state in states)
        for presence in Presence:
            self._metrics.advisors.labels(self._pool, presence).set(present[presence])
        self._metrics.load_units.labels(self._pool).set(sum(state.load for state in states))
        online = [state for state in states if state.presence is Presence.ONLINE]
        self._metrics.budget_units.labels(self._pool).set(sum(state.budget for state in online))
        wrapping = sum(any(item.kind is WorkKind.WRAP_UP for item in state.work.values()) for state in states)
        self._metrics.wrapping_up.labels(self._pool).set(wrapping)
        loads = Counter(_load_of(state) for state in online)
        for load in Load:
            self._metrics.online.labels(self._pool, load).set(loads[load])


def _load_of(state: AdvisorState) -> Load:
    if not state.load:
        return Load.FREE
    if state.load < state.budget:
        return Load.PARTLY
    return Load.FULL if state.load == state.budget else Load.OVER
