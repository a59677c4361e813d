"""Bringing records to the bus whatever it takes: a bus that is away is waited for, a refused record put aside."""

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import replace

from router.contract.ids import PoolId
from router.contract.topics import DEAD_LETTERS
from router.runtime.bus.protocol import Bus, Outgoing
from router.runtime.clock import Clock
from router.runtime.errors import BusUnavailable, RecordRefused
from router.service.measuring.metrics import ServiceMetrics
from router.service.relaying.metrics import Failing
from router.service.relaying.records import refused_letter

LOG = logging.getLogger(__name__)
FIRST_MS: Final = 100
MOST_MS: Final = 5_000


class Patience:
    """Pauses that grow up to five seconds, each a little at random, so that not all come back at once."""

    def __init__(self, clock: Clock, stopping: asyncio.Event) -> None:
        self._clock = clock
        self._stopping = stopping
        self._next_ms = FIRST_MS

    async def pause(self) -> bool:
        """Wait before another try; False when the relay is to stop."""
        span_ms = self._next_ms * random.uniform(0.5, 1.0)  # noqa: S311  # no secret
        self._next_ms = min(2 * self._next_ms, MOST_MS)
        return not await self._clock.wait(self._stopping, span_ms / 1_000)

    def reset(self) -> None:
        """It went well: the next pause is a short one again."""
        self._next_ms = FIRST_MS


class Sender:
    """Publishes for one pool's relay. ``answered`` is called whenever the bus, or its time-out, has answered."""

    def __init__(
        self,
        pool: PoolId,
        bus: Bus,
        *,
        patience: Patience,
        metrics: ServiceMetrics,
        answered: Callable[[], None],
    ) -> None:
        self._pool = pool
        self._bus = bus
        self._patience = patience
        self._metrics = metrics
        self._answered = answered

    async def send(self, records: Sequence[Outgoing]) -> bool:
        """Return once all are on the bus, the refused ones as dead letters; False when told to stop before that.

        After a failure all are sent again: the bus may have some already, and takes them as repeats.
        """
        left = list(records)
        while left:
            try:
                await self._bus.publish(left)
            except RecordRefused as exc:
                left = await self._without(left, exc)
            except BusUnavailable as exc:
                if not await self._wait(exc):
                    return False
            else:
                left = []
            self._answered()
        self._patience.reset()
        return True

    async def _wait(self, exc: BusUnavailable) -> bool:
        LOG.warning("the bus takes nothing: %s", exc, extra={"event": "relay.retry", "pool": self._pool})
        self._metrics.relay.retries.labels(Failing.BUS).inc()
        self._answered()
        return await self._patience.pause()

    async def _without(self, records: list[Outgoing], refusal: RecordRefused) -> list[Outgoing]:
        """The same records with the refused one as a dead letter. A dead letter that is refused in its turn goes
        without its value: then it was too large. One that is refused even so is left out, with a line in the log."""
        record = records[refusal.index]
        extra = {"event": "relay.refused", "pool": self._pool, "topic": record.topic}
        before, after = records[: refusal.index], records[refusal.index + 1 :]
        LOG.error("the bus will never take a record: %s", refusal.reason, extra=extra)
        if record.topic == DEAD_LETTERS:
            if record.value is None:
                return before + after
            return [*before, replace(record, value=None), *after]
        self._metrics.relay.refused.inc()
        self._metrics.dead_letters.inc()
        return [*before, refused_letter(record, refusal.reason), *after]
