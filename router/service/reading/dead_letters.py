"""Dead letters: a record that can never be handled is put aside with its reason, and all behind it moves on."""

import logging

from router.runtime.bus.protocol import Bus, Record
from router.runtime.dead_letters import dead_letter, letter_id
from router.runtime.errors import RecordRefused
from router.service.measuring.metrics import ServiceMetrics

LOG = logging.getLogger(__name__)


class DeadLetters:
    """Puts records aside: original key, value and headers, and beside them where they lay and why they failed."""

    def __init__(self, bus: Bus, metrics: ServiceMetrics) -> None:
        self._bus = bus
        self._metrics = metrics

    async def put(self, record: Record, exc: Exception) -> None:
        """Return when the record lies safe in the dead letters. One that is too large with the reason beside it is
        cut. Raises ``BusUnavailable``: then it must not be counted as done."""
        reason = f"{type(exc).__name__}: {exc}"
        try:
            await self._bus.publish([dead_letter(record, reason)])
        except RecordRefused:
            await self._bus.publish([dead_letter(record, reason, cut=True)])
        self._metrics.dead_letters.inc()
        LOG.error(
            "a record was put to the dead letters: %s",
            type(exc).__name__,
            extra={"event": "dead_letter", "at": letter_id(record)},
        )
