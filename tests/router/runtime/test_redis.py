"""The client and the coalescer: own replies, own errors, nothing run twice, every wait bounded."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from prometheus_client import CollectorRegistry
from redis.asyncio.connection import AbstractConnection

from router.runtime.errors import CommandRefused, StoreUnavailable
from router.runtime.metrics import RuntimeMetrics, StoreError
from router.runtime.redis import Coalescer, Purpose, RedisClient, connect
from tests.servers import Server


@pytest.fixture
async def client(redis_server: Server) -> AsyncIterator[RedisClient]:
    client = connect(redis_server.url)
    yield client
    await client.close()


@pytest.fixture
async def coalescer(client: RedisClient) -> AsyncIterator[Coalescer]:
    coalescer = Coalescer(client, max_batch=16)
    yield coalescer
    await coalescer.close()


async def test_replies_are_raw(client: RedisClient) -> None:
    assert await client.call("SET", "a", b"\xff\x00") == b"OK"
    assert await client.call("GET", "a") == b"\xff\x00"
    assert await client.call("GET", "absent") is None
    assert await client.call("RPUSH", "list", 1, 2) == 2
    assert await client.call("LRANGE", "list", 0, -1) == [b"1", b"2"]


async def test_each_caller_gets_his_own_reply(coalescer: Coalescer) -> None:
    replies = await asyncio.gather(*(coalescer.call("ECHO", f"{n}") for n in range(500)))
    assert replies == [f"{n}".encode() for n in range(500)]


async def test_calls_of_one_tick_are_one_pipeline(client: RedisClient, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    exchange = client.exchange

    async def counted(commands: list[tuple[str, ...]]) -> list[object]:
        sizes.append(len(commands))
        return await exchange(commands)

    monkeypatch.setattr(client, "exchange", counted)
    coalescer = Coalescer(client, max_batch=16)
    await asyncio.gather(*(coalescer.call("PING") for _ in range(40)))
    assert sizes == [16, 16, 8]


async def test_the_first_to_wake_call_again_before_the_last_have_woken(
    client: RedisClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    tale: list[str] = []
    exchange = client.exchange
    coalescer = Coalescer(client)

    async def told(commands: list[tuple[str, ...]]) -> list[object]:
        tale.append("sent")
        return await exchange(commands)

    async def caller() -> None:
        for _ in range(2):
            assert await coalescer.call("PING") == b"PONG"
            tale.append("awake")

    monkeypatch.setattr(client, "exchange", told)
    await asyncio.gather(*(caller() for _ in range(100)))
    assert tale[:2] == ["sent", "awake"]
    assert tale.index("sent", 1) < 80
    assert tale.count("awake") == 200


async def test_an_error_does_not_hit_its_neighbours(coalescer: Coalescer) -> None:
    await coalescer.call("SET", "text", "x")
    before, wrong, after = await asyncio.gather(
        coalescer.call("ECHO", "a"),
        coalescer.call("INCR", "text"),
        coalescer.call("ECHO", "b"),
        return_exceptions=True,
    )
    assert (before, after) == (b"a", b"b")
    assert isinstance(wrong, CommandRefused)
    assert "not an integer" in str(wrong)


async def test_a_cancelled_caller_does_not_cut_a_write_short(coalescer: Coalescer) -> None:
    writing = [asyncio.create_task(coalescer.call("INCR", "n")) for _ in range(10)]
    last = asyncio.create_task(coalescer.call("INCR", "other"))
    await asyncio.sleep(0)  # they are on their way to the flush
    await asyncio.sleep(0)  # they are sent
    for task in writing:
        task.cancel()
    await asyncio.gather(*writing, return_exceptions=True)
    assert await last == 1
    assert await coalescer.call("GET", "n") == b"10"


async def test_a_call_cancelled_before_it_is_sent_is_not_run(coalescer: Coalescer) -> None:
    async def give_up() -> None:
        async with asyncio.timeout(0):
            await coalescer.call("INCR", "n")

    with pytest.raises(TimeoutError):
        await give_up()
    assert await coalescer.call("GET", "n") is None


async def test_waiting_calls_are_bounded(client: RedisClient) -> None:
    coalescer = Coalescer(client, max_waiting=10)
    outcomes = await asyncio.gather(*(coalescer.call("PING") for _ in range(12)), return_exceptions=True)
    assert outcomes[:10] == [b"PONG"] * 10
    assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes[10:])


async def test_calls_that_find_no_place_are_counted(redis_server: Server) -> None:
    registry = CollectorRegistry()
    client = connect(redis_server.url, metrics=RuntimeMetrics(registry, version="1", mode="test"))
    coalescer = Coalescer(client, max_waiting=10)
    await asyncio.gather(*(coalescer.call("PING") for _ in range(12)), return_exceptions=True)
    assert registry.get_sample_value("turnout_store_errors_total", {"kind": "unavailable"}) == 2
    await client.close()


async def test_a_blocking_read_returns_when_cancelled_and_harms_nobody(redis_server: Server) -> None:
    client = connect(redis_server.url, purpose=Purpose.BLOCKING, max_connections=1)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.call("BLPOP", "nothing", 30, wait_s=30), 0.05)
    assert await client.call("ECHO", "mine") == b"mine"
    await client.close()


async def test_a_blocking_read_that_is_cancelled_while_it_is_sent_is_cancelled(redis_server: Server) -> None:
    client = connect(redis_server.url, purpose=Purpose.BLOCKING, max_connections=1)
    await client.call("ECHO", "connected")
    for steps in range(8):
        task = asyncio.create_task(client.call("BLPOP", "nothing", 30, wait_s=30))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task], timeout=5)
        assert task.cancelled(), f"after {steps} steps of the loop"
    assert await client.call("ECHO", "mine") == b"mine"
    await client.close()


async def test_a_busy_pool_makes_callers_wait(redis_server: Server) -> None:
    client = connect(redis_server.url, max_connections=2)
    replies = await asyncio.gather(*(client.call("ECHO", n) for n in range(20)))
    assert replies == [str(n).encode() for n in range(20)]
    await client.close()


async def test_a_dead_server_is_unavailable_and_the_client_recovers(own_server: Server) -> None:
    client = connect(own_server.url)
    coalescer = Coalescer(client)
    assert await coalescer.call("SET", "a", "1") == b"OK"
    own_server.kill()
    outcomes = await asyncio.gather(*(coalescer.call("GET", "a") for _ in range(5)), return_exceptions=True)
    assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes)
    with pytest.raises(StoreUnavailable):
        await client.call("GET", "a")
    own_server.start()
    assert await coalescer.call("GET", "a") == b"1"
    await coalescer.close()
    await client.close()


@pytest.mark.parametrize(("place", "calls_before"), [("connect", 0), ("send_packed_command", 1)])
async def test_a_socket_that_closes_before_it_is_written_to_is_an_unavailable_store(
    redis_server: Server, monkeypatch: pytest.MonkeyPatch, place: str, calls_before: int
) -> None:
    client = connect(redis_server.url)
    for _ in range(calls_before):
        await client.call("PING")

    async def closed(*_: object, **__: object) -> None:
        raise RuntimeError("unable to perform operation on <TCPTransport closed=True>; the handler is closed")

    with monkeypatch.context() as patch:  # as uvloop says it, in greeting the server or in a write
        patch.setattr(AbstractConnection, place, closed)
        with pytest.raises(StoreUnavailable, match="the handler is closed"):
            await client.call("PING")
    assert await client.call("PING") == b"PONG"
    await client.close()


async def test_a_frozen_server_is_a_time_out_and_never_a_second_run(own_server: Server) -> None:
    client = connect(own_server.url, answer_s=0.2)
    coalescer = Coalescer(client)
    assert await coalescer.call("INCR", "n") == 1
    own_server.freeze()
    outcomes = await asyncio.gather(*(coalescer.call("INCR", "n") for _ in range(5)), return_exceptions=True)
    assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes)
    own_server.thaw()
    assert await coalescer.call("GET", "n") == b"6"  # once each, after all
    await coalescer.close()
    await client.close()


async def test_close_keeps_its_deadline_with_a_frozen_server(own_server: Server) -> None:
    client = connect(own_server.url)
    coalescer = Coalescer(client)
    await coalescer.call("PING")
    own_server.freeze()
    stuck = asyncio.create_task(coalescer.call("PING"))
    await asyncio.sleep(0)
    async with asyncio.timeout(2):
        await coalescer.close(deadline_s=0.1)
    with pytest.raises(StoreUnavailable):
        await stuck
    with pytest.raises(StoreUnavailable):
        await coalescer.call("PING")
    await client.close()


async def test_a_blocking_read_may_wait_longer_than_an_answer_may_take(redis_server: Server) -> None:
    client = connect(redis_server.url, purpose=Purpose.BLOCKING, answer_s=0.2)
    assert await client.call("BLPOP", "nothing", 0.4, wait_s=0.4) is None
    await client.close()


async def test_failed_calls_are_counted_by_kind(own_server: Server) -> None:
    registry = CollectorRegistry()
    metrics = RuntimeMetrics(registry, version="1", mode="standalone")
    client = connect(own_server.url, answer_s=0.2, metrics=metrics)
    coalescer = Coalescer(client)

    def counted(kind: StoreError) -> float | None:
        return registry.get_sample_value("turnout_store_errors_total", {"kind": kind})

    await coalescer.call("SET", "text", "x")
    assert (counted(StoreError.REFUSED), counted(StoreError.UNAVAILABLE)) == (0, 0)
    with pytest.raises(CommandRefused):
        await coalescer.call("LPUSH", "text", "x")
    assert (counted(StoreError.REFUSED), counted(StoreError.UNAVAILABLE)) == (1, 0)
    own_server.freeze()
    await asyncio.gather(*(coalescer.call("PING") for _ in range(5)), return_exceptions=True)
    own_server.thaw()
    assert (counted(StoreError.REFUSED), counted(StoreError.UNAVAILABLE)) == (1, 5)
    await coalescer.close()
    await client.close()
