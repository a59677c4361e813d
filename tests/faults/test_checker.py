"""The checker on histories made by hand: the good one passes, and each bad one breaks the promise it should."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from router.contract.advisor import Work, WorkKind
from router.contract.case import CaseStatus
from router.contract.exclusion import Exclusion
from router.contract.messages import DeliveryState
from tests.suites.faults.checker import check
from tests.suites.faults.evidence import Evidence, Promise
from tests.suites.faults.excluded import excluded
from tests.suites.faults.history import Entry, Kind
from tests.suites.faults.tales import HOUR, NOW, Tale, advisor, case, delivery_of, evidence, good


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


def given_into_a_wrap_up(found: Evidence) -> Evidence:
    return replace(found, wrap_ups_ms={"webhook": 1_000})


def parked_with_one_taken_up_by_another(found: Evidence) -> Evidence:
    parked = with_case(found, 3, state=CaseStatus.PARKED)
    return with_case(parked, 4, state=CaseStatus.ASSIGNED, owner="bob")


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


def excluded_and_has_it(found: Evidence) -> Evidence:
    return with_case(found, 1, excluded=("ann", "minji"))


def excluded_and_offered(found: Evidence) -> Evidence:
    (offer,) = found.events[0].event.case.offers
    return with_case(found, 0, excluded=(str(offer.advisor),))


def excluded_and_asked_in(found: Evidence) -> Evidence:
    return with_case(found, 1, excluded=("zoe",), consults={"zoe": 1})


def exclusion_forgotten(found: Evidence) -> Evidence:
    return with_case(found, 1, excluded=("zoe",))


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
    (excluded_and_has_it, Promise.EXCLUDED),
    (excluded_and_offered, Promise.EXCLUDED),
    (excluded_and_asked_in, Promise.EXCLUDED),
    (exclusion_forgotten, Promise.EXCLUDED),
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
    (given_into_a_wrap_up, Promise.CAPACITY),
    (parked_with_one_taken_up_by_another, Promise.PARKED),
    (waited, Promise.WAITING),
    (lambda found: replace(found, swept=1), Promise.WAITING),
    (lambda found: replace(found, committed_early=("a",)), Promise.COMMITS),
    (lambda found: replace(found, stale=("an act was done",)), Promise.FENCES),
    (lambda found: replace(found, uncounted=("ann was not connected",)), Promise.PRESENCE),
    (lambda found: replace(found, repeated=1), Promise.REPEATS),
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


def rebuilt(found: Evidence, *, far: int = 10**12) -> Evidence:
    """All of it in a pool's second life, whose numbers begin far above those of the first."""
    heard = [replace(each, event=replace(each.event, gen=2, number=far + each.event.number)) for each in found.events]
    end = far + found.snapshot.status.trimmed
    status = replace(found.snapshot.status, gen=2, number=end, trimmed=end)
    return replace(found, events=tuple(heard), snapshot=replace(found.snapshot, status=status))


def test_what_compaction_took_may_be_missing_and_no_more() -> None:
    found = good()
    lost = replace(found, events=found.events[:2] + found.events[3:])
    assert Promise.NUMBERS not in promises(replace(lost, compacted=1))
    assert Promise.NUMBERS in promises(replace(lost, events=lost.events[:1] + lost.events[2:], compacted=1))


def test_the_numbers_of_a_rebuilt_pool_begin_anywhere_and_have_no_gap() -> None:
    found = rebuilt(good())
    assert Promise.NUMBERS not in promises(found)
    assert Promise.NUMBERS in promises(replace(found, events=found.events[:2] + found.events[3:]))


def test_what_was_rebuilt_is_the_same_in_the_next_gen() -> None:
    found = good()
    cases = {name: replace(state, gen=2) for name, state in found.snapshot.cases.items()}
    assert Promise.SNAPSHOT in promises(replace(found, snapshot=replace(found.snapshot, cases=cases)))
    status = replace(found.snapshot.status, gen=2)
    assert promises(replace(found, snapshot=replace(found.snapshot, status=status, cases=cases))) == set()


def test_what_is_marked_is_kept() -> None:
    """Unheard and said to be unknown, put aside as planned, and above capacity by an act that says so."""
    found = not_heard(good())
    unknown = tuple(delivery_of(name, DeliveryState.UNKNOWN) for name in ("a", "b"))
    assert check(replace(found, deliveries=unknown)) == []
    lost = never_applied(good())
    assert check(replace(lost, letters=("x",), expected_letters=frozenset({"x"}))) == []


def test_what_a_rulebook_allows_is_no_fault() -> None:
    found = good()
    offers = found.events[0].event.case.offers
    two = with_case(found, 0, offers=(*offers, replace(offers[0], advisor="bob")))
    assert promises(two) == {Promise.ONE_OWNER}
    assert promises(replace(two, rings={"general": 2})) == set()
    assert promises(replace(found, wrap_ups_ms={"webhook": 1, "call": 1_000})) == {Promise.CAPACITY}
    assert promises(replace(found, wrap_ups_ms={"call": 1_000})) == set()
    assert promises(with_case(found, 3, state=CaseStatus.PARKED)) == set()


ADVICE: list[tuple[int, dict[str, int], dict[str, int], set[Promise]]] = [
    (1, {"bob": 10}, {}, set()),
    (1, {}, {"bob": 10}, set()),
    (1, {"bob": 11}, {}, {Promise.CAPACITY}),
    (1, {}, {"bob": 11}, {Promise.CAPACITY}),
    (1, {"ann": 0}, {}, {Promise.ONE_OWNER}),
    (1, {}, {"ann": 0}, {Promise.ONE_OWNER}),
    (0, {"bob": 1}, {}, {Promise.ONE_OWNER}),
    (0, {}, {"bob": 1}, {Promise.ONE_OWNER}),
]


@pytest.mark.parametrize(("at", "consults", "rung", "broken"), ADVICE)
def test_advice_takes_room_beside_an_owner(
    at: int, consults: dict[str, int], rung: dict[str, int], broken: set[Promise]
) -> None:
    found = good()
    offer = found.events[0].event.case.offers[0]
    rings = tuple(replace(offer, advisor=name, units=units) for name, units in rung.items())
    offers = (*found.events[at].event.case.offers, *rings)
    assert promises(with_case(found, at, consults=consults, offers=offers)) == broken


def test_an_exclusion_that_somebody_lifted_is_not_forgotten_nor_is_who_was_in_before_it_got_in_by_it() -> None:
    lifted = Exclusion(advisor="zoe", at_ms=NOW, by="key-1", lifted=True)
    tale = Tale()
    tale.tell("admit", "c", case("c", 1, CaseStatus.QUEUED, excluded=("zoe",)))
    tale.tell("assign", "zoe", case("c", 2, CaseStatus.ASSIGNED, owner="zoe", exclusions=(lifted,)))
    tale.tell("consult", "bob", case("c", 3, CaseStatus.ASSIGNED, owner="zoe", consults={"bob": 1}))
    bob = case("c", 4, CaseStatus.ASSIGNED, owner="zoe", consults={"bob": 1}, excluded=("bob",))
    tale.tell("rejudge", "exclude bob", bob)
    assert list(excluded(tale.events)) == []


def test_advice_ends_with_its_case() -> None:
    """Its room isn't taken any more once an event doesn't show it, nor by a wrap-up."""
    found = replace(with_case(good(), 1, consults={"bob": 10}), wrap_ups_ms={"webhook": 0})
    later = case("c", 1, CaseStatus.ASSIGNED, owner="bob")
    tale = Tale()
    for heard in found.events:
        tale.tell(heard.event.type.split(".")[2], heard.event.about, heard.event.case)
    tale.tell("assign", "bob", later)
    assert Promise.CAPACITY not in promises(replace(found, events=tale.heard()))
