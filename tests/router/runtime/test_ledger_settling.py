import asyncio
from collections.abc import AsyncIterator

import pytest

from router.contract.codec import encode
from router.contract.ids import AccountId, CaseId, ConversationId, PoolId, ReplyId
from router.contract.messages import Delivery, DeliveryState
from router.contract.topics import DELIVERIES, REPLIES, topic_specs
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.protocol import Outgoing, Record
from router.runtime.clock import ManualClock
from router.runtime.errors import BusUnavailable, LedgerUnsettled
from router.runtime.ledger import LedgerState, MemoryLedger
from router.runtime.ledger_settling import MARGIN_MS, SettlingLedger

HOUR_MS = 3_600_000


class World:
    """A bus whose deliveries a ledger is made anew from."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.bus = MemoryBus(wall_ms=self.clock.now_ms)
        self.ledger = MemoryLedger()
        self.settled = 0

    def settling(self, *, loses_nothing: bool = False) -> SettlingLedger:
        return SettlingLedger(self.ledger, self.bus, clock=self.clock, loses_nothing=loses_nothing, settled=self._count)

    def _count(self) -> None:
        self.settled += 1

    async def deliver(self, name: str, state: DeliveryState = DeliveryState.SENT) -> None:
        delivery = Delivery(
            reply=ReplyId(name),
            pool=PoolId("default"),
            case=CaseId("c1"),
            account=AccountId("shop"),
            conversation=ConversationId("v1"),
            state=state,
            at_ms=self.clock.now_ms(),
            provider_message_id=f"p-{name}",
            reason="why",
        )
        await self.put(encode(delivery))

    async def put(self, value: bytes | None, topic: str = DELIVERIES) -> None:
        await self.bus.publish([Outgoing(topic=topic, key="v1", value=value)])

    async def claim(
        self, name: str, ledger: SettlingLedger | None = None, *, published_at_ms: int | None = None
    ) -> str:
        """What the ledger says of the reply: a state, or that it is free."""
        found = await (ledger or self.settling()).claim(
            ReplyId(name), attempt="a", now_ms=self.clock.now_ms(), published_at_ms=published_at_ms
        )
        return "free" if found is None else found.state


@pytest.fixture
async def world() -> World:
    made = World()
    await made.bus.create_topics(topic_specs((PoolId("default"),), inquiry_partitions=1, partitions=1))
    return made


@pytest.mark.parametrize("state", DeliveryState)
async def test_every_outcome_on_the_bus_is_written_down_whole(world: World, state: DeliveryState) -> None:
    at_ms = world.clock.now_ms()
    await world.deliver("r1", state)
    await world.clock.advance_ms(HOUR_MS)
    world.ledger.lose()
    assert await world.claim("r1", published_at_ms=1) == state
    found = await world.ledger.find(ReplyId("r1"))
    assert found is not None
    assert (found.at_ms, found.provider_message_id, found.reason) == (at_ms, "p-r1", "why")
    assert world.settled == 1


async def test_many_are_written_in_batches(world: World) -> None:
    names = [f"r{number}" for number in range(501)]
    for name in names:
        await world.deliver(name)
    world.ledger.lose()
    assert {await world.claim(name) for name in names} == {"sent"}


async def test_a_whole_ledger_reads_nothing(world: World) -> None:
    await world.deliver("r1")
    assert await world.claim("r1") == "free"
    assert world.settled == 0


async def test_what_was_published_by_the_time_of_the_settling_is_in_doubt(world: World) -> None:
    await world.put(b"whatever", topic=REPLIES)
    newest_ms = world.clock.now_ms()
    await world.clock.advance_ms(HOUR_MS)
    world.ledger.lose()
    ledger = world.settling()
    assert await world.claim("r1", ledger, published_at_ms=newest_ms) == LedgerState.SENDING
    assert await world.claim("r2", ledger, published_at_ms=newest_ms + 1) == "free"


async def test_where_no_reply_was_published_for_long_all_but_old_ones_are_free(world: World) -> None:
    await world.put(b"whatever", topic=REPLIES)
    await world.clock.advance_ms(MARGIN_MS + HOUR_MS)
    world.ledger.lose()
    ledger, now_ms = world.settling(), world.clock.now_ms()
    assert await world.claim("r1", ledger, published_at_ms=now_ms - MARGIN_MS) == LedgerState.SENDING
    assert await world.claim("r2", ledger, published_at_ms=now_ms - MARGIN_MS + 1) == "free"


async def test_a_server_that_loses_nothing_puts_nothing_in_doubt(world: World) -> None:
    world.ledger.lose()
    ledger = world.settling(loses_nothing=True)
    assert await world.claim("r1", ledger, published_at_ms=1) == "free"


async def test_only_deliveries_from_shortly_before_the_last_claim_on_are_read(world: World) -> None:
    await world.deliver("older")
    await world.clock.advance_ms(MARGIN_MS + 1)
    await world.deliver("old")
    await world.clock.advance_ms(HOUR_MS)
    await world.ledger.claim(ReplyId("last"), attempt="a", now_ms=world.clock.now_ms() - HOUR_MS)
    await world.deliver("newer")
    world.ledger.lose(keeping=1)
    assert [await world.claim(name) for name in ("older", "old", "newer")] == ["free", "sent", "sent"]


async def test_what_cannot_be_read_is_passed_by(world: World) -> None:
    for value in (b"\xff", b"{}", None):
        await world.put(value)
    await world.deliver("r1")
    world.ledger.lose()
    assert await world.claim("r1") == "sent"


async def test_claims_at_once_settle_once(world: World) -> None:
    world.ledger.lose()
    ledger = world.settling()
    assert set(await asyncio.gather(*(world.claim(f"r{number}", ledger) for number in range(9)))) == {"free"}
    assert world.settled == 1


async def test_two_processes_settle_it_and_one_vouches(world: World) -> None:
    await world.deliver("r1")
    world.ledger.lose()
    found = list(await asyncio.gather(*(world.claim("r1", world.settling()) for _ in range(2))))
    assert (found, world.settled) == (["sent", "sent"], 1)


async def test_it_is_settled_soon_after_a_loss_though_nothing_is_sent(world: World) -> None:
    running = asyncio.create_task(world.settling().run())
    await world.clock.asleep()
    world.ledger.lose()
    await world.clock.advance_ms(2_000)
    assert world.settled == 1
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_while_the_bus_is_away_nothing_is_claimed_and_the_look_is_repeated(world: World) -> None:
    def away(topic: str, *, since_ms: int = 0) -> AsyncIterator[Record]:
        raise BusUnavailable(f"{topic} since {since_ms}")

    world.bus.history = away  # type: ignore[method-assign]  # a bus that is away
    world.ledger.lose()
    running = asyncio.create_task(world.settling().run())
    await world.clock.asleep()
    with pytest.raises(LedgerUnsettled):
        await world.claim("r1")
    await world.clock.advance_ms(10_000)
    assert not running.done()
    assert world.settled == 0
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_settling_that_was_cut_off_begins_again(world: World) -> None:
    for number in range(300):
        await world.deliver(f"r{number}")
    world.ledger.lose()
    settle = world.ledger.settle
    cut = asyncio.Event()

    async def slow(reply: ReplyId, final: object) -> object:
        cut.set()
        return await asyncio.Event().wait()

    world.ledger.settle = slow  # type: ignore[method-assign,assignment]  # a store that hangs
    claiming = asyncio.create_task(world.claim("r299"))
    await cut.wait()
    claiming.cancel()
    await asyncio.gather(claiming, return_exceptions=True)
    world.ledger.settle = settle  # type: ignore[method-assign]
    assert await world.claim("r299") == "sent"
