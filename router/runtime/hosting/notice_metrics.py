"""What the notices count: one closed set of outcomes, at zero from the start."""

from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter, Gauge


class NoticeOutcome(StrEnum):
    """How a notice ended here. ``NO_TARGET``: the settings have no such target. ``REPEATED``: it had its
    outcome already. ``UNDECODABLE``: the record was no notice."""

    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NO_TARGET = "no_target"
    REPEATED = "repeated"
    UNDECODABLE = "undecodable"


class NoticeMetrics:
    """One object a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.notices = Counter("turnout_notices_total", "Notices to staff by outcome.", ("outcome",), registry=registry)
        self.put_off = Counter(
            "turnout_notices_put_off_total",
            "Tries after which a notice had to wait for another.",
            registry=registry,
        )
        self.in_hand = Gauge("turnout_notices_in_hand", "Notices read that have no outcome yet.", registry=registry)
        for outcome in NoticeOutcome:
            self.notices.labels(outcome)
