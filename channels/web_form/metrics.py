"""What the web form channel counts beside what the host counts. Labels are a closed set, there from the start."""

from enum import StrEnum

from prometheus_client import CollectorRegistry, Counter


class FormRefusal(StrEnum):
    """Why a form was refused that was well-formed."""

    ORIGIN = "origin"
    RATE = "rate"
    HONEYPOT = "honeypot"
    TOKEN = "token"  # noqa: S105  (a reason, no secret)
    TOO_FAST = "too-fast"


class WebFormMetrics:
    """Counters of the web form channel."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._refused = Counter(
            "turnout_web_form_refused", "Forms refused as unwanted, by reason.", ["reason"], registry=registry
        )
        self.limits_forgotten = Counter(
            "turnout_web_form_limits_forgotten", "Addresses whose rate was forgotten too early.", registry=registry
        )
        for reason in FormRefusal:
            self._refused.labels(reason)

    def refused(self, reason: FormRefusal) -> None:
        self._refused.labels(reason).inc()
