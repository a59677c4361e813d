"""Sends the replies of one channel: at least once to a provider that drops repeats, else once or unknown."""

import asyncio
import logging
from typing import Final, NamedTuple, Protocol

from router.contract.ids import ReplyId
from router.contract.messages import Delivery, DeliveryState, Reply
from router.runtime.clock import Clock
from router.runtime.errors import SendLater, StoreUnavailable
from router.runtime.hosting.suspects import KeepsKilling, Suspects
from router.runtime.ledger import Ledger, LedgerEntry, final_entry
from router.runtime.plugins import SendResult, failed, unknown

LOG = logging.getLogger(__name__)

_STORE_RETRY_S: Final = 0.5
# More than are ever read at once; the oldest goes, and would be taken for another's.
_UNSENT_KEPT: Final = 5_000


class SendPolicy(NamedTuple):
    """How patient sending is. ``send_s`` bounds one try; ``give_up_s`` the whole, from the first try on."""

    send_s: float = 30.0
    first_wait_s: float = 1.0
    longest_wait_s: float = 300.0
    give_up_s: float = 4 * 3600.0

    def wait_s(self, tries: int, wish_s: float | None) -> float:
        """The pause after so many tries; never shorter than the provider wishes, within bounds."""
        own_s = self.first_wait_s * 2.0 ** min(tries - 1, 20)
        return min(self.longest_wait_s, max(own_s, wish_s or 0.0))


PATIENT: Final = SendPolicy()


class Sending(Protocol):
    """The one thing the sender needs of an open channel."""

    async def send(self, reply: Reply) -> SendResult: ...


class _Open(SendLater):
    """A try whose outcome is open, worth another since the provider drops repeats."""


class ReplySender:
    """One per channel and process. ``process`` is a name that no other process, nor this one before its
    restart, has. ``suspects`` is shared by all senders of a process; a reply that has ended as many processes as that
    lets it ends as unknown."""

    def __init__(  # noqa: PLR0913 - one keyword for each thing it works with
        self,
        channel: Sending,
        ledger: Ledger,
        *,
        deduplicates: bool,
        clock: Clock,
        process: str,
        policy: SendPolicy = PATIENT,
        suspects: Suspects | None = None,
    ) -> None:
        self._suspects = suspects or Suspects(ledger)
        self._channel = channel
        self._ledger = ledger
        self._deduplicates = deduplicates
        self._clock = clock
        self._process = process
        self._policy = policy
        self._stopping = asyncio.Event()
        self._under_way: dict[ReplyId, asyncio.Task[Delivery | None]] = {}
        self._attempts = 0
        self._unsent: dict[ReplyId, str] = {}

    def stop(self) -> None:
        """Try nothing again from now on; a try that is out may end."""
        self._stopping.set()

    async def close(self, within_s: float) -> None:
        """Stop, and let the tries that are out end; one that is cut off stays ``sending`` in the ledger."""
        self.stop()
        if self._under_way:
            await asyncio.wait(self._under_way.values(), timeout=within_s)
        tasks = tuple(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def deliver(self, reply: Reply, *, published_at_ms: int | None = None) -> Delivery | None:
        """What became of the reply, once that is final; None when the stop came first: it will be read
        again. A repeat while the first is under way shares its outcome; a later one gets the recorded one.

        ``published_at_ms``: when it came to the bus, unless nobody but this process can have had it since. Where the
        ledger was lost later than that, the reply counts as one that another left in ``sending``.

        Raises ``StoreUnavailable`` only before anything was sent.
        """
        task = self._under_way.get(reply.id)
        if task is None:
            attempt = self._attempt(reply.id)
            work = self._deliver(reply, attempt, published_at_ms)
            task = self._under_way[reply.id] = asyncio.create_task(work, name=f"reply-{reply.id}")
            task.add_done_callback(lambda done: self._ended(reply.id, attempt, done))
        # A reader that goes away (a hand-over) must not cut a request that the provider may have taken.
        return await asyncio.shield(task)

    def _attempt(self, reply: ReplyId) -> str:
        """A name for the ledger. One under which nothing went out is used again: the line that a claim without an
        answer may have left is known as our own by it."""
        if (unsent := self._unsent.pop(reply, None)) is not None:
            return unsent
        self._attempts += 1
        return f"{self._process}.{self._attempts}"

    def _ended(self, reply: ReplyId, attempt: str, task: "asyncio.Task[Delivery | None]") -> None:
        self._under_way.pop(reply, None)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, StoreUnavailable):
            self._unsent[reply] = attempt
            if len(self._unsent) > _UNSENT_KEPT:
                forgotten = next(iter(self._unsent))
                del self._unsent[forgotten]
                LOG.warning(
                    "too many are unsent to know %s again", forgotten, extra={"event": "reply.unsent_forgotten"}
                )
        # Its reader may be gone; one that is there gets the error too.
        LOG.warning("%s is put back: %s", reply, error, extra={"event": "reply.put_back"})

    async def _deliver(self, reply: Reply, attempt: str, published_at_ms: int | None) -> Delivery | None:
        began_s = self._clock.monotonic()
        tries, is_open = 0, False
        while not self._stopping.is_set():
            # What was put off is in our hands: a loss since then casts no doubt on it.
            came_at_ms = None if tries else published_at_ms
            found = await self._ledger.claim(
                reply.id, attempt=attempt, now_ms=self._clock.now_ms(), published_at_ms=came_at_ms
            )
            if found is not None and found.is_final:
                return _delivery(reply, found)
            if found is not None and not self._deduplicates:
                return await self._abandoned(reply, found)
            tries += 1
            try:
                # Another's `sending` may be what a crash has left: after one try we know that this is none of ours.
                result = await self._try(reply, is_suspect=found is not None and tries == 1)
            except SendLater as exc:
                is_open = is_open or isinstance(exc, _Open)
                if self._clock.monotonic() - began_s < self._policy.give_up_s:
                    await self._put_off(reply, attempt, self._policy.wait_s(tries, exc.after_s))
                    continue
                say = unknown if is_open else failed
                result = say(f"no success for too long: {exc.reason}")
            return _delivery(reply, await self._settle(reply, result))
        return None

    async def _try(self, reply: Reply, *, is_suspect: bool) -> SendResult:
        if not is_suspect:
            return await self._send(reply)
        try:
            async with self._suspects.counted(reply.id):
                return await self._send(reply)
        except KeepsKilling as exc:
            return unknown(f"{exc}; the message may have arrived")

    async def _send(self, reply: Reply) -> SendResult:
        """One try. Whatever leaves the outcome open is worth another only if the provider drops repeats."""
        try:
            async with asyncio.timeout(self._policy.send_s):
                return await self._channel.send(reply)
        except SendLater:
            raise
        except TimeoutError:
            reason = "the provider didn't answer in time"
        except Exception:
            LOG.exception("sending %s failed", reply.id, extra={"event": "reply.error", "reply": reply.id})
            reason = "the channel failed while it was sending"
        if self._deduplicates:
            raise _Open(reason)
        return unknown(reason)

    async def _put_off(self, reply: Reply, attempt: str, wait_s: float) -> None:
        if not self._deduplicates:
            # Nothing went out: whoever finds it next, after a crash too, may send it.
            await self._ledger.release(reply.id, attempt=attempt)
        await self._clock.wait(self._stopping, wait_s)

    async def _abandoned(self, reply: Reply, found: LedgerEntry) -> Delivery | None:
        """Somebody wrote ``sending`` and the provider can't tell repeats: wait as long as he may still be
        at it, then say that nobody knows."""
        until_ms = found.at_ms + int(self._policy.send_s * 1000) + 5000
        left_s = (until_ms - self._clock.now_ms()) / 1000
        if left_s > 0 and await self._clock.wait(self._stopping, left_s):
            return None
        now = await self._ledger.find(reply.id)
        if now is not None and now.is_final:
            return _delivery(reply, now)
        result = unknown("the process ended while it was sending; the message may have arrived")
        return _delivery(reply, await self._settle(reply, result))

    async def _settle(self, reply: Reply, result: SendResult) -> LedgerEntry:
        # The provider has spoken: a store that is away for a while must not turn that into "unknown".
        final = final_entry(
            result.state,
            self._clock.now_ms(),
            provider_message_id=result.provider_message_id,
            reason=result.reason,
        )
        while True:
            try:
                return await self._ledger.settle(reply.id, final)
            except StoreUnavailable:
                LOG.warning("the outcome of %s can't be written yet", reply.id, extra={"event": "reply.unwritten"})
                await self._clock.wait(asyncio.Event(), _STORE_RETRY_S)


def _delivery(reply: Reply, final: LedgerEntry) -> Delivery:
    return Delivery(
        reply=reply.id,
        pool=reply.pool,
        case=reply.case,
        account=reply.to.account,
        conversation=reply.conversation,
        state=DeliveryState(final.state.value),
        at_ms=final.at_ms,
        provider_message_id=final.provider_message_id,
        reason=final.reason,
    )
