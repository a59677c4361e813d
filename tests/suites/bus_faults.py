"""What every bus must do when its broker dies or freezes: derive ``FragileBusSuite``, give it a ``cluster``."""

import asyncio
import contextlib
import time

import pytest

from router.runtime.bus.lanes import Consumer, Limits
from router.runtime.bus.protocol import Record
from router.runtime.errors import BusUnavailable
from tests.suites.bus_checks import (
    PATIENCE_S,
    FragileCluster,
    NoHooks,
    check_order_by_key,
    history_of,
    new_topic,
    opened,
    poll_until,
    records_of,
    texts,
)
from tests.suites.bus_members import Handled, Member
from tests.suites.bus_tails import tailed
from tests.suites.eventually import eventually


class FragileBusSuite:
    """Derive, and give a fixture ``cluster`` with a broker that is up, and that no other test uses meanwhile."""

    async def test_a_confirmed_record_survives_the_brokers_sigkill(self, cluster: FragileCluster) -> None:
        async with opened(cluster) as bus:
            topic = await new_topic(bus, 3)
            await bus.publish(records_of(topic, *(f"k{n}:0" for n in range(200))))
            cluster.kill()
            with pytest.raises(BusUnavailable):
                await bus.publish(records_of(topic, "late:0"))
            await cluster.restart()
        async with opened(cluster) as bus:
            found = texts(await history_of(bus, topic))
            assert {f"k{n}:0" for n in range(200)} <= set(found)

    async def test_a_tail_goes_on_where_it_was_once_the_broker_is_back(self, cluster: FragileCluster) -> None:
        async with opened(cluster) as bus:
            topic = await new_topic(bus, 3)
            tail = await bus.tail(topic)
            await bus.publish(records_of(topic, *(f"k{n}:0" for n in range(30))))
            found = texts(await tailed(tail, 30))
            cluster.kill()
            with contextlib.suppress(BusUnavailable):
                assert await tail.poll(max_records=10, timeout_ms=500) == []
            await cluster.restart()
            async with opened(cluster) as other:
                await other.publish(records_of(topic, *(f"k{n}:1" for n in range(30))))
            async with asyncio.timeout(PATIENCE_S):
                while len(found) < 60:
                    with contextlib.suppress(BusUnavailable):
                        found += texts(await tail.poll(max_records=100, timeout_ms=100))
        assert sorted(found) == sorted(f"k{n}:{number}" for n in range(30) for number in (0, 1))

    async def test_members_go_on_where_they_were_once_the_broker_is_back(self, cluster: FragileCluster) -> None:
        handled = Handled()

        async def handle(record: Record) -> None:
            handled.records.append(("a", record))

        async with opened(cluster) as bus:
            topic = await new_topic(bus, 3)
            consumer = Consumer(
                bus, f"g-{topic}", [topic], handle=handle, hooks=NoHooks(), limits=Limits(poll_ms=20, commit_s=0.01)
            )
            running = asyncio.create_task(consumer.run())
            await bus.publish(records_of(topic, *(f"k{n}:0" for n in range(50))))
            await eventually(lambda: len(set(handled.values())) == 50, within_s=PATIENCE_S)
            cluster.kill()
            await cluster.restart()
            async with opened(cluster) as other:
                await other.publish(records_of(topic, *(f"k{n}:1" for n in range(50))))
            await eventually(lambda: len(set(handled.values())) == 100, within_s=PATIENCE_S)
            consumer.stop()
            await running
        check_order_by_key(handled.values(), 2)

    @pytest.mark.parametrize("frozen", [False, True], ids=["killed", "frozen"])
    async def test_all_stops_within_the_deadline_with_the_broker_gone(
        self, cluster: FragileCluster, frozen: bool
    ) -> None:
        bus = cluster.open()
        topic = await new_topic(bus, 3)
        consumer = Consumer(bus, f"g-{topic}", [topic], handle=_nothing, hooks=NoHooks())
        running = asyncio.create_task(consumer.run())
        other = f"h-{topic}"
        member = await bus.subscribe(other, [topic], Member(bus, other, topic, handled=Handled()))
        await bus.publish(records_of(topic, "k:0"))
        await poll_until(member, 1)
        await eventually(lambda: consumer.polled_at is not None)
        if frozen:
            cluster.freeze()
        else:
            cluster.kill()
        try:
            begun = time.monotonic()
            consumer.stop(deadline_s=6)
            await running
            assert time.monotonic() - begun < 8
            begun = time.monotonic()
            await member.close()
            assert time.monotonic() - begun < 7
            begun = time.monotonic()
            await bus.close()
            assert time.monotonic() - begun < 7
        finally:
            if frozen:
                cluster.thaw()

    async def test_a_publish_to_a_frozen_broker_ends_as_unknown(self, cluster: FragileCluster) -> None:
        async with opened(cluster) as bus:
            topic = await new_topic(bus, 1)
            cluster.freeze()
            try:
                async with asyncio.timeout(PATIENCE_S):
                    with pytest.raises(BusUnavailable):
                        await bus.publish(records_of(topic, "k:0"))
            finally:
                cluster.thaw()


async def _nothing(record: Record) -> None: ...
