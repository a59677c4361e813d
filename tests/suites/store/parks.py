"""What parking by hand promises: the case stays aside until then, or until somebody takes it up again."""

from typing import Any

import pytest

from router.contract.advisor import WorkKind
from router.contract.case import CaseStatus
from router.contract.ids import AdvisorId
from router.store.acts import Due, Park, Pend, Requeue, Resolve, Result, Transfer, Unpark
from tests.suites.store.bench import Desk

ANN = AdvisorId("ann")
TIMER = "park|c1"


class ByHandSuite:
    """Ann has parked ``c1``, which took 30 of her 100 units, for ten seconds."""

    @pytest.fixture
    async def parked(self, desk: Desk) -> Desk:
        await desk.advisor("ann")
        await desk.advisor("bob")
        await desk.assigned("c1", "ann")
        outcome = await desk.on(Park, "c1", advisor=ANN, until_ms=desk.now + 10_000)
        assert outcome.result is Result.DONE
        await desk.serve_all()
        return desk

    async def _timers(self, desk: Desk) -> dict[str, int]:
        return (await desk.person("ann")).timers

    async def test_it_is_parked_until_then(self, parked: Desk) -> None:
        person = await parked.person("ann")
        assert (person.work["c1"].kind, person.load) == (WorkKind.PARKED, 0)
        assert (person.timers, person.parked_until("c1")) == ({TIMER: parked.now + 10_000}, parked.now + 10_000)
        assert (await parked.state("c1")).state is CaseStatus.PARKED

    async def test_then_it_waits_for_room_as_any_other(self, parked: Desk) -> None:
        await parked.pass_ms(10_000)
        (claim,) = (await parked.do(parked.act(Due))).claims
        assert (claim.subject, claim.id, claim.timer) == ("a", "ann", TIMER)
        outcome = await parked.on(Park, "c1", held_ms=claim.deadline_ms)
        assert (outcome.result, await self._timers(parked)) == (Result.DONE, {})
        assert outcome.advisors == (await parked.person("ann"),)
        assert set(await parked.work()) == {"a|ann"}
        assert (await parked.on(Park, "c1", held_ms=claim.deadline_ms)).result is Result.GONE

    async def test_it_may_be_parked_for_longer(self, parked: Desk) -> None:
        held_ms = parked.now + 10_000
        assert (await parked.on(Park, "c1", until_ms=held_ms + 5)).result is Result.DONE
        assert await self._timers(parked) == {TIMER: held_ms + 5}
        assert (await parked.on(Park, "c1", held_ms=held_ms)).result is Result.GONE
        await parked.pass_ms(10_000)
        assert (await parked.do(parked.act(Due))).claims == ()

    async def test_what_made_room_may_be_parked_by_hand(self, desk: Desk) -> None:
        await desk.advisor("ann")
        await desk.assigned("c1", "ann")
        await desk.on(Park, "c1")
        assert (await desk.on(Park, "c1")).result is Result.GONE
        assert (await desk.on(Park, "c1", until_ms=desk.now + 9)).result is Result.DONE
        assert (await desk.person("ann")).parked_until("c1") == desk.now + 9

    async def test_who_takes_it_up_again_has_no_timer(self, parked: Desk) -> None:
        assert (await parked.on(Unpark, "c1", advisor=ANN)).result is Result.RETURNED
        assert (await self._timers(parked), (await parked.person("ann")).load) == ({}, 30)

    @pytest.mark.parametrize(
        ("way", "members"), [(Resolve, {}), (Requeue, {}), (Transfer, {}), (Pend, {"advisor": "ann"})]
    )
    async def test_whoever_ends_it_ends_the_timer(self, parked: Desk, way: type, members: dict[str, Any]) -> None:
        await parked.on(way, "c1", **members)
        assert await self._timers(parked) == {}

    async def test_it_is_hers_alone(self, parked: Desk) -> None:
        assert (await parked.on(Unpark, "c1", advisor="bob")).result is Result.NOT_YOURS
        assert (await parked.on(Park, "c1", advisor="bob", until_ms=9)).result is Result.NOT_YOURS
        assert (await parked.on(Unpark, "c1", advisor="")).result is Result.RETURNED
