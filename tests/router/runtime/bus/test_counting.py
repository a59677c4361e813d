"""The counting bus passes the suite of all buses, and counts the calls that fail."""

import time
from collections.abc import Callable, Coroutine

import pytest
from prometheus_client import CollectorRegistry

from router.contract.topics import TopicSpec
from router.runtime.bus.counting import CountingBus
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.protocol import Bus, Outgoing, Subscription
from router.runtime.errors import BusUnavailable, RecordRefused
from router.runtime.metrics import RuntimeMetrics
from tests.suites.bus import BusSuite
from tests.suites.bus_checks import Cluster


class _Counted:
    child_target: str | None = None
    compacts_at_once = True

    def __init__(self) -> None:
        self._later_s = 0.0
        self._bus = MemoryBus(monotonic=lambda: time.monotonic() + self._later_s)

    def open(self) -> Bus:
        bus = counted(self._bus, CollectorRegistry())
        bus.close = _left_open  # type: ignore[method-assign]  # the others go on with the one there is
        return bus

    async def outlast_lease(self) -> None:
        self._later_s += 60


async def _left_open() -> None: ...


class TestCountingBus(BusSuite):
    @pytest.fixture
    def cluster(self) -> Cluster:
        return _Counted()


class _Away(MemoryBus):
    """A bus that fails every call with ``failure``, once there is one."""

    failure: Exception | None = None

    def _fail(self) -> None:
        if self.failure is not None:
            raise self.failure

    async def publish(self, records):  # type: ignore[no-untyped-def]  # as its base's
        self._fail()
        return await super().publish(records)

    async def subscribe(self, group, topics, rebalance):  # type: ignore[no-untyped-def]  # as its base's
        self._fail()
        subscription = await super().subscribe(group, topics, rebalance)
        for name in ("poll", "commit"):
            setattr(subscription, name, self._failing(getattr(subscription, name)))
        return subscription

    def _failing(self, call: Callable[..., Coroutine[None, None, object]]) -> Callable[..., object]:
        async def made(*args: object, **more: object) -> object:
            self._fail()
            return await call(*args, **more)

        return made


class _Alone:
    async def assigned(self, partitions: object) -> None: ...

    async def revoked(self, partitions: object) -> None: ...

    async def lost(self, partitions: object) -> None: ...


def counted(bus: Bus, registry: CollectorRegistry) -> CountingBus:
    return CountingBus(bus, RuntimeMetrics(registry, version="1", mode="standalone"))


def errors(registry: CollectorRegistry) -> dict[str, float]:
    names = ("publish", "poll", "commit")
    found = {name: registry.get_sample_value("turnout_bus_errors_total", {"operation": name}) for name in names}
    return {name: value for name, value in found.items() if value is not None}


Call = Callable[[CountingBus, Subscription], Coroutine[None, None, object]]
RECORD = Outgoing(topic="t", key="a", value=b"1")
CALLS: dict[str, tuple[str, Call]] = {
    "publish": ("publish", lambda bus, _: bus.publish([RECORD])),
    "poll": ("poll", lambda _, member: member.poll(max_records=1, timeout_ms=0)),
    "commit": ("commit", lambda _, member: member.commit({})),
    "subscribe": ("poll", lambda bus, _: bus.subscribe("g2", ["t"], _Alone())),
}


@pytest.mark.parametrize("failure", [BusUnavailable("away"), RecordRefused(0, "too large"), TimeoutError()])
@pytest.mark.parametrize("call", ["publish", "poll", "commit", "subscribe"])
async def test_a_call_that_fails_is_counted_and_fails_all_the_same(call: str, failure: Exception) -> None:
    operation, make = CALLS[call]
    registry, away = CollectorRegistry(), _Away()
    bus = counted(away, registry)
    await bus.create_topics([TopicSpec(name="t", partitions=1)])
    member = await bus.subscribe("g", ["t"], _Alone())
    await make(bus, member)
    assert errors(registry) == {"publish": 0, "poll": 0, "commit": 0}
    away.failure = failure
    for _ in range(2):
        with pytest.raises(type(failure)):
            await make(bus, member)
    assert errors(registry) == {"publish": 0, "poll": 0, "commit": 0} | {operation: 2}


async def test_the_lag_of_a_group_is_shown_by_topic() -> None:
    registry = CollectorRegistry()
    bus = counted(MemoryBus(), registry)
    await bus.create_topics([TopicSpec(name="t", partitions=2), TopicSpec(name="u", partitions=1)])
    member = await bus.subscribe("g", ["t", "u"], _Alone())
    assert lags(registry) == {"t/g": 0, "u/g": 0}
    await bus.publish([Outgoing(topic="t", key=str(number), value=b"1") for number in range(5)])
    await bus.publish([Outgoing(topic="u", key="a", value=b"1")])
    records = await member.poll(max_records=10, timeout_ms=0)
    assert sum((await member.lag()).values()) == 6
    assert lags(registry) == {"t/g": 5, "u/g": 1}
    await member.commit({record.partition: (record.epoch, record.offset + 1) for record in records})
    await member.lag()
    assert lags(registry) == {"t/g": 0, "u/g": 0}


def lags(registry: CollectorRegistry) -> dict[str, float]:
    """By topic and group."""
    return {
        "/".join(sample.labels.values()): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "turnout_consumer_lag_records"
    }
