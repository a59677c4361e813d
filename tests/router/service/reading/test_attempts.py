"""Attempts: what is handed out is noted, one write for all that wait."""

import asyncio
from collections.abc import Sequence
from typing import Any

from router.contract.ids import PoolId
from router.runtime.bus.protocol import Partition, Record
from router.service.reading.attempts import Attempts
from router.service.reading.turns import Turns
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


def record(offset: int, partition: Partition = PARTITION) -> Record:
    return Record(partition=partition, offset=offset, epoch=1, key="k", value=b"", headers=(), published_at_ms=0)


async def _turn() -> None:
    for _ in range(6):
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


async def test_a_partition_waits_for_its_own_write_only() -> None:
    notes: Any = Notes()
    ours: Any = Ours()
    attempts = Attempts(PoolId("p"), notes, ours, most=3, turns=Turns())
    same, other = record(1), record(0, Partition("t", 1))
    first = asyncio.create_task(attempts.note(record(0)))
    await _turn()
    waits = [asyncio.create_task(attempts.note(each)) for each in (same, other)]
    await _turn()
    assert len(notes.writes) == 2
    notes.writes[1].set_result(None)
    await _turn()
    assert [task.done() for task in (first, *waits)] == [False, False, True]
    notes.writes[0].set_result(None)
    await _turn()
    # The mark of its partition could fall back if two writes of it were under way at a time.
    assert (first.done(), waits[0].done(), len(notes.writes)) == (True, False, 3)
    notes.writes[2].set_result(None)
    await waits[0]


async def test_what_was_handed_out_together_is_one_write() -> None:
    notes: Any = Notes()
    ours: Any = Ours()
    attempts = Attempts(PoolId("p"), notes, ours, most=3, turns=Turns())
    records = [record(offset, Partition("t", number)) for number in range(3) for offset in range(2)]
    attempts.handed_out(records)
    waiting = [asyncio.create_task(attempts.note(each)) for each in records]
    await _turn()
    assert len(notes.writes) == 1
    notes.writes[0].set_result(None)
    await asyncio.gather(*waiting)
    assert len(notes.writes) == 1
