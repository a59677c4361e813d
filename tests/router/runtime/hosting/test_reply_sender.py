import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from router.contract.ids import ReplyId
from router.contract.messages import DeliveryState, Reply
from router.runtime.clock import ManualClock
from router.runtime.errors import SendLater, StoreUnavailable
from router.runtime.hosting.reply_sender import ReplySender, SendPolicy
from router.runtime.ledger import LedgerEntry, LedgerState, MemoryLedger
from router.runtime.plugins import SendResult, failed, sent, unknown
from tests.suites.replies import REPLY

HANG = "hang"
PATIENT = SendPolicy()


class Channel:
    """Does what it is told, one item a call; then everything is sent."""

    def __init__(self, *answers: SendResult | Exception | str) -> None:
        self._answers = list(answers)
        self.calls = 0

    async def send(self, reply: Reply) -> SendResult:
        self.calls += 1
        answer = self._answers.pop(0) if self._answers else sent("p1")
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, str):
            await asyncio.Event().wait()
        assert isinstance(answer, SendResult)
        return answer

    def routes(self) -> Sequence[Any]:
        return ()

    def ports(self) -> Mapping[str, int]:
        return {}

    def troubles(self) -> Sequence[str]:
        return ()

    async def stop_intake(self) -> None: ...

    async def close(self, within_s: float) -> None: ...


class World:
    """One ledger and clock; each ``sender`` is a process that runs on them."""

    def __init__(self) -> None:
        self.ledger = MemoryLedger()
        self.clock = ManualClock()
        self._processes = 0

    def sender(self, channel: Channel, *, deduplicates: bool = False, policy: SendPolicy = PATIENT) -> ReplySender:
        self._processes += 1
        return ReplySender(
            channel,
            self.ledger,
            deduplicates=deduplicates,
            clock=self.clock,
            process=f"p{self._processes}",
            policy=policy,
        )

    async def half_sent(self) -> None:
        """A process died between its call of the provider and the answer."""
        await self.ledger.claim(REPLY.id, attempt="dead", now_ms=self.clock.now_ms())


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("result", [sent("p9"), failed("gone"), unknown("cut")])
async def test_what_the_provider_says_is_the_outcome(world: World, result: SendResult) -> None:
    delivery = await world.sender(Channel(result)).deliver(REPLY)
    assert delivery is not None
    assert (delivery.state, delivery.provider_message_id, delivery.reason) == (
        result.state,
        result.provider_message_id,
        result.reason,
    )
    assert (delivery.reply, delivery.case, delivery.account) == ("r1", "c1", "shop")


@pytest.mark.parametrize("deduplicates", [True, False])
async def test_a_reply_read_again_is_not_sent_again_and_says_the_same(world: World, deduplicates: bool) -> None:
    first, second = Channel(), Channel()
    delivery = await world.sender(first, deduplicates=deduplicates).deliver(REPLY)
    await world.clock.advance_ms(10_000)
    assert await world.sender(second, deduplicates=deduplicates).deliver(REPLY) == delivery
    assert (first.calls, second.calls) == (1, 0)


async def test_a_repeat_while_the_first_is_under_way_shares_its_outcome(world: World) -> None:
    channel = Channel()
    sender = world.sender(channel)
    outcomes = await asyncio.gather(*(sender.deliver(REPLY) for _ in range(5)))
    assert channel.calls == 1
    assert len(set(outcomes)) == 1


@pytest.mark.parametrize("deduplicates", [True, False])
async def test_busy_means_the_same_reply_later(world: World, deduplicates: bool) -> None:
    channel = Channel(SendLater("busy"), SendLater("busy", 7))
    task = asyncio.create_task(world.sender(channel, deduplicates=deduplicates).deliver(REPLY))
    await world.clock.asleep()
    await world.clock.advance_ms(1000)
    assert channel.calls == 2
    await world.clock.advance_ms(6999)
    assert channel.calls == 2
    await world.clock.advance_ms(1)
    delivery = await task
    assert delivery is not None
    assert delivery.state is DeliveryState.SENT


async def test_a_provider_that_stays_busy_ends_as_failed(world: World) -> None:
    policy = SendPolicy(give_up_s=3)
    channel = Channel(*(SendLater("busy") for _ in range(9)))
    task = asyncio.create_task(world.sender(channel, policy=policy).deliver(REPLY))
    await world.clock.asleep()
    await world.clock.advance_ms(10_000)
    delivery = await task
    assert delivery is not None
    assert delivery.state is DeliveryState.FAILED
    assert "busy" in delivery.reason
    assert channel.calls == 3


async def test_a_provider_that_never_answers_ends_as_unknown_even_if_it_is_busy_at_last(world: World) -> None:
    policy = SendPolicy(send_s=0.01, give_up_s=3)
    channel = Channel(SendLater("busy"), ConnectionError(), SendLater("busy"), SendLater("busy"))
    task = asyncio.create_task(world.sender(channel, deduplicates=True, policy=policy).deliver(REPLY))
    await world.clock.asleep()
    await world.clock.advance_ms(10_000)
    delivery = await task
    assert delivery is not None
    assert (delivery.state, channel.calls) == (DeliveryState.UNKNOWN, 3)


async def test_half_sent_is_sent_again_where_the_provider_drops_repeats(world: World) -> None:
    await world.half_sent()
    channel = Channel()
    delivery = await world.sender(channel, deduplicates=True).deliver(REPLY)
    assert delivery is not None
    assert (delivery.state, channel.calls) == (DeliveryState.SENT, 1)


async def test_half_sent_ends_as_unknown_elsewhere_after_the_other_has_had_his_time(world: World) -> None:
    await world.half_sent()
    channel = Channel()
    task = asyncio.create_task(world.sender(channel).deliver(REPLY))
    await world.clock.asleep()
    await world.clock.advance_ms(34_999)
    assert not task.done()
    await world.clock.advance_ms(1)
    delivery = await task
    assert delivery is not None
    assert (delivery.state, channel.calls) == (DeliveryState.UNKNOWN, 0)


async def test_the_other_may_still_finish(world: World) -> None:
    await world.half_sent()
    task = asyncio.create_task(world.sender(Channel()).deliver(REPLY))
    await world.clock.asleep()
    await world.ledger.settle(REPLY.id, LedgerEntry(state=LedgerState.SENT, at_ms=5))
    await world.clock.advance_ms(35_000)
    delivery = await task
    assert delivery is not None
    assert delivery.state is DeliveryState.SENT


@pytest.mark.parametrize("trouble", [ConnectionError("secret address"), HANG])
async def test_an_open_outcome_is_unknown_or_tried_again(world: World, trouble: Exception | str) -> None:
    policy = SendPolicy(send_s=0.01)
    lost = await world.sender(Channel(trouble), policy=policy).deliver(REPLY)
    assert lost is not None
    assert lost.state is DeliveryState.UNKNOWN
    assert "secret" not in lost.reason

    world.ledger = MemoryLedger()
    channel = Channel(trouble)
    task = asyncio.create_task(world.sender(channel, deduplicates=True, policy=policy).deliver(REPLY))
    await world.clock.asleep()
    await world.clock.advance_ms(1000)
    again = await task
    assert again is not None
    assert (again.state, channel.calls) == (DeliveryState.SENT, 2)


async def test_a_stop_leaves_what_was_put_off_to_the_next_process(world: World) -> None:
    sender = world.sender(Channel(SendLater("busy")))
    task = asyncio.create_task(sender.deliver(REPLY))
    await world.clock.asleep()
    sender.stop()
    assert await task is None
    delivery = await world.sender(Channel()).deliver(REPLY)
    assert delivery is not None
    assert delivery.state is DeliveryState.SENT


async def test_an_outcome_is_written_even_if_the_store_was_away(world: World) -> None:
    settle, refusals = world.ledger.settle, [StoreUnavailable("away"), StoreUnavailable("away")]

    async def shaky(reply: ReplyId, final: LedgerEntry) -> LedgerEntry:
        if refusals:
            raise refusals.pop()
        return await settle(reply, final)

    world.ledger.settle = shaky  # type: ignore[method-assign]  # a store that is away twice
    task = asyncio.create_task(world.sender(Channel()).deliver(REPLY))
    await world.clock.asleep()
    await world.clock.advance_ms(5000)
    delivery = await task
    assert delivery is not None
    assert delivery.state is DeliveryState.SENT


async def test_a_reader_that_goes_away_does_not_cut_the_request(world: World) -> None:
    channel = Channel()
    sender = world.sender(channel)
    reader = asyncio.create_task(sender.deliver(REPLY))
    await asyncio.sleep(0)
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    delivery = await sender.deliver(REPLY)
    assert delivery is not None
    assert (delivery.state, channel.calls) == (DeliveryState.SENT, 1)


async def test_a_claim_whose_answer_was_lost_is_our_own_the_next_time(world: World) -> None:
    claim, lost = world.ledger.claim, [True]

    async def cut(reply: ReplyId, *, attempt: str, now_ms: int, **_: object) -> LedgerEntry | None:
        found = await claim(reply, attempt=attempt, now_ms=now_ms)
        if lost and lost.pop():
            raise StoreUnavailable("the connection was cut before the answer")
        return found

    world.ledger.claim = cut  # type: ignore[method-assign]  # a store whose first answer is lost
    channel = Channel()
    sender = world.sender(channel)
    with pytest.raises(StoreUnavailable):
        await sender.deliver(REPLY)
    delivery = await sender.deliver(REPLY)
    assert delivery is not None
    assert (delivery.state, channel.calls) == (DeliveryState.SENT, 1)


async def test_a_store_that_is_away_before_anything_was_sent_is_told(world: World) -> None:
    async def away(reply: ReplyId, *, attempt: str, now_ms: int, **_: object) -> LedgerEntry | None:
        raise StoreUnavailable(f"away {reply} {attempt} {now_ms}")

    world.ledger.claim = away  # type: ignore[method-assign]  # a store that is away
    channel = Channel()
    with pytest.raises(StoreUnavailable):
        await world.sender(channel).deliver(REPLY)
    assert channel.calls == 0
