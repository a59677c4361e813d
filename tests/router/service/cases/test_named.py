"""A case that somebody hands to one advisor by name: its record says so."""

from router.contract.ids import AdvisorId, CaseId
from router.engine.explain import Explanation, read_explanation
from router.store.acts import Result
from tests.suites.stage import Stage, stage

C1 = CaseId("c1")


async def record(scene: Stage) -> Explanation:
    made = read_explanation((await scene.case("c1")).why)
    assert made is not None
    return made


async def test_it_tells_who_handed_it_on_to_whom_and_past_what() -> None:
    async with stage() as scene:
        await scene.hire("mina", skills={"billing": 9}, budget=100)
        await scene.write("c1", "invoice")
        await scene.accept("c1")
        await scene.hire("jun", budget=100)
        to = AdvisorId("jun")
        assert (await scene.casework.transfer(C1, scene.request("mina"), to=to)).result is Result.OFFERED
        made = await record(scene)
        assert (made.by, made.turn, made.overrode) == ("mina", "jun", ("skill",))
        assert await scene.holder("c1") == "jun"


async def test_handed_to_a_queue_it_is_decided_and_nobody_named() -> None:
    async with stage() as scene:
        await scene.hire("mina", skills={"billing": 9}, budget=100)
        await scene.write("c1", "invoice")
        await scene.accept("c1")
        await scene.casework.transfer(C1, scene.request("mina"), queue="general")
        assert (await record(scene)).by == ""
