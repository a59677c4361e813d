"""Interruptible work: mail makes room for a chat, and comes back to who had it when the chat has ended."""

import pytest

from router.api.wording.phrases import Language
from router.api.wording.words import Words
from router.contract.advisor import AdvisorState, Presence, WorkKind
from router.contract.case import CaseStatus
from router.contract.ids import AdvisorId, CaseId
from router.contract.plan import Plan
from router.engine.explain import read_explanation
from router.store.acts import Done, Park
from tests.suites.stage import POOL, RULES, Stage, rulebook, stage

RULED = RULES.replace("chat: {units: 30}", "chat: {units: 30, interrupts: true}")


async def _person(scene: Stage, name: str) -> AdvisorState:
    state = await scene.store.advisor(POOL, AdvisorId(name))
    assert state is not None
    return state


async def _kinds(scene: Stage, name: str = "mina") -> dict[str, str]:
    return {case: str(item.kind) for case, item in (await _person(scene, name)).work.items()}


async def _has_mail(scene: Stage, *cases: str, budget: int = 30) -> None:
    """Mina's budget is full of mail, ten units each."""
    await scene.hire("mina", budget=budget)
    for case in cases:
        await scene.write(case)
        await scene.accept(case)


async def _settles(scene: Stage) -> None:
    await scene.settle()
    await scene.nobody_waits_in_vain()


async def test_mail_makes_room_for_a_chat_and_comes_back() -> None:
    async with stage(rulebook(RULED)) as scene:
        await _has_mail(scene, "m1", "m2", "m3")
        await scene.write("chat", channel="chat")
        await _settles(scene)
        assert await _kinds(scene) == {"m1": "parked", "m2": "parked", "m3": "parked", "chat": "offer"}
        assert (await scene.load("mina"), (await scene.case("m1")).owner) == (30, "mina")
        await scene.accept("chat")
        await scene.resolve("chat")
        await _settles(scene)
        assert await _kinds(scene) == {"m1": "case", "m2": "case", "m3": "case"}
        acts = [line.split("|")[1] for line in await scene.store.history(POOL, CaseId("m1"))]
        assert acts[-2:] == ["park", "unpark"]


async def test_no_more_is_parked_than_has_to_be() -> None:
    async with stage(rulebook(RULED)) as scene:
        await _has_mail(scene, "m1", "m2", budget=40)
        await scene.write("chat", channel="chat")
        await _settles(scene)
        assert sorted((await _kinds(scene)).values()) == ["case", "offer", "parked"]
        assert await scene.load("mina") == 40


async def test_it_says_for_what() -> None:
    async with stage(rulebook(RULED)) as scene:
        await _has_mail(scene, "m1", "m2", "m3")
        await scene.write("chat", channel="chat")
        await scene.settle()
        entries = await scene.store.pending(POOL, 0, limit=1_000)
        assert {entry.reason for entry in entries if entry.kind == "park"} == {"room for chat"}


@pytest.mark.parametrize(
    ("mails", "first", "told"),
    [(("m1", "m2", "m3"), 3, "m3, m2, m1"), (("m1", "m2", "m3", "m4"), 3, "m4, m3, m2, ...")],
)
async def test_what_was_parked_for_a_case_is_in_its_explanation(mails: tuple[str, ...], first: int, told: str) -> None:
    units = 10 * len(mails)
    async with stage(rulebook(RULED.replace("chat: {units: 30,", f"chat: {{units: {units},"))) as scene:
        await _has_mail(scene, *mails, budget=units)
        await scene.write("chat", channel="chat")
        await scene.settle()
        state = await scene.case("chat")
        made = read_explanation(state.why)
        assert made is not None
        assert made.parked is not None
        assert (made.parked.count, len(made.parked.first)) == (len(mails), first)
        words = Words(Language.ENGLISH, scene.tail.roster, scene.policies.active, scene.clock.now_ms())
        assert f"mina made room for it by parking {told}" in words.explained(state).why_here
        korean = Words(Language.KOREAN, scene.tail.roster, scene.policies.active, scene.clock.now_ms())
        cases = told.replace(", ...", " 외")
        assert f"mina 상담사가 {cases} 문의를 보류하고 여유를 냈습니다" in korean.explained(state).why_here


async def test_nobody_is_interrupted_while_somebody_is_free() -> None:
    async with stage(rulebook(RULED)) as scene:
        await _has_mail(scene, "m1", "m2", "m3")
        await scene.hire("jun", budget=30)
        await scene.write("chat", channel="chat")
        await _settles(scene)
        assert (await scene.holder("chat"), set((await _kinds(scene)).values())) == ("jun", {"case"})


@pytest.mark.parametrize("channel", ["call", "email"])
async def test_what_does_not_interrupt_waits(channel: str) -> None:
    async with stage(rulebook(RULED)) as scene:
        await _has_mail(scene, "m1", "m2", "m3")
        await scene.write("other", channel=channel)
        await _settles(scene)
        assert (await scene.holder("other"), set((await _kinds(scene)).values())) == ("", {"case"})


async def test_a_chat_gives_way_to_nothing() -> None:
    async with stage(rulebook(RULED)) as scene:
        await scene.hire("mina", budget=30)
        await scene.write("first", channel="chat")
        await scene.accept("first")
        await scene.write("second", channel="chat")
        await _settles(scene)
        assert (await scene.holder("second"), await _kinds(scene)) == ("", {"first": "case"})


async def test_a_cap_is_kept_however_much_is_parked() -> None:
    async with stage(rulebook(RULED)) as scene:
        await scene.hire("mina", budget=60, caps={"chat": 1})
        await scene.write("first", channel="chat")
        await scene.accept("first")
        for case in ("m1", "m2", "m3"):
            await scene.write(case)
            await scene.accept(case)
        await scene.write("second", channel="chat")
        await _settles(scene)
        assert await scene.holder("second") == ""


async def test_what_was_parked_in_vain_comes_back() -> None:
    async with stage(rulebook(RULED)) as scene:
        await _has_mail(scene, "m1", "m2", "m3")
        await scene.write("chat", channel="chat")
        await scene.settle()
        await scene.decline("chat")
        await _settles(scene)
        assert set((await _kinds(scene)).values()) == {"case"}


async def test_one_chat_after_another_goes_before_the_mail() -> None:
    async with stage(rulebook(RULED)) as scene:
        await _has_mail(scene, "m1", "m2", "m3")
        for chat in ("c1", "c2"):
            await scene.write(chat, channel="chat")
        await scene.settle()
        await scene.accept("c1")
        await scene.resolve("c1")
        await _settles(scene)
        assert (await scene.holder("c2"), (await scene.case("m1")).state) == ("mina", CaseStatus.PARKED)
        await scene.accept("c2")
        await scene.resolve("c2")
        await _settles(scene)
        assert set((await _kinds(scene)).values()) == {"case"}


async def test_parked_mail_goes_before_new_mail() -> None:
    async with stage(rulebook(RULED)) as scene:
        await _has_mail(scene, "m1", "m2", "m3")
        await scene.write("chat", channel="chat")
        await scene.settle()
        await scene.accept("chat")
        await scene.write("new")
        await scene.resolve("chat")
        await _settles(scene)
        assert (await scene.holder("new"), set(await _kinds(scene))) == ("", {"m1", "m2", "m3"})


@pytest.mark.parametrize(
    ("presence", "kinds"), [(Presence.FINISHING, {"case"}), (Presence.AWAY, {"parked"}), (Presence.OFFLINE, {"parked"})]
)
async def test_who_keeps_working_takes_it_up_again(presence: Presence, kinds: set[str]) -> None:
    async with stage(rulebook(RULED)) as scene:
        await _has_mail(scene, "m1", "m2", "m3")
        await scene.write("chat", channel="chat")
        await scene.settle()
        await scene.accept("chat")
        await scene.presence("mina", presence)
        await scene.resolve("chat")
        await _settles(scene)
        assert set((await _kinds(scene)).values()) == kinds
        await scene.presence("mina", Presence.ONLINE)
        await _settles(scene)
        assert set((await _kinds(scene)).values()) == {"case"}


async def test_whoever_dies_after_parking_leaves_it_to_be_taken_up() -> None:
    async with stage(rulebook(RULED)) as scene:
        await _has_mail(scene, "m1", "m2", "m3")
        parking, attempt = scene.matcher._parking, scene.matcher._actor.attempt

        async def dies(*_: object, **__: object) -> object:
            raise ConnectionError

        async def parks_and_dies(turn: object) -> None:
            await type(parking).make_room(parking, turn)  # type: ignore[arg-type]  # a turn
            scene.matcher._actor.attempt = dies  # type: ignore[method-assign,assignment]  # the process ends here

        parking.make_room = parks_and_dies  # type: ignore[method-assign]  # as above
        await scene.write("chat", channel="chat")
        with pytest.raises(ConnectionError):
            await scene.settle()
        assert set((await _kinds(scene)).values()) == {"parked"}
        del parking.make_room
        scene.matcher._actor.attempt = attempt  # type: ignore[method-assign]  # the next process
        await _settles(scene)
        assert await scene.holder("chat") == "mina"
        await scene.decline("chat")
        await _settles(scene)
        assert set((await _kinds(scene)).values()) == {"case"}


async def test_it_may_be_resolved_while_it_is_parked() -> None:
    async with stage(rulebook(RULED)) as scene:
        await _has_mail(scene, "m1", "m2", "m3")
        await scene.write("chat", channel="chat")
        await scene.settle()
        await scene.resolve("m1")
        await _settles(scene)
        assert "m1" not in await _kinds(scene)
        assert (await scene.case("m1")).state is CaseStatus.RESOLVED


async def test_work_that_is_parked_shows_what_it_weighs() -> None:
    async with stage(rulebook(RULED)) as scene:
        await _has_mail(scene, "m1", "m2", "m3")
        await scene.write("chat", channel="chat")
        await scene.settle()
        item = (await _person(scene, "mina")).work["m1"]
        assert (item.kind, item.units, item.load) == (WorkKind.PARKED, 10, 0)


async def test_the_sweep_finds_parked_work_and_chats_that_nobody_sees_to() -> None:
    async with stage(rulebook(RULED)) as scene:
        await _has_mail(scene, "m1", "m2", "m3")
        await scene.write("chat", channel="chat")
        # Somebody has said that the matcher has served all, and it had not.
        batch = await scene.store.work(POOL)
        await scene.actor.apply([Done(**scene.common(), item=item.item, stamp=item.stamp) for item in batch.items])
        waiting = await scene.case("chat")
        assert await scene.sweep.look() == {(waiting.class_key, "chat")}
        state = await scene.case("m1")
        plan = Plan(ver=state.ver, class_key=state.class_key, score=state.score)
        await scene.actor.one(Park(**scene.common(), case=CaseId("m1"), plan=plan))
        batch = await scene.store.work(POOL)
        await scene.actor.apply([Done(**scene.common(), item=item.item, stamp=item.stamp) for item in batch.items])
        assert ("mina", "m1") in await scene.sweep.look()


async def test_it_says_that_it_is_parked_and_who_takes_it_up_again() -> None:
    async with stage(rulebook(RULED)) as scene:
        await _has_mail(scene, "m1", "m2", "m3")
        await scene.write("chat", channel="chat")
        await scene.settle()
        words = Words(Language.ENGLISH, scene.tail.roster, scene.policies.active, scene.clock.now_ms())
        said = words.explained(await scene.case("m1")).why_waiting
        assert said == ("it is parked for what interrupts: mina takes it up again when there is room",)
