"""Replies to accounts that the settings don't name (any more): each ends as failed, with the reason, on its case."""

import asyncio
import contextlib
from collections.abc import Collection
from typing import Final

from router.contract.ids import AccountId
from router.contract.messages import Delivery, Reply
from router.runtime.bus.lanes import Consumer
from router.runtime.bus.protocol import Bus
from router.runtime.clock import Clock
from router.runtime.hosting.reply_account import AccountReplies, Reports, Share
from router.runtime.hosting.reply_sender import ReplySender
from router.runtime.ledger import Ledger
from router.runtime.plugins import SendResult, failed

UNASSIGNED: Final = "unassigned"
GRACE_S: Final = 600.0


def nobodys_share(accounts: Collection[AccountId]) -> Share:
    """What none of these accounts takes, and what can't be decoded, which has none. The accounts of an installation
    are the same in the settings of all its processes, so one group of them all does for it."""
    known = frozenset(accounts)
    return Share(name=UNASSIGNED, group="replies-unassigned", takes=lambda to: to not in known, puts_aside=True)


class UnassignedSender:
    """Says of each reply that it failed, ten minutes after it was written.

    While settings are being changed, process by process, others may have the account still or already. They have
    that long to begin; what they wrote down in the ledger holds, so a reply that went out is never called failed.
    """

    def __init__(self, ledger: Ledger, *, clock: Clock, process: str) -> None:
        self._clock = clock
        self._stopping = asyncio.Event()
        # Nothing can be sent twice here; but one that another left in `sending` may be out.
        self._sender = ReplySender(_Nobody(), ledger, deduplicates=False, clock=clock, process=process)

    async def deliver(self, reply: Reply, *, published_at_ms: int | None = None) -> Delivery | None:
        """As ``ReplySender.deliver``."""
        age_s = (self._clock.now_ms() - reply.created_at_ms) / 1000
        left_s = min(GRACE_S - age_s, GRACE_S)
        if left_s > 0 and await self._clock.wait(self._stopping, left_s):
            return None
        return await self._sender.deliver(reply, published_at_ms=published_at_ms)

    def stop(self) -> None:
        self._stopping.set()
        self._sender.stop()

    async def close(self, within_s: float) -> None:
        """As ``ReplySender.close``."""
        self.stop()
        await self._sender.close(within_s)


class UnassignedReplies:
    """The share of nobody at work. ``run`` it; ``stop`` ends it."""

    def __init__(
        self, bus: Bus, ledger: Ledger, *, accounts: Collection[AccountId], reports: Reports, clock: Clock, process: str
    ) -> None:
        self._sender = UnassignedSender(ledger, clock=clock, process=process)
        self._replies = AccountReplies(bus, self._sender, share=nobodys_share(accounts), reports=reports, clock=clock)
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def consumer(self) -> Consumer:
        return self._replies.consumer

    async def run(self) -> None:
        """Until stopped."""
        self._idle.clear()
        try:
            await self._replies.run()
        finally:
            self._idle.set()

    async def stop(self, within_s: float) -> None:
        """Begin nothing any more. Repeating it does nothing."""
        self._replies.stop(within_s)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self._idle.wait()
        await self._sender.close(0.1)


class _Nobody:
    """Stands in for the channel that isn't there."""

    async def send(self, reply: Reply) -> SendResult:
        return failed(f"no account {reply.to.account} is in the settings any more: nothing was sent")
