"""What a consumer does beside its polls: commits, and asking for its lag."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest

from router.contract.topics import TopicSpec
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.memory_group import MemorySubscription
from router.runtime.bus.protocol import Partition, Record
from router.runtime.errors import StoreUnavailable
from tests.suites.consumers import Marks, consuming, publish, text_of
from tests.suites.eventually import eventually


@pytest.fixture
async def bus() -> AsyncIterator[MemoryBus]:
    bus = MemoryBus()
    await bus.create_topics([TopicSpec(name="t", partitions=4)])
    yield bus
    await bus.close()


async def test_a_lag_that_takes_long_holds_no_record_up(bus: MemoryBus, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, seen = asyncio.Event(), []

    async def for_ever(_: MemorySubscription) -> Mapping[Partition, int]:
        asked.set()
        await asyncio.Event().wait()
        return {}

    async def handle(record: Record) -> None:
        seen.append(text_of(record))

    monkeypatch.setattr(MemorySubscription, "lag", for_ever)
    async with consuming(bus, handle):
        await asyncio.wait_for(asked.wait(), 5)
        await publish(bus, ("a", "a0"))
        await eventually(lambda: seen == ["a0"])


async def test_a_lag_that_fails_is_asked_again(bus: MemoryBus, monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[Exception | dict[Partition, int]] = [StoreUnavailable("away"), {Partition("t", 0): 7}]

    async def lag(_: MemorySubscription) -> Mapping[Partition, int]:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def handle(record: Record) -> None: ...

    monkeypatch.setattr(MemorySubscription, "lag", lag)
    async with consuming(bus, handle) as consumer:
        await eventually(lambda: consumer.lag == {Partition("t", 0): 7})


async def test_a_commit_that_takes_long_holds_no_record_up(bus: MemoryBus, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, seen = asyncio.Event(), []

    async def for_ever(_: MemorySubscription, watermarks: Marks) -> frozenset[Partition]:
        asked.set()
        await asyncio.Event().wait()
        return frozenset(watermarks)

    async def handle(record: Record) -> None:
        seen.append(text_of(record))

    monkeypatch.setattr(MemorySubscription, "commit", for_ever)
    await publish(bus, ("a", "a0"))
    async with consuming(bus, handle):
        await asyncio.wait_for(asked.wait(), 5)
        await publish(bus, ("a", "a1"), ("b", "b0"))
        await eventually(lambda: sorted(seen) == ["a0", "a1", "b0"])
        monkeypatch.undo()  # or its end would wait, too


async def test_a_commit_under_way_at_a_hand_over_says_nothing_of_what_comes_after(
    bus: MemoryBus, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, refuse, seen, commit = asyncio.Event(), asyncio.Event(), [], MemorySubscription.commit

    async def late(self: MemorySubscription, watermarks: Marks) -> frozenset[Partition]:
        if asked.is_set():
            return await commit(self, watermarks)
        asked.set()
        await refuse.wait()
        return frozenset()  # what it was asked for isn't ours any more; by now it may be ours again

    async def handle(record: Record) -> None:
        seen.append(text_of(record))

    monkeypatch.setattr(MemorySubscription, "commit", late)
    await publish(bus, ("a", "a0"))
    async with consuming(bus, handle) as consumer:
        await asyncio.wait_for(asked.wait(), 5)
        async with consuming(bus, handle):
            await eventually(lambda: consumer.owned == 2)
        await eventually(lambda: consumer.owned == 4)
        refuse.set()
        await publish(bus, *((key, f"{key}1") for key in "abcdefgh"))
        await eventually(lambda: {f"{key}1" for key in "abcdefgh"} <= set(seen))
