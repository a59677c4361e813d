"""What the events topic says of a run: the bus is the witness, not the service."""

from collections.abc import Sequence
from typing import Final

import msgspec

from router.contract.ids import PoolId
from router.contract.topics import EVENTS
from tests.bench.ground import Ground

PLACED: Final = frozenset({"offered", "assigned", "queued"})


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What a benchmark looks at of an event, and when it was put on the bus."""

    type: str
    pool: str
    about: str = ""
    outcome: str
    at_ms: int
    published_at_ms: int = 0


_EVENT: Final = msgspec.json.Decoder(Event)


async def events(ground: Ground, pool: PoolId, act: str, *, since_ms: int) -> list[Event]:
    """All events of that act in that pool, published at ``since_ms`` or after."""
    found = []
    async for record in ground.bus.history(EVENTS, since_ms=since_ms):
        event = _EVENT.decode(record.value or b"")
        if event.pool == pool and event.type == f"turnout.case.{act}.v1":
            found.append(msgspec.structs.replace(event, published_at_ms=record.published_at_ms))
    return found


def span_s(first: Sequence[Event], last: Sequence[Event]) -> float:
    """From the first act of the one to the last record of the other on the bus."""
    return (max(event.published_at_ms for event in last) - min(event.at_ms for event in first)) / 1000
