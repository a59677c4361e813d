"""Metrics of the process itself; what the business counts is declared where it happens."""

import platform
from enum import StrEnum
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_LAG_BUCKETS_S: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class BusOperation(StrEnum):
    PUBLISH = "publish"
    POLL = "poll"
    COMMIT = "commit"


class StoreError(StrEnum):
    UNAVAILABLE = "unavailable"
    REFUSED = "refused"


class BlobOperation(StrEnum):
    PUT = "put"
    GET = "get"
    DELETE = "delete"
    LIST = "list"


class RuntimeMetrics:
    """Every series exists, at zero, from the start. One object a registry."""

    def __init__(self, registry: CollectorRegistry, *, version: str, mode: str) -> None:
        build = Gauge(
            "turnout_build_info",
            "Always 1; the labels say what runs.",
            ("version", "python", "mode"),
            registry=registry,
        )
        build.labels(version, platform.python_version(), mode).set(1)
        self.loop_lag_seconds = Histogram(
            "turnout_loop_lag_seconds",
            "How much later than planned the event loop ran a timer.",
            buckets=_LAG_BUCKETS_S,
            registry=registry,
        )
        self.ready = Gauge("turnout_ready", "1 when /readyz last said ready.", registry=registry)
        self.bus_errors = Counter(
            "turnout_bus_errors_total",
            "Calls of the bus that failed or timed out.",
            ("operation",),
            registry=registry,
        )
        self.bus_groups_forgotten = Counter(
            "turnout_bus_groups_forgotten_total",
            "Groups of the streams bus that this process found unused for long; their records may go.",
            registry=registry,
        )
        self.store_errors = Counter(
            "turnout_store_errors_total",
            "Calls of the state store that failed.",
            ("kind",),
            registry=registry,
        )
        self.blob_errors = Counter(
            "turnout_blob_errors_total",
            "Calls of the object store that failed.",
            ("operation",),
            registry=registry,
        )
        self.ledger_settlings = Counter(
            "turnout_reply_ledger_settlings_total",
            "How often this process compared the ledger of replies with the deliveries, as its server had begun anew.",
            registry=registry,
        )
        self._declare_consumers(registry)
        for counter, labels in (
            (self.bus_errors, BusOperation),
            (self.store_errors, StoreError),
            (self.blob_errors, BlobOperation),
        ):
            for label in labels:
                counter.labels(label)

    def _declare_consumers(self, registry: CollectorRegistry) -> None:
        self.consumer_lag = Gauge(
            "turnout_consumer_lag_records",
            "Records that this process has yet to commit, of the partitions it owns.",
            ("topic", "group"),
            registry=registry,
        )
        self.consumer_pauses = Counter(
            "turnout_consumer_pauses_total",
            "How often a consumer stopped reading, as it held as many records as it may.",
            ("topic", "group"),
            registry=registry,
        )
