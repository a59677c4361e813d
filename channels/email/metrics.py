"""What the mail port counts. Labels are a closed set, there from the start."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter

REFUSALS: Final = (
    "bus",
    "connections",
    "error",
    "full",
    "in-hand",
    "never",
    "recipients",
    "sender-rate",
    "too-large",
    "unknown-mailbox",
)
KINDS: Final = ("person", "automatic", "bounce-told")


class EmailMetrics:
    """Counters of the e-mail channel."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._refused = Counter(
            "turnout_email_refused", "Mails, recipients and connections refused.", ["reason"], registry=registry
        )
        self.limits_forgotten = Counter(
            "turnout_email_limits_forgotten", "Senders whose rate was forgotten too early.", registry=registry
        )
        self._received = Counter("turnout_email_received", "Mails taken, one a mailbox.", ["kind"], registry=registry)
        for reason in REFUSALS:
            self._refused.labels(reason)
        for kind in KINDS:
            self._received.labels(kind)

    def refused(self, reason: str) -> None:
        self._refused.labels(reason if reason in REFUSALS else "error").inc()

    def received(self, kind: str) -> None:
        self._received.labels(kind).inc()
