"""Relay notes: once a second, when something moved, and never further than the bus."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from router.contract.ids import PoolId
from router.contract.topics import topic_specs
from router.runtime.bus.memory import MemoryBus
from router.runtime.bus.protocol import Outgoing, Position
from router.runtime.clock import ManualClock
from router.runtime.errors import BusUnavailable
from router.service.relaying.notes import EVERY_MS, RelayNotes, last_note, note_record

POOL, OTHER = PoolId("main"), PoolId("other")


class NoteBus(MemoryBus):
    """Is away while it is told to be; counts what it has taken."""

    away = False
    taken = 0

    async def publish(self, records: Sequence[Outgoing]) -> Sequence[Position]:
        if self.away:
            raise BusUnavailable("no answer")
        self.taken += len(records)
        return await super().publish(records)


async def bus_of() -> NoteBus:
    bus = NoteBus()
    await bus.create_topics(topic_specs((POOL, OTHER), inquiry_partitions=1, partitions=1))
    return bus


@asynccontextmanager
async def writing(bus: NoteBus, clock: ManualClock) -> AsyncIterator[RelayNotes]:
    notes = RelayNotes(POOL, bus, clock=clock)
    task = asyncio.create_task(notes.run())
    try:
        yield notes
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_moves_within_a_second_is_one_note() -> None:
    bus, clock = await bus_of(), ManualClock()
    async with writing(bus, clock) as notes:
        notes.moved(1, 5)
        await clock.asleep()
        for number in range(6, 60):
            notes.moved(1, number)
        await clock.advance_ms(EVERY_MS - 1)
        assert notes.noted == (1, 5)
        await clock.advance_ms(1)
        assert (notes.noted, bus.taken) == ((1, 59), 2)


async def test_nothing_is_written_while_nothing_moves() -> None:
    bus, clock = await bus_of(), ManualClock()
    async with writing(bus, clock) as notes:
        notes.moved(1, 5)
        await clock.asleep()
        for _ in range(5):
            notes.moved(1, 5)
            notes.moved(1, 4)
            await clock.advance_ms(EVERY_MS)
        assert bus.taken == 1


async def test_a_note_that_the_bus_did_not_take_is_written_later() -> None:
    bus, clock = await bus_of(), ManualClock()
    async with writing(bus, clock) as notes:
        bus.away = True
        notes.moved(1, 5)
        await clock.asleep()
        assert (notes.noted, await last_note(bus, POOL)) == ((0, 0), None)
        bus.away = False
        await clock.advance_ms(EVERY_MS)
        assert notes.noted == (1, 5)


async def test_the_last_note_counts_and_each_pool_has_its_own() -> None:
    bus = await bus_of()
    assert await last_note(bus, POOL) is None
    for pool, gen, number in ((POOL, 1, 900), (POOL, 2, 7), (OTHER, 3, 1)):
        await bus.publish([note_record(pool, gen, number, at_ms=1)])
    note = await last_note(bus, POOL)
    assert note is not None
    assert (note.pool, note.gen, note.number) == (POOL, 2, 7)


async def test_a_note_that_cannot_be_read_is_none() -> None:
    bus = await bus_of()
    good = note_record(POOL, 1, 4, at_ms=1)
    for value in (b"{", b"[]", None):
        await bus.publish([good, Outgoing(topic=good.topic, key=good.key, value=value)])
        assert await last_note(bus, POOL) is None
