"""What the API tells Prometheus."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from router.api.acts.asking import FRAME_TYPES
from router.api.sessions.frames import Push

_LATENCY_S: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
PUSHES: Final = tuple(str(kind.__struct_config__.tag) for kind in Push.__args__)
STATUSES: Final = ("2xx", "4xx", "5xx")
LIMITS: Final = ("sessions", "answers", "operations")
CLOSED: Final = ("left", "refused", "revoked", "slow", "stopped", "failed")


class ApiMetrics:
    """Counters of one process, in the registry given; every label value is there from the start, at zero."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter("turnout_api_requests_total", "HTTP requests.", ("status",), registry=registry)
        self.request_seconds = Histogram(
            "turnout_api_request_seconds", "Time of one HTTP request.", buckets=_LATENCY_S, registry=registry
        )
        self.frames = Counter(
            "turnout_api_frames_total", "Frames of advisors by type and answer.", ("type", "status"), registry=registry
        )
        self.sessions = Gauge("turnout_api_sessions", "Open advisor sessions.", registry=registry)
        self.closed = Counter("turnout_api_sessions_closed_total", "Sessions by their end.", ("by",), registry=registry)
        self.pushes = Counter("turnout_api_pushes_total", "Pushes to advisors.", ("type",), registry=registry)
        self.dropped = Counter(
            "turnout_api_pushes_dropped_total", "Hints that a slow session didn't get.", registry=registry
        )
        self.late = Counter(
            "turnout_api_not_durable_total", "Answers given before the event was on the bus.", registry=registry
        )
        self.limits = Counter(
            "turnout_api_limits_reached_total",
            "How often a limit was reached: of sessions, of answers that wait for the bus, of operations remembered.",
            ("limit",),
            registry=registry,
        )
        for name in LIMITS:
            self.limits.labels(name)
        for status in STATUSES:
            self.requests.labels(status)
            for name in FRAME_TYPES:
                self.frames.labels(name, status)
        for name in CLOSED:
            self.closed.labels(name)
        for name in PUSHES:
            self.pushes.labels(name)


def status_class(status: int) -> str:
    """The closed label of an HTTP status."""
    return "2xx" if status < 400 else "4xx" if status < 500 else "5xx"
