"""Brings notices to their target: tried until they have an outcome, for a bounded time, remembered in the ledger."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from router.contract.ids import NoticeId, ReplyId
from router.contract.messages import DeliveryState, Notice
from router.runtime.clock import Clock
from router.runtime.errors import RuntimeFailure, SendLater, StoreUnavailable
from router.runtime.hosting.notice_gathering import Held, StoppedFirst
from router.runtime.hosting.notice_metrics import NoticeMetrics, NoticeOutcome
from router.runtime.hosting.reply_sender import SendPolicy
from router.runtime.hosting.suspects import KeepsKilling, Suspects
from router.runtime.ledger import Ledger, LedgerEntry, LedgerState, final_entry
from router.runtime.notifiers import Bulletin, OpenNotifier, bulletin
from router.runtime.plugins import SendResult, failed

LOG = logging.getLogger(__name__)

PROMPT: Final = SendPolicy(send_s=15.0, first_wait_s=1.0, longest_wait_s=60.0, give_up_s=3600.0)
"""An hour late, a notice says nothing that staff don't see elsewhere."""

# However old it is when it is first seen (Turnout was away for a day), a notice gets as many tries.
_LEAST_TRIES: Final = 5
_AT_ONCE_A_TARGET: Final = 8
_OUTCOMES: Final = {
    DeliveryState.SENT: NoticeOutcome.SENT,
    DeliveryState.FAILED: NoticeOutcome.FAILED,
    DeliveryState.UNKNOWN: NoticeOutcome.UNKNOWN,
}


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

    def stop(self) -> None:
        """Try nothing again from now on; a try that is out may end."""
        self._stopping.set()

    async def found(self, notice: Notice) -> LedgerEntry | None:
        """What is written down of it, by whomever; None also for a ledger that is away. Nothing is claimed yet: what
        is only held must not look as if a process had died over it."""
        try:
            return await self._ledger.find(_line(notice.id))
        except StoreUnavailable:
            return None

    def dead_ones_message(self, entry: LedgerEntry | None) -> str:
        """The message that another process left half sent with this notice; empty if none did."""
        if entry is None or entry.is_final or self._is_own(entry):
            return ""
        return entry.attempt.rpartition("|")[2] or "?"

    async def bring(self, held: Sequence[Held]) -> None:
        """Send one message of these, all for one place, and tell each what became of it."""
        left = list(held)
        try:
            await self._bring(left)
        except BaseException as exc:
            # Cut off by a stop, or a bug: whoever comes next reads them again.
            for each in left:
                each.fails(StoppedFirst(f"notice {each.notice.id} has no outcome yet: {exc!r}"))
            raise

    async def _bring(self, left: list[Held]) -> None:
        tries, is_unsure = 0, False
        while not self._stopping.is_set():
            left[:] = await self._claimed(left)
            if not left:
                return
            tries += 1
            is_unsure = is_unsure or any(each.is_suspect for each in left)
            told = bulletin([each.notice for each in left], again=is_unsure)
            try:
                is_suspect = tries == 1 and any(each.is_suspect for each in left)
                result = await self._try(told, left[0].place.message, is_suspect=is_suspect)
            except KeepsKilling as exc:
                if len(left) > 1:
                    await self._one_by_one(left)
                    return
                result = failed(str(exc))
            except SendLater as exc:
                is_unsure = is_unsure or exc.may_have_arrived
                if not self._is_too_late(told.first, tries):
                    self._metrics.put_off.inc()
                    await self._clock.wait(self._stopping, self._policy.wait_s(tries, exc.after_s))
                    continue
                result = failed(f"no success for too long: {exc.reason}")
            await self._end(left, told, result)
            return
        raise StoppedFirst("the service stops")

    async def _one_by_one(self, left: list[Held]) -> None:
        """One of them may be what kills; alone, each has its own count."""
        for each in left:
            each.is_suspect = True
            await self.bring([each])

    def _is_too_late(self, notice: Notice, tries: int) -> bool:
        since_ms = max(notice.at_ms, notice.not_before_ms or 0)
        age_s = (self._clock.now_ms() - since_ms) / 1000
        return tries >= _LEAST_TRIES and age_s >= self._policy.give_up_s

    # -- one try

    async def _try(self, told: Bulletin, message: str, *, is_suspect: bool) -> SendResult:
        if not is_suspect:
            return await self._send_in_turn(told)
        try:
            if (went := await self._went(message)) is not None:
                return went
            # Before a place at the target is taken: those that wait here hold up no others.
            async with self._suspects.counted(_line(told.id)):
                return await self._send_in_turn(told)
        except StoreUnavailable:
            raise SendLater("the try can't be counted") from None

    async def _send_in_turn(self, told: Bulletin) -> SendResult:
        async with self._slots[told.target]:
            if self._stopping.is_set():
                raise StoppedFirst(f"{told.id} had no turn")
            return await self._send(told)

    async def _send(self, told: Bulletin) -> SendResult:
        """One try. A target drops repeats by the id, so whatever leaves the outcome open is worth another."""
        try:
            async with asyncio.timeout(self._policy.send_s):
                result = await self._routes[told.target].send(told)
        except SendLater:
            raise
        except TimeoutError:
            raise SendLater("the target didn't answer in time", may_have_arrived=True) from None
        except Exception:
            LOG.exception("sending %s failed", told.id, extra={"event": "notice.error", "notice": told.id})
            raise SendLater("the notifier failed while it was sending", may_have_arrived=True) from None
        if result.state is DeliveryState.SENT:
            self._metrics.messages.inc()
        return result

    # -- the ledger

    async def _went(self, message: str) -> SendResult | None:
        """How a message of several ended whose process died while it wrote that down, notice by notice; None if it may
        not have gone out. Raises ``StoreUnavailable``."""
        entry = await self._ledger.find(_line(NoticeId(message))) if message else None
        if entry is None or not entry.is_final:
            return None
        return SendResult(state=DeliveryState(entry.state.value), reason=entry.reason)

    async def _claimed(self, held: Sequence[Held]) -> list[Held]:
        """Those that have no outcome: ours to send from now on. The others are told theirs."""
        attempt = f"{self._process}|{bulletin([each.notice for each in held]).id}"
        entries = await asyncio.gather(*(self._claim(each.notice.id, attempt) for each in held))
        left = []
        for each, entry in zip(held, entries, strict=True):
            if not end_as_written(each, entry):
                each.is_suspect = each.is_suspect or (entry is not None and not self._is_own(entry))
                left.append(each)
        return left

    async def _claim(self, notice: NoticeId, attempt: str) -> LedgerEntry | None:
        try:
            return await self._ledger.claim(_line(notice), attempt=attempt, now_ms=self._clock.now_ms())
        except StoreUnavailable:
            # One too many does less harm than one that comes too late.
            return None

    def _is_own(self, entry: LedgerEntry) -> bool:
        return entry.attempt.startswith(f"{self._process}|")

    async def _end(self, held: Sequence[Held], told: Bulletin, result: SendResult) -> None:
        """Write down what became of them, the message first, and tell each."""
        final = final_entry(
            result.state,
            self._clock.now_ms(),
            provider_message_id=result.provider_message_id,
            reason=result.reason,
        )
        if len(held) > 1 and result.state is not DeliveryState.FAILED:
            await self._settle(told.id, final)
        await asyncio.gather(*(self._settle(each.notice.id, final) for each in held))
        for each in held:
            if result.state is DeliveryState.FAILED:
                each.fails(NoticeFailed(result.reason))
            else:
                each.ends(_OUTCOMES[result.state])

    async def _settle(self, notice: NoticeId, final: LedgerEntry) -> None:
        try:
            await self._ledger.settle(_line(notice), final)
        except StoreUnavailable:
            LOG.warning(
                "the outcome of %s isn't written: a redelivery would repeat it",
                notice,
                extra={"event": "notice.unwritten", "notice": notice},
            )


def end_as_written(held: Held, entry: LedgerEntry | None) -> bool:
    """Tell a notice the outcome that the ledger has; False if it has none."""
    if entry is None or not entry.is_final:
        return False
    if entry.state is LedgerState.FAILED:
        # The dead letters may lack it: the process may have ended before it got there.
        held.fails(NoticeFailed(entry.reason))
    else:
        held.ends(NoticeOutcome.REPEATED)
    return True


def _line(notice: NoticeId) -> ReplyId:
    """The place of a notice, or of a message of several, in the ledger, apart from those of replies."""
    return ReplyId(f"notice-{notice}")
