from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from router.runtime.blobs import BlobLink
from router.runtime.downloads import send_file
from router.runtime.listening import Listener


async def _chunks() -> AsyncIterator[bytes]:
    yield b"<script>"
    yield b"x</script>"


@pytest.mark.parametrize(
    ("media_type", "said"),
    [("text/html", ("application/octet-stream", "attachment")), ("image/png", ("image/png", "inline"))],
)
async def test_no_browser_runs_what_came_from_outside(media_type: str, said: tuple[str, str]) -> None:
    link = BlobLink("key", media_type, 'a"한\r\n.html')

    async def answer(request: web.Request) -> web.StreamResponse:
        return await send_file(request, link, _chunks(), shown=frozenset({"image/png"}))

    app, listener = web.Application(), Listener(closing_s=0.1)
    app.router.add_get("/", answer)
    await listener.open(app, "127.0.0.1", 0)
    async with aiohttp.ClientSession() as client, client.get(f"http://127.0.0.1:{listener.port}/") as got:
        kind, _, name = got.headers["Content-Disposition"].partition("; ")
        assert (got.headers["Content-Type"], kind) == said
        assert name == "filename*=UTF-8''a%22%ED%95%9C%0D%0A.html"
        assert got.headers["X-Content-Type-Options"] == "nosniff"
        assert got.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert await got.read() == b"<script>x</script>"
    await listener.close()
