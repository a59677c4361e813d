"""The consumer on the memory bus: order by key, bounds, retries, poison, hand-over and stop."""

import asyncio
from collections.abc import AsyncIterator, Awaitable

import pytest

from router.contract.topics import TopicSpec
from router.runtime.bus.lanes import Consumer, Limits
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.partitioner import partition_of
from router.runtime.bus.protocol import Partition, Record
from router.runtime.errors import StoreUnavailable
from tests.suites.consumers import FAST, Owner, consuming, publish, text_of
from tests.suites.eventually import eventually


@pytest.fixture
async def bus() -> AsyncIterator[MemoryBus]:
    bus = MemoryBus()
    await bus.create_topics([TopicSpec(name="t", partitions=4)])
    yield bus
    await bus.close()


async def _uncommitted(bus: MemoryBus) -> list[str]:
    """What a next member of the group would be handed."""
    left: list[str] = []

    async def note(record: Record) -> None:
        left.append(text_of(record))

    async with consuming(bus, note) as consumer:
        await eventually(lambda: consumer.polled_at is not None)
        await eventually(lambda: consumer.in_flight == 0)
    return sorted(left)


async def test_one_key_is_in_order_and_others_do_not_wait_for_it(bus: MemoryBus) -> None:
    gate = asyncio.Event()
    seen: list[str] = []

    async def handle(record: Record) -> None:
        if record.key == "slow":
            await gate.wait()
        seen.append(text_of(record))

    await publish(bus, ("slow", "s0"), *((f"k{n}", f"k{n}") for n in range(40)), ("slow", "s1"))
    async with consuming(bus, handle):
        # The slow key holds up its own lane and no other.
        others = [f"k{n}" for n in range(40) if hash(f"k{n}") % 8 != hash("slow") % 8]
        await eventually(lambda: set(others) <= set(seen))
        assert "s0" not in seen
        gate.set()
        await eventually(lambda: len(seen) == 42)
    assert seen.index("s0") < seen.index("s1")
    assert await _uncommitted(bus) == []


async def test_a_record_counts_only_when_its_effects_are_durable(bus: MemoryBus) -> None:
    durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    begun: list[str] = []

    async def handle(record: Record) -> Awaitable[None] | None:
        begun.append(text_of(record))
        return durable if text_of(record) == "a0" else None

    await publish(bus, ("a", "a0"), ("a", "a1"), ("a", "a2"))
    async with consuming(bus, handle) as consumer:
        await eventually(lambda: begun == ["a0", "a1", "a2"])
        assert consumer.in_flight == 1
    assert await _uncommitted(bus) == ["a0", "a1", "a2"]


@pytest.mark.parametrize("is_future", [True, False])
async def test_confirmed_effects_are_committed(bus: MemoryBus, is_future: bool) -> None:
    durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def confirmation() -> None:
        await asyncio.shield(durable)

    async def handle(record: Record) -> Awaitable[None]:
        return asyncio.shield(durable) if is_future else confirmation()

    await publish(bus, ("a", "a0"), ("a", "a1"))
    async with consuming(bus, handle) as consumer:
        await eventually(lambda: consumer.in_flight == 2)
        durable.set_result(None)
        await eventually(lambda: consumer.in_flight == 0)
    assert await _uncommitted(bus) == []


@pytest.mark.parametrize("outcome", [None, StoreUnavailable("away")])
async def test_what_is_confirmed_after_the_end_is_not_committed(bus: MemoryBus, outcome: Exception | None) -> None:
    durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def handle(record: Record) -> Awaitable[None]:
        return durable

    await publish(bus, ("a", "a0"))
    async with consuming(bus, handle) as consumer:
        await eventually(lambda: consumer.in_flight == 1)
    if outcome is None:
        durable.set_result(None)
    else:
        durable.set_exception(outcome)
    await asyncio.sleep(0)
    assert await _uncommitted(bus) == ["a0"]


async def test_a_retryable_failure_holds_its_key_back_and_loses_nothing(bus: MemoryBus) -> None:
    failures = iter([StoreUnavailable("away")] * 3)
    seen: list[str] = []

    async def handle(record: Record) -> None:
        if text_of(record) == "a0" and (failure := next(failures, None)):
            raise failure
        seen.append(text_of(record))

    await publish(bus, ("a", "a0"), ("a", "a1"))
    async with consuming(bus, handle):
        await eventually(lambda: len(seen) == 2)
    assert seen == ["a0", "a1"]
    assert await _uncommitted(bus) == []


class _Held(Exception):
    retryable = True
    expected = True


@pytest.mark.parametrize(("failure", "told"), [(_Held("not now"), 0), (StoreUnavailable("away"), 3)])
async def test_a_failure_that_is_expected_is_not_logged_for_each_record(
    bus: MemoryBus, caplog: pytest.LogCaptureFixture, failure: Exception, told: int
) -> None:
    left = [failure] * 3
    seen: list[str] = []

    async def handle(record: Record) -> None:
        if left:
            raise left.pop()
        seen.append(text_of(record))

    await publish(bus, ("a", "a0"))
    async with consuming(bus, handle):
        await eventually(lambda: seen == ["a0"])
    assert [getattr(record, "event", "") for record in caplog.records].count("record_retried") == told


async def test_effects_that_are_not_confirmed_are_done_again(bus: MemoryBus) -> None:
    outcomes: list[Exception | None] = [StoreUnavailable("away"), None]
    begun: list[str] = []

    async def handle(record: Record) -> Awaitable[None]:
        begun.append(text_of(record))
        confirmation: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        outcome = outcomes.pop(0)
        if outcome is None:
            confirmation.set_result(None)
        else:
            confirmation.set_exception(outcome)
        return confirmation

    await publish(bus, ("a", "a0"))
    async with consuming(bus, handle) as consumer:
        await eventually(lambda: len(begun) == 2 and consumer.in_flight == 0)
    assert await _uncommitted(bus) == []


async def test_poison_is_put_aside_and_what_is_behind_it_moves_on(bus: MemoryBus) -> None:
    owner, seen = Owner(), []

    async def handle(record: Record) -> None:
        if text_of(record) == "bad":
            raise KeyError("field")
        seen.append(text_of(record))

    await publish(bus, ("a", "bad"), ("a", "good"))
    async with consuming(bus, handle, hooks=owner):
        await eventually(lambda: seen == ["good"])
    assert owner.poison == [("bad", "'field'")]
    assert await _uncommitted(bus) == []


async def test_poison_that_cannot_be_put_aside_stops_the_consumer(bus: MemoryBus) -> None:
    class Broken(Owner):
        async def on_poison(self, record: Record, exc: Exception) -> None:
            raise RuntimeError("no dead letters")

    async def handle(record: Record) -> None:
        raise KeyError("field")

    await publish(bus, ("a", "bad"))
    consumer = Consumer(bus, "g", ["t"], handle=handle, hooks=Broken(), limits=FAST)
    with pytest.raises(ExceptionGroup) as caught:
        await asyncio.wait_for(consumer.run(), 5)
    assert caught.group_contains(RuntimeError, match="no dead letters")
    assert await _uncommitted(bus) == ["bad"]


async def test_a_slow_handler_bounds_what_is_held(bus: MemoryBus) -> None:
    gate = asyncio.Event()
    most = 0
    handled = 0

    async def handle(record: Record) -> None:
        nonlocal handled
        await gate.wait()
        handled += 1

    limits = Limits(lanes=4, max_in_flight=50, resume_at=25, max_poll_records=20, poll_ms=20, commit_s=0)
    await publish(bus, *((f"k{n}", str(n)) for n in range(1000)))
    async with consuming(bus, handle, limits=limits) as consumer:
        await eventually(lambda: consumer.in_flight >= 50)
        polled = consumer.polled_at
        await eventually(lambda: consumer.polled_at != polled)  # it polls on, to stay a member
        most = consumer.in_flight
        gate.set()
        await eventually(lambda: handled == 1000)
    assert most == 50
    assert await _uncommitted(bus) == []


async def test_fences_are_raised_before_the_first_record(bus: MemoryBus) -> None:
    owner = Owner()
    unknown: list[Record] = []

    async def handle(record: Record) -> None:
        if owner.assigned.get(record.partition) != record.epoch:
            unknown.append(record)

    await publish(bus, *((f"k{n}", str(n)) for n in range(50)))
    async with consuming(bus, handle, hooks=owner) as consumer:
        await eventually(lambda: len(owner.assigned) == 4 and consumer.in_flight == 0)
    assert unknown == []


async def test_members_know_which_partitions_are_theirs(bus: MemoryBus) -> None:
    async def handle(record: Record) -> None: ...

    every = {Partition("t", number) for number in range(4)}
    async with consuming(bus, handle) as one:
        await eventually(lambda: one.partitions == every)
        async with consuming(bus, handle) as two:
            await eventually(lambda: two.partitions and one.partitions | two.partitions == every)
            assert not one.partitions & two.partitions
        await eventually(lambda: one.partitions == every)


async def test_a_hand_over_waits_for_what_was_begun_and_begins_no_more(bus: MemoryBus) -> None:
    gate = asyncio.Event()
    first: list[str] = []
    second: list[str] = []

    async def handle(record: Record) -> None:
        first.append(text_of(record))
        await gate.wait()

    async def note(record: Record) -> None:
        second.append(text_of(record))

    patient = Limits(lanes=1, poll_ms=20, commit_s=0, revoke_wait_s=10)
    handed_over = [key for key in map(str, range(100)) if partition_of(key, 4) == 3][:10]
    await publish(bus, *((key, key) for key in handed_over))
    async with consuming(bus, handle, limits=patient) as one:
        await eventually(lambda: len(first) == 1 and one.in_flight == 10)
        async with consuming(bus, note) as two:
            await eventually(lambda: two.polled_at is not None)  # it has joined, and so asked for its share
            gate.set()
            await eventually(lambda: len(first) + len(second) == 10)
    assert first == handed_over[:1]
    assert sorted(second) == sorted(handed_over[1:])


async def test_a_handler_that_does_not_end_is_given_up_at_the_deadline(bus: MemoryBus) -> None:
    begun = asyncio.Event()

    async def handle(record: Record) -> None:
        begun.set()
        await asyncio.Event().wait()

    await publish(bus, ("a", "a0"))
    consumer = Consumer(bus, "g", ["t"], handle=handle, hooks=Owner(), limits=FAST)
    running = asyncio.create_task(consumer.run())
    await begun.wait()
    consumer.stop(deadline_s=0.1)
    await asyncio.wait_for(running, 2)
    assert await _uncommitted(bus) == ["a0"]


async def test_cancelling_it_leaves_the_group(bus: MemoryBus) -> None:
    handled = asyncio.Event()

    async def handle(record: Record) -> None:
        handled.set()

    await publish(bus, ("a", "a0"))
    consumer = Consumer(bus, "g", ["t"], handle=handle, hooks=Owner(), limits=FAST)
    running = asyncio.create_task(consumer.run())
    await handled.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await _uncommitted(bus) == []


async def test_asking_to_stop_again_while_it_ends_does_nothing(bus: MemoryBus) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def handle(record: Record) -> None:
        entered.set()
        await leave.wait()

    await publish(bus, ("a", "1"))
    consumer = Consumer(bus, "g", ["t"], handle=handle, hooks=Owner(), limits=FAST)
    running = asyncio.create_task(consumer.run())
    await asyncio.wait_for(entered.wait(), 5)
    consumer.stop(deadline_s=5)
    await eventually(lambda: consumer._polling is None)
    consumer.stop(deadline_s=5)
    leave.set()
    await asyncio.wait_for(running, 5)
    assert await _uncommitted(bus) == []
