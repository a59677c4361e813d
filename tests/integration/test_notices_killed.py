"""Processes that tell staff, killed by SIGKILL at each moment that matters, with bus and ledger in a real store: no
notice is lost, and a target is told of none twice unless by a message that it knows for a repeat."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from channels.notify.webhook_simulator import WebhookTargetSimulator
from router.contract.codec import header
from router.contract.messages import Notice
from router.contract.topics import topic_specs
from router.runtime.hosting.notice_gathering import MOST_IN_ONE
from router.runtime.hosting.suspects import MOST
from router.runtime.simulators import Misbehaviour
from tests.kafka_server_fixture import Broker
from tests.servers import Server
from tests.suites.eventually import eventually
from tests.suites.notice_process import Moment, Task, bus_of
from tests.suites.notices import POOL, NoticeWorld, notice

PROGRAM = Path(__file__).parent.parent / "suites" / "notice_process.py"
FEW = 5
LONG_S = 30.0

pytestmark = pytest.mark.timeout(180)


class Teller:
    """One process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @property
    def is_over(self) -> bool:
        return self._process.returncode is not None

    async def counts(self) -> tuple[int, int]:
        """How many notices it has in hand, and how many have ended there."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"?\n")
        async with asyncio.timeout(30):
            in_hand, ended = (await self._process.stdout.readline()).split()
        return int(in_hand), int(ended)

    async def holds(self, number: int) -> None:
        """Return once it has so many in hand."""

        async def is_so() -> bool:
            return (await self.counts())[0] == number

        await eventually(is_so, within_s=LONG_S)

    async def ends(self, number: int) -> None:
        """Return once so many have ended there and none is in hand."""

        async def is_so() -> bool:
            return await self.counts() == (0, number)

        await eventually(is_so, within_s=LONG_S)

    async def died(self) -> int:
        async with asyncio.timeout(60):
            return await self._process.wait()

    async def kill(self) -> None:
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> int:
        assert self._process.stdin is not None
        self._process.stdin.write(b"stop\n")
        return await self.died()


class Place:
    """The store, and a target that is told."""

    def __init__(self, url: str, desk: WebhookTargetSimulator, task: Task, *, bootstrap: str = "") -> None:
        self.desk = desk
        self.task = task
        self.world = NoticeWorld({}, bus=bus_of(url, bootstrap))
        self._url = url
        self._bootstrap = bootstrap

    async def open(self) -> None:
        await self.world.bus.create_topics(topic_specs((POOL,), inquiry_partitions=1, partitions=1))

    @asynccontextmanager
    async def teller(self, **changes: object) -> AsyncIterator[Teller]:
        text = msgspec.json.encode(replace(self.task, **changes)).decode()
        process = await asyncio.create_subprocess_exec(
            # Not beside its neighbours: one of them is called as a package of ours is.
            *(sys.executable, "-P", str(PROGRAM), self._url, text, self._bootstrap),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        one = Teller(process)
        try:
            yield one
        finally:
            if not one.is_over:
                await one.kill()

    def arrived(self) -> list[str]:
        """The notices that the target took in, each as often as it came."""
        seen = [self.desk.arrived.get_nowait() for _ in range(self.desk.arrived.qsize())]
        for each in seen:
            self.desk.arrived.put_nowait(each)
        return sorted([each.id for each in seen] + list(self.desk.duplicates.elements()))

    async def ended_well(self) -> None:
        """Nothing is left for anybody to read."""
        assert await self.world.unfinished() == []
        assert self.desk.refusals == []


@asynccontextmanager
async def placed(store: Server, bootstrap: str = "") -> AsyncIterator[Place]:
    desk = WebhookTargetSimulator()
    made = Place(store.url, desk, Task(options=dict(await desk.start())), bootstrap=bootstrap)
    await made.open()
    try:
        yield made
    finally:
        await made.world.close()
        await desk.stop()


@pytest.fixture
async def place(valkey: Server) -> AsyncIterator[Place]:
    async with placed(valkey) as made:
        yield made


def few(count: int = FEW, *, not_before_ms: int | None = None) -> list[Notice]:
    now_ms = time.time_ns() // 1_000_000
    return [
        replace(notice(f"n{number:03}", case=f"c{number}", at_ms=now_ms), not_before_ms=not_before_ms)
        for number in range(count)
    ]


def ids(notices: Sequence[Notice]) -> list[str]:
    return [str(each.id) for each in notices]


@pytest.mark.parametrize(
    ("moment", "nth"),
    [
        (Moment.BEFORE_CLAIM, 1),
        (Moment.AFTER_CLAIM, 1),
        (Moment.AFTER_CLAIM, FEW),
        (Moment.BEFORE_OUTCOME, 2),  # that of the message is written, and of none of its notices
        (Moment.AFTER_OUTCOME, FEW // 2),
        (Moment.AFTER_OUTCOME, FEW + 1),  # all is written, and nothing committed
    ],
)
async def test_whoever_comes_next_sends_what_was_not_sent_and_nothing_else(
    place: Place, moment: Moment, nth: int
) -> None:
    await outlived(place, moment, nth)
    await place.ended_well()


@pytest.mark.parametrize(("moment", "nth"), [(Moment.AFTER_CLAIM, FEW), (Moment.BEFORE_OUTCOME, 2)])
async def test_on_kafka_whoever_comes_next_does_so_too(
    valkey: Server, own_kafka: Broker, moment: Moment, nth: int
) -> None:
    async with placed(valkey, own_kafka.bootstrap) as place:
        await outlived(place, moment, nth)
        async with place.teller(group_s=0.0) as third:
            await place.world.publish(notice("later"))
            await third.ends(1)  # all before it was committed
            assert await third.stop() == 0


async def outlived(place: Place, moment: Moment, nth: int) -> None:
    """One process is killed then, the next does the rest, and every notice has come once."""
    notices = few()
    async with place.teller(dies=moment, nth=nth) as first:
        await place.world.publish(*notices)
        assert await first.died() == -9
    async with place.teller() as second:
        await second.ends(FEW)
        assert await second.stop() == 0
    assert place.arrived() == ids(notices)


async def test_a_message_whose_outcome_was_never_written_comes_again_as_the_same(place: Place) -> None:
    notices = few()
    async with place.teller(dies=Moment.BEFORE_OUTCOME) as first:
        await place.world.publish(*notices)
        assert await first.died() == -9
    assert place.arrived() == ids(notices)
    async with place.teller() as second:
        await second.ends(FEW)
        assert await second.stop() == 0
    assert len(place.desk.messages) == 2
    assert len(set(place.desk.messages)) == 1
    await place.ended_well()


async def test_what_is_held_for_a_group_is_told_by_the_next(place: Place) -> None:
    notices = few()
    async with place.teller(group_s=60.0) as first:
        await place.world.publish(*notices)
        await first.holds(FEW)
        await first.kill()
    assert place.arrived() == []
    async with place.teller() as second:
        await second.ends(FEW)
        assert await second.stop() == 0
    assert place.arrived() == ids(notices)
    assert len(place.desk.messages) == 1
    await place.ended_well()


async def test_a_group_that_is_full_is_cut_off_in_the_middle_of_its_claims(place: Place) -> None:
    notices = few(MOST_IN_ONE + 40)
    async with place.teller(group_s=60.0, dies=Moment.AFTER_CLAIM, nth=MOST_IN_ONE // 2) as first:
        await place.world.publish(*notices)
        assert await first.died() == -9
    assert place.arrived() == []
    async with place.teller() as second:
        await second.ends(len(notices))
        assert await second.stop() == 0
    assert place.arrived() == ids(notices)
    await place.ended_well()


async def test_what_a_throttle_holds_is_told_by_the_next(place: Place) -> None:
    notices = few()
    async with place.teller(group_s=0.0, per_minute=1.0) as first:
        await place.world.publish(*notices)
        await eventually(lambda: len(place.desk.messages) == 1)
        await first.holds(FEW - 1)
        await first.kill()
    async with place.teller() as second:
        await second.ends(FEW)
        assert await second.stop() == 0
    assert place.arrived() == ids(notices)
    await place.ended_well()


async def test_quiet_hours_outlast_the_process_that_kept_them(place: Place) -> None:
    end_ms = time.time_ns() // 1_000_000 + 6_000
    notices = few(not_before_ms=end_ms)
    async with place.teller() as first:
        await place.world.publish(*notices)
        await first.holds(FEW)
        await first.kill()
    async with place.teller() as second:
        await second.holds(FEW)
        was_quiet = place.arrived() == [] or time.time_ns() // 1_000_000 >= end_ms
        await eventually(lambda: place.arrived() == ids(notices))
        assert time.time_ns() // 1_000_000 >= end_ms
        assert await second.stop() == 0
    assert was_quiet
    await place.ended_well()


async def test_a_target_that_is_busy_is_tried_again_by_the_next_process(place: Place) -> None:
    notices = few()
    place.desk.misbehave([Misbehaviour.BUSY] * 3)
    async with place.teller(dies=Moment.AFTER_CLAIM, nth=FEW + 2) as first:  # in the second try
        await place.world.publish(*notices)
        assert await first.died() == -9
    assert place.arrived() == []
    async with place.teller() as second:
        await second.ends(FEW)
        assert await second.stop() == 0
    assert place.arrived() == ids(notices)
    assert await place.world.letters() == []
    await place.ended_well()


async def test_a_no_for_good_lies_in_the_dead_letters_though_the_process_died_over_it(place: Place) -> None:
    notices = few(1)
    place.desk.misbehave([Misbehaviour.REFUSE])
    async with place.teller(dies=Moment.AFTER_OUTCOME) as first:
        await place.world.publish(*notices)
        assert await first.died() == -9
    assert await place.world.letters() == []
    async with place.teller() as second:
        await second.ends(1)
        assert await second.stop() == 0
    (letter,) = await place.world.letters()
    assert "410" in (header(letter.headers, "turnout-reason") or "")
    assert place.arrived() == []
    await place.ended_well()


async def test_a_notice_that_ends_every_process_is_put_aside(place: Place) -> None:
    notices = few(1)
    place.desk.misbehave([Misbehaviour.HANG] * MOST)
    await place.world.publish(*notices)
    for lives in range(1, MOST + 1):
        async with place.teller(group_s=0.0) as one:
            await eventually(lambda: len(place.desk.messages) == lives, within_s=LONG_S)  # noqa: B023
            await one.kill()
    async with place.teller() as last:
        await last.ends(1)
        assert await last.stop() == 0
    (letter,) = await place.world.letters()
    assert header(letter.headers, "turnout-reason") == f"NoticeFailed: sending it has ended the process {MOST} times"
    assert len(place.desk.messages) == MOST
    assert set(place.desk.messages) == set(ids(notices))
    await place.ended_well()
