"""What the Telegram channel counts beside what the host counts. Labels are a closed set, there from the start."""

from prometheus_client import CollectorRegistry, Counter

from channels.telegram.normalise import Ignored


class TelegramMetrics:
    """Counters of the Telegram channel."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._ignored = Counter(
            "turnout_telegram_ignored", "Updates that are no inquiry, by reason.", ["reason"], registry=registry
        )
        self.missing_files = Counter(
            "turnout_telegram_missing_files", "Files of customers that Telegram did not give out.", registry=registry
        )
        for reason in Ignored:
            self._ignored.labels(reason)

    def ignored(self, reason: Ignored) -> None:
        self._ignored.labels(reason).inc()
