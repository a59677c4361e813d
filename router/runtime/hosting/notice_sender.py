"""Brings one notice to its target: tried until it has an outcome, for a bounded time, remembered in the ledger."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from router.contract.ids import ReplyId
from router.contract.messages import DeliveryState, Notice
from router.runtime.clock import Clock
from router.runtime.errors import RuntimeFailure, SendLater, StoreUnavailable
from router.runtime.hosting.notice_metrics import NoticeMetrics, NoticeOutcome
from router.runtime.hosting.reply_sender import SendPolicy
from router.runtime.hosting.suspects import KeepsKilling, Suspects
from router.runtime.ledger import Ledger, LedgerEntry, LedgerState, final_entry
from router.runtime.plugins import OpenNotifier, SendResult, failed

LOG = logging.getLogger(__name__)

PROMPT: Final = SendPolicy(send_s=15.0, first_wait_s=1.0, longest_wait_s=60.0, give_up_s=3600.0)
"""An hour late, a notice says nothing that staff don't see elsewhere."""

# However old it is when it is first seen (Turnout was away for a day), a notice gets as many tries.
_LEAST_TRIES: Final = 5
_AT_ONCE_A_TARGET: Final = 8
_NAMES_KEPT: Final = 1000
_OUTCOMES: Final = {
    DeliveryState.SENT: NoticeOutcome.SENT,
    DeliveryState.FAILED: NoticeOutcome.FAILED,
    DeliveryState.UNKNOWN: NoticeOutcome.UNKNOWN,
}


class StoppedFirst(RuntimeFailure):
    """The service stops before the notice has an outcome. It is read again by whoever comes next."""

    retryable = True


class NoticeFailed(RuntimeFailure):
    """The target will not get this notice: it belongs to the dead letters."""


class NoticeSender:
    """Sends for the targets of one process; ``routes`` has the open notifier of each.

    A notice that has its outcome isn't sent again while the ledger answers. A crash between the target's yes
    and the ledger, or a ledger that is away, repeats it with the same id. ``process`` is a name that no other process
    has; ``suspects`` is shared by all that sends in it.
    """

    def __init__(  # noqa: PLR0913 - one keyword for each thing it works with
        self,
        routes: Mapping[str, OpenNotifier],
        ledger: Ledger,
        *,
        process: str,
        suspects: Suspects,
        clock: Clock,
        metrics: NoticeMetrics,
        policy: SendPolicy = PROMPT,
    ) -> None:
        self._routes = routes
        self._ledger = ledger
        self._process = process
        self._suspects = suspects
        self._clock = clock
        self._metrics = metrics
        self._policy = policy
        self._stopping = asyncio.Event()
        self._slots: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_AT_ONCE_A_TARGET))
        self._unknown: set[str] = set()

    def stop(self) -> None:
        """Try nothing again from now on; a try that is out may end."""
        self._stopping.set()

    async def bring(self, notice: Notice) -> NoticeOutcome:
        """What became of the notice, once that is final. Raises ``NoticeFailed`` with the reason, or
        ``StoppedFirst``."""
        notifier = self._routes.get(notice.target)
        if notifier is None:
            self._say_unknown(notice.target)
            return NoticeOutcome.NO_TARGET
        tries = 0
        while not self._stopping.is_set():
            found = await self._claimed(notice)
            if found is not None and found.is_final:
                return NoticeOutcome.REPEATED
            tries += 1
            try:
                # Another's `sending` may be what a crash has left.
                result = await self._try(notifier, notice, is_suspect=found is not None and tries == 1)
            except KeepsKilling as exc:
                result = failed(str(exc))
            except SendLater as exc:
                if not self._is_too_late(notice, tries):
                    self._metrics.put_off.inc()
                    await self._clock.wait(self._stopping, self._policy.wait_s(tries, exc.after_s))
                    continue
                result = failed(f"no success for too long: {exc.reason}")
            await self._remember(notice, result)
            if result.state is DeliveryState.FAILED:
                raise NoticeFailed(result.reason)
            return _OUTCOMES[result.state]
        raise StoppedFirst(f"notice {notice.id} has no outcome yet")

    def _is_too_late(self, notice: Notice, tries: int) -> bool:
        age_s = (self._clock.now_ms() - notice.at_ms) / 1000
        return tries >= _LEAST_TRIES and age_s >= self._policy.give_up_s

    async def _try(self, notifier: OpenNotifier, notice: Notice, *, is_suspect: bool) -> SendResult:
        if not is_suspect:
            return await self._send_in_turn(notifier, notice)
        try:
            # Before a place at the target is taken: those that wait here hold up no others.
            async with self._suspects.counted(_line(notice)):
                return await self._send_in_turn(notifier, notice)
        except StoreUnavailable:
            raise SendLater("the try can't be counted") from None

    async def _send_in_turn(self, notifier: OpenNotifier, notice: Notice) -> SendResult:
        async with self._slots[notice.target]:
            if self._stopping.is_set():
                raise StoppedFirst(f"notice {notice.id} had no turn")
            return await self._send(notifier, notice)

    async def _send(self, notifier: OpenNotifier, notice: Notice) -> SendResult:
        """One try. A target drops repeats by the id, so whatever leaves the outcome open is worth another."""
        try:
            async with asyncio.timeout(self._policy.send_s):
                return await notifier.send(notice)
        except SendLater:
            raise
        except TimeoutError:
            raise SendLater("the target didn't answer in time") from None
        except Exception:
            LOG.exception("sending %s failed", notice.id, extra={"event": "notice.error", "notice": notice.id})
            raise SendLater("the notifier failed while it was sending") from None

    async def _claimed(self, notice: Notice) -> LedgerEntry | None:
        """What others have written down of it; ours says ``sending`` from now on, unless theirs is there."""
        try:
            found = await self._ledger.claim(_line(notice), attempt=self._process, now_ms=self._clock.now_ms())
        except StoreUnavailable:
            # One too many does less harm than one that comes too late.
            return None
        if found is not None and found.state is LedgerState.FAILED:
            # The dead letters may lack it: the process may have ended before it got there.
            raise NoticeFailed(found.reason)
        return found

    async def _remember(self, notice: Notice, result: SendResult) -> None:
        final = final_entry(
            result.state,
            self._clock.now_ms(),
            provider_message_id=result.provider_message_id,
            reason=result.reason,
        )
        try:
            await self._ledger.settle(_line(notice), final)
        except StoreUnavailable:
            LOG.warning(
                "the outcome of %s isn't written: a redelivery would repeat it",
                notice.id,
                extra={"event": "notice.unwritten", "notice": notice.id},
            )

    def _say_unknown(self, target: str) -> None:
        if target not in self._unknown and len(self._unknown) < _NAMES_KEPT:
            self._unknown.add(target)
            LOG.warning(
                "the rules notify %r, but the settings have no such target: add targets.%s, or take it out of the "
                "ladders",
                target,
                target,
                extra={"event": "notice.no_target", "target": target},
            )


def _line(notice: Notice) -> ReplyId:
    """The notice's place in the ledger, apart from those of replies."""
    return ReplyId(f"notice-{notice.id}")
