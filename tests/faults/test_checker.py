"""The checker on histories made by hand: the good one passes, and each bad one breaks the promise it should."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from router.contract.advisor import AdvisorState, Presence, Work, WorkKind
from router.contract.case import Case, CaseState, CaseStatus
from router.contract.events import CaseEvent
from router.contract.messages import Delivery, DeliveryState, Reply
from router.store.protocol import PoolStatus
from tests.suites.fault_checker import check
from tests.suites.fault_evidence import (
    AdvisorRecord,
    Evidence,
    HeardEvent,
    InquiryRecord,
    Promise,
    Snapshot,
)
from tests.suites.fault_history import Entry, Kind

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
    status = PoolStatus(
        gen=1,
        format=1,
        now_ms=NOW,
        change=1,
        number=tale.number,
        trimmed=tale.number,
        queued=0,
        classes=0,
        work=0,
        timers=0,
        next_timer_ms=None,
    )
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


def promises(found: Evidence) -> set[Promise]:
    return {violation.promise for violation in check(found)}


def test_a_good_run_breaks_nothing() -> None:
    assert check(good()) == []


def test_a_repeat_breaks_nothing() -> None:
    found = good()
    again = tuple(replace(heard, offset=heard.offset + 1000) for heard in found.events)
    assert (
        check(replace(found, events=found.events + again, replies=found.replies * 2, deliveries=found.deliveries * 2))
        == []
    )


def with_event(found: Evidence, at: int, **more: Any) -> Evidence:
    """With another event in that place."""
    events = list(found.events)
    events[at] = replace(events[at], event=replace(events[at].event, **more))
    return replace(found, events=tuple(events))


def with_case(found: Evidence, at: int, **more: Any) -> Evidence:
    return with_event(found, at, case=replace(found.events[at].event.case, **more))


def without_events(found: Evidence, *places: int) -> Evidence:
    return replace(found, events=tuple(heard for at, heard in enumerate(found.events) if at not in places))


def with_snapshot(found: Evidence, **more: Any) -> Evidence:
    return replace(found, snapshot=replace(found.snapshot, **more))


def without_history(found: Evidence, kind: Kind, what: str) -> Evidence:
    return replace(found, history=tuple(one for one in found.history if (one.kind, one.what) != (kind, what)))


def never_applied(found: Evidence) -> Evidence:
    extra = Entry(at_ms=NOW, who="c", kind=Kind.OK, what="write", op="w", ref="x", result="x")
    return replace(found, history=(*found.history, extra))


def applied_twice(found: Evidence) -> Evidence:
    return with_event(found, 5, about="a")


def two_cases(found: Evidence) -> Evidence:
    cases = found.snapshot.cases
    return with_snapshot(found, cases=cases | {"b": replace(cases["b"], conversation="talk-a")})


def said_twice(found: Evidence) -> Evidence:
    return with_snapshot(found, transcripts={"a": ("a", "a"), "b": ("b",)})


def not_said(found: Evidence) -> Evidence:
    return with_snapshot(found, transcripts={"a": (), "b": ("b",)})


def wrong_order(found: Evidence) -> Evidence:
    second = replace(found.inquiries[0], id="b", offset=0)
    first = replace(found.inquiries[0], offset=1)
    one_talk = with_case(found, 5, conversation="talk-a")
    return replace(one_talk, inquiries=(second, first))


def two_owners(found: Evidence) -> Evidence:
    offers = found.events[0].event.case.offers
    return with_case(found, 1, offers=(replace(offers[0], advisor="bob"),))


def two_work_sets(found: Evidence) -> Evidence:
    people = found.snapshot.advisors
    work = {"a": Work(units=10, channel="webhook", kind=WorkKind.CASE)}
    return with_snapshot(found, advisors={name: replace(one, work=work) for name, one in people.items()})


def above_capacity(found: Evidence) -> Evidence:
    held = without_events(found, 4)  # the first is never resolved, and the second comes on top
    return with_snapshot(held, status=replace(found.snapshot.status, trimmed=0))


def too_much_at_the_end(found: Evidence) -> Evidence:
    work = {"a": Work(units=20, channel="webhook", kind=WorkKind.CASE)}
    return with_snapshot(found, advisors={"ann": advisor("ann", work=work)})


def early(found: Evidence) -> Evidence:
    return with_event(found, 2, at_ms=NOW + 4)


def unarmed(found: Evidence) -> Evidence:
    return with_case(found, 1, timers={})


def never_fired(found: Evidence) -> Evidence:
    return with_snapshot(found, status=replace(found.snapshot.status, next_timer_ms=NOW - HOUR))


def step_down(found: Evidence) -> Evidence:
    return with_case(found, 2, step=1)


def gap(found: Evidence) -> Evidence:
    return without_events(found, 2)


def swapped(found: Evidence) -> Evidence:
    first, second = found.events[1], found.events[2]
    rest = without_events(found, 1, 2).events
    return replace(found, events=(*rest, replace(first, offset=2), replace(second, offset=1)))


def other_content(found: Evidence) -> Evidence:
    other = replace(found.events[0], event=replace(found.events[0].event, reason="other"), offset=99)
    return replace(found, events=(*found.events, other))


def other_reply(found: Evidence) -> Evidence:
    return replace(found, replies=(*found.replies, replace(found.replies[0], subject="other")))


def other_state(found: Evidence) -> Evidence:
    cases = found.snapshot.cases
    return with_snapshot(found, cases=cases | {"a": replace(cases["a"], ver=4)})


def gone_from_store(found: Evidence) -> Evidence:
    return with_snapshot(found, cases={"a": found.snapshot.cases["a"]})


def no_event_at_all(found: Evidence) -> Evidence:
    cases = found.snapshot.cases
    return with_snapshot(found, cases=cases | {"z": replace(cases["a"], conversation="z")})


def two_results(found: Evidence) -> Evidence:
    again = replace(found.history[1], result="same")
    return replace(found, history=(*found.history, again))


def reply_not_made(found: Evidence) -> Evidence:
    return replace(without_history(found, Kind.HEARD, "reply"), replies=(), deliveries=())


def not_resolved(found: Evidence) -> Evidence:
    return with_event(found, 4, about="bob")


def heard_twice(found: Evidence) -> Evidence:
    return replace(found, history=(*found.history, found.history[4]))


def not_heard(found: Evidence) -> Evidence:
    return without_history(found, Kind.HEARD, "reply")


def no_delivery(found: Evidence) -> Evidence:
    return replace(found, deliveries=())


def waited(found: Evidence) -> Evidence:
    later = Tale()
    later.online("ann")
    later.tell("admit", "a", case("a", 1, CaseStatus.QUEUED))
    later.at_ms += HOUR
    later.tell("accept", "ann", case("a", 2, CaseStatus.ASSIGNED, owner="ann"))
    return replace(evidence(later, ()), replies=(), deliveries=())


BAD: list[tuple[Callable[[Evidence], Evidence], Promise]] = [
    (never_applied, Promise.NOT_LOST),
    (not_said, Promise.NOT_LOST),
    (applied_twice, Promise.NOT_DOUBLED),
    (two_cases, Promise.NOT_DOUBLED),
    (said_twice, Promise.NOT_DOUBLED),
    (wrong_order, Promise.ORDER),
    (two_owners, Promise.ONE_OWNER),
    (two_work_sets, Promise.ONE_OWNER),
    (above_capacity, Promise.CAPACITY),
    (too_much_at_the_end, Promise.CAPACITY),
    (early, Promise.TIMERS),
    (unarmed, Promise.TIMERS),
    (never_fired, Promise.TIMERS),
    (step_down, Promise.STEPS),
    (gap, Promise.VERSIONS),
    (gap, Promise.NUMBERS),
    (swapped, Promise.VERSIONS),
    (other_content, Promise.DUPLICATES),
    (other_reply, Promise.DUPLICATES),
    (other_state, Promise.SNAPSHOT),
    (gone_from_store, Promise.SNAPSHOT),
    (no_event_at_all, Promise.SNAPSHOT),
    (two_results, Promise.OPERATIONS),
    (reply_not_made, Promise.CONFIRMED),
    (not_resolved, Promise.CONFIRMED),
    (heard_twice, Promise.REPLIES),
    (not_heard, Promise.REPLIES),
    (no_delivery, Promise.REPLIES),
    (waited, Promise.WAITING),
    (lambda found: replace(found, swept=1), Promise.WAITING),
    (lambda found: replace(found, committed_early=("a",)), Promise.COMMITS),
    (lambda found: replace(found, stale=("an act was done",)), Promise.FENCES),
    (lambda found: replace(found, backlog={"outbox": 1}), Promise.DRAINED),
    (lambda found: replace(found, online=frozenset({"ann", "zoe"})), Promise.PRESENCE),
    (lambda found: replace(found, letters=("k",)), Promise.LETTERS),
    (lambda found: replace(found, expected_letters=frozenset({"k"})), Promise.LETTERS),
    (lambda found: replace(found, bites={}), Promise.BITES),
]


@pytest.mark.parametrize(("spoil", "promise"), BAD)
def test_a_bad_history_breaks_its_promise(spoil: Callable[[Evidence], Evidence], promise: Promise) -> None:
    assert promise in promises(spoil(good()))


def test_every_promise_can_be_seen_broken() -> None:
    assert {promise for _, promise in BAD} == set(Promise)


def test_what_is_marked_is_kept() -> None:
    """Unheard and said to be unknown, put aside as planned, and above capacity by an act that says so."""
    found = not_heard(good())
    unknown = tuple(delivery_of(name, DeliveryState.UNKNOWN) for name in ("a", "b"))
    assert check(replace(found, deliveries=unknown)) == []
    lost = never_applied(good())
    assert check(replace(lost, letters=("x",), expected_letters=frozenset({"x"}))) == []
