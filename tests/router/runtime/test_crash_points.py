"""Crash points: reached where they say, at the time that was planned, and by nothing else."""

import re
from collections.abc import Mapping, Sequence

import pytest

from router.contract.ids import ReplyId
from router.contract.messages import DeliveryState
from router.contract.topics import DELIVERIES, EVENTS, TopicSpec
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.protocol import Outgoing, Partition, Record
from router.runtime.crash_points import PATTERN, CrashPoint, CrashPoints
from router.runtime.crashing import CrashingBus, CrashingLedger
from router.runtime.ledger import LedgerState, MemoryLedger, final_entry

INQUIRIES = "turnout.inquiries.v1.default"
REPLY = ReplyId("r")


class Ended(BaseException):
    """What ending the process is here."""


class Ending:
    """Points of one plan; the end is an exception that nothing catches."""

    def __init__(self, *plan: str) -> None:
        self.points = CrashPoints(plan, end=self._end)

    def _end(self) -> None:
        raise Ended


class NoHandovers:
    async def assigned(self, partitions: Mapping[Partition, int]) -> None: ...

    async def revoked(self, partitions: frozenset[Partition]) -> None: ...

    async def lost(self, partitions: frozenset[Partition]) -> None: ...


def record(topic: str) -> Outgoing:
    return Outgoing(topic=topic, key="k", value=b"v")


async def bus_with(*plan: str) -> tuple[CrashingBus, MemoryBus]:
    inner = MemoryBus()
    await inner.create_topics([TopicSpec(name=name, partitions=1) for name in (INQUIRIES, EVENTS, DELIVERIES)])
    return CrashingBus(inner, Ending(*plan).points), inner


async def held(bus: MemoryBus, topic: str) -> list[Record]:
    return [found async for found in bus.history(topic)]


@pytest.mark.parametrize(
    ("text", "fits"),
    [(str(point), True) for point in CrashPoint]
    + [
        ("after-act@3", True),
        ("after-act@0", False),
        ("after-act@", False),
        ("somewhere", False),
        ("after-act@x", False),
    ],
)
def test_a_plan_names_known_points(text: str, fits: bool) -> None:
    assert (re.fullmatch(PATTERN, text) is not None) == fits


def test_a_point_ends_the_process_the_time_that_was_planned() -> None:
    points = Ending("after-act@3", "before-act").points
    points.reached(CrashPoint.AFTER_ACT)
    points.reached(CrashPoint.AFTER_ACT)
    with pytest.raises(Ended):
        points.reached(CrashPoint.AFTER_ACT)
    with pytest.raises(Ended):
        points.reached(CrashPoint.BEFORE_ACT)
    points.reached(CrashPoint.BEFORE_COMMIT)


@pytest.mark.parametrize(("point", "there"), [("before-produce", 0), ("after-produce", 1)])
async def test_events_are_on_the_bus_only_after_the_produce(point: str, there: int) -> None:
    bus, inner = await bus_with(point)
    await bus.publish([record(DELIVERIES)])
    with pytest.raises(Ended):
        await bus.publish([record(DELIVERIES), record(EVENTS)])
    assert len(await held(inner, EVENTS)) == there


async def committed(plan: str) -> Sequence[str]:
    """Which crash came while a record was read and its offset committed, and what a new member reads then."""
    bus, inner = await bus_with(plan)
    await bus.publish([record(INQUIRIES)])
    crashes = []
    subscription = await bus.subscribe("g", [INQUIRIES], NoHandovers())
    try:
        (found,) = await subscription.poll(max_records=10, timeout_ms=0)
        await subscription.commit({found.partition: (found.epoch, found.offset + 1)})
        await subscription.close()
    except Ended:
        crashes.append(plan)
    again = await inner.subscribe("g", [INQUIRIES], NoHandovers())
    left = await again.poll(max_records=10, timeout_ms=0)
    await again.close()
    return [*crashes, *(str(found.offset) for found in left)]


@pytest.mark.parametrize("plan", ["before-commit", "after-commit", "in-assigned", "in-revoked"])
async def test_reading_inquiries_crashes_at_its_points(plan: str) -> None:
    assert (await committed(plan))[:1] == [plan]


async def test_what_reads_other_topics_never_crashes_there() -> None:
    bus, _ = await bus_with("before-commit", "after-commit", "in-assigned", "in-revoked")
    await bus.publish([record(DELIVERIES)])
    subscription = await bus.subscribe("g", [DELIVERIES], NoHandovers())
    (found,) = await subscription.poll(max_records=10, timeout_ms=0)
    assert await subscription.commit({found.partition: (found.epoch, found.offset + 1)}) == {found.partition}
    await subscription.close()


@pytest.mark.parametrize("point", ["after-sending", "before-sent"])
async def test_a_reply_is_left_in_sending(point: str) -> None:
    inner = MemoryLedger()
    ledger = CrashingLedger(inner, Ending(point).points)

    async def send() -> None:
        await ledger.claim(REPLY, attempt="a", now_ms=1)
        await ledger.settle(REPLY, final_entry(DeliveryState.SENT, 2))

    with pytest.raises(Ended):
        await send()
    found = await inner.find(REPLY)
    assert found is not None
    assert found.state is LedgerState.SENDING


async def test_a_claim_that_is_somebody_elses_is_no_crash() -> None:
    inner = MemoryLedger()
    await inner.claim(REPLY, attempt="a", now_ms=1)
    ledger = CrashingLedger(inner, Ending("after-sending").points)
    assert await ledger.claim(REPLY, attempt="b", now_ms=2) is not None
    assert await ledger.release(REPLY, attempt="b") is False
