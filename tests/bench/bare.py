"""The bare loop: read a batch, decode it, apply its acts in one pipeline, publish their records, commit. Nothing else.

No lanes, no rules, no decisions, no outbox to read: as fast as this bus and this store go from one process, with the
same acts and records. Each kind of act is one pipeline for the whole batch.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec.structs import replace

from router.contract.codec import Decoder
from router.contract.ids import InquiryId, PoolId
from router.contract.messages import Inquiry
from router.runtime.bus.protocol import Outgoing, Partition, Record, Subscription
from router.service.relaying.records import records_of
from router.store.acts import Accept, AnyAct, Fence, Outcome, Reply, Resolve, Result
from router.store.protocol import OutboxEntry
from tests.bench.ground import Ground, settle, topic_of
from tests.bench.script import Life

_DECODER: Final = Decoder(Inquiry)
_POLL_MS: Final = 200


class BareLoop:
    """One member of a group of its own. ``offered`` tells when each inquiry was, by ``time.monotonic``."""

    def __init__(self, ground: Ground, pool: PoolId, lives: Mapping[InquiryId, Life]) -> None:
        self._ground = ground
        self._pool = pool
        self._lives = lives
        self._fences: dict[Partition, tuple[str, int]] = {}
        self.offered: dict[InquiryId, float] = {}
        self.joined = asyncio.Event()

    async def run(self, group: str, *, batch: int) -> float:
        """Until all lives are lived; the seconds from the first batch read to the last commit."""
        subscription = await self._ground.bus.subscribe(group, [topic_of(self._pool)], self)
        began, left = 0.0, len(self._lives)
        try:
            async with asyncio.timeout(self._ground.scale.longest_s):
                while left:
                    records = await subscription.poll(max_records=batch, timeout_ms=_POLL_MS)
                    if not records:
                        continue
                    began = began or time.monotonic()
                    await self._serve(records)
                    await self._commit(subscription, records)
                    left -= len(records)
            return time.monotonic() - began
        finally:
            await subscription.close()

    async def _serve(self, records: Sequence[Record]) -> None:
        lives = [self._lives[_DECODER.decode(record.value, Inquiry).id] for record in records]
        admits = [replace(life.admit, fence=self._fence(record)) for life, record in zip(lives, records, strict=True)]
        admitted = await self._apply(admits)
        now = time.monotonic()
        self.offered |= {life.admit.inquiry: now for life in lives}
        if lives[0].accept is None:
            return
        holders = [outcome.case.offers[0] for outcome in admitted if outcome.case is not None]
        accepts: list[AnyAct] = []
        replies: list[AnyAct] = []
        resolves: list[AnyAct] = []
        for life, offer in zip(lives, holders, strict=True):
            # Whoever was free: records come in another order than that in which the lives were written.
            assert isinstance(life.accept, Accept)
            assert isinstance(life.reply, Reply)
            assert isinstance(life.resolve, Resolve)
            accepts.append(replace(life.accept, advisor=offer.advisor, offer_ver=offer.ver))
            replies.append(replace(life.reply, advisor=offer.advisor))
            resolves.append(replace(life.resolve, advisor=offer.advisor))
        for acts in (accepts, replies, resolves):
            await self._apply(acts)
        await settle(self._ground.store, self._pool)

    async def _apply(self, acts: Sequence[AnyAct]) -> Sequence[Outcome]:
        outcomes = await self._ground.store.apply(acts)
        records: list[Outgoing] = []
        for act, outcome in zip(acts, outcomes, strict=True):
            assert outcome.result in {Result.OFFERED, Result.ASSIGNED, Result.DONE}, outcome.result
            records.extend(records_of(self._pool, _entry(act, outcome)))
        await self._ground.bus.publish(records)
        return outcomes

    def _fence(self, record: Record) -> Fence:
        name, epoch = self._fences[record.partition]
        return Fence(partition=name, epoch=epoch, offset=record.offset)

    async def _commit(self, subscription: Subscription, records: Sequence[Record]) -> None:
        marks: dict[Partition, tuple[int, int]] = {}
        for record in records:
            marks[record.partition] = (record.epoch, record.offset + 1)
        await subscription.commit(marks)

    # What the bus tells.

    async def assigned(self, partitions: Mapping[Partition, int]) -> None:
        names = {f"{partition.topic}/{partition.number}": partition for partition in partitions}
        epochs = await self._ground.store.take_epochs(self._pool, list(names))
        self._fences = {names[name]: (name, epoch) for name, epoch in epochs.items()}
        self.joined.set()

    async def revoked(self, partitions: frozenset[Partition]) -> None:
        """Everything read was committed before the next poll."""

    async def lost(self, partitions: frozenset[Partition]) -> None:
        """The group has one member: nobody else has them."""


def _entry(act: AnyAct, outcome: Outcome) -> OutboxEntry:
    """What the act has put into the outbox, as its answer tells it."""
    replies = act.replies if hasattr(act, "replies") else (act.reply,) if isinstance(act, Reply) else ()
    return OutboxEntry(
        number=outcome.number,
        gen=act.gen,
        kind=str(type(act).__struct_config__.tag),
        at_ms=act.now_ms,
        outcome=outcome.result,
        actor=act.actor,
        case=outcome.case,
        replies=replies,
    )
