"""What following a topic outside any group must do on every bus; part of ``BusSuite``."""

import asyncio
import time

import pytest

from router.contract.topics import Cleanup
from router.runtime.bus.protocol import Bus, Record, Tail
from router.runtime.errors import BusUnavailable
from tests.suites.bus_checks import PATIENCE_S, history_of, new_topic, records_of, texts, unique
from tests.suites.eventually import eventually


async def tailed(tail: Tail, count: int, *, max_records: int = 100) -> list[Record]:
    """Poll until so many records have come."""
    found: list[Record] = []
    async with asyncio.timeout(PATIENCE_S):
        while len(found) < count:
            taken = await tail.poll(max_records=max_records, timeout_ms=100)
            assert len(taken) <= max_records
            found += taken
    return found


class TailSuite:
    """Needs a fixture ``bus``."""

    async def test_a_tail_begins_at_the_end_and_misses_nothing_from_there(self, bus: Bus) -> None:
        topic = await new_topic(bus, 5)
        await bus.publish(records_of(topic, *(f"k{n}:old" for n in range(30))))
        tail = await bus.tail(topic)
        await bus.publish(records_of(topic, *(f"k{n}:new" for n in range(30))))
        found = await tailed(tail, 30)
        assert sorted(texts(found)) == sorted(f"k{n}:new" for n in range(30))
        assert {record.epoch for record in found} == {0}
        assert await tail.poll(max_records=10, timeout_ms=50) == []
        await tail.close()
        await tail.close()

    async def test_a_tail_wakes_up_when_something_comes(self, bus: Bus) -> None:
        topic = await new_topic(bus, 3)
        tail = await bus.tail(topic)
        waiting = asyncio.create_task(tail.poll(max_records=10, timeout_ms=20_000))
        await asyncio.sleep(0)
        began = time.monotonic()
        await bus.publish(records_of(topic, "a:0"))
        assert texts(await waiting) == ["a:0"]
        assert time.monotonic() - began < 10
        await tail.close()

    async def test_a_tail_begins_at_a_time(self, bus: Bus) -> None:
        topic = await new_topic(bus, 3)
        await bus.publish(records_of(topic, *(f"k{n}:old" for n in range(30))))
        since_ms = max(record.published_at_ms for record in await history_of(bus, topic)) + 1
        await eventually(lambda: time.time_ns() // 1_000_000 > since_ms)
        await bus.publish(records_of(topic, *(f"k{n}:new" for n in range(30))))
        whole, late, beyond = [await bus.tail(topic, since_ms=at) for at in (0, since_ms, since_ms + 3_600_000)]
        assert len(await tailed(whole, 60)) == 60
        assert sorted(texts(await tailed(late, 30))) == sorted(f"k{n}:new" for n in range(30))
        await bus.publish(records_of(topic, "k1:newest"))
        for tail in (whole, late, beyond):
            assert texts(await tailed(tail, 1)) == ["k1:newest"]
            await tail.close()

    async def test_a_tail_keeps_the_order_of_each_key_in_small_bites(self, bus: Bus) -> None:
        topic = await new_topic(bus, 5)
        tail = await bus.tail(topic)
        await bus.publish(records_of(topic, *(f"k{n % 9}:{n // 9}" for n in range(90))))
        found = texts(await tailed(tail, 90, max_records=3))
        for key in range(9):
            mine = [text for text in found if text.startswith(f"k{key}:")]
            assert mine == [f"k{key}:{number}" for number in range(10)]
        await tail.close()

    async def test_each_tail_reads_for_itself_and_none_is_a_member_of_a_group(self, bus: Bus) -> None:
        topic = await new_topic(bus, 2, cleanup=Cleanup.COMPACT)
        one, other = await bus.tail(topic), await bus.tail(topic)
        await bus.publish(records_of(topic, "a:0", "b:0"))
        assert sorted(texts(await tailed(one, 2))) == sorted(texts(await tailed(other, 2))) == ["a:0", "b:0"]
        await one.close()
        await bus.publish(records_of(topic, "c:0"))
        assert texts(await tailed(other, 1)) == ["c:0"]
        with pytest.raises(BusUnavailable):
            await one.poll(max_records=1, timeout_ms=1)
        await other.close()

    async def test_there_is_no_tail_of_a_topic_that_is_not_there(self, bus: Bus) -> None:
        with pytest.raises(BusUnavailable):
            await bus.tail(unique("absent"))
