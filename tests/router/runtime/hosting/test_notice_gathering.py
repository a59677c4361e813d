"""What comes close together is one message; what is held is neither lost nor told twice."""

import asyncio
from collections.abc import Sequence

import msgspec
import pytest
from msgspec.structs import replace

from router.contract.ids import AdvisorId
from router.contract.messages import Notice
from router.contract.topics import NOTICES
from router.runtime.clock import ManualClock
from router.runtime.hosting import notice_gathering
from router.runtime.notifiers import Bulletin, NotifierHost, OpenNotifier, Pace, Target
from router.runtime.plugins import SendResult, sent
from tests.suites.eventually import eventually
from tests.suites.notices import HASTY, NoticeWorld, notice, telling

GROUPED = Pace(group_s=5.0, group_most_s=60.0, per_minute=600.0)
NOW_MS = 1_760_000_000_000
HOUR_MS = 3_600_000


class NoOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class Told:
    """A notifier that keeps what it was told."""

    name = "told"

    def __init__(self) -> None:
        self.given: list[Bulletin] = []
        self.gate = asyncio.Event()
        self.gate.set()

    def options_type(self) -> type[NoOptions]:
        return NoOptions

    async def open(self, targets: Sequence[Target[NoOptions]], host: NotifierHost) -> OpenNotifier:
        return self

    async def send(self, bulletin: Bulletin) -> SendResult:
        self.given.append(bulletin)
        await self.gate.wait()
        return sent()

    async def close(self, within_s: float) -> None:
        """Nothing is held."""

    def sizes(self) -> list[int]:
        return [len(each.notices) for each in self.given]


def world_of(told: Told, clock: ManualClock, pace: Pace = GROUPED, *, partitions: int = 1) -> NoticeWorld:
    targets = [Target(id=id_, options=NoOptions(), pace=pace) for id_ in ("desk", "lead")]
    return NoticeWorld({told.name: (told, targets)}, clock=clock, policy=HASTY, partitions=partitions)


def many(count: int, *, start: int = 0) -> list[Notice]:
    return [notice(f"n{number}", case=f"c{number}", at_ms=NOW_MS) for number in range(start, start + count)]


def held(world: NoticeWorld, why: str) -> float:
    return world.registry.get_sample_value("turnout_notices_held", {"why": why}) or 0.0


async def read(world: NoticeWorld, count: int) -> None:
    """Return once so many are held for a message."""
    await eventually(lambda: held(world, "group") == count)


async def test_a_hundred_at_once_are_one_message() -> None:
    told, clock = Told(), ManualClock(NOW_MS)
    async with telling(world_of(told, clock)) as world:
        await world.publish(*many(100))
        await read(world, 100)
        await clock.advance_ms(4_999)
        assert told.given == []
        await clock.advance_ms(1)
        await world.counts("sent", 100)
        assert told.sizes() == [100]
        assert world.registry.get_sample_value("turnout_notice_messages_total") == 1
        await world.end()
        assert await world.unfinished() == []


async def test_a_hundred_spread_over_a_minute_are_one_message() -> None:
    told, clock = Told(), ManualClock(NOW_MS)
    async with telling(world_of(told, clock)) as world:
        for number in range(20):
            await world.publish(*many(5, start=5 * number))
            await read(world, 5 * (number + 1))
            await clock.advance_ms(2_900)
            assert told.given == []
        await clock.advance_ms(60_000 - 20 * 2_900)
        await world.counts("sent", 100)
        assert told.sizes() == [100]


async def test_each_target_and_each_of_the_staff_has_a_message_of_his_own() -> None:
    told, clock = Told(), ManualClock(NOW_MS)
    minji, jun = (AdvisorId("minji"),), (AdvisorId("jun"),)
    async with telling(world_of(told, clock)) as world:
        await world.publish(
            notice("n1"), notice("n2", target="lead"), *(replace(each, staff=minji) for each in many(2, start=3))
        )
        await world.publish(replace(notice("n5"), staff=jun))
        await read(world, 5)
        await clock.advance_ms(5_000)
        await world.counts("sent", 5)
        places = {(each.target, each.staff): len(each.notices) for each in told.given}
        assert places == {("desk", ()): 1, ("lead", ()): 1, ("desk", minji): 2, ("desk", jun): 1}


async def test_a_target_that_was_told_often_enough_gets_the_rest_together() -> None:
    told, clock = Told(), ManualClock(NOW_MS)
    pace = Pace(group_s=0.0, per_minute=6.0)
    async with telling(world_of(told, clock, pace)) as world:
        await world.publish(*many(30))
        await world.counts("sent", 1)
        await read(world, 29)
        assert held(world, "throttle") == 1
        assert world.registry.get_sample_value("turnout_notices_throttled_total") == 1
        await clock.advance_ms(9_990)
        assert told.sizes() == [1]
        await clock.advance_ms(20)
        await world.counts("sent", 30)
        assert told.sizes() == [1, 29]
        assert held(world, "throttle") == 0


async def test_more_than_a_message_holds_are_several_messages() -> None:
    told, clock = Told(), ManualClock(NOW_MS)
    async with telling(world_of(told, clock)) as world:
        await world.publish(*many(notice_gathering.MOST_IN_ONE + 1))
        await world.counts("sent", notice_gathering.MOST_IN_ONE)
        await read(world, 1)
        await clock.advance_ms(5_000)
        await world.counts("sent", notice_gathering.MOST_IN_ONE + 1)
        assert told.sizes() == [notice_gathering.MOST_IN_ONE, 1]


async def test_quiet_hours_hold_a_notice_and_let_the_urgent_one_pass() -> None:
    told, clock = Told(), ManualClock(NOW_MS)
    async with telling(world_of(told, clock)) as world:
        await world.publish(*(replace(each, not_before_ms=NOW_MS + HOUR_MS) for each in many(3)), notice("urgent"))
        await eventually(lambda: held(world, "quiet") == 3)
        await clock.advance_ms(5_000)
        await world.counts("sent", 1)
        assert [each.first.id for each in told.given] == ["urgent"]
        await clock.advance_ms(HOUR_MS - 5_001)
        assert told.sizes() == [1]
        await clock.advance_ms(5_001)
        await world.counts("sent", 4)
        assert told.sizes() == [1, 3]
        assert held(world, "quiet") == 0


async def test_what_is_held_through_many_restarts_is_told_once() -> None:
    told, clock = Told(), ManualClock(NOW_MS)
    async with telling(world_of(told, clock)) as world:
        await world.publish(*(replace(each, not_before_ms=NOW_MS + HOUR_MS) for each in many(3)))
        for _ in range(8):
            await eventually(lambda: held(world, "quiet") == 3)
            await world.end(0)
            await world.begin()
        await eventually(lambda: held(world, "quiet") == 3)
        assert len(told.given) == 0
        await clock.advance_ms(HOUR_MS + 5_000)
        await world.counts("sent", 3)
        await world.end()
        assert told.sizes() == [3]
        assert await world.unfinished() == []


async def test_too_many_in_quiet_hours_are_told_early_rather_than_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notice_gathering, "MOST_QUIET", 4)
    told, clock = Told(), ManualClock(NOW_MS)
    async with telling(world_of(told, clock)) as world:
        soon = [replace(each, not_before_ms=NOW_MS + HOUR_MS) for each in many(3)]
        late = [replace(each, not_before_ms=NOW_MS + 2 * HOUR_MS) for each in many(2, start=3)]
        await world.publish(*soon)
        await eventually(lambda: held(world, "quiet") == 3)
        await world.publish(*late)
        await eventually(lambda: held(world, "quiet") == 2)
        assert world.registry.get_sample_value("turnout_notices_early_total") == 1
        await clock.advance_ms(5_000)
        await world.counts("sent", 3)
        assert {each.id for each in told.given[0].notices} == {each.id for each in soon}


async def test_one_that_is_read_twice_while_it_is_held_is_told_once() -> None:
    told, clock = Told(), ManualClock(NOW_MS)
    async with telling(world_of(told, clock)) as world:
        await world.publish(notice("n1"), notice("n1"))
        await eventually(lambda: world.registry.get_sample_value("turnout_notices_in_hand") == 2)
        await read(world, 1)
        await clock.advance_ms(5_000)
        await world.counts("sent")
        await world.counts("repeated")
        assert told.sizes() == [1]
        await world.end()
        assert await world.unfinished() == []


async def test_what_is_held_at_a_hand_over_is_told_once_by_whose_it_is_then() -> None:
    told, clock = Told(), ManualClock(NOW_MS)
    async with telling(world_of(told, clock, partitions=8)) as world:
        await world.publish(*many(40))
        await read(world, 40)
        first, second = world.role, world.make()
        assert first is not None
        await second.start()
        try:
            await eventually(lambda: second.consumers()["notices"].owned == 4)
            theirs = {each.partition for each in [record async for record in world.bus.history(NOTICES)]}
            mine = first.consumers()["notices"].partitions
            moved = [record async for record in world.bus.history(NOTICES) if record.partition not in mine]
            assert 0 < len(moved) < 40
            assert len(theirs) > 4
            await read(world, len(moved))  # the registry is the second's now
            told.gate.clear()
            await clock.advance_ms(5_000)
            await eventually(lambda: sum(told.sizes()) >= 40)
            await clock.advance_ms(5_000)
            told.gate.set()
            await eventually(lambda: world.counted("sent") + world.counted("repeated") == len(moved))
            ids = [notice.id for each in told.given for notice in each.notices]
            assert sorted(ids) == sorted({each.id for each in many(40)})
        finally:
            await second.close(2.0)
