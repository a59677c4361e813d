"""A store that may have lost something: no act runs before somebody vouches for it, and one rebuilds it."""

import pytest
from msgspec.structs import replace

from router.contract.advisor import AdvisorState
from router.contract.case import CaseStatus
from router.contract.ids import CaseId, ConversationId, PoolId
from router.runtime.errors import StoreUnavailable
from router.store.acts import Act, Result
from router.store.rebuilds import Foundation, RestoredCase, first_number, gen_of
from tests.suites.store.bench import POOL, QUEUE, START_MS, Desk
from tests.suites.store.day import a_day
from tests.suites.store.dump import Dump, dump
from tests.suites.store.samples import KINDS, members_of

LEASE_MS = 10_000
NAMES = {"cases": ["c1", "c2", "c3", "c4"], "talks": ["talk-c1", "talk-c2", "talk-c3", "talk-c4"]}
# What keys.py marks as volatile, and what follows from the new gen.
VOLATILE = frozenset({"status", "work", "changes", "outbox"})


async def stands(desk: Desk) -> bool:
    return (await desk.bench.rebuilds.inspect(POOL)).verified


async def begun(desk: Desk, holder: str = "one") -> int:
    return await desk.bench.rebuilds.begin_rebuild(POOL, holder, lease_ms=LEASE_MS)


async def laid(desk: Desk, *, gen: int = 2) -> int:
    """A rebuild begun, everything removed; its fence."""
    fence = await begun(desk)
    assert await desk.bench.rebuilds.clear(POOL, fence, Foundation(gen=gen, now_ms=desk.now, total=9))
    return fence


async def restored(desk: Desk, before: Dump, fence: int, *, gen: int = 2) -> None:
    """Put everything back that a dump holds."""
    cases = [
        RestoredCase(
            state=replace(state, gen=gen), messages=before.messages[name], history=before.history[name], seen=(name,)
        )
        for name, state in before.cases.items()
    ]
    advisors = [replace(state, gen=gen) for state in before.advisors.values()]
    rebuilds = desk.bench.rebuilds
    assert await rebuilds.restore(POOL, fence, cases=cases, lease_ms=LEASE_MS)
    assert await rebuilds.restore(POOL, fence, advisors=advisors, lease_ms=LEASE_MS)


class LifeSuite:
    """A server that begins anew."""

    async def test_a_pool_that_is_made_is_vouched_for(self, desk: Desk) -> None:
        standing = await desk.bench.rebuilds.inspect(POOL)
        assert (standing.verified, standing.is_there, standing.gen, standing.number) == (True, True, 1, 0)

    async def test_a_pool_that_is_not_there_is_told_so(self, desk: Desk) -> None:
        standing = await desk.bench.rebuilds.inspect(PoolId("other"))
        assert (standing.verified, standing.is_there, standing.gen, standing.rebuild) == (False, False, 0, None)
        assert not await desk.bench.rebuilds.vouch(PoolId("other"), standing)

    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
    async def test_no_act_runs_in_a_new_life(self, desk: Desk, kind: type[Act]) -> None:
        await desk.bench.restart(POOL)
        before = await dump(desk.store)
        outcome = await desk.do(desk.act(kind, **members_of(kind, ver=2)))
        assert (outcome.result, outcome.number) == (Result.FOREIGN, 0)
        assert (await dump(desk.store)).differences(before) == {}

    async def test_opening_vouches_for_nothing(self, desk: Desk) -> None:
        await desk.bench.restart(POOL)
        await desk.store.open_pool(POOL)
        assert not await stands(desk)

    async def test_who_vouches_lets_acts_go_on(self, desk: Desk) -> None:
        await desk.bench.restart(POOL)
        assert await desk.bench.rebuilds.vouch(POOL, await desk.bench.rebuilds.inspect(POOL))
        assert await stands(desk)
        assert (await desk.admit("c1")).result is Result.QUEUED

    @pytest.mark.parametrize("seen", [{"life": "before"}, {"gen": 2}, {"number": 9}])
    async def test_one_cannot_vouch_for_what_was_not_looked_at(self, desk: Desk, seen: dict[str, object]) -> None:
        await desk.bench.restart(POOL)
        standing = await desk.bench.rebuilds.inspect(POOL)
        assert not await desk.bench.rebuilds.vouch(POOL, replace(standing, **seen))
        assert not await stands(desk)

    async def test_a_relay_that_is_ahead_of_the_store_stops_all_acts(self, desk: Desk) -> None:
        await desk.admit("c1")
        lease = await desk.store.take(POOL)
        with pytest.raises(StoreUnavailable):
            await desk.store.trim(POOL, lease, 2)
        assert not await stands(desk)
        assert (await desk.store.status(POOL)).trimmed == 0

    async def test_nothing_is_trimmed_in_a_new_life(self, desk: Desk) -> None:
        await desk.admit("c1")
        lease = await desk.store.take(POOL)
        await desk.bench.restart(POOL)
        assert await desk.store.trim(POOL, lease, 0)  # a mere word
        with pytest.raises(StoreUnavailable):
            await desk.store.trim(POOL, lease, 1)
        assert await desk.bench.rebuilds.vouch(POOL, await desk.bench.rebuilds.inspect(POOL))
        assert await desk.store.trim(POOL, lease, 1)

    async def test_a_pool_that_may_not_be_made_is_not(self, desk: Desk) -> None:
        with pytest.raises(StoreUnavailable):
            await desk.store.open_pool(PoolId("other"), make=False)
        assert not (await desk.bench.rebuilds.inspect(PoolId("other"))).is_there


class RebuilderSuite:
    """One at a time, and whoever crashes is replaced."""

    async def test_acts_stop_when_a_rebuild_begins(self, desk: Desk) -> None:
        assert await begun(desk) == 1
        assert not await stands(desk)
        assert (await desk.admit("c1")).result is Result.FOREIGN
        assert not await desk.bench.rebuilds.vouch(POOL, await desk.bench.rebuilds.inspect(POOL))

    async def test_a_second_one_waits_until_the_first_is_silent(self, desk: Desk) -> None:
        assert await begun(desk) == 1
        assert await begun(desk, "two") == 0
        await desk.pass_ms(LEASE_MS - 1)
        assert await begun(desk) == 1
        await desk.pass_ms(LEASE_MS)
        assert await begun(desk, "two") == 2

    async def test_one_who_was_replaced_changes_nothing(self, desk: Desk) -> None:
        fence = await laid(desk)
        await desk.pass_ms(LEASE_MS)
        assert await begun(desk, "two") == fence + 1
        rebuilds = desk.bench.rebuilds
        assert not await rebuilds.clear(POOL, fence, Foundation(gen=2, now_ms=1, total=0))
        assert not await rebuilds.restore(POOL, fence, advisors=[AdvisorState(id="ann")], lease_ms=1)  # type: ignore[arg-type]  # a plain name
        assert not await rebuilds.finish_rebuild(POOL, fence)
        assert await desk.store.advisor(POOL, "ann") is None  # type: ignore[arg-type]  # a plain name

    async def test_without_a_rebuild_nothing_is_removed(self, desk: Desk) -> None:
        await desk.advisor("ann")
        rebuilds = desk.bench.rebuilds
        assert not await rebuilds.clear(POOL, 1, Foundation(gen=2, now_ms=1, total=0))
        assert not await rebuilds.finish_rebuild(POOL, 1)
        assert (await desk.person("ann")).presence == "online"

    async def test_progress_is_told(self, desk: Desk) -> None:
        fence = await laid(desk)
        await desk.bench.rebuilds.restore(POOL, fence, advisors=[AdvisorState(id="ann")], lease_ms=LEASE_MS)  # type: ignore[arg-type]  # a plain name
        await desk.pass_ms(4_000)
        status = (await desk.bench.rebuilds.inspect(POOL)).rebuild
        assert status is not None
        assert (status.holder, status.gen, status.done, status.total, status.left_ms) == ("one", 2, 1, 9, 6_000)

    async def test_a_pool_half_way_is_not_taken_for_whole(self, desk: Desk) -> None:
        await laid(desk)
        standing = await desk.bench.rebuilds.inspect(POOL)
        assert (standing.verified, standing.gen) == (False, 0)
        await desk.store.open_pool(POOL)
        assert (await desk.do(desk.act(KINDS[0], **members_of(KINDS[0], ver=2), gen=2))).result is Result.FOREIGN


class RestoreSuite:
    """What was put back is what was there."""

    async def test_everything_is_as_before(self, desk: Desk) -> None:
        await a_day(desk)
        before = await dump(desk.store, **NAMES)
        fence = await laid(desk)
        assert (await dump(desk.store, **NAMES)).cases == {}
        await restored(desk, before, fence)
        assert await desk.bench.rebuilds.finish_rebuild(POOL, fence)
        after = await dump(desk.store, **NAMES)
        gone = {name for name in after.differences(_of_gen(before, 2)) if name.split("[")[0] not in VOLATILE}
        # The first advisor's state is told once more, to wake those who wait for a change.
        assert gone == {"advisors[ann]"}
        assert after.advisors["ann"].ver == before.advisors["ann"].ver + 1

    async def test_numbers_of_the_new_gen_lie_beyond_those_of_the_old(self, desk: Desk) -> None:
        await a_day(desk)
        before = await desk.store.status(POOL)
        fence = await laid(desk)
        assert await desk.bench.rebuilds.finish_rebuild(POOL, fence)
        after = await desk.store.status(POOL)
        assert (after.gen, after.number, after.trimmed) == (2, first_number(2), first_number(2))
        assert after.number > before.number
        assert (gen_of(before.number), gen_of(after.number)) == (1, 2)
        desk.gen = 2
        assert (await desk.admit("new")).number == first_number(2) + 1

    async def test_whoever_has_the_old_gen_is_foreign(self, desk: Desk) -> None:
        fence = await laid(desk)
        assert await desk.bench.rebuilds.finish_rebuild(POOL, fence)
        assert (await desk.admit("c1")).result is Result.FOREIGN
        desk.gen = 2
        assert (await desk.admit("c1")).result is Result.QUEUED

    async def test_whoever_waits_for_a_change_hears_of_the_new_gen(self, desk: Desk) -> None:
        state = await desk.advisor("ann")
        last = (await desk.store.status(POOL)).change
        fence = await laid(desk)
        await desk.bench.rebuilds.restore(POOL, fence, advisors=[replace(state, gen=2)], lease_ms=LEASE_MS)
        assert await desk.bench.rebuilds.finish_rebuild(POOL, fence)
        (change,) = await desk.store.changes(POOL, last)
        assert (change.gen, change.advisor.id, change.advisor.gen) == (2, "ann", 2)

    async def test_what_waits_calls_the_matcher(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.admit("c1")
        before = await dump(desk.store, cases=["c1"])
        fence = await laid(desk)
        await restored(desk, before, fence)
        assert await desk.bench.rebuilds.finish_rebuild(POOL, fence)
        assert set(await desk.work()) == {f"k|{QUEUE}", "a|ann"}

    async def test_a_second_time_changes_nothing(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.assigned("c1", "ann")
        await desk.admit("c2")
        before = await dump(desk.store, cases=["c1", "c2"])
        fence = await laid(desk)
        await restored(desk, before, fence)
        once = await dump(desk.store, cases=["c1", "c2"])
        await restored(desk, before, fence)
        assert (await dump(desk.store, cases=["c1", "c2"])).differences(once) == {}

    async def test_inquiries_seen_before_are_duplicates(self, desk: Desk) -> None:
        await desk.admit("c1")
        before = await dump(desk.store, cases=["c1"])
        fence = await laid(desk)
        await restored(desk, before, fence)
        assert await desk.bench.rebuilds.finish_rebuild(POOL, fence)
        desk.gen = 2
        assert (await desk.admit("c1")).result is Result.DUPLICATE
        again = desk.admission("c9", conversation=ConversationId("talk-c1"))
        assert (await desk.do(again)).result is Result.APPENDED

    async def test_fences_of_partitions_stand(self, desk: Desk) -> None:
        assert await desk.store.take_epochs(POOL, ["p0"]) == {"p0": 1}
        fence = await laid(desk)
        assert await desk.bench.rebuilds.finish_rebuild(POOL, fence)
        assert await desk.store.take_epochs(POOL, ["p0"]) == {"p0": 2}

    async def test_a_case_whose_offers_did_not_fit_is_told_to_wait(self, desk: Desk) -> None:
        await desk.admit("c1")
        before = await desk.state("c1")
        fence = await laid(desk)
        requeued = RestoredCase(state=replace(before, gen=2, ver=2), requeued=True)
        assert await desk.bench.rebuilds.restore(POOL, fence, cases=[requeued], lease_ms=LEASE_MS)
        assert await desk.bench.rebuilds.finish_rebuild(POOL, fence)
        (entry,) = await desk.store.pending(POOL, first_number(2))
        assert (entry.kind, entry.outcome, entry.reason, entry.gen) == ("requeue", "queued", "rebuilt", 2)
        assert entry.number == (await desk.store.status(POOL)).number == first_number(2) + 1
        assert entry.case is not None
        assert (entry.case.id, entry.case.state, entry.case.ver) == (CaseId("c1"), CaseStatus.QUEUED, 2)

    async def test_a_case_that_rang_beside_its_owner_is_told_to_be_his(self, desk: Desk) -> None:
        await desk.advisor("ann")
        before = await desk.assigned("c1", "ann")
        fence = await laid(desk)
        alone = RestoredCase(state=replace(before, gen=2, ver=2), requeued=True)
        assert await desk.bench.rebuilds.restore(POOL, fence, cases=[alone], lease_ms=LEASE_MS)
        assert await desk.bench.rebuilds.finish_rebuild(POOL, fence)
        (entry,) = await desk.store.pending(POOL, first_number(2))
        assert (entry.kind, entry.outcome, entry.reason) == ("requeue", "returned", "rebuilt")
        assert entry.case is not None
        assert (entry.case.owner, entry.case.ver) == ("ann", 2)

    async def test_the_clock_of_the_pool_goes_on(self, desk: Desk) -> None:
        fence = await laid(desk)
        assert await desk.bench.rebuilds.finish_rebuild(POOL, fence)
        assert (await desk.store.status(POOL)).now_ms == START_MS


def _of_gen(before: Dump, gen: int) -> Dump:
    cases = {name: replace(state, gen=gen) for name, state in before.cases.items()}
    talks = {name: replace(state, gen=gen) if state else None for name, state in before.talks.items()}
    advisors = {name: replace(state, gen=gen) for name, state in before.advisors.items()}
    return replace(before, cases=cases, talks=talks, advisors=advisors)
