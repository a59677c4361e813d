"""Steps of ladders that ask somebody in beside who has the case."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from msgspec.structs import replace

from router.contract.advisor import Presence
from router.contract.ids import CaseId
from rules import Rulebook
from tests.suites.climbs import by_hand, known, ladder, staff
from tests.suites.stage import Stage, stage

BESIDE = "      - {by_hand: true, move_up: true, reassign: beside}\n"
TWICE = BESIDE + BESIDE


@asynccontextmanager
async def with_seniors(rules: Rulebook, *seniors: str) -> AsyncIterator[Stage]:
    """Jun, a junior, has the case; these seniors have come since."""
    async with stage(rules) as scene:
        await staff(scene, jun="junior", **dict.fromkeys(seniors, "senior"))
        for name in seniors:
            await scene.presence(name, Presence.AWAY)
        await scene.write("c1")
        await scene.accept("c1")
        for name in seniors:
            await scene.presence(name, Presence.ONLINE)
        await scene.settle()
        yield scene


async def test_beside_rings_at_another_and_the_owner_stays() -> None:
    async with with_seniors(ladder(BESIDE), "sen") as scene:
        await by_hand(scene, "c1", "jun")
        state = await scene.case("c1")
        (offer,) = state.offers
        assert (state.state, state.owner, state.consults, offer.advisor) == ("assigned", "jun", {}, "sen")
        assert offer.deadline_ms == scene.clock.now_ms() + 30_000
        asked = known(state).ask
        assert asked is not None
        assert (asked.by, asked.to) == ("", "")
        await scene.accept("c1")
        assert (await scene.case("c1")).consults == {"sen": 10}
        assert await scene.load("sen") == 10


async def test_beside_goes_on_to_the_next_and_ends_with_the_last() -> None:
    async with with_seniors(ladder(BESIDE), "sen", "sol") as scene:
        await by_hand(scene, "c1", "jun")
        first = (await scene.case("c1")).offers[0]
        request = scene.request(str(first.advisor))
        await scene.casework.decline(CaseId("c1"), request, advisor=first.advisor, offer_ver=first.ver)
        (second,) = (await scene.case("c1")).offers
        assert {first.advisor, second.advisor} == {"sen", "sol"}
        await scene.pass_s(31)
        state = await scene.case("c1")
        asked = known(state).ask
        assert asked is not None
        assert (asked.last, asked.end) == (second.advisor, "expired")
        assert (state.offers, state.consults, state.owner) == ((), {}, "jun")


async def test_beside_is_in_at_once_where_advice_does_not_ring() -> None:
    quiet = replace(ladder(BESIDE), consult_offer_s=0)
    async with with_seniors(quiet, "sen") as scene:
        await by_hand(scene, "c1", "jun")
        state = await scene.case("c1")
        assert (state.owner, state.consults, state.offers) == ("jun", {"sen": 10}, ())


async def test_beside_is_in_at_once_while_another_is_rung() -> None:
    async with with_seniors(ladder(TWICE.replace("move_up: true, ", "")), "sen", "sol") as scene:
        await by_hand(scene, "c1", "jun")
        (rung,) = (await scene.case("c1")).offers
        asked = known(await scene.case("c1")).ask
        await by_hand(scene, "c1", "jun")
        state = await scene.case("c1")
        assert (state.step, state.offers, known(state).ask) == (2, (rung,), asked)
        assert {*state.consults} == {"sen", "sol"} - {rung.advisor}
