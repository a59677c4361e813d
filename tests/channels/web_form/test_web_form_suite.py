from collections.abc import AsyncIterator
from typing import Any

import pytest
from msgspec.structs import replace

from channels.web_form.adapter import WebFormAdapter, adapter
from channels.web_form.options import WebFormOptions
from channels.web_form.simulator import simulator
from router.contract.ids import AccountId, ReplyId
from router.contract.messages import Address, DeliveryState
from router.runtime.blobs import StoredBlob
from router.runtime.errors import BlobsUnavailable
from router.runtime.plugins import Adapter
from router.runtime.simulators import Misbehaviour, Simulator
from tests.suites.channel_world import ChannelWorld
from tests.suites.channels import ChannelSuite, message


class TestWebForm(ChannelSuite):
    def adapter(self) -> Adapter[WebFormOptions]:
        return adapter()

    def simulator(self) -> Simulator:
        return simulator()

    @pytest.mark.parametrize("way", [Misbehaviour.REFUSE, Misbehaviour.BUSY])
    async def test_a_no_for_good_is_failed_and_a_no_for_now_is_not(
        self, world: ChannelWorld, way: Misbehaviour
    ) -> None:
        """Nobody stands between the channel and the customer but the object store: that says the no for now.
        A no for good is an address that no form has."""
        inquiry = await self._written(world)
        if way is Misbehaviour.REFUSE:
            nowhere = Address(account=AccountId("shop"), address="../elsewhere")
            reply = await world.answer(replace(inquiry, reply_to=nowhere), "r1")
            delivery = await world.delivery(reply.id)
            assert (delivery.state, delivery.reason) == (DeliveryState.FAILED, "there is no such form")
            return
        fail_once(world)
        reply = await world.answer(inquiry, "r1")
        assert (await world.delivery(reply.id)).state is DeliveryState.SENT
        assert (await world.simulator.next_reply()).key == "r1"

    async def test_processes_that_come_and_go_send_each_reply_once(self, world: ChannelWorld) -> None:
        """Answers are numbered under their form, so each conversation here has a form of its own, as in life."""
        for number in range(5):
            await world.simulator.send(message(f"m{number}", thread=f"t{number}"))
        inquiries = await world.inquiries_of(5)
        told = [(inquiries[number % 5], f"part {number}.") for number in range(45)]
        for number, (inquiry, text) in enumerate(told):
            if number == 15:
                await world.replicate()
            if number == 30:
                await world.stop()
            await world.answer(inquiry, f"r{number}", text)
        seen = [await world.simulator.next_reply() for _ in told]
        assert sorted(reply.text for reply in seen) == sorted(text for _, text in told)
        for number in range(5):
            own = [reply.text for reply in seen if reply.thread == f"t{number}"]
            assert own in [[text for inquiry, text in told if inquiry is each] for each in inquiries]
        for number in range(len(told)):
            assert (await world.delivery(ReplyId(f"r{number}"))).state is DeliveryState.SENT
        assert list(world.simulator.refusals()) == []


def fail_once(world: ChannelWorld) -> None:
    """The object store is away for the next thing to keep."""
    put: Any = world.blobs.put

    async def refuse(key: str, chunks: AsyncIterator[bytes], *, max_bytes: int) -> StoredBlob:
        world.blobs.put = put  # type: ignore[method-assign]  # a store that is away can't be made otherwise
        raise BlobsUnavailable("the object store is away")

    world.blobs.put = refuse  # type: ignore[method-assign]  # as above


def test_an_answer_is_kept_once() -> None:
    assert WebFormAdapter.deduplicates
