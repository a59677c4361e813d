"""Advisors for decisions: all fit by default, so that a test says only what matters to it."""

from typing import Final

from router.contract.advisor import AdvisorState, Presence, Profile, Work, WorkKind
from router.contract.codec import encode
from router.contract.ids import AdvisorId
from router.engine.roster import Roster

NOW: Final = 1_800_000_000_000
FIT = {"skills": {"billing": 5}, "languages": {"ko": 7}, "tier": "senior", "queues": ("billing",)}


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
