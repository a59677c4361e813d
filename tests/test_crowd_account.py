"""The account that journeys are judged by finds what it is there to find."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from router.contract.case import Case, CaseStatus, Offer
from router.contract.events import CaseEvent, EventType
from router.contract.ids import AccountId, AdvisorId, CaseId, ConversationId, EventId, InquiryId, PoolId
from rules.verdict import Verdict
from tests.suites.crowd import Moment, Talk, Watch
from tests.suites.crowd_account import Office, Story, faults_of, faults_of_answers, faults_of_work
from tests.suites.crowd_advisor import Worker, unanswered


def event(
    case: str,
    ver: int,
    *,
    number: int = 0,
    talk: str = "",
    owner: str = "",
    offers: tuple[str, ...] = (),
    state: CaseStatus = CaseStatus.QUEUED,
) -> CaseEvent:
    pool = PoolId("default")
    return CaseEvent(
        type=EventType.ADMIT,
        id=EventId(f"{case}:1.{ver}"),
        pool=pool,
        subject=CaseId(case),
        gen=1,
        ver=ver,
        number=number,
        at_ms=1,
        outcome="",
        case=Case(
            id=CaseId(case),
            pool=pool,
            state=state,
            ver=ver,
            gen=1,
            conversation=ConversationId(talk or f"talk of {case}"),
            channel="webhook",
            units=10,
            opened_at_ms=1,
            changed_at_ms=1,
            account=AccountId("account"),
            origin=InquiryId(case),
            customer="customer",
            verdict=VERDICT,
            owner=owner,
            offers=tuple(Offer(advisor=AdvisorId(name), ver=ver, deadline_ms=1) for name in offers),
        ),
    )


VERDICT = Verdict(queue="general", priority=3, policy="standard", rulebook="r")


@pytest.mark.parametrize(
    ("events", "faults"),
    [
        ([event("a", 1), event("a", 2), event("b", 1)], []),
        ([event("a", 1), event("a", 3)], ["a: [1, 3]"]),
        ([event("a", 2)], ["a: [2]"]),
        ([event("a", 1, talk="t"), event("b", 1, talk="t")], ["t has 2 cases"]),
    ],
)
def test_holes_and_second_cases_are_found(events: list[CaseEvent], faults: list[str]) -> None:
    assert Story(events=tuple(events)).faults() == faults


def test_the_most_that_anybody_held_counts_offers_and_forgets_what_rests() -> None:
    held = Story(
        events=(
            event("a", 1, offers=("mina",)),
            event("b", 1, offers=("mina",)),
            event("a", 2, owner="mina", state=CaseStatus.ASSIGNED),
            event("a", 3, owner="mina", state=CaseStatus.PENDING),
            event("c", 1, owner="mina", state=CaseStatus.ASSIGNED),
        )
    ).holders()
    assert held.most == {"mina": 2}
    assert held.shared == []


def test_a_case_in_two_hands_is_found() -> None:
    held = Story(events=(event("a", 1, owner="jun", offers=("mina",), state=CaseStatus.ASSIGNED),)).holders()
    assert held.shared == ["a:1.1: ['jun', 'mina']"]


@pytest.mark.parametrize(
    ("work", "faults"),
    [
        ({"mina": ["a"], "jun": []}, []),
        ({"mina": ["a"], "jun": ["a"]}, ["a is with ['mina', 'jun']"]),
        ({"mina": []}, ["a is assigned and with None"]),
        ({"mina": ["a", "b"]}, ["b is queued and with ['mina']"]),
    ],
)
def test_work_sets_that_differ_from_the_cases_are_found(work: dict[str, list[str]], faults: list[str]) -> None:
    last = {"a": event("a", 1, owner="mina", state=CaseStatus.ASSIGNED), "b": event("b", 1)}
    assert faults_of_work(work, last) == faults


@pytest.mark.parametrize(
    ("heard", "by", "faults"),
    [
        (["answer to <m1>"], ["mina"], []),
        ([], ["mina"], ["the answer to m1 never arrived"]),
        (["answer to <m1>"], ["mina", "jun"], ["m1 was answered 2 times"]),
    ],
)
def test_answers_lost_or_given_twice_are_found(heard: list[str], by: list[str], faults: list[str]) -> None:
    workers = [cast("Worker", SimpleNamespace(name=name, replied={"m1": "a"})) for name in by]
    assert faults_of_answers(workers, {"t": Talk(thread="t", replies=heard)}) == faults


class Desk:
    """A supervisor's desk with these cases."""

    def __init__(self, cases: dict[str, Any]) -> None:
        self._cases = cases

    async def case(self, case: str) -> Any:
        return self._cases.get(case)


def page(inquiries: list[str], replies: dict[str, str], state: str = "sent") -> dict[str, Any]:
    entries = [{"kind": "inquiry", "id": id_, "text": id_} for id_ in inquiries]
    entries += [{"kind": "reply", "id": id_, "text": text} for id_, text in replies.items()]
    return {"transcript": entries, "case": {"replies": [{"id": id_, "state": state} for id_ in replies]}}


@pytest.mark.parametrize(
    ("cases", "heard", "fault"),
    [
        ({"i1": page(["i1", "i2"], {"r1": "yes"})}, ["yes"], ""),
        ({"i1": page(["i1", "i2"], {"r1": "yes"}, "unknown")}, [], ""),
        ({}, ["yes"], "t has no case"),
        ({"i1": page(["i1"], {"r1": "yes"})}, ["yes"], "in its case are ['i1']"),
        ({"i1": page(["i1", "i2", "i2"], {"r1": "yes"})}, ["yes"], "in its case are ['i1', 'i2', 'i2']"),
        ({"i1": page(["i1", "i2"], {"r1": "yes"}), "i2": page(["i2"], {})}, ["yes"], "i2 has a case of its own"),
        ({"i1": page(["i1", "i2"], {"r1": "yes"})}, ["yes", "yes"], "t heard 'yes' 2 times"),
        ({"i1": page(["i1", "i2"], {"r1": "yes", "r2": "yes"})}, ["yes"], "t has 'yes' 2 times"),
        ({"i1": page(["i1", "i2"], {"r1": "yes"})}, [], "t never heard 'yes', which is sent"),
        ({"i1": page(["i1", "i2"], {})}, ["yes"], "t heard 'yes', which nobody wrote"),
    ],
)
async def test_what_is_wrong_with_a_conversation_is_found(cases: dict[str, Any], heard: list[str], fault: str) -> None:
    talk = Talk(thread="t", refs=["m1", "m2"], ids=["i1", "i2"], replies=heard)
    found = await faults_of(talk, cast("Office", Desk(cases)))
    assert [fault in one for one in found] == ([True] if fault else [])


def test_a_message_is_unanswered_until_a_reply_names_it() -> None:
    said = [
        {"kind": "inquiry", "text": "hello <m1>"},
        {"kind": "inquiry", "text": "again <m2>"},
        {"kind": "reply", "text": "answer to <m1>"},
    ]
    assert unanswered(said) == ["m2"]


def test_a_watch_acts_at_its_moment_and_once() -> None:
    watch, acted = Watch(), []
    willing = iter([False, True])

    def act() -> bool:
        acted.append(watch.seen["offer"])
        return next(willing)

    watch.arm(Moment("offer", 2), act)
    for kind in ("offer", "reply", "offer", "offer", "offer"):
        watch.note(kind)
    assert acted == [2, 3]
