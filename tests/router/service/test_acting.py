"""Acting on a case: what acts have shown of it saves the read, and never decides by itself."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from router.contract.case import CaseState, read_detail
from router.contract.ids import CaseId, OperationId, PoolId
from router.engine import plans
from router.engine.plans import Scene
from router.service.acting import MAX_ATTEMPTS, Actor, MakeAct
from router.service.errors import Contended
from router.store.acts import AnyAct, Label, Note, Outcome, Result
from router.store.memory import MemoryStore
from tests.suites.stage import POOL, Stage, stage

CASE = CaseId("c1")


class Counted:
    """Reads of cases, counted; acts pass through."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.read = 0

    async def case(self, pool: PoolId, case: CaseId) -> CaseState | None:
        self.read += 1
        return await self._store.case(pool, case)

    async def apply(self, acts: Sequence[AnyAct]) -> Sequence[Outcome]:
        return await self._store.apply(acts)


class Desk:
    """An actor of its own beside the stage's: another process, to which the stage's acts are somebody else's."""

    def __init__(self, scene: Stage) -> None:
        self.scene = scene
        self.reads = Counted(scene.store)
        self.made: list[int] = []
        self.actor = Actor(
            POOL,
            scene.store,
            self.reads,  # type: ignore[arg-type]  # only cases are read
            clock=scene.clock,
            metrics=scene.metrics,
        )

    def label(self, name: str) -> MakeAct:
        def make(state: CaseState) -> AnyAct:
            self.made.append(state.ver)
            detail = replace(read_detail(state.detail), labels=(name,))
            scene = Scene(rulebook=self.scene.policies.active, now_ms=self.actor.now_ms())
            return Label(**self.common(), case=state.id, plan=plans.plan(state, detail, scene))

        return make

    def common(self) -> dict:  # type: ignore[type-arg]
        return {"pool": POOL, "gen": self.actor.gen, "now_ms": self.actor.now_ms()}

    async def note(self, actor: Actor) -> Outcome:
        act = Note(**self.common(), op=OperationId(f"n{len(self.made)}"), actor="x", case=CASE, message='"hello"')
        return await actor.one(act)


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    async with stage() as scene:
        await scene.write("c1")
        found = Desk(scene)
        await found.actor.open()
        yield found


async def labels(one: Desk) -> tuple[str, ...]:
    return read_detail((await one.scene.case("c1")).detail).labels


async def test_only_the_first_act_on_a_case_reads_it() -> None:
    async with desk() as one:
        for name in ("first", "second", "third"):
            outcome = await one.actor.attempt(CASE, one.label(name))
            assert outcome.result is Result.DONE
        assert one.reads.read == 1
        assert one.made == [1, 2, 3]
        assert await labels(one) == ("third",)


async def test_a_case_that_somebody_else_has_changed_costs_a_second_try_but_no_read() -> None:
    async with desk() as one:
        await one.actor.attempt(CASE, one.label("first"))
        await one.note(one.scene.actor)
        outcome = await one.actor.attempt(CASE, one.label("second"))
        assert outcome.result is Result.DONE
        assert one.made == [1, 2, 3]
        assert one.reads.read == 1
        assert await labels(one) == ("second",)


async def test_that_nothing_is_to_be_done_is_never_said_of_a_remembered_state() -> None:
    async with desk() as one:
        await one.actor.attempt(CASE, one.label("first"))
        await one.note(one.scene.actor)
        newest = (await one.scene.case("c1")).ver
        nothing = Outcome(result=Result.SAME)

        def make(state: CaseState) -> AnyAct | Outcome:
            return one.label("second")(state) if state.ver == newest else nothing

        assert (await one.actor.attempt(CASE, make)).result is Result.DONE
        assert one.reads.read == 2
        assert (await one.actor.attempt(CASE, lambda _state: nothing)) is nothing


async def test_a_case_that_is_gone_is_absent_though_it_is_remembered() -> None:
    async with desk() as one:
        await one.actor.attempt(CASE, one.label("first"))
        await one.scene.hire("mina")
        await one.scene.accept("c1")
        await one.scene.resolve("c1")
        await one.scene.pass_s(one.scene.policies.active.reopen_s + 1)
        assert await one.scene.store.case(POOL, CASE) is None
        assert (await one.actor.attempt(CASE, one.label("second"))).result is Result.ABSENT


async def test_nothing_is_remembered_beyond_a_new_gen() -> None:
    async with desk() as one:
        await one.actor.attempt(CASE, one.label("first"))
        await one.actor.open()
        await one.actor.attempt(CASE, one.label("second"))
        assert one.reads.read == 1
        one.actor.gen = 0  # as if the pool had been rebuilt since
        await one.actor.open()
        await one.actor.attempt(CASE, one.label("third"))
        assert one.reads.read == 2


async def test_a_case_that_changes_under_every_attempt_is_contended() -> None:
    async with desk() as one:
        await one.actor.attempt(CASE, one.label("first"))
        stale = await one.scene.case("c1")
        await one.note(one.scene.actor)

        with pytest.raises(Contended):
            await one.actor.attempt(CASE, lambda _state: one.label("second")(stale))
        assert len(one.made) == 1 + 1 + MAX_ATTEMPTS
