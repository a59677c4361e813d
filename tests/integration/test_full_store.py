"""A real server whose memory runs full: new work is refused, what is there ends, nothing is lost, and all of it drains
without a restart."""

from collections.abc import AsyncIterator

import pytest

from router.contract import topics
from router.contract.case import CaseStatus
from router.contract.ids import AdvisorId, CaseId
from router.contract.plan import Plan
from router.runtime.errors import StoreUnavailable
from router.store.acts import Assign, Note, Replan, Result
from router.store.marks import Level
from tests.servers import Server
from tests.suites.flood import REOPEN_S, Flood, flood
from tests.suites.stage import POOL, Stage


@pytest.fixture
async def full(own_server: Server) -> AsyncIterator[Flood]:
    """Filled until it takes no more; two cases ring, and nobody has answered."""
    async with flood(own_server) as made:
        for name in ("mina", "jun"):
            await made.scene.hire(name, budget=10)
        await made.fill()
        await made.scene.settle()
        yield made


async def _gone(flooded: Flood) -> set[str]:
    """The cases of which the bus knows that they are closed for good."""
    return {record.key async for record in flooded.bus.history(topics.CASES) if record.value is None}


async def _told(flooded: Flood) -> set[str]:
    return {record.key async for record in flooded.bus.history(topics.EVENTS)}


async def test_at_the_soft_mark_it_takes_no_more_and_keeps_its_reserve(full: Flood) -> None:
    assert 0.78 <= await full.share() < 0.9
    assert await full.look() is Level.SOFT
    assert len(full.taken) > 100
    assert len(full.refused) == 1
    case = CaseId(full.taken[-1])
    note = await full.scene.actor.one(Note(**full.scene.common(), case=case, message="{}"))
    assert note.result is Result.FULL
    assert (await full.scene.store.status(POOL)).queued == len(full.taken) - 2


async def test_over_its_limit_work_still_ends(full: Flood) -> None:
    scene = full.scene
    await _arm_warning(scene, full.taken[-1])
    await full.run_over()
    assert await full.share() > 1
    assert await full.look() is Level.HARD
    assert not await full.write("late")
    with pytest.raises(StoreUnavailable):
        await scene.actor.one(await _assignment(scene, full.taken[-1]))
    answered, unanswered = [name for name in full.taken if (await scene.case(name)).state is CaseStatus.OFFERED]
    await _ends(scene, answered)
    for _ in range(4):
        assert await full.look() is Level.HARD
        await scene.pass_s(8)
    assert (await scene.case(unanswered)).offers == ()  # nobody answered in time
    assert "warn.first|0" in (await scene.case(full.taken[-1])).timers
    await full.relay()
    assert answered in await _told(full)


async def _ends(scene: Stage, case: str) -> None:
    await scene.accept(case)
    owner = (await scene.case(case)).owner
    said = await scene.casework.reply(CaseId(case), scene.request(owner), text="There you are.")
    assert said.result is Result.DONE
    assert (await scene.resolve(case)).result is Result.DONE


async def _arm_warning(scene: Stage, case: str) -> None:
    state = await scene.case(case)
    plan = Plan(ver=state.ver, class_key=state.class_key, score=state.score)
    plan.timers["warn.first|0"] = scene.clock.now_ms() + 1
    await scene.actor.one(Replan(**scene.common(), case=state.id, plan=plan))


async def _assignment(scene: Stage, case: str) -> Assign:
    state = await scene.case(case)
    plan = Plan(ver=state.ver, class_key=state.class_key, score=state.score)
    return Assign(**scene.common(), case=state.id, plan=plan, advisor=AdvisorId("mina"), over=True)


async def test_everything_drains_from_above_the_limit_without_a_restart(full: Flood) -> None:
    await full.run_over()
    assert await full.look() is Level.HARD
    await full.relay()
    await full.work_off()
    resolved = set(full.taken)
    assert {(await full.scene.case(name)).state for name in resolved} == {CaseStatus.RESOLVED}
    await full.relay()
    await full.scene.pass_s(REOPEN_S + 1)
    await full.relay()
    assert await full.look() is Level.FINE
    assert await _gone(full) == resolved
    (again,) = full.refused
    assert await full.write(again)
    assert len(set(full.taken)) == len(full.taken)
    await full.work_off()
    assert (await full.scene.case(again)).state is CaseStatus.RESOLVED
    await full.scene.nobody_waits_in_vain()
