"""What the channels count. Labels are channels of the settings and closed sets, at zero from the start."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from router.contract.messages import DeliveryState

_BUCKETS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15)


class Refusal(StrEnum):
    """Why an inquiry was not accepted."""

    FULL = "full"
    SENDER_RATE = "sender-rate"
    ACCOUNT_RATE = "account-rate"
    MEMORY = "memory"
    BUS = "bus"
    NEVER = "never"


class HttpRefusal(StrEnum):
    """Why a request did not get as far as its channel, or failed in it."""

    PEER_RATE = "peer-rate"
    TOO_LARGE = "too-large"
    BUSY = "busy"
    STOPPING = "stopping"
    ERROR = "error"


class ReplySetback(StrEnum):
    """What happens to a reply beside its outcome."""

    PUT_OFF = "put-off"
    STORE_AWAY = "store-away"
    BUS_AWAY = "bus-away"
    UNDECODABLE = "undecodable"


class ChannelMetrics:
    """One object a registry."""

    def __init__(self, registry: CollectorRegistry, channels: Sequence[str]) -> None:
        self.accepted = Counter(
            "turnout_channel_inquiries_total", "Inquiries that are on the bus.", ("channel",), registry=registry
        )
        self.refused = Counter(
            "turnout_channel_refused_total", "Inquiries not accepted.", ("channel", "reason"), registry=registry
        )
        self.masked = Counter(
            "turnout_channel_masked_total", "Inquiries with something masked.", ("channel",), registry=registry
        )
        self.shortened = Counter(
            "turnout_channel_shortened_total", "Inquiries made to fit the bus.", ("channel",), registry=registry
        )
        self.accept_seconds = Histogram(
            "turnout_channel_accept_seconds",
            "From an inquiry's arrival at the host until it is on the bus.",
            ("channel",),
            buckets=_BUCKETS_S,
            registry=registry,
        )
        self.in_flight = Gauge("turnout_channel_in_flight", "Inquiries on their way to the bus.", registry=registry)
        self.replies = Counter(
            "turnout_channel_replies_total", "Replies by outcome.", ("channel", "state"), registry=registry
        )
        self.setbacks = Counter(
            "turnout_channel_reply_setbacks_total",
            "Replies that had to wait or were put aside.",
            ("channel", "kind"),
            registry=registry,
        )
        self.http_refused = Counter(
            "turnout_channel_http_refused_total",
            "Requests refused before their channel saw them, or that failed in it.",
            ("channel", "reason"),
            registry=registry,
        )
        self.limits_forgotten = Counter(
            "turnout_channel_limits_forgotten_total",
            "Rate limits forgotten early, as more senders came than are kept.",
            registry=registry,
        )
        for channel in channels:
            self._start_at_zero(channel)

    def start_replies_at_zero(self, channel: str) -> None:
        """For what stands in for a channel and only answers."""
        for state in DeliveryState:
            self.replies.labels(channel, state)
        for kind in ReplySetback:
            self.setbacks.labels(channel, kind)

    def start_http_at_zero(self, path: str) -> None:
        """For what is served beside the channels, on the same port."""
        for reason in HttpRefusal:
            self.http_refused.labels(path, reason)

    def _start_at_zero(self, channel: str) -> None:
        self.start_replies_at_zero(channel)
        for plain in (self.accepted, self.masked, self.shortened, self.accept_seconds):
            plain.labels(channel)
        for counter, labels in (
            (self.refused, Refusal),
            (self.http_refused, HttpRefusal),
        ):
            for label in labels:
                counter.labels(channel, label)
