"""The ledger of replies in Redis or Valkey."""

from typing import Final, Protocol

import msgspec

from router.contract.ids import ReplyId
from router.runtime.errors import LedgerUnsettled
from router.runtime.keys import LedgerKeys
from router.runtime.ledger import NOBODY, TTL_MS, LedgerEntry, LedgerStanding, LedgerState, unless_own
from router.runtime.redis import Argument


class Caller(Protocol):
    """The one thing the ledger needs of a Redis client."""

    async def call(self, *args: Argument) -> object: ...


# The server's life is asked for in every claim: no key can tell a copy that was put back from what it replaced, and
# a client may be connected all along while another server's data takes the place of its own.
_LIFE: Final = """
local told = redis.call('INFO', 'server') .. redis.call('INFO', 'replication')
local life = string.match(told, 'run_id:(%x+)') .. '/' .. string.match(told, 'master_replid:(%x+)')
"""
# An entry is one string: the state, a line break, then JSON; so a script can tell the state by its start
# and never has to read JSON.
_CLAIM: Final = f"""{_LIFE}
local standing = redis.call('HMGET', KEYS[2], 'life', 'doubt_before_ms')
if standing[1] ~= life then return 0 end
local old = redis.call('GET', KEYS[1])
if old then return old end
local published, doubt = tonumber(ARGV[4]), tonumber(standing[2])
local is_doubted = published and published < doubt
local line = is_doubted and ARGV[3] or ARGV[2]
local time = redis.call('TIME')
redis.call('SET', KEYS[1], line, 'PX', ARGV[1])
redis.call('HSET', KEYS[2], 'written_at_ms', string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000)))
return is_doubted and line
"""
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
_STANDING: Final = f"""{_LIFE}
local standing = redis.call('HMGET', KEYS[1], 'life', 'written_at_ms')
return {{life, standing[1] == life and 1 or 0, tonumber(standing[2] or '0')}}
"""
_VOUCH: Final = f"""{_LIFE}
local standing = redis.call('HMGET', KEYS[1], 'life', 'doubt_before_ms')
if ARGV[1] ~= life or standing[1] == life then return 0 end
local doubt = math.max(tonumber(standing[2] or '0'), tonumber(ARGV[2]))
redis.call('HSET', KEYS[1], 'life', life, 'doubt_before_ms', string.format('%.0f', doubt))
return 1
"""
_KEYS: Final = LedgerKeys()


class RedisLedger:
    """One string a reply, and a number beside it while it is under suspicion; each step is one atomic command."""

    def __init__(self, client: Caller) -> None:
        self._client = client

    async def claim(
        self, reply: ReplyId, *, attempt: str, now_ms: int, published_at_ms: int | None = None
    ) -> LedgerEntry | None:
        own, nobodys = (
            _packed(LedgerEntry(state=LedgerState.SENDING, at_ms=now_ms, attempt=whose)) for whose in (attempt, NOBODY)
        )
        published = "" if published_at_ms is None else published_at_ms
        keys = (_KEYS.line(reply), _KEYS.standing)
        found = await self._client.call("EVAL", _CLAIM, len(keys), *keys, TTL_MS, own, nobodys, published)
        if found == 0:
            raise LedgerUnsettled("the ledger of replies has not been compared with the deliveries yet")
        return None if found is None else unless_own(_unpacked(found), attempt)

    async def release(self, reply: ReplyId, *, attempt: str) -> bool:
        start = f"{LedgerState.SENDING}\n{attempt}\n"
        return await self._client.call("EVAL", _RELEASE, 1, _KEYS.line(reply), start) == 1

    async def settle(self, reply: ReplyId, final: LedgerEntry) -> LedgerEntry:
        return _unpacked(await self._client.call("EVAL", _SETTLE, 1, _KEYS.line(reply), _packed(final), TTL_MS))

    async def find(self, reply: ReplyId) -> LedgerEntry | None:
        found = await self._client.call("GET", _KEYS.line(reply))
        return None if found is None else _unpacked(found)

    async def attempt(self, reply: ReplyId) -> int:
        count = await self._client.call("EVAL", _ATTEMPT, 1, _KEYS.attempts(reply), TTL_MS)
        assert isinstance(count, int)
        return count

    async def survived(self, reply: ReplyId) -> None:
        await self._client.call("DEL", _KEYS.attempts(reply))

    async def standing(self) -> LedgerStanding:
        found = await self._client.call("EVAL", _STANDING, 1, _KEYS.standing)
        assert isinstance(found, list)
        life, is_settled, written_at_ms = found
        return LedgerStanding(life=life.decode(), is_settled=is_settled == 1, written_at_ms=written_at_ms)

    async def vouch(self, life: str, *, doubt_before_ms: int) -> bool:
        return await self._client.call("EVAL", _VOUCH, 1, _KEYS.standing, life, doubt_before_ms) == 1


class _Body(msgspec.Struct, array_like=True):
    at_ms: int
    provider_message_id: str | None
    reason: str


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(_Body)


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
