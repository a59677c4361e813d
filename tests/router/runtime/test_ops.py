import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import aiohttp
import pytest
from prometheus_client import CollectorRegistry

from router.runtime.metrics import RuntimeMetrics
from router.runtime.ops import OpsServer, Readiness


@dataclass
class Ops:
    url: str
    readiness: Readiness
    server: OpsServer
    http: aiohttp.ClientSession
    problems: list[str] = field(default_factory=list)

    async def get(self, path: str) -> tuple[int, dict[str, object]]:
        async with self.http.get(self.url + path) as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def ops() -> AsyncIterator[Ops]:
    registry = CollectorRegistry()
    readiness = Readiness()
    problems: list[str] = []
    server = OpsServer(
        registry=registry,
        metrics=RuntimeMetrics(registry, version="1.2.3", mode="standalone"),
        readiness=readiness,
        liveness=lambda: problems[0] if problems else None,
    )
    await server.start("127.0.0.1", 0)
    async with aiohttp.ClientSession() as http:
        yield Ops(f"http://127.0.0.1:{server.port}", readiness, server, http, problems)
    await server.close()
    await server.close()


def _check(answer: str | None) -> Callable[[], "asyncio.Future[str | None]"]:
    def check() -> "asyncio.Future[str | None]":
        future: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        future.set_result(answer)
        return future

    return check


async def test_livez_says_why_the_process_should_be_restarted(ops: Ops) -> None:
    assert await ops.get("/livez") == (200, {"alive": True, "problem": ""})
    ops.problems.append("the event loop was late by 7.0 s")
    assert await ops.get("/livez") == (503, {"alive": False, "problem": "the event loop was late by 7.0 s"})


async def test_readyz_names_everything_that_is_not_ready(ops: Ops) -> None:
    assert await ops.get("/readyz") == (503, {"ready": False, "problems": {"process": "starting"}})
    ops.readiness.add("bus", _check(None))
    assert await ops.get("/readyz") == (200, {"ready": True, "problems": {}})
    ops.readiness.add("store", _check("loading"))
    ops.readiness.add("rules", _check("no valid rulebook"))
    problems = {"store": "loading", "rules": "no valid rulebook"}
    assert await ops.get("/readyz") == (503, {"ready": False, "problems": problems})
    ops.readiness.withdraw("stopping")
    assert await ops.get("/readyz") == (503, {"ready": False, "problems": {"process": "stopping"}})


async def test_a_check_that_fails_or_hangs_is_not_ready_and_tells_no_secrets(
    ops: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router.runtime.ops._CHECK_S", 0.05)

    async def fail() -> str | None:
        raise ValueError("redis://:hunter2@x")

    async def hang() -> str | None:
        await asyncio.Event().wait()
        return None

    ops.readiness.add("failing", fail)
    ops.readiness.add("hanging", hang)
    status, body = await ops.get("/readyz")
    assert status == 503
    assert body["problems"] == {
        "failing": "the check itself failed, see the log",
        "hanging": "no answer within 0.05 s",
    }


async def test_probes_at_the_same_time_share_one_round_of_checks(ops: Ops) -> None:
    running: list[int] = []
    most = 0
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> str | None:
        nonlocal most
        running.append(1)
        most = max(most, len(running))
        asked.set()
        await go_on.wait()
        running.pop()
        return None

    ops.readiness.add("slow", slow)
    probes = [asyncio.create_task(ops.get("/readyz")) for _ in range(5)]
    await asked.wait()
    await ops.get("/livez")
    go_on.set()
    assert [status for status, _ in await asyncio.gather(*probes)] == [200] * 5
    assert most == 1


async def test_metrics_are_there_from_the_start_at_zero(ops: Ops) -> None:
    async with ops.http.get(ops.url + "/metrics") as answer:
        text = await answer.text()
        assert answer.headers["Content-Type"].startswith("text/plain")
    for line in (
        'turnout_bus_errors_total{operation="publish"} 0.0',
        'turnout_store_errors_total{kind="unavailable"} 0.0',
        'turnout_blob_errors_total{operation="delete"} 0.0',
        "turnout_loop_lag_seconds_count 0.0",
        "turnout_ready 0.0",
    ):
        assert line in text
    assert 'mode="standalone"' in text
    assert 'version="1.2.3"' in text
    accept = {"Accept": "application/openmetrics-text"}
    async with ops.http.get(ops.url + "/metrics", headers=accept) as answer:
        assert (await answer.text()).endswith("# EOF\n")


async def test_a_port_that_is_taken_is_an_error(ops: Ops) -> None:
    registry = CollectorRegistry()
    second = OpsServer(
        registry=registry,
        metrics=RuntimeMetrics(registry, version="", mode=""),
        readiness=Readiness(),
        liveness=lambda: None,
    )
    with pytest.raises(OSError, match="address already in use"):
        await second.start("127.0.0.1", ops.server.port)
    await second.close()
