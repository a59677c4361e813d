"""A consumer with its input over a memory bus, in lives that end well or badly."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from prometheus_client import CollectorRegistry

from router.contract.ids import PoolId
from router.contract.topics import DEAD_LETTERS, TopicSpec
from router.runtime.bus.lanes import Consumer, Limits
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.memory_group import LEASE_S, MemorySubscription
from router.runtime.bus.protocol import Outgoing, Record
from router.runtime.clock import ManualClock
from router.runtime.dead_letters import Letter, Settled, read_letter
from router.service.measuring.metrics import ServiceMetrics
from router.service.reading.attempts import Marks, marks_in
from router.service.reading.dead_letters import DeadLetters
from router.service.reading.held import Held
from router.service.reading.input import Input
from router.service.reading.turns import Turns
from router.store.acts import Fence
from router.store.memory import MemoryStore
from tests.suites.eventually import eventually

POOL = PoolId("default")
TOPIC = "t"
FAST = Limits(lanes=4, poll_ms=10, commit_s=0.0, revoke_wait_s=0.01, first_retry_s=0.001, longest_retry_s=0.01)

Work = Callable[[str], Awaitable[None]]


def text_of(record: Record) -> str:
    return (record.value or b"").decode()


class Plant:
    """Bus, store and everything that outlives a process."""

    def __init__(self, *, most: int = 3, hold: bool = False) -> None:
        self.passed_s = 0.0
        self.bus = MemoryBus(monotonic=lambda: self.passed_s)
        self.store = MemoryStore(ManualClock().now_ms)
        self.metrics = ServiceMetrics(CollectorRegistry())
        self.done: Counter[str] = Counter()
        self.kills: Counter[str] = Counter()
        self._most = most
        self._hold = hold

    async def open(self) -> "Plant":
        await self.bus.create_topics([TopicSpec(name=TOPIC, partitions=2), TopicSpec(name=DEAD_LETTERS, partitions=2)])
        await self.store.open_pool(POOL)
        return self

    async def publish(self, *texts: str) -> None:
        """Records whose keys are their first letters."""
        await self.bus.publish([Outgoing(topic=TOPIC, key=text[0], value=text.encode()) for text in texts])

    def life(
        self, work: Work | None = None, *, deadly: str = "!", bad: str = "?", each_handles: int | None = None
    ) -> "Life":
        """A new process. What holds ``deadly`` kills it, what holds ``bad`` can't be handled."""
        given = marks_in(self.store, POOL, most=self._most, turns=Turns())
        held = Held(self.bus) if self._hold else None
        return Life(self, Fate(work, deadly, bad, each_handles), given, held)

    async def live_on(self, *, each_handles: int | None = None) -> int:
        """Live again after each death, up to 20 times, until one ends in good order; how many deaths there were. With
        ``each_handles`` a process is killed from outside while one record more than that is at work."""
        for deaths in range(20):
            life = self.life(each_handles=each_handles)
            done = asyncio.create_task(life.until_done(), name="done")
            died = asyncio.create_task(life.died.wait(), name="died")
            await asyncio.wait((done, died), return_when=asyncio.FIRST_COMPLETED)
            died.cancel()
            if done.done():
                await done
                return deaths
            done.cancel()
            await life.end()
        raise AssertionError("it dies for ever")

    async def letters(self) -> list[Letter]:
        """All that was put aside, in the order of their ids."""
        found = [read_letter(record) async for record in self.bus.history(DEAD_LETTERS)]
        letters = {letter.id: letter for letter in found if isinstance(letter, Letter)}
        return [letters[name] for name in sorted(letters)]

    async def settle(self, outcome: Settled) -> None:
        """Replay or drop every letter."""
        for letter in await self.letters():
            if outcome is Settled.REPLAYED:
                await self.bus.publish([letter.replay()])
            await self.bus.publish([letter.settled(outcome)])


class Fate(NamedTuple):
    """What becomes of records."""

    work: Work | None
    deadly: str
    bad: str
    handles: int | None


class Life:
    """One process: a consumer and its input. ``died`` is set when a record has killed it."""

    def __init__(self, plant: Plant, fate: Fate, marks: Marks, held: Held | None) -> None:
        self._plant = plant
        self._fate = fate
        self._left = fate.handles
        self.died = asyncio.Event()
        letters = DeadLetters(plant.bus, plant.metrics)
        self.input = Input(self._handle, marks, dead_letters=letters, held=held, metrics=plant.metrics)
        self.consumer = Consumer(plant.bus, "g", [TOPIC], handle=self.input.handle, hooks=self.input, limits=FAST)
        self.consumer.keep(self.input)
        self._running = asyncio.create_task(self.consumer.run())

    async def _handle(self, record: Record, _: Fence) -> None:
        text = text_of(record)
        if self._fate.deadly in text:
            self._plant.kills[text] += 1
            await self._die()
        if self._left is not None:
            if not self._left:
                for _turn in range(3):  # what is done has been committed by then
                    polled = self.consumer.polled_at
                    await eventually(lambda: self.consumer.polled_at != polled)  # noqa: B023
                await self._die()
            self._left -= 1
        if self._fate.bad in text:
            raise KeyError(text)
        if self._fate.work is not None:
            await self._fate.work(text)
        self._plant.done[text] += 1

    async def _die(self) -> None:
        self.died.set()
        await asyncio.Event().wait()

    async def until_dead(self) -> None:
        """Wait until a record kills it; nothing is tidied up by what was at work."""
        await asyncio.wait_for(self.died.wait(), 5)
        await self.end()

    async def until_done(self) -> None:
        """Wait until all has been read and handled, then end in good order."""
        await eventually(lambda: self.consumer.polled_at is not None and self.consumer.owned == 2)
        await eventually(self._is_idle)
        self.consumer.stop(deadline_s=2)
        await asyncio.wait_for(self._running, 5)

    async def end(self) -> None:
        """Be gone without a word: its lease ends by itself."""
        subscription = self.consumer._subscription
        assert isinstance(subscription, MemorySubscription)
        subscription.die()
        self._plant.passed_s += LEASE_S + 1
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)

    async def _is_idle(self) -> bool:
        subscription = self.consumer._subscription
        return subscription is not None and not any((await subscription.lag()).values())
