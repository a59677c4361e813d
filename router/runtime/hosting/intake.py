"""What comes in: masked, made to fit, limited, and on the bus before anybody outside hears yes."""

from typing import Final, NamedTuple

import msgspec

from router.contract.codec import encode
from router.contract.errors import ContractError
from router.contract.ids import AccountId
from router.contract.limits import SHORTENED, shorten
from router.contract.messages import MAX_INQUIRY_BYTES, Delivery, Inquiry
from router.contract.records import record_head
from router.runtime.bus.protocol import Outgoing
from router.runtime.clock import Clock
from router.runtime.errors import BusUnavailable, IntakeFull, RecordRefused
from router.runtime.hosting.batches import Batches
from router.runtime.hosting.masks import Masks
from router.runtime.hosting.metrics import ChannelMetrics, Refusal
from router.runtime.server_memory import Room
from router.runtime.token_bucket import Limiter, Rate

_FULL_S: Final = 1.0
_SHORT_S: Final = 5.0
_SENDERS: Final = 20_000
_BOUND_CHARS: Final = 2 * MAX_INQUIRY_BYTES
_FIELD_CHARS: Final = 1000
_FIELDS: Final = 100


class IntakeLimits(NamedTuple):
    """Bounds of what comes in. Records and bytes are those on their way to the bus, over all channels."""

    records: int = 4096
    size_bytes: int = 64 * 1024 * 1024
    publish_s: float = 15.0
    sender: Rate = Rate(20, 300)
    account: Rate = Rate(2000, 10_000)


ORDINARY: Final = IntakeLimits()


class Intake:
    """The one way in for all channels of a process. ``room`` is that of the server which carries the bus, where the bus
    can't refuse by itself."""

    def __init__(
        self,
        batches: Batches,
        *,
        masks: Masks,
        clock: Clock,
        metrics: ChannelMetrics,
        limits: IntakeLimits = ORDINARY,
        room: Room | None = None,
    ) -> None:
        self._batches = batches
        self._masks = masks
        self._clock = clock
        self._metrics = metrics
        self._limits = limits
        self._room = room
        forgotten = metrics.limits_forgotten.inc
        self._senders: Limiter[tuple[str, str]] = Limiter(limits.sender, max_keys=_SENDERS, on_forgotten=forgotten)
        self._accounts: Limiter[AccountId] = Limiter(limits.account, max_keys=_SENDERS, on_forgotten=forgotten)

    async def accept(self, inquiry: Inquiry) -> None:
        """As ``ChannelHost.accept``."""
        began_s = self._clock.monotonic()
        try:
            if self._room is not None and await self._room.is_short():
                self._refuse(inquiry, Refusal.MEMORY, _SHORT_S)
            self._admit(inquiry, began_s)
            await self._publish(self._fitted(inquiry))
        except IntakeFull:
            raise
        except BusUnavailable:
            self._metrics.refused.labels(inquiry.channel, Refusal.BUS).inc()
            raise
        except RecordRefused:
            self._metrics.refused.labels(inquiry.channel, Refusal.NEVER).inc()
            raise
        finally:
            self._metrics.in_flight.set(self._batches.records)
        self._metrics.accepted.labels(inquiry.channel).inc()
        self._metrics.accept_seconds.labels(inquiry.channel).observe(self._clock.monotonic() - began_s)

    async def report(self, delivery: Delivery) -> None:
        """As ``ChannelHost.report``."""
        await self._publish(delivery)

    def _admit(self, inquiry: Inquiry, now_s: float) -> None:
        """Raises ``IntakeFull`` when there is no room, or the sender or account writes too fast."""
        limits = self._limits
        if self._batches.records >= limits.records or self._batches.size_bytes >= limits.size_bytes:
            self._refuse(inquiry, Refusal.FULL, _FULL_S)
        wait_s = self._senders.take((inquiry.account, inquiry.customer.id), now_s)
        if wait_s > 0:
            self._refuse(inquiry, Refusal.SENDER_RATE, wait_s)
        wait_s = self._accounts.take(inquiry.account, now_s)
        if wait_s > 0:
            self._refuse(inquiry, Refusal.ACCOUNT_RATE, wait_s)

    def _refuse(self, inquiry: Inquiry, reason: Refusal, after_s: float) -> None:
        self._metrics.refused.labels(inquiry.channel, reason).inc()
        raise IntakeFull(after_s)

    def _fitted(self, inquiry: Inquiry) -> Inquiry:
        try:
            bounded = _bounded(inquiry)
            masked = self._masks.inquiry(bounded)
            fitted = shorten(masked)
        except (ContractError, UnicodeEncodeError, msgspec.MsgspecError) as exc:
            raise RecordRefused(0, f"this inquiry has no form on the wire: {type(exc).__name__}") from exc
        if masked is not bounded:
            self._metrics.masked.labels(inquiry.channel).inc()
        if SHORTENED in fitted.labels and SHORTENED not in inquiry.labels:
            self._metrics.shortened.labels(inquiry.channel).inc()
        return fitted

    async def _publish(self, message: Inquiry | Delivery) -> None:
        record = outgoing(message)
        await self._batches.publish(record, within_s=self._limits.publish_s)


def outgoing(message: Inquiry | Delivery) -> Outgoing:
    """A message as the record that carries it."""
    head = record_head(message)
    return Outgoing(topic=head.topic, key=head.key, value=encode(message), headers=head.headers)


def _bounded(inquiry: Inquiry) -> Inquiry:
    """Without what can't fit by far, so that no pattern runs over megabytes; labelled like anything shortened."""
    texts = (inquiry.text, inquiry.subject, inquiry.quoted)
    if sum(map(len, (*texts, *inquiry.fields.values()))) <= _BOUND_CHARS:
        return inquiry
    labels = (SHORTENED, *(label for label in inquiry.labels if label != SHORTENED))
    text, subject, quoted = (each[:MAX_INQUIRY_BYTES] for each in texts)
    fields = {name: value[:_FIELD_CHARS] for name, value in list(inquiry.fields.items())[:_FIELDS]}
    return msgspec.structs.replace(inquiry, text=text, subject=subject, quoted=quoted, fields=fields, labels=labels)
