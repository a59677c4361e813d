"""The memory bus passes the suite, and keeps to the clocks it is given."""

import time

import pytest

from router.contract.topics import Cleanup, TopicSpec
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.protocol import Bus, Outgoing
from tests.suites.bus import BusSuite
from tests.suites.bus_checks import Cluster, history_of


class _View:
    """The one bus of the process as each member's own: closing one member's leaves the others'."""

    def __init__(self, bus: MemoryBus) -> None:
        self.create_topics = bus.create_topics
        self.publish = bus.publish
        self.subscribe = bus.subscribe
        self.history = bus.history
        self.tail = bus.tail

    async def close(self) -> None: ...


class _Memory:
    child_target: str | None = None
    compacts_at_once = True

    def __init__(self) -> None:
        self._later_s = 0.0
        self._bus = MemoryBus(monotonic=lambda: time.monotonic() + self._later_s)

    def open(self) -> Bus:
        return _View(self._bus)

    async def outlast_lease(self) -> None:
        self._later_s += 60


class TestMemoryBus(BusSuite):
    @pytest.fixture
    def cluster(self) -> Cluster:
        return _Memory()


async def test_retention_and_tombstones_follow_the_clock() -> None:
    now_ms = 1_000_000_000_000
    bus = MemoryBus(wall_ms=lambda: now_ms)
    kept = TopicSpec(name="kept", partitions=1, retention_ms=1000)
    compacted = TopicSpec(name="compacted", partitions=1, cleanup=Cleanup.COMPACT, min_compaction_lag_ms=500)
    await bus.create_topics([kept, compacted])
    for topic in ("kept", "compacted"):
        await bus.publish([Outgoing(topic=topic, key="a", value=b"1"), Outgoing(topic=topic, key="a", value=None)])
    assert len(await history_of(bus, "compacted")) == 2
    now_ms += 2000
    for topic in ("kept", "compacted"):
        await bus.publish([Outgoing(topic=topic, key="b", value=b"2")])
    assert [record.key for record in await history_of(bus, "kept")] == ["b"]
    assert [record.value for record in await history_of(bus, "compacted")] == [None, b"2"]
    now_ms += 3_600_000
    await bus.publish([Outgoing(topic="compacted", key="b", value=b"3")])
    assert [record.value for record in await history_of(bus, "compacted")] == [b"3"]
