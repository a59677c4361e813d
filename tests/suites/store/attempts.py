"""What the next owner of a partition learns of the one before: what was handed out, and how often it was tried."""

import pytest

from router.store.acts import Fence
from tests.suites.store.bench import POOL, Desk

PARTITION = "topic/3"


async def taken(desk: Desk, partition: str = PARTITION) -> int:
    return (await desk.store.take_epochs(POOL, [partition]))[partition]


def at(epoch: int, offset: int = 7, partition: str = PARTITION) -> Fence:
    return Fence(partition=partition, epoch=epoch, offset=offset)


class AttemptsSuite:
    """Marks and counts, under fences."""

    async def test_nothing_was_handed_out_at_first(self, desk: Desk) -> None:
        assert await desk.store.handed_out(POOL, [PARTITION, "other"]) == {PARTITION: 0, "other": 0}
        assert await desk.store.handed_out(POOL, []) == {}

    async def test_the_next_owner_sees_the_mark_as_told_last(self, desk: Desk) -> None:
        epoch, other = await taken(desk), await taken(desk, "other")
        await desk.store.hand_out(POOL, {PARTITION: (epoch, 40), "other": (other, 1)})
        await desk.store.hand_out(POOL, {PARTITION: (epoch, 12)})
        await taken(desk)
        assert await desk.store.handed_out(POOL, [PARTITION, "other"]) == {PARTITION: 12, "other": 1}

    @pytest.mark.parametrize("stale", [-1, 1])
    async def test_nobody_else_moves_the_mark(self, desk: Desk, stale: int) -> None:
        epoch = await taken(desk)
        await desk.store.hand_out(POOL, {PARTITION: (epoch, 40)})
        await desk.store.hand_out(POOL, {PARTITION: (epoch + stale, 90), "unknown": (1, 5)})
        assert await desk.store.handed_out(POOL, [PARTITION, "unknown"]) == {PARTITION: 40, "unknown": 0}

    async def test_attempts_are_counted_over_all_owners(self, desk: Desk) -> None:
        epoch = await taken(desk)
        assert [await desk.store.attempt(POOL, at(epoch)) for _ in range(3)] == [1, 2, 3]
        assert await desk.store.attempt(POOL, at(epoch, 8)) == 1
        assert await desk.store.attempt(POOL, at(await taken(desk))) == 4

    async def test_whoever_survives_is_forgotten(self, desk: Desk) -> None:
        epoch = await taken(desk)
        for offset in (7, 7, 8):
            await desk.store.attempt(POOL, at(epoch, offset))
        await desk.store.survived(POOL, at(epoch))
        await desk.store.survived(POOL, at(epoch))
        assert await desk.store.attempt(POOL, at(epoch)) == 1
        assert await desk.store.attempt(POOL, at(epoch, 8)) == 2

    async def test_a_stale_owner_neither_counts_nor_forgets(self, desk: Desk) -> None:
        old = await taken(desk)
        epoch = await taken(desk)
        assert await desk.store.attempt(POOL, at(epoch)) == 1
        assert await desk.store.attempt(POOL, at(old)) == 0
        await desk.store.survived(POOL, at(old))
        assert await desk.store.attempt(POOL, at(epoch)) == 2

    async def test_a_partition_that_nobody_took_counts_nothing(self, desk: Desk) -> None:
        assert await desk.store.attempt(POOL, at(1, partition="unknown")) == 0

    async def test_nothing_to_note_is_no_matter(self, desk: Desk) -> None:
        await desk.store.hand_out(POOL, {})
        assert await desk.store.handed_out(POOL, [PARTITION]) == {PARTITION: 0}
