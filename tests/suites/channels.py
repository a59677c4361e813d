"""What every channel adapter must do, over real sockets, with its own simulator in the provider's place.

A test class of an adapter derives from ``ChannelSuite`` and gives ``adapter`` and ``simulator``; what its
protocol says differently (the codes of a refusal, a defect that it can't have) it overrides.
"""

import asyncio
import unicodedata
from collections.abc import AsyncIterator, Mapping
from typing import Any, ClassVar

import pytest
from msgspec.structs import replace

from router.contract.ids import ConversationId, ReplyId
from router.contract.messages import DeliveryState, Inquiry
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.protocol import Bus
from router.runtime.bus.streams import StreamsBus
from router.runtime.plugins import Adapter
from router.runtime.simulators import CustomerFile, CustomerMessage, Defect, Misbehaviour, Simulator
from tests.servers import Server
from tests.suites.channel_world import ACCOUNT, ChannelWorld, running
from tests.suites.eventually import eventually

LATER = frozenset({"429", "503"})


def message(ref: str = "m1", *, thread: str = "t1", text: str = "Where is my parcel?", **more: Any) -> CustomerMessage:
    return CustomerMessage(ref=ref, customer=f"customer of {thread}", thread=thread, text=text, **more)


class ChannelSuite:
    """The codes are those of ``Answer.code``."""

    refusal_codes: ClassVar[Mapping[Defect, str]] = {
        Defect.BAD_SIGNATURE: "401",
        Defect.MALFORMED: "400",
        Defect.OVERSIZE: "413",
        Defect.NOT_TEXT: "400",
    }
    later_codes: ClassVar[frozenset[str]] = LATER
    takes_files: ClassVar[bool] = True

    def adapter(self) -> Adapter[Any]:
        raise AssertionError("give the adapter")

    def simulator(self) -> Simulator:
        raise AssertionError("give its simulator")

    @pytest.fixture(params=["memory", "streams"])
    async def world(self, request: pytest.FixtureRequest) -> AsyncIterator[ChannelWorld]:
        bus: Bus
        if request.param == "memory":
            bus = MemoryBus()
        else:
            server: Server = request.getfixturevalue("valkey")
            bus = StreamsBus(server.url)
        async with running(ChannelWorld(bus, self.adapter(), self.simulator())) as world:
            yield world

    async def _written(self, world: ChannelWorld, **more: Any) -> Inquiry:
        """A customer has written, and it is on the bus."""
        answer = await world.simulator.send(message(**more))
        assert answer.accepted, answer
        return (await world.inquiries_of(1))[0]

    # In.

    async def test_a_message_becomes_an_inquiry(self, world: ChannelWorld) -> None:
        inquiry = await self._written(world)
        assert "Where is my parcel?" in inquiry.text
        assert (inquiry.channel, inquiry.account, inquiry.pool) == (world.adapter.name, ACCOUNT, "default")
        assert abs(inquiry.received_at_ms - world.clock.now_ms()) < 60_000

    async def test_yes_is_said_only_when_the_message_is_durable(self, world: ChannelWorld) -> None:
        world.bus.hold()
        sending = asyncio.create_task(world.simulator.send(message()))
        await eventually(lambda: world.bus.waiting)
        assert not sending.done()
        assert await world.inquiries() == []
        world.bus.release()
        assert (await sending).accepted
        assert len(await world.inquiries()) == 1

    async def test_without_a_bus_the_sender_is_told_to_come_again(self, world: ChannelWorld) -> None:
        world.bus.is_down = True
        answer = await world.simulator.send(message())
        assert not answer.accepted
        assert answer.code in self.later_codes
        _assert_terse(answer.body)
        world.bus.is_down = False
        assert (await world.simulator.send(message())).accepted

    async def test_a_redelivery_has_the_same_id(self, world: ChannelWorld) -> None:
        for _ in range(2):
            assert (await world.simulator.send(message())).accepted
        ids = {(inquiry.id, inquiry.conversation) for inquiry in await world.inquiries_of(1)}
        assert len(ids) == 1

    async def test_messages_of_a_thread_share_its_conversation(self, world: ChannelWorld) -> None:
        for ref, thread in (("a", "t1"), ("b", "t1"), ("c", "t2")):
            assert (await world.simulator.send(message(ref, thread=thread))).accepted
        found = await world.inquiries_of(3)
        assert len({inquiry.id for inquiry in found}) == 3
        assert len({inquiry.conversation for inquiry in found}) == 2

    @pytest.mark.parametrize("defect", Defect)
    async def test_what_is_wrong_is_refused_in_a_few_words(self, world: ChannelWorld, defect: Defect) -> None:
        answer = await world.simulator.send_defective(defect)
        if answer is None:
            assert defect not in self.refusal_codes
            return
        assert not answer.accepted
        assert answer.code == self.refusal_codes[defect]
        _assert_terse(answer.body)
        assert await world.inquiries() == []
        assert (await world.simulator.send(message())).accepted

    async def test_what_only_harms_is_taken_out_of_the_text(self, world: ChannelWorld) -> None:
        inquiry = await self._written(world, text="e\u0301 안녕\u202egnp.exe\x07 \U0001f469\u200d\U0001f4bb")
        assert unicodedata.is_normalized("NFC", inquiry.text)
        assert not {"\u202e", "\x07"} & set(inquiry.text)
        assert "é 안녕" in inquiry.text
        assert "\U0001f469\u200d\U0001f4bb" in inquiry.text

    async def test_what_the_operator_masks_never_reaches_the_bus(self, world: ChannelWorld) -> None:
        inquiry = await self._written(world, text="제 번호는 900101-1234567입니다")
        assert "1234567" not in inquiry.text
        assert "[resident-number]" in inquiry.text

    async def test_a_file_is_stored_before_the_inquiry_names_it(self, world: ChannelWorld) -> None:
        if not self.takes_files:
            return
        file = CustomerFile(name="receipt.pdf", media_type="application/pdf", data=b"%PDF-1.4 \x00\xff" * 100)
        inquiry = await self._written(world, files=(file,))
        (attachment,) = inquiry.attachments
        assert (attachment.name, attachment.size_bytes) == (file.name, len(file.data))
        assert b"".join([chunk async for chunk in await world.blobs.get(attachment.blob)]) == file.data

    # Out.

    async def test_a_reply_reaches_its_customer_in_the_thread(self, world: ChannelWorld) -> None:
        inquiry = await self._written(world)
        reply = await world.answer(inquiry, "r1", "It comes 내일.")
        received = await world.simulator.next_reply()
        assert "It comes 내일." in received.text
        assert (received.customer, received.thread) == ("customer of t1", "t1")
        delivery = await world.delivery(reply.id)
        assert delivery.state is DeliveryState.SENT
        assert (delivery.case, delivery.account, delivery.conversation) == (
            reply.case,
            ACCOUNT,
            inquiry.conversation,
        )
        assert list(world.simulator.refusals()) == []

    async def test_a_reply_that_is_read_twice_goes_out_once(self, world: ChannelWorld) -> None:
        inquiry = await self._written(world)
        reply = await world.answer(inquiry, "r1", "once")
        await world.delivery(reply.id)
        await world.publish(reply)
        await world.answer(inquiry, "r2", "and then")
        assert "once" in (await world.simulator.next_reply()).text
        assert "and then" in (await world.simulator.next_reply()).text
        states = {delivery.state for delivery in await world.deliveries(reply.id)}
        assert states == {DeliveryState.SENT}

    async def test_replies_of_a_conversation_keep_their_order(self, world: ChannelWorld) -> None:
        inquiry = await self._written(world)
        world.simulator.misbehave([Misbehaviour.BUSY])
        for number in range(5):
            await world.answer(inquiry, f"r{number}", f"part {number}.")
        received = [await world.simulator.next_reply() for _ in range(5)]
        assert [f"part {number}." in reply.text for number, reply in enumerate(received)] == [True] * 5

    @pytest.mark.parametrize("way", [Misbehaviour.REFUSE, Misbehaviour.BUSY])
    async def test_a_no_for_good_is_failed_and_a_no_for_now_is_not(
        self, world: ChannelWorld, way: Misbehaviour
    ) -> None:
        inquiry = await self._written(world)
        world.simulator.misbehave([way])
        delivery = await world.delivery((await world.answer(inquiry, "r1")).id)
        if way is Misbehaviour.BUSY:
            assert delivery.state is DeliveryState.SENT
            return
        assert delivery.state is DeliveryState.FAILED
        assert delivery.reason
        _assert_terse(delivery.reason)

    @pytest.mark.parametrize("way", [Misbehaviour.CUT_BEFORE, Misbehaviour.CUT_AFTER])
    async def test_a_cut_line_never_doubles_a_reply(self, world: ChannelWorld, way: Misbehaviour) -> None:
        inquiry = await self._written(world)
        world.simulator.misbehave([way])
        delivery = await world.delivery((await world.answer(inquiry, "r1", "first")).id)
        await world.answer(inquiry, "r2", "second")
        received = [await world.simulator.next_reply()]
        while "second" not in received[-1].text:
            received.append(await world.simulator.next_reply())
        firsts = len(received) - 1
        if world.adapter.deduplicates:
            assert (delivery.state, firsts) == (DeliveryState.SENT, 1)
        else:
            assert delivery.state is not DeliveryState.SENT or firsts == 1
            assert firsts <= 1

    async def test_a_crash_in_mid_sending_ends_as_sent_once_or_unknown(self, world: ChannelWorld) -> None:
        inquiry = await self._written(world)
        await world.stop()
        # The process that died had written ``sending`` a while ago, and nobody knows how far it came.
        await world.ledger.claim(ReplyId("r1"), attempt="dead", now_ms=world.clock.now_ms() - 3_600_000)
        await world.answer(inquiry, "r1", "first")
        await world.answer(inquiry, "r2", "second")
        await world.start()
        delivery = await world.delivery(ReplyId("r1"))
        received = await world.simulator.next_reply()
        if world.adapter.deduplicates:
            assert delivery.state is DeliveryState.SENT
            assert "first" in received.text
        else:
            assert delivery.state is DeliveryState.UNKNOWN
            assert "second" in received.text

    async def test_processes_that_come_and_go_send_each_reply_once(self, world: ChannelWorld) -> None:
        inquiry = await self._written(world)
        told = [(f"v{number % 5}", f"part {number}.") for number in range(45)]
        for number, (conversation, text) in enumerate(told):
            if number == 15:
                await world.replicate()
            if number == 30:
                await world.stop()
            spread = replace(inquiry, conversation=ConversationId(conversation))
            await world.answer(spread, f"r{number}", text)
        texts = [(await world.simulator.next_reply()).text for _ in told]
        places = {text: [place for place, seen in enumerate(texts) if text in seen] for _, text in told}
        assert {len(found) for found in places.values()} == {1}
        for conversation in {conversation for conversation, _ in told}:
            order = [places[text][0] for each, text in told if each == conversation]
            assert order == sorted(order)
        for number in range(len(told)):
            assert (await world.delivery(ReplyId(f"r{number}"))).state is DeliveryState.SENT

    # Stop and go.

    async def test_a_restart_goes_on_where_it_stopped(self, world: ChannelWorld) -> None:
        inquiry = await self._written(world)
        await world.delivery((await world.answer(inquiry, "r1", "before")).id)
        await world.stop()
        await world.answer(inquiry, "r2", "meanwhile")
        await world.start()
        assert (await world.simulator.send(message("m2"))).accepted
        found = await world.inquiries_of(2)
        assert len({each.conversation for each in found}) == 1
        assert "before" in (await world.simulator.next_reply()).text
        assert "meanwhile" in (await world.simulator.next_reply()).text

    async def test_what_is_in_hand_at_the_stop_is_finished(self, world: ChannelWorld) -> None:
        assert world.role is not None
        world.bus.hold()
        sending = asyncio.create_task(world.simulator.send(message()))
        await eventually(lambda: world.bus.waiting)
        await world.role.stop_intake()
        world.bus.release()
        assert (await sending).accepted
        await world.role.close(5.0)
        assert len(await world.inquiries()) == 1

    async def test_it_has_no_troubles_when_all_is_well(self, world: ChannelWorld) -> None:
        assert world.role is not None
        assert list(world.role.troubles()) == []


def _assert_terse(said: str) -> None:
    """Nothing of the inside: no trace, no path, no class of an error."""
    assert len(said) < 600
    for tell in ("Traceback", 'File "', ".py", "Error(", "Exception"):
        assert tell not in said
