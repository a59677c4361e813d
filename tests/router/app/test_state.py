"""Clients of the state store, opened as the settings of a process say."""

import asyncio
from pathlib import Path

import pytest

from router.app.process import Process, Role
from router.app.state import open_client
from router.runtime.errors import StoreUnavailable
from router.runtime.plugin_catalog import Installation
from router.runtime.secret import Secret
from router.runtime.settings.model import RedisSettings, Settings
from tests.servers import Server


async def test_the_settings_say_how_long_an_answer_of_the_store_may_take(own_server: Server, tmp_path: Path) -> None:
    settings = Settings(
        data_dir=str(tmp_path), pools=("p",), redis=RedisSettings(url=Secret(own_server.url), timeout_s=0.2)
    )
    process = Process(settings, frozenset({Role.ROUTER}), Installation({}, {}))
    async with process.life:
        client = await open_client(process, own_server.url, "store commands")
        assert await client.call("PING") == b"PONG"
        own_server.freeze()
        with pytest.raises(StoreUnavailable):
            async with asyncio.timeout(2):
                await client.call("PING")
        own_server.thaw()
    assert process.registry.get_sample_value("turnout_store_errors_total", {"kind": "unavailable"}) == 1
