"""Whatever ends the process, nothing that staff are to be told is lost, and nothing is told as if it were new."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from channels.notify.webhook import WebhookTargetOptions, notifier
from channels.notify.webhook_simulator import WebhookTargetSimulator
from router.contract.ids import ReplyId, bulletin_id
from router.contract.messages import Notice
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.protocol import Bus
from router.runtime.bus.streams import StreamsBus
from router.runtime.ledger import LedgerEntry, MemoryLedger
from router.runtime.notifiers import Pace, Target
from router.runtime.settings.tree import build
from router.runtime.simulators import Misbehaviour
from tests.servers import Server
from tests.suites.eventually import eventually
from tests.suites.notices import HASTY, NoticeWorld, notice, telling

PACE = Pace(group_s=0.1, group_most_s=0.3, per_minute=6_000.0)
MANY = 20


class CutLedger(MemoryLedger):
    """After so many outcomes the process that writes them is gone before it writes the next."""

    def __init__(self) -> None:
        super().__init__()
        self.left: int | None = None

    async def settle(self, reply: ReplyId, final: LedgerEntry) -> LedgerEntry:
        if self.left is not None:
            if self.left == 0:
                await asyncio.Event().wait()
            self.left -= 1
        return await super().settle(reply, final)


@pytest.fixture(params=["memory", "streams"])
def bus(request: pytest.FixtureRequest) -> Bus:
    if request.param == "memory":
        return MemoryBus()
    server: Server = request.getfixturevalue("valkey")
    return StreamsBus(server.url, lease_ms=1000, stop_s=2)


@pytest.fixture
async def desk() -> AsyncIterator[WebhookTargetSimulator]:
    made = WebhookTargetSimulator()
    yield made
    await made.stop()


@pytest.fixture
def ledger() -> CutLedger:
    return CutLedger()


@pytest.fixture
async def world(bus: Bus, desk: WebhookTargetSimulator, ledger: CutLedger) -> AsyncIterator[NoticeWorld]:
    options = build(WebhookTargetOptions, dict(await desk.start()), problems=[])
    assert options is not None
    made = notifier()
    targets = [Target(id="desk", options=options, pace=PACE)]
    async with telling(NoticeWorld({made.name: (made, targets)}, policy=HASTY, bus=bus, ledger=ledger)) as one:
        yield one
    assert desk.refusals == []


def many(count: int = MANY, *, start: int = 0) -> list[Notice]:
    return [notice(f"n{number}", case=f"c{number}") for number in range(start, start + count)]


async def told(desk: WebhookTargetSimulator, count: int) -> set[str]:
    """The ids of what arrived, once so many have; each counts once however often it came."""
    await eventually(lambda: desk.arrived.qsize() >= count)
    return {desk.arrived.get_nowait().id for _ in range(desk.arrived.qsize())}


async def killed(world: NoticeWorld) -> None:
    """No more time than a killed process has, and a successor."""
    await world.end(0)
    await world.begin()


async def test_a_message_cut_off_in_the_middle_comes_again_as_the_same(
    world: NoticeWorld, desk: WebhookTargetSimulator
) -> None:
    desk.misbehave([Misbehaviour.HANG])
    await world.publish(*many())
    assert await told(desk, MANY) == {each.id for each in many()}
    await killed(world)
    await world.counts("sent", MANY)
    assert desk.messages == [bulletin_id(each.id for each in many())] * 2
    assert desk.arrived.empty()
    await world.end()
    assert await world.unfinished() == []


@pytest.mark.parametrize("written", [1, MANY // 2])
async def test_a_message_that_arrived_is_not_repeated_for_what_was_not_written_down(
    world: NoticeWorld, desk: WebhookTargetSimulator, ledger: CutLedger, written: int
) -> None:
    ledger.left = written
    await world.publish(*many())
    await told(desk, MANY)
    await killed(world)
    ledger.left = None
    await eventually(lambda: world.counted("repeated") + world.counted("sent") == MANY)
    await world.end()
    assert len(desk.messages) == 1
    assert not desk.duplicates
    assert await world.unfinished() == []


async def test_what_is_held_when_the_process_dies_is_told_by_the_next(
    world: NoticeWorld, desk: WebhookTargetSimulator
) -> None:
    for round_ in range(4):
        await world.publish(*many(5, start=5 * round_))
        await eventually(lambda: world.in_hand() or desk.arrived.qsize())
        await killed(world)
    assert await told(desk, MANY) == {each.id for each in many()}
    await eventually(lambda: world.in_hand() == 0)
    await world.end()
    assert await world.unfinished() == []
    assert await world.letters() == []
