"""Lines that break in the middle of a frame, and a restart: nothing missing, nothing twice, order kept."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from channels.chat.adapter import adapter
from channels.chat.simulator import ChatSimulator
from channels.chat.simulator_line import Way
from router.contract.ids import ReplyId
from router.contract.messages import DeliveryState, Inquiry
from router.runtime.bus.memory import MemoryBus
from router.runtime.chat_log import RedisChatLog
from router.runtime.redis import Coalescer, Purpose, connect
from router.runtime.simulators import CustomerMessage
from tests.servers import Server
from tests.suites.channel_world import ChannelWorld, running

MESSAGES = 200
CUTS = 20
RESTART_AT = 100


class Chat:
    """One customer and his advisor, each with numbered messages."""

    def __init__(self, world: ChannelWorld, simulator: ChatSimulator) -> None:
        self.world = world
        self.simulator = simulator
        places = random.Random(3).sample([n for n in range(5, MESSAGES - 5) if abs(n - RESTART_AT) > 5], CUTS)
        self.cuts = {place: tuple(Way)[number % 2] for number, place in enumerate(places)}

    async def write(self, first: int, end: int) -> None:
        for number in range(first, end):
            if self.cuts.get(number) is Way.UP:
                self.simulator.line.cut(Way.UP)
            message = CustomerMessage(ref=f"c{number}", customer="kim", thread="t", text=f"question {number}")
            assert (await self.simulator.send(message)).accepted

    async def answer(self, inquiry: Inquiry, first: int, end: int) -> None:
        for number in range(first, end):
            if self.cuts.get(number) is Way.DOWN:
                self.simulator.line.cut(Way.DOWN)
            reply = await self.world.answer(inquiry, f"r{number}", f"answer {number}")
            assert (await self.world.delivery(reply.id)).state is DeliveryState.SENT

    async def heard(self) -> list[str]:
        return [(await self.simulator.next_reply()).text for _ in range(MESSAGES)]


@pytest.fixture
async def chat(redis_server: Server) -> AsyncIterator[Chat]:
    simulator = ChatSimulator()
    commands, waits = connect(redis_server.url), connect(redis_server.url, purpose=Purpose.BLOCKING)
    world = ChannelWorld(MemoryBus(), adapter(), simulator)
    world.chat_log = RedisChatLog(Coalescer(commands), waits)
    async with running(world):
        yield Chat(world, simulator)
    for client in (commands, waits):
        await client.close()


async def test_twenty_cuts_and_a_restart_lose_and_double_nothing(chat: Chat) -> None:
    world, simulator = chat.world, chat.simulator
    await chat.write(0, 1)
    (inquiry,) = await world.inquiries_of(1)
    await asyncio.gather(chat.write(1, RESTART_AT), chat.answer(inquiry, 0, RESTART_AT))
    await world.stop()
    meanwhile = [await world.answer(inquiry, f"r{n}", f"answer {n}") for n in range(RESTART_AT, RESTART_AT + 5)]
    await world.start()
    for reply in meanwhile:
        await world.delivery(reply.id)
    await asyncio.gather(chat.write(RESTART_AT, MESSAGES), chat.answer(inquiry, RESTART_AT + 5, MESSAGES))

    assert await chat.heard() == [f"answer {number}" for number in range(MESSAGES)]
    texts = {each.id: each.text for each in await world.inquiries()}
    assert list(texts.values()) == [f"question {number}" for number in range(MESSAGES)]
    assert {each.conversation for each in await world.inquiries()} == {inquiry.conversation}
    assert simulator.line.cuts == CUTS
    assert simulator.customers["t"].hellos >= CUTS + 2
    assert simulator.customers["t"].repeats == 0
    assert list(simulator.refusals()) == []
    assert simulator._arrived.empty()


async def test_who_was_away_is_told_all_when_he_comes_back(chat: Chat) -> None:
    await chat.write(0, 1)
    (inquiry,) = await chat.world.inquiries_of(1)
    customer = chat.simulator.customers["t"]
    await chat.answer(inquiry, 0, 2)
    assert [(await chat.simulator.next_reply()).key for _ in range(2)] == ["r0", "r1"]
    await customer.leave()
    await chat.answer(inquiry, 2, 4)
    assert chat.simulator._arrived.empty()
    await customer.connect()
    assert [(await chat.simulator.next_reply()).key for _ in range(2)] == ["r2", "r3"]
    assert customer.repeats == 0


async def test_a_reply_that_was_logged_but_not_settled_is_shown_once(chat: Chat) -> None:
    """The process died between the log and the ledger: its successor sends the reply again."""
    await chat.write(0, 1)
    (inquiry,) = await chat.world.inquiries_of(1)
    await chat.answer(inquiry, 0, 1)
    await chat.world.stop()
    chat.world.ledger._entries.pop(ReplyId("r0"))
    await chat.world.start()
    await chat.world.answer(inquiry, "r0", "answer 0")
    await chat.answer(inquiry, 1, 2)
    assert [(await chat.simulator.next_reply()).key for _ in range(2)] == ["r0", "r1"]
    assert chat.simulator.customers["t"].repeats == 0
    assert chat.simulator._arrived.empty()
