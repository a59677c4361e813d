"""A small good run, made by hand, for the checker's tests to spoil."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from router.contract.advisor import AdvisorState, Presence
from router.contract.case import Case, CaseState, CaseStatus
from router.contract.events import CaseEvent
from router.contract.messages import Delivery, DeliveryState, Reply
from tests.suites.faults.evidence import AdvisorRecord, Evidence, HeardEvent, InquiryRecord, PoolNumbers, Snapshot
from tests.suites.faults.history import Entry, Kind

NOW = 1_000_000
HOUR = 3_600_000


def case(name: str, ver: int, state: CaseStatus, **more: Any) -> Case:
    members = {
        "id": name,
        "pool": "default",
        "state": state,
        "ver": ver,
        "gen": 1,
        "conversation": f"talk-{name}",
        "channel": "webhook",
        "units": 10,
        "opened_at_ms": 1,
        "changed_at_ms": NOW + ver,
        "account": "acc",
        "origin": name,
        "customer": "c",
        "verdict": {"queue": "general", "policy": "standard", "rulebook": "1"},
        **more,
    }
    return msgspec.convert(members, Case)


def offer(advisor: str, ver: int) -> dict[str, Any]:
    return {"advisor": advisor, "ver": ver, "deadline_ms": NOW + 50}


class Tale:
    """A story in the making: the outbox numbers its events and records as the store would."""

    def __init__(self) -> None:
        self.number = 0
        self.events: list[CaseEvent] = []
        self.advisors: list[AdvisorRecord] = []
        self.at_ms = NOW

    def online(self, name: str) -> None:
        self.number += 1
        self.advisors.append(AdvisorRecord(id=name, gen=1, number=self.number, at_ms=self.at_ms, presence="online"))

    def tell(self, act: str, about: str, post: Case, *, actor: str = "") -> None:
        self.number += 1
        members = {
            "type": f"turnout.case.{act}.v1",
            "id": f"{post.id}:1.{post.ver}",
            "pool": "default",
            "subject": post.id,
            "gen": 1,
            "ver": post.ver,
            "number": self.number,
            "at_ms": self.at_ms,
            "outcome": "done",
            "about": about,
            "actor": actor,
        }
        self.events.append(msgspec.convert({**members, "case": post}, CaseEvent))

    def heard(self) -> tuple[HeardEvent, ...]:
        return tuple(HeardEvent(partition=0, offset=at, event=event) for at, event in enumerate(self.events))


def a_life(tale: Tale, name: str, advisor: str) -> None:
    """One case from admission to its end, with a warning on the way."""
    timers = {"timers": {"warn.first_response|0": NOW + 5}}
    tale.tell("admit", name, case(name, 1, CaseStatus.OFFERED, offers=[offer(advisor, 1)], **timers))
    tale.tell("accept", advisor, case(name, 2, CaseStatus.ASSIGNED, owner=advisor, **timers), actor=advisor)
    tale.at_ms += 10
    tale.tell("due", "warn.first_response|0", case(name, 3, CaseStatus.ASSIGNED, owner=advisor))
    tale.tell("reply", name, case(name, 4, CaseStatus.ASSIGNED, owner=advisor), actor=advisor)
    tale.tell("resolve", advisor, case(name, 5, CaseStatus.RESOLVED, owner=advisor), actor=advisor)


def state_of(post: Case) -> CaseState:
    members = {name: getattr(post, name) for name in CaseState.__struct_fields__ if name not in ("detail", "why")}
    return CaseState(**members)


def reply_to(name: str) -> Reply:
    members = {"id": f"r-{name}", "pool": "default", "case": name, "conversation": f"talk-{name}"}
    to = {"account": "acc", "address": "x"}
    return msgspec.convert({**members, "to": to, "text": f"answer to {name}", "created_at_ms": NOW}, Reply)


def delivery_of(name: str, state: DeliveryState) -> Delivery:
    members = {"reply": f"r-{name}", "pool": "default", "case": name, "account": "acc", "at_ms": NOW}
    return msgspec.convert({**members, "conversation": f"talk-{name}", "state": state}, Delivery)


def said(name: str, advisor: str) -> list[Entry]:
    """What customer and advisor saw of that life."""
    common: dict[str, Any] = {"who": advisor, "kind": Kind.OK, "at_ms": NOW, "ref": name}
    return [
        Entry(at_ms=NOW, who=f"customer-{name}", kind=Kind.OK, what="write", op=f"w-{name}", ref=name, result=name),
        Entry(**common, what="accept", op=f"a-{name}", result="assigned"),
        Entry(**common, what="reply", op=f"r-{name}", result="done", text=f"answer to {name}"),
        Entry(**common, what="resolve", op=f"e-{name}", result="done"),
        Entry(at_ms=NOW, who=f"customer-{name}", kind=Kind.HEARD, what="reply", text=f"answer to {name}"),
    ]


def advisor(name: str, **more: Any) -> AdvisorState:
    members: dict[str, Any] = {"id": name, "budget": 10, "presence": Presence.ONLINE, "timers": {"lease|1": NOW}}
    return AdvisorState(**{**members, **more})


def evidence(tale: Tale, names: Sequence[str] = ("a", "b"), **more: Any) -> Evidence:
    last = {event.subject: event.case for event in tale.events}
    status = PoolNumbers(gen=1, number=tale.number, trimmed=tale.number)
    snapshot = Snapshot(
        status=status,
        cases={name: state_of(post) for name, post in last.items()},
        transcripts={name: (name,) for name in last},
        advisors={name: advisor(name) for name in ("ann", "bob")},
    )
    found = Evidence(
        snapshot=snapshot,
        now_ms=NOW + 100,
        history=tuple(entry for name in names for entry in said(name, "ann")),
        events=tale.heard(),
        advisors=tuple(tale.advisors),
        inquiries=tuple(
            InquiryRecord(partition=0, offset=at, id=n, conversation=f"talk-{n}") for at, n in enumerate(names)
        ),
        replies=tuple(reply_to(name) for name in names),
        deliveries=tuple(delivery_of(name, DeliveryState.SENT) for name in names),
        online=frozenset({"ann"}),
        bites={"kill": 1},
        wanted_bites=("kill",),
    )
    return replace(found, **more)


def good() -> Evidence:
    tale = Tale()
    tale.online("ann")
    a_life(tale, "a", "ann")
    a_life(tale, "b", "ann")
    return evidence(tale)
