"""Makes a ledger whole again whose server began a new life: what the deliveries tell is written down anew."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from router.contract.codec import Decoder
from router.contract.errors import Undecodable
from router.contract.ids import ReplyId
from router.contract.messages import Delivery
from router.contract.topics import DELIVERIES, REPLIES
from router.runtime.bus.protocol import Bus, Record
from router.runtime.clock import Clock
from router.runtime.errors import BusUnavailable, LedgerUnsettled, StoreUnavailable
from router.runtime.ledger import LedgerEntry, LedgerLives, LedgerOver, LedgerStanding, LivedLedger, final_entry

LOG = logging.getLogger(__name__)

CLOCKS_MS: Final = 5_000
"""How far the clocks of two processes may be apart before one of them is refused (design section 5)."""
MARGIN_MS: Final = 3 * 3_600_000
"""How far the clocks of servers may be apart, as after a failover to a machine that is hours off: so far back is read
before the last claim that the ledger knows of, and for the newest reply."""
_LOOK_MS: Final = 2_000
_BATCH: Final = 200
_SAID_EVERY: Final = 10_000
_DECODER: Final = Decoder(Delivery)


class SettlingLedger(LedgerOver):
    """The ledger for whoever sends. ``run`` it, and it is settled soon after each new life began; a claim that comes
    before that settles it, too. This may take a minute for each million of deliveries, in which nothing can be claimed.
    Several processes may do so at once: they write the same, and the first to be ready vouches.

    ``loses_nothing``: the server has on disk what it has confirmed, and the bus lies in it, too. Then a new life is one
    of the same ledger, and nothing is in doubt. ``settled`` is called after each time.
    """

    def __init__(
        self,
        ledger: LivedLedger,
        bus: Bus,
        *,
        clock: Clock,
        loses_nothing: bool = False,
        settled: Callable[[], object] = lambda: None,
    ) -> None:
        super().__init__(ledger)
        self._lives: LedgerLives = ledger
        self._bus = bus
        self._clock = clock
        self._loses_nothing = loses_nothing
        self._settled = settled
        self._settling = asyncio.Lock()

    async def claim(
        self, reply: ReplyId, *, attempt: str, now_ms: int, published_at_ms: int | None = None
    ) -> LedgerEntry | None:
        while True:
            try:
                return await super().claim(reply, attempt=attempt, now_ms=now_ms, published_at_ms=published_at_ms)
            except LedgerUnsettled:
                await self._settle_anew()

    async def run(self) -> None:
        """Look again and again whether the ledger is settled, until cancelled. The sooner it is, the less is in
        doubt."""
        while True:
            try:
                await self._settle_anew()
            except StoreUnavailable as exc:
                LOG.info("the ledger of replies can't be looked at: %s", exc, extra={"event": "ledger.away"})
            await self._clock.sleep_until_ms(self._clock.now_ms() + _LOOK_MS)

    # -- after a loss

    async def _settle_anew(self) -> None:
        """Raises ``StoreUnavailable``, also when the bus doesn't answer: nothing can be claimed then."""
        async with self._settling:
            standing = await self._lives.standing()
            if standing.is_settled:
                return
            written, doubt_before_ms = (0, 0) if self._loses_nothing else await self._read(standing)
            if await self._lives.vouch(standing.life, doubt_before_ms=doubt_before_ms):
                self._settled()
                said = {"event": "ledger.settled", "deliveries": written}
                level = logging.WARNING if written else logging.INFO  # every first start is a new life, too
                LOG.log(level, "the ledger of replies began a new life: %s deliveries read", written, extra=said)

    async def _read(self, standing: LedgerStanding) -> tuple[int, int]:
        """How many outcomes were written down, and from when on nobody can have begun a reply before the loss."""
        try:
            return await self._write_down(standing), await self._newest_reply_ms() + 1
        except BusUnavailable as exc:
            raise LedgerUnsettled("the bus that tells what was delivered doesn't answer") from exc

    async def _write_down(self, standing: LedgerStanding) -> int:
        """The outcomes that the lost lines may have held; how many."""
        batch: list[Record] = []
        count = 0
        async for record in self._bus.history(DELIVERIES, since_ms=max(0, standing.written_at_ms - MARGIN_MS)):
            batch.append(record)
            if len(batch) == _BATCH:
                count += await self._write(batch)
                batch.clear()
                if count % _SAID_EVERY < _BATCH:
                    LOG.info("%s deliveries read", count, extra={"event": "ledger.progress", "deliveries": count})
        return count + await self._write(batch)

    async def _newest_reply_ms(self) -> int:
        """When the newest reply came to the bus, by the bus's clock; some hours ago when it was longer ago than that.
        In this life of the server nothing was claimed by now, so what comes later was begun by nobody."""
        newest_ms = max(0, self._clock.now_ms() - MARGIN_MS)
        async for record in self._bus.history(REPLIES, since_ms=newest_ms):
            newest_ms = max(newest_ms, record.published_at_ms)
        return newest_ms

    async def _write(self, records: list[Record]) -> int:
        found = [delivery for record in records if (delivery := _delivery(record)) is not None]
        await asyncio.gather(*(self.settle(delivery.reply, _line(delivery)) for delivery in found))
        return len(found)


def _line(delivery: Delivery) -> LedgerEntry:
    return final_entry(
        delivery.state,
        delivery.at_ms,
        provider_message_id=delivery.provider_message_id,
        reason=delivery.reason,
    )


def _delivery(record: Record) -> Delivery | None:
    """None for what can't be read: the router puts it to the dead letters, and its reply stays in doubt."""
    try:
        return _DECODER.decode(record.value, Delivery)
    except Undecodable:
        return None
