import asyncio
from collections.abc import Sequence

import pytest

from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.protocol import Outgoing, Position
from router.runtime.errors import BusUnavailable, RecordRefused
from router.runtime.hosting.batches import Batches
from tests.suites.eventually import eventually


class CountingBus(MemoryBus):
    """Takes everything, remembers each call, and does what it is told with the next ones."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[list[str]] = []
        self.open = asyncio.Event()
        self.open.set()
        self.errors: list[Exception] = []
        self.refused = ""
        self.running = 0
        self.most_running = 0

    async def publish(self, records: Sequence[Outgoing]) -> Sequence[Position]:
        keys = [record.key for record in records]
        self.calls.append(keys)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await self.open.wait()
        finally:
            self.running -= 1
        if self.errors:
            raise self.errors.pop(0)
        if self.refused in keys:
            raise RecordRefused(keys.index(self.refused), "too large")
        return ()


def record(key: str, size: int = 1) -> Outgoing:
    return Outgoing(topic="t", key=key, value=b"x" * size)


async def test_what_comes_in_one_turn_goes_in_one_call() -> None:
    bus = CountingBus()
    batches = Batches(bus)
    await asyncio.gather(*(batches.publish(record(str(number))) for number in range(50)))
    assert [len(call) for call in bus.calls] == [50]
    assert (batches.records, batches.size_bytes) == (0, 0)


@pytest.mark.parametrize(("count", "size", "calls"), [(257, 1, 2), (10, 300_000, 4), (1, 2_000_000, 1)])
async def test_a_call_is_bounded_in_records_and_bytes(count: int, size: int, calls: int) -> None:
    bus = CountingBus()
    batches = Batches(bus)
    await asyncio.gather(*(batches.publish(record(f"k{number}", size)) for number in range(count)))
    assert len(bus.calls) == calls
    assert [key for call in bus.calls for key in call] == [f"k{number}" for number in range(count)]


async def test_only_a_few_calls_run_at_the_same_time() -> None:
    bus = CountingBus()
    batches = Batches(bus, calls=2)
    bus.open.clear()
    tasks = []
    for number in range(5):
        tasks.append(asyncio.create_task(batches.publish(record(str(number)))))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    await eventually(lambda: bus.running == 2)
    assert batches.records == 5
    bus.open.set()
    await asyncio.gather(*tasks)
    assert bus.most_running == 2
    assert bus.calls == [["0"], ["1"], ["2", "3", "4"]]


async def test_one_that_is_refused_takes_no_other_with_it() -> None:
    bus = CountingBus()
    bus.refused = "1"
    batches = Batches(bus)
    results = await asyncio.gather(*(batches.publish(record(str(n))) for n in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [type(None), RecordRefused, type(None)]
    assert bus.calls == [["0", "1", "2"], ["0", "2"]]
    assert batches.records == 0


async def test_a_bus_that_is_away_is_told_to_each_and_the_next_works() -> None:
    bus = CountingBus()
    bus.errors = [BusUnavailable("away")]
    batches = Batches(bus)
    results = await asyncio.gather(*(batches.publish(record(str(n))) for n in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [BusUnavailable] * 3
    assert len({id(result) for result in results}) == 3
    await batches.publish(record("4"))
    assert batches.records == 0


async def test_a_bus_that_never_answers_is_given_up_and_its_place_stays_taken() -> None:
    bus = CountingBus()
    bus.open.clear()
    batches = Batches(bus)
    with pytest.raises(BusUnavailable, match="no answer"):
        await batches.publish(record("a"), within_s=0.01)
    assert batches.records == 1
    bus.open.set()
    await eventually(lambda: batches.records == 0)


async def test_a_caller_that_goes_away_takes_nothing_back() -> None:
    bus = CountingBus()
    bus.open.clear()
    batches = Batches(bus)
    task = asyncio.create_task(batches.publish(record("a")))
    await eventually(lambda: bus.running)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    bus.open.set()
    await eventually(lambda: batches.records == 0)
    assert bus.calls == [["a"]]


async def test_the_end_waits_for_what_is_under_way_and_gives_up_the_rest() -> None:
    bus = CountingBus()
    batches = Batches(bus, calls=1)
    quick = asyncio.create_task(batches.publish(record("quick")))
    await asyncio.sleep(0)
    await batches.drain(5.0)
    await quick
    bus.open.clear()
    stuck = [asyncio.create_task(batches.publish(record(key))) for key in ("a", "b")]
    await eventually(lambda: bus.running)
    await batches.drain(0.01)
    results = await asyncio.gather(*stuck, return_exceptions=True)
    assert [type(result) for result in results] == [BusUnavailable] * 2
    assert batches.records == 0
