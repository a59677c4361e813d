from collections.abc import AsyncIterator

import pytest

from router.runtime.errors import StoreUnavailable
from router.runtime.ledger import TTL_MS, Ledger, MemoryLedger, RedisLedger
from router.runtime.redis import connect
from tests.servers import Server
from tests.suites.ledger import FAILED, REPLY, SENT, LedgerSuite


class TestMemoryLedger(LedgerSuite):
    @pytest.fixture
    def ledger(self) -> Ledger:
        return MemoryLedger()


class TestRedisLedger(LedgerSuite):
    @pytest.fixture
    async def ledger(self, redis_server: Server) -> AsyncIterator[Ledger]:
        client = connect(redis_server.url)
        yield RedisLedger(client)
        await client.close()

    async def test_every_entry_expires_after_the_topics_retention(self, ledger: Ledger, redis_server: Server) -> None:
        async def left_ms() -> int:
            left = await client.call("PTTL", f"turnout:ledger:{REPLY}")
            assert isinstance(left, int)
            return left

        client = connect(redis_server.url)
        await ledger.claim(REPLY, attempt="a", now_ms=1)
        assert 14 * 86_400_000 < await left_ms() <= TTL_MS
        await client.call("PEXPIRE", f"turnout:ledger:{REPLY}", 60_000)
        await ledger.settle(REPLY, SENT)
        settled_ms = await left_ms()
        assert settled_ms > 14 * 86_400_000
        await ledger.settle(REPLY, FAILED)
        assert await left_ms() <= settled_ms
        await client.close()


async def test_a_store_that_does_not_answer_is_an_error_that_may_be_repeated(own_server: Server) -> None:
    client = connect(own_server.url)
    ledger = RedisLedger(client)
    await ledger.claim(REPLY, attempt="a", now_ms=1)
    own_server.kill()
    with pytest.raises(StoreUnavailable) as caught:
        await ledger.claim(REPLY, attempt="a", now_ms=2)
    assert caught.value.retryable
    await client.close()


async def test_an_attempt_that_would_blur_the_entry_is_refused() -> None:
    client = connect("redis://127.0.0.1:1")
    with pytest.raises(ValueError, match="no line breaks"):
        await RedisLedger(client).claim(REPLY, attempt="a\nb", now_ms=1)
    await client.close()
