"""One channel at work: its adapter, opened, and the senders of its accounts."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, NamedTuple

from router.contract.ids import AccountId
from router.contract.messages import Reply
from router.runtime.bus.lanes import Consumer
from router.runtime.bus.protocol import Bus
from router.runtime.clock import Clock
from router.runtime.errors import SendLater
from router.runtime.hosting.batches import Batches
from router.runtime.hosting.metrics import ChannelMetrics, ReplySetback
from router.runtime.hosting.reply_account import AccountReplies, Reports, share_of
from router.runtime.hosting.reply_sender import ReplySender, SendPolicy
from router.runtime.hosting.suspects import Suspects
from router.runtime.ledger import Ledger
from router.runtime.plugins import Adapter, OpenChannel, SendResult


class Outlet(NamedTuple):
    """What sending needs, the same for all channels of a process."""

    bus: Bus
    ledger: Ledger
    clock: Clock
    process: str
    policy: SendPolicy
    suspects: Suspects


class Channel:
    """Holds one open channel; ``add_accounts``, ``start_sending``, and the rest in the order of a stop."""

    def __init__(
        self,
        adapter: Adapter[Any],
        opened: OpenChannel,
        *,
        outlet: Outlet,
        reports: Batches,
        metrics: ChannelMetrics,
    ) -> None:
        self._opened = opened
        self._outlet = outlet
        self._reports = Reports(reports, channel=adapter.name, metrics=metrics)
        self._sender = ReplySender(
            _Counted(opened, self._reports),
            outlet.ledger,
            deduplicates=adapter.deduplicates,
            clock=outlet.clock,
            process=f"{outlet.process}-{adapter.name}",
            policy=outlet.policy,
            suspects=outlet.suspects,
        )
        self._accounts: list[AccountReplies] = []
        self._ended: list[asyncio.Event] = []

    def add_accounts(self, accounts: Sequence[AccountId]) -> None:
        """Send for these."""
        self._accounts += [
            AccountReplies(
                self._outlet.bus,
                self._sender,
                share=share_of(account),
                reports=self._reports,
                clock=self._outlet.clock,
            )
            for account in accounts
        ]

    def consumers(self) -> dict[str, Consumer]:
        """What reads the replies, by name."""
        return {f"replies {each.share.name}": each.consumer for each in self._accounts}

    def start_sending(self, spawn: Callable[[str, Coroutine[Any, Any, None]], None]) -> None:
        for number, account in enumerate(self._accounts):
            ended = asyncio.Event()
            self._ended.append(ended)
            spawn(f"replies-{number}-{account.share.name}", _until_ended(account, ended))

    def ports(self) -> Mapping[str, int]:
        return self._opened.ports()

    def troubles(self) -> Sequence[str]:
        return self._opened.troubles()

    def polled_at(self) -> float | None:
        """When the account that is furthest behind last polled."""
        polled = [at for account in self._accounts if (at := account.consumer.polled_at) is not None]
        return min(polled, default=None)

    async def stop_intake(self) -> None:
        await self._opened.stop_intake()

    async def stop_sending(self, within_s: float) -> None:
        """Begin no reply any more and let those at the provider end."""
        for account in self._accounts:
            account.stop(within_s)
        waits = [asyncio.ensure_future(ended.wait()) for ended in self._ended]
        if waits:
            await asyncio.wait(waits, timeout=within_s)
            for wait in waits:
                wait.cancel()
        await self._sender.close(0.1)

    async def close(self, within_s: float) -> None:
        await self._opened.close(within_s)


class _Counted:
    """Counts what an open channel puts off."""

    def __init__(self, opened: OpenChannel, reports: Reports) -> None:
        self._opened = opened
        self._reports = reports

    async def send(self, reply: Reply) -> SendResult:
        try:
            return await self._opened.send(reply)
        except SendLater:
            self._reports.setback(ReplySetback.PUT_OFF)
            raise


async def _until_ended(account: AccountReplies, ended: asyncio.Event) -> None:
    try:
        await account.run()
    finally:
        ended.set()
