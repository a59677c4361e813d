"""Rebuild: what a store held before it was lost is there again, from the bus."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from msgspec.structs import replace

from router.contract.case import read_detail
from router.contract.ids import AdvisorId, CaseId
from router.engine.consulting import Whom
from router.engine.exclusions import Wish
from router.runtime.bus.memory import MemoryBus
from router.store.acts import Result
from tests.servers import KINDS, Server
from tests.suites.rebuild_stage import ALL_TOPICS, RandomDay, RebuildStage, rebuild_stage, rebuild_stage_on
from tests.suites.stage import POOL, Stage

SEEDS = range(4)
STEPS = 120


@pytest.fixture(params=["memory", *KINDS])
async def lossy(request: pytest.FixtureRequest) -> AsyncIterator[RebuildStage]:
    if request.param == "memory":
        async with in_memory() as made:
            yield made
        return
    server: Server = request.getfixturevalue(request.param)
    server.clear()
    async with on_server(server) as made:
        yield made


@asynccontextmanager
async def in_memory() -> AsyncIterator[RebuildStage]:
    bus = MemoryBus()
    await bus.create_topics(ALL_TOPICS)
    async with rebuild_stage(bus) as made:
        yield made


@asynccontextmanager
async def on_server(server: Server) -> AsyncIterator[RebuildStage]:
    bus = MemoryBus()
    await bus.create_topics(ALL_TOPICS)
    async with rebuild_stage_on(server.url, bus) as made:
        yield made


async def test_an_operation_asked_for_again_after_it_gives_the_first_answer(lossy: RebuildStage) -> None:
    scene, case = lossy.scene, CaseId("c1")
    await scene.hire("mina")
    await lossy.write("c1")
    await scene.accept("c1")
    request = scene.request("mina")
    first = await scene.casework.note(case, request, text="he is cross")
    for _ in range(3):
        await scene.casework.note(case, scene.request("mina"), text="and again")
    await lossy.relay()
    before = await lossy.picture()
    await lossy.lose()
    assert await lossy.rebuilder().run() is not None
    await lossy.go_on()
    again = await scene.casework.note(case, request, text="he is cross")
    assert (again.result, again.number, again.repeated) == (first.result, first.number, True)
    assert (await lossy.picture()).messages == before.messages
    assert not (await scene.casework.note(case, scene.request("mina"), text="another")).repeated


async def test_who_was_excluded_stays_so(lossy: RebuildStage) -> None:
    scene, case = lossy.scene, CaseId("c1")
    await scene.hire("mina")
    await lossy.write("c1")
    await scene.accept("c1")
    wish = replace(scene.request("mina"), wish=Wish(someone_else=True), reason="she asked for another")
    await scene.casework.transfer(case, wish, queue="general")
    await lossy.relay()
    before = read_detail((await scene.case("c1")).detail)
    assert before.excluded == ("mina",)
    await lossy.lose()
    assert await lossy.rebuilder().run() is not None
    await lossy.go_on()
    after = read_detail((await scene.case("c1")).detail)
    assert (after.excluded, after.exclusions) == (before.excluded, before.exclusions)
    await scene.pass_s(1_000)
    assert await scene.holder("c1") == ""
    await scene.hire("jun")
    assert await scene.holder("c1") == "jun"


@pytest.mark.parametrize("joined", [False, True])
async def test_advice_that_was_asked_for_is_back(lossy: RebuildStage, joined: bool) -> None:
    scene, case = lossy.scene, CaseId("c1")
    await scene.hire("mina", budget=10)
    await lossy.write("c1")
    await scene.accept("c1")
    for name in ("sun", "sol"):
        await scene.hire(name, budget=10, tier="senior")
    asked = await scene.casework.consult(case, scene.request("mina"), whom=Whom(tier="senior"))
    assert asked.outcome.result is Result.OFFERED
    if joined:
        await scene.accept("c1")
    await lossy.relay()
    before, work = await lossy.picture(), await _works(scene)
    assert sorted(work.values()) == ["", "case", "consult" if joined else "consult-offer"]
    await lossy.lose()
    assert await lossy.rebuilder().run() is not None
    assert ((await lossy.picture()).differences(before), await _works(scene)) == ({}, work)
    await lossy.go_on()
    if joined:
        return
    await scene.pass_s(30)
    after = await _works(scene)
    assert (sorted(after.values()), after["mina"]) == (sorted(work.values()), "case")
    assert after != work
    assert (await scene.accept("c1")).result is Result.DONE


async def _works(scene: Stage) -> dict[str, str]:
    """What each has of the case."""
    found = {name: await scene.store.advisor(POOL, AdvisorId(name)) for name in ("mina", "sun", "sol")}
    return {
        name: str(state.work["c1"].kind) if state is not None and "c1" in state.work else ""
        for name, state in found.items()
    }


async def test_it_tells_each_step_and_how_far_it_is(lossy: RebuildStage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("router.service.rebuilding.rebuild._SAID_EVERY_RECORD", 2)
    monkeypatch.setattr("router.service.rebuilding.rebuild._SAID_EVERY", 1)
    for name in ("c1", "c2", "c3"):
        await lossy.write(name)
    await lossy.relay()
    await lossy.lose()
    said: list[str] = []
    assert await lossy.rebuilder(said=said.append).run() is not None
    assert said[:2] == ["reading cases and advisors", "reading cases and advisors: 2 records of turnout.cases.v1"]
    assert said[-2:] == ["putting back 3 cases and 0 advisors", "3 of 3"]


@pytest.mark.parametrize("seed", SEEDS)
async def test_after_random_acts_everything_is_as_before(lossy: RebuildStage, seed: int) -> None:
    day = RandomDay(lossy, seed)
    await day.open()
    await day.run(STEPS)
    await lossy.relay()
    before = await lossy.picture()
    assert len({state.state for state in before.cases.values()}) > 1
    await lossy.lose()
    rebuilt = await lossy.rebuilder().run()
    assert rebuilt is not None
    assert (rebuilt.gen, rebuilt.cases, rebuilt.requeued, rebuilt.damaged) == (2, len(before.cases), 0, 0)
    assert (await lossy.picture()).differences(before) == {}
    await lossy.go_on()
    await day.run(STEPS // 4)
    await lossy.scene.nobody_waits_in_vain()
