"""What the relays of one process tell Prometheus."""

from collections.abc import Callable
from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge

from router.contract.ids import PoolId


class Coming(StrEnum):
    """How a relay came to its turn: the outbox was free, or its owner had fallen silent."""

    FREE = "free"
    SILENT = "silent"


class Leaving(StrEnum):
    """Why an owner stood back: another had taken over, or the store had lost what the bus has."""

    SUPERSEDED = "superseded"
    STORE_BEHIND = "store-behind"


class Failing(StrEnum):
    """What didn't answer and was asked again."""

    BUS = "bus"
    STORE = "store"


class RelayMetrics:
    """Every series exists, at zero, from the start; those of a pool once its relay does."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.relayed = Counter("turnout_relayed_total", "Outbox entries brought to the bus.", registry=registry)
        self.taken = Counter(
            "turnout_relay_taken_total", "Turns begun as owner of an outbox.", ("how",), registry=registry
        )
        self.left = Counter("turnout_relay_left_total", "Turns given up as owner.", ("why",), registry=registry)
        self.retries = Counter(
            "turnout_relay_retries_total", "Calls that failed and were made again.", ("of",), registry=registry
        )
        self.refused = Counter(
            "turnout_relay_refused_total",
            "Records that can never lie on the bus, put to the dead letters.",
            registry=registry,
        )
        self._owner = Gauge(
            "turnout_relay_owner", "1 while this process relays the pool.", ("pool",), registry=registry
        )
        self._age_seconds = Gauge(
            "turnout_outbox_age_seconds",
            "Age of the oldest change that this relay has yet to bring to the bus.",
            ("pool",),
            registry=registry,
        )
        for counter, labels in ((self.taken, Coming), (self.left, Leaving), (self.retries, Failing)):
            for label in labels:
                counter.labels(label)

    def watch(self, pool: PoolId, *, age_s: Callable[[], float], is_owner: Callable[[], bool]) -> None:
        """Read a relay's gauges whenever Prometheus asks; from any thread."""
        self._age_seconds.labels(pool).set_function(age_s)
        self._owner.labels(pool).set_function(lambda: float(is_owner()))
