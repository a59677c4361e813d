"""What keeps ending the process that sends it is told from what was only near, and is given up."""

import asyncio

import pytest
from msgspec.structs import replace

from router.contract.ids import ConversationId, ReplyId
from router.contract.messages import Delivery, DeliveryState, Reply
from router.runtime.clock import ManualClock
from router.runtime.errors import SendLater
from router.runtime.hosting import suspects
from router.runtime.hosting.reply_sender import ReplySender
from router.runtime.hosting.suspects import KeepsKilling, Suspects
from router.runtime.plugins import SendResult, sent
from tests.suites.eventually import eventually
from tests.suites.ledger import MortalLedger
from tests.suites.replies import REPLY

MOST = 3
KILLER = replace(REPLY, id=ReplyId("killer"))
NEAR = replace(KILLER, id=ReplyId("near"), conversation=ConversationId("v2"))


class Channel:
    """Never comes back from sending the killer."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    async def send(self, reply: Reply) -> SendResult:
        self.calls.append(reply.id)
        if reply.id == KILLER.id:
            await asyncio.Event().wait()
        return sent("p1")


class Life:
    """One process after the other, on one ledger."""

    def __init__(self) -> None:
        self.ledger = MortalLedger()
        self.clock = ManualClock()
        self._number = 0

    def begin(self) -> tuple[Channel, ReplySender]:
        self._number += 1
        channel = Channel()
        sender = ReplySender(
            channel,
            self.ledger,
            deduplicates=True,
            clock=self.clock,
            process=f"p{self._number}",
            suspects=Suspects(self.ledger, most=MOST),
        )
        return channel, sender

    async def end(self, sender: ReplySender, *tasks: "asyncio.Task[Delivery | None]") -> None:
        """It dies in the midst of it."""
        self.ledger.is_dead = True
        await sender.close(0)
        await asyncio.gather(*tasks, return_exceptions=True)
        self.ledger.is_dead = False


@pytest.fixture
def life() -> Life:
    return Life()


async def test_a_reply_that_keeps_killing_ends_as_unknown(life: Life) -> None:
    for _ in range(MOST):
        channel, sender = life.begin()
        task = asyncio.create_task(sender.deliver(KILLER))
        await eventually(lambda: channel.calls)  # noqa: B023
        await life.end(sender, task)
    channel, sender = life.begin()
    delivery = await sender.deliver(KILLER)
    assert delivery is not None
    assert (delivery.state, channel.calls) == (DeliveryState.UNKNOWN, [])
    assert delivery.reason == "sending it has ended the process 3 times; the message may have arrived"
    assert await life.begin()[1].deliver(KILLER) == delivery


async def test_one_at_a_time_is_tried_and_who_waits_is_not_counted(life: Life) -> None:
    one = Suspects(life.ledger, most=MOST)
    async with one.counted(KILLER.id):
        waiting = asyncio.create_task(_once(one, NEAR.id))
        await eventually(lambda: one._turn._waiters)
        assert dict(life.ledger._attempts) == {KILLER.id: 1}
    await waiting
    assert dict(life.ledger._attempts) == {}


async def test_a_slow_one_lets_others_have_their_turn(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suspects, "_TURN_S", 0.01)
    one = Suspects(life.ledger, most=MOST)
    async with one.counted(KILLER.id):
        await _once(one, NEAR.id)
    async with one.counted(KILLER.id):
        pass


@pytest.mark.parametrize("end", [SendLater("busy"), ConnectionError("cut"), asyncio.CancelledError()])
async def test_a_try_that_ends_with_the_process_alive_is_forgotten(life: Life, end: BaseException) -> None:
    one = Suspects(life.ledger, most=2)
    for _ in range(4):
        with pytest.raises(type(end)):
            async with one.counted(KILLER.id):
                raise end


async def test_enough_is_enough(life: Life) -> None:
    one = Suspects(life.ledger, most=2)
    await life.ledger.attempt(KILLER.id)
    with pytest.raises(KeepsKilling, match="has ended the process 2 times"):
        await _once(one, KILLER.id)
    await _once(one, NEAR.id)


async def _once(one: Suspects, reply: ReplyId) -> None:
    async with one.counted(reply):
        pass
