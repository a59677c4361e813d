"""The bus on Apache Kafka (4.x, or anything that speaks its protocol)."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from typing import Final

from router.contract.topics import TopicSpec
from router.runtime.bus.kafka_client import KafkaOptions
from router.runtime.bus.kafka_group import KafkaSubscription
from router.runtime.bus.kafka_history import read_history
from router.runtime.bus.kafka_publisher import Publisher
from router.runtime.bus.kafka_tail import KafkaTail
from router.runtime.bus.kafka_topics import create_topics
from router.runtime.bus.protocol import Outgoing, Position, Rebalance, Record, Subscription, Tail

_log = logging.getLogger(__name__)

_SHARE_OF_SUBSCRIPTIONS: Final = 0.7


class KafkaBus:
    """Implements ``Bus``. Make it in the event loop that uses it; it connects when first used.

    A record larger than 1 MiB, or for a topic that doesn't exist, is refused. Whatever the brokers do, no
    call outlasts its deadline in ``KafkaOptions``.
    """

    def __init__(self, options: KafkaOptions) -> None:
        self._options = options
        self._publisher = Publisher(options)
        self._subscriptions: list[KafkaSubscription] = []
        self._tails: list[KafkaTail] = []

    async def create_topics(self, specs: Sequence[TopicSpec]) -> None:
        await create_topics(self._options, specs)

    async def publish(self, records: Sequence[Outgoing]) -> Sequence[Position]:
        return await self._publisher.publish(records)

    async def subscribe(self, group: str, topics: Sequence[str], rebalance: Rebalance) -> Subscription:
        subscription = KafkaSubscription(self._options, group, rebalance)
        await subscription.join(topics)
        self._subscriptions = [each for each in self._subscriptions if not each.is_closed]
        self._subscriptions.append(subscription)
        return subscription

    def history(self, topic: str, *, since_ms: int = 0) -> AsyncIterator[Record]:
        return read_history(self._options, topic, since_ms)

    async def tail(self, topic: str, *, since_ms: int | None = None) -> Tail:
        tail = KafkaTail(self._options, topic)
        await tail.begin(since_ms)
        self._tails = [each for each in self._tails if not each.is_closed] + [tail]
        return tail

    async def close(self) -> None:
        """As ``Bus.close``. Subscriptions still open are closed first, all at once: what their ``revoked`` may
        publish has most of the time."""
        ends = time.monotonic() + self._options.stop_s
        within_s = self._options.stop_s * _SHARE_OF_SUBSCRIPTIONS
        closing = [each.close(within_s=within_s) for each in self._subscriptions]
        closing += [each.close(within_s=within_s) for each in self._tails]
        for outcome in await asyncio.gather(*closing, return_exceptions=True):
            if isinstance(outcome, Exception):
                _log.error("a subscription closed badly", exc_info=outcome, extra={"event": "bus_close"})
        await self._publisher.close(ends - time.monotonic())
