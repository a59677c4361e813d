"""Advice: who is rung, who next, what it costs, what the owner is told, and what becomes of it with its case."""

from collections.abc import AsyncIterator

import pytest
from msgspec.structs import replace

from router.contract.advisor import Presence
from router.contract.case import MOST_CONSULTS, CaseStatus, read_detail
from router.contract.ids import AdvisorId, InquiryId
from router.engine.consulting import Whom
from router.engine.exclusions import Wish
from router.store.acts import Result
from tests.suites.advice import C1, RULED, SENIORS, ask, asked, at_work, end, loads, person, rung
from tests.suites.metrics import shown
from tests.suites.stage import POOL, Stage, rulebook, stage

OUTCOMES = "turnout_consults_total"


@pytest.fixture
async def scene() -> AsyncIterator[Stage]:
    async with stage(rulebook(RULED)) as made:
        await at_work(made)
        yield made


class TestWho:
    """Whom it rings at."""

    async def test_one_of_the_tier_is_rung_and_holds_the_units(self, scene: Stage) -> None:
        found = await ask(scene)
        assert (found.outcome.result, found.lacking) == (Result.OFFERED, "")
        assert await loads(scene) == {"mina": 10, await rung(scene): 12}
        state = await scene.case("c1")
        assert (state.state, state.owner) == (CaseStatus.ASSIGNED, "mina")
        assert state.offers[0].deadline_ms == scene.clock.now_ms() + 20_000

    @pytest.mark.parametrize(
        ("whom", "expected"),
        [
            (Whom(queue="billing"), "bill"),
            (Whom(skills={"technical": 5}), "tech"),
            (Whom(skills={"technical": 5}, queue="general"), ""),
            (Whom(skills={"technical": 9}), ""),
            (Whom(tier="lead"), "lead"),
            (Whom(tier="lead", skills={"billing": 1}), ""),
            (Whom(to=AdvisorId("lead")), "lead"),
        ],
    )
    async def test_the_best_of_those_meant(self, whom: Whom, expected: str) -> None:
        async with stage(rulebook(RULED)) as scene:
            await scene.hire("mina", budget=10, queues=("general",))
            await scene.write("c1")
            await scene.accept("c1")
            await scene.hire("bill", queues=("billing",))
            await scene.hire("tech", queues=("direct",), skills={"technical": 6})
            await scene.hire("lead", tier="lead", queues=("general",))
            found = await ask(scene, whom)
            assert (await rung(scene), found.lacking) == (expected, "" if expected else "nobody")

    async def test_by_the_ranking_of_the_queue_asked(self) -> None:
        text = RULED.replace("billing: {policy: standard", "billing: {strategy: least-loaded, policy: standard")
        async with stage(rulebook(text)) as scene:
            await scene.hire("mina", budget=10, queues=("general",))
            await scene.write("c1")
            await scene.accept("c1")
            for name in ("ben", "bea"):
                await scene.hire(name, budget=100, queues=("billing",), skills={"billing": 5})
            await scene.write("c2", text="invoice")
            busy = await scene.holder("c2")
            await ask(scene, Whom(queue="billing"))
            assert {busy, await rung(scene)} == {"ben", "bea"}

    @pytest.mark.parametrize(
        ("whom", "lacking"),
        [
            (Whom(to=AdvisorId("nobody")), "unknown"),
            (Whom(to=AdvisorId("mina")), "himself"),
            (Whom(to=AdvisorId("sol")), "absent"),
            (Whom(to=AdvisorId("sea")), "full"),
            (Whom(to=AdvisorId("kept")), "excluded"),
            (Whom(tier="lead"), "nobody"),
        ],
    )
    async def test_why_nobody_could_be_asked(self, scene: Stage, whom: Whom, lacking: str) -> None:
        await scene.hire("kept")
        await scene.presence("sol", Presence.AWAY)
        await scene.hire("sea", budget=1, tier="senior")
        await scene.casework.excluding.change(C1, replace(scene.request(), wish=Wish(advisors=("kept",))))
        found = await ask(scene, whom)
        assert (found.outcome.result, found.lacking) == (Result.REFUSED, lacking)
        assert await loads(scene) == {"mina": 10}

    async def test_while_one_is_rung_no_other_is(self, scene: Stage) -> None:
        await ask(scene, Whom(to=AdvisorId("sun")))
        assert (await ask(scene, Whom(to=AdvisorId("sun")))).outcome.result is Result.SAME
        assert (await ask(scene, Whom(to=AdvisorId("sol")))).lacking == "rung"
        assert await rung(scene) == "sun"

    async def test_so_many_and_no_more(self, scene: Stage) -> None:
        for number in range(MOST_CONSULTS):
            await scene.hire(f"p{number}")
            assert (await ask(scene, Whom(to=AdvisorId(f"p{number}")))).outcome.result is Result.OFFERED
            await scene.accept("c1")
        assert (await ask(scene, Whom(to=AdvisorId("sun")))).lacking == "many"

    async def test_only_the_owner_asks_and_a_supervisor_for_him(self, scene: Stage) -> None:
        assert (await ask(scene, by="sol")).outcome.result is Result.NOT_YOURS
        assert (await ask(scene, by="")).outcome.result is Result.OFFERED
        assert (await asked(scene)).by == "mina"

    async def test_the_question_is_for_him_to_read(self, scene: Stage) -> None:
        await ask(scene, note="May we refund it?")
        assert "May we refund it?" in (await scene.store.messages(POOL, C1))[-1]

    async def test_without_ringing_he_is_in_at_once(self) -> None:
        async with stage(rulebook(RULED.replace("consult_offer_s: 20", "consult_offer_s: 0"))) as scene:
            await scene.hire("mina", budget=10)
            await scene.write("c1")
            await scene.accept("c1")
            await scene.hire("sun", tier="senior")
            assert (await ask(scene)).outcome.result is Result.DONE
            assert (await scene.case("c1")).consults == {"sun": 12}


class TestRinging:
    """What becomes of a ring."""

    async def test_he_comes_in(self, scene: Stage) -> None:
        await ask(scene, Whom(to=AdvisorId("sun")))
        assert (await scene.accept("c1")).result is Result.DONE
        state = await scene.case("c1")
        assert (state.owner, state.consults, state.offers) == ("mina", {"sun": 12}, ())
        assert await end(scene) == ("sun", "joined")
        await scene.pass_s(60)
        assert await loads(scene) == {"mina": 10, "sun": 12}
        assert shown(scene.registry, OUTCOMES) == {"made": 1, "accepted": 1}
        assert shown(scene.registry, "turnout_offers_total") == {"made": 1, "accepted": 1}

    @pytest.mark.parametrize("how", ["declined", "expired"])
    async def test_the_next_is_rung_until_nobody_is_left(self, scene: Stage, how: str) -> None:
        await ask(scene)
        seen = []
        for _ in range(3):
            seen.append(await rung(scene))
            assert await loads(scene) == {"mina": 10, seen[-1]: 12}
            await (scene.decline("c1") if how == "declined" else scene.pass_s(20))
            assert await end(scene) == (seen[-1], how)
        assert sorted(seen) == ["sea", "sol", "sun"]
        state = await scene.case("c1")
        assert (state.state, state.owner, state.offers) == (CaseStatus.ASSIGNED, "mina", ())
        assert await loads(scene) == {"mina": 10}
        assert shown(scene.registry, OUTCOMES) == {"made": 3, how: 3}
        assert "offer" not in str(state.timers)

    async def test_who_was_tried_is_left_out_until_his_cool_down_ends(self, scene: Stage) -> None:
        await ask(scene, Whom(tier="senior", skills={"billing": 7}))
        for _ in range(3):
            await scene.decline("c1")
        assert (await ask(scene)).lacking == "nobody"
        await scene.pass_s(120)
        assert (await ask(scene)).outcome.result is Result.OFFERED

    async def test_who_declined_may_be_asked_by_name_and_offered_cases(self, scene: Stage) -> None:
        await ask(scene, Whom(to=AdvisorId("sun")))
        await scene.decline("c1")
        assert read_detail((await scene.case("c1")).detail).declined == {}
        assert (await ask(scene, Whom(to=AdvisorId("sun")))).outcome.result is Result.OFFERED

    @pytest.mark.parametrize("how", ["declined", "expired"])
    async def test_who_was_named_is_the_only_one(self, scene: Stage, how: str) -> None:
        await ask(scene, Whom(to=AdvisorId("sun")))
        await (scene.decline("c1") if how == "declined" else scene.pass_s(20))
        assert (await rung(scene), await end(scene)) == ("", ("sun", how))

    async def test_it_is_never_over_early(self, scene: Stage) -> None:
        await ask(scene, Whom(to=AdvisorId("sun")))
        await scene.pass_s(19.9)
        assert await rung(scene) == "sun"
        await scene.pass_s(0.1)
        assert await rung(scene) == ""

    async def test_missed_ones_count_against_him_and_not_for_the_ladder(self, scene: Stage) -> None:
        for _ in range(3):
            await ask(scene, Whom(to=AdvisorId("sun")))
            await scene.pass_s(20)
        sun = await person(scene, "sun")
        assert (sun.presence, sun.reason) == (Presence.AWAY, "missed-offers")
        assert read_detail((await scene.case("c1")).detail).missed_offers == 0

    async def test_the_next_is_not_asked_above_his_capacity(self, scene: Stage) -> None:
        await ask(scene, Whom(to=AdvisorId("sun")))
        await scene.accept("c1")
        for name in ("sol", "sea"):
            await scene.hire(name, budget=11, tier="senior")
        await scene.casework.hand_back(C1, scene.request("mina"), advisor=AdvisorId("sun"))
        await ask(scene)
        assert await rung(scene) == "sun"
        await scene.decline("c1")
        assert await rung(scene) == ""

    async def test_it_is_called_back(self, scene: Stage) -> None:
        await ask(scene, Whom(to=AdvisorId("sun")))
        await scene.casework.hand_back(C1, scene.request("mina"), advisor=AdvisorId("sun"))
        assert (await end(scene), await loads(scene)) == (("sun", "recalled"), {"mina": 10})
        assert shown(scene.registry, OUTCOMES) == {"made": 1, "taken_back": 1}

    @pytest.mark.parametrize("who", ["mina", "sun"])
    async def test_who_is_in_is_done(self, scene: Stage, who: str) -> None:
        await ask(scene, Whom(to=AdvisorId("sun")))
        await scene.accept("c1")
        await scene.casework.hand_back(C1, scene.request(who), advisor=AdvisorId("sun"))
        assert (await end(scene), await loads(scene)) == (("sun", "ended"), {"mina": 10})

    @pytest.mark.parametrize("replies", [False, True])
    async def test_the_rulebook_says_whether_he_answers_the_customer(self, replies: bool) -> None:
        async with stage(rulebook(f"{RULED}consults_reply: {str(replies).lower()}\n")) as scene:
            await scene.hire("mina", budget=10)
            await scene.write("c1")
            await scene.accept("c1")
            await scene.hire("sun", tier="senior")
            await ask(scene)
            rings = await scene.casework.reply(C1, scene.request("sun"), text="I ring")
            await scene.accept("c1")
            answer = await scene.casework.reply(C1, scene.request("sun"), text="I am in")
            assert rings.result is Result.NOT_YOURS
            assert answer.result is (Result.DONE if replies else Result.NOT_YOURS)
            assert (await scene.casework.reply(C1, scene.request("mina"), text="mine")).result is Result.DONE


async def test_the_same_operation_asks_once(scene: Stage) -> None:
    request = scene.request("mina")
    first = await scene.casework.consult(C1, request, whom=SENIORS)
    again = await scene.casework.consult(C1, request, whom=SENIORS)
    assert (first.outcome.result, again.outcome.result, again.outcome.repeated) == (
        Result.OFFERED,
        Result.OFFERED,
        True,
    )
    assert (await scene.case("c1")).ver == 3
    assert InquiryId((await scene.case("c1")).last_inquiry) == "c1"
