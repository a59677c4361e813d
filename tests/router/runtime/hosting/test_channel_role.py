import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from msgspec.structs import replace
from obstore.store import MemoryStore
from prometheus_client import CollectorRegistry

from router.contract.ids import AccountId, CaseId, ConversationId, InquiryId, PoolId, ReplyId
from router.contract.messages import Address, Customer, Delivery, DeliveryState, Inquiry, Reply
from router.contract.topics import topic_specs
from router.runtime.blobs import Blobs
from router.runtime.bus.memory import MemoryBus
from router.runtime.chat_log import MemoryChatLog
from router.runtime.clock import SystemClock
from router.runtime.errors import PluginFailed, RecordRefused, TaskDied
from router.runtime.hosting.channel_role import ChannelRole, RoleParts
from router.runtime.ledger import MemoryLedger
from router.runtime.plugins import Account, ChannelHost, OpenChannel, SendResult, sent
from router.runtime.secret import Secret
from router.runtime.settings.model import AccountSettings, HttpSettings, Settings
from router.runtime.signer import Signer
from tests.suites.eventually import eventually

POOL = PoolId("default")
INQUIRY = Inquiry(
    id=InquiryId("i1"),
    pool=POOL,
    account=AccountId("a-account"),
    channel="a",
    conversation=ConversationId("v1"),
    customer=Customer(id="c1"),
    reply_to=Address(account=AccountId("a-account"), address="c1"),
    received_at_ms=1,
    text="hello",
)


class NoOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Told:
    """A channel type that does what a test tells it, and writes down what happens to it."""

    deduplicates = True

    def __init__(self, name: str, log: list[str]) -> None:
        self.name = name
        self.log = log
        self.host: ChannelHost | None = None
        self.fails = False
        self.trouble = ""
        self.stuck = False

    def options_type(self) -> type[NoOptions]:
        return NoOptions

    async def open(self, accounts: Sequence[Account[NoOptions]], host: ChannelHost) -> OpenChannel:
        if self.fails:
            raise PluginFailed("the port is taken: free it")
        self.host = host
        self.log.append(f"{self.name} opens")
        return self

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        return (web.get("/where", self._where),)

    async def _where(self, _request: web.Request) -> web.Response:
        assert self.host is not None
        return web.Response(text=self.host.base_url)

    def ports(self) -> Mapping[str, int]:
        return {"smtp": 2525}

    def troubles(self) -> Sequence[str]:
        return [self.trouble] if self.trouble else []

    async def send(self, reply: Reply) -> SendResult:
        return sent()

    async def stop_intake(self) -> None:
        self.log.append(f"{self.name} stops its intake")
        if self.stuck:
            raise RuntimeError("it is stuck")

    async def close(self, within_s: float) -> None:
        self.log.append(f"{self.name} closes")
        if self.stuck:
            await asyncio.Event().wait()


class Bench:
    def __init__(self, **http: Any) -> None:
        self.log: list[str] = []
        self.failures: list[BaseException] = []
        self.bus = MemoryBus()
        self.a, self.b = Told("a", self.log), Told("b", self.log)
        signer = Signer([Secret("x" * 32)])
        blobs = Blobs(MemoryStore(), signer)
        self.role = ChannelRole(
            RoleParts(self.bus, MemoryLedger(), blobs, signer, SystemClock(), CollectorRegistry(), MemoryChatLog()),
            settings=Settings(
                accounts={f"{name}-account": AccountSettings(channel=name) for name in ("a", "b")},
                http=HttpSettings(**{"channels_port": 0, **http}),
            ),
            channels={
                told.name: (told, [Account(id=AccountId(f"{told.name}-account"), pool=POOL, options=NoOptions())])
                for told in (self.a, self.b)
            },
            on_failure=self.failures.append,
        )

    async def start(self) -> None:
        await self.bus.create_topics(topic_specs((POOL,), inquiry_partitions=2, partitions=2))
        await self.role.start()

    @property
    def host(self) -> ChannelHost:
        assert self.a.host is not None
        return self.a.host


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    await made.start()
    yield made
    await made.role.close(1.0)


async def _get(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as client, client.get(url) as response:
        return response.status, await response.text()


async def test_every_channel_is_found_under_its_name_and_knows_it(bench: Bench) -> None:
    entrances = bench.role.entrances()
    assert set(entrances) == {"a", "b"}
    for name, entrance in entrances.items():
        assert entrance.base_url == f"{bench.role.url}/{name}"
        assert entrance.ports == {"smtp": 2525}
        assert await _get(f"{entrance.base_url}/where") == (200, entrance.base_url)


async def test_customers_see_the_address_of_the_settings() -> None:
    bench = Bench(channels_url="https://chat.example/in/")
    await bench.start()
    assert bench.host.base_url == "https://chat.example/in/a"
    assert bench.role.entrances()["a"].base_url.startswith("http://127.0.0.1:")
    await bench.role.close(1.0)


async def test_troubles_name_their_channel(bench: Bench) -> None:
    assert list(bench.role.troubles()) == []
    bench.b.trouble = "the mailbox refuses our password"
    assert list(bench.role.troubles()) == ["b: the mailbox refuses our password"]


async def test_a_channel_that_cannot_open_closes_those_that_are() -> None:
    bench = Bench()
    bench.b.fails = True
    with pytest.raises(PluginFailed, match="free it"):
        await bench.start()
    assert bench.log == ["a opens", "a stops its intake", "a closes"]
    assert bench.failures == []
    with pytest.raises(aiohttp.ClientConnectorError):
        await _get(bench.role.url)


async def test_a_taken_port_is_an_error_of_the_start(bench: Bench) -> None:
    other = Bench(channels_port=int(bench.role.url.rpartition(":")[2]))
    with pytest.raises(OSError, match="in use"):
        await other.start()
    assert other.log == []


async def test_the_end_comes_in_order_and_once(bench: Bench) -> None:
    bench.log.clear()
    await bench.role.stop_intake()
    await bench.role.close(1.0)
    await bench.role.close(1.0)
    assert bench.log[:2] == ["a stops its intake", "b stops its intake"]
    assert bench.log[-2:] == ["a closes", "b closes"]
    assert bench.failures == []


async def test_a_channel_that_does_not_stop_keeps_no_other_from_it(bench: Bench) -> None:
    bench.a.stuck = True
    loop = asyncio.get_running_loop()
    began_s = loop.time()
    await bench.role.close(0.5)
    assert "b closes" in bench.log
    assert loop.time() - began_s < 5
    with pytest.raises(aiohttp.ClientConnectorError):
        await _get(bench.role.url)


@pytest.mark.parametrize("error", [None, ValueError("broken")])
async def test_a_task_that_ends_stops_the_service(bench: Bench, error: Exception | None) -> None:
    async def poll() -> None:
        if error is not None:
            raise error

    bench.host.spawn("poller", poll())
    await eventually(lambda: bench.failures)
    (failure,) = bench.failures
    assert isinstance(failure, TaskDied)
    assert "a-poller" in str(failure)
    assert failure.__cause__ is error


async def test_tasks_of_a_channel_end_with_it_and_are_no_failure(bench: Bench) -> None:
    ended = asyncio.Event()

    async def poll() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    bench.host.spawn("poller", poll())
    await asyncio.sleep(0)
    await bench.role.close(1.0)
    assert ended.is_set()
    assert bench.failures == []


@pytest.mark.parametrize(
    "foreign",
    [
        replace(INQUIRY, channel="b"),
        replace(INQUIRY, account=AccountId("b-account")),
        replace(INQUIRY, pool=PoolId("other")),
    ],
)
async def test_a_channel_speaks_for_its_own_accounts_only(bench: Bench, foreign: Inquiry) -> None:
    await bench.host.accept(INQUIRY)
    with pytest.raises(RecordRefused):
        await bench.host.accept(foreign)


async def test_a_bounce_of_a_foreign_account_is_refused(bench: Bench) -> None:
    delivery = Delivery(
        reply=ReplyId("r"),
        pool=POOL,
        case=CaseId("c"),
        account=AccountId("a-account"),
        conversation=ConversationId("v"),
        state=DeliveryState.FAILED,
        at_ms=1,
    )
    await bench.host.report(delivery)
    with pytest.raises(RecordRefused):
        await bench.host.report(replace(delivery, account=AccountId("b-account")))


async def test_the_watchdog_can_see_that_replies_are_read(bench: Bench) -> None:
    assert await eventually(bench.role.polled_at) is not None
