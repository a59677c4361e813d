"""Nobody excluded ever gets the case: not by his queue, by knowing it, by coming back, nor by helping himself."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from msgspec.structs import replace

from router.contract.advisor import Presence
from router.contract.case import CaseDetail, CaseStatus, Pending, read_detail
from router.contract.ids import AdvisorId, CaseId
from router.engine.consulting import Whom
from router.engine.exclusions import Wish
from router.engine.explain import read_explanation
from router.service.cases.requests import Request
from router.store.acts import Result
from rules import Rulebook
from tests.suites.stage import POOL, RULES, Stage, rulebook, stage

COMPLAINT = (
    "rules:\n"
    "  - {name: complaint, match: {text: {contains: complain}}, set: {exclude: [last-advisor]}, continue: true}\n"
    "  - {name: conflict, match: {text: {contains: conflict}}, set: {exclude: [mina]}, continue: true}"
)
C1 = CaseId("c1")


def book() -> Rulebook:
    return rulebook(RULES.replace("rules:", COMPLAINT))


@pytest.fixture
async def scene() -> AsyncIterator[Stage]:
    async with stage(book()) as made:
        yield made


def wishing(scene: Stage, *advisors: str, advisor: str = "", someone_else: bool = False, reason: str = "") -> Request:
    return replace(scene.request(advisor), wish=Wish(advisors, someone_else), reason=reason)


async def detail_of(scene: Stage) -> CaseDetail:
    return read_detail((await scene.case("c1")).detail)


async def excluded(scene: Stage) -> tuple[str, ...]:
    return (await detail_of(scene)).excluded


async def had_by_mina(scene: Stage, text: str = "hello") -> None:
    await scene.hire("mina")
    await scene.write("c1", text, talk="t")
    await scene.accept("c1")


async def test_who_is_complained_about_does_not_get_the_reopened_case(scene: Stage) -> None:
    await had_by_mina(scene)
    await scene.resolve("c1")
    await scene.write("again", "I complain", talk="t")
    await scene.settle()
    assert (await scene.case("c1")).state is CaseStatus.QUEUED
    detail = await detail_of(scene)
    assert (detail.excluded, detail.held_for, detail.exclusions[0].rules) == (("mina",), "", ("complaint",))
    await scene.pass_s(100_000)
    assert await scene.holder("c1") == ""
    await scene.hire("jun")
    assert await scene.holder("c1") == "jun"
    await scene.nobody_waits_in_vain()


async def test_a_calm_message_brings_it_back_to_who_knows_it(scene: Stage) -> None:
    await had_by_mina(scene)
    await scene.resolve("c1")
    await scene.hire("jun")
    await scene.write("again", "thanks", talk="t")
    assert (await scene.holder("c1"), await excluded(scene)) == ("mina", ())


async def test_a_rule_that_names_her_keeps_a_new_case_from_her_for_good(scene: Stage) -> None:
    await scene.hire("mina")
    await scene.write("c1", "a conflict of interest", talk="t")
    await scene.settle()
    assert await scene.holder("c1") == ""
    await scene.hire("jun")
    await scene.accept("c1")
    await scene.resolve("c1")
    await scene.presence("jun", Presence.OFFLINE)
    await scene.write("again", "thanks", talk="t")
    await scene.pass_s(100_000)
    assert (await scene.holder("c1"), await excluded(scene)) == ("", ("mina",))


async def test_a_complaint_about_one_and_then_the_other_leaves_out_both(scene: Stage) -> None:
    await had_by_mina(scene)
    await scene.hire("jun")
    for name in ("second", "third"):
        await scene.resolve("c1")
        await scene.write(name, "I complain", talk="t")
        await scene.settle()
        if name == "second":
            await scene.accept("c1")
    assert (await scene.holder("c1"), await excluded(scene)) == ("", ("jun", "mina"))


Handing = Callable[[Stage], Awaitable[Result]]


async def _transfers(scene: Stage) -> Result:
    wish = wishing(scene, advisor="mina", someone_else=True, reason="asked for somebody else")
    return (await scene.casework.transfer(C1, wish, queue="general")).result


async def _requeues(scene: Stage) -> Result:
    wish = wishing(scene, someone_else=True, reason="asked for somebody else")
    return (await scene.casework.requeue(C1, wish)).result


async def _names(scene: Stage) -> Result:
    wish = wishing(scene, "mina", reason="asked for somebody else")
    return (await scene.casework.excluding.change(C1, wish)).result


@pytest.mark.parametrize("hand_on", [_transfers, _requeues, _names])
async def test_a_customer_who_asks_for_someone_else_gets_someone_else(scene: Stage, hand_on: Handing) -> None:
    await had_by_mina(scene)
    assert await hand_on(scene) is Result.QUEUED
    await scene.pass_s(100_000)
    assert await scene.holder("c1") == ""
    said = (await detail_of(scene)).exclusions[0]
    assert (said.advisor, said.by, said.reason) == (
        "mina",
        "mina" if hand_on is _transfers else "supervisor",
        "asked for somebody else",
    )
    await scene.hire("jun")
    await scene.accept("c1")
    assert (await scene.holder("c1"), await scene.load("mina")) == ("jun", 0)
    await scene.nobody_waits_in_vain()


async def test_an_offer_given_back_for_good_does_not_come_again(scene: Stage) -> None:
    await scene.hire("mina")
    await scene.write("c1")
    offer = (await scene.case("c1")).offers[0]
    wish = wishing(scene, advisor="mina", someone_else=True, reason="a friend")
    declined = await scene.casework.decline(C1, wish, advisor=AdvisorId("mina"), offer_ver=offer.ver)
    assert declined.result is Result.QUEUED
    await scene.pass_s(100_000)
    assert (await scene.holder("c1"), await excluded(scene)) == ("", ("mina",))


async def test_an_excluded_advisor_cannot_help_himself(scene: Stage) -> None:
    await scene.hire("mina")
    await scene.write("c1", "conflict")
    mina = AdvisorId("mina")
    assert (await scene.casework.pick(C1, scene.request("mina"), advisor=mina)).result is Result.REFUSED
    assert (await scene.casework.take(C1, scene.request(), advisor=mina)).result is Result.REFUSED
    assert (await scene.casework.transfer(C1, scene.request(), to=mina)).result is Result.REFUSED


async def test_an_excluded_advisor_is_not_asked_for_advice(scene: Stage) -> None:
    await scene.hire("mina")
    await scene.write("c1", "conflict")
    await scene.hire("jun")
    await scene.accept("c1")
    for whom, lacking in ((Whom(to=AdvisorId("mina")), "excluded"), (Whom(tier="junior"), "nobody")):
        asked = await scene.casework.consult(C1, scene.request("jun"), whom=whom)
        assert (asked.outcome.result, asked.lacking) == (Result.REFUSED, lacking)
    await scene.hire("ara", budget=40)
    await scene.casework.consult(C1, scene.request("jun"), whom=Whom(tier="junior"))
    assert [offer.advisor for offer in (await scene.case("c1")).offers] == ["ara"]


async def test_who_declines_to_advise_for_good_is_not_rung_again(scene: Stage) -> None:
    await had_by_mina(scene)
    await scene.hire("jun", budget=40)
    await scene.casework.consult(C1, scene.request("mina"), whom=Whom(tier="junior"))
    offer = (await scene.case("c1")).offers[0]
    wish = wishing(scene, advisor="jun", someone_else=True)
    declined = await scene.casework.decline(C1, wish, advisor=AdvisorId("jun"), offer_ver=offer.ver)
    state = await scene.case("c1")
    assert (declined.result, state.owner, state.offers) == (Result.DONE, "mina", ())
    assert await excluded(scene) == ("jun",)


async def test_a_supervisor_gives_it_to_her_all_the_same_and_that_is_on_record(scene: Stage) -> None:
    await scene.hire("mina")
    await scene.write("c1", "conflict")
    given = await scene.casework.assign(C1, scene.request(), to=AdvisorId("mina"))
    assert given.result is Result.ASSIGNED
    state, detail = await scene.case("c1"), await detail_of(scene)
    why = read_explanation(state.why)
    assert why is not None
    assert (why.by, why.overrode) == ("supervisor", ("excluded",))
    assert detail.excluded == ()
    assert [(each.advisor, each.by, each.lifted) for each in detail.exclusions] == [
        ("mina", "", False),
        ("mina", "supervisor", True),
    ]


async def test_a_pending_case_does_not_come_back_to_who_was_excluded_meanwhile(scene: Stage) -> None:
    await had_by_mina(scene)
    until = scene.clock.now_ms() + 60_000
    pending = Pending(on="customer", since_ms=scene.clock.now_ms(), until_ms=until)
    await scene.casework.pend(C1, scene.request("mina"), pending=pending)
    wish = wishing(scene, "mina")
    told = await scene.casework.excluding.change(C1, wish)
    state = await scene.case("c1")
    assert (told.result, state.state, state.owner) == (Result.DONE, CaseStatus.PENDING, "mina")
    unparked = await scene.casework.aside.unpark(C1, scene.request("mina"), may_exceed=lambda _: True)
    assert unparked.result is Result.REFUSED
    await scene.hire("jun")
    await scene.pass_s(61)
    assert await scene.holder("c1") == "jun"


async def test_a_customer_who_writes_meanwhile_reaches_somebody_else(scene: Stage) -> None:
    await had_by_mina(scene)
    await scene.casework.pend(C1, scene.request("mina"), pending=Pending(on="customer", since_ms=0))
    wish = wishing(scene, "mina")
    await scene.casework.excluding.change(C1, wish)
    await scene.write("more", talk="t")
    await scene.settle()
    assert await scene.holder("c1") == ""
    await scene.hire("jun")
    assert await scene.holder("c1") == "jun"


async def test_what_is_lifted_lets_her_have_it_at_once(scene: Stage) -> None:
    await scene.hire("mina")
    await scene.write("c1", "conflict")
    lifted = await scene.casework.excluding.change(C1, wishing(scene, reason="settled"), lift=("mina",))
    assert lifted.result is Result.DONE
    await scene.settle()
    assert await scene.holder("c1") == "mina"
    history = await scene.store.history(POOL, C1)
    assert history[1].endswith("|supervisor|admit mina")


@pytest.mark.parametrize("is_in", [True, False])
async def test_who_was_asked_in_is_out_again_when_he_is_excluded(scene: Stage, is_in: bool) -> None:
    await had_by_mina(scene)
    await scene.hire("jun", budget=40)
    await scene.casework.consult(C1, scene.request("mina"), whom=Whom(to=AdvisorId("jun")))
    assert await scene.load("jun") > 0
    if is_in:
        await scene.accept("c1")
    wish = wishing(scene, "jun")
    for _ in range(2):
        told = await scene.casework.excluding.change(C1, wish)
        assert told.result is Result.DONE
        state = await scene.case("c1")
        assert (state.owner, state.consults, state.offers, await scene.load("jun")) == ("mina", {}, (), 0)


async def test_an_operation_asked_for_again_gives_its_first_answer(scene: Stage) -> None:
    await had_by_mina(scene)
    wish = wishing(scene, advisor="mina", someone_else=True)
    first = await scene.casework.transfer(C1, wish, queue="general")
    await scene.hire("jun")
    await scene.accept("c1")
    again = await scene.casework.transfer(C1, wish, queue="general")
    assert (first.result, again.result, again.repeated) == (Result.QUEUED, Result.QUEUED, True)
    assert (await scene.holder("c1"), await excluded(scene)) == ("jun", ("mina",))


async def test_no_later_act_forgets_it(scene: Stage) -> None:
    await scene.hire("jun")
    await scene.write("c1", "conflict", talk="t")
    await scene.accept("c1")
    work, jun = scene.casework, AdvisorId("jun")
    await work.label(C1, scene.request("jun"), add=("x",))
    await work.note(C1, scene.request("jun"), text="x")
    await work.reply(C1, scene.request("jun"), text="hello")
    await work.pend(C1, scene.request("jun"), pending=Pending(on="customer", since_ms=0))
    await scene.write("more", "hello", talk="t")
    await work.transfer(C1, scene.request("jun"), queue="billing")
    await scene.settle()
    await scene.pass_s(90_000)
    await work.requeue(C1, scene.request())
    await work.assign(C1, scene.request(), to=jun)
    await scene.resolve("c1")
    await scene.write("reopens", "hello", talk="t")
    assert await excluded(scene) == ("mina",)


LADDER = "standard: {steps: [{at: breach, raise_priority: 1, notify: [webhook]}]}"
ASKS = "standard: {steps: [{match: {message: {words: [somebody else, 다른 상담사]}}, exclude: [last-advisor]}]}"


@pytest.mark.parametrize("text", ["Can somebody else help me?", "다른 상담사로 바꿔 주세요."])
async def test_a_message_to_who_has_it_that_asks_for_another_is_heeded(text: str) -> None:
    async with stage(rulebook(RULES.replace(LADDER, ASKS))) as scene:
        await had_by_mina(scene)
        await scene.write("calm", "hello again", talk="t")
        assert (await scene.holder("c1"), await excluded(scene)) == ("mina", ())
        await scene.write("asks", text, talk="t")
        await scene.pass_s(10_000)
        assert (await scene.holder("c1"), await excluded(scene)) == ("", ("mina",))
        assert (await detail_of(scene)).exclusions[0].rules == ("standard 1",)
        await scene.hire("jun")
        await scene.accept("c1")
        await scene.write("again", text, talk="t")
        assert (await scene.holder("c1"), await excluded(scene)) == ("jun", ("mina",))
        await scene.casework.lower(C1, scene.request(), step=0)
        assert await excluded(scene) == ("mina",)


async def test_a_step_that_keeps_it_from_others_leaves_it_with_who_has_it() -> None:
    steps = "standard: {steps: [{after_s: 60, exclude: [jun]}]}"
    async with stage(rulebook(RULES.replace(LADDER, steps))) as scene:
        await had_by_mina(scene)
        await scene.pass_s(60)
        assert (await scene.holder("c1"), await excluded(scene)) == ("mina", ("jun",))


async def test_a_step_takes_back_what_is_offered_to_who_must_not_have_it() -> None:
    steps = "standard: {steps: [{after_s: 10, exclude: [mina]}]}"
    async with stage(rulebook(RULES.replace(LADDER, steps))) as scene:
        await scene.hire("mina")
        await scene.write("c1")
        assert await scene.holder("c1") == "mina"
        await scene.pass_s(1_000)
        assert (await scene.holder("c1"), await scene.load("mina")) == ("", 0)


async def test_a_step_keeps_out_who_is_rung_for_advice_just_then() -> None:
    steps = "standard: {steps: [{after_s: 10, exclude: [jun]}]}"
    async with stage(rulebook(RULES.replace(LADDER, steps))) as scene:
        await had_by_mina(scene)
        await scene.hire("jun", budget=40)
        await scene.pass_s(5)
        await scene.casework.consult(C1, scene.request("mina"), whom=Whom(to=AdvisorId("jun")))
        await scene.pass_s(5)
        assert await excluded(scene) == ("jun",)
        assert (await scene.accept("c1")).result is Result.GONE
        await scene.pass_s(30)
        state = await scene.case("c1")
        assert (state.owner, state.consults, await scene.load("jun")) == ("mina", {}, 0)
