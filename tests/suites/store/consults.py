"""What consult and hand_back promise, and accept, decline and expire of a consult that rings."""

from typing import Any, Final

import pytest

from router.contract.advisor import Presence, WorkKind
from router.contract.case import MOST_CONSULTS, CaseState, CaseStatus, Offer
from router.contract.ids import AdvisorId, CaseId
from router.contract.plan import Candidate, Placing
from router.store.acts import (
    Accept,
    Admit,
    Assign,
    Consult,
    Decline,
    Due,
    Escalate,
    Expire,
    FollowUp,
    HandBack,
    Move,
    Outcome,
    Park,
    Pend,
    PresenceAct,
    ProfileAct,
    Reply,
    Requeue,
    Resolve,
    Result,
    Transfer,
    Unpark,
)
from tests.suites.store.bench import POOL, Desk

ANN: Final = {"advisor": "ann"}

# What becomes of a consult, ringing or under way, when its case comes to something else: whether it stays.
MEANWHILE: Final[dict[str, tuple[type[Any], dict[str, Any], bool]]] = {
    "parked": (Park, {}, True),
    "pending": (Pend, ANN, False),
    "promised": (FollowUp, ANN, False),
    "handed on": (Transfer, ANN, False),
    "requeued": (Requeue, {}, False),
    "given to another": (Assign, {"advisor": "cho"}, False),
    "given to who is consulted": (Assign, {"advisor": "bob"}, False),
    "taken by its ladder": (Escalate, {"step": 1, "take": True}, False),
    "a step of its ladder": (Escalate, {"step": 1}, True),
    "answered": (Reply, {"advisor": "ann", "message": "m", "reply": "{}"}, True),
    "resolved": (Resolve, ANN, False),
    "moved": (Move, {"to_pool": "other", "handover": "{}"}, False),
}


class _Three:
    @pytest.fixture
    async def three(self, desk: Desk) -> Desk:
        """Ann has the case ``c1``; Bob and Cho are free."""
        for name in ("ann", "bob", "cho"):
            await desk.advisor(name)
        await desk.assigned("c1", "ann")
        return desk


class ConsultSuite(_Three):
    """Another advisor is asked in, at once."""

    async def test_it_costs_him_the_units(self, three: Desk) -> None:
        assert (await three.asked_in("c1", "ann", "bob")).result is Result.DONE
        state = await three.state("c1")
        assert (state.owner, state.consults) == ("ann", {"bob": 10})
        assert await loads(three) == [30, 10, 0]
        assert (await three.person("bob")).work["c1"].kind is WorkKind.CONSULT

    async def test_twice_is_the_same(self, three: Desk) -> None:
        await three.asked_in("c1", "ann", "bob")
        assert (await three.asked_in("c1", "ann", "bob")).result is Result.SAME

    @pytest.mark.parametrize("why", ["unknown", "himself", "away", "no room", "judged before a change"])
    async def test_who_cannot_is_refused(self, three: Desk, why: str) -> None:
        who = {"unknown": "dan", "himself": "ann"}.get(why, "bob")
        elig = 1 if why == "unknown" else (await three.person(who)).elig
        if why == "away":
            await three.do(three.act(PresenceAct, advisor="bob", presence=Presence.AWAY))
            elig += 1
        asked = Candidate(advisor=AdvisorId(who), elig=elig - (why == "judged before a change"), over=True)
        placing = Placing(candidates=(asked,), auto_accept=True)
        units = 101 if why == "no room" else 10
        outcome = await three.on(Consult, "c1", advisor="ann", units=units, placing=placing)
        assert outcome.result is Result.REFUSED
        assert [person.id for person in outcome.advisors] == ([] if why == "unknown" else [who])
        assert (await three.state("c1")).consults == {}

    async def test_only_the_owner_asks(self, three: Desk) -> None:
        assert (await three.asked_in("c1", "bob", "ann")).result is Result.NOT_YOURS

    async def test_so_many_and_no_more(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.assigned("c1", "ann")
        for number in range(MOST_CONSULTS + 1):
            await desk.advisor(f"p{number}")
            outcome = await desk.asked_in("c1", "ann", f"p{number}")
            assert outcome.result is (Result.DONE if number < MOST_CONSULTS else Result.REFUSED)

    async def test_a_step_of_its_ladder_asks_in_no_more_either(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.assigned("c1", "ann")
        for number in range(MOST_CONSULTS - 1):
            await desk.advisor(f"p{number}")
            await desk.asked_in("c1", "ann", f"p{number}")
        for name in ("bob", "cho"):
            await desk.advisor(name)
        await ask(desk, "bob")
        await desk.on(Escalate, "c1", step=1, placing=await desk.hand("cho"))
        assert "cho" not in (await desk.state("c1")).consults
        await desk.on(HandBack, "c1", advisor="bob")
        await desk.on(Escalate, "c1", step=2, placing=await desk.hand("cho"))
        assert len((await desk.state("c1")).consults) == MOST_CONSULTS

    async def test_he_hands_back(self, three: Desk) -> None:
        await three.asked_in("c1", "ann", "bob")
        assert (await three.on(HandBack, "c1", advisor="bob")).result is Result.DONE
        assert (await three.state("c1")).consults == {}
        assert await loads(three) == [30, 0, 0]
        assert "a|bob" in await three.work()
        assert (await three.on(HandBack, "c1", advisor="bob")).result is Result.SAME

    async def test_the_owner_has_nothing_to_hand_back(self, three: Desk) -> None:
        assert (await three.on(HandBack, "c1", advisor="ann")).result is Result.SAME
        assert await loads(three) == [30, 0, 0]

    async def test_a_note_goes_with_it(self, three: Desk) -> None:
        await ask(three, "bob", message='{"text":"why"}')
        assert (await three.store.messages(POOL, CaseId("c1")))[-1] == '{"text":"why"}'
        entry = (await three.store.pending(POOL, 0))[-1]
        assert (entry.kind, entry.notes) == ("consult", ('{"text":"why"}',))

    @pytest.mark.parametrize("meanwhile", MEANWHILE)
    async def test_what_becomes_of_it(self, three: Desk, meanwhile: str) -> None:
        await three.asked_in("c1", "ann", "bob")
        kind, members, stays = MEANWHILE[meanwhile]
        await three.on(kind, "c1", **members)
        state = await three.case("c1")
        assert bool(state and state.consults) == stays
        assert kind_of(await work(three, "bob")) == kind_after(meanwhile, stays, WorkKind.CONSULT)


class RingingSuite(_Three):
    """Another advisor is rung, and the owner stays."""

    async def test_he_is_rung_and_holds_the_units(self, three: Desk) -> None:
        outcome = await ask(three, "bob")
        assert outcome.result is Result.OFFERED
        state = await three.state("c1")
        assert (state.state, state.owner, state.consults) == (CaseStatus.ASSIGNED, "ann", {})
        deadline = three.now + 20_000
        assert state.offers == (Offer(advisor="bob", ver=2, deadline_ms=deadline, units=10),)  # type: ignore[arg-type]
        assert state.timers == {"offer|2": deadline}
        assert await loads(three) == [30, 10, 0]
        assert (await three.person("bob")).work["c1"].kind is WorkKind.CONSULT_OFFER

    async def test_the_first_who_can_is_rung(self, three: Desk) -> None:
        placing = await three.ring("bob", "cho")
        await three.do(three.act(PresenceAct, advisor="bob", presence=Presence.AWAY))
        assert (await ask(three, placing=placing)).result is Result.OFFERED
        assert rung(await three.state("c1")) == ["cho"]

    async def test_nobody_is_rung_above_his_capacity(self, three: Desk) -> None:
        placing = await three.ring("bob", over=True)
        assert (await ask(three, placing=placing, units=101)).result is Result.REFUSED
        assert not (await three.state("c1")).over

    @pytest.mark.parametrize(("name", "result"), [("bob", Result.SAME), ("cho", Result.REFUSED)])
    async def test_one_at_a_time(self, three: Desk, name: str, result: Result) -> None:
        await ask(three, "bob")
        assert (await ask(three, name)).result is result
        assert rung(await three.state("c1")) == ["bob"]

    async def test_he_comes_in(self, three: Desk) -> None:
        await ask(three, "bob")
        await three.do(three.act(PresenceAct, advisor="bob", presence=Presence.FINISHING))
        outcome = await accept(three, "bob")
        assert (outcome.result, outcome.taken) == (Result.DONE, "")
        state = await three.state("c1")
        assert (state.state, state.owner, state.consults) == (CaseStatus.ASSIGNED, "ann", {"bob": 10})
        assert (state.offers, state.timers) == ((), {})
        assert await loads(three) == [30, 10, 0]
        assert (await accept(three, "bob")).result is Result.SAME

    async def test_who_was_rung_may_come_in_though_his_budget_was_cut(self, three: Desk) -> None:
        await ask(three, "bob")
        await three.do(three.act(ProfileAct, advisor="bob", budget=1, profile="{}"))
        assert (await accept(three, "bob")).result is Result.DONE
        assert not (await three.state("c1")).over

    async def test_another_may_not(self, three: Desk) -> None:
        await ask(three, "bob")
        assert (await accept(three, "cho")).result is Result.GONE
        assert (await three.state("c1")).owner == "ann"

    @pytest.mark.parametrize("how", [Decline, Expire])
    async def test_the_next_is_rung(self, three: Desk, how: type) -> None:
        await ask(three, "bob")
        outcome = await end(three, how, placing=await three.ring("bob", "cho", wait_ms=9_000))
        assert outcome.result is Result.OFFERED
        state = await three.state("c1")
        assert (state.owner, rung(state), state.offers[0].ver) == ("ann", ["bob"], 3)

    @pytest.mark.parametrize("how", [Decline, Expire])
    async def test_units_and_timer_go_over_to_the_next(self, three: Desk, how: type) -> None:
        await ask(three, "bob")
        outcome = await end(three, how, placing=await three.ring("cho", wait_ms=9_000))
        assert outcome.result is Result.OFFERED
        state = await three.state("c1")
        assert state.timers == {"offer|3": three.now + 9_000}
        assert await loads(three) == [30, 0, 10]
        assert "a|bob" in await three.work()

    @pytest.mark.parametrize("how", [Decline, Expire])
    async def test_with_nobody_left_the_owner_keeps_it(self, three: Desk, how: type) -> None:
        await ask(three, "bob")
        outcome = await end(three, how)
        assert outcome.result is Result.DONE
        state = await three.state("c1")
        assert (state.state, state.owner, state.offers, state.timers) == (CaseStatus.ASSIGNED, "ann", (), {})
        assert await loads(three) == [30, 0, 0]
        entry = (await three.store.pending(POOL, 0))[-1]
        assert (entry.outcome, entry.about) == ("done", "bob")
        assert (await end(three, how)).result is Result.GONE

    async def test_it_expires_by_its_timer_and_never_before(self, three: Desk) -> None:
        await ask(three, "bob")
        await three.pass_ms(19_999)
        assert (await three.do(three.act(Due))).claims == ()
        await three.pass_ms(1)
        (claim,) = (await three.do(three.act(Due))).claims
        spent = (claim.timer, claim.deadline_ms)
        assert claim.timer == "offer|2"
        assert (await end(three, Expire, claim=spent)).result is Result.DONE
        assert (await end(three, Expire, claim=spent)).result is Result.GONE

    async def test_one_missed_counts_against_him(self, three: Desk) -> None:
        await ask(three, "bob")
        await end(three, Expire, away_after=1, told={"bob": ('{"away":1}',)})
        bob = await three.person("bob")
        assert (bob.missed, bob.presence, bob.reason) == (1, Presence.AWAY, "missed-offers")
        assert (await three.store.pending(POOL, 0))[-1].notices == ('{"away":1}',)

    @pytest.mark.parametrize("who", ["bob", "ann", "cho"])
    async def test_it_is_called_back(self, three: Desk, who: str) -> None:
        await ask(three, "bob")
        outcome = await three.on(HandBack, "c1", advisor=who)
        assert outcome.result is (Result.DONE if who == "bob" else Result.SAME)
        assert await loads(three) == ([30, 0, 0] if who == "bob" else [30, 10, 0])

    async def test_an_offered_case_has_nothing_to_call_back(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.offered("c1", "ann")
        assert (await desk.on(HandBack, "c1", advisor="ann")).result is Result.SAME
        assert (await desk.state("c1")).state is CaseStatus.OFFERED

    @pytest.mark.parametrize("how", ["accept", "decline", "expire"])
    async def test_while_it_is_parked_all_goes_on(self, three: Desk, how: str) -> None:
        await ask(three, "bob")
        await three.on(Park, "c1")
        if how == "accept":
            assert (await accept(three, "bob")).result is Result.DONE
        else:
            kind = Decline if how == "decline" else Expire
            assert (await end(three, kind, placing=await three.ring("cho"))).result is Result.OFFERED
        state = await three.state("c1")
        assert (state.state, state.owner) == (CaseStatus.PARKED, "ann")
        assert (list(state.consults), rung(state)) == ((["bob"], []) if how == "accept" else ([], ["cho"]))
        assert (await three.on(Unpark, "c1")).result is Result.RETURNED

    async def test_the_customer_writes_meanwhile(self, three: Desk) -> None:
        await ask(three, "bob")
        again = three.admission("c1", inquiry="more", plan=await three.plan("c1"))
        assert isinstance(again, Admit)
        assert (await three.do(again)).result is Result.APPENDED
        assert rung(await three.state("c1")) == ["bob"]
        assert (await accept(three, "bob")).result is Result.DONE

    @pytest.mark.parametrize("meanwhile", MEANWHILE)
    async def test_what_becomes_of_it(self, three: Desk, meanwhile: str) -> None:
        await ask(three, "bob")
        kind, members, stays = MEANWHILE[meanwhile]
        await three.on(kind, "c1", **members)
        state = await three.case("c1")
        assert bool(state and state.offers) == stays
        assert (state is not None and "offer|2" in state.timers) == stays
        assert kind_of(await work(three, "bob")) == kind_after(meanwhile, stays, WorkKind.CONSULT_OFFER)


async def ask(desk: Desk, *names: str, placing: Placing | None = None, units: int = 10, **members: Any) -> Outcome:
    """Ann has these rung on ``c1``, in their order."""
    placing = placing or await desk.ring(*names)
    return await desk.on(Consult, "c1", advisor="ann", units=units, placing=placing, **members)


async def accept(desk: Desk, name: str) -> Outcome:
    return await desk.do(desk.act(Accept, case=CaseId("c1"), advisor=name, offer_ver=2))


async def end(desk: Desk, how: type[Any], **members: Any) -> Outcome:
    """The ring that Ann has asked for comes to nothing."""
    who: dict[str, Any] = {"advisor": "bob"} if how is Decline else {}
    return await desk.on(how, "c1", offer_ver=2, **who, **members)


async def loads(desk: Desk) -> list[int]:
    return [(await desk.person(name)).load for name in ("ann", "bob", "cho")]


async def work(desk: Desk, name: str) -> Any:
    return (await desk.person(name)).work.get("c1")


def kind_of(entry: Any) -> WorkKind | None:
    return entry.kind if entry else None


def kind_after(meanwhile: str, stays: bool, kind: WorkKind) -> WorkKind | None:
    """What Bob has of the case then."""
    if meanwhile == "given to who is consulted":
        return WorkKind.CASE
    return kind if stays else None


def rung(state: CaseState) -> list[str]:
    return [offer.advisor for offer in state.offers]
