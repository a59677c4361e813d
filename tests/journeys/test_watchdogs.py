"""The watchdogs of a real service: what is away is waited for, what is stuck ends the process."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from router.runtime.clock import SystemClock
from router.runtime.errors import ProcessStuck, TaskDied
from router.runtime.lifecycle import Lifecycle
from router.runtime.metrics import RuntimeMetrics
from router.runtime.watchdog import LoopWatch, Watchdog
from tests.kafka_server_fixture import Broker
from tests.servers import Server, running
from tests.suites.eventually import eventually
from tests.suites.installation import Process

LIMIT_S = 8.0

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def store() -> Iterator[Server]:
    yield from running("valkey", append_fsync="no")


def settings_of(folder: Path, store: Server, broker: Broker) -> dict[str, Any]:
    return {
        "data_dir": str(folder / "data"),
        "http": {"channels_port": 0, "api_port": 0, "ops_port": 0},
        "redis": {"url": store.url},
        "signing_key": "a key for a journey, long enough to sign",
        "bus": {"kind": "kafka", "inquiry_partitions": 4, "partitions": 2},
        "kafka": {"bootstrap": [broker.bootstrap], "session_timeout_s": 3.0, "request_timeout_s": 2.0},
        "watchdog": {"poll_age_s": LIMIT_S},
    }


async def test_a_bus_and_a_store_that_hang_are_ridden_out(tmp_path: Path, store: Server, own_kafka: Broker) -> None:
    process = Process(tmp_path, settings_of(tmp_path, store, own_kafka))
    try:
        found = await process.start()
        async with aiohttp.ClientSession() as http:
            for victim, seen in ((own_kafka, "consumer_retries"), (store, "relay.retry")):
                begun_s, asked = time.monotonic(), count(process, seen)
                victim.freeze()
                try:
                    await eventually(
                        lambda: time.monotonic() > begun_s + 2 * LIMIT_S and count(process, seen) > asked,  # noqa: B023
                        within_s=60,
                    )
                    assert not process.has_ended, process.tail()
                    assert (await http.get(f"{found.ops}/livez")).status == 200
                finally:
                    victim.thaw()
                await eventually(lambda: _is_ready(http, found.ops), within_s=60)
        assert process.stop() == 0, process.tail()
    finally:
        process.kill()


def count(process: Process, word: str) -> int:
    return process.log.read_text("utf-8", "replace").count(word)


async def _is_ready(http: aiohttp.ClientSession, ops: str) -> bool:
    async with http.get(f"{ops}/readyz") as answer:
        return answer.status == 200


async def test_a_consumer_that_is_stuck_stops_the_service_as_a_failure() -> None:
    metrics = RuntimeMetrics(CollectorRegistry(), version="", mode="")
    watchdog = Watchdog(SystemClock(), LoopWatch(metrics, blocked_s=30), poll_age_s=0.2)
    watchdog.consumer("inquiries default")  # it never polls

    async def live() -> None:
        async with Lifecycle(stop_s=1) as life, asyncio.timeout(10):
            life.spawn("watchdog", watchdog.run())
            await life.stopped()

    with pytest.raises(TaskDied) as caught:
        await live()
    assert isinstance(caught.value.__cause__, ProcessStuck)
    assert "the consumer inquiries default has not polled" in str(caught.value.__cause__)
