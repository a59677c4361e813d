"""Advice: who is rung, who next, what it costs, what the owner is told, and what becomes of it with its case."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from msgspec.structs import replace

from router.contract.advisor import AdvisorState, Presence
from router.contract.case import MOST_CONSULTS, Ask, CaseStatus, Pending, read_detail
from router.contract.ids import AdvisorId, CaseId, InquiryId
from router.engine.consulting import Whom
from router.engine.exclusions import Wish
from router.service.consults import Advised
from router.store.acts import PresenceAct, Result
from tests.suites.metrics import shown
from tests.suites.stage import POOL, RULES, Stage, inquiry, rulebook, stage

C1 = CaseId("c1")
SENIORS = Whom(tier="senior")
RULED = f"{RULES}consult_offer_s: 20\nconsult_units: 12\nsupervisors: []\n"
OUTCOMES = "turnout_consults_total"


@pytest.fixture
async def scene() -> AsyncIterator[Stage]:
    """Mina has the mail c1; Sun, Sol and Sea are seniors with nothing to do."""
    async with stage(rulebook(RULED)) as made:
        await made.hire("mina", budget=10)
        await made.write("c1")
        await made.accept("c1")
        for name in ("sun", "sol", "sea"):
            await made.hire(name, tier="senior", skills={"billing": 7})
        yield made


async def ask(scene: Stage, whom: Whom = SENIORS, *, by: str = "mina", note: str = "") -> Advised:
    await scene.caught_up()
    return await scene.casework.consult(C1, scene.request(by), whom=whom, note=note)


async def rung(scene: Stage) -> str:
    return next((offer.advisor for offer in (await scene.case("c1")).offers), "")


async def asked(scene: Stage) -> Ask:
    found = read_detail((await scene.case("c1")).detail).ask
    assert found is not None
    return found


async def end(scene: Stage) -> tuple[str, str]:
    found = await asked(scene)
    return found.last, found.end


async def person(scene: Stage, name: str) -> AdvisorState:
    state = await scene.store.advisor(POOL, AdvisorId(name))
    assert state is not None
    assert state.load <= state.budget
    return state


async def loads(scene: Stage) -> dict[str, int]:
    """Of all who have something."""
    await scene.caught_up()
    return {name: load for name in ("mina", "sun", "sol", "sea") if (load := await scene.load(name))}


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


Meanwhile = Callable[[Stage], Awaitable[object]]


async def _pend(scene: Stage) -> object:
    return await scene.casework.pend(C1, scene.request("mina"), pending=Pending(on="customer", since_ms=1))


async def _promise(scene: Stage) -> object:
    pending = Pending(on="internal", since_ms=1, until_ms=scene.clock.now_ms() + 1_000_000)
    return await scene.casework.pend(C1, scene.request("mina"), pending=pending)


async def _write(scene: Stage) -> object:
    return await scene.intake.admit(inquiry("more", talk="talk-c1"))


async def _label(scene: Stage) -> object:
    return await scene.casework.label(C1, scene.request("mina"), add=("vip",))


async def _goes(scene: Stage, name: str) -> object:
    until_ms = scene.clock.now_ms() + 1_000
    common = {**scene.common(), "advisor": AdvisorId(name)}
    await scene.actor.one(PresenceAct(**common, connect=7, lease_ms=until_ms + 3_600_000))
    await scene.actor.one(PresenceAct(**common, disconnect=7, grace_ms=until_ms))
    await scene.pass_s(1)
    return until_ms


async def _exclude(scene: Stage) -> object:
    outcome = await scene.casework.excluding.change(C1, replace(scene.request(), wish=Wish(advisors=("sun",))))
    assert (await scene.case("c1")).owner == "mina"
    return outcome


# The table of docs/supervisors.md: whether a ring, and a consult under way, outlast what happens.
TABLE: list[tuple[str, Meanwhile, bool, bool]] = [
    ("the customer writes again", _write, True, True),
    (
        "somebody answers",
        lambda scene: scene.casework.reply(C1, scene.request("mina"), text="yes"),
        True,
        True,
    ),
    ("a note", lambda scene: scene.casework.note(C1, scene.request("mina"), text="so"), True, True),
    ("a label", _label, True, True),
    ("a step of its ladder", lambda scene: scene.casework.escalate(C1, scene.request("mina")), True, True),
    ("pending", _pend, False, False),
    ("promised for later", _promise, False, False),
    ("resolved", lambda scene: scene.casework.resolve(C1, scene.request("mina"), outcome="solved"), False, False),
    (
        "transferred",
        lambda scene: scene.casework.transfer(C1, scene.request("mina"), queue="billing"),
        False,
        False,
    ),
    ("requeued", lambda scene: scene.casework.requeue(C1, scene.request()), False, False),
    (
        "given to another",
        lambda scene: scene.casework.assign(C1, scene.request(), to=AdvisorId("sea")),
        False,
        False,
    ),
    (
        "he is away",
        lambda scene: scene.presence("sun", Presence.AWAY),
        True,
        True,
    ),
    ("he is offline with his desk open", lambda scene: scene.presence("sun", Presence.OFFLINE), True, True),
    ("he is finishing", lambda scene: scene.presence("sun", Presence.FINISHING), True, True),
    ("he is gone", lambda scene: _goes(scene, "sun"), False, False),
    ("he is excluded", _exclude, False, False),
]


class TestMeanwhile:
    """What becomes of it when something else happens: row by row of the documents' table."""

    @pytest.mark.parametrize(("act", "stays"), [row[1:3] for row in TABLE], ids=[row[0] for row in TABLE])
    async def test_while_he_is_rung(self, scene: Stage, act: Meanwhile, stays: bool) -> None:
        await ask(scene, Whom(to=AdvisorId("sun")))
        await act(scene)
        sun = await person(scene, "sun")
        assert bool(sun.work) == stays
        if stays:
            assert await rung(scene) == "sun"
            assert (await scene.accept("c1")).result is Result.DONE

    @pytest.mark.parametrize(("act", "stays"), [(row[1], row[3]) for row in TABLE], ids=[row[0] for row in TABLE])
    async def test_while_he_is_in(self, scene: Stage, act: Meanwhile, stays: bool) -> None:
        await ask(scene, Whom(to=AdvisorId("sun")))
        await scene.accept("c1")
        await act(scene)
        assert bool((await person(scene, "sun")).work) == stays
        assert bool((await scene.case("c1")).consults) == stays

    async def test_from_who_is_gone_it_goes_on_to_the_next(self, scene: Stage) -> None:
        await ask(scene)
        first = await rung(scene)
        await _goes(scene, first)
        assert await end(scene) == (first, "left")
        assert await rung(scene) not in ("", first)

    @pytest.mark.parametrize("joined", [False, True])
    async def test_when_its_owner_is_gone_and_it_is_taken_from_him(self, joined: bool) -> None:
        text = RULED.replace("interruptible: true", "interruptible: true, when_gone: requeue")
        async with stage(rulebook(text)) as scene:
            await scene.hire("mina", budget=10)
            await scene.write("c1")
            await scene.accept("c1")
            await scene.hire("sun", budget=12, tier="senior", queues=("billing",))
            await ask(scene, Whom(to=AdvisorId("sun")))
            if joined:
                await scene.accept("c1")
            await _goes(scene, "mina")
            assert ((await person(scene, "sun")).work, (await scene.case("c1")).state) == ({}, CaseStatus.QUEUED)

    @pytest.mark.parametrize("joined", [False, True])
    async def test_while_its_owner_is_interrupted_it_goes_on(self, joined: bool) -> None:
        async with stage(rulebook(RULED.replace("chat: {units: 30}", "chat: {units: 30, interrupts: true}"))) as scene:
            await scene.hire("mina", budget=30, queues=("general",))
            await scene.write("c1")
            await scene.accept("c1")
            await scene.hire("sun", budget=12, tier="senior", queues=("billing",))
            await ask(scene, Whom(to=AdvisorId("sun")))
            if joined:
                await scene.accept("c1")
            await scene.write("c2", channel="chat")
            await scene.settle()
            assert (await scene.case("c1")).state is CaseStatus.PARKED
            assert (await person(scene, "sun")).load == 12
            if not joined:
                assert (await scene.accept("c1")).result is Result.DONE
            await scene.accept("c2")
            await scene.resolve("c2")
            await scene.settle()
            state = await scene.case("c1")
            assert (state.state, state.consults) == (CaseStatus.ASSIGNED, {"sun": 12})


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
