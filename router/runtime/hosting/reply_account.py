"""The replies of one account: read from the bus, sent in order per conversation, their outcome published."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple, Protocol

from router.contract.codec import Decoder
from router.contract.errors import Undecodable
from router.contract.ids import AccountId, ConversationId
from router.contract.messages import Delivery, Reply
from router.contract.topics import REPLIES
from router.runtime.bus.lanes import Consumer, Limits
from router.runtime.bus.protocol import Bus, Partition, Record
from router.runtime.clock import Clock
from router.runtime.dead_letters import dead_letter
from router.runtime.errors import BusUnavailable, RuntimeFailure, StoreUnavailable
from router.runtime.hosting.batches import Batches
from router.runtime.hosting.in_turn import InTurn
from router.runtime.hosting.intake import outgoing
from router.runtime.hosting.metrics import ChannelMetrics, ReplySetback
from router.runtime.ledger_settling import CLOCKS_MS

LOG = logging.getLogger(__name__)

_DECODER: Final = Decoder(Reply)
_RETRY_S: Final = 0.5
# A lane only starts a reply, so few are enough; a reply that waits for its provider holds a place in flight.
_LIMITS: Final = Limits(lanes=4, max_in_flight=512, resume_at=256)


class StoppedFirst(RuntimeFailure):
    """The service stops before the reply has an outcome. It is read again by whoever comes next."""

    retryable = True


class Share(NamedTuple):
    """Whose replies are read, by which group. ``puts_aside``: what can't be decoded has no account; one share puts it
    to the dead letters, the others pass it by."""

    name: str
    group: str
    takes: Callable[[AccountId], bool]
    puts_aside: bool = False


def share_of(account: AccountId) -> Share:
    return Share(name=account, group=f"replies.{account}", takes=lambda to: to == account)


class Delivering(Protocol):
    """The two things that are needed of a sender, as ``ReplySender`` says them."""

    async def deliver(self, reply: Reply, *, published_at_ms: int | None = None) -> Delivery | None: ...

    def stop(self) -> None: ...


class AccountReplies:
    """One member of the group of a share, in most cases an account's. ``run`` it; it ends by ``stop``.

    A reply counts as done once its delivery is on the bus. Replies of one conversation go one after the
    other, and one that its provider puts off holds up nobody but those behind it in its conversation.
    """

    def __init__(self, bus: Bus, sender: Delivering, *, share: Share, reports: "Reports", clock: Clock) -> None:
        self._sender = sender
        self.share = share
        self._reports = reports
        self._clock = clock
        self._turns: InTurn[ConversationId] = InTurn()
        self._ours_since_ms: dict[Partition, int] = {}
        self._stopping = asyncio.Event()
        self.consumer: Final = Consumer(bus, share.group, (REPLIES,), handle=self.handle, hooks=self, limits=_LIMITS)

    async def run(self) -> None:
        """Send until stopped."""
        try:
            await self.consumer.run()
        finally:
            await self._turns.cancel()

    def stop(self, within_s: float) -> None:
        """Begin no reply any more; those at their provider may end."""
        self.consumer.stop(deadline_s=within_s)
        self._stopping.set()
        self._sender.stop()

    async def handle(self, record: Record) -> Awaitable[None] | None:
        """Take one record; what it returns is done when the reply's outcome is on the bus."""
        try:
            reply = _DECODER.decode(record.value, Reply)
        except Undecodable:
            if self.share.puts_aside:
                raise
            return None
        if not self.share.takes(reply.to.account):
            return None
        came_at_ms = self._came_at_ms(record)
        return self._turns.begin((reply.conversation,), lambda: self._send(reply, came_at_ms), name=f"send-{reply.id}")

    def _came_at_ms(self, record: Record) -> int | None:
        """When the record came to the bus, unless nobody else can have had it: its partition was ours by then."""
        since_ms = self._ours_since_ms.get(record.partition)
        is_ours = since_ms is not None and record.published_at_ms > since_ms + CLOCKS_MS
        return None if is_ours else record.published_at_ms

    async def _send(self, reply: Reply, came_at_ms: int | None) -> None:
        delivery = await self._outcome(reply, came_at_ms)
        while True:
            try:
                await self._reports.publish(delivery)
                return
            except BusUnavailable:
                self._reports.setback(ReplySetback.BUS_AWAY)
                await self._pause()

    async def _outcome(self, reply: Reply, came_at_ms: int | None) -> Delivery:
        while True:
            try:
                delivery = await self._sender.deliver(reply, published_at_ms=came_at_ms)
            except StoreUnavailable:
                self._reports.setback(ReplySetback.STORE_AWAY)
                await self._pause()
                continue
            if delivery is None:
                raise StoppedFirst(f"reply {reply.id} has no outcome yet")
            return delivery

    async def _pause(self) -> None:
        if await self._clock.wait(self._stopping, _RETRY_S):
            raise StoppedFirst("the service stops")

    # What the consumer asks of its owner.

    async def on_assigned(self, partitions: Mapping[Partition, int]) -> None:
        """No fence is needed: the ledger decides between two senders."""
        self._ours_since_ms.update(dict.fromkeys(partitions, self._clock.now_ms()))

    async def on_poison(self, record: Record, exc: Exception) -> None:
        LOG.error("a reply is put aside: %s", exc, extra={"event": "reply.put_aside", "account": self.share.name})
        self._reports.setback(ReplySetback.UNDECODABLE)
        while True:
            try:
                await self._reports.put_aside(record, f"{type(exc).__name__}: {exc}")
                return
            except BusUnavailable:
                # Until the stop cuts it off: passed by, the record would be lost.
                await self._clock.wait(asyncio.Event(), _RETRY_S)


class Reports:
    """Publishes what became of the replies of one channel, and counts it."""

    def __init__(self, batches: Batches, *, channel: str, metrics: ChannelMetrics) -> None:
        self._batches = batches
        self._channel = channel
        self._metrics = metrics

    async def publish(self, delivery: Delivery) -> None:
        await self._batches.publish(outgoing(delivery))
        self._metrics.replies.labels(self._channel, delivery.state).inc()

    async def put_aside(self, record: Record, reason: str) -> None:
        """To the dead letters, with where it lay and why."""
        await self._batches.publish(dead_letter(record, reason))

    def setback(self, kind: ReplySetback) -> None:
        self._metrics.setbacks.labels(self._channel, kind).inc()
