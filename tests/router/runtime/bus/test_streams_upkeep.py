"""What is particular to streams: retention, put-off compaction, idle groups, memory, libraries, wake-ups."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from router.contract.topics import Cleanup, TopicSpec
from router.runtime.bus.protocol import Outgoing, Record
from router.runtime.bus.streams import StreamsBus
from router.runtime.bus.streams_group import StreamsSubscription
from router.runtime.bus.streams_upkeep import Keeping
from router.runtime.keys import BusKeys
from router.runtime.redis import Argument
from tests.servers import Server
from tests.suites.bus_checks import history_of, poll_until, records_of, texts, watermarks_of
from tests.suites.bus_members import Handled, Member
from tests.suites.eventually import eventually

KEYS = BusKeys()


@asynccontextmanager
async def _bus(
    server: Server,
    keeping: Keeping = Keeping(),  # noqa: B008 (immutable)
    *,
    lease_ms: int = 1000,
) -> AsyncIterator[StreamsBus]:
    bus = StreamsBus(server.url, lease_ms=lease_ms, keeping=keeping)
    try:
        yield bus
    finally:
        await bus.close()


@pytest.fixture
async def bus(redis_server: Server) -> AsyncIterator[StreamsBus]:
    async with _bus(redis_server, Keeping(max_topic_bytes=20_000, tombstone_ms=1)) as bus:
        yield bus


async def _upkeep(bus: StreamsBus) -> None:
    """A round now. One at the same millisecond does nothing, so until one was let through."""
    await eventually(lambda: bus.upkeep.once(interval_ms=1))


def _stamp_ms() -> int:
    return time.time_ns() // 1_000_000


async def _later(than: Record, by_ms: int) -> None:
    await eventually(lambda: _stamp_ms() > than.published_at_ms + by_ms)


async def _member(bus: StreamsBus, group: str, topic: str) -> tuple[Member, StreamsSubscription]:
    member = Member(bus, group, topic, handled=Handled())
    subscription = await bus.subscribe(group, [topic], member)
    await subscription.poll(max_records=1, timeout_ms=1)
    return member, subscription


async def test_what_is_too_much_goes_but_never_past_the_lowest_cursor(bus: StreamsBus) -> None:
    await bus.create_topics([TopicSpec(name="t", partitions=1)])
    fast_member, fast = await _member(bus, "fast", "t")
    _, slow = await _member(bus, "slow", "t")
    await bus.publish([Outgoing(topic="t", key=f"{n}", value=bytes(1000)) for n in range(600)])
    read = await poll_until(slow, 100)
    await fast.commit({read[0].partition: (fast_member.owned[read[0].partition], 600)})
    await slow.commit(watermarks_of(read[:40]))
    await _upkeep(bus)
    assert (await history_of(bus, "t"))[0].offset == 40
    await slow.commit({read[0].partition: (read[0].epoch, 600)})
    await _upkeep(bus)
    left = await history_of(bus, "t")
    assert 15 <= len(left) <= 20  # 20,000 bytes of them
    assert left[-1].offset == 599
    await fast.close()
    await slow.close()


async def test_what_is_too_old_goes(bus: StreamsBus) -> None:
    await bus.create_topics([TopicSpec(name="t", partitions=2, retention_ms=100)])
    await bus.publish(records_of("t", *(f"k{n}:old" for n in range(20))))
    await _later((await history_of(bus, "t"))[-1], 150)
    await bus.publish(records_of("t", "k:new"))
    await _upkeep(bus)
    assert texts(await history_of(bus, "t")) == ["k:new"]
    positions = await bus.publish(records_of("t", *(f"k{n}:more" for n in range(20))))
    assert sum(position.offset for position in positions) > 100  # offsets go on


async def test_a_group_that_nobody_uses_is_forgotten_and_its_records_may_go(redis_server: Server) -> None:
    forgotten: list[str] = []
    bus = StreamsBus(
        redis_server.url,
        lease_ms=300,
        keeping=Keeping(max_topic_bytes=1, idle_group_ms=20),
        on_group_expired=forgotten.append,
    )
    await bus.create_topics([TopicSpec(name="t", partitions=1)])
    await _upkeep(bus)  # after the bus's own first round, which may count a long time
    _, alive = await _member(bus, "alive", "t")
    _, dead = await _member(bus, "dead", "t")
    await bus.publish(records_of("t", *(f"k{n}:0" for n in range(100))))
    await alive.commit(watermarks_of(await poll_until(alive, 100)))
    await dead.close()
    await _upkeep(bus)
    assert len(await history_of(bus, "t")) == 100
    # The bus's age grows by at most two intervals a round, so a long time without it is no idleness.
    while not forgotten:
        await alive.poll(max_records=1, timeout_ms=120)
        await _upkeep(bus)
    assert forgotten == ["dead"]
    await _upkeep(bus)
    assert len(await history_of(bus, "t")) == 1
    again = Member(bus, "dead", "t", handled=Handled())
    back = await bus.subscribe("dead", ["t"], again)
    assert len(await poll_until(back, 1)) == 1
    await bus.close()


async def test_a_superseded_record_stays_for_the_compaction_lag(bus: StreamsBus) -> None:
    spec = TopicSpec(name="c", partitions=1, cleanup=Cleanup.COMPACT, min_compaction_lag_ms=300)
    await bus.create_topics([spec])
    await bus.publish(records_of("c", "a:0", "b:0", "a:1"))
    await _upkeep(bus)
    found = await history_of(bus, "c")
    assert texts(found) == ["a:0", "b:0", "a:1"]
    await _later(found[-1], 300)
    await _upkeep(bus)
    assert texts(await history_of(bus, "c")) == ["b:0", "a:1"]
    await bus.publish(records_of("c", "b:1", "b:2"))  # b:0 is old enough to go at once, b:1 is not
    assert texts(await history_of(bus, "c")) == ["a:1", "b:1", "b:2"]


async def test_a_tombstone_goes_after_its_time_and_the_key_may_come_back(bus: StreamsBus, redis_server: Server) -> None:
    await bus.create_topics([TopicSpec(name="c", partitions=1, cleanup=Cleanup.COMPACT)])
    await bus.publish([*records_of("c", "a:0", "b:0"), Outgoing(topic="c", key="a", value=None)])
    found = await history_of(bus, "c")
    assert [(record.key, record.value) for record in found] == [("b", b"b:0"), ("a", None)]
    await _later(found[-1], 5)
    await _upkeep(bus)
    assert texts(await history_of(bus, "c")) == ["b:0"]
    assert redis_server.ask(f"HEXISTS {KEYS.index('c', 0)} a") == b":0"
    await bus.publish([Outgoing(topic="c", key="b", value=None), *records_of("c", "b:1")])
    await _later((await history_of(bus, "c"))[-1], 5)
    await _upkeep(bus)
    assert texts(await history_of(bus, "c")) == ["b:1"]  # a tombstone's time doesn't touch what came after


async def test_of_a_server_with_a_limit_a_topic_takes_a_twentieth(own_server: Server) -> None:
    async with _bus(own_server) as bus:
        await bus.create_topics([TopicSpec(name="t", partitions=1)])
        await bus.publish([Outgoing(topic="t", key=f"{n}", value=bytes(1000)) for n in range(600)])
        assert own_server.ask("CONFIG SET maxmemory 6000000") == b"+OK"
        await _upkeep(bus)
        kept = await history_of(bus, "t")
        assert own_server.ask("CONFIG SET maxmemory 0") == b"+OK"
    assert 250 < len(kept) < 300
    assert kept[-1].offset == 599


async def test_over_its_memory_the_bus_still_lets_relays_and_consumers_on(
    bus: StreamsBus, redis_server: Server
) -> None:
    await bus.create_topics([TopicSpec(name="t", partitions=1)])
    _, member = await _member(bus, "g", "t")
    await bus.publish(records_of("t", *(f"k{n}:0" for n in range(100))))
    read = await poll_until(member, 100)
    assert redis_server.ask("CONFIG SET maxmemory 1") == b"+OK"
    try:
        await bus.publish(records_of("t", "late:0"))  # as a relay, whose outbox gets shorter by it
        assert await member.commit(watermarks_of(read)) == {read[0].partition}
        await _upkeep(bus)
        await bus.create_topics([TopicSpec(name="t", partitions=1)])  # as a process that starts
        other_member, other = await _member(bus, "other", "t")
        assert len(other_member.owned) == 1
        await other.close()
        await member.close()
    finally:
        assert redis_server.ask("CONFIG SET maxmemory 0") == b"+OK"


async def test_a_hand_over_does_not_wait_for_a_lease(redis_server: Server) -> None:
    async with _bus(redis_server, lease_ms=600_000) as bus, _bus(redis_server, lease_ms=600_000) as other:
        await bus.create_topics([TopicSpec(name="t", partitions=6)])
        first = Member(bus, "g", "t", name="a", handled=Handled())
        second = Member(other, "g", "t", name="b", handled=Handled())
        async with first.running():
            await eventually(lambda: len(first.owned) == 6)
            async with second.running():
                await eventually(lambda: (len(first.owned), len(second.owned)) == (3, 3), within_s=5)
            await eventually(lambda: len(first.owned) == 6, within_s=5)


async def test_a_dead_member_is_found_though_its_lease_lies_far_ahead(redis_server: Server) -> None:
    async with _bus(redis_server, lease_ms=200) as bus:
        await bus.create_topics([TopicSpec(name="t", partitions=2)])
        dead = Member(bus, "g", "t", name="dead", handled=Handled())
        subscription = await bus.subscribe("g", ["t"], dead)
        await subscription.poll(max_records=1, timeout_ms=10)
        assert len(dead.owned) == 2
        # As after the clock was set back by years.
        name = subscription._joined.member
        assert redis_server.ask(f"ZADD {KEYS.members('g')} 9000000000000 {name}") == b":0"
        member = Member(bus, "g", "t", handled=Handled())
        async with member.running():
            await eventually(lambda: len(member.owned) == 2)


async def test_few_records_a_poll_starve_no_partition(bus: StreamsBus) -> None:
    await bus.create_topics([TopicSpec(name="t", partitions=8)])
    await bus.publish(records_of("t", *(f"k{n}:0" for n in range(400))))
    subscription = await bus.subscribe("g", ["t"], Member(bus, "g", "t", handled=Handled()))
    found: list[Record] = []
    for _ in range(40):
        records = await subscription.poll(max_records=2, timeout_ms=100)
        assert 1 <= len(records) <= 2
        found += records
    assert len({record.partition for record in found}) == 8
    await subscription.close()


async def test_a_server_that_lost_its_functions_gets_them_again(bus: StreamsBus, redis_server: Server) -> None:
    await bus.create_topics([TopicSpec(name="t", partitions=1)])
    assert redis_server.ask("FUNCTION FLUSH SYNC") == b"+OK"
    outcomes = await asyncio.gather(*(bus.publish(records_of("t", f"k:{n}")) for n in range(20)))
    assert len({position for positions in outcomes for position in positions}) == 20


async def test_an_unused_version_of_the_library_goes(redis_server: Server) -> None:
    async with _bus(redis_server, Keeping(unused_library_ms=5)) as bus:
        await _sees_a_library_go(bus, redis_server)


async def _sees_a_library_go(bus: StreamsBus, redis_server: Server) -> None:
    await bus.create_topics([TopicSpec(name="t", partitions=1)])
    code = "#!lua name=turnout_bus_older\\nredis.register_function('bus_x_older', function() return 1 end)"
    assert redis_server.ask(f'FUNCTION LOAD "{code}"') == b"$17"
    await _upkeep(bus)
    assert redis_server.ask("FCALL bus_x_older 0") == b":1"
    while redis_server.ask("FCALL bus_x_older 0") == b":1":
        await _upkeep(bus)
    await bus.publish(records_of("t", "k:0"))


async def test_a_poll_cut_off_between_two_reads_hands_everything_out_again(
    bus: StreamsBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    await bus.create_topics([TopicSpec(name="t", partitions=2)])
    _, subscription = await _member(bus, "g", "t")
    await bus.publish(records_of("t", *(f"hot:{n}" for n in range(20))))
    read, second = subscription._reads.call, asyncio.Event()

    async def cut_off(*args: Argument, wait_s: float) -> object:
        if "BLOCK" not in args:  # the read that fills up what the first one left
            second.set()
            await asyncio.Event().wait()
        return await read(*args, wait_s=wait_s)

    monkeypatch.setattr(subscription._reads, "call", cut_off)
    polling = asyncio.create_task(subscription.poll(max_records=10, timeout_ms=100))
    await second.wait()
    polling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await polling
    monkeypatch.undo()
    assert texts(await poll_until(subscription, 20)) == [f"hot:{n}" for n in range(20)]
    await subscription.close()
