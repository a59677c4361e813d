"""What the chat channel counts. Labels are a closed set, there from the start."""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from channels.chat.frames import Code

GONE: Final = "gone"
"""The customer closed his page or his line broke."""


class ChatMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.sockets = Gauge("turnout_chat_sockets", "Open sockets of customers.", registry=registry)
        self.pushed = Counter("turnout_chat_pushed", "Messages pushed to sockets.", registry=registry)
        self._closed = Counter("turnout_chat_closed", "Sockets that ended, by why.", ["reason"], registry=registry)
        self._refused = Counter("turnout_chat_refused", "Sockets refused.", ["reason"], registry=registry)
        self.limits_forgotten = Counter(
            "turnout_chat_limits_forgotten", "Customers whose rate was forgotten too early.", registry=registry
        )
        for code in Code:
            self._closed.labels(_name(code))
        self._closed.labels(GONE)
        for reason in ("origin", "full"):
            self._refused.labels(reason)

    def closed(self, code: Code | None) -> None:
        self._closed.labels(GONE if code is None else _name(code)).inc()

    def refused_origin(self) -> None:
        self._refused.labels("origin").inc()

    def refused_full(self) -> None:
        self._refused.labels("full").inc()


def _name(code: Code) -> str:
    return code.name.lower().replace("_", "-")
