"""The bus and the clients of the state store, opened as the settings of a process say."""

import asyncio
from pathlib import Path

import pytest

from router.app.process import Process, Role
from router.app.state import bus_of, open_client
from router.contract.topics import TopicSpec
from router.runtime.bus.streams import StreamsBus
from router.runtime.errors import StoreUnavailable
from router.runtime.plugin_catalog import Installation
from router.runtime.secret import Secret
from router.runtime.settings.model import BusKind, BusSettings, RedisSettings, Settings
from tests.servers import Server
from tests.suites.bus_members import Handled, Member
from tests.suites.eventually import eventually


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


async def test_groups_that_are_forgotten_are_counted(redis_server: Server, tmp_path: Path) -> None:
    settings = Settings(data_dir=str(tmp_path), bus=BusSettings(kind=BusKind.STREAMS, group_idle_s=0.02))
    process = Process(settings, frozenset({Role.ROUTER}), Installation({}, {}))
    bus = bus_of(process, redis_server.url)
    assert isinstance(bus, StreamsBus)

    def counted() -> float | None:
        return process.registry.get_sample_value("turnout_bus_groups_forgotten_total")

    async def counted_later() -> float | None:
        await bus.upkeep.once(interval_ms=1)
        return counted()

    assert counted() == 0
    await bus.create_topics([TopicSpec(name="t", partitions=1)])
    dead = await bus.subscribe("dead", ["t"], Member(bus, "dead", "t", handled=Handled()))
    await dead.poll(max_records=1, timeout_ms=1)
    await dead.close()
    assert await eventually(counted_later) == 1
    await bus.close()
