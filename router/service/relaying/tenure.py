"""One turn of a relay as the owner of an outbox: read ahead, publish in order, forget what is on the bus."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, NamedTuple

from router.contract.ids import PoolId
from router.runtime.clock import Clock
from router.runtime.errors import StoreUnavailable
from router.service.errors import StoreBehind, Superseded
from router.service.measuring.metrics import ServiceMetrics
from router.service.relaying.metrics import Failing
from router.service.relaying.notes import RelayNotes
from router.service.relaying.reading import Batch, OutboxReader
from router.service.relaying.sending import Patience, Sender
from router.store.protocol import Outbox, RelayLease

LOG = logging.getLogger(__name__)
_NOTHING: Final = 0  # trimmed by a mere word: more would mend the numbers of a store that has gone back


class Tools(NamedTuple):
    """What a tenure works with. ``moved`` is told whenever something went on, or nothing was left to do."""

    pool: PoolId
    outbox: Outbox
    reader: OutboxReader
    sender: Sender
    notes: RelayNotes
    clock: Clock
    metrics: ServiceMetrics
    patience: Patience
    moved: Callable[[], None]


class Tenure:
    """Batch k+1 is read and made into records while batch k is on its way, and sent only once k is on the bus.
    ``published`` is what is there, ``trimmed`` what the store has been told of."""

    def __init__(self, lease: RelayLease, tools: Tools, *, word_s: float) -> None:
        self._lease = lease
        self._tools = tools
        self._word_s = word_s
        self._told_at_s = tools.clock.monotonic()
        self._trimming: asyncio.Task[None] | None = None
        self.published = self.trimmed = lease.trimmed
        self.oldest_ms: int | None = None

    async def serve(self, stopping: asyncio.Event) -> None:
        """Until told to stop; what is on its way then is brought to its end. Raises ``Superseded``."""
        stop = asyncio.create_task(stopping.wait(), name=f"relay-stop-{self._tools.pool}")
        ahead = self._read_after(self.published)
        try:
            while True:
                is_late = ahead.done()
                await asyncio.wait((ahead, stop), return_when=asyncio.FIRST_COMPLETED)
                if stopping.is_set():
                    return
                batch = await self._read(ahead, fill=is_late)
                ahead = self._read_after(batch.last)
                if batch.entries and not await self._publish(batch):
                    return
                if not batch.entries:
                    await self._look()
        finally:
            await self._end(stop, ahead)

    async def keep(self) -> None:
        """Give word to those who stand by, until cancelled: also while the bus is away. Raises ``Superseded``."""
        clock = self._tools.clock
        while True:
            await clock.sleep_until_ms(clock.now_ms() + round(self._word_s * 500))
            if self.trimmed < self.published:
                await self._trim(self.published)
            elif clock.monotonic() - self._told_at_s >= self._word_s:
                await self._trim(_NOTHING)

    def _read_after(self, number: int) -> asyncio.Task[Batch]:
        return asyncio.create_task(self._tools.reader.read(number), name=f"relay-ahead-{self._tools.pool}")

    async def _read(self, ahead: asyncio.Task[Batch], *, fill: bool) -> Batch:
        """What was read ahead, and with ``fill`` what has come since; an empty batch when the store was away."""
        try:
            batch = await ahead
            if fill and batch.entries:
                await self._tools.reader.fill(batch)
        except StoreUnavailable as exc:
            self._store_failed(exc)
            await self._tools.patience.pause()
            return Batch(self.published)
        return batch

    async def _publish(self, batch: Batch) -> bool:
        tools = self._tools
        self.oldest_ms = batch.oldest_ms
        if tools.clock.monotonic() - self._told_at_s > 2 * self._word_s:
            await self._trim(_NOTHING)  # this process stood still: is it still the owner?
        if not await tools.sender.send(batch.records):
            return False
        self.published, self.oldest_ms = batch.last, None
        tools.moved()
        tools.metrics.relay.relayed.inc(batch.entries)
        await self._trimmed()
        self._trimming = asyncio.create_task(self._trim(batch.last), name=f"relay-trim-{tools.pool}")
        return True

    async def _trimmed(self) -> None:
        """Wait for the trim that is on its way: it is told before the next one."""
        trimming, self._trimming = self._trimming, None
        if trimming is not None:
            await trimming

    async def _trim(self, upto: int) -> None:
        """A store that is away is told by ``keep``, later."""
        tools = self._tools
        try:
            if not await tools.outbox.trim(tools.pool, self._lease, upto):
                raise Superseded(f"another relay serves pool {tools.pool} now")
        except StoreUnavailable as exc:
            self._store_failed(exc)
            return
        self._told_at_s = tools.clock.monotonic()
        self.trimmed = max(self.trimmed, upto)
        tools.notes.moved(self._lease.gen, self.trimmed)

    async def _look(self) -> None:
        """There was nothing to read: see whether that is so because all is done."""
        await self._trimmed()
        tools = self._tools
        try:
            now = await tools.outbox.lease(tools.pool)
        except StoreUnavailable as exc:
            self._store_failed(exc)
            return
        if (now.gen, now.epoch) != (self._lease.gen, self._lease.epoch):
            raise Superseded(f"another relay serves pool {tools.pool} now")
        if now.trimmed < self.trimmed:
            raise StoreBehind(f"pool {tools.pool} was trimmed up to {self.trimmed}, its store says {now.trimmed}")
        if now.number <= self.published:
            tools.moved()

    def _store_failed(self, exc: StoreUnavailable) -> None:
        extra = {"event": "relay.retry", "pool": self._tools.pool}
        LOG.warning("the outbox doesn't answer: %s", exc, extra=extra)
        self._tools.metrics.relay.retries.labels(Failing.STORE).inc()
        self._tools.moved()

    async def _end(self, *tasks: "asyncio.Task[Batch] | asyncio.Task[bool]") -> None:
        tasks_left = [task for task in (*tasks, self._trimming) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks_left, return_exceptions=True)
