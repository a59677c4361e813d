"""What is parked for what, and what comes back: pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from router.contract.advisor import AdvisorState, Presence, Work, WorkKind
from router.contract.ids import AdvisorId
from router.engine.parking import gives_way, to_park, to_resume
from tests.suites.stage import RULES, rulebook

MAIL, CHAT = "email", "chat"
PARKING = frozenset({MAIL})


def person(budget: int = 100, presence: Presence = Presence.ONLINE, **work: Work) -> AdvisorState:
    return AdvisorState(id=AdvisorId("mina"), budget=budget, presence=presence, work=work)


def mail(units: int = 10, kind: WorkKind = WorkKind.CASE) -> Work:
    return Work(units=units, channel=MAIL, kind=kind)


CHATTING = Work(units=30, channel=CHAT, kind=WorkKind.CASE)


def test_only_what_interrupts_makes_others_give_way() -> None:
    rules = rulebook(RULES.replace("chat: {units: 30}", "chat: {units: 30, interrupts: true}"))
    assert [gives_way(channel, rules) for channel in (CHAT, MAIL, "call", "unknown")] == [PARKING, *[frozenset()] * 3]


@pytest.mark.parametrize(
    ("state", "parked"),
    [
        (person(100, a=mail()), ()),
        (person(30, a=mail(), b=mail(), c=mail()), ("c", "b", "a")),
        (person(40, a=mail(), b=mail()), ("b",)),
        (person(50, a=mail(10), b=mail(20), c=mail(10)), ("b",)),
        # Nothing else is touched, and what doesn't suffice is left alone.
        (person(30, a=CHATTING), ()),
        (person(30, a=mail(10, WorkKind.OFFER), b=mail(20)), ()),
        (person(30, a=mail(10, WorkKind.WRAP_UP), b=mail(20)), ()),
        (person(30, a=mail(20, WorkKind.PARKED), b=mail(10)), ("b",)),
        (person(20, a=mail()), ()),
    ],
)
def test_as_few_as_will_do(state: AdvisorState, parked: tuple[str, ...]) -> None:
    assert to_park(state, 30, CHAT, PARKING) == parked


KINDS = st.sampled_from([WorkKind.CASE, WorkKind.OFFER, WorkKind.CONSULT, WorkKind.WRAP_UP, WorkKind.PARKED])
WORK = st.builds(Work, units=st.integers(1, 40), channel=st.sampled_from([MAIL, CHAT, "form"]), kind=KINDS)


@given(st.dictionaries(st.sampled_from("abcdefgh"), WORK, max_size=6), st.integers(10, 120), st.integers(1, 60))
def test_after_parking_there_is_room_and_before_the_last_there_was_none(
    work: dict[str, Work], budget: int, units: int
) -> None:
    state = person(budget, Presence.ONLINE, **work)
    parked = to_park(state, units, CHAT, PARKING)
    assert bool(parked) == (not state.has_room(units, CHAT) and state.has_room(units, CHAT, parking=PARKING))
    for count in range(len(parked) + bool(parked)):
        left = {case: item for case, item in work.items() if case not in parked[:count]}
        assert person(budget, Presence.ONLINE, **left).has_room(units, CHAT) == (count == len(parked))


@pytest.mark.parametrize(
    ("state", "case"),
    [
        (person(30, a=mail()), None),
        (person(30, b=mail(kind=WorkKind.PARKED), a=mail(kind=WorkKind.PARKED)), "a"),
        (person(30, a=mail(20, WorkKind.PARKED), b=mail(10, WorkKind.PARKED), c=mail(20)), "b"),
        (person(30, a=mail(kind=WorkKind.PARKED), b=CHATTING), None),
        (person(30, Presence.FINISHING, a=mail(kind=WorkKind.PARKED)), "a"),
        (person(30, Presence.AWAY, a=mail(kind=WorkKind.PARKED)), None),
        (person(30, Presence.OFFLINE, a=mail(kind=WorkKind.PARKED)), None),
    ],
)
def test_what_fits_comes_back(state: AdvisorState, case: str | None) -> None:
    assert to_resume(state) == case


def test_what_is_parked_by_hand_does_not_come_back_by_itself() -> None:
    state = person(30, a=mail(kind=WorkKind.PARKED), b=mail(kind=WorkKind.PARKED))
    assert to_resume(replace(state, timers={"park|a": 5})) == "b"
    assert to_resume(replace(state, timers={"park|a": 5, "park|b": 5})) is None
