"""An advisor who doesn't come back: his work stays, is requeued, or goes to his team, channel by channel."""

import pytest

from router.contract.advisor import AdvisorState, Presence, WorkKind
from router.contract.case import CaseStatus
from router.contract.ids import AdvisorId, CaseId
from router.contract.plan import Candidate, Placing, Plan
from router.store.acts import Consult, PresenceAct
from tests.suites.stage import POOL, RULES, Stage, rulebook, stage


def _rules(fate: str) -> str:
    email = "email: {units: 10, interruptible: true"
    return RULES.replace(email, f"{email}, when_gone: {fate}") + "team_hold_s: 120\n"


async def _person(scene: Stage, name: str) -> AdvisorState:
    state = await scene.store.advisor(POOL, AdvisorId(name))
    assert state is not None
    return state


async def _loses_connection(scene: Stage, name: str) -> None:
    """Whose grace time begins now."""
    await scene.actor.one(
        PresenceAct(**scene.common(), advisor=AdvisorId(name), disconnect=7, grace_ms=scene.clock.now_ms() + 30_000)
    )


async def _at_work(scene: Stage, *, team: str = "seoul") -> None:
    """Mina is connected and has mail c1."""
    await scene.hire("mina", budget=10, team=team)
    await scene.presence("mina", Presence.ONLINE, connect=7, lease_ms=scene.clock.now_ms() + 3_600_000)
    await scene.write("c1")
    await scene.accept("c1")


@pytest.mark.parametrize(("fate", "holder"), [("stays", "mina"), ("requeue", "jun"), ("team", "")])
async def test_the_channel_says_what_becomes_of_it(fate: str, holder: str) -> None:
    async with stage(rulebook(_rules(fate))) as scene:
        await _at_work(scene)
        await scene.hire("jun", budget=10, team="busan")
        await _loses_connection(scene, "mina")
        await scene.pass_s(29)
        assert await scene.holder("c1") == "mina"
        await scene.pass_s(1)
        assert await scene.holder("c1") == holder
        assert (await _person(scene, "mina")).timers == {}
        await scene.nobody_waits_in_vain()


async def test_whoever_of_the_team_comes_first_has_it() -> None:
    async with stage(rulebook(_rules("team"))) as scene:
        await _at_work(scene)
        await scene.hire("jun", budget=10, team="busan")
        await _loses_connection(scene, "mina")
        await scene.pass_s(60)
        assert await scene.holder("c1") == ""
        await scene.hire("hana", budget=10, team="seoul")
        assert await scene.holder("c1") == "hana"


async def test_after_a_while_it_is_for_everybody() -> None:
    async with stage(rulebook(_rules("team"))) as scene:
        await _at_work(scene)
        await scene.hire("jun", budget=10, team="busan")
        await _loses_connection(scene, "mina")
        await scene.pass_s(149)
        assert await scene.holder("c1") == ""
        await scene.pass_s(1)
        assert await scene.holder("c1") == "jun"


async def test_who_is_in_no_team_leaves_it_to_everybody() -> None:
    async with stage(rulebook(_rules("team"))) as scene:
        await _at_work(scene, team="")
        await scene.hire("jun", budget=10, team="busan")
        await _loses_connection(scene, "mina")
        await scene.pass_s(30)
        assert await scene.holder("c1") == "jun"


@pytest.mark.parametrize(
    ("presence", "reason"),
    [(Presence.ONLINE, "connection-lost"), (Presence.FINISHING, "shift-ended"), (Presence.OFFLINE, "")],
)
async def test_it_says_why_he_is_offline(presence: Presence, reason: str) -> None:
    async with stage(rulebook(_rules("requeue"))) as scene:
        await _at_work(scene)
        await scene.presence("mina", presence)
        await _loses_connection(scene, "mina")
        await scene.pass_s(30)
        mina = await _person(scene, "mina")
        assert (mina.presence, mina.reason) == (Presence.OFFLINE, reason)
        assert (await scene.case("c1")).state is CaseStatus.QUEUED


async def test_finishing_keeps_what_she_has_and_gets_nothing() -> None:
    async with stage(rulebook(_rules("requeue"))) as scene:
        await _at_work(scene)
        await scene.presence("mina", Presence.FINISHING)
        await scene.write("c2")
        await scene.resolve("c1")
        await scene.settle()
        assert await scene.holder("c2") == ""


async def test_back_in_time_she_keeps_all() -> None:
    async with stage(rulebook(_rules("requeue"))) as scene:
        await _at_work(scene)
        await _loses_connection(scene, "mina")
        await scene.pass_s(29)
        await scene.presence("mina", Presence.ONLINE, connect=8, lease_ms=scene.clock.now_ms() + 3_600_000)
        await scene.pass_s(60)
        assert await scene.holder("c1") == "mina"


async def test_whoever_dies_between_leaves_the_rest_to_the_next() -> None:
    async with stage(rulebook(_rules("requeue"))) as scene:
        await _at_work(scene)
        await _loses_connection(scene, "mina")
        await scene.clock.advance_ms(30_000)
        await scene.timers.serve()
        assert (await _person(scene, "mina")).presence is Presence.OFFLINE
        assert await scene.holder("c1") == "mina"
        await scene.pass_s(2)
        assert await scene.holder("c1") == ""


async def test_who_comes_back_meanwhile_keeps_the_rest() -> None:
    async with stage(rulebook(_rules("requeue"))) as scene:
        await _at_work(scene)
        await _loses_connection(scene, "mina")
        await scene.clock.advance_ms(30_000)
        await scene.timers.serve()
        await scene.presence("mina", Presence.ONLINE, connect=8, lease_ms=scene.clock.now_ms() + 3_600_000)
        await scene.pass_s(60)
        assert (await scene.holder("c1"), (await _person(scene, "mina")).presence) == ("mina", Presence.ONLINE)


async def test_advice_that_was_asked_of_him_ends() -> None:
    async with stage(rulebook(_rules("stays"))) as scene:
        await _at_work(scene)
        await scene.hire("jun", budget=30)
        await scene.presence("jun", Presence.ONLINE, connect=7, lease_ms=scene.clock.now_ms() + 3_600_000)
        state, jun = await scene.case("c1"), await _person(scene, "jun")
        plan = Plan(ver=state.ver, class_key=state.class_key, score=state.score)
        ask = Consult(
            **scene.common(),
            case=CaseId("c1"),
            plan=plan,
            advisor=AdvisorId("mina"),
            units=5,
            placing=Placing(candidates=(Candidate(advisor=jun.id, elig=jun.elig),), auto_accept=True),
        )
        await scene.actor.one(ask)
        assert (await _person(scene, "jun")).work["c1"].kind is WorkKind.CONSULT
        await _loses_connection(scene, "jun")
        await scene.pass_s(30)
        assert ((await _person(scene, "jun")).work, (await scene.case("c1")).owner) == ({}, "mina")
