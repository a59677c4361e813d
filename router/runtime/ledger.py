"""The ledger of replies: what was tried and what came of it, so that no reply goes out twice unseen.

A reply is written down as ``sending`` before its provider is called and gets its final state after. Who
finds one in ``sending`` that he did not write knows that it may be out already.

Entries live for 15 days: longer than the replies topic keeps its records, so a reply that is read again,
for whatever reason, is always found.
"""

from collections import Counter
from enum import StrEnum
from typing import Final, Protocol

import msgspec

from router.contract.ids import ReplyId
from router.contract.messages import DeliveryState
from router.runtime.redis import Argument

TTL_MS: Final = 15 * 86_400_000


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

    async def claim(self, reply: ReplyId, *, attempt: str, now_ms: int) -> LedgerEntry | None:
        """Write ``sending`` if nothing is there. None: the reply is this attempt's to send (also when the
        call is repeated); else what is there, untouched."""

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


class Caller(Protocol):
    """The one thing the ledger needs of a Redis client."""

    async def call(self, *args: Argument) -> object: ...


class MemoryLedger:
    """A ledger that ends with the process. Keeps everything: for tests and simulations."""

    def __init__(self) -> None:
        self._entries: dict[ReplyId, LedgerEntry] = {}
        self._attempts: Counter[ReplyId] = Counter()

    async def claim(self, reply: ReplyId, *, attempt: str, now_ms: int) -> LedgerEntry | None:
        sending = LedgerEntry(state=LedgerState.SENDING, at_ms=now_ms, attempt=attempt)
        return _unless_own(self._entries.setdefault(reply, sending), attempt)

    async def release(self, reply: ReplyId, *, attempt: str) -> bool:
        entry = self._entries.get(reply)
        if entry is None or _unless_own(entry, attempt) is not None:
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


# An entry is one string: the state, a line break, then JSON; so a script can tell the state by its start
# and never has to read JSON.
_SETTLE: Final = """
local old = redis.call('GET', KEYS[1])
if old and string.sub(old, 1, 8) ~= 'sending\\n' then return old end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
"""
_RELEASE: Final = """
local old = redis.call('GET', KEYS[1])
if old and string.sub(old, 1, #ARGV[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""
_ATTEMPT: Final = """
local count = redis.call('INCR', KEYS[1])
redis.call('PEXPIRE', KEYS[1], ARGV[1])
return count
"""


class RedisLedger:
    """The ledger in Redis or Valkey: one string a reply, and a number beside it while it is under suspicion; each step
    is one atomic command."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    async def claim(self, reply: ReplyId, *, attempt: str, now_ms: int) -> LedgerEntry | None:
        sending = LedgerEntry(state=LedgerState.SENDING, at_ms=now_ms, attempt=attempt)
        found = await self._client.call("SET", _key(reply), _packed(sending), "NX", "GET", "PX", TTL_MS)
        return None if found is None else _unless_own(_unpacked(found), attempt)

    async def release(self, reply: ReplyId, *, attempt: str) -> bool:
        start = f"{LedgerState.SENDING}\n{attempt}\n"
        return await self._client.call("EVAL", _RELEASE, 1, _key(reply), start) == 1

    async def settle(self, reply: ReplyId, final: LedgerEntry) -> LedgerEntry:
        return _unpacked(await self._client.call("EVAL", _SETTLE, 1, _key(reply), _packed(final), TTL_MS))

    async def find(self, reply: ReplyId) -> LedgerEntry | None:
        found = await self._client.call("GET", _key(reply))
        return None if found is None else _unpacked(found)

    async def attempt(self, reply: ReplyId) -> int:
        count = await self._client.call("EVAL", _ATTEMPT, 1, f"{_key(reply)}:attempts", TTL_MS)
        assert isinstance(count, int)
        return count

    async def survived(self, reply: ReplyId) -> None:
        await self._client.call("DEL", f"{_key(reply)}:attempts")


class _Body(msgspec.Struct, array_like=True):
    at_ms: int
    provider_message_id: str | None
    reason: str


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(_Body)


def _key(reply: ReplyId) -> str:
    return f"turnout:ledger:{reply}"


def _packed(entry: LedgerEntry) -> bytes:
    if "\n" in entry.attempt:
        raise ValueError("an attempt's name has no line breaks")
    body = _Body(entry.at_ms, entry.provider_message_id, entry.reason)
    return f"{entry.state}\n{entry.attempt}\n".encode() + _ENCODER.encode(body)


def _unpacked(packed: object) -> LedgerEntry:
    if not isinstance(packed, bytes):
        raise TypeError(f"the ledger holds strings, not {type(packed).__name__}")
    state, attempt, body = packed.split(b"\n", 2)
    rest = _DECODER.decode(body)
    return LedgerEntry(
        state=LedgerState(state.decode()),
        attempt=attempt.decode(),
        at_ms=rest.at_ms,
        provider_message_id=rest.provider_message_id,
        reason=rest.reason,
    )


def _unless_own(entry: LedgerEntry, attempt: str) -> LedgerEntry | None:
    return None if entry.state is LedgerState.SENDING and entry.attempt == attempt else entry
