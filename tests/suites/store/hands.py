"""What requeue, transfer, park and unpark promise."""

from typing import Any

import pytest

from router.contract.advisor import Presence, WorkKind
from router.contract.case import CaseStatus
from router.contract.ids import CaseId
from router.contract.plan import Placing, Plan
from router.store.acts import (
    Park,
    Pend,
    PresenceAct,
    Requeue,
    Resolve,
    Result,
    Transfer,
    Unpark,
)
from tests.suites.store.bench import POOL, QUEUE, Desk


class _Pair:
    @pytest.fixture
    async def pair(self, desk: Desk) -> Desk:
        """Ann has the case ``c1``, Bob is free."""
        await desk.advisor("ann")
        await desk.advisor("bob")
        await desk.assigned("c1", "ann")
        return desk


async def loads(desk: Desk, *names: str) -> list[int]:
    return [(await desk.person(name)).load for name in names]


class RequeueSuite(_Pair):
    """An open case is placed anew."""

    async def test_back_to_its_owner(self, pair: Desk) -> None:
        outcome = await pair.on(Requeue, "c1", placing=await pair.hand("ann"))
        assert (outcome.result, outcome.taken) == (Result.RETURNED, "ann")
        assert await loads(pair, "ann") == [30]

    async def test_to_another(self, pair: Desk) -> None:
        outcome = await pair.on(Requeue, "c1", placing=await pair.hand("bob", "ann"))
        assert (outcome.result, outcome.taken) == (Result.ASSIGNED, "bob")
        assert await loads(pair, "ann", "bob") == [0, 30]

    async def test_as_an_offer(self, pair: Desk) -> None:
        outcome = await pair.on(Requeue, "c1", placing=await pair.ring("bob"))
        assert outcome.result is Result.OFFERED
        assert await loads(pair, "ann", "bob") == [0, 30]

    async def test_into_the_queue(self, pair: Desk) -> None:
        plan = await pair.plan("c1", class_key="k2", score=4)
        assert (await pair.on(Requeue, "c1", plan=plan)).result is Result.QUEUED
        state = await pair.state("c1")
        assert (state.owner, state.class_key, state.score) == ("", "k2", 4)
        assert {"a|ann", "k|k2"} <= set(await pair.work())

    async def test_an_offered_case_stops_ringing(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.offered("c1", "ann")
        assert (await desk.on(Requeue, "c1")).result is Result.QUEUED
        state = await desk.state("c1")
        assert (state.offers, state.timers) == ((), {})
        assert await loads(desk, "ann") == [0]

    async def test_a_resolved_one_is_gone(self, pair: Desk) -> None:
        await pair.on(Resolve, "c1")
        assert (await pair.on(Requeue, "c1")).result is Result.GONE

    async def test_the_claim_is_spent(self, pair: Desk) -> None:
        plan = await pair.plan("c1", timers={"follow_up|0": 50})
        await pair.on(Pend, "c1", plan=plan, advisor="ann")
        assert (await pair.on(Requeue, "c1", claim=("follow_up|0", 49))).result is Result.GONE
        outcome = await pair.on(Requeue, "c1", claim=("follow_up|0", 50), placing=await pair.hand("ann"))
        assert (outcome.result, (await pair.state("c1")).timers) == (Result.RETURNED, {})


class TransferSuite(_Pair):
    """An open case is handed on."""

    async def test_to_the_queue_of_the_plan(self, pair: Desk) -> None:
        plan = await pair.plan("c1", class_key="vip")
        assert (await pair.on(Transfer, "c1", plan=plan, advisor="ann")).result is Result.QUEUED
        assert await pair.waiting("vip") == ("c1",)
        assert await loads(pair, "ann") == [0]

    async def test_a_note_goes_with_it(self, pair: Desk) -> None:
        await pair.on(Transfer, "c1", message='{"text":"why"}', placing=await pair.hand("bob"), must=True)
        messages = await pair.store.messages(POOL, CaseId("c1"))
        assert messages[-1] == '{"text":"why"}'
        notes = {entry.kind: entry.notes for entry in await pair.store.pending(POOL, 0) if entry.case}
        assert notes == {kind: ('{"text":"why"}',) if kind == "transfer" else () for kind in notes}
        await pair.on(Transfer, "c1", message='{"text":"lost"}', must=True)
        assert await pair.store.messages(POOL, CaseId("c1")) == messages

    async def test_to_an_advisor(self, pair: Desk) -> None:
        outcome = await pair.on(Transfer, "c1", advisor="ann", placing=await pair.hand("bob"))
        assert (outcome.result, outcome.taken) == (Result.ASSIGNED, "bob")
        assert await loads(pair, "ann", "bob") == [0, 30]

    async def test_as_an_offer(self, pair: Desk) -> None:
        outcome = await pair.on(Transfer, "c1", advisor="ann", placing=await pair.ring("bob"))
        assert (outcome.result, (await pair.state("c1")).owner) == (Result.OFFERED, "")

    async def test_whom_one_asks_for_must_be_able(self, pair: Desk) -> None:
        placing = await pair.hand("bob")
        await pair.do(pair.act(PresenceAct, advisor="bob", presence=Presence.AWAY))
        before = await pair.state("c1")
        outcome = await pair.on(Transfer, "c1", advisor="ann", placing=placing, must=True)
        assert (outcome.result, [person.id for person in outcome.advisors]) == (Result.REFUSED, ["bob"])
        assert await pair.state("c1") == before

    async def test_else_it_goes_to_the_queue(self, pair: Desk) -> None:
        assert (await pair.on(Transfer, "c1", advisor="ann", placing=Placing())).result is Result.QUEUED

    async def test_only_the_owner_or_nobody_asks(self, pair: Desk) -> None:
        assert (await pair.on(Transfer, "c1", advisor="bob")).result is Result.NOT_YOURS
        assert (await pair.on(Transfer, "c1", advisor=None)).result is Result.QUEUED

    async def test_a_resolved_one_is_gone(self, pair: Desk) -> None:
        await pair.on(Resolve, "c1")
        assert (await pair.on(Transfer, "c1")).result is Result.GONE

    async def test_to_whom_has_it_nothing_is_handed(self, pair: Desk) -> None:
        outcome = await pair.on(Transfer, "c1", advisor="ann", placing=await pair.hand("ann"), must=True)
        assert outcome.result is Result.REFUSED
        assert (await pair.state("c1")).ver == 1

    async def test_a_consulted_advisor_can_get_it(self, pair: Desk) -> None:
        await pair.asked_in("c1", "ann", "bob")
        outcome = await pair.on(Transfer, "c1", advisor="ann", placing=await pair.hand("bob"))
        assert outcome.result is Result.ASSIGNED
        assert (await pair.state("c1")).consults == {}
        assert (await pair.person("bob")).work["c1"].kind is WorkKind.CASE
        assert await loads(pair, "ann", "bob") == [0, 30]


class ParkSuite(_Pair):
    """Interruptible work makes room."""

    async def test_the_owner_keeps_it_and_has_room(self, pair: Desk) -> None:
        assert (await pair.on(Park, "c1")).result is Result.DONE
        state = await pair.state("c1")
        assert (state.state, state.owner) == (CaseStatus.PARKED, "ann")
        assert await loads(pair, "ann") == [0]
        assert "a|ann" in await pair.work()

    async def test_it_stays_in_his_work_set_and_under_no_cap(self, desk: Desk) -> None:
        await desk.advisor("ann", caps={"chat": 1})
        await desk.assigned("c1", "ann")
        await desk.on(Park, "c1")
        entry = (await desk.person("ann")).work["c1"]
        assert (entry.kind, entry.units, entry.channel) == (WorkKind.PARKED, 30, "chat")
        await desk.serve_all()
        await desk.assigned("c2", "ann")
        assert (await desk.on(Unpark, "c1")).result is Result.NO_ROOM

    @pytest.mark.parametrize("way", [Resolve, Requeue, Transfer])
    async def test_whoever_ends_it_takes_it_out(self, pair: Desk, way: type) -> None:
        await pair.on(Park, "c1")
        await pair.on(way, "c1")
        assert (await pair.person("ann")).work == {}

    async def test_what_takes_no_capacity_is_not_over(self, desk: Desk) -> None:
        await desk.advisor("ann", budget=10)
        await desk.admit("c1", await desk.hand("ann", over=True))
        await desk.on(Park, "c1")
        assert not (await desk.state("c1")).over

    async def test_only_an_assigned_case(self, desk: Desk) -> None:
        await desk.admit("c1")
        assert (await desk.on(Park, "c1")).result is Result.GONE

    @pytest.mark.parametrize("way", [Park, Pend])
    async def test_it_is_taken_up_again(self, pair: Desk, way: type) -> None:
        members: dict[str, Any] = {} if way is Park else {"advisor": "ann"}
        await pair.on(way, "c1", **members)
        outcome = await pair.on(Unpark, "c1")
        assert (outcome.result, outcome.taken) == (Result.RETURNED, "ann")
        assert (await pair.state("c1")).state is CaseStatus.ASSIGNED
        assert await loads(pair, "ann") == [30]

    async def test_without_room_it_stays_unless_over(self, pair: Desk) -> None:
        await pair.on(Park, "c1")
        await pair.serve_all()
        for name in ("c2", "c3", "c4"):
            await pair.assigned(name, "ann", plan=Plan(ver=0, class_key=QUEUE))
        assert (await pair.on(Unpark, "c1")).result is Result.NO_ROOM
        assert (await pair.on(Unpark, "c1", over=True)).result is Result.RETURNED
        assert (await pair.state("c1")).over

    @pytest.mark.parametrize(
        ("presence", "result"),
        [
            (Presence.FINISHING, Result.RETURNED),
            (Presence.AWAY, Result.NO_ROOM),
            (Presence.OFFLINE, Result.NO_ROOM),
        ],
    )
    async def test_he_must_be_there(self, pair: Desk, presence: Presence, result: Result) -> None:
        await pair.on(Park, "c1")
        await pair.do(pair.act(PresenceAct, advisor="ann", presence=presence))
        assert (await pair.on(Unpark, "c1", over=True)).result is result

    async def test_what_is_neither_parked_nor_pending_is_gone(self, pair: Desk) -> None:
        assert (await pair.on(Unpark, "c1")).result is Result.GONE
