import asyncio
import contextlib
from collections.abc import AsyncIterator
from functools import partial
from importlib.resources import files

import msgspec
import pytest

from router.contract import topics
from router.contract.codec import header
from router.contract.config import ACTIVE_RULEBOOK, ApiKey, Role, key_entry, named_key, named_rulebook, rulebook_entry
from router.contract.ids import PoolId
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.protocol import Bus, Outgoing, Record
from router.runtime.bus.streams import StreamsBus
from router.runtime.clock import SystemClock
from router.runtime.errors import BusUnavailable
from router.service.configuration.api_keys import KeyTable, make_key
from router.service.configuration.topic import ConfigurationTail, ConfigurationWriter
from rules import Rulebook, content, load
from tests.servers import Server
from tests.suites.eventually import eventually

POOL = PoolId("default")
_DEFAULTS = files("rules") / "defaults"


def rulebook(**changed: str) -> Rulebook:
    """The default rulebook, or one that differs from it."""
    found = {name: (_DEFAULTS / name).read_text("utf-8") for name in ("rulebook.yaml", "rules.yaml")}
    for old, new in changed.items():
        found = {name: text.replace(f"{old}:", f"{new}:") for name, text in found.items()}
    return load(found)


def _has(heard: list[str], count: int) -> bool:
    return len(heard) == count


def key() -> ApiKey:
    return make_key(Role.SUPERVISOR, POOL, created_at_ms=1)[0]


@pytest.fixture(params=["memory", "streams"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    bus: Bus = MemoryBus()
    if request.param == "streams":
        server: Server = request.getfixturevalue("valkey")
        bus = StreamsBus(server.url)
    await bus.create_topics(topics.topic_specs((POOL,), inquiry_partitions=1, partitions=1))
    yield bus
    await bus.close()


@pytest.fixture
def writer(bus: Bus) -> ConfigurationWriter:
    return ConfigurationWriter(bus, clock=SystemClock())


def tail_of(bus: Bus) -> ConfigurationTail:
    return ConfigurationTail(bus, KeyTable(), clock=SystemClock())


@contextlib.asynccontextmanager
async def running(tail: ConfigurationTail) -> AsyncIterator[ConfigurationTail]:
    task = asyncio.create_task(tail.run())
    await asyncio.wait_for(tail.ready.wait(), 5)
    try:
        yield tail
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_process_that_starts_knows_all_that_was_configured(bus: Bus, writer: ConfigurationWriter) -> None:
    one, book = key(), rulebook()
    await writer.put_key(one)
    await writer.activate(book, by="turnout up")
    tail = tail_of(bus)
    await tail.read()
    assert tail.keys.get(one.id) == one
    assert tail.rulebook is not None
    assert tail.rulebook.hash == book.hash
    assert tail.active is not None
    assert (tail.active.hash, tail.active.by) == (book.hash, "turnout up")


async def test_a_running_process_learns_of_what_is_written_later(bus: Bus, writer: ConfigurationWriter) -> None:
    heard: list[str] = []
    async with running(tail_of(bus)) as tail:
        tail.listen(lambda book: heard.append(book.hash))
        one, book = key(), rulebook()
        await writer.put_key(one)
        await writer.activate(book)
        await eventually(lambda: heard)
        assert heard == [book.hash]
        assert tail.keys.get(one.id) == one
        await writer.revoke_key(one)
        await eventually(lambda: (known := tail.keys.get(one.id)) is not None and known.revoked)


async def test_two_processes_each_see_everything(bus: Bus, writer: ConfigurationWriter) -> None:
    async with running(tail_of(bus)) as first, running(tail_of(bus)) as second:
        one = key()
        await writer.put_key(one)
        await eventually(lambda: first.keys.get(one.id) and second.keys.get(one.id))


async def test_a_revoked_key_is_not_good_again_while_the_past_is_read_once_more() -> None:
    bus = MemoryBus()
    kept = topics.TopicSpec(
        name=topics.CONFIG, partitions=1, cleanup=topics.Cleanup.COMPACT, min_compaction_lag_ms=topics.HOUR_MS
    )
    await bus.create_topics([kept])
    writer = ConfigurationWriter(bus, clock=SystemClock())
    one, two = key(), key()
    await writer.put_key(one)
    await writer.revoke_key(one)
    tail = tail_of(bus)
    told: list[bool] = []
    tail.keys.listen(lambda before: told.append(before.revoked))
    async with running(tail):
        await writer.put_key(two)
        await eventually(lambda: tail.keys.get(two.id))
    # Of the change from good to revoked, once: the group's own reading from the start undid nothing.
    assert told == [False]
    await bus.close()


async def test_listening_late_gives_the_rulebook_in_force(bus: Bus, writer: ConfigurationWriter) -> None:
    book = rulebook()
    await writer.activate(book)
    tail = tail_of(bus)
    await tail.read()
    heard: list[str] = []
    tail.listen(lambda found: heard.append(found.hash))
    assert heard == [book.hash]


async def test_the_rulebook_changes_and_the_old_one_is_still_to_be_had(bus: Bus, writer: ConfigurationWriter) -> None:
    old, new = rulebook(), rulebook(spam="junk")
    assert old.hash != new.hash
    heard: list[str] = []
    async with running(tail_of(bus)) as tail:
        tail.listen(lambda found: heard.append(found.hash))
        for count, book in enumerate((old, new, old), start=1):
            await writer.activate(book)
            await eventually(partial(_has, heard, count))
        assert heard == [old.hash, new.hash, old.hash]
        stored = tail.stored(new.hash)
        assert stored is not None
        assert content(stored) == content(new)
        assert tail.stored("0" * 16) is None


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("key/damaged", b"{"),
        ("key/wrong", b'{"id": 5}'),
        ("rulebook/0123456789abcdef", b"not a rulebook"),
        (ACTIVE_RULEBOOK, b'{"hash":"0123456789abcdef","at_ms":1}'),
        (ACTIVE_RULEBOOK, b"[]"),
        ("relay/default", b"{}"),
        ("something/else", b"\xff"),
    ],
)
async def test_what_is_damaged_or_not_its_business_changes_nothing(
    bus: Bus, writer: ConfigurationWriter, entry: str, value: bytes
) -> None:
    book, one = rulebook(), key()
    tail = tail_of(bus)
    await writer.activate(book)
    await tail.read()
    await bus.publish([Outgoing(topic=topics.CONFIG, key=entry, value=value)])
    await writer.put_key(one)
    await tail.read()
    assert tail.rulebook is not None
    assert tail.rulebook.hash == book.hash
    assert [found.id for found in tail.keys] == [one.id]


async def test_a_broken_rulebook_made_active_leaves_the_old_one_in_force(bus: Bus, writer: ConfigurationWriter) -> None:
    book = rulebook()
    await writer.activate(book)
    tail = tail_of(bus)
    await tail.read()
    bad = "feedfacefeedface"
    active = f'{{"hash":"{bad}","at_ms":2}}'.encode()
    await bus.publish([Outgoing(topic=topics.CONFIG, key=rulebook_entry(bad), value=b'{"queues":{}}')])
    await bus.publish([Outgoing(topic=topics.CONFIG, key=ACTIVE_RULEBOOK, value=active)])
    await tail.read()
    assert tail.rulebook is not None
    assert tail.rulebook.hash == book.hash


async def test_a_tombstone_takes_a_key_away(bus: Bus, writer: ConfigurationWriter) -> None:
    one = key()
    await writer.put_key(one)
    await bus.publish([Outgoing(topic=topics.CONFIG, key=key_entry(one.id), value=None)])
    tail = tail_of(bus)
    await tail.read()
    assert len(tail.keys) == 0


class _Away(MemoryBus):
    """A bus that is away for the first two reads."""

    failures = 2

    async def history(self, topic: str, *, since_ms: int = 0) -> AsyncIterator[Record]:
        if self.failures:
            self.failures -= 1
            raise BusUnavailable("away")
        async for record in super().history(topic, since_ms=since_ms):
            yield record


async def test_a_bus_that_is_away_is_waited_for() -> None:
    bus = _Away()
    await bus.create_topics(topics.topic_specs((POOL,), inquiry_partitions=1, partitions=1))
    one = key()
    await ConfigurationWriter(bus, clock=SystemClock()).put_key(one)
    async with running(tail_of(bus)) as tail:
        assert tail.keys.get(one.id) == one
    assert bus.failures == 0
    await bus.close()


async def test_entries_carry_their_kind_as_cloud_events(bus: Bus, writer: ConfigurationWriter) -> None:
    await writer.put_key(key())
    await writer.activate(rulebook())
    found = [record async for record in bus.history(topics.CONFIG)]
    assert [header(record.headers, "ce_type") for record in found] == [
        "turnout.key.v1",
        "turnout.rulebook.v1",
        "turnout.rulebook.v1",
    ]
    assert len({header(record.headers, "ce_id") for record in found}) == 3


def test_entries_are_told_apart_by_their_record_keys() -> None:
    entries = ["key/a1", "rulebook/ff", "rulebook/active", "relay/default", "key"]
    assert [(named_key(entry), named_rulebook(entry)) for entry in entries] == [
        ("a1", None),
        (None, "ff"),
        (None, None),
        (None, None),
        (None, None),
    ]
    assert msgspec.json.decode(msgspec.json.encode(key()))["role"] == "supervisor"
