"""On real servers: who is excluded doesn't get a case, who joins a queue later does, and what people say is kept."""

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from router.contract.case import CaseStatus, Pending, read_detail
from router.contract.ids import AdvisorId, CaseId
from router.engine.exclusions import Wish
from router.store.acts import Result
from tests.servers import Server
from tests.suites.server_stage import stage_on
from tests.suites.stage import RULES, Stage, rulebook

RULED = RULES.replace(
    "rules:",
    "rules:\n  - {name: two, match: {text: {contains: complain}}, set: {exclude: [last-advisor]}, continue: true}",
).replace(
    "  billing: {policy: standard, ladder: standard, offer_s: 30}",
    "  billing: {policy: standard, ladder: standard, offer_s: 30, secondary_after_s: 60}",
)
C1 = CaseId("c1")


@pytest.fixture
async def scene(redis_server: Server) -> AsyncIterator[Stage]:
    async with stage_on(redis_server, rulebook(RULED)) as made:
        yield made


async def test_a_complaint_goes_to_another_and_stays_away_from_who_it_is_about(scene: Stage) -> None:
    await scene.hire("mina")
    await scene.write("c1", talk="t")
    await scene.accept("c1")
    await scene.resolve("c1")
    await scene.write("again", "I complain", talk="t")
    await scene.pass_s(1_000)
    state = await scene.case("c1")
    assert (state.state, read_detail(state.detail).excluded) == (CaseStatus.QUEUED, ("mina",))
    assert (await scene.casework.take(C1, scene.request(), advisor=AdvisorId("mina"))).result is Result.REFUSED
    await scene.hire("jun")
    await scene.accept("c1")
    await scene.casework.pend(C1, scene.request("jun"), pending=Pending(on="customer", since_ms=0))
    await scene.write("more", talk="t")
    assert await scene.holder("c1") == "jun"
    wish = replace(scene.request(), wish=Wish(("jun",)), reason="he asked for another")
    assert (await scene.casework.excluding.change(C1, wish)).result is Result.QUEUED
    await scene.pass_s(1_000)
    assert (await scene.holder("c1"), await scene.load("jun")) == ("", 0)
    assert (await scene.casework.excluding.change(C1, scene.request(), lift=("mina",))).result is Result.DONE
    await scene.settle()
    assert await scene.holder("c1") == "mina"
    assert read_detail((await scene.case("c1")).detail).excluded == ("jun",)
    await scene.nobody_waits_in_vain()


async def test_a_secondary_member_joins_after_the_delay(scene: Stage) -> None:
    await scene.hire("jun", queues=("general",), secondary=("billing",), skills={"billing": 5})
    await scene.write("c1", "invoice")
    await scene.pass_s(59)
    assert await scene.holder("c1") == ""
    await scene.pass_s(1)
    assert await scene.holder("c1") == "jun"
    await scene.nobody_waits_in_vain()
