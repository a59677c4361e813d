"""A shift on real servers: what is parked, wrapped up, asked in, missed and left, above nobody's capacity."""

from collections.abc import AsyncIterator

import pytest

from router.contract.advisor import AdvisorState, Presence
from router.contract.ids import AdvisorId, CaseId
from router.engine.consulting import Whom
from router.store.acts import PresenceAct, Result
from tests.servers import Server
from tests.suites.server_stage import stage_on
from tests.suites.stage import POOL, RULES, Stage, rulebook

RULED = (
    RULES.replace("chat: {units: 30}", "chat: {units: 30, interrupts: true, wrap_up_s: 20}")
    .replace("interruptible: true", "interruptible: true, when_gone: team")
    .replace("away_after: 3", "away_after: 1\naway_notify: [leads]")
)


@pytest.fixture
async def scene(redis_server: Server) -> AsyncIterator[Stage]:
    async with stage_on(redis_server, rulebook(RULED)) as made:
        yield made


async def _person(scene: Stage, name: str) -> AdvisorState:
    state = await scene.store.advisor(POOL, AdvisorId(name))
    assert state is not None
    assert state.load <= state.budget, state
    return state


async def _kinds(scene: Stage, name: str) -> dict[str, str]:
    return {case: str(item.kind) for case, item in (await _person(scene, name)).work.items()}


async def test_a_chat_parks_mail_is_wrapped_up_and_the_mail_comes_back(scene: Stage) -> None:
    await scene.hire("mina", budget=30)
    for case in ("m1", "m2"):
        await scene.write(case)
        await scene.accept(case)
    await scene.write("chat", channel="chat")
    await scene.settle()
    assert await _kinds(scene, "mina") == {"m1": "parked", "m2": "parked", "chat": "offer"}
    await scene.accept("chat")
    await scene.resolve("chat")
    await scene.settle()
    assert await _kinds(scene, "mina") == {"m1": "parked", "m2": "parked", "chat": "wrap-up"}
    await scene.pass_s(20)
    assert await _kinds(scene, "mina") == {"m1": "case", "m2": "case"}
    await scene.nobody_waits_in_vain()


async def test_advice_costs_units_until_it_is_handed_back(scene: Stage) -> None:
    await scene.hire("mina", budget=10)
    await scene.write("m1")
    await scene.accept("m1")
    await scene.hire("jun", budget=30, tier="senior")
    by = scene.request("mina")
    asked = await scene.casework.consult(CaseId("m1"), by, whom=Whom(tier="senior"))
    assert asked.outcome.result is Result.OFFERED
    assert ((await _person(scene, "jun")).load, await _kinds(scene, "jun")) == (10, {"m1": "consult-offer"})
    assert (await scene.accept("m1")).result is Result.DONE
    assert ((await _person(scene, "jun")).load, await _kinds(scene, "jun")) == (10, {"m1": "consult"})
    await scene.casework.hand_back(CaseId("m1"), scene.request("jun"), advisor=AdvisorId("jun"))
    assert ((await _person(scene, "jun")).load, (await scene.case("m1")).owner) == (0, "mina")


async def test_advice_that_nobody_gives_goes_from_one_to_the_next(scene: Stage) -> None:
    await scene.hire("mina", budget=10)
    await scene.write("m1")
    await scene.accept("m1")
    for name in ("jun", "sol"):
        await scene.hire(name, budget=10, tier="senior")
    await scene.casework.consult(CaseId("m1"), scene.request("mina"), whom=Whom(tier="senior"), note="and now?")
    rung = []
    for _ in range(2):
        rung.append((await scene.case("m1")).offers[0].advisor)
        assert await _kinds(scene, rung[-1]) == {"m1": "consult-offer"}
        await scene.pass_s(30)
        # By the rules of this stage one missed offer is enough.
        missed = await _person(scene, rung[-1])
        assert (missed.work, missed.presence, missed.reason) == ({}, Presence.AWAY, "missed-offers")
    assert sorted(rung) == ["jun", "sol"]
    state = await scene.case("m1")
    assert (state.owner, state.offers, await _kinds(scene, "mina")) == ("mina", (), {"m1": "case"})


async def test_what_one_who_is_gone_had_parked_goes_to_the_team(scene: Stage) -> None:
    await scene.hire("mina", budget=30, team="seoul")
    await scene.presence("mina", Presence.ONLINE, connect=7, lease_ms=scene.clock.now_ms() + 3_600_000)
    await scene.write("m1")
    await scene.accept("m1")
    await scene.write("chat", channel="chat")
    await scene.settle()
    await scene.accept("chat")
    await scene.hire("jun", budget=10, team="busan")
    grace_ms = scene.clock.now_ms() + 30_000
    await scene.actor.one(PresenceAct(**scene.common(), advisor=AdvisorId("mina"), disconnect=7, grace_ms=grace_ms))
    await scene.pass_s(31)
    assert ((await _person(scene, "mina")).work, await scene.holder("m1")) == ({}, "")
    await scene.hire("hana", budget=10, team="seoul")
    assert await scene.holder("m1") == "hana"


async def test_a_missed_offer_sets_her_to_away_and_tells_it_once(scene: Stage) -> None:
    await scene.hire("mina", budget=10)
    await scene.write("m1")
    await scene.pass_s(31)
    assert (await _person(scene, "mina")).reason == "missed-offers"
    entries = await scene.store.pending(POOL, 0, limit=1_000)
    assert [len(entry.notices) for entry in entries if entry.kind == "expire" and entry.case] == [1]
