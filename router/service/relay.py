"""The relay: the outbox goes to the bus, in order, and is forgotten only when the bus has it."""

import logging
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from router.contract import topics
from router.contract.advisor import Advisor, AdvisorState
from router.contract.advisor_record import advisor_bytes
from router.contract.case import CaseState
from router.contract.envelope import case_event_bytes, case_event_headers
from router.contract.events import EventType
from router.contract.ids import PoolId
from router.contract.messages import Handover, Notice, Reply
from router.contract.records import record_head
from router.runtime.bus.protocol import Bus, Outgoing
from router.runtime.clock import Clock
from router.runtime.errors import BusUnavailable
from router.service.errors import Superseded
from router.service.metrics import ServiceMetrics
from router.store.protocol import Outbox, OutboxEntry

LOG = logging.getLogger(__name__)
BATCH: Final = 100
_WAIT_MS: Final = 1_000
_RETRY_MS: Final = 500
_MESSAGE: Final[msgspec.json.Decoder[Reply | Notice | Handover]] = msgspec.json.Decoder(Reply | Notice | Handover)
_ADVISOR: Final = msgspec.json.Decoder(Advisor)


class Relay:
    """One pool's relay. Batch k+1 goes out only after batch k is on the bus; a repeat has the same content."""

    def __init__(self, pool: PoolId, outbox: Outbox, bus: Bus, *, clock: Clock, metrics: ServiceMetrics) -> None:
        self._pool = pool
        self._outbox = outbox
        self._bus = bus
        self._clock = clock
        self._metrics = metrics

    async def run(self) -> None:
        """Relay until cancelled. Raises ``Superseded`` when another relay has taken over."""
        epoch = await self._outbox.take(self._pool)
        done = 0
        while True:
            entries = await self._outbox.pending(self._pool, done, limit=BATCH, wait_ms=_WAIT_MS)
            if entries:
                await self._publish(entries)
                done = entries[-1].number
                if not await self._outbox.trim(self._pool, epoch, done):
                    raise Superseded(f"another relay serves pool {self._pool} now")
                self._metrics.relayed.inc(len(entries))

    async def _publish(self, entries: Sequence[OutboxEntry]) -> None:
        records = [record for entry in entries for record in records_of(self._pool, entry)]
        while True:
            try:
                await self._bus.publish(records)
            except BusUnavailable as exc:
                LOG.warning("the bus takes nothing: %s", exc, extra={"event": "relay.retry", "pool": self._pool})
                await self._clock.sleep_until_ms(self._clock.now_ms() + _RETRY_MS)
            else:
                return


def records_of(pool: PoolId, entry: OutboxEntry) -> Iterator[Outgoing]:
    """All records that one outbox entry becomes; pure, so a repeat gives the same bytes."""
    if entry.case is not None:
        yield from _case_records(pool, entry, entry.case)
    if entry.advisor is not None:
        yield _advisor_record(pool, entry, entry.advisor)
    for text in (*entry.replies, *entry.notices, *entry.handovers):
        head = record_head(_MESSAGE.decode(text))
        yield Outgoing(topic=head.topic, key=head.key, value=text.encode(), headers=head.headers)


def _case_records(pool: PoolId, entry: OutboxEntry, state: CaseState) -> Iterator[Outgoing]:
    kind = EventType(f"turnout.case.{entry.kind}.v1")
    value = case_event_bytes(
        type=kind,
        pool=pool,
        state=state,
        number=entry.number,
        at_ms=entry.at_ms,
        outcome=entry.outcome,
        actor=entry.actor,
        about=entry.about,
        reason=entry.reason,
    )
    headers = case_event_headers(type=kind, pool=pool, state=state, at_ms=entry.at_ms)
    yield Outgoing(topic=topics.EVENTS, key=state.id, value=value, headers=headers)
    yield Outgoing(topic=topics.CASES, key=state.id, value=None if entry.final else value, headers=headers)


def _advisor_record(pool: PoolId, entry: OutboxEntry, state: AdvisorState) -> Outgoing:
    value = advisor_bytes(pool=pool, state=state, number=entry.number, at_ms=entry.at_ms)
    headers = record_head(_ADVISOR.decode(value)).headers
    return Outgoing(topic=topics.ADVISORS, key=state.id, value=value, headers=headers)
