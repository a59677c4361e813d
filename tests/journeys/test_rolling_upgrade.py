"""A rolling upgrade under traffic: every process in its turn gets SIGTERM, and a newer version comes in its place."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from router.contract import topics
from router.contract.advisor import Advisor, Presence
from router.contract.events import CaseEvent
from router.contract.ids import PoolId
from router.runtime.bus.protocol import Bus
from router.runtime.servers.kafka_server import free_ports
from router.store.keys import key
from router.store.library import FORMAT
from tests.kafka_server_fixture import Broker
from tests.servers import Server, running
from tests.suites.crowd_account import Office, count, faults_of, faults_of_answers, faults_of_work, story
from tests.suites.eventually import eventually
from tests.suites.installation import Process
from tests.suites.newer_version import MEMBER, VALUE
from tests.suites.rolling import ROLES, STOP_S, Rolling, happens, rolling

POOL = PoolId("default")
CROWD = 10
ROOM = 2
FENCES = key(POOL, "fences")
PARTITION = f"{topics.inquiries(POOL)}/0"
SAYS = f"the state of pool default has format {FORMAT + 1}, this version knows {FORMAT}: upgrade this process"


@pytest.fixture
def store() -> Iterator[Server]:
    yield from running("valkey", append_fsync="no")


@pytest.fixture(params=["kafka", "streams"])
def ground(request: pytest.FixtureRequest, store: Server) -> dict[str, Any]:
    shared: dict[str, Any] = {
        "redis": {"url": store.url},
        "bus": {"kind": request.param, "inquiry_partitions": 6, "partitions": 4},
    }
    if request.param == "kafka":
        broker: Broker = request.getfixturevalue("own_kafka")
        shared["kafka"] = {"bootstrap": [broker.bootstrap], "session_timeout_s": 3.0}
    return shared


@pytest.mark.timeout(240)
async def test_every_process_is_replaced_under_traffic_and_nobody_notices(
    tmp_path: Path, ground: dict[str, Any]
) -> None:
    async with rolling(tmp_path, ground) as place:
        async with place.at_work(CROWD) as working:
            customers = place.customers
            for name in ROLES:
                begun = len(customers.talks)
                await happens(lambda: customers.has_answers_since(begun), working)  # noqa: B023
                assert await place.replace(name) < STOP_S
            begun = len(customers.talks)
            await happens(lambda: customers.has_answers_since(begun), working)
            customers.close()
            await happens(customers.finished.is_set, working)
            await happens(lambda: not any(worker.holds for worker in place.workers), working)
            await eventually(lambda: not faults_of_answers(place.workers, customers.talks), within_s=30)
            await nothing_went_wrong(place)
            await everybody_stayed_online(place.bus)
            await what_the_newer_wrote_is_still_there(place.bus)
        # No step of stopping ran into its deadline.
        assert place.said("stop.late") == place.said("stop.error") == []


async def nothing_went_wrong(place: Rolling) -> None:
    key = (await asyncio.to_thread(place.parts["edge-0"].run, "keys", "create", "--role", "supervisor")).strip()
    talks = place.customers.talks
    office = Office(place.http, place.running["edge-0"].api, key)
    faults = [fault for talk in talks.values() for fault in await faults_of(talk, office)]
    told = await story(place.bus, "default")
    faults += told.faults() + told.holders().shared
    faults += faults_of_work(await office.work(), told.last())
    assert faults == []
    assert set(told.last()) == {talk.ids[0] for talk in talks.values()}
    assert all(most <= ROOM for most in told.holders().most.values())
    assert await count(place.bus, topics.DEAD_LETTERS) == 0
    assert not place.simulator.refusals()
    # Nobody waited in vain, nor did a relay have to wait until the lease of the one before ran out.
    for name in ("turnout_sweep_found_total", 'turnout_relay_taken_total{how="silent"}'):
        found = await place.metric(name)
        assert found, name
        assert set(found.values()) == {0}, (name, found)


async def everybody_stayed_online(bus: Bus) -> None:
    """From when each came online; his sessions moved from replica to replica meanwhile."""
    states: dict[str, dict[int, Presence]] = {}
    async for record in bus.history(topics.ADVISORS):
        if record.value is not None:
            told = msgspec.json.decode(record.value, type=Advisor)
            states.setdefault(told.id, {})[told.ver] = told.presence
    assert states
    for name, found in states.items():
        inorder = [found[ver] for ver in sorted(found)]
        since = inorder.index(Presence.ONLINE)
        assert set(inorder[since:]) == {Presence.ONLINE}, (name, inorder)


async def what_the_newer_wrote_is_still_there(bus: Bus) -> None:
    """A case that the newer version opened keeps its member, whichever version wrote it afterwards."""
    opened: dict[str, bool] = {}
    written = {False: 0, True: 0}
    async for record in bus.history(topics.EVENTS):
        assert record.value is not None
        event = msgspec.json.decode(record.value, type=CaseEvent)
        raw = msgspec.json.decode(msgspec.json.decode(record.value, type=dict[str, msgspec.Raw])["case"], type=_Case)
        assert raw.newer is msgspec.UNSET or bytes(raw.newer) == VALUE
        has_it = raw.newer is not msgspec.UNSET
        if event.ver == 1:
            opened[event.subject] = has_it
        assert has_it == opened[event.subject], event.id
        written[has_it] += 1
    assert min(written.values()) > 0, written


class _Case(msgspec.Struct):
    newer: msgspec.Raw | msgspec.UnsetType = msgspec.field(default=msgspec.UNSET, name=MEMBER)


@pytest.mark.timeout(120)
async def test_a_state_of_a_newer_format_is_left_alone_until_the_process_is_upgraded(
    tmp_path: Path, store: Server
) -> None:
    port = free_ports().clients
    settings = {
        "data_dir": str(tmp_path / "data"),
        "http": {"channels_port": 0, "api_port": 0, "ops_port": port},
        "redis": {"url": store.url},
        "signing_key": "a key for a journey, long enough to sign",
        "bus": {"inquiry_partitions": 4, "partitions": 2},
    }
    process = Process(tmp_path, settings)
    try:
        await process.start()
        set_format(store, FORMAT + 1)
        await eventually(lambda: process.has_ended, within_s=30)
        assert process.stop() != 0
        assert "upgrade this process" in process.log.read_text("utf-8")
        before = epoch(store)
        assert before > 0
        starting = asyncio.create_task(process.start())
        async with aiohttp.ClientSession() as http:
            assert await eventually(lambda: why_not_ready(http, port), within_s=30) == {"state of default": SAYS}
            async with http.get(f"http://127.0.0.1:{port}/livez") as answer:
                assert answer.status == 200
        # It is there, says why it does nothing, and takes nothing from those who can work.
        assert not process.has_ended
        assert epoch(store) == before
        set_format(store, FORMAT)
        await starting
        assert process.stop() == 0
    finally:
        process.kill()


def set_format(store: Server, number: int) -> None:
    assert store.ask(f"HSET {key(POOL, 'meta')} format {number}") == b":0"


def epoch(store: Server) -> int:
    """The newest fence of a partition; the inline form of HGET would answer with a length."""
    return int(store.ask(f"HINCRBY {FENCES} epoch|{PARTITION} 0").removeprefix(b":"))


async def why_not_ready(http: aiohttp.ClientSession, port: int) -> dict[str, str]:
    """Empty while it says nothing of the pool yet."""
    try:
        async with http.get(f"http://127.0.0.1:{port}/readyz") as answer:
            problems: dict[str, str] = (await answer.json())["problems"]
    except aiohttp.ClientError:
        return {}
    return problems if SAYS in problems.values() else {}
