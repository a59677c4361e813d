"""Logs of conversations that customers follow live: bounded, numbered, resumed by cursor.

A log is the truth of what was said to the customer. News only hint at it: whoever follows conversations reads
one stream of news for all of them and then the logs that it names, so a follower costs the server one
blocked read however many conversations he has.

A cursor is the place of an entry: the moment at which its log began, and a dense number in it. A log that
expired or was lost begins at a later moment, so an old cursor is never taken for a place in a new log.
"""

import asyncio
from bisect import bisect_right
from typing import Final, NamedTuple, Protocol

from router.contract.ids import ConversationId
from router.runtime.keys import ChatKeys
from router.runtime.redis import Argument

TTL_MS: Final = 30 * 86_400_000
MAX_BLOCK_S: Final = 5.0
_MAX_CURSOR_CHARS: Final = 40
_NEWS_A_READ: Final = 1000


class Cursor(NamedTuple):
    """The place of an entry; they order as the entries do."""

    began_ms: int
    number: int

    def __str__(self) -> str:
        return f"{self.began_ms}-{self.number}"


START: Final = Cursor(0, 0)
"""Before every entry of every log."""


class ChatEntry(NamedTuple):
    cursor: Cursor
    id: str
    body: bytes


class ChatPage(NamedTuple):
    """``is_restarted``: the cursor's log is gone, and the entries are the first of the present one. Some of
    them may have been read before: their ids tell."""

    entries: tuple[ChatEntry, ...]
    is_restarted: bool = False


class ChatNews(NamedTuple):
    """``has_gap``: more was appended than is named here, in conversations that nobody can name."""

    cursor: Cursor
    conversations: frozenset[ConversationId]
    has_gap: bool = False


class ChatBounds(NamedTuple):
    """Of one log, its entries and their bytes: the oldest go, the newest always stays. Of the news, all."""

    entries: int = 500
    size_bytes: int = 1_048_576
    news: int = 10_000


ORDINARY: Final = ChatBounds()


class ChatLog(Protocol):
    """Every method raises ``StoreUnavailable`` when the store doesn't answer: repeat it then."""

    async def append(self, conversation: ConversationId, id_: str, body: bytes, *, now_ms: int) -> Cursor:
        """Add an entry and tell the news. The same id again, while its entry is kept, adds nothing and
        returns the place of the first."""

    async def read(self, conversation: ConversationId, *, after: Cursor, limit: int = 100) -> ChatPage:
        """The next entries after a place, in order; none if there are none, or no such log."""

    async def news(self, after: Cursor | None, *, within_s: float) -> ChatNews:
        """Which conversations have new entries: waits for some, at most ``MAX_BLOCK_S``. None begins now,
        without waiting: read the logs after that call, and nothing is missed."""


def read_cursor(text: str) -> Cursor:
    """The cursor that was written so; ``START`` for empty text. Raises ``ValueError``."""
    if not text:
        return START
    began, dash, number = text.partition("-")
    if not (dash and text.isascii() and began.isdigit() and number.isdigit() and len(text) <= _MAX_CURSOR_CHARS):
        raise ValueError("not a cursor")
    cursor = Cursor(int(began), int(number))
    if max(cursor) >= 2**63:
        raise ValueError("not a cursor")
    return cursor


class MemoryChatLog:
    """Logs that end with the process. Nothing expires: for tests and simulations."""

    def __init__(self, bounds: ChatBounds = ORDINARY) -> None:
        self._bounds = bounds
        self._logs: dict[ConversationId, list[ChatEntry]] = {}
        self._news: list[tuple[Cursor, ConversationId]] = []
        self._told = asyncio.Event()

    async def append(self, conversation: ConversationId, id_: str, body: bytes, *, now_ms: int) -> Cursor:
        log = self._logs.setdefault(conversation, [])
        for entry in log:
            if entry.id == id_:
                return entry.cursor
        cursor = _next(log[-1].cursor if log else None, now_ms)
        log.append(ChatEntry(cursor, id_, body))
        while len(log) > self._bounds.entries or (len(log) > 1 and _size_bytes(log) > self._bounds.size_bytes):
            del log[0]
        self._news.append((_next(self._news[-1][0] if self._news else None, now_ms), conversation))
        del self._news[: -self._bounds.news]
        self._told.set()
        return cursor

    async def read(self, conversation: ConversationId, *, after: Cursor, limit: int = 100) -> ChatPage:
        log = self._logs.get(conversation, [])
        is_restarted = _is_elsewhere(after, log[-1].cursor if log else START)
        begin = 0 if is_restarted else bisect_right(log, after, key=lambda entry: entry.cursor)
        return ChatPage(tuple(log[begin : begin + limit]), is_restarted)

    async def news(self, after: Cursor | None, *, within_s: float) -> ChatNews:
        if after is None:
            return ChatNews(self._newest(), frozenset())
        try:
            async with asyncio.timeout(min(within_s, MAX_BLOCK_S)):
                while self._newest() == after:
                    self._told.clear()
                    await self._told.wait()
        except TimeoutError:
            return ChatNews(after, frozenset())
        return _told(after, [one for one in self._news if one[0] > after], self._newest())

    def _newest(self) -> Cursor:
        return self._news[-1][0] if self._news else START


class Caller(Protocol):
    """What appends and reads need of a Redis client."""

    async def call(self, *args: Argument) -> object: ...


class Waiter(Protocol):
    """What waiting needs of one: a connection of its own while the server blocks."""

    async def call(self, *args: Argument, wait_s: float = 0.0) -> object: ...


# KEYS: log, marks, news. ARGV: id, body, now, entries, bytes, lifetime, news, conversation. An entry's id in
# the stream is its cursor. Never more than 200 old entries go at once: a bound that is passed by one huge
# entry is kept again some appends later. ``0 - #x``, since Redis 7.0 writes ``-#''`` as "-0", no integer.
_APPEND: Final = """
local known = redis.call('HGET', KEYS[2], 'i' .. ARGV[1])
if known then return known end
local function following(key)
  local last = redis.call('XREVRANGE', key, '+', '-', 'COUNT', 1)
  if #last == 0 then return ARGV[3] .. '-1' end
  local began, number = string.match(last[1][1], '^(%d+)-(%d+)$')
  return began .. '-' .. string.format('%.0f', tonumber(number) + 1)
end
local place = following(KEYS[1])
redis.call('XADD', KEYS[1], place, 'i', ARGV[1], 'b', ARGV[2])
redis.call('HSET', KEYS[2], 'i' .. ARGV[1], place)
local bytes = redis.call('HINCRBY', KEYS[2], 'bytes', #ARGV[2])
local entries = redis.call('XLEN', KEYS[1])
local gone = 0
while gone < 200 and entries > 1 and (entries > tonumber(ARGV[4]) or bytes > tonumber(ARGV[5])) do
  local oldest = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)[1]
  redis.call('XDEL', KEYS[1], oldest[1])
  redis.call('HDEL', KEYS[2], 'i' .. oldest[2][2])
  bytes = redis.call('HINCRBY', KEYS[2], 'bytes', 0 - #oldest[2][4])
  entries = entries - 1
  gone = gone + 1
end
redis.call('PEXPIRE', KEYS[1], ARGV[6])
redis.call('PEXPIRE', KEYS[2], ARGV[6])
redis.call('XADD', KEYS[3], 'MAXLEN', ARGV[7], following(KEYS[3]), 'c', ARGV[8])
return place
"""
# KEYS: a stream. ARGV: cursor, limit. The newest place beside what comes after the cursor: one look, so that
# nothing comes between.
_READ: Final = """
local newest = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
return {#newest > 0 and newest[1][1] or '0-0', redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+', 'COUNT', ARGV[2])}
"""


class RedisChatLog:
    """The logs in Redis or Valkey: two keys a conversation, one stream of news, one atomic step an append."""

    def __init__(self, commands: Caller, waits: Waiter, *, bounds: ChatBounds = ORDINARY) -> None:
        self._commands = commands
        self._waits = waits
        self._keys = ChatKeys()
        self._bounds = bounds

    async def append(self, conversation: ConversationId, id_: str, body: bytes, *, now_ms: int) -> Cursor:
        keys, bounds = self._keys, self._bounds
        names = (keys.log(conversation), keys.marks(conversation), keys.news)
        limits = (bounds.entries, bounds.size_bytes, TTL_MS, bounds.news)
        return _place(await self._commands.call("EVAL", _APPEND, 3, *names, id_, body, now_ms, *limits, conversation))

    async def read(self, conversation: ConversationId, *, after: Cursor, limit: int = 100) -> ChatPage:
        newest, rows = await self._look(self._keys.log(conversation), after, limit)
        if is_restarted := _is_elsewhere(after, newest):
            _, rows = await self._look(self._keys.log(conversation), START, limit)
        entries = tuple(ChatEntry(place, values[1].decode(), values[3]) for place, values in rows)
        return ChatPage(entries, is_restarted)

    async def news(self, after: Cursor | None, *, within_s: float) -> ChatNews:
        if after is None:
            newest, _ = await self._look(self._keys.news, START, 1)
            return ChatNews(newest, frozenset())
        wait_s = min(within_s, MAX_BLOCK_S)
        block = ("BLOCK", max(1, int(wait_s * 1000)), "STREAMS", self._keys.news, str(after))
        found = await self._waits.call("XREAD", "COUNT", _NEWS_A_READ, *block, wait_s=wait_s)
        if isinstance(found, list):
            rows = _rows(found[0][1])
            newest = rows[-1][0]
        else:
            # After a failover the stream may end before our place, where no new entry would wake us.
            newest, rows = await self._look(self._keys.news, after, _NEWS_A_READ)
            newest = rows[-1][0] if rows else newest
        return _told(after, [(place, ConversationId(values[1].decode())) for place, values in rows], newest)

    async def _look(self, key: str, after: Cursor, limit: int) -> tuple[Cursor, list[tuple[Cursor, list[bytes]]]]:
        answer = await self._commands.call("EVAL", _READ, 1, key, str(after), limit)
        if not isinstance(answer, list):
            raise TypeError(f"a log is read as a list, not {type(answer).__name__}")
        newest, rows = answer
        return _place(newest), _rows(rows)


def _rows(answer: object) -> list[tuple[Cursor, list[bytes]]]:
    if not isinstance(answer, list):
        raise TypeError(f"entries are a list, not {type(answer).__name__}")
    return [(_place(place), values) for place, values in answer]


def _place(answer: object) -> Cursor:
    if not isinstance(answer, bytes):
        raise TypeError(f"a place is a string, not {type(answer).__name__}")
    began, _, number = answer.partition(b"-")
    return Cursor(int(began), int(number))


def _next(last: Cursor | None, now_ms: int) -> Cursor:
    return Cursor(now_ms, 1) if last is None else Cursor(last.began_ms, last.number + 1)


def _is_elsewhere(after: Cursor, newest: Cursor) -> bool:
    """Whether the place is in a log that is gone: of another beginning, or beyond the end."""
    return after != START and (after.began_ms != newest.began_ms or after > newest)


def _told(after: Cursor, rows: list[tuple[Cursor, ConversationId]], newest: Cursor) -> ChatNews:
    conversations = frozenset(conversation for _, conversation in rows)
    if not rows:
        return ChatNews(newest, conversations, has_gap=newest != after)
    first = rows[0][0]
    is_next = first.number == 1 if after == START else first == _next(after, 0)
    return ChatNews(newest, conversations, has_gap=not is_next)


def _size_bytes(log: list[ChatEntry]) -> int:
    return sum(len(entry.body) for entry in log)
