"""Attempts: what is handed out is noted, one write for all that wait."""

import asyncio
from collections.abc import Sequence
from typing import Any

from router.contract.ids import PoolId
from router.runtime.bus.protocol import Partition, Record
from router.service.attempts import Attempts
from router.service.turns import Turns
from router.store.acts import Fence

PARTITION = Partition("t", 0)


class Notes:
    """A store that answers a write when told."""

    def __init__(self) -> None:
        self.writes: list[asyncio.Future[None]] = []

    async def hand_out(self, _pool: PoolId, marks: Sequence[Fence]) -> None:
        assert marks
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.writes.append(written)
        await written


class Ours:
    """Fences of partitions that are all ours."""

    def fence_of(self, record: Record) -> Fence:
        return Fence(partition="t/0", epoch=1, offset=record.offset)

    def marks(self, offsets: dict[Partition, int]) -> list[Fence]:
        return [Fence(partition="t/0", epoch=1, offset=offset) for offset in offsets.values()]


def record(offset: int) -> Record:
    return Record(partition=PARTITION, offset=offset, epoch=1, key="k", value=b"", headers=(), published_at_ms=0)


async def _turn() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_one_who_comes_as_a_write_ends_has_the_next_and_stops_nobody() -> None:
    notes: Any = Notes()
    ours: Any = Ours()
    attempts = Attempts(PoolId("p"), notes, ours, most=3, turns=Turns())
    first = asyncio.create_task(attempts.note(record(0)))
    await _turn()
    notes.writes[0].set_result(None)
    # It runs after the write has ended, and before anybody has been told so.
    second = asyncio.create_task(attempts.note(record(1)))
    await _turn()
    assert (first.done(), second.done(), len(notes.writes)) == (True, False, 2)
    notes.writes[1].set_result(None)
    await second
