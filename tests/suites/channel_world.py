"""A process that runs one channel and nothing else, on a bus that can be held, with its provider's stand-in."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from obstore.store import MemoryStore
from prometheus_client import CollectorRegistry

from router.contract.codec import Decoder, encode
from router.contract.ids import AccountId, CaseId, PoolId, ReplyId
from router.contract.messages import Delivery, Inquiry, Reply
from router.contract.records import record_head
from router.contract.topics import DELIVERIES, inquiries, topic_specs
from router.runtime.blobs import Blobs
from router.runtime.bus.protocol import Bus, Outgoing, Position, Rebalance, Record, Subscription, Tail
from router.runtime.chat_log import ChatLog, MemoryChatLog
from router.runtime.clock import SystemClock
from router.runtime.errors import BusUnavailable
from router.runtime.hosting.channel_role import ChannelRole, RoleLimits, RoleParts
from router.runtime.hosting.reply_sender import SendPolicy
from router.runtime.ledger import MemoryLedger
from router.runtime.plugins import Account, Adapter
from router.runtime.secret import Secret
from router.runtime.settings.model import AccountSettings, HttpSettings, Settings
from router.runtime.settings.tree import build
from router.runtime.signer import Signer
from router.runtime.simulators import Simulator
from tests.suites.eventually import eventually

ACCOUNT = AccountId("shop")
POOL = PoolId("default")
HASTY = RoleLimits(sending=SendPolicy(send_s=2.0, first_wait_s=0.01, longest_wait_s=0.05, give_up_s=20.0))

_INQUIRY = Decoder(Inquiry)
_DELIVERY = Decoder(Delivery)


class HeldBus:
    """A bus whose publishes wait or fail while a test says so."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._open = asyncio.Event()
        self._open.set()
        self.is_down = False
        self.waiting = 0

    def hold(self) -> None:
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    async def publish(self, records: Sequence[Outgoing]) -> Sequence[Position]:
        self.waiting += len(records)
        try:
            await self._open.wait()
        finally:
            self.waiting -= len(records)
        if self.is_down:
            raise BusUnavailable("the bus is away")
        return await self._bus.publish(records)

    async def create_topics(self, specs: Sequence[Any]) -> None:
        await self._bus.create_topics(specs)

    async def subscribe(self, group: str, topics: Sequence[str], rebalance: Rebalance) -> Subscription:
        return await self._bus.subscribe(group, topics, rebalance)

    def history(self, topic: str, *, since_ms: int = 0) -> AsyncIterator[Record]:
        return self._bus.history(topic, since_ms=since_ms)

    async def tail(self, topic: str, *, since_ms: int | None = None) -> Tail:
        return await self._bus.tail(topic, since_ms=since_ms)

    async def close(self) -> None:
        await self._bus.close()


class ChannelWorld:
    """``role`` is the process; ``restart`` gives it a successor on the same bus and ledger."""

    def __init__(self, bus: Bus, adapter: Adapter[Any], simulator: Simulator, limits: RoleLimits = HASTY) -> None:
        self.bus = HeldBus(bus)
        self.adapter = adapter
        self.simulator = simulator
        self.ledger = MemoryLedger()
        self.chat_log: ChatLog = MemoryChatLog()
        self.clock = SystemClock()
        self.signer = Signer([Secret("a key for tests only, 32 characters")])
        self.blob_store = MemoryStore()
        self.blobs = Blobs(self.blob_store, self.signer)
        self.failures: list[BaseException] = []
        self.registry = CollectorRegistry()
        self._limits = limits
        self.trusted_proxies: tuple[str, ...] = ()
        self._options: Any = None
        self.role: ChannelRole | None = None
        self._replicas: list[ChannelRole] = []

    async def prepare(self) -> None:
        """Topics and the provider's side are there; the process isn't."""
        await self.bus.create_topics(topic_specs((POOL,), inquiry_partitions=4, partitions=2))
        raw = await self.simulator.start(ACCOUNT)
        problems: list[str] = []
        self._options = build(self.adapter.options_type(), dict(raw), problems=problems)
        assert problems == []

    async def start(self) -> ChannelRole:
        self.role = await self._begun()
        await self.simulator.enter(self.role.entrances()[self.adapter.name])
        return self.role

    async def replicate(self) -> ChannelRole:
        """One more process beside the first."""
        replica = await self._begun()
        self._replicas.append(replica)
        return replica

    async def _begun(self) -> ChannelRole:
        self.registry = CollectorRegistry()
        http = HttpSettings(channels_port=0, trusted_proxies=self.trusted_proxies)
        role = ChannelRole(
            RoleParts(self.bus, self.ledger, self.blobs, self.signer, self.clock, self.registry, self.chat_log),
            settings=Settings(accounts={ACCOUNT: AccountSettings(channel=self.adapter.name)}, http=http),
            channels={self.adapter.name: (self.adapter, [Account(id=ACCOUNT, pool=POOL, options=self._options)])},
            on_failure=self.failures.append,
            limits=self._limits,
        )
        await role.start()
        return role

    async def stop(self) -> None:
        """End the first process. Where others run, what stands before them sends everybody there."""
        if self.role is not None:
            await self.role.close(5.0)
            self.role = None
            if self._replicas:
                await self.simulator.enter(self._replicas[0].entrances()[self.adapter.name])

    async def close(self) -> None:
        self.bus.release()
        replicas, self._replicas = self._replicas, []
        await self.stop()
        for replica in replicas:
            await replica.close(5.0)
        await self.simulator.close()
        await self.bus.close()
        assert self.failures == []

    async def inquiries(self) -> list[Inquiry]:
        """All that is on the bus."""
        return [_INQUIRY.decode(record.value, Inquiry) async for record in self.bus.history(inquiries(POOL))]

    async def inquiries_of(self, count: int) -> list[Inquiry]:
        """As soon as there are so many."""
        found: list[Inquiry] = await eventually(lambda: self._at_least(count))
        return found

    async def _at_least(self, count: int) -> list[Inquiry]:
        found = await self.inquiries()
        return found if len(found) >= count else []

    async def deliveries(self, reply: ReplyId) -> list[Delivery]:
        all_ = [_DELIVERY.decode(record.value, Delivery) async for record in self.bus.history(DELIVERIES)]
        return [delivery for delivery in all_ if delivery.reply == reply]

    async def delivery(self, reply: ReplyId) -> Delivery:
        """As soon as there is one."""
        found: list[Delivery] = await eventually(lambda: self.deliveries(reply))
        return found[0]

    async def answer(self, inquiry: Inquiry, reply: str, text: str = "Here is your answer.") -> Reply:
        """What the router publishes when an advisor answers."""
        made = Reply(
            id=ReplyId(reply),
            pool=inquiry.pool,
            case=CaseId(inquiry.id),
            conversation=inquiry.conversation,
            to=inquiry.reply_to,
            text=text,
            created_at_ms=self.clock.now_ms(),
            thread=inquiry.thread,
        )
        await self.publish(made)
        return made

    async def publish(self, reply: Reply) -> None:
        head = record_head(reply)
        await self.bus.publish([Outgoing(topic=head.topic, key=head.key, value=encode(reply), headers=head.headers)])


@asynccontextmanager
async def running(world: ChannelWorld) -> AsyncIterator[ChannelWorld]:
    """The world with its process up; everything is closed at the end."""
    try:
        await world.prepare()
        await world.start()
        yield world
    finally:
        await world.close()
