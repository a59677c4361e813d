import asyncio
import zlib
from collections.abc import AsyncIterator

import msgspec
import pytest
from aiohttp import web

from channels.kit.limits import read_body
from channels.kit.problems import Refused, malformed, not_authentic, not_found, too_large

HEAD = b"POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


async def _read(request: web.Request) -> web.Response:
    try:
        return web.Response(body=b"read %d" % len(await read_body(request, max_bytes=1000, within_s=0.2)))
    except Refused as exc:
        return exc.answer()


@pytest.fixture
async def port() -> AsyncIterator[int]:
    app = web.Application(client_max_size=10)  # the bound is our own
    app.add_routes([web.post("/x", _read)])
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.01)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()


async def _ask(port: int, raw: bytes) -> bytes:
    """Send these bytes, nothing more, and give what comes back."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(raw)
    await writer.drain()
    answer = await reader.read(4096)
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"Content-Length: 3\r\n\r\nabc", b"200"),
        (b"Content-Length: 0\r\n\r\n", b"200"),
        (b"Content-Length: 1000\r\n\r\n" + b"x" * 1000, b"200"),
        (b"Content-Length: 1001\r\n\r\n", b"413"),
        (b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", b"200"),
        (b"Transfer-Encoding: chunked\r\n\r\n3e9\r\n" + b"x" * 1001, b"413"),
        (b"Content-Length: 3\r\n\r\nab", b"408"),
        (b"Transfer-Encoding: chunked\r\n\r\n3\r\nab", b"408"),
        (b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab", b"400"),
        (b"Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", b"400"),
    ],
)
async def test_a_body_is_bounded_in_size_and_time(port: int, raw: bytes, status: bytes) -> None:
    answer = await _ask(port, HEAD + raw)
    assert answer.split(b" ", 2)[1] == status
    assert b"Traceback" not in answer


async def test_what_unpacks_to_too_much_is_refused(port: int) -> None:
    packed = zlib.compress(b"x" * 1_000_000)
    assert len(packed) < 1000 * 2
    head = b"Content-Encoding: deflate\r\nContent-Length: %d\r\n\r\n" % len(packed)
    answer = await _ask(port, HEAD + head + packed)
    assert answer.split(b" ", 2)[1] == b"413"


@pytest.mark.parametrize(
    ("refused", "status"),
    [(malformed("x"), 400), (not_authentic(), 401), (not_found(), 404), (too_large(7), 413)],
)
def test_each_no_is_a_short_document(refused: Refused, status: int) -> None:
    answer = refused.answer()
    assert isinstance(answer.body, bytes)
    body = msgspec.json.decode(answer.body)
    assert (answer.status, body["status"], body["detail"]) == (status, status, str(refused))
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.0, "1"), (0.2, "1"), (1.5, "2"), (99_999.0, "3600"), (float("inf"), "3600")]
)
def test_come_back_is_told_in_whole_seconds(seconds: float, told: str) -> None:
    assert Refused(429, "x", retry_after_s=seconds).answer().headers["Retry-After"] == told
