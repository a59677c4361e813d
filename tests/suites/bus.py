"""What every bus must do on a broker that is well: derive ``BusSuite`` and give it a fixture ``cluster``."""

import asyncio
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from router.contract.topics import Cleanup, TopicSpec
from router.runtime.bus.lanes import Consumer, Limits
from router.runtime.bus.protocol import Bus, Outgoing, Partition, Record
from router.runtime.errors import RecordRefused, TopicDiffers
from tests.suites.bus_checks import (
    PATIENCE_S,
    Cluster,
    Flow,
    NoHooks,
    check_handled,
    check_order_by_key,
    history_of,
    new_topic,
    opened,
    poll_until,
    polled_again,
    records_of,
    texts,
    unique,
    watermarks_of,
)
from tests.suites.bus_members import Handled, Member, Reluctant
from tests.suites.bus_tails import TailSuite
from tests.suites.eventually import eventually


class BusSuite(TailSuite):
    """Derive, and give a fixture ``cluster``."""

    @pytest.fixture
    async def bus(self, cluster: Cluster) -> AsyncIterator[Bus]:
        async with opened(cluster) as bus:
            yield bus

    async def test_records_come_as_they_were_published(self, bus: Bus) -> None:
        topic = await new_topic(bus, 1)
        sent = [
            Outgoing(topic=topic, key="키", value=b"\x00\xff", headers=(("ce_id", b"1"), ("empty", b""))),
            Outgoing(topic=topic, key="", value=b""),
            Outgoing(topic=topic, key="k", value=None, headers=(("a", b"1"), ("a", b"2"))),
        ]
        before_ms = time.time_ns() // 1_000_000
        positions = await bus.publish(sent)
        found = await history_of(bus, topic)
        assert [(r.key, r.value, r.headers) for r in found] == [(s.key, s.value, s.headers) for s in sent]
        assert [(r.partition, r.offset, r.epoch) for r in found] == [(*p, 0) for p in positions]
        assert all(before_ms - 1000 <= r.published_at_ms <= before_ms + 60_000 for r in found)

    async def test_many_records_of_one_call_keep_their_order(self, bus: Bus) -> None:
        topic = await new_topic(bus, 3)
        assert await bus.publish([]) == []
        sent = [Outgoing(topic=topic, key=f"k{n % 7}", value=f"{n}".encode() * 200) for n in range(700)]
        positions = await bus.publish(sent)
        found = {(r.partition, r.offset): (r.key, r.value) for r in await history_of(bus, topic)}
        assert [found[position] for position in positions] == [(s.key, s.value) for s in sent]
        for key in {s.key for s in sent}:
            mine = [p for p, s in zip(positions, sent, strict=True) if s.key == key]
            assert mine == sorted(mine)
            assert len({p.partition for p in mine}) == 1

    async def test_what_can_never_be_taken_is_refused_with_its_place(self, bus: Bus) -> None:
        topic = await new_topic(bus, 1)
        good = Outgoing(topic=topic, key="a", value=b"x")
        for bad in (Outgoing(topic=topic, key="a", value=bytes(2_000_000)), records_of(unique("absent"), "a")[0]):
            with pytest.raises(RecordRefused) as refused:
                await bus.publish([good, bad])
            assert refused.value.index == 1
        await bus.publish([good])

    async def test_topics_are_created_once_and_differing_ones_refused(self, bus: Bus) -> None:
        spec = TopicSpec(name=unique("topic"), partitions=3)
        await bus.create_topics([spec])
        await bus.publish(records_of(spec.name, "a:0"))
        await bus.create_topics([spec])
        assert texts(await history_of(bus, spec.name)) == ["a:0"]
        with pytest.raises(TopicDiffers, match=spec.name):
            await bus.create_topics([TopicSpec(name=spec.name, partitions=4)])
        with pytest.raises(TopicDiffers, match=spec.name):
            await bus.create_topics([TopicSpec(name=spec.name, partitions=3, cleanup=Cleanup.COMPACT)])

    async def test_history_starts_at_a_time_and_ends_at_the_end(self, bus: Bus) -> None:
        topic = await new_topic(bus, 2)
        await bus.publish(records_of(topic, *(f"k{n}:old" for n in range(30))))
        since_ms = max(record.published_at_ms for record in await history_of(bus, topic)) + 1
        await eventually(lambda: time.time_ns() // 1_000_000 > since_ms)
        new = [f"k{n}:new" for n in range(30)]
        await bus.publish(records_of(topic, *new))
        assert sorted(texts(await history_of(bus, topic, since_ms=since_ms))) == sorted(new)
        assert len(await history_of(bus, topic)) == 60
        assert await history_of(bus, topic, since_ms=since_ms + 3_600_000) == []

    async def test_a_compacted_topic_keeps_the_last_of_each_key(self, cluster: Cluster, bus: Bus) -> None:
        topic = await new_topic(bus, 2, cleanup=Cleanup.COMPACT)
        for number in range(3):
            await bus.publish(records_of(topic, *(f"k{n}:{number}" for n in range(10))))
        await bus.publish([Outgoing(topic=topic, key="k3", value=None)])
        found = await history_of(bus, topic)
        state: dict[str, bytes | None] = {record.key: record.value for record in found}
        expected = {f"k{n}": f"k{n}:2".encode() for n in range(10)}
        assert state == expected | {"k3": None}
        assert len(found) == 10 or not cluster.compacts_at_once

    async def test_order_per_key_while_members_join_and_leave(self, cluster: Cluster, bus: Bus) -> None:
        topic, group, handled = await new_topic(bus, 12), unique("group"), Handled()

        async def publish(number: int) -> None:
            await bus.publish(records_of(topic, *(f"k{n}:{number}" for n in range(1000))))

        async with AsyncExitStack() as stack:
            members = []
            for name in "abc":
                member = Member(
                    await stack.enter_async_context(opened(cluster)), group, topic, name=name, handled=handled
                )
                members.append(member)
            await stack.enter_async_context(members[0].running())
            await publish(0)
            await eventually(lambda: len(handled.records) > 200, within_s=PATIENCE_S)
            await stack.enter_async_context(members[1].running())
            await publish(1)
            async with members[2].running():
                await publish(2)
                await eventually(lambda: [len(m.owned) for m in members] == [4, 4, 4], within_s=PATIENCE_S)
                await publish(3)
            await publish(4)
            await eventually(lambda: len(set(handled.values())) == 5000, within_s=PATIENCE_S)
            assert sorted(len(m.owned) for m in members[:2]) == [6, 6]
        check_handled(handled)
        check_order_by_key(handled.values(), 5)
        assert {name for name, _ in handled.records} == {"a", "b", "c"}

    async def test_two_groups_are_independent_and_a_new_one_starts_at_the_oldest(self, bus: Bus) -> None:
        topic, first, second = await new_topic(bus, 3), Handled(), Handled()
        values = [f"k{n}:0" for n in range(50)]
        await bus.publish(records_of(topic, *values))
        group = unique("group")
        async with Member(bus, group, topic, handled=first).running():
            await eventually(lambda: sorted(first.values()) == sorted(values), within_s=PATIENCE_S)
        async with Member(bus, unique("group"), topic, handled=second).running():
            await eventually(lambda: sorted(second.values()) == sorted(values), within_s=PATIENCE_S)
        again = Handled()
        await bus.publish(records_of(topic, "new:0"))
        async with Member(bus, group, topic, handled=again).running():
            await eventually(lambda: again.values() == ["new:0"], within_s=PATIENCE_S)

    async def test_what_was_not_committed_comes_again_under_a_higher_epoch(self, bus: Bus) -> None:
        topic, group = await new_topic(bus, 1), unique("group")
        await bus.publish(records_of(topic, *(f"k:{n}" for n in range(10))))
        first = await bus.subscribe(group, [topic], Member(bus, group, topic, handled=Handled()))
        read = await poll_until(first, 10)
        assert await first.commit(watermarks_of(read[:4])) == {read[0].partition}
        assert sum((await first.lag()).values()) == 6
        await first.close()
        await first.close()
        second = await bus.subscribe(group, [topic], Member(bus, group, topic, handled=Handled()))
        again = await poll_until(second, 6)
        assert [record.offset for record in again] == list(range(4, 10))
        assert again[0].epoch > read[0].epoch
        await second.close()

    async def test_a_member_that_was_thought_dead_cannot_commit(self, cluster: Cluster, bus: Bus) -> None:
        topic, group = await new_topic(bus, 2), unique("group")
        await bus.publish(records_of(topic, *(f"k{n}:0" for n in range(40))))
        sleeper = Member(bus, group, topic, name="sleeper", handled=Handled())
        asleep = await bus.subscribe(group, [topic], sleeper)
        read = await poll_until(asleep, 40)
        handled = Handled()
        async with opened(cluster) as other, Member(other, group, topic, name="b", handled=handled).running() as b:
            await cluster.outlast_lease()
            await eventually(lambda: len(b.owned) == 2 and len(handled.records) == 40, within_s=PATIENCE_S)
            assert await asleep.commit(watermarks_of(read)) == frozenset()
            marks = {partition: (epoch, 1) for partition, (epoch, _) in watermarks_of(read).items()}
            assert await asleep.commit(marks) == frozenset()
        await asleep.poll(max_records=1, timeout_ms=100)
        assert ("lost", frozenset(watermarks_of(read))) in sleeper.history
        await bus.publish(records_of(topic, "new:0"))
        assert texts(await poll_until(asleep, 1)) == ["new:0"]  # b's commits stand
        await asleep.close()

    async def test_paused_partitions_are_kept_and_give_nothing(self, bus: Bus) -> None:
        topic, group = await new_topic(bus, 2), unique("group")
        member = Member(bus, group, topic, handled=Handled())
        subscription = await bus.subscribe(group, [topic], member)
        await bus.publish(records_of(topic, *(f"k{n}:0" for n in range(20))))
        read = await poll_until(subscription, 20)
        paused = frozenset({Partition(topic, 0)})
        subscription.pause(paused)
        await bus.publish(records_of(topic, *(f"k{n}:1" for n in range(20))))
        expected = [r for r in await history_of(bus, topic) if r.partition not in paused]
        read = await poll_until(subscription, len(expected) - len([r for r in read if r.partition not in paused]))
        for _ in range(3):
            read += await subscription.poll(max_records=100, timeout_ms=30)
        assert {record.partition for record in read} == {Partition(topic, 1)}
        assert len(member.owned) == 2
        subscription.resume(paused)
        read += await poll_until(subscription, 20 - len(read))
        assert sorted(texts(read)) == sorted(f"k{n}:1" for n in range(20))
        await subscription.close()

    async def test_a_poll_that_is_cancelled_loses_nothing(self, bus: Bus) -> None:
        topic, group = await new_topic(bus, 4), unique("group")
        subscription = await bus.subscribe(group, [topic], Member(bus, group, topic, handled=Handled()))
        found: list[Record] = []
        await bus.publish(records_of(topic, *(f"k{n}:0" for n in range(300))))
        for step in range(60):
            polling = asyncio.create_task(subscription.poll(max_records=7, timeout_ms=100))
            for _ in range(step * 4):  # at every place in it, also between two reads
                await asyncio.sleep(0)
            polling.cancel()
            try:
                found += await polling
            except asyncio.CancelledError:
                continue
        found += await poll_until(subscription, 300 - len(found))
        assert len({record.value for record in found}) == 300
        await subscription.close()

    async def test_a_hand_over_with_records_at_work_loses_nothing_and_doubles_no_owner(
        self, cluster: Cluster, bus: Bus
    ) -> None:
        topic, group = await new_topic(bus, 12), unique("group")
        flow = Flow(topic)
        async with AsyncExitStack() as stack, asyncio.timeout(PATIENCE_S):
            for name in "abc":
                other = await stack.enter_async_context(opened(cluster))
                await stack.enter_async_context(flow.consuming(other, group, name))
                while name not in flow.workers:  # records are at work all the time until it has its share
                    await bus.publish(flow.next_round())
                    await eventually(lambda: len(set(flow.done)) > flow.sent - 50, within_s=PATIENCE_S)
            await eventually(lambda: len(set(flow.done)) == flow.sent, within_s=PATIENCE_S)
        assert flow.met == []
        check_order_by_key(flow.done, flow.sent // 100)

    async def test_nobody_is_given_a_partition_before_its_owner_let_go(self, cluster: Cluster, bus: Bus) -> None:
        topic, group, handled = await new_topic(bus, 4), unique("group"), Handled()
        await bus.publish(records_of(topic, *(f"k{n}:0" for n in range(40))))
        first = Reluctant(bus, group, topic, name="a", handled=handled)
        async with opened(cluster) as other, first.running():
            await eventually(lambda: len(handled.records) == 40, within_s=PATIENCE_S)
            second = Member(other, group, topic, name="b", handled=handled)
            async with second.running():
                await eventually(first.asked.is_set, within_s=PATIENCE_S)
                await bus.publish(records_of(topic, *(f"k{n}:1" for n in range(40))))
                kept = first.owned.keys()
                for _ in range(20):
                    await asyncio.sleep(0)
                    assert not second.owned.keys() & kept
                first.may_let_go.set()
                await eventually(lambda: len(set(handled.values())) == 80, within_s=PATIENCE_S)
                await eventually(lambda: (len(first.owned), len(second.owned)) == (2, 2), within_s=PATIENCE_S)
        assert len(handled.records) == 80  # the commit made while letting go was good
        check_handled(handled)

    async def test_a_slow_consumer_holds_a_bounded_number(self, bus: Bus) -> None:
        topic, group, gate = await new_topic(bus, 6), unique("group"), asyncio.Event()
        done: list[str] = []

        async def handle(record: Record) -> None:
            await gate.wait()
            done.append((record.value or b"").decode())

        await bus.publish(records_of(topic, *(f"k{n}:0" for n in range(2000))))
        limits = Limits(lanes=8, max_in_flight=100, resume_at=50, max_poll_records=40, poll_ms=20)
        consumer = Consumer(bus, group, [topic], handle=handle, hooks=NoHooks(), limits=limits)
        running = asyncio.create_task(consumer.run())
        await eventually(lambda: consumer.in_flight >= 100, within_s=PATIENCE_S)
        for _ in range(3):
            await polled_again(consumer)
            assert consumer.in_flight <= 106  # one more for each partition assigned meanwhile
        gate.set()
        await eventually(lambda: len(set(done)) == 2000, within_s=PATIENCE_S)
        consumer.stop()
        await running

    async def test_what_a_killed_member_had_not_committed_is_handed_out_again(
        self, cluster: Cluster, bus: Bus, tmp_path: Path
    ) -> None:
        if cluster.child_target is None:
            pytest.skip("this bus lives in one process")
        topic, group, log = await new_topic(bus, 3), unique("group"), tmp_path / "handled"
        positions = await bus.publish(records_of(topic, *(f"k{n}:0" for n in range(60))))
        words = ("-m", "tests.suites.bus_members", cluster.child_target, group, topic, str(log), "25")
        child = await asyncio.create_subprocess_exec(sys.executable, *words, cwd=Path(__file__).parents[2])
        await eventually(lambda: log.exists() and len(log.read_text().splitlines()) >= 40, within_s=PATIENCE_S)
        child.kill()
        await child.wait()
        committed: dict[int, int] = defaultdict(int)
        for line in log.read_text().splitlines()[:25]:
            number, offset = line.split()
            committed[int(number)] = int(offset) + 1
        left = {(p.number, offset) for p, offset in positions if offset >= committed[p.number]}
        handled = Handled()
        async with Member(bus, group, topic, handled=handled).running():
            await eventually(lambda: len(handled.records) >= len(left), within_s=PATIENCE_S)
        assert {(r.partition.number, r.offset) for _, r in handled.records} == left
