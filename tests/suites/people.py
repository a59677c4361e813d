"""Advisors and cases for decisions: all fit by default, so that a test says only what matters to it."""

from typing import Any, Final

from msgspec.structs import replace

from router.contract.advisor import AdvisorState, Presence, Profile, Work, WorkKind
from router.contract.case import CaseDetail, CaseState, CaseStatus, write_detail
from router.contract.codec import encode
from router.contract.ids import AdvisorId, CaseId, ConversationId
from router.engine.roster import Member, Roster
from router.engine.strategies import STRATEGIES, Wish
from router.engine.waiting import ClassWant, WaitClass

NOW: Final = 1_800_000_000_000
FIT = {"skills": {"billing": 5}, "languages": {"ko": 7}, "tier": "senior", "queues": ("billing",)}

CLASS: Final = WaitClass(
    queue="billing",
    channel="chat",
    units=30,
    wants=(ClassWant("billing", 5, True),),
    language="ko",
    tiers=(),
    priority=3,
    policy="standard",
    clock="first_response",
    excluded=(),
    held_for="",
)
"""Whoever fits may have its cases."""
_CASE: Final = CaseState(
    id=CaseId("i"),
    state=CaseStatus.QUEUED,
    ver=1,
    gen=1,
    conversation=ConversationId("t"),
    channel="email",
    units=10,
    opened_at_ms=NOW,
    changed_at_ms=NOW,
)


def case_of(detail: CaseDetail | None = None, **members: Any) -> CaseState:
    """A mail that waits, with what is known of it, changed as said."""
    known = {} if detail is None else {"detail": write_detail(detail)}
    return replace(_CASE, **(known | members))


def advisor(
    name: str, *, presence: Presence = Presence.ONLINE, idle_s: int = 0, load: int = 0, **profile: object
) -> AdvisorState:
    person = Profile(**{**FIT, **profile})  # type: ignore[arg-type]
    work = {"other": Work(units=load, channel="chat", kind=WorkKind.CASE)} if load else {}
    return AdvisorState(
        id=AdvisorId(name),
        ver=1,
        elig=1,
        gen=1,
        presence=presence,
        budget=person.budget,
        caps=person.caps,
        idle_since_ms=NOW - idle_s * 1000,
        work=work,
        profile=encode(person).decode(),
    )


def roster(*states: AdvisorState) -> Roster:
    people = Roster()
    for state in states:
        people.apply(state)
    return people


def terms_of(strategy: str, member: Member, wish: Wish) -> dict[str, float]:
    """What a strategy looks at in one advisor, by name."""
    by = STRATEGIES[strategy]
    return dict(zip(by.names(wish), by.rank(wish)(member), strict=True))
