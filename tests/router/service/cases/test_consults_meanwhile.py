"""What becomes of advice when something else happens to its case, or to whoever gives it."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from msgspec.structs import replace

from router.contract.advisor import Presence
from router.contract.case import CaseStatus, Pending
from router.contract.ids import AdvisorId
from router.engine.consulting import Whom
from router.engine.exclusions import Wish
from router.store.acts import PresenceAct, Result
from tests.suites.advice import C1, RULED, ask, at_work, end, person, rung
from tests.suites.stage import Stage, inquiry, rulebook, stage


@pytest.fixture
async def scene() -> AsyncIterator[Stage]:
    async with stage(rulebook(RULED)) as made:
        await at_work(made)
        yield made


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
