"""The scenarios that the store alone must pass, by their numbers."""

import asyncio
import random

import pytest

from router.contract.case import CaseStatus
from router.contract.ids import CaseId
from router.contract.plan import Placing, Plan
from router.store.acts import Accept, AnyAct, Assign, Decline, Due, Expire, Match, Outcome, Resolve, Result
from tests.suites.store.bench import POOL, QUEUE, Desk


class ScenarioSuite:
    @pytest.mark.parametrize("seed", range(5))
    async def test_1_with_a_limit_of_3_he_never_holds_4(self, desk: Desk, seed: int) -> None:
        await desk.advisor("ann", budget=90)
        placing = await desk.hand("ann") if seed % 2 else await desk.ring("ann")
        acts: list[AnyAct] = [
            desk.admission(f"c{n}", placing, plan=Plan(ver=0, class_key=f"k{n % 50}", score=n)) for n in range(100)
        ]
        random.Random(seed).shuffle(acts)
        await self._by_three_routers(desk, acts)
        loads = [change.advisor.load for change in await desk.store.changes(POOL, 0)]
        assert (max(loads), (await desk.person("ann")).load, len((await desk.person("ann")).work)) == (90, 90, 3)
        assert (await desk.store.status(POOL)).queued == 97

    @pytest.mark.parametrize("seed", range(5))
    async def test_2_of_several_who_race_for_an_offer_exactly_one_holds_it(self, desk: Desk, seed: int) -> None:
        names = ["ann", "bob", "cho", "dan", "eve"]
        for name in names:
            await desk.advisor(name)
        await desk.offered("c1", *names)
        acts: list[AnyAct] = [desk.act(Accept, case=CaseId("c1"), advisor=name, offer_ver=1) for name in names]
        random.Random(seed).shuffle(acts)
        results = [outcome.result for outcome in await self._by_three_routers(desk, acts)]
        assert sorted(results) == [Result.ASSIGNED] + [Result.GONE] * 4
        holders = [name for name in names if (await desk.person(name)).work]
        assert holders == [(await desk.state("c1")).owner]

    @pytest.mark.parametrize("person_first", [True, False])
    async def test_4_a_person_and_the_matcher_race_one_wins_the_other_is_told(
        self, desk: Desk, person_first: bool
    ) -> None:
        await desk.admit("c1")
        await desk.advisor("ann")
        await desk.advisor("bob")
        plan = await desk.plan("c1")
        by_person = desk.act(Assign, case=CaseId("c1"), plan=plan, advisor="ann")
        by_matcher = desk.act(Match, case=CaseId("c1"), plan=plan, class_key=QUEUE, placing=await desk.hand("bob"))
        acts = [by_person, by_matcher] if person_first else [by_matcher, by_person]
        first, second = await desk.store.apply(acts)
        winner = "ann" if person_first else "bob"
        assert (first.result, second.result) == (Result.ASSIGNED, Result.CONFLICT)
        assert second.case == await desk.case("c1")
        assert (await desk.state("c1")).owner == winner
        assert [(await desk.person(name)).load for name in ("ann", "bob")] == [
            30 * (winner == name) for name in ("ann", "bob")
        ]

    @pytest.mark.parametrize("accept_first", [True, False])
    async def test_5_accepted_at_the_moment_it_expires_one_outcome(self, desk: Desk, accept_first: bool) -> None:
        await desk.advisor("ann")
        await desk.offered("c1", "ann")
        await desk.pass_ms(20_000)
        (claim,) = (await desk.do(desk.act(Due))).claims
        plan = await desk.plan("c1")
        accept = desk.act(Accept, case=CaseId("c1"), advisor="ann", offer_ver=1, op="tab:1")
        expire = desk.act(Expire, case=CaseId("c1"), plan=plan, offer_ver=1, claim=("offer|1", claim.deadline_ms))
        acts = [accept, expire] if accept_first else [expire, accept]
        results = [outcome.result for outcome in await desk.store.apply(acts)]
        state = await desk.state("c1")
        if accept_first:
            assert (results, state.owner) == ([Result.ASSIGNED, Result.GONE], "ann")
        else:
            assert (results, state.state) == ([Result.QUEUED, Result.GONE], CaseStatus.QUEUED)
        assert (await desk.person("ann")).load == (30 if accept_first else 0)
        assert state.timers == {}

    @pytest.mark.parametrize("same_key", [True, False])
    async def test_5_accepted_from_two_tabs_one_outcome_same_answer(self, desk: Desk, same_key: bool) -> None:
        await desk.advisor("ann")
        await desk.offered("c1", "ann")
        ops = ["k:1", "k:1"] if same_key else ["k:1", "k:2"]
        acts = [desk.act(Accept, case=CaseId("c1"), advisor="ann", offer_ver=1, op=op) for op in ops]
        number = await desk.number()
        first, second = await desk.store.apply(acts)
        assert (first.result, second.result) == (Result.ASSIGNED, Result.ASSIGNED if same_key else Result.SAME)
        assert second.case == first.case
        assert await desk.number() == number + 1

    async def test_6_a_router_that_dies_leaves_an_offer_that_expires(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.offered("c1", "ann")
        await desk.pass_ms(20_000)
        assert [claim.timer for claim in (await desk.do(desk.act(Due, retry_ms=500))).claims] == ["offer|1"]
        await desk.pass_ms(500)
        (claim,) = (await desk.do(desk.act(Due))).claims
        outcome = await desk.on(Expire, "c1", offer_ver=1, claim=(claim.timer, claim.deadline_ms))
        assert outcome.result is Result.QUEUED
        assert (await desk.person("ann")).load == 0
        assert {"a|ann", f"k|{QUEUE}"} <= set(await desk.work())

    async def test_7_the_fourth_case_comes_before_the_fifth(self, desk: Desk) -> None:
        await desk.advisor("ann", budget=90)
        for n in range(3):
            await desk.assigned(f"c{n}", "ann")
        assert (await desk.admit("c3", await desk.hand("ann"))).result is Result.QUEUED
        await desk.serve_all()
        await desk.on(Resolve, "c0")
        assert (await desk.admit("c4", await desk.hand("ann"))).result is Result.QUEUED
        other = Plan(ver=0, class_key="other", score=1)
        assert (await desk.admit("c5", await desk.hand("ann"), plan=other)).result is Result.QUEUED
        assert "a|ann" in await desk.work()
        (head,) = [head for head in await desk.store.heads(POOL) if head.class_key == QUEUE]
        assert head.case == "c3"
        outcome = await desk.on(Match, head.case, class_key=QUEUE, placing=await desk.hand("ann"))
        assert outcome.result is Result.ASSIGNED

    async def test_10_a_declined_case_and_its_advisor_are_both_called_again(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.offered("c1", "ann")
        plan = await desk.plan("c1", class_key="not-ann", timers={"cooldown|0": desk.now + 60_000})
        await desk.on(Decline, "c1", plan=plan, advisor="ann", offer_ver=1)
        await desk.serve_all()
        await desk.pass_ms(60_000)
        (claim,) = (await desk.do(desk.act(Due))).claims
        assert (claim.timer, claim.fired) == ("cooldown|0", False)

    @staticmethod
    async def _by_three_routers(desk: Desk, acts: list[AnyAct]) -> list[Outcome]:
        """Three callers at once, each in small batches."""

        async def router(mine: list[AnyAct]) -> list[Outcome]:
            found: list[Outcome] = []
            for at in range(0, len(mine), 4):
                found.extend(await desk.store.apply(mine[at : at + 4]))
            return found

        answers = await asyncio.gather(*(router(acts[k::3]) for k in range(3)))
        return [outcome for answer in answers for outcome in answer]

    async def test_a_burst_of_placings_fills_nobody_above_his_room(self, desk: Desk) -> None:
        for n in range(4):
            await desk.advisor(f"adv{n}", budget=60)
        names = [f"adv{n}" for n in range(4)]
        shuffled = [random.Random(n).sample(names, 4) for n in range(20)]
        acts: list[AnyAct] = [
            desk.admission(f"c{n}", await desk.hand(*order), plan=Plan(ver=0, class_key=f"k{n}"))
            for n, order in enumerate(shuffled)
        ]
        await self._by_three_routers(desk, acts)
        assert [(await desk.person(name)).load for name in names] == [60] * 4

    async def test_nothing_is_handed_out_by_an_empty_placing(self, desk: Desk) -> None:
        assert (await desk.admit("c1", Placing(auto_accept=True))).result is Result.QUEUED
