"""What the notices count: closed sets of outcomes and reasons, at zero from the start."""

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


class HeldFor(StrEnum):
    """Why a notice isn't sent yet: others may come to the same message, the target's quiet hours, or (messages, not
    notices) its throttle."""

    GROUP = "group"
    QUIET = "quiet"
    THROTTLE = "throttle"


class NoticeMetrics:
    """One object a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.notices = Counter("turnout_notices_total", "Notices to staff by outcome.", ("outcome",), registry=registry)
        self.messages = Counter(
            "turnout_notice_messages_total",
            "Messages that notices were sent in: one may tell of many.",
            registry=registry,
        )
        self.put_off = Counter(
            "turnout_notices_put_off_total",
            "Tries after which a notice had to wait for another.",
            registry=registry,
        )
        self.throttled = Counter(
            "turnout_notices_throttled_total",
            "Messages that waited since their target had been told often enough.",
            registry=registry,
        )
        self.early = Counter(
            "turnout_notices_early_total",
            "Times that notices were sent in quiet hours since too many were held.",
            registry=registry,
        )
        self.forgotten = Counter(
            "turnout_notices_limits_forgotten_total",
            "Throttles forgotten early since very many advisors were told.",
            registry=registry,
        )
        self.held = Gauge(
            "turnout_notices_held",
            "Notices held for a message that isn't due, or in quiet hours; messages held by a throttle.",
            ("why",),
            registry=registry,
        )
        self.in_hand = Gauge("turnout_notices_in_hand", "Notices read that have no outcome yet.", registry=registry)
        for outcome in NoticeOutcome:
            self.notices.labels(outcome)
        for why in HeldFor:
            self.held.labels(why)
