from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from router.demo.account import Account, Edges, Findings, draw_up
from router.demo.history import (
    Accepted,
    AdvisorEntry,
    CustomerEntry,
    Ended,
    FoundWaiting,
    Looked,
    Offered,
    Received,
    Refused,
    Replied,
    Taken,
    Wrote,
)
from router.demo.roster import Advisor

MINJI = Advisor(
    id="minji", name="Minji", tier="senior", languages={"ko": 10}, skills={"billing": 5}, budget=30, caps={"chat": 1}
)
BEN = Advisor(id="ben", name="Ben", tier="junior", languages={"en": 10, "ko": 1}, skills={"billing": 3})
ONE, TWO, MARK = "TN-000000", "TN-000010", "RP-000001"


def wrote(token: str = ONE, **members: object) -> Wrote:
    given: dict[str, object] = {
        "channel": "email",
        "customer": "anna",
        "thread": f"thread of {token}",
        "language": "ko",
        "skills": {"billing": 3},
        "queue": "billing",
    }
    return Wrote(at=1.0, token=token, **{**given, **members})  # type: ignore[arg-type]


def accepted(token: str = ONE, at: float = 1.1) -> Accepted:
    return Accepted(at=at, token=token, sent_at=at - 0.1)


def received(mark: str = MARK, *, thread: str | None = f"thread of {ONE}", customer: str = "anna") -> Received:
    return Received(at=5.0, channel="email", customer=customer, thread=thread, mark=mark)


def offered(
    at: float = 2.0, *, case: str = "c1", token: str = ONE, advisor: str = "minji", **members: object
) -> Offered:
    given = {"channel": "email", **members}
    return Offered(at=at, advisor=advisor, case=case, tokens=(token,), **given)  # type: ignore[arg-type]


def taken(at: float = 2.1, *, case: str = "c1", advisor: str = "minji") -> Taken:
    return Taken(at=at, advisor=advisor, case=case)


def looked(at: float = 2.2, *, messages: tuple[tuple[str, str], ...] = (("i1", ONE),), case: str = "c1") -> Looked:
    return Looked(at=at, advisor="minji", case=case, messages=messages)


def replied(at: float = 3.0, *, tokens: tuple[str, ...] = (ONE,)) -> Replied:
    return Replied(at=at, advisor="minji", case="c1", mark=MARK, tokens=tokens)


def ended(by: str, at: float = 4.0, *, case: str = "c1", advisor: str = "minji") -> Ended:
    return Ended(at=at, advisor=advisor, case=case, by=by)


ASKED = (wrote(), accepted())
WHOLE = (offered(), taken(), looked(), replied(), ended("resolve"))


def drawn(
    customers: Sequence[CustomerEntry], advisors: Sequence[AdvisorEntry], found: tuple[FoundWaiting, ...] = ()
) -> Findings:
    edges = Edges(
        customers=tuple(customers),
        advisors=tuple(advisors),
        found=found,
        roster={"minji": MINJI, "ben": BEN},
        units={"email": 10, "chat": 10, "voice": 31},
        channels=("chat", "email"),
    )
    return draw_up(edges, sweep_found=0, seconds=9.96)


def test_a_message_that_was_offered_answered_and_resolved_makes_a_sound_account() -> None:
    found = drawn((*ASKED, received()), WHOLE)
    account = found.account
    assert account.is_sound
    assert (account.sent, account.accepted, account.assigned, account.resolved) == (1, 1, 1, 1)
    assert (account.replies_sent, account.replies_delivered, account.seconds) == (1, 1, 10.0)
    assert account.time_to_offer_ms.p50 == 1000.0
    assert {name: (flow.sent, flow.delivered) for name, flow in account.by_channel.items()} == {
        "chat": (0, 0),
        "email": (1, 1),
    }
    assert found.faults == ()


PLACES = [
    pytest.param((), (), "lost", id="nobody has seen it"),
    pytest.param((), (FoundWaiting(at=9.0, case="c1", token=ONE),), "waiting", id="it waits in a queue"),
    pytest.param((), (FoundWaiting(at=9.0, case="c1", token=TWO),), "lost", id="another one waits"),
    pytest.param((offered(),), (), "with_advisor", id="it is offered"),
    pytest.param((offered(), taken()), (), "with_advisor", id="it is accepted"),
    pytest.param((offered(), ended("decline")), (), "waiting", id="it was declined"),
    pytest.param((offered(), ended("expired")), (), "waiting", id="the offer expired"),
    pytest.param((offered(), taken(), ended("transfer")), (), "waiting", id="it was transferred"),
    pytest.param((offered(), taken(), ended("pend")), (), "with_advisor", id="it rests with its owner"),
    pytest.param((offered(), taken(), ended("resolve")), (), "resolved", id="it is resolved"),
    pytest.param(
        (offered(), taken(), ended("resolve"), offered(5.0, is_assigned=True)), (), "with_advisor", id="it came back"
    ),
    pytest.param(
        (offered(), offered(3.0, advisor="ben"), ended("decline", 4.0)),
        (),
        "with_advisor",
        id="the next one was told before the last one",
    ),
    pytest.param(
        (offered(token=TWO), looked(messages=(("i0", TWO), ("i1", ONE))), ended("resolve")),
        (),
        "resolved",
        id="it was read in a case that another message opened",
    ),
]


@pytest.mark.parametrize(("advisors", "found", "place"), PLACES)
def test_every_accepted_message_is_in_one_place(
    advisors: tuple[AdvisorEntry, ...], found: tuple[FoundWaiting, ...], place: str
) -> None:
    findings = drawn(ASKED, advisors, found)
    places = {
        "lost": findings.account.lost,
        "waiting": findings.waiting,
        "with_advisor": findings.with_advisor,
        "resolved": findings.account.resolved,
    }
    assert places == {name: int(name == place) for name in places}


def test_a_message_that_the_port_refused_is_not_lost() -> None:
    account = drawn((wrote(), Refused(at=1.1, token=ONE, code="503")), ()).account
    assert (account.sent, account.accepted, account.lost) == (1, 0, 0)
    assert account.is_sound


def account_of(*received_replies: Received, advisors: Sequence[AdvisorEntry] = WHOLE) -> Account:
    return drawn((*ASKED, wrote(TWO), *received_replies), advisors).account


REPLIES = [
    pytest.param((), (1, 0), id="it never came"),
    pytest.param((received(thread="thread of others"),), (1, 0), id="it came in another thread"),
    pytest.param((received(thread=None),), (1, 0), id="it came in no thread"),
    pytest.param((received(customer="tom"),), (1, 0), id="it came to another customer"),
    pytest.param((received(), received()), (0, 1), id="it came twice"),
    pytest.param((received(), received(customer="tom")), (0, 1), id="it came to somebody else too"),
    pytest.param((received(), received("")), (0, 0), id="an automatic message came as well"),
]


@pytest.mark.parametrize(("arrivals", "lost_and_duplicated"), REPLIES)
def test_a_reply_reaches_its_customer_in_its_thread_once(
    arrivals: tuple[Received, ...], lost_and_duplicated: tuple[int, int]
) -> None:
    account = account_of(*arrivals)
    assert (account.lost, account.duplicated) == lost_and_duplicated
    assert account.is_sound == (lost_and_duplicated == (0, 0))


def test_a_reply_that_answers_two_customers_reached_neither() -> None:
    mixed = (offered(), taken(), looked(), replied(tokens=(ONE, TWO)), ended("resolve"))
    assert account_of(received(), advisors=mixed).lost == 1


def test_a_message_that_became_two_is_a_duplicate() -> None:
    account = drawn((*ASKED, received()), (*WHOLE, looked(6.0, messages=(("i1", ONE), ("i2", ONE))))).account
    assert account.duplicated == 1
    assert not account.is_sound


def test_a_message_read_twice_is_no_duplicate() -> None:
    assert drawn((*ASKED, received()), (*WHOLE, looked(6.0))).account.is_sound


LOADS = [
    pytest.param((offered(), offered(2.1, case="c2"), offered(2.2, case="c3")), 0, id="just full"),
    pytest.param((*(offered(2 + n / 10, case=f"c{n}") for n in range(4)),), 1, id="one too many"),
    pytest.param((offered(channel="voice"),), 1, id="too big by itself"),
    pytest.param(
        (
            *(offered(2 + n / 10, case=f"c{n}") for n in range(3)),
            ended("resolve", 2.5, case="c1"),
            offered(2.6, case="c9"),
        ),
        0,
        id="room was made first",
    ),
    pytest.param(
        (
            *(offered(2 + n / 10, case=f"c{n}") for n in range(3)),
            offered(2.6, case="c9"),
            ended("resolve", 2.7, case="c1"),
        ),
        1,
        id="room was made too late",
    ),
    pytest.param((offered(), offered(2.1, is_assigned=True)), 0, id="the same case counts once"),
    pytest.param(
        (offered(channel="chat"), offered(2.1, case="c2", channel="chat")), 1, id="above the cap of a channel"
    ),
    pytest.param((offered(channel="chat"), offered(2.1, case="c2")), 0, id="the cap is the channel's own"),
]


@pytest.mark.parametrize(("advisors", "count"), LOADS)
def test_load_counts_from_an_offers_arrival_to_the_act_that_ends_it(
    advisors: tuple[AdvisorEntry, ...], count: int
) -> None:
    account = drawn(ASKED, advisors).account
    assert account.over_capacity == count
    assert account.is_sound == (count == 0)


NEEDS = [
    pytest.param({}, "minji", 0, id="he can"),
    pytest.param({"language": "en"}, "minji", 1, id="not his language"),
    pytest.param({"skills": {"billing": 6}}, "minji", 1, id="not at that level"),
    pytest.param({"skills": {"technical": 1}}, "minji", 1, id="not his skill"),
    pytest.param({"skills": {}, "language": "fr"}, "ben", 1, id="the language is needed in any case"),
    pytest.param({"skills": {}}, "ben", 0, id="a message may need no skill"),
]


@pytest.mark.parametrize(("needs", "advisor", "count"), NEEDS)
def test_who_is_offered_a_message_has_what_it_needs(needs: dict[str, Any], advisor: str, count: int) -> None:
    offers = (offered(advisor=advisor), offered(2.5, advisor=advisor))
    account = drawn((wrote(**needs), accepted()), offers).account
    assert account.wrong_skill == count
    assert account.is_sound == (count == 0)


def test_what_the_sweep_found_spoils_the_account() -> None:
    account = drawn((*ASKED, received()), WHOLE).account
    assert not replace(account, sweep_found=1).is_sound


def test_every_violation_is_told_in_a_line() -> None:
    findings = drawn((wrote(language="en"), accepted(), wrote(TWO), accepted(TWO)), (offered(), taken(), replied()))
    assert findings.faults == (
        f"message {TWO} is lost",
        f"reply {MARK} to {ONE} did not reach its customer",
        f"message {ONE}, which needs en, billing 3, was offered to minji",
    )
