"""Reading an outbox in batches, made into records while the batch before is still on its way."""

import logging
from collections.abc import Sequence
from typing import Final

from router.contract.ids import PoolId
from router.runtime.bus.protocol import Outgoing
from router.service.relaying.records import poison_letter, records_of
from router.store.protocol import Outbox, OutboxEntry

LOG = logging.getLogger(__name__)
PAGE: Final = 100  # 500 entries would hold the server for 4 ms
MAX_ENTRIES: Final = 200  # more would hold an event loop that lanes share for over ten milliseconds
MAX_BYTES: Final = 1_048_576
_WAIT_MS: Final = 1_000


class Batch:
    """Entries that follow one another, as records. ``last`` is the number up to which they reach."""

    def __init__(self, after: int) -> None:
        self.last = after
        self.entries = 0
        self.poison = 0
        self.oldest_ms: int | None = None
        self.records: list[Outgoing] = []
        self._bytes = 0

    @property
    def has_room(self) -> bool:
        return self.entries < MAX_ENTRIES and self._bytes < MAX_BYTES

    def add(self, pool: PoolId, page: Sequence[OutboxEntry]) -> None:
        """Append what follows. An entry that can't be made into records becomes a dead letter."""
        for entry in page:
            try:
                records = list(records_of(pool, entry))
            except Exception as exc:
                LOG.exception("an outbox entry can't go to the bus", extra={"event": "relay.poison", "pool": pool})
                records = [poison_letter(pool, entry, f"{type(exc).__name__}: {exc}")]
                self.poison += 1
            self.records += records
            self._bytes += sum(len(record.value or b"") for record in records)
        if page:
            self.last = page[-1].number
            self.entries += len(page)
            self.oldest_ms = page[0].at_ms if self.oldest_ms is None else self.oldest_ms


class OutboxReader:
    """Reads one pool's outbox. Raises ``StoreUnavailable``."""

    def __init__(self, pool: PoolId, outbox: Outbox) -> None:
        self._pool = pool
        self._outbox = outbox

    async def read(self, after: int) -> Batch:
        """What follows that number; waits up to a second for the first entry. Empty when there is none."""
        batch = Batch(after)
        page = await self._outbox.pending(self._pool, after, limit=PAGE, wait_ms=_WAIT_MS)
        batch.add(self._pool, page)
        if len(page) == PAGE:
            await self.fill(batch)
        return batch

    async def fill(self, batch: Batch) -> None:
        """Add what is there by now, within the bounds of a batch."""
        while batch.has_room:
            page = await self._outbox.pending(self._pool, batch.last, limit=PAGE)
            batch.add(self._pool, page)
            if len(page) < PAGE:
                return
