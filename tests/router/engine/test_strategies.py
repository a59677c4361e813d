"""Each strategy by a table: two advisors, and who of them is tried first."""

from collections import defaultdict
from typing import Any

import pytest
from msgspec.structs import replace

from router.contract.advisor import AdvisorState, Presence, Work, WorkKind
from router.contract.ids import CaseId
from router.engine.field import among
from router.engine.ranking import best
from router.engine.roster import Roster
from router.engine.strategies import IDLE_HALF_S, STRATEGIES, Wish, asks_of, mix_of, others_of
from router.engine.waiting import ClassWant
from rules.rulebook import Strategy, Weights
from tests.suites.people import NOW, advisor, roster, terms_of

BILLING = ClassWant("billing", 3, True)
RETURNS = ClassWant("returns", 3, False)


def wish(*wants: ClassWant, **more: Any) -> Wish:
    return Wish(**{"case": CaseId("c1"), "now_ms": NOW, "asks": asks_of(wants), "others": defaultdict(int), **more})


def winner(strategy: str, wanted: Wish, *people: AdvisorState) -> str:
    names = {
        best(team, among(team, team.everyone), strategy, wanted, count=1).members[0].state.id for team in orders(people)
    }
    assert len(names) == 1
    return names.pop()


def orders(people: tuple[AdvisorState, ...]) -> tuple[Roster, Roster]:
    return roster(*people), roster(*people[::-1])


def test_the_rulebook_names_every_strategy_and_no_other() -> None:
    assert {*STRATEGIES} == {*Strategy}


@pytest.mark.parametrize(
    ("strategy", "first", "second"),
    [
        pytest.param("longest-idle", {"idle_s": 9, "load": 60}, {"idle_s": 8}, id="idle before load"),
        pytest.param("longest-idle", {"load": 10}, {"load": 20}, id="then the free share"),
        pytest.param("least-loaded", {"load": 10}, {"load": 20, "idle_s": 9}, id="load before idle"),
        pytest.param("least-loaded", {"idle_s": 9}, {"idle_s": 8}, id="then the idle time"),
        pytest.param("least-loaded", {"load": 30, "budget": 100}, {"load": 20, "budget": 50}, id="by share"),
        pytest.param("round-robin", {"idle_s": 9, "load": 60}, {"idle_s": 8}, id="in turn, whatever the load"),
        pytest.param("most-skilled", {"skills": {"billing": 9}}, {"skills": {"billing": 8}, "idle_s": 9}, id="fit"),
        pytest.param("most-skilled", {"idle_s": 9}, {"idle_s": 8}, id="of equal fit the longest idle"),
        pytest.param("least-skilled", {"skills": {"billing": 3}}, {"skills": {"billing": 4}, "idle_s": 9}, id="spare"),
        pytest.param(
            "least-skilled",
            {"skills": {"billing": 5}},
            {"skills": {"billing": 5, "returns": 1}, "idle_s": 9},
            id="of equal fit who has the fewest levels",
        ),
        pytest.param("least-skilled", {"idle_s": 9}, {"idle_s": 8}, id="then the longest idle"),
        pytest.param("balanced", {"idle_s": 9}, {"idle_s": 8}, id="idle counts"),
        pytest.param("balanced", {"load": 10}, {"load": 20}, id="load counts"),
        pytest.param("balanced", {"skills": {"billing": 9}}, {"skills": {"billing": 8}}, id="fit counts"),
        pytest.param(
            "balanced", {"skills": {"billing": 5}}, {"skills": {"billing": 5, "rare": 1}}, id="a scarce skill is spared"
        ),
    ],
)  # fmt: skip
def test_who_is_tried_first(strategy: str, first: dict[str, object], second: dict[str, object]) -> None:
    people = (advisor("first", **first), advisor("second", **second))  # type: ignore[arg-type]
    assert winner(strategy, wish(BILLING), *people) == "first"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_preferred_skill_ranks_and_excludes_nobody(strategy: str) -> None:
    people = (advisor("has", skills={"billing": 5, "returns": 4}), advisor("lacks", skills={"billing": 5, "x": 4}))
    team = roster(*people)
    found = best(team, among(team, team.everyone), strategy, wish(BILLING, RETURNS), count=5)
    assert [one.state.id for one in found.members] == ["has", "lacks"]


def test_a_turn_passes_with_an_offer_and_not_with_the_end_of_work() -> None:
    people = roster(advisor("mina", idle_s=50), advisor("jun", idle_s=40))

    def next_in_turn() -> str:
        return best(people, among(people, people.everyone), "round-robin", wish(), count=1).members[0].state.id

    assert next_in_turn() == "mina"
    offer = {"c": Work(units=10, channel="chat", kind=WorkKind.OFFER)}
    people.apply(replace(advisor("mina", idle_s=30), ver=2, work=offer))
    assert next_in_turn() == "jun"
    people.apply(replace(advisor("jun", idle_s=20), ver=2, work=offer))
    people.apply(replace(advisor("mina", idle_s=10), ver=3))
    assert next_in_turn() == "mina"


def test_a_turn_is_kept_through_a_break() -> None:
    people = roster(advisor("mina", idle_s=50), advisor("jun", idle_s=40))
    people.apply(replace(advisor("mina"), ver=2, presence=Presence.AWAY))
    people.apply(replace(advisor("mina"), ver=3))
    assert best(people, among(people, people.everyone), "round-robin", wish(), count=1).members[0].state.id == "mina"


def test_the_terms_of_balanced_by_hand() -> None:
    person = replace(
        advisor("mina", idle_s=IDLE_HALF_S, load=25, skills={"billing": 8, "rare": 1}), online_since_ms=NOW - 60_000
    )
    (member,) = roster(person)
    others = others_of({"skill/rare": 2, "language/ko": 3, "skill/billing": 1}, asks_of((BILLING,)))
    wanted = wish(BILLING, last_advisor="mina", others=others, ramp_s=240)
    terms = {"skill_fit": 0.8, "free_share": 0.75, "idle": 0.5, "affinity": 1, "scarcity": 0.5, "ramp_in": 0.25}
    assert terms_of("balanced", member, wanted) == pytest.approx({"score": sum(terms.values()) / 6, **terms})
    weighed = replace(wanted, mix=mix_of(Weights(skill_fit=3, free_share=0, idle=1, affinity=0, scarcity=0, ramp_in=0)))
    assert terms_of("balanced", member, weighed) == pytest.approx(
        {"score": (3 * 0.8 + 0.5) / 4, "skill_fit": 0.8, "idle": 0.5}
    )


@pytest.mark.parametrize(
    ("idle_s", "online_s", "last"),
    [(0, 0, ""), (-5, -5, "mina"), (10**9, 10**9, "mina"), (300, 1, "jun")],
)
def test_every_term_stays_between_0_and_1(idle_s: int, online_s: int, last: str) -> None:
    person = replace(advisor("mina", idle_s=idle_s, load=300, skills={}), online_since_ms=NOW - online_s * 1000)
    (member,) = roster(person)
    terms = terms_of("balanced", member, wish(BILLING, RETURNS, last_advisor=last, ramp_s=60))
    assert all(0 <= value <= 1 for value in terms.values())
    assert len(terms) == 7


def test_the_last_advisor_goes_first_among_equals_however_many_there_are() -> None:
    people = roster(*(advisor(f"a{index}") for index in range(300)))
    for number in range(20):
        wanted = wish(last_advisor="a250", case=CaseId(f"c{number}"))
        assert best(people, among(people, people.everyone), "balanced", wanted, count=1).members[0].state.id == "a250"
