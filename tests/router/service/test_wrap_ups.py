"""Wrap-up time: after a chat an advisor gets nothing new until it is over, or he says that it is."""

from router.api.views import advisor_view
from router.api.wording.phrases import Language
from router.api.wording.words import Words
from router.contract.advisor import Presence
from router.contract.codec import rfc3339
from router.contract.ids import AdvisorId, CaseId
from router.store.acts import Outcome, Result
from tests.suites.stage import RULES, Stage, rulebook, stage

WRAPPED = RULES.replace("chat: {units: 30}", "chat: {units: 30, wrap_up_s: 40, wrap_up_more_s: 60}")


async def _has_ended_a_chat(scene: Stage) -> None:
    """Mina, who has room for one chat, has resolved c1; c2 waits."""
    await scene.hire("mina", budget=30)
    await scene.write("c1", channel="chat")
    await scene.accept("c1")
    await scene.write("c2", channel="chat")
    await scene.resolve("c1")
    await scene.settle()


async def _wrap_up(scene: Stage, *, more_s: int = 0) -> Outcome:
    outcome = await scene.casework.wrap_up(
        CaseId("c1"), scene.request("mina"), advisor=AdvisorId("mina"), more_s=more_s
    )
    await scene.settle()
    return outcome


def _ended(scene: Stage, end: str) -> float | None:
    return scene.registry.get_sample_value("turnout_wrap_ups_total", {"end": end})


async def test_what_waits_waits_until_it_is_over() -> None:
    async with stage(rulebook(WRAPPED)) as scene:
        await _has_ended_a_chat(scene)
        assert (await scene.load("mina"), await scene.holder("c2")) == (30, "")
        await scene.pass_s(39)
        assert await scene.holder("c2") == ""
        await scene.pass_s(1)
        assert (await scene.load("mina"), await scene.holder("c2")) == (30, "mina")
        assert (_ended(scene, "elapsed"), _ended(scene, "early")) == (1, 0)
        await scene.nobody_waits_in_vain()


async def test_she_gets_the_next_when_she_ends_it() -> None:
    async with stage(rulebook(WRAPPED)) as scene:
        await _has_ended_a_chat(scene)
        assert (await _wrap_up(scene)).result is Result.DONE
        assert await scene.holder("c2") == "mina"
        assert _ended(scene, "early") == 1
        assert (await _wrap_up(scene)).result is Result.GONE


async def test_it_goes_on_for_as_long_as_she_asks() -> None:
    async with stage(rulebook(WRAPPED)) as scene:
        await _has_ended_a_chat(scene)
        await scene.pass_s(39)
        assert (await _wrap_up(scene, more_s=60)).result is Result.DONE
        await scene.pass_s(59)
        assert await scene.holder("c2") == ""
        await scene.pass_s(1)
        assert await scene.holder("c2") == "mina"
        assert (_ended(scene, "extended"), _ended(scene, "elapsed")) == (1, 1)


async def test_it_is_seen_and_explained() -> None:
    async with stage(rulebook(WRAPPED)) as scene:
        await _has_ended_a_chat(scene)
        state = await scene.store.advisor(scene.actor.pool, AdvisorId("mina"))
        assert state is not None
        (work,) = advisor_view(state).work
        assert (work.kind, work.units, work.until) == ("wrap-up", 30, rfc3339(scene.clock.now_ms() + 40_000))
        waiting = await scene.case("c2")
        later_ms = scene.clock.now_ms() + 10_000
        words = Words(Language.ENGLISH, scene.tail.roster, scene.policies.active, later_ms)
        assert "mina is in wrap-up for 30 s" in words.explained(waiting).why_waiting


async def test_the_customer_who_writes_again_ends_it() -> None:
    async with stage(rulebook(WRAPPED)) as scene:
        await scene.hire("mina", budget=30)
        await scene.write("c1", channel="chat", talk="t")
        await scene.accept("c1")
        await scene.resolve("c1")
        await scene.write("again", channel="chat", talk="t")
        await scene.settle()
        assert (await scene.holder("c1"), await scene.load("mina")) == ("mina", 30)
        await scene.accept("c1")
        await scene.pass_s(60)
        assert (await scene.load("mina"), _ended(scene, "elapsed")) == (30, 0)


async def test_neither_a_channel_without_it_nor_a_supervisor_begins_one() -> None:
    async with stage(rulebook(WRAPPED)) as scene:
        await scene.hire("mina", budget=30)
        for channel in ("email", "chat"):
            await scene.write(channel, channel=channel)
            await scene.accept(channel)
            by = scene.request("mina" if channel == "email" else "")
            await scene.casework.resolve(CaseId(channel), by, outcome="solved")
            await scene.settle()
            assert await scene.load("mina") == 0


async def test_it_ends_for_one_who_has_left() -> None:
    async with stage(rulebook(WRAPPED)) as scene:
        await _has_ended_a_chat(scene)
        await scene.presence("mina", Presence.OFFLINE)
        await scene.pass_s(40)
        assert await scene.load("mina") == 0


async def test_who_hands_a_chat_on_wraps_it_up() -> None:
    async with stage(rulebook(WRAPPED)) as scene:
        await scene.hire("mina", budget=30)
        await scene.write("c1", channel="chat")
        await scene.accept("c1")
        await scene.casework.transfer(CaseId("c1"), scene.request("mina"), queue="billing")
        await scene.settle()
        assert (await scene.load("mina"), await scene.holder("c1")) == (30, "")
        await scene.pass_s(40)
        assert await scene.holder("c1") == "mina"
