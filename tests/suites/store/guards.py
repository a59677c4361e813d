"""What is checked before every act, and what happens when one is repeated."""

from typing import get_args

import pytest

from router.contract.advisor import Presence
from router.contract.ids import CaseId, PoolId
from router.store.acts import (
    Accept,
    Act,
    AnyAct,
    Decline,
    Note,
    PlannedAct,
    PresenceAct,
    ProfileAct,
    Resolve,
    Result,
)
from tests.suites.store.bench import POOL, START_MS, Desk
from tests.suites.store.dump import dump
from tests.suites.store.samples import KINDS, ON_A_CASE, PLANNED, SUCCEED, members_of

MAX_SKEW_MS = 5_000


class _Scene:
    @pytest.fixture
    async def scene(self, desk: Desk) -> Desk:
        """Ann has the case ``c1`` and Bob is consulted on it."""
        await desk.advisor("ann")
        await desk.advisor("bob")
        await desk.assigned("c1", "ann")
        await desk.asked_in("c1", "ann", "bob")
        await desk.serve_all()
        return desk


class GuardSuite(_Scene):
    """Refusals that every act shares. None of them writes anything."""

    def test_the_examples_are_all_acts(self) -> None:
        assert set(KINDS) == set(get_args(AnyAct))

    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
    @pytest.mark.parametrize("result", [Result.NEWER, Result.FOREIGN, Result.SKEWED])
    async def test_whatever_the_act(self, scene: Desk, kind: type[Act], result: Result) -> None:
        act = scene.act(kind, **members_of(kind, ver=2))
        if result is Result.NEWER:
            await scene.bench.set_format(POOL, 99)
        if result is Result.FOREIGN:
            act = scene.act(kind, **members_of(kind, ver=2), gen=2)
        if result is Result.SKEWED:
            act = scene.act(kind, **{**members_of(kind, ver=2), "now_ms": scene.now + MAX_SKEW_MS + 1})
        before = await self._all(scene)
        outcome = await scene.do(act)
        assert (outcome.result, outcome.number, outcome.repeated) == (result, 0, False)
        assert await self._all(scene) == before

    @pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
    async def test_a_pool_that_is_not_there_is_foreign(self, scene: Desk, kind: type[Act]) -> None:
        act = scene.act(kind, **members_of(kind), pool=PoolId("nowhere"))
        assert (await scene.do(act)).result is Result.FOREIGN

    @pytest.mark.parametrize("kind", ON_A_CASE, ids=lambda kind: kind.__name__)
    async def test_a_case_that_is_not_there_is_absent(self, scene: Desk, kind: type[Act]) -> None:
        before = await self._all(scene)
        outcome = await scene.do(scene.act(kind, **members_of(kind, case="c7")))
        assert (outcome.result, outcome.case) == (Result.ABSENT, None)
        assert await self._all(scene) == before

    @pytest.mark.parametrize("kind", PLANNED, ids=lambda kind: kind.__name__)
    @pytest.mark.parametrize("ver", [1, 3])
    async def test_a_plan_for_another_version_conflicts(self, scene: Desk, kind: type[PlannedAct], ver: int) -> None:
        before = await self._all(scene)
        outcome = await scene.do(scene.act(kind, **members_of(kind, ver=ver)))
        assert (outcome.result, outcome.case) == (Result.CONFLICT, await scene.case("c1"))
        assert await self._all(scene) == before

    @pytest.mark.parametrize("kind", PLANNED, ids=lambda kind: kind.__name__)
    async def test_a_claimed_timer_that_moved_is_gone(self, scene: Desk, kind: type[PlannedAct]) -> None:
        before = await self._all(scene)
        members = {**members_of(kind, ver=2), "claim": ("ladder|0", 5)}
        outcome = await scene.do(scene.act(kind, **members))
        assert (outcome.result, outcome.case) == (Result.GONE, await scene.case("c1"))
        assert await self._all(scene) == before

    @pytest.mark.parametrize("witness_ms", [START_MS - 60_000, START_MS])
    async def test_a_clock_is_held_against_the_pool_and_the_witness(self, scene: Desk, witness_ms: int) -> None:
        await scene.bench.set_witness(witness_ms)
        note = scene.act(Note, case=CaseId("c1"), message="m", now_ms=START_MS + MAX_SKEW_MS)
        assert (await scene.do(note)).result is Result.DONE
        assert (await scene.store.status(POOL)).now_ms == START_MS + MAX_SKEW_MS

    async def test_whoever_asks_is_told_the_time_of_pool_and_server(self, scene: Desk) -> None:
        await scene.bench.set_witness(START_MS + 77_000)
        status = await scene.store.status(POOL)
        assert (status.now_ms, status.witness_ms) == (START_MS, START_MS + 77_000)

    async def test_after_a_quiet_time_the_witness_says_it_is_right(self, scene: Desk) -> None:
        await scene.pass_ms(3_600_000)
        assert (await scene.do(scene.act(Note, case=CaseId("c1"), message="m"))).result is Result.DONE

    async def test_time_never_goes_back(self, scene: Desk) -> None:
        await scene.pass_ms(1_000)
        await scene.do(scene.act(Note, case=CaseId("c1"), message="m"))
        late = scene.act(Note, case=CaseId("c1"), message="m", now_ms=scene.now - 900)
        outcome = await scene.do(late)
        assert outcome.case is not None
        assert outcome.case.changed_at_ms == scene.now

    @staticmethod
    async def _all(desk: Desk) -> object:
        return await dump(desk.store, cases=["c1", "c7", "c9"], talks=["talk-c1", "talk-c9"])


class RepeatSuite(_Scene):
    """An operation id seen before."""

    @pytest.mark.parametrize("kind", SUCCEED, ids=lambda kind: kind.__name__)
    async def test_gives_the_first_answer_and_writes_nothing(self, scene: Desk, kind: type[Act]) -> None:
        act = scene.act(kind, **members_of(kind, ver=2), op="key:1")
        first = await scene.do(act)
        assert (first.result, first.repeated) == (SUCCEED[kind], False)
        before = await self._all(scene)
        again = await scene.do(act)
        assert (again.result, again.repeated, again.number) == (first.result, True, first.number)
        assert again.case == await scene.case("c1")
        assert await self._all(scene) == before

    async def test_of_an_accept(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.offered("c1", "ann")
        act = desk.act(Accept, case=CaseId("c1"), advisor="ann", offer_ver=1, op="key:1")
        first, again = await desk.store.apply([act, act])
        assert (first.result, again.result, again.repeated) == (Result.ASSIGNED, Result.ASSIGNED, True)
        assert again.number == first.number

    async def test_of_a_decline(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.offered("c1", "ann")
        plan = await desk.plan("c1")
        act = desk.act(Decline, case=CaseId("c1"), plan=plan, advisor="ann", offer_ver=1, op="key:1")
        first, again = await desk.store.apply([act, act])
        assert (first.result, again.result, again.repeated) == (Result.QUEUED, Result.QUEUED, True)

    async def test_of_a_presence_and_of_a_profile(self, desk: Desk) -> None:
        await desk.advisor("ann", online=False)
        for act in (
            desk.act(PresenceAct, advisor="ann", presence=Presence.ONLINE, op="key:1"),
            desk.act(ProfileAct, advisor="ann", budget=55, profile="{}", op="key:2"),
        ):
            first = await desk.do(act)
            await desk.do(desk.act(PresenceAct, advisor="ann", presence=Presence.AWAY, reason=act.op))
            before = await self._all(desk)
            again = await desk.do(act)
            assert (again.result, again.repeated, again.number) == (Result.DONE, True, first.number)
            assert again.advisors == (await desk.person("ann"),)
            assert await self._all(desk) == before

    async def test_of_a_connection(self, desk: Desk) -> None:
        await desk.advisor("ann")
        act = desk.act(PresenceAct, advisor="ann", connect=1, lease_ms=desk.now + 9, op="key:1")
        first, again = await desk.store.apply([act, act])
        assert (first.result, again.result, again.repeated) == (Result.DONE, Result.DONE, True)

    async def test_goes_before_the_version_and_the_claim(self, scene: Desk) -> None:
        plan = await scene.plan("c1", timers={"close|0": scene.now})
        act = scene.act(Resolve, case=CaseId("c1"), plan=plan, op="key:1")
        await scene.do(act)
        await scene.do(scene.act(Note, case=CaseId("c1"), message="m"))
        again = await scene.do(act)
        assert (again.result, again.repeated, again.case) == (Result.DONE, True, await scene.case("c1"))

    async def test_a_refusal_is_not_remembered(self, scene: Desk) -> None:
        stale = scene.act(Resolve, case=CaseId("c1"), plan=await scene.plan("c1", ver=1), op="key:1")
        assert (await scene.do(stale)).result is Result.CONFLICT
        fresh = scene.act(Resolve, case=CaseId("c1"), plan=await scene.plan("c1"), op="key:1")
        assert (await scene.do(fresh)).result is Result.DONE

    async def test_the_last_eight_of_a_subject_are_known(self, scene: Desk) -> None:
        notes = [scene.act(Note, case=CaseId("c1"), message=f"m{n}", op=f"key:{n}") for n in range(9)]
        await scene.store.apply(notes)
        assert (await scene.do(notes[1])).repeated
        assert not (await scene.do(notes[0])).repeated

    async def test_of_an_empty_id_there_is_no_repeat(self, scene: Desk) -> None:
        note = scene.act(Note, case=CaseId("c1"), message="m")
        assert [outcome.repeated for outcome in await scene.store.apply([note, note])] == [False, False]
        assert len(await scene.store.messages(POOL, CaseId("c1"))) == 3

    @staticmethod
    async def _all(desk: Desk) -> object:
        return await dump(desk.store, cases=["c1"], talks=["talk-c1"])
