"""After a rebuild nobody is above his capacity by an offer, and what was assigned stays assigned."""

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from router.contract.advisor import AdvisorState, Presence, Work, WorkKind
from router.contract.case import CaseState, CaseStatus, Offer
from router.contract.ids import AdvisorId
from router.runtime.clock import ManualClock
from router.service.configuration.policies import Policies
from router.service.rebuilding.capacity import Settled, settle
from router.service.rebuilding.requeueing import requeueing
from tests.suites.rebuild_records import NOW_MS, assigned, case_state, offered
from tests.suites.stage import rulebook

MINA, JOON = AdvisorId("mina"), AdvisorId("joon")
GRACE_MS = NOW_MS + 60_000


def settled(cases: Sequence[CaseState], *, budget: int = 20, **caps: int) -> Settled:
    """Mina and Joon, online, with that budget and those caps by channel."""
    people = {
        name: AdvisorState(id=name, gen=1, ver=5, presence=Presence.ONLINE, budget=budget, caps=caps)
        for name in (MINA, JOON)
    }
    requeue = requeueing(Policies(rulebook()), ManualClock(NOW_MS))
    return settle(cases, people, gen=2, grace_until_ms=GRACE_MS, requeue=requeue)


def work_of(result: Settled, name: AdvisorId) -> dict[str, str]:
    (person,) = (person for person in result.advisors if person.id == name)
    return {case: item.kind.value for case, item in person.work.items()}


def test_work_sets_are_what_the_cases_say() -> None:
    consulted = assigned("c2", "joon", consults={"mina": 5})
    pending = case_state("c4", state=CaseStatus.PENDING, owner="mina")
    result = settled([assigned("c1", "mina"), consulted, case_state("c3"), pending])
    assert work_of(result, MINA) == {"c1": "case", "c2": "consult"}
    assert work_of(result, JOON) == {"c2": "case"}
    (mina,) = (person for person in result.advisors if person.id == MINA)
    assert mina.work["c2"] == Work(units=5, channel="email", kind=WorkKind.CONSULT)


def test_everything_is_of_the_new_gen_and_otherwise_as_it_was() -> None:
    before = assigned("c1", "mina", ver=7)
    result = settled([before])
    assert result.cases == (replace(before, gen=2),)
    assert {(person.gen, person.ver) for person in result.advisors} == {(2, 5)}


def test_offers_that_fit_stand() -> None:
    before = offered("c2", "mina", "joon")
    result = settled([assigned("c1", "mina"), before])
    assert (result.cases[1], result.requeued) == (replace(before, gen=2), frozenset())
    assert work_of(result, MINA) == {"c1": "case", "c2": "offer"}
    assert work_of(result, JOON) == {"c2": "offer"}


def test_an_offer_that_does_not_fit_is_requeued() -> None:
    result = settled([assigned("c1", "mina"), assigned("c2", "mina"), offered("c3", "joon", "mina")])
    (case,) = (state for state in result.cases if state.id == "c3")
    assert result.requeued == {"c3"}
    assert (case.state, case.offers, case.owner, case.ver, case.gen) == (CaseStatus.QUEUED, (), "", 2, 2)
    assert case.class_key
    assert "offer|1" not in case.timers
    assert work_of(result, JOON) == {}
    assert work_of(result, MINA) == {"c1": "case", "c2": "case"}


def test_of_offers_that_exceed_the_room_the_oldest_stand() -> None:
    later = offered("c1", "mina", changed_at_ms=NOW_MS + 2)
    result = settled([later, offered("c2", "mina", changed_at_ms=NOW_MS + 1), offered("c3", "mina")])
    assert result.requeued == {"c1"}


def test_caps_of_a_channel_count() -> None:
    result = settled([assigned("c1", "mina"), offered("c2", "mina")], budget=100, email=1)
    assert result.requeued == {"c2"}


def test_assignments_stand_above_all_capacity() -> None:
    result = settled([assigned(f"c{n}", "mina") for n in range(5)])
    assert result.requeued == frozenset()
    assert len(work_of(result, MINA)) == 5


def test_what_was_given_above_capacity_drives_no_offer_away() -> None:
    over = assigned("c1", "mina", over=True, changed_at_ms=NOW_MS + 9)
    result = settled([over, offered("c2", "mina"), offered("c3", "mina")])
    assert result.requeued == frozenset()
    assert set(work_of(result, MINA)) == {"c1", "c2", "c3"}


@pytest.mark.parametrize(
    ("presence", "timers"),
    [(Presence.ONLINE, {"grace|0": GRACE_MS}), (Presence.AWAY, {"grace|0": GRACE_MS}), (Presence.OFFLINE, {})],
)
def test_who_is_not_offline_has_a_grace_time_to_connect_again(presence: Presence, timers: dict[str, int]) -> None:
    person = AdvisorState(id=MINA, gen=1, presence=presence, timers={"lease|7": 1})
    result = settle([], {MINA: person}, gen=2, grace_until_ms=GRACE_MS, requeue=lambda state: state)
    assert [one.timers for one in result.advisors] == [timers]


def test_an_owner_of_whom_no_record_tells_is_there_offline() -> None:
    result = settled([assigned("c1", "sora")])
    (sora,) = (person for person in result.advisors if person.id == "sora")
    assert (sora.presence, sora.gen, set(sora.work)) == (Presence.OFFLINE, 2, {"c1"})


def rung(name: str, owner: str, advisor: str, *, units: int = 5, **members: Any) -> CaseState:
    """Of which somebody is rung for advice."""
    offer = Offer(advisor=AdvisorId(advisor), ver=1, deadline_ms=NOW_MS + 9_000, units=units)
    return assigned(name, owner, offers=(offer,), timers={"offer|1": NOW_MS + 9_000}, **members)


@pytest.mark.parametrize("members", [{}, {"state": CaseStatus.PARKED}, {"over": True}])
def test_advice_that_was_asked_for_rings_on_where_there_is_room(members: dict[str, Any]) -> None:
    before = replace(rung("c1", "joon", "mina"), **members)
    result = settled([before, assigned("c2", "mina")])
    assert (result.cases[0], result.requeued) == (replace(before, gen=2), frozenset())
    (mina,) = (person for person in result.advisors if person.id == MINA)
    assert mina.work["c1"] == Work(units=5, channel="email", kind=WorkKind.CONSULT_OFFER)


@pytest.mark.parametrize("members", [{}, {"state": CaseStatus.PARKED}, {"over": True}])
def test_without_room_it_ends_and_the_case_stays_where_it_is(members: dict[str, Any]) -> None:
    before = replace(rung("c1", "joon", "mina", units=11), **members)
    result = settled([before, assigned("c2", "mina")])
    (case,) = (state for state in result.cases if state.id == "c1")
    assert result.requeued == {"c1"}
    assert (case.state, case.owner, case.over) == (before.state, "joon", before.over)
    assert (case.offers, case.ver, "offer|1" in case.timers) == ((), 2, False)
    assert set(work_of(result, MINA)) == {"c2"}
    assert set(work_of(result, JOON)) == {"c1"}
