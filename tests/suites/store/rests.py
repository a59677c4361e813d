"""What pend, follow_up, resolve, close and move promise."""

import pytest

from router.contract.case import CaseStatus
from router.contract.plan import Plan
from router.store.acts import Close, FollowUp, Move, Outcome, Pend, Resolve, Result
from tests.suites.store.bench import POOL, Desk


class _Owned:
    @pytest.fixture
    async def owned(self, desk: Desk) -> Desk:
        """Ann has the case ``c1``."""
        await desk.advisor("ann")
        await desk.assigned("c1", "ann")
        return desk


class PendSuite(_Owned):
    """The case waits on somebody else."""

    @pytest.mark.parametrize("act", [Pend, FollowUp])
    async def test_the_owner_keeps_it_without_load(self, owned: Desk, act: type) -> None:
        plan = await owned.plan("c1", timers={"follow_up|0": owned.now + 9})
        outcome = await owned.on(act, "c1", plan=plan, advisor="ann")
        assert outcome.result is Result.DONE
        state = await owned.state("c1")
        assert (state.state, state.owner, state.timers) == (CaseStatus.PENDING, "ann", {"follow_up|0": owned.now + 9})
        assert (await owned.person("ann")).load == 0
        assert "a|ann" in await owned.work()

    @pytest.mark.parametrize("act", [Pend, FollowUp])
    @pytest.mark.parametrize("who", ["bob", ""])
    async def test_nobody_else(self, owned: Desk, act: type, who: str) -> None:
        assert (await owned.on(act, "c1", advisor=who)).result is Result.NOT_YOURS

    @pytest.mark.parametrize("act", [Pend, FollowUp])
    async def test_what_nobody_owns_is_nobodys_to_pend(self, desk: Desk, act: type) -> None:
        await desk.admit("c1")
        assert (await desk.on(act, "c1", advisor="")).result is Result.NOT_YOURS
        assert await desk.waiting() == ("c1",)

    async def test_it_may_be_pended_anew(self, owned: Desk) -> None:
        await owned.on(Pend, "c1", advisor="ann")
        assert (await owned.on(FollowUp, "c1", advisor="ann")).result is Result.DONE
        assert (await owned.state("c1")).owner == "ann"


class ResolveSuite(_Owned):
    """The work is done."""

    async def test_all_capacity_is_free(self, owned: Desk) -> None:
        plan = await owned.plan("c1", detail='{"outcome":"solved"}', timers={"close|0": owned.now + 9})
        outcome = await owned.on(Resolve, "c1", plan=plan, advisor="ann")
        assert outcome.result is Result.DONE
        state = await owned.state("c1")
        assert (state.state, state.owner, state.detail) == (CaseStatus.RESOLVED, "", '{"outcome":"solved"}')
        assert (await owned.person("ann")).load == 0
        assert "a|ann" in await owned.work()

    async def test_twice_is_the_same(self, owned: Desk) -> None:
        await owned.on(Resolve, "c1")
        assert (await owned.on(Resolve, "c1", advisor="ann")).result is Result.SAME

    async def test_by_the_owner_or_nobody(self, owned: Desk) -> None:
        assert (await owned.on(Resolve, "c1", advisor="bob")).result is Result.NOT_YOURS
        assert (await owned.on(Resolve, "c1", advisor=None)).result is Result.DONE

    async def test_not_over_a_message_that_was_not_seen(self, owned: Desk) -> None:
        await owned.admit("c2", conversation=(await owned.state("c1")).conversation)
        before = await owned.state("c1")
        outcome = await owned.on(Resolve, "c1", advisor="ann", seen="c1", op="once")
        assert (outcome.result, outcome.case, outcome.number) == (Result.UNSEEN, before, 0)
        assert (await owned.state("c1"), (await owned.person("ann")).load) == (before, 30)
        # It was not remembered: having read, he may resolve under the same operation id.
        assert (await owned.on(Resolve, "c1", advisor="ann", seen="c2", op="once")).result is Result.DONE

    async def test_whoever_names_no_message_minds_none(self, owned: Desk) -> None:
        await owned.admit("c2", conversation=(await owned.state("c1")).conversation)
        assert (await owned.on(Resolve, "c1", advisor="ann")).result is Result.DONE

    async def test_what_was_resolved_is_so_whatever_came_since(self, owned: Desk) -> None:
        await owned.on(Resolve, "c1")
        assert (await owned.on(Resolve, "c1", seen="c0")).result is Result.SAME

    async def test_a_waiting_case_leaves_its_line(self, desk: Desk) -> None:
        await desk.admit("c1")
        await desk.on(Resolve, "c1")
        assert (await desk.waiting(), await desk.store.heads(POOL)) == ((), [])

    async def test_a_ringing_case_stops_ringing(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.offered("c1", "ann")
        await desk.on(Resolve, "c1")
        assert ((await desk.state("c1")).timers, (await desk.person("ann")).work) == ({}, {})


class CloseSuite:
    """The reopen window is over."""

    async def test_everything_of_the_case_is_forgotten(self, desk: Desk) -> None:
        claim = await self._resolved(desk)
        outcome = await self._close(desk, claim)
        assert (outcome.result, outcome.case and outcome.case.state) == (Result.DONE, CaseStatus.CLOSED)
        assert await desk.case("c1") is None
        assert await desk.store.conversation(POOL, outcome.case.conversation) is None  # type: ignore[union-attr]  # told above
        assert (await desk.store.messages(POOL, outcome.case.id), await desk.store.history(POOL, outcome.case.id)) == (  # type: ignore[union-attr]  # told above
            (),
            (),
        )
        status = await desk.store.status(POOL)
        assert (status.timers, status.next_timer_ms, status.queued, status.classes) == (0, None, 0, 0)

    async def test_the_event_asks_for_a_tombstone(self, desk: Desk) -> None:
        outcome = await self._close(desk, await self._resolved(desk))
        entry = (await desk.store.pending(POOL, 0))[-1]
        assert (entry.number, entry.kind, entry.final, entry.case) == (outcome.number, "close", True, outcome.case)

    async def test_twice_is_absent(self, desk: Desk) -> None:
        claim = await self._resolved(desk)
        await self._close(desk, claim)
        assert (await self._close(desk, claim)).result is Result.ABSENT

    async def test_a_timer_that_moved_is_gone(self, desk: Desk) -> None:
        timer, deadline = await self._resolved(desk)
        assert (await self._close(desk, (timer, deadline + 1))).result is Result.GONE

    async def test_a_case_that_came_back_is_gone(self, desk: Desk) -> None:
        claim = await self._resolved(desk)
        await desk.admit("c1", inquiry="i2", plan=await desk.plan("c1"))
        assert (await self._close(desk, claim)).result is Result.GONE
        assert (await desk.state("c1")).state is CaseStatus.QUEUED

    @staticmethod
    async def _resolved(desk: Desk) -> tuple[str, int]:
        """Resolved, with its window's timer and one left by mistake; the claim that closes it."""
        await desk.admit("c1")
        timers = {"close|0": desk.now, "warn.left|0": desk.now + 5}
        await desk.on(Resolve, "c1", plan=await desk.plan("c1", timers=timers))
        return "close|0", desk.now

    @staticmethod
    async def _close(desk: Desk, claim: tuple[str, int]) -> Outcome:
        return await desk.do(desk.act(Close, case="c1", claim=claim))


class MoveSuite(_Owned):
    """A case goes to another pool."""

    async def test_it_ends_here_and_goes_out(self, owned: Desk) -> None:
        outcome = await owned.on(Move, "c1", to_pool="other", handover='{"h":1}', plan=await self._armed(owned))
        assert (outcome.result, outcome.case and outcome.case.state) == (Result.DONE, CaseStatus.MOVED)
        assert await owned.case("c1") is None
        assert (await owned.person("ann")).work == {}
        assert (await owned.store.status(POOL)).timers == 0
        entry = (await owned.store.pending(POOL, 0))[-1]
        assert (entry.kind, entry.final, entry.handovers, entry.about) == ("move", True, ('{"h":1}',), "ann")

    async def test_the_conversation_has_no_case_here(self, owned: Desk) -> None:
        state = await owned.state("c1")
        await owned.on(Move, "c1", to_pool="other", handover="{}")
        assert await owned.store.conversation(POOL, state.conversation) is None

    async def test_a_waiting_case_leaves_its_line(self, desk: Desk) -> None:
        await desk.admit("c1")
        await desk.on(Move, "c1", to_pool="other", handover="{}")
        assert await desk.waiting() == ()

    async def test_twice_is_absent(self, owned: Desk) -> None:
        members = {"case": "c1", "plan": await owned.plan("c1"), "to_pool": "other", "handover": "{}", "op": "key:1"}
        first, again = await owned.store.apply([owned.act(Move, **members)] * 2)
        assert (first.result, again.result, again.repeated) == (Result.DONE, Result.ABSENT, False)

    async def test_a_resolved_one_is_gone(self, owned: Desk) -> None:
        await owned.on(Resolve, "c1")
        assert (await owned.on(Move, "c1", to_pool="other", handover="{}")).result is Result.GONE

    @staticmethod
    async def _armed(desk: Desk) -> Plan:
        return await desk.plan("c1", timers={"warn.first|0": desk.now + 5})
