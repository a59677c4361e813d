"""Processes that tell staff and do nothing else, one after the other on the same bus and ledger."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from obstore.store import MemoryStore
from prometheus_client import CollectorRegistry

from router.contract.advisor import Advisor, Presence, Profile
from router.contract.codec import encode
from router.contract.ids import AdvisorId, CaseId, NoticeId, PoolId
from router.contract.messages import Notice
from router.contract.records import record_head
from router.contract.topics import ADVISORS, DEAD_LETTERS, NOTICES, topic_specs
from router.runtime.blobs import Blobs
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.protocol import Bus, Outgoing, Partition, Record
from router.runtime.chat_log import MemoryChatLog
from router.runtime.clock import Clock, SystemClock
from router.runtime.hosting.channel_role import RoleParts
from router.runtime.hosting.notice_role import GROUP, NoticeRole
from router.runtime.hosting.notice_sender import PROMPT
from router.runtime.hosting.reply_sender import SendPolicy
from router.runtime.ledger import Ledger, MemoryLedger
from router.runtime.notifiers import Bulletin, Notifier, Target, bulletin
from router.runtime.secret import Secret
from router.runtime.signer import Signer
from tests.suites.channel_world import HeldBus
from tests.suites.eventually import eventually

POOL = PoolId("default")
HASTY = SendPolicy(send_s=1.0, first_wait_s=0.01, longest_wait_s=0.05, give_up_s=3600.0)

Notifiers = Mapping[str, tuple[Notifier[Any], Sequence[Target[Any]]]]


def notice(id_: str = "n1", *, case: str = "c1", target: str = "desk", at_ms: int = 1_760_000_000_000) -> Notice:
    return Notice(
        id=NoticeId(id_),
        pool=POOL,
        case=CaseId(case),
        kind="step",
        target=target,
        at_ms=at_ms,
        queue="billing",
        priority=2,
        step=1,
        clock="first_response",
        due_at_ms=at_ms + 60_000,
    )


def told(*notices: Notice) -> Bulletin:
    """One message of these; of one alone when none is given."""
    return bulletin(notices or (notice(),))


class _Nobody:
    """Takes part in no hand-over: a look at a group from outside."""

    async def assigned(self, partitions: Mapping[Partition, int]) -> None: ...

    async def revoked(self, partitions: frozenset[Partition]) -> None: ...

    async def lost(self, partitions: frozenset[Partition]) -> None: ...


class NoticeWorld:
    """``begin`` starts a process, ``end`` stops it; the next one finds the bus and the ledger as they are."""

    def __init__(
        self,
        notifiers: Notifiers,
        *,
        clock: Clock | None = None,
        ledger: Ledger | None = None,
        policy: SendPolicy = PROMPT,
        bus: Bus | None = None,
        partitions: int = 1,
    ) -> None:
        self._partitions = partitions
        self.bus = HeldBus(bus or MemoryBus())
        self.clock = clock or SystemClock()
        self.ledger = ledger or MemoryLedger()
        self.failures: list[BaseException] = []
        self.registry = CollectorRegistry()
        self._notifiers = notifiers
        self._policy = policy
        self.role: NoticeRole | None = None

    def make(self) -> NoticeRole:
        """A process that hasn't begun."""
        self.registry = CollectorRegistry()
        signer = Signer([Secret("x" * 32)])
        blobs = Blobs(MemoryStore(), signer)
        chat_log = MemoryChatLog()
        parts = RoleParts(self.bus, self.ledger, blobs, signer, self.clock, self.registry, chat_log)
        return NoticeRole(parts, notifiers=self._notifiers, on_failure=self.failures.append, policy=self._policy)

    async def begin(self) -> NoticeRole:
        await self.bus.create_topics(topic_specs((POOL,), inquiry_partitions=1, partitions=self._partitions))
        self.role = role = self.make()
        await role.start()
        return role

    async def end(self, within_s: float = 2.0) -> None:
        if self.role is not None:
            await self.role.close(within_s)
            self.role = None

    async def close(self) -> None:
        self.bus.release()
        self.bus.is_down = False
        await self.end()
        await self.bus.close()

    async def publish(self, *notices: Notice) -> None:
        heads = [(record_head(one), encode(one)) for one in notices]
        await self.bus.publish(
            [Outgoing(topic=head.topic, key=head.key, value=value, headers=head.headers) for head, value in heads]
        )

    async def hire(self, advisor: str, *, active: bool = True, **profile: object) -> None:
        """Publish an advisor, as the router does."""
        shown = Profile(name=advisor.title(), active=active, **profile)  # type: ignore[arg-type]  # a few by name
        row = Advisor(
            id=AdvisorId(advisor), pool=POOL, gen=1, ver=1, elig=1, at_ms=1, presence=Presence.ONLINE, profile=shown
        )
        await self.bus.create_topics(topic_specs((POOL,), inquiry_partitions=1, partitions=self._partitions))
        await self.bus.publish([Outgoing(topic=ADVISORS, key=advisor, value=encode(row))])

    async def publish_bytes(self, value: bytes) -> None:
        await self.bus.publish([Outgoing(topic=NOTICES, key="c1", value=value)])

    async def unfinished(self) -> list[Record]:
        """What a successor would read. Only between two processes."""
        assert self.role is None, "end the process first"
        subscription = await self.bus.subscribe(GROUP, (NOTICES,), _Nobody())
        try:
            return list(await subscription.poll(max_records=1000, timeout_ms=20))
        finally:
            await subscription.close()

    async def letters(self) -> list[Record]:
        return [record async for record in self.bus.history(DEAD_LETTERS)]

    def counted(self, outcome: str) -> float:
        return self._sample("turnout_notices_total", outcome=outcome)

    def put_off(self) -> float:
        return self._sample("turnout_notices_put_off_total")

    def in_hand(self) -> float:
        return self._sample("turnout_notices_in_hand")

    def _sample(self, name: str, **labels: str) -> float:
        value = self.registry.get_sample_value(name, labels)
        assert value is not None, f"{name} {labels} isn't counted"
        return value

    async def counts(self, outcome: str, at_least: int = 1) -> None:
        """Return once so many notices ended so."""
        await eventually(lambda: self.counted(outcome) >= at_least)


@asynccontextmanager
async def telling(world: NoticeWorld) -> AsyncIterator[NoticeWorld]:
    """The world with its process up; everything is closed at the end, and no task has died."""
    try:
        await world.begin()
        yield world
    finally:
        await world.close()
    assert world.failures == []
