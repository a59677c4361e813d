"""The ledger of replies: what was tried and what came of it, so that no reply goes out twice unseen.

A reply is written down as ``sending`` before its provider is called and gets its final state after. Who
finds one in ``sending`` that he did not write knows that it may be out already.

Entries live for 15 days: longer than the replies topic keeps its records, so a reply that is read again,
for whatever reason, is always found.

A server that comes back may hold less than what was written. So each run of it is a life of its own, in which
nothing can be claimed before somebody has written down again what the deliveries tell, and has vouched for it
(``ledger_settling``). A reply from before that, of which there is no line, may be out: it counts as ``sending``.
"""

from collections import Counter
from enum import StrEnum
from typing import Final, Protocol

import msgspec

from router.contract.ids import ReplyId
from router.contract.messages import DeliveryState
from router.runtime.errors import LedgerUnsettled

TTL_MS: Final = 15 * 86_400_000
NOBODY: Final = ""
"""The attempt of a ``sending`` that stands for a line which may have been lost."""


class LedgerState(StrEnum):
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"


class LedgerEntry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the ledger. ``attempt`` names the process and try that wrote ``sending``."""

    state: LedgerState
    at_ms: int
    attempt: str = ""
    provider_message_id: str | None = None
    reason: str = ""

    @property
    def is_final(self) -> bool:
        return self.state is not LedgerState.SENDING


def final_entry(
    state: DeliveryState, at_ms: int, *, provider_message_id: str | None = None, reason: str = ""
) -> LedgerEntry:
    """The line for an outcome."""
    return LedgerEntry(
        state=LedgerState(state.value),
        at_ms=at_ms,
        provider_message_id=provider_message_id,
        reason=reason,
    )


class Ledger(Protocol):
    """Every method raises ``StoreUnavailable`` when the store doesn't answer: repeat it then."""

    async def claim(
        self, reply: ReplyId, *, attempt: str, now_ms: int, published_at_ms: int | None = None
    ) -> LedgerEntry | None:
        """Write ``sending`` if nothing is there. None: the reply is this attempt's to send (also when the
        call is repeated); else what is there, untouched.

        ``published_at_ms``: when the reply came to the bus, unless the caller knows that nobody else can have had
        it. From before a loss, it is written down as ``sending`` by nobody that is known, and that is returned.
        Raises ``LedgerUnsettled`` in a life of the server for which nobody has vouched yet."""

    async def release(self, reply: ReplyId, *, attempt: str) -> bool:
        """Take back this attempt's ``sending``: it is certain that nothing went out. False if it wasn't
        this attempt's any more."""

    async def settle(self, reply: ReplyId, final: LedgerEntry) -> LedgerEntry:
        """Write a final state, unless there is one: the first stands for ever. Returns the one that
        stands. Also how the ledger is rebuilt from deliveries."""

    async def find(self, reply: ReplyId) -> LedgerEntry | None:
        """What is there."""

    async def attempt(self, reply: ReplyId) -> int:
        """Count, before it is made, a try of a reply that another process left in ``sending``: how many processes
        have ended over it, as far as is known, that one included."""

    async def survived(self, reply: ReplyId) -> None:
        """The process lives on: no try has ended one. Repeating it does nothing."""


class LedgerStanding(msgspec.Struct, frozen=True, kw_only=True):
    """What the server that answers holds of the ledger. ``life`` names this run of it; ``written_at_ms`` is when a
    reply was last claimed, by the server's own clock (0: never): all that was settled before is there."""

    life: str
    is_settled: bool
    written_at_ms: int = 0


class LedgerLives(Protocol):
    """Raises ``StoreUnavailable`` when the store doesn't answer: repeat it then."""

    async def standing(self) -> LedgerStanding:
        """Where the ledger stands now."""

    async def vouch(self, life: str, *, doubt_before_ms: int) -> bool:
        """Let claims go on: what the bus knows has been written down. What was published before that moment and has no
        line may be out. False, and nothing changes, when somebody has vouched already or another life has begun."""


class LivedLedger(Ledger, LedgerLives, Protocol):
    """A ledger with its lives: what ``SettlingLedger`` makes whole."""


class LedgerOver:
    """Passes everything on to another ledger: what comes between overrides what it wants to see."""

    def __init__(self, under: Ledger) -> None:
        self._under = under

    async def claim(
        self, reply: ReplyId, *, attempt: str, now_ms: int, published_at_ms: int | None = None
    ) -> LedgerEntry | None:
        return await self._under.claim(reply, attempt=attempt, now_ms=now_ms, published_at_ms=published_at_ms)

    async def release(self, reply: ReplyId, *, attempt: str) -> bool:
        return await self._under.release(reply, attempt=attempt)

    async def settle(self, reply: ReplyId, final: LedgerEntry) -> LedgerEntry:
        return await self._under.settle(reply, final)

    async def find(self, reply: ReplyId) -> LedgerEntry | None:
        return await self._under.find(reply)

    async def attempt(self, reply: ReplyId) -> int:
        return await self._under.attempt(reply)

    async def survived(self, reply: ReplyId) -> None:
        await self._under.survived(reply)


class MemoryLedger:
    """A ledger that ends with the process, and whole from its beginning. Keeps everything: for tests and
    simulations."""

    def __init__(self) -> None:
        self._entries: dict[ReplyId, LedgerEntry] = {}
        self._attempts: Counter[ReplyId] = Counter()
        self._life = 1
        self._vouched = 1
        self._doubt_before_ms = 0
        self._written_at_ms = 0

    def lose(self, *, keeping: int = 0) -> None:
        """Begin a new life with no more than that many of the oldest lines."""
        self._entries = dict(list(self._entries.items())[:keeping])
        self._attempts.clear()
        self._life += 1
        self._written_at_ms = max((entry.at_ms for entry in self._entries.values()), default=0)

    async def claim(
        self, reply: ReplyId, *, attempt: str, now_ms: int, published_at_ms: int | None = None
    ) -> LedgerEntry | None:
        if self._vouched != self._life:
            raise LedgerUnsettled("nobody has vouched for the ledger in this life")
        is_doubted = published_at_ms is not None and published_at_ms < self._doubt_before_ms
        whose = NOBODY if is_doubted else attempt
        sending = LedgerEntry(state=LedgerState.SENDING, at_ms=now_ms, attempt=whose)
        self._written_at_ms = now_ms
        return unless_own(self._entries.setdefault(reply, sending), attempt)

    async def release(self, reply: ReplyId, *, attempt: str) -> bool:
        entry = self._entries.get(reply)
        if entry is None or unless_own(entry, attempt) is not None:
            return False
        del self._entries[reply]
        return True

    async def settle(self, reply: ReplyId, final: LedgerEntry) -> LedgerEntry:
        entry = self._entries.get(reply)
        if entry is None or not entry.is_final:
            self._entries[reply] = entry = final
        return entry

    async def find(self, reply: ReplyId) -> LedgerEntry | None:
        return self._entries.get(reply)

    async def attempt(self, reply: ReplyId) -> int:
        self._attempts[reply] += 1
        return self._attempts[reply]

    async def survived(self, reply: ReplyId) -> None:
        del self._attempts[reply]

    async def standing(self) -> LedgerStanding:
        is_settled = self._vouched == self._life
        return LedgerStanding(life=str(self._life), is_settled=is_settled, written_at_ms=self._written_at_ms)

    async def vouch(self, life: str, *, doubt_before_ms: int) -> bool:
        if life != str(self._life) or self._vouched == self._life:
            return False
        self._vouched, self._doubt_before_ms = self._life, max(self._doubt_before_ms, doubt_before_ms)
        return True


def unless_own(entry: LedgerEntry, attempt: str) -> LedgerEntry | None:
    """None for the attempt's own ``sending``."""
    return None if entry.state is LedgerState.SENDING and entry.attempt == attempt else entry
