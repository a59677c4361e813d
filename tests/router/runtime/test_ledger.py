from collections.abc import AsyncIterator

import pytest

from router.contract.ids import ReplyId
from router.runtime.errors import LedgerUnsettled, StoreUnavailable
from router.runtime.ledger import TTL_MS, Ledger, MemoryLedger
from router.runtime.ledger_redis import RedisLedger
from router.runtime.redis import connect
from tests.servers import Server
from tests.suites.ledger import FAILED, REPLY, SENT, LedgerSuite, Lose, vouch


class TestMemoryLedger(LedgerSuite):
    @pytest.fixture
    def ledger(self) -> MemoryLedger:
        return MemoryLedger()

    @pytest.fixture
    def lose(self, ledger: MemoryLedger) -> Lose:
        async def lose() -> None:
            ledger.lose()

        return lose


class TestRedisLedger(LedgerSuite):
    @pytest.fixture
    async def ledger(self, redis_server: Server) -> AsyncIterator[Ledger]:
        client = connect(redis_server.url)
        ledger = RedisLedger(client)
        await vouch(ledger)
        yield ledger
        await client.close()

    @pytest.fixture
    async def lose(self, redis_server: Server) -> AsyncIterator[Lose]:
        client = connect(redis_server.url)
        yield lambda: client.call("FLUSHALL")
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
    await vouch(ledger)
    await ledger.claim(REPLY, attempt="a", now_ms=1)
    own_server.kill()
    with pytest.raises(StoreUnavailable) as caught:
        await ledger.claim(REPLY, attempt="a", now_ms=2)
    assert caught.value.retryable
    await client.close()


async def test_every_run_of_a_server_is_a_life_and_its_lines_stay(own_server: Server) -> None:
    client = connect(own_server.url)
    ledger = RedisLedger(client)
    await vouch(ledger)
    before = await ledger.standing()
    await ledger.claim(REPLY, attempt="a", now_ms=1)
    await ledger.settle(REPLY, SENT)
    own_server.kill()
    own_server.start()
    await client.close()
    client = connect(own_server.url)
    ledger = RedisLedger(client)
    standing = await ledger.standing()
    assert (standing.life != before.life, standing.is_settled) == (True, False)
    assert standing.written_at_ms > 0
    with pytest.raises(LedgerUnsettled):
        await ledger.claim(ReplyId("r2"), attempt="a", now_ms=2)
    assert not await ledger.vouch(before.life, doubt_before_ms=0)
    await vouch(ledger)
    assert await ledger.claim(REPLY, attempt="b", now_ms=3) == SENT
    await client.close()


async def test_an_attempt_that_would_blur_the_entry_is_refused() -> None:
    client = connect("redis://127.0.0.1:1")
    with pytest.raises(ValueError, match="no line breaks"):
        await RedisLedger(client).claim(REPLY, attempt="a\nb", now_ms=1)
    await client.close()
