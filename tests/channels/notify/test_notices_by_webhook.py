"""From the bus to a target's own port, whatever happens on the way."""

from collections.abc import AsyncIterator

import pytest

from channels.notify.webhook import WebhookTargetOptions, notifier
from channels.notify.webhook_simulator import WebhookTargetSimulator
from router.contract.codec import header
from router.runtime.notifiers import Target
from router.runtime.settings.tree import build
from router.runtime.simulators import Misbehaviour
from tests.suites.eventually import eventually
from tests.suites.notices import HASTY, NoticeWorld, notice, telling


@pytest.fixture
async def desk() -> AsyncIterator[WebhookTargetSimulator]:
    made = WebhookTargetSimulator()
    yield made
    await made.stop()


@pytest.fixture
async def world(desk: WebhookTargetSimulator) -> AsyncIterator[NoticeWorld]:
    problems: list[str] = []
    options = build(WebhookTargetOptions, dict(await desk.start()), problems=problems)
    assert options is not None, problems
    made = notifier()
    async with telling(NoticeWorld({made.name: (made, [Target(id="desk", options=options)])}, policy=HASTY)) as one:
        yield one
    assert desk.refusals == []


async def test_a_notice_arrives_once(world: NoticeWorld, desk: WebhookTargetSimulator) -> None:
    await world.publish(notice("n1"), notice("n2", case="c2"))
    await world.counts("sent", 2)
    await world.end()
    assert {desk.arrived.get_nowait().id for _ in range(2)} == {"n1", "n2"}
    assert not desk.duplicates
    assert await world.unfinished() == []


async def test_a_crash_before_the_answer_repeats_it_with_its_id(
    world: NoticeWorld, desk: WebhookTargetSimulator
) -> None:
    desk.misbehave([Misbehaviour.HANG])
    await world.publish(notice())
    assert (await desk.arrived.get()).id == "n1"
    await world.end(0.05)
    assert len(await world.unfinished()) == 1
    await world.begin()
    await world.counts("sent")
    assert desk.duplicates == {"n1": 1}
    assert desk.arrived.empty()


async def test_what_was_sent_before_a_crash_is_not_repeated(world: NoticeWorld, desk: WebhookTargetSimulator) -> None:
    desk.misbehave([Misbehaviour.HANG])
    await world.publish(notice("n1"))
    assert (await desk.arrived.get()).id == "n1"
    await world.publish(notice("n2", case="c2"))
    await world.counts("sent")
    await world.end(0.05)
    assert len(await world.unfinished()) == 2  # the one before it keeps the commit back
    await world.begin()
    await world.counts("repeated")
    await world.counts("sent")
    assert desk.duplicates == {"n1": 1}


async def test_a_target_that_was_down_gets_it_when_it_is_up(world: NoticeWorld, desk: WebhookTargetSimulator) -> None:
    await desk.stop()
    await world.publish(notice())
    await eventually(lambda: world.put_off() >= 2)
    await desk.start()
    assert (await desk.arrived.get()).id == "n1"
    await world.counts("sent")
    assert not desk.duplicates


@pytest.mark.parametrize("way", [Misbehaviour.BUSY, Misbehaviour.CUT_BEFORE, Misbehaviour.CUT_AFTER])
async def test_trouble_on_the_way_passes(world: NoticeWorld, desk: WebhookTargetSimulator, way: Misbehaviour) -> None:
    desk.misbehave([way])
    await world.publish(notice())
    await world.counts("sent")
    assert world.put_off() == 1
    assert desk.duplicates.total() == (way is Misbehaviour.CUT_AFTER)


async def test_a_target_that_refuses_is_given_up(world: NoticeWorld, desk: WebhookTargetSimulator) -> None:
    desk.misbehave([Misbehaviour.REFUSE])
    await world.publish(notice())
    await world.counts("failed")
    (letter,) = await eventually(world.letters)
    assert header(letter.headers, "turnout-reason") == "NoticeFailed: the target answered 410"
    assert desk.arrived.empty()
