import asyncio
import io
import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry

from router.runtime.clock import ManualClock
from router.runtime.errors import BlobsUnavailable, BlobTooLarge, BusUnavailable, IntakeFull, RecordRefused
from router.runtime.hosting.http import ChannelPort, HttpLimits
from router.runtime.hosting.metrics import ChannelMetrics, HttpRefusal
from router.runtime.hosting.outbound import client_session
from router.runtime.token_bucket import Rate
from tests.suites.eventually import eventually

SMALL = HttpLimits(body_bytes=1000, bodies_bytes=1500)


class Bench:
    def __init__(self, limits: HttpLimits) -> None:
        self.registry = CollectorRegistry()
        self.clock = ManualClock()
        self.port = ChannelPort(clock=self.clock, metrics=ChannelMetrics(self.registry, ["post"]), limits=limits)
        self.error: BaseException | None = None
        self.open = asyncio.Event()
        self.open.set()
        self.inside = 0

    async def echo(self, request: web.Request) -> web.Response:
        self.inside += 1
        await self.open.wait()
        if self.error is not None:
            raise self.error
        return web.Response(body=await request.read())

    def refused(self, reason: HttpRefusal) -> float | None:
        labels = {"channel": "post", "reason": reason}
        return self.registry.get_sample_value("turnout_channel_http_refused_total", labels)


@asynccontextmanager
async def serving(limits: HttpLimits = SMALL) -> AsyncIterator[tuple[Bench, aiohttp.ClientSession]]:
    bench = Bench(limits)
    await bench.port.bind("127.0.0.1", 0)
    bench.port.mount("post", (web.post("/{account}", bench.echo),))
    await bench.port.listen()
    async with aiohttp.ClientSession(bench.port.url) as client:
        yield bench, client
    await bench.port.close()
    await bench.port.close()


async def _problem(response: aiohttp.ClientResponse) -> dict[str, Any]:
    assert response.content_type == "application/problem+json"
    body: dict[str, Any] = msgspec.json.decode(await response.read())
    assert set(body) == {"type", "title", "status", "detail"}
    assert body["status"] == response.status
    assert "Traceback" not in str(body)
    return body


async def test_each_channel_has_its_own_path() -> None:
    async with serving() as (_, client), client.post("/post/a", data=b"hello") as response:
        assert (response.status, await response.read()) == (200, b"hello")
        assert response.headers["Server"] == "turnout"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("POST", "/other/a", 404), ("POST", "/post/a/b", 404), ("POST", "/poster/a", 404)],
)
async def test_what_is_not_there_is_a_problem_too(method: str, path: str, status: int) -> None:
    async with serving() as (_, client), client.request(method, path) as response:
        assert response.status == status
        await _problem(response)


async def test_a_wrong_method_names_the_right_one() -> None:
    async with serving() as (_, client), client.get("/post/a") as response:
        assert (response.status, response.headers["Allow"]) == (405, "POST")
        await _problem(response)


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (IntakeFull(2.2), 429, "3"),
        (BusUnavailable("kafka-1:9092 is away"), 503, "2"),
        (BlobsUnavailable("s3 is away"), 503, "2"),
        (BlobTooLarge("too large"), 413, None),
        (RecordRefused(0, "never"), 422, None),
        (web.HTTPForbidden(text="secret"), 403, None),
        (RuntimeError("secret"), 500, None),
    ],
)
async def test_whatever_a_handler_raises_the_answer_is_short(
    error: Exception, status: int, retry_after: str | None
) -> None:
    async with serving() as (bench, client):
        bench.error = error
        async with client.post("/post/a", data=b"x") as response:
            assert response.status == status
            assert response.headers.get("Retry-After") == retry_after
            detail = (await _problem(response))["detail"]
            assert "secret" not in detail
            assert "away" not in detail


async def test_an_error_of_a_handler_is_logged_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    async with serving() as (bench, client):
        bench.error = KeyError("x")
        with caplog.at_level(logging.ERROR):
            async with client.post("/post/a", data=b"x") as response:
                assert response.status == 500
        assert [record.levelname for record in caplog.records] == ["ERROR"]
        assert bench.refused(HttpRefusal.ERROR) == 1


async def _chunks(size: int) -> AsyncIterator[bytes]:
    for _ in range(0, size, 100):
        yield b"x" * 100


@pytest.mark.parametrize("chunked", [False, True])
async def test_what_is_too_large_is_refused_with_or_without_a_length(chunked: bool) -> None:
    async with serving() as (bench, client):
        data = _chunks(1100) if chunked else io.BytesIO(b"x" * 1001)
        async with client.post("/post/a", data=data) as response:
            assert response.status == 413
            await _problem(response)
        assert bench.refused(HttpRefusal.TOO_LARGE) == 1
        assert bench.inside == int(chunked)
        async with client.post("/post/a", data=b"x" * 1000) as response:
            assert response.status == 200


async def test_all_bodies_together_are_bounded() -> None:
    async with serving() as (bench, client):
        bench.open.clear()
        first = asyncio.create_task(client.post("/post/a", data=b"x" * 1000))
        await eventually(lambda: bench.inside == 1)
        async with client.post("/post/a", data=b"x" * 600) as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "1")
        assert bench.refused(HttpRefusal.BUSY) == 1
        bench.open.set()
        (await first).release()
        async with client.post("/post/a", data=b"x" * 600) as response:
            assert response.status == 200


async def test_an_address_that_asks_too_often_is_told_when_to_come_back() -> None:
    async with serving(HttpLimits(peer=Rate(0.5, 2))) as (bench, client):
        answers = []
        for _ in range(3):
            async with client.post("/post/a", data=b"x") as response:
                answers.append((response.status, response.headers.get("Retry-After")))
        assert answers == [(200, None), (200, None), (429, "2")]
        assert bench.refused(HttpRefusal.PEER_RATE) == 1
        await bench.clock.advance_ms(2000)
        async with client.post("/post/a", data=b"x") as response:
            assert response.status == 200


async def test_from_the_stop_on_open_connections_are_refused_and_new_ones_not_taken() -> None:
    async with serving() as (bench, client):
        async with client.post("/post/a", data=b"x") as response:
            assert response.status == 200
        await bench.port.stop_intake()
        async with client.post("/post/a", data=b"x") as response:
            assert (response.status, response.headers["Retry-After"]) == (503, "5")
            assert response.headers["Connection"] == "close"
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.post("/post/a", data=b"x")


async def test_a_port_that_is_taken_is_said_at_once() -> None:
    async with serving() as (bench, _):
        other = Bench(SMALL)
        with pytest.raises(OSError, match="in use"):
            await other.port.bind("127.0.0.1", int(bench.port.url.rpartition(":")[2]))
        await other.port.close()


@pytest.mark.parametrize(
    ("host", "named"), [("127.0.0.1", "127.0.0.1"), ("localhost", "localhost"), ("0.0.0.0", "127.0.0.1")]
)
async def test_the_port_knows_its_address_before_it_listens(host: str, named: str) -> None:
    bench = Bench(SMALL)
    await bench.port.bind(host, 0)
    assert re.fullmatch(rf"http://{named}:[1-9]\d+", bench.port.url)
    await bench.port.close()


async def test_nobody_is_answered_between_bind_and_listen() -> None:
    bench = Bench(SMALL)
    await bench.port.bind("127.0.0.1", 0)
    async with aiohttp.ClientSession() as client:
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.get(bench.port.url)
    await bench.port.close()


class Redirecting:
    """Sends everybody on to ``target``."""

    def __init__(self) -> None:
        self.target = ""
        self.seen = 0

    async def go(self, request: web.Request) -> web.Response:
        raise web.HTTPTemporaryRedirect(self.target)

    async def here(self, _request: web.Request) -> web.Response:
        self.seen += 1
        return web.Response(text="here")


@pytest.mark.parametrize(("target", "followed"), [("/here", True), ("http://localhost:{port}/here", False)])
async def test_a_redirect_is_followed_on_the_same_host_only(target: str, followed: bool) -> None:
    server = Redirecting()
    app = web.Application()
    app.add_routes([web.post("/go", server.go), web.post("/here", server.here)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    server.target = target.format(port=port)
    async with client_session() as session:
        if followed:
            async with session.post(f"http://127.0.0.1:{port}/go", data=b"x") as response:
                assert await response.text() == "here"
        else:
            with pytest.raises(aiohttp.ClientError):
                await session.post(f"http://127.0.0.1:{port}/go", data=b"x")
    assert server.seen == int(followed)
    await runner.cleanup()
