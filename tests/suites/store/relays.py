"""What a store promises about whose turn it is to relay."""

import msgspec
import pytest

from router.contract.ids import PoolId
from router.runtime.errors import StoreUnavailable
from router.store.protocol import RelayLease
from tests.suites.store.bench import POOL, Desk


class LeaseSuite:
    async def test_nobody_has_it_at_first(self, desk: Desk) -> None:
        await desk.admit("c1")
        expected = RelayLease(gen=1, epoch=0, beat=0, held=False, trimmed=0, number=1)
        assert await desk.store.lease(POOL) == expected

    async def test_who_takes_it_has_it_and_reads_where_to_begin(self, desk: Desk) -> None:
        for n in range(3):
            await desk.admit(f"c{n}")
        first = await desk.store.take(POOL)
        await desk.store.trim(POOL, first, 2)
        second = await desk.store.take(POOL)
        assert second == await desk.store.lease(POOL)
        assert (second.epoch, second.held, second.trimmed, second.number) == (2, True, 2, 3)

    async def test_each_trim_is_a_word_of_the_owner(self, desk: Desk) -> None:
        await desk.admit("c1")
        mine = await desk.store.take(POOL)
        beats = [(await desk.store.lease(POOL)).beat]
        for upto in (1, 1, 0):
            assert await desk.store.trim(POOL, mine, upto)
            beats.append((await desk.store.lease(POOL)).beat)
        assert len(set(beats)) == 4
        assert await desk.store.relayed(POOL, 0) == 1

    async def test_an_owner_who_was_not_heard_of_is_followed(self, desk: Desk) -> None:
        await desk.admit("c1")
        silent = await desk.store.take(POOL)
        mine = await desk.store.take_over(POOL, await desk.store.lease(POOL))
        assert mine is not None
        assert mine == await desk.store.lease(POOL)
        assert mine.epoch == silent.epoch + 1
        assert not await desk.store.trim(POOL, silent, 1)
        assert await desk.store.relayed(POOL, 0) == 0
        assert await desk.store.trim(POOL, mine, 1)

    async def test_nobody_follows_in_a_newer_format(self, desk: Desk) -> None:
        await desk.admit("c1")
        before = await desk.store.lease(POOL)
        await desk.bench.set_format(POOL, 99)
        assert await desk.store.take_over(POOL, before) is None
        assert await desk.store.lease(POOL) == before

    async def test_an_owner_who_was_heard_of_stays(self, desk: Desk) -> None:
        owner = await desk.store.take(POOL)
        seen = await desk.store.lease(POOL)
        await desk.store.trim(POOL, owner, 0)
        before = await desk.store.lease(POOL)
        assert await desk.store.take_over(POOL, seen) is None
        assert await desk.store.lease(POOL) == before

    async def test_of_two_who_wait_one_follows(self, desk: Desk) -> None:
        await desk.store.take(POOL)
        seen = await desk.store.lease(POOL)
        taken = await desk.store.take_over(POOL, seen)
        assert taken is not None
        assert await desk.store.take_over(POOL, seen) is None
        assert (await desk.store.lease(POOL)).epoch == taken.epoch

    async def test_what_was_given_up_is_free(self, desk: Desk) -> None:
        mine = await desk.store.take(POOL)
        assert await desk.store.release(POOL, mine)
        free = await desk.store.lease(POOL)
        assert (free.held, free.epoch) == (False, mine.epoch)
        taken = await desk.store.take_over(POOL, free)
        assert taken is not None
        assert (taken.held, taken.epoch) == (True, mine.epoch + 1)

    async def test_who_has_it_no_more_gives_nothing_up(self, desk: Desk) -> None:
        stale = await desk.store.take(POOL)
        await desk.store.take(POOL)
        assert not await desk.store.release(POOL, stale)
        assert (await desk.store.lease(POOL)).held

    async def test_a_lease_of_another_life_of_the_pool_is_none(self, desk: Desk) -> None:
        await desk.admit("c1")
        foreign = msgspec.structs.replace(await desk.store.take(POOL), gen=2)
        assert not await desk.store.trim(POOL, foreign, 1)
        assert not await desk.store.release(POOL, foreign)
        assert await desk.store.take_over(POOL, foreign) is None
        assert len(await desk.store.pending(POOL, 0)) == 1

    async def test_a_pool_that_was_never_opened_is_unavailable(self, desk: Desk) -> None:
        nowhere, mine = PoolId("nowhere"), await desk.store.take(POOL)
        with pytest.raises(StoreUnavailable):
            await desk.store.lease(nowhere)
        with pytest.raises(StoreUnavailable):
            await desk.store.take_over(nowhere, mine)
        for act in (desk.store.release(nowhere, mine), desk.store.trim(nowhere, mine, 1)):
            with pytest.raises(StoreUnavailable):
                await act
