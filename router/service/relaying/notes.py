"""Relay notes: how far a pool's relay has come, on the bus, where a loss of the state store can't reach it."""

import asyncio
import logging
from typing import Final

from router.contract import topics
from router.contract.codec import Decoder, encode
from router.contract.errors import Undecodable
from router.contract.events import RelayNote
from router.contract.ids import PoolId
from router.contract.records import record_head
from router.runtime.bus.protocol import Bus, Outgoing
from router.runtime.clock import Clock
from router.runtime.errors import BusUnavailable

LOG = logging.getLogger(__name__)
EVERY_MS: Final = 1_000
_NOTE: Final = Decoder(RelayNote)


class RelayNotes:
    """Writes the note of one pool to the configuration topic, at most once a second and only when it has moved.

    A note may lag behind what is on the bus, never run ahead of it. One that the bus doesn't take is made up
    for by the next. A relay that was superseded may write a last one late, which takes the place of a further
    one: whoever reads a note has to look at the events after it anyway.
    """

    def __init__(self, pool: PoolId, bus: Bus, *, clock: Clock) -> None:
        self._pool = pool
        self._bus = bus
        self._clock = clock
        self._reached = (0, 0)
        self._noted = (0, 0)
        self._moved = asyncio.Event()

    def moved(self, gen: int, number: int) -> None:
        """Everything up to ``number`` of ``gen`` is on the bus. What is not further than before is ignored, and 0."""
        if number and (gen, number) > self._reached:
            self._reached = (gen, number)
            self._moved.set()

    async def run(self) -> None:
        """Write notes until cancelled. Raises ``RecordRefused`` when the topic is missing."""
        while True:
            await self._moved.wait()
            await self._note()
            await self._clock.sleep_until_ms(self._clock.now_ms() + EVERY_MS)

    async def _note(self) -> None:
        reached = self._reached
        self._moved.clear()
        try:
            await self._bus.publish([note_record(self._pool, *reached, at_ms=self._clock.now_ms())])
        except BusUnavailable as exc:
            # Whoever publishes the entries says it louder.
            LOG.debug("a relay note was not written: %s", exc, extra={"event": "relay.note", "pool": self._pool})
            self._moved.set()
        else:
            self._noted = reached

    @property
    def noted(self) -> tuple[int, int]:
        """The gen and number of the last note that is on the bus; zeros before the first."""
        return self._noted


def note_record(pool: PoolId, gen: int, number: int, *, at_ms: int) -> Outgoing:
    """The record of a note."""
    note = RelayNote(pool=pool, gen=gen, number=number, at_ms=at_ms)
    head = record_head(note)
    return Outgoing(topic=head.topic, key=head.key, value=encode(note), headers=head.headers)


async def last_note(bus: Bus, pool: PoolId) -> RelayNote | None:
    """The furthest note of a pool that the bus still holds; None when no relay has ever written one.

    Raises ``BusUnavailable``. A record that can't be read is left out, with a line in the log.
    """
    key = note_record(pool, 0, 0, at_ms=0).key
    furthest: RelayNote | None = None
    async for record in bus.history(topics.CONFIG):
        if record.key != key or record.value is None:
            continue
        try:
            note = _NOTE.decode(record.value, RelayNote)
        except Undecodable as exc:
            LOG.warning("a relay note can't be read: %s", exc, extra={"event": "relay.note", "pool": pool})
            continue
        if furthest is None or (note.gen, note.number) > (furthest.gen, furthest.number):
            furthest = note
    return furthest
