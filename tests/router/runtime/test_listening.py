import aiohttp
import pytest
from aiohttp import web

from router.runtime.listening import Listener


async def test_it_listens_says_where_and_frees_the_port() -> None:
    first, second = Listener(closing_s=0.1), Listener(closing_s=0.1)
    await first.open(web.Application(), "127.0.0.1", 0)
    async with aiohttp.ClientSession() as client, client.get(f"http://127.0.0.1:{first.port}/nothing") as answer:
        assert answer.status == 404
    with pytest.raises(OSError, match="in use"):
        await second.open(web.Application(), "127.0.0.1", first.port)
    await second.close()
    await first.close()
    await first.close()
    await second.open(web.Application(), "127.0.0.1", first.port)
    assert second.port == first.port
    await second.close()
