"""The state store is lost with the ledger of replies in it, and replies that went out are read again."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from router.contract import topics
from router.contract.codec import Decoder
from router.contract.messages import Delivery, DeliveryState
from router.runtime.bus.kafka import KafkaBus
from router.runtime.bus.kafka_client import KafkaOptions
from router.runtime.plugin_catalog import PluginCatalog
from router.runtime.simulators import CustomerMessage, Entrance, Simulator
from tests.kafka_server_fixture import Broker
from tests.servers import Server, running
from tests.suites.eventually import eventually
from tests.suites.installation import Advisor, Process

pytestmark = pytest.mark.timeout(240)

PARTITIONS = 2
# One whose provider drops repeats, and one whose doesn't.
CHANNELS = ("webhook", "telegram")
RULES = """
defaults: {queue: general, language: en}
outcomes: {solved: Solved}
channels: {webhook: {units: 10}, telegram: {units: 10}}
policies: {standard: {first_response_s: 3600, resolution_s: 86400}}
queues: {general: {policy: standard, offer_s: 30}}
away_after: 0
grace_s: 10
"""
_DELIVERY = Decoder(Delivery)


class Place:
    """A core (router, relay, API), an edge (channels), and everybody around them."""

    def __init__(self, core: Process, edge: Process, customers: Mapping[str, Simulator], kafka: str) -> None:
        self.core = core
        self.edge = edge
        self.customers = customers
        self.kafka = kafka
        self.bus = KafkaBus(KafkaOptions(bootstrap=kafka))
        self.stack = AsyncExitStack()
        self._api = ""

    async def start(self) -> None:
        self._api = (await self.core.start()).api
        await self.start_edge()

    async def start_edge(self) -> None:
        found = await self.edge.start()
        for name, customer in self.customers.items():
            await customer.enter(Entrance(base_url=found.channels[name], ports=found.ports.get(name, {})))

    async def sign_in(self, key: str) -> Advisor:
        http = await self.stack.enter_async_context(aiohttp.ClientSession())
        socket = await self.stack.enter_async_context(http.ws_connect(f"{self._api}/v1/session"))
        await socket.send_json({"type": "hello", "key": key})
        async with asyncio.timeout(30):
            person = Advisor(socket, json.loads(await socket.receive_str()))
        await person.ask("presence", presence="online")
        return person

    async def deliveries(self) -> list[Delivery]:
        return [_DELIVERY.decode(record.value, Delivery) async for record in self.bus.history(topics.DELIVERIES)]

    async def delivered(self, times: int) -> list[Delivery]:
        """All that is told of replies, once each of two is told of so often."""

        async def found() -> list[Delivery]:
            told = await self.deliveries()
            counts = Counter(delivery.reply for delivery in told)
            return told if len(counts) == len(CHANNELS) and min(counts.values()) >= times else []

        return await eventually(found, within_s=90)

    async def forget_offsets(self) -> None:
        """What the accounts' groups have read counts as unread."""
        for name in CHANNELS:
            await eventually(lambda group=f"replies.{name}-account": self._reset(group), within_s=60)  # type: ignore[misc]

    async def _reset(self, group: str) -> bool:
        """Whether the broker took it: it does once the group has no members."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.kafka, group_id=group, enable_auto_commit=False)
        await consumer.start()
        try:
            places = [TopicPartition(topics.REPLIES, number) for number in range(PARTITIONS)]
            consumer.assign(places)
            await consumer.commit(dict.fromkeys(places, 0))
        except Exception:  # noqa: BLE001 - a member is still counted
            return False
        finally:
            await consumer.stop()
        return True

    async def close(self) -> None:
        await self.stack.aclose()
        await asyncio.gather(*(asyncio.to_thread(part.stop) for part in (self.edge, self.core)))
        await self.bus.close()


@pytest.fixture
def store() -> Iterator[Server]:
    yield from running("valkey", append_fsync="no")


@pytest.fixture
async def place(tmp_path: Path, store: Server, fresh_kafka: Broker) -> AsyncIterator[Place]:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "rules.yaml").write_text(RULES, "utf-8")
    (tmp_path / "roster.yaml").write_text(
        "advisors:\n  - {id: mina, name: Mina, languages: {en: 9}, budget: 100}\n", "utf-8"
    )
    customers = {name: PluginCatalog().simulator(name) for name in CHANNELS}
    accounts = {}
    for name, customer in customers.items():
        options = dict(await customer.start(f"{name}-account"))
        accounts[f"{name}-account"] = {"channel": name, "options": options}
    settings: dict[str, Any] = {
        "http": {"channels_port": 0, "api_port": 0, "ops_port": 0},
        "accounts": accounts,
        "rules_dir": str(tmp_path / "rules"),
        "roster_file": str(tmp_path / "roster.yaml"),
        "redis": {"url": store.url},
        "signing_key": "a key for a journey, long enough to sign",
        "bus": {"kind": "kafka", "inquiry_partitions": 2, "partitions": PARTITIONS},
        "kafka": {"bootstrap": [fresh_kafka.bootstrap], "session_timeout_s": 3.0},
    }
    core, edge = (
        Process(tmp_path, {**settings, "data_dir": str(tmp_path / name)}, roles=roles, name=name)
        for name, roles in (("core", ("router", "relay", "api")), ("edge", ("channels",)))
    )
    made = Place(core, edge, customers, fresh_kafka.bootstrap)
    try:
        await made.start()
        yield made
    finally:
        await made.close()
        for customer in customers.values():
            await customer.close()


async def test_replies_that_were_sent_do_not_go_out_again(place: Place, store: Server) -> None:
    key = place.core.run("keys", "create", "--advisor", "mina").strip()
    mina, cases = await place.sign_in(key), {}
    for name, customer in place.customers.items():
        said = await customer.send(CustomerMessage(ref=f"{name}-1", customer="kim", thread="t", text="hello"))
        assert said.accepted, said
        offer = await mina.push("offer")
        case = offer["case"]
        await mina.ask("accept", case=case, offer_ver=offer["offer_ver"])
        answer = await mina.ask("reply", case=case, text="one")
        assert answer["type"] == "result", answer
        assert await heard(customer) == "one"
        cases[name] = case
    await place.delivered(1)

    place.edge.kill()
    lose_all_of(store)
    await place.forget_offsets()
    await place.start_edge()
    told = await place.delivered(2)
    assert {delivery.state for delivery in told} == {DeliveryState.SENT}

    mina = await place.sign_in(key)
    for name, customer in place.customers.items():
        answer = await mina.ask("reply", case=cases[name], text="two")
        assert answer["type"] == "result", answer
        # What was read again would have come before it.
        assert await heard(customer) == "two"


async def heard(customer: Simulator) -> str:
    async with asyncio.timeout(30):
        return (await customer.next_reply()).text


def lose_all_of(store: Server) -> None:
    """The machine is gone, and another one begins with nothing."""
    store.kill()
    data = [path for path in store.data_dir.rglob("*") if path.suffix in {".aof", ".rdb", ".manifest"}]
    assert data
    for path in data:
        path.unlink()
    store.start()
