"""One realistic case event of every type, in both forms: the state of the store and the message."""

from typing import Any, Final

import msgspec
from msgspec.structs import replace

from router.contract import (
    Ask,
    Case,
    CaseDetail,
    CaseEvent,
    CaseState,
    CaseStatus,
    Climb,
    Clock,
    DueMove,
    EventType,
    Exclusion,
    FinishedClock,
    Offer,
    Pending,
    Replanned,
    SentReply,
    event_id,
    write_detail,
)
from rules.verdict import Reason, Verdict, Want
from tests.suites.wire_examples import BEN, CASE, CONVERSATION, INQUIRY_ID, MAIL, MAIN, MINJI, REPLY_ID, START_MS

HOUR: Final = 3_600_000
WHY: Final = (
    '{"kind":"match","winner":"minji","removed":{"ben":"language: wants ko 5, has 2","alice":"declined 4 min ago"},'
    '"terms":{"idle_s":312}}'
)
VERDICT: Final = Verdict(
    queue="returns",
    priority=2,
    wants=(Want("returns", 3), Want("complaints", 1, hard=False)),
    language="ko",
    policy="standard",
    ladder="normal",
    labels=("returns", "깨진 상품"),
    acknowledge=True,
    reasons=(Reason("returns-ko", ("queue", "wants")), Reason("defaults", ("priority", "policy"))),
    rulebook="3b1f0c9e",
    exclude=("last-advisor",),
    language_level=5,
)
RUNNING: Final = Clock(target_ms=HOUR, running_since_ms=START_MS)
STOPPED: Final = Clock(target_ms=HOUR, used_ms=180_000, met_at_ms=START_MS + 180_000)
FINISHED: Final = FinishedClock(
    clock="first_response", ver=19, at_ms=START_MS + 180_000, target_ms=HOUR, margin_ms=3_420_000, policy="standard"
)
REPLANNED: Final = Replanned(
    at_ms=START_MS + 24_000,
    rulebook="5d1e7c02a9b84f36",
    moved={"first_response": DueMove(was_ms=START_MS + HOUR, now_ms=START_MS + 9 * HOUR)},
    overdue=("resolution",),
)
WAITING: Final = {"warn.first_response|0": START_MS + 2_700_000, "breach.first_response|0": START_MS + HOUR}
SENDING: Final = (SentReply(id=REPLY_ID, at_ms=START_MS + 180_000, advisor=MINJI),)
SENT: Final = (SentReply(id=REPLY_ID, at_ms=START_MS + 180_000, advisor=MINJI, state="sent"),)
CLIMBED: Final = Climb(
    step=1,
    at_ms=START_MS + 500_000,
    trigger="by-hand",
    ladder="normal",
    rung=1,
    by=MINJI,
    reason="over my head",
    owner=MINJI,
    raised=1,
    tier="senior",
    sets="legal",
)
EXCLUSION: Final = Exclusion(
    advisor=MINJI, at_ms=START_MS + 30_000, by=MINJI, reason="a friend of mine", rules=("friends",), lifted=True
)
CLASS: Final = "returns|email|10|ko:5,returns:3|2|standard|first_response||"

QUEUED: Final[dict[str, Any]] = {"state": CaseStatus.QUEUED, "class_key": CLASS, "timers": WAITING}
OFFERED: Final[dict[str, Any]] = {
    "state": CaseStatus.OFFERED,
    "offers": (Offer(advisor=MINJI, ver=2, deadline_ms=START_MS + 30_000),),
    "timers": WAITING | {"offer|2": START_MS + 30_000},
}
ASSIGNED: Final[dict[str, Any]] = {"state": CaseStatus.ASSIGNED, "owner": MINJI, "timers": WAITING}
PENDING: Final[dict[str, Any]] = {"state": CaseStatus.PENDING, "owner": MINJI}
RESOLVED: Final[dict[str, Any]] = {"state": CaseStatus.RESOLVED, "timers": {"close|0": START_MS + 72 * HOUR}}
ANSWERED: Final[dict[str, Any]] = {"clocks": {"first_response": STOPPED}, "replies": SENT, "replies_count": 1}
DONE: Final[dict[str, Any]] = ANSWERED | {"outcome": "exchanged", "last_advisor": MINJI}

ASK: Final = Ask(
    by=MINJI,
    at_ms=START_MS + 230_000,
    queue="returns",
    tier="senior",
    skills={"returns": 5},
    tried={"advisor-2": START_MS + 350_000},
    last="advisor-2",
    end="declined",
)
CUSTOMER: Final = Pending(on="customer", since_ms=START_MS + 240_000, reason="a photo of the box")
COURIER: Final = Pending(on="third-party", since_ms=START_MS + 240_000, until_ms=START_MS + 26 * HOUR)

# type: flat members, members of the detail, outcome and the rest of the event
EVENTS: Final[dict[EventType, tuple[dict[str, Any], dict[str, Any], dict[str, str]]]] = {
    EventType.ADMIT: (QUEUED, {"acknowledged": True}, {"outcome": "queued", "about": INQUIRY_ID}),
    EventType.MATCH: (OFFERED, {}, {"outcome": "offered", "about": MINJI}),
    EventType.ASSIGN: (
        ASSIGNED | {"over": True},
        {},
        {"outcome": "assigned", "actor": "key-2", "about": MINJI, "reason": "고객이 지정함"},
    ),
    EventType.ACCEPT: (ASSIGNED, {}, {"outcome": "assigned", "actor": MINJI, "about": MINJI}),
    EventType.DECLINE: (
        QUEUED,
        {"declined": {MINJI: START_MS + 330_000}, "excluded": (MINJI,), "exclusions": (EXCLUSION,)},
        {"outcome": "queued", "actor": MINJI, "about": MINJI, "reason": "on the phone"},
    ),
    EventType.EXPIRE: (QUEUED, {"declined": {MINJI: START_MS + 150_000}}, {"outcome": "queued", "about": MINJI}),
    EventType.REQUEUE: (
        QUEUED,
        {"last_advisor": MINJI, "held_for": MINJI, "held_until_ms": START_MS + 600_000},
        {"outcome": "queued", "about": MINJI, "reason": "connection lost"},
    ),
    EventType.TRANSFER: (
        ASSIGNED | {"owner": BEN},
        {"last_advisor": MINJI, "tier": "senior"},
        {"outcome": "assigned", "actor": MINJI, "about": MINJI, "reason": "wants English"},
    ),
    EventType.CONSULT: (
        ASSIGNED
        | {
            "consults": {"advisor-3": 5},
            "offers": (Offer(advisor=BEN, ver=4, deadline_ms=START_MS + 260_000, units=5),),
            "timers": WAITING | {"offer|4": START_MS + 260_000},
        },
        {"ask": ASK},
        {"outcome": "offered", "actor": MINJI, "about": BEN},
    ),
    EventType.HAND_BACK: (
        ASSIGNED,
        {"ask": replace(ASK, last=BEN, end="ended")},
        {"outcome": "done", "actor": BEN, "about": BEN},
    ),
    EventType.PARK: (ASSIGNED | {"state": CaseStatus.PARKED}, {}, {"outcome": "done", "about": MINJI}),
    EventType.UNPARK: (ASSIGNED, {}, {"outcome": "returned", "actor": MINJI, "about": MINJI}),
    EventType.PEND: (PENDING, ANSWERED | {"pending": CUSTOMER}, {"outcome": "done", "actor": MINJI, "about": MINJI}),
    EventType.FOLLOW_UP: (
        PENDING | {"timers": {"follow_up|0": START_MS + 26 * HOUR}},
        ANSWERED | {"pending": COURIER},
        {"outcome": "done", "actor": MINJI, "about": MINJI, "reason": "내일 배송 확인"},
    ),
    EventType.NOTE: (ASSIGNED, {}, {"outcome": "done", "actor": BEN, "op": "key-7:note-1"}),
    EventType.LABEL: (ASSIGNED, {"labels": ("파손", "vip")}, {"outcome": "done", "actor": MINJI}),
    EventType.REPLY: (
        ASSIGNED | {"timers": {}},
        ANSWERED | {"replies": SENDING},
        {"outcome": "done", "actor": MINJI, "about": MINJI},
    ),
    EventType.DELIVERED: (ASSIGNED | {"timers": {}}, ANSWERED, {"outcome": "done", "about": f"{REPLY_ID}=sent"}),
    EventType.RESOLVE: (
        RESOLVED,
        DONE | {"finished": (FINISHED,)},
        {"outcome": "done", "actor": MINJI, "about": MINJI},
    ),
    EventType.CLOSE: ({"state": CaseStatus.CLOSED}, DONE, {"outcome": "done"}),
    EventType.ESCALATE: (
        QUEUED | {"step": 1, "score": 5},
        {"raised": 1, "climbed": (CLIMBED,), "missed_offers": 2, "peak": 1, "last_advisor": MINJI},
        {"outcome": "queued", "actor": MINJI, "about": "1", "reason": "over my head"},
    ),
    EventType.SNOOZE: (
        ASSIGNED | {"timers": {"breach.first_response|0": START_MS + 2 * HOUR}},
        {"chased": 1, "heeded_at_ms": START_MS + 90_000, "put_off_until_ms": START_MS + 3_690_000},
        {"outcome": "done", "actor": "key-2", "reason": "warehouse closed"},
    ),
    EventType.REJUDGE: (
        QUEUED,
        {"placed_at_ms": START_MS + 400_000, "relaxed": 1, "waits_from_ms": START_MS + 300_000},
        {"outcome": "done", "about": "relax 1"},
    ),
    EventType.REPLAN: (
        QUEUED | {"timers": {"breach.first_response|0": START_MS + 9 * HOUR}},
        {
            "clocks": {"first_response": Clock(target_ms=9 * HOUR, running_since_ms=START_MS)},
            "terms": "5d1e7c02a9b84f36",
            "fired": ("warn.first_response|0",),
            "replans": (REPLANNED,),
        },
        {"outcome": "done", "reason": "calendar kr-2026"},
    ),
    EventType.MOVE: (
        {"state": CaseStatus.MOVED},
        {"last_advisor": MINJI, "previous": "0b5f0c4e-7f6a-5d2e-9a51-3f1f9a0f8f11", "reopened": 1},
        {"outcome": "done", "actor": "key-2", "reason": "wholesale customer"},
    ),
    EventType.DUE: (
        QUEUED | {"timers": {"breach.first_response|0": START_MS + HOUR}},
        {},
        {"outcome": "done", "about": "warn.first_response|0"},
    ),
}


def case_state(kind: EventType) -> CaseState:
    """The post-state of the example of that type."""
    flat, detail, _ = EVENTS[kind]
    place = list(EventType).index(kind) + 1
    base: dict[str, Any] = {
        "id": CASE,
        "ver": place,
        "gen": 1,
        "conversation": CONVERSATION,
        "channel": "email",
        "units": 10,
        "opened_at_ms": START_MS,
        "changed_at_ms": START_MS + place * 1_000,
        "score": START_MS + HOUR,
        "inquiries": 2,
        "last_inquiry": INQUIRY_ID,
    }
    known: dict[str, Any] = {
        "account": MAIL,
        "origin": INQUIRY_ID,
        "customer": "haneul@mail.example.kr",
        "verdict": VERDICT,
        "clocks": {"first_response": RUNNING},
        "placed_at_ms": START_MS,
    }
    return CaseState(**base | flat, detail=write_detail(CaseDetail(**known | detail)), why=WHY)


def happening(kind: EventType) -> dict[str, Any]:
    """What ``case_event_bytes`` takes to make the example of that type."""
    place = list(EventType).index(kind) + 1
    return {
        "type": kind,
        "pool": MAIN,
        "state": case_state(kind),
        "number": 100 + place,
        "at_ms": START_MS + place * 1_000,
        **EVENTS[kind][2],
    }


def case_event(kind: EventType) -> CaseEvent:
    """The example as a message, put together without the envelope that it is to be compared with."""
    event = happening(kind)
    state: CaseState = event.pop("state")
    members = msgspec.structs.asdict(state)
    members |= msgspec.structs.asdict(msgspec.json.decode(members.pop("detail"), type=CaseDetail))
    case = Case(**members | {"pool": MAIN, "why": msgspec.Raw(state.why.encode())})
    return CaseEvent(
        id=event_id(state.id, state.gen, state.ver),
        subject=state.id,
        gen=state.gen,
        ver=state.ver,
        case=case,
        **event,
    )
