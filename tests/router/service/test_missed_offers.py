"""An advisor who misses one offer after another: he is set to away, and who is to know is told, once."""

import msgspec
import pytest

from router.contract.advisor import AdvisorState, Presence
from router.contract.ids import AdvisorId
from router.contract.messages import Notice
from tests.suites.stage import POOL, RULES, Stage, rulebook, stage

TOLD = RULES.replace("away_after: 3", "away_after: 3\naway_notify: [leads, office]\n")


async def _mina(scene: Stage) -> AdvisorState:
    state = await scene.store.advisor(POOL, AdvisorId("mina"))
    assert state is not None
    return state


async def _notices(scene: Stage) -> list[Notice]:
    entries = await scene.store.pending(POOL, 0, limit=1_000)
    return [msgspec.json.decode(text, type=Notice) for entry in entries for text in entry.notices]


async def test_the_third_in_a_row_sets_her_to_away_and_her_lead_knows() -> None:
    async with stage(rulebook(TOLD)) as scene:
        await scene.hire("mina", budget=10)
        await scene.write("c1")
        await scene.pass_s(100)
        assert ((await _mina(scene)).missed, await _notices(scene)) == (2, [])
        await scene.pass_s(60)
        mina = await _mina(scene)
        assert (mina.presence, mina.reason, mina.missed) == (Presence.AWAY, "missed-offers", 3)
        told = [(notice.kind, notice.target, notice.about, notice.case) for notice in await _notices(scene)]
        assert told == [("missed-offers", target, "mina", "c1") for target in ("leads", "office")]
        assert len({notice.id for notice in await _notices(scene)}) == 2


@pytest.mark.parametrize("answer", ["accept", "decline"])
async def test_one_that_she_answers_begins_the_row_anew(answer: str) -> None:
    async with stage(rulebook(TOLD)) as scene:
        await scene.hire("mina", budget=10)
        await scene.write("c1")
        await scene.pass_s(50)
        assert (await _mina(scene)).missed == 1
        await (scene.accept("c1") if answer == "accept" else scene.decline("c1"))
        mina = await _mina(scene)
        assert (mina.presence, mina.missed) == (Presence.ONLINE, 0)


async def test_back_online_she_is_offered_it_at_its_old_place() -> None:
    async with stage(rulebook(TOLD.replace("away_after: 3", "away_after: 1"))) as scene:
        await scene.hire("mina", budget=10)
        await scene.write("c1")
        await scene.pass_s(40)
        await scene.write("c2")
        assert (await _mina(scene)).presence is Presence.AWAY
        await scene.presence("mina", Presence.ONLINE)
        await scene.pass_s(20)
        assert (await scene.holder("c1"), await scene.holder("c2")) == ("mina", "")
