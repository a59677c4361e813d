"""How far the bus knows a pool to have come: what a store that came back is compared with."""

from typing import Final

import msgspec

from router.contract import topics
from router.contract.ids import PoolId
from router.runtime.bus.protocol import Bus
from router.service.rebuilding.records import PLACE, Rank, tombstone_of
from router.service.relaying.notes import last_note

NOTE_MARGIN_MS: Final = 60_000


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """The furthest gen and number on the bus, and the last relay note (0: there is none)."""

    gen: int
    number: int
    note_at_ms: int = 0

    @property
    def rank(self) -> Rank:
        return (self.gen, self.number)


async def reach_of(bus: Bus, pool: PoolId) -> Reach | None:
    """What the relay's note says, or an event or an advisor's record after it; None when the bus has nothing of the
    pool. Raises ``BusUnavailable``.

    A note is written about a second after the records that it speaks of, so what was published since (by the bus's
    own clock, hence the margin) is all that can be further. Without a note everything retained is looked at.
    """
    note = await last_note(bus, pool)
    since_ms = max(0, note.at_ms - NOTE_MARGIN_MS) if note else 0
    furthest: Rank = (note.gen, note.number) if note else (0, 0)
    for topic in (topics.EVENTS, topics.ADVISORS):
        async for record in bus.history(topic, since_ms=since_ms):
            if record.value is not None:
                furthest = max(furthest, _rank(pool, record.value))
    if not note and furthest == (0, 0):
        furthest = await _oldest(bus, pool)
    if furthest == (0, 0):
        return None
    return Reach(gen=furthest[0], number=furthest[1], note_at_ms=note.at_ms if note else 0)


def _rank(pool: PoolId, value: bytes) -> Rank:
    try:
        place = PLACE.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return (0, 0)
    return place.rank if place.pool == pool else (0, 0)


async def _oldest(bus: Bus, pool: PoolId) -> Rank:
    """Cases outlive their events: an installation that stood still for a month has nothing else."""
    furthest: Rank = (0, 0)
    async for record in bus.history(topics.CASES):
        rank = _rank(pool, record.value) if record.value else tombstone_of(pool, record.headers) or (0, 0)
        furthest = max(furthest, rank)
    return furthest
