"""Of whom advice is asked, whom it rings at next, and why at nobody."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from router.contract.advisor import AdvisorState, Presence, Work, WorkKind
from router.contract.case import Ask, CaseDetail, CaseState, CaseStatus, Offer, read_detail, write_detail
from router.contract.ids import AccountId, AdvisorId, InquiryId
from router.engine import consulting
from router.engine.consulting import Whom
from router.engine.plans import Scene
from rules import Verdict
from tests.suites.people import NOW, advisor, case_of, roster
from tests.suites.stage import RULES, rulebook

BOOK = rulebook(RULES + "consult_units: 12\nconsult_offer_s: 20\n")
SCENE = Scene(rulebook=BOOK, now_ms=NOW)
DETAIL = CaseDetail(
    account=AccountId("a"),
    origin=InquiryId("i"),
    customer="c",
    verdict=Verdict(queue="general", policy="standard", rulebook=BOOK.hash),
)
NAMES = ("ann", "bob", "cho", "dan", "eve", "fay")


def case(detail: CaseDetail = DETAIL, **members: Any) -> CaseState:
    return case_of(detail, **({"state": CaseStatus.ASSIGNED, "ver": 3, "owner": "ann"} | members))


def rung(name: str) -> tuple[Offer, ...]:
    return (Offer(advisor=AdvisorId(name), ver=3, deadline_ms=NOW + 9, units=12),)


def person(name: str, *, load: int = 0, presence: Presence = Presence.ONLINE, tier: str = "senior") -> AdvisorState:
    made = advisor(name, presence=presence, tier=tier, queues=())
    return replace(made, budget=20, work={"x": Work(units=load, channel="chat", kind=WorkKind.CASE)} if load else {})


KEPT_OUT = ("consulted", "tried", "excluded", "full", "away", "junior")
FLAGS = st.sets(st.sampled_from((*KEPT_OUT, "tried long ago")))


@given(flags=st.fixed_dictionaries(dict.fromkeys(NAMES[1:], FLAGS)))
def test_it_rings_at_whoever_may_be_asked_and_at_nobody_else(flags: dict[str, set[str]]) -> None:
    def are(flag: str) -> list[str]:
        return [name for name in flags if flag in flags[name]]

    people = roster(
        person("ann"),
        *(
            person(
                name,
                load=9 if "full" in flags[name] else 8,
                presence=Presence.AWAY if "away" in flags[name] else Presence.ONLINE,
                tier="junior" if "junior" in flags[name] else "senior",
            )
            for name in flags
        ),
    )
    state = case(replace(DETAIL, excluded=tuple(are("excluded"))), consults=dict.fromkeys(are("consulted"), 12))
    until = dict.fromkeys(are("tried long ago"), NOW) | dict.fromkeys(are("tried"), NOW + 1)
    ask = Ask(by="ann", at_ms=NOW, tier="senior", tried=until)
    found = {str(one.advisor) for one in consulting.candidates(state, people, SCENE, ask)}
    assert found == {name for name in flags if not flags[name] & {*KEPT_OUT}}


@pytest.mark.parametrize("named", [False, True])
def test_what_came_to_nothing_goes_on_to_the_others_but_for_one_who_was_named(named: bool) -> None:
    people = roster(*(person(name) for name in NAMES[:3]))
    ask = Ask(by="ann", at_ms=NOW, to="bob") if named else Ask(by="ann", at_ms=NOW, tier="senior")
    state = case(replace(DETAIL, ask=replace(ask, tried={"old": NOW})), offers=rung("bob"))
    plan, placing = consulting.passed_on(state, people, SCENE, advisor=AdvisorId("bob"), end=consulting.DECLINED)
    assert [one.advisor for one in placing.candidates] == ([] if named else ["cho"])
    assert (placing.offer_deadline_ms, placing.auto_accept) == (NOW + 20_000, False)
    after = read_detail(plan.detail or "").ask
    assert after == replace(ask, tried={"bob": NOW + 120_000}, last="bob", end="declined")


def test_one_that_an_older_version_began_just_ends() -> None:
    people = roster(person("ann"), person("bob"))
    state = case(offers=rung("bob"))
    _, placing = consulting.passed_on(state, people, SCENE, advisor=AdvisorId("bob"), end=consulting.EXPIRED)
    assert placing.candidates == ()


def test_a_new_ask_remembers_whom_not_to_ring_yet() -> None:
    before = Ask(by="ann", at_ms=1, tier="lead", tried={"bob": NOW + 1, "cho": NOW}, last="bob", end="declined")
    ask = consulting.asked(case(replace(DETAIL, ask=before)), SCENE, Whom(queue="billing"), by=AdvisorId("ann"))
    assert ask == Ask(by="ann", at_ms=NOW, queue="billing", tried={"bob": NOW + 1})


@pytest.mark.parametrize(
    ("state", "advisor_", "end", "expected"),
    [
        (case(offers=rung("bob")), "bob", "", "recalled"),
        (case(consults={"bob": 12}), "bob", "joined", "ended"),
        (case(consults={"cho": 12}, offers=rung("bob")), "cho", "", ""),
        (case(consults={"cho": 12}), "cho", "joined", "joined"),
    ],
)
def test_what_is_noted_when_it_is_handed_back(state: CaseState, advisor_: str, end: str, expected: str) -> None:
    ask = Ask(by="ann", at_ms=NOW, last="bob" if end else "", end=end)
    told = replace(state, detail=write_detail(replace(DETAIL, ask=ask)))
    plan = consulting.handed_back(told, SCENE, AdvisorId(advisor_))
    noted = read_detail(plan.detail or "").ask
    assert noted is not None
    assert noted.end == expected
