from collections.abc import AsyncIterator

import pytest

from router.runtime.chat_log import START, TTL_MS, ChatLog, Cursor, MemoryChatLog, RedisChatLog, read_cursor
from router.runtime.errors import StoreUnavailable
from router.runtime.keys import ChatKeys
from router.runtime.redis import Coalescer, Purpose, connect
from tests.servers import Server
from tests.suites.chat_log import BOUNDS, NOW_MS, ONE, ChatLogSuite, fill


class TestMemoryChatLog(ChatLogSuite):
    @pytest.fixture
    def log(self) -> ChatLog:
        return MemoryChatLog(BOUNDS)


class TestRedisChatLog(ChatLogSuite):
    @pytest.fixture
    async def log(self, redis_server: Server) -> AsyncIterator[ChatLog]:
        commands = connect(redis_server.url)
        coalescer = Coalescer(commands)
        waits = connect(redis_server.url, purpose=Purpose.BLOCKING)
        yield RedisChatLog(coalescer, waits, bounds=BOUNDS)
        await coalescer.close()
        for client in (commands, waits):
            await client.close()

    async def test_a_log_expires_after_its_last_entry(self, log: ChatLog, redis_server: Server) -> None:
        client = connect(redis_server.url)
        keys = ChatKeys()
        await fill(log, 1)
        for key in (keys.log(ONE), keys.marks(ONE)):
            await client.call("PEXPIRE", key, 60_000)
        await fill(log, 1, first=2)
        for key in (keys.log(ONE), keys.marks(ONE)):
            left_ms = await client.call("PTTL", key)
            assert isinstance(left_ms, int)
            assert TTL_MS - 60_000 < left_ms <= TTL_MS
        await client.close()

    async def test_marks_are_of_the_entries_that_are_kept(self, log: ChatLog, redis_server: Server) -> None:
        client = connect(redis_server.url)
        await fill(log, 25)
        assert await client.call("HLEN", ChatKeys().marks(ONE)) == 11
        kept_bytes = sum(len(f"body {number}") for number in range(16, 26))
        assert await client.call("HGET", ChatKeys().marks(ONE), "bytes") == str(kept_bytes).encode()
        await client.close()

    async def test_a_log_that_expired_begins_anew_and_says_so(self, log: ChatLog, redis_server: Server) -> None:
        client = connect(redis_server.url)
        old = (await fill(log, 3))[1]
        await client.call("DEL", ChatKeys().log(ONE), ChatKeys().marks(ONE))
        new = await log.append(ONE, "later", b"", now_ms=NOW_MS + 90_000)
        assert new == Cursor(NOW_MS + 90_000, 1)
        page = await log.read(ONE, after=old)
        assert ([entry.id for entry in page.entries], page.is_restarted) == (["later"], True)
        await client.close()


async def test_a_store_that_does_not_answer_is_an_error_that_may_be_repeated(own_server: Server) -> None:
    commands, waits = connect(own_server.url), connect(own_server.url, purpose=Purpose.BLOCKING)
    log = RedisChatLog(commands, waits)
    await fill(log, 1)
    own_server.kill()
    with pytest.raises(StoreUnavailable):
        await fill(log, 1)
    with pytest.raises(StoreUnavailable):
        await log.read(ONE, after=START)
    with pytest.raises(StoreUnavailable):
        await log.news(Cursor(NOW_MS, 1), within_s=0.01)
    for client in (commands, waits):
        await client.close()


@pytest.mark.parametrize(
    ("text", "cursor"), [("", START), ("0-0", START), ("1760000000000-12", Cursor(1_760_000_000_000, 12))]
)
def test_a_cursor_is_read_as_it_was_written(text: str, cursor: Cursor) -> None:
    assert read_cursor(text) == cursor
    assert read_cursor(str(cursor)) == cursor


@pytest.mark.parametrize(
    "text", ["1", "-", "1-", "-1", "1-2-3", "a-b", "１-２", "²-1", " 1-2", "9" * 50 + "-1", f"1-{2**63}"]
)
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a cursor"):
        read_cursor(text)


def test_cursors_order_as_the_entries_do() -> None:
    assert START < Cursor(1, 9) < Cursor(1, 10) < Cursor(2, 1)
