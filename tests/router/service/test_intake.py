"""Intake of records: what can never be handled is for the dead letters, and does not end the router."""

import asyncio

import pytest
from msgspec.structs import replace

from router.contract.codec import encode
from router.contract.errors import TooLarge
from router.contract.ids import CaseId, ConversationId
from router.contract.messages import MAX_INQUIRY_BYTES, Handover, Inquiry
from router.contract.topics import inquiries
from router.runtime.bus.protocol import Partition, Record
from router.runtime.errors import PartitionFenced
from router.service.errors import NotServed, Superseded
from router.store.acts import Fence
from tests.suites.metrics import shown
from tests.suites.stage import POOL, inquiry, stage

FENCE = Fence(partition="p", epoch=1, offset=0)


def record(message: Inquiry | Handover) -> Record:
    return Record(
        partition=Partition(inquiries(POOL), 0),
        offset=0,
        epoch=1,
        key="t",
        value=encode(message),
        headers=(),
        published_at_ms=1,
    )


async def test_a_handover_is_put_aside_and_does_not_end_the_process() -> None:
    handover = Handover(
        id="h", pool=POOL, from_pool=POOL, from_case=CaseId("c"), conversation=ConversationId("t"), queue="q", at_ms=1
    )
    async with stage() as scene:
        with pytest.raises(NotServed) as caught:
            await scene.intake.handle(record(handover), FENCE)
        assert not isinstance(caught.value, Superseded)
        assert not caught.value.retryable


@pytest.mark.parametrize(("over", "is_refused"), [(0, False), (1, True)])
async def test_an_inquiry_beyond_the_bound_is_put_aside(over: int, is_refused: bool) -> None:
    """No channel writes one; whoever did must not make the state store hold it."""
    short = replace(inquiry("c1"), text="x")
    fill = 1 + MAX_INQUIRY_BYTES - len(encode(short)) + over
    async with stage() as scene:
        expected = TooLarge if is_refused else PartitionFenced  # the next refusal in its way
        with pytest.raises(expected):
            await scene.intake.handle(record(replace(short, text="x" * fill)), FENCE)


async def test_what_was_taken_over_is_told_as_fenced() -> None:
    async with stage() as scene:
        with pytest.raises(PartitionFenced):
            await scene.intake.handle(record(inquiry("c1")), FENCE)


async def test_what_came_before_is_done_only_when_it_is_on_the_bus() -> None:
    """Whoever admitted it may have died, and the relay not have come that far."""
    async with stage() as scene:
        (epoch,) = (await scene.store.take_epochs(POOL, ["p"])).values()
        fence = replace(FENCE, epoch=epoch)
        first = await scene.intake.handle(record(inquiry("c1")), fence)
        again = await scene.intake.handle(record(inquiry("c1")), fence)
        assert first is not None
        assert again is not None
        assert shown(scene.registry, "turnout_inquiries_total") == {"admitted": 1, "duplicate": 1}
        relay = await scene.store.take(POOL)
        await scene.store.trim(POOL, relay, (await scene.store.status(POOL)).number)
        following = asyncio.create_task(scene.intake._progress.run())
        async with asyncio.timeout(10):
            await asyncio.gather(first, again)
        following.cancel()
