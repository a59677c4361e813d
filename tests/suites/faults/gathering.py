"""Gathering the evidence of a run: the topics as they lie, the store as it is, and what was left undone."""

import re
from collections import Counter
from typing import Any, Final

import msgspec
from aiokafka.admin import AIOKafkaAdminClient

from router.contract import topics
from router.contract.advisor import AdvisorState
from router.contract.case import CaseState
from router.contract.codec import Decoder
from router.contract.events import CaseEvent
from router.contract.ids import CaseId, PoolId
from router.contract.messages import Delivery, Reply
from router.runtime.bus.kafka import KafkaBus
from router.runtime.redis import Purpose, connect
from router.store.library import Library
from router.store.redis import RedisStore
from tests.suites.faults.evidence import AdvisorRecord, HeardEvent, InquiryRecord, PoolNumbers, Snapshot

POOL: Final = PoolId("default")
GROUP: Final = "router.default"
_EVENT: Final = Decoder(CaseEvent)
_REPLY: Final = Decoder(Reply)
_DELIVERY: Final = Decoder(Delivery)


async def events(bus: KafkaBus) -> tuple[HeardEvent, ...]:
    return tuple(
        [
            HeardEvent(
                partition=record.partition.number,
                offset=record.offset,
                event=_EVENT.decode(record.value, CaseEvent),
            )
            async for record in bus.history(topics.EVENTS)
        ]
    )


async def advisors(bus: KafkaBus) -> tuple[AdvisorRecord, ...]:
    found = []
    async for record in bus.history(topics.ADVISORS):
        if record.value is not None:
            told = msgspec.json.decode(record.value)
            found.append(msgspec.convert({name: told[name] for name in AdvisorRecord.__struct_fields__}, AdvisorRecord))
    return tuple(found)


async def compacted(bus: KafkaBus) -> int:
    """How many records of the advisors are gone for a later one of theirs, which a broker does after an hour: each has
    left a hole in the offsets."""
    ends, there = Counter[int](), 0
    async for record in bus.history(topics.ADVISORS):
        ends[record.partition.number] = record.offset + 1
        there += 1
    return ends.total() - there


async def inquiries(bus: KafkaBus) -> tuple[InquiryRecord, ...]:
    """What can be decoded of them."""
    found = []
    async for record in bus.history(topics.inquiries(POOL)):
        try:
            told = msgspec.json.decode(record.value or b"")
        except msgspec.DecodeError:
            continue
        at = {"partition": record.partition.number, "offset": record.offset}
        if isinstance(told, dict) and "conversation" in told:
            found.append(InquiryRecord(**at, id=told["id"], conversation=told["conversation"]))
    return tuple(found)


async def replies(bus: KafkaBus) -> tuple[Reply, ...]:
    return tuple([_REPLY.decode(record.value, Reply) async for record in bus.history(topics.REPLIES)])


async def deliveries(bus: KafkaBus) -> tuple[Delivery, ...]:
    return tuple([_DELIVERY.decode(record.value, Delivery) async for record in bus.history(topics.DELIVERIES)])


async def letters(bus: KafkaBus) -> tuple[str, ...]:
    """The id of each inquiry among the dead letters, else its key."""
    found = []
    async for record in bus.history(topics.DEAD_LETTERS):
        try:
            found.append(str(msgspec.json.decode(record.value or b"")["id"]))
        except (msgspec.DecodeError, KeyError, TypeError):
            found.append(record.key)
    return tuple(dict.fromkeys(found))


async def committed(bootstrap: str) -> dict[int, int]:
    """The committed offset of each partition of the inquiries."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        offsets = await admin.list_consumer_group_offsets(GROUP)
    finally:
        await admin.close()
    wanted = topics.inquiries(POOL)
    return {each.partition: found.offset for each, found in offsets.items() if each.topic == wanted}


class StoreView:
    """The store, looked at directly."""

    def __init__(self, url: str) -> None:
        self._commands, self._waits = connect(url), connect(url, purpose=Purpose.BLOCKING)
        self.store = RedisStore(self._commands, self._waits)

    def with_library(self, library: Library) -> RedisStore:
        """The same store by other functions, which must be loaded."""
        return RedisStore(self._commands, self._waits, library=library)

    async def libraries(self) -> list[str]:
        """The names of the function libraries on the server."""
        found = await self._commands.call("FUNCTION", "LIST")
        assert isinstance(found, list)
        names = [dict(zip(each[::2], each[1::2], strict=True))[b"library_name"].decode() for each in found]
        return [name for name in names if name.startswith("turnout_") and "bus" not in name]

    async def refused(self, code: str) -> int:
        """How many commands the server has refused since its start with this code: OOM, MISCONF, NOREPLICAS."""
        counts = re.findall(rf"errorstat_{code}:count=(\d+)", await self.info("errorstats"))
        return int(counts[0]) if counts else 0

    async def info(self, section: str) -> str:
        """What the server tells of itself."""
        found = await self._commands.call("INFO", section)
        assert isinstance(found, bytes)
        return found.decode()

    async def change(self) -> int:
        """The number of the last change of an advisor."""
        return (await self.store.roster(POOL)).change

    async def changes_since(self, change: int) -> list[AdvisorState]:
        """Every state that an advisor has had since then, in their order."""
        found: list[AdvisorState] = []
        while changes := await self.store.changes(POOL, change):
            found += [each.advisor for each in changes]
            change = changes[-1].number
        return found

    async def close(self) -> None:
        await self.store.close()
        await self._commands.close()
        await self._waits.close()

    async def snapshot(self) -> Snapshot:
        status = await self.store.status(POOL)  # first: what happens while we look shows by its number
        names = [name.rsplit(":", 1)[1] for name in await self._names("case")]
        cases: dict[str, CaseState] = {}
        transcripts: dict[str, tuple[str, ...]] = {}
        for name in names:
            state = await self.store.case(POOL, CaseId(name))
            if state is not None:
                cases[name] = state
                transcripts[name] = _inquiries_of(await self.store.messages(POOL, state.id))
        numbers = PoolNumbers(
            gen=status.gen, number=status.number, trimmed=status.trimmed, next_timer_ms=status.next_timer_ms
        )
        return Snapshot(
            status=numbers, cases=cases, transcripts=transcripts, advisors={one.id: one for one in await self.people()}
        )

    async def people(self) -> list[AdvisorState]:
        """Every advisor's state."""
        found: list[AdvisorState] = []
        cursor = ""
        while True:
            page = await self.store.roster(POOL, cursor)
            found += page.advisors
            if not (cursor := page.cursor):
                return found

    async def _names(self, kind: str) -> list[str]:
        found = await self._commands.call("KEYS", f"*:{kind}:*")
        assert isinstance(found, list)
        return [name.decode() for name in found]


def _inquiries_of(messages: Any) -> tuple[str, ...]:
    told = (msgspec.json.decode(text) for text in messages)
    return tuple(entry["id"] for entry in told if entry["type"] == "inquiry")
