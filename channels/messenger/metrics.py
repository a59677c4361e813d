"""What the Messenger channel counts beside what the host counts. Labels are a closed set, there from the start."""

from prometheus_client import CollectorRegistry, Counter

from channels.messenger.normalise import Ignored


class MessengerMetrics:
    """Counters of the Messenger channel."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._ignored = Counter(
            "turnout_messenger_ignored", "Events that are no inquiry, by reason.", ["reason"], registry=registry
        )
        self.missing_files = Counter(
            "turnout_messenger_missing_files", "Files of customers that could not be fetched.", registry=registry
        )
        for reason in Ignored:
            self._ignored.labels(reason)

    def ignored(self, reason: Ignored) -> None:
        self._ignored.labels(reason).inc()
