"""The checker: which promise does the evidence show broken, and by what. Pure; proved on bad histories by its tests."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from typing import Final

from msgspec import structs

from router.contract.advisor import WorkKind
from router.contract.case import CaseStatus
from router.contract.events import CaseEvent, EventType
from router.contract.messages import DeliveryState
from tests.suites.faults.evidence import Evidence, Promise, Violation
from tests.suites.faults.excluded import excluded
from tests.suites.faults.folding import fold
from tests.suites.faults.history import Entry, Kind
from tests.suites.faults.timers import timers

_RESTING: Final = frozenset({CaseStatus.PENDING, CaseStatus.RESOLVED})
# What a timer that is handed out again moves in the store without telling anybody.
_UNTOLD: Final = frozenset({"timers", "detail", "why"})
_EFFECT: Final = {"accept": EventType.ACCEPT, "resolve": EventType.RESOLVE}

Check = Callable[[Evidence], Iterator[Violation]]


def check(evidence: Evidence) -> list[Violation]:
    """All violations; none when every promise was kept and the fault took place."""
    return [violation for look in CHECKS for violation in look(evidence)]


def _violation(promise: Promise, text: str) -> Violation:
    return Violation(promise=promise, evidence=text)


def distinct(evidence: Evidence) -> list[CaseEvent]:
    """Each event once, in the order in which the store made them."""
    seen = {heard.event.id: heard.event for heard in evidence.events}
    return sorted(seen.values(), key=lambda event: (event.gen, event.number))


def _inquiries(evidence: Evidence) -> Iterator[Violation]:
    """Accepted inquiries: each in one event, in its case's transcript once, or among the letters."""
    applied: Counter[str] = Counter(event.about for event in distinct(evidence) if event.type is EventType.ADMIT)
    said: Counter[str] = Counter(id_ for ids in evidence.snapshot.transcripts.values() for id_ in ids)
    closed = {event.subject for event in distinct(evidence) if event.type is EventType.CLOSE}
    homes = {event.about: event.subject for event in distinct(evidence) if event.type is EventType.ADMIT}
    for entry in evidence.history:
        if entry.kind is not Kind.OK or entry.what != "write":
            continue
        if entry.result in evidence.letters:
            continue
        if not applied[entry.result]:
            yield _violation(Promise.NOT_LOST, f"{entry.ref} ({entry.result}) was accepted and never applied")
        elif not said[entry.result] and homes[entry.result] not in closed:
            yield _violation(Promise.NOT_LOST, f"{entry.ref} ({entry.result}) is not in the transcript of its case")
    for where, counts in (("events", applied), ("transcripts", said)):
        for id_, times in counts.items():
            if times > 1:
                yield _violation(Promise.NOT_DOUBLED, f"inquiry {id_} is in {times} {where}")


def _conversations(evidence: Evidence) -> Iterator[Violation]:
    """At most one open case a conversation."""
    open_cases: dict[str, list[str]] = defaultdict(list)
    for case in evidence.snapshot.cases.values():
        open_cases[case.conversation].append(case.id)
    for conversation, cases in open_cases.items():
        if len(cases) > 1:
            yield _violation(Promise.NOT_DOUBLED, f"conversation {conversation} has the cases {sorted(cases)}")


def _order(evidence: Evidence) -> Iterator[Violation]:
    """The inquiries of a conversation are applied as they lie on the bus."""
    wanted: dict[str, dict[str, None]] = defaultdict(dict)
    for record in sorted(evidence.inquiries, key=lambda record: (record.partition, record.offset)):
        wanted[record.conversation].setdefault(record.id)
    found: dict[str, list[str]] = defaultdict(list)
    for event in distinct(evidence):
        if event.type is EventType.ADMIT and event.about not in found[event.case.conversation]:
            found[event.case.conversation].append(event.about)
    for conversation, ids in found.items():
        if conversation not in wanted:
            continue
        expected = [id_ for id_ in wanted[conversation] if id_ in ids]
        if ids != expected:
            yield _violation(Promise.ORDER, f"{conversation}: {ids} were applied, on the bus they are {expected}")


def _versions(evidence: Evidence) -> Iterator[Violation]:
    """Events of a case come on its partition in the order of versions, each first time one more than the last."""
    last: dict[tuple[str, int], int] = {}
    homes: dict[str, int] = {}
    step: dict[str, int] = {}
    for heard in sorted(evidence.events, key=lambda heard: (heard.partition, heard.offset)):
        event = heard.event
        if homes.setdefault(event.subject, heard.partition) != heard.partition:
            yield _violation(Promise.VERSIONS, f"{event.id} is not on the partition of its case")
        before = last.get((event.subject, event.gen))
        if before is not None and event.ver <= before:
            continue
        first = before is None and event.gen == 1
        if (first and event.ver != 1) or (before is not None and event.ver != before + 1):
            yield _violation(Promise.VERSIONS, f"{event.id} follows version {before or 0}")
        last[event.subject, event.gen] = event.ver
        if event.case.step < step.get(event.subject, 0):
            yield _violation(Promise.STEPS, f"{event.id} goes down to step {event.case.step}")
        step[event.subject] = event.case.step


def _numbers(evidence: Evidence) -> Iterator[Violation]:
    """Every number that the outbox gave is on the bus, and none twice for different things; but for those of advisors'
    records that were replaced since."""
    found: dict[int, dict[int, str]] = defaultdict(dict)
    things = [(heard.event.gen, heard.event.number, str(heard.event.id)) for heard in evidence.events]
    things += [(record.gen, record.number, f"advisor {record.id}") for record in evidence.advisors if record.number]
    for gen, number, name in things:
        if found[gen].setdefault(number, name) != name:
            yield _violation(Promise.NUMBERS, f"number {gen}.{number} is {found[gen][number]} and {name}")
    status = evidence.snapshot.status
    told = found[status.gen]
    # The first number of a rebuilt pool lies far above the last one before: what is missing isn't listed but counted.
    first = 1 if status.gen == 1 else min(told, default=status.trimmed + 1)
    missing = status.trimmed + 1 - first - sum(first <= number <= status.trimmed for number in told)
    if missing > evidence.compacted:
        begins = next(number for number in range(first, status.trimmed + 1) if number not in told)
        yield _violation(Promise.NUMBERS, f"{missing} of those up to {status.trimmed} are missing, {begins} first")


def _duplicates(evidence: Evidence) -> Iterator[Violation]:
    first: dict[str, CaseEvent] = {}
    for heard in evidence.events:
        if first.setdefault(heard.event.id, heard.event) != heard.event:
            yield _violation(Promise.DUPLICATES, f"event {heard.event.id} is there with two contents")
    replies: dict[str, object] = {}
    for reply in evidence.replies:
        if replies.setdefault(reply.id, reply) != reply:
            yield _violation(Promise.DUPLICATES, f"reply {reply.id} is there with two contents")


def _snapshot(evidence: Evidence) -> Iterator[Violation]:
    """The newest event of each case is what the store has, and work sets add up."""
    last = {event.subject: event for event in distinct(evidence)}
    cases = evidence.snapshot.cases
    for subject, event in last.items():
        if event.type in (EventType.CLOSE, EventType.MOVE):
            continue
        state = cases.get(subject)
        if state is None:
            yield _violation(Promise.SNAPSHOT, f"{subject} is {event.case.state} by {event.id} and not in the store")
            continue
        told, held = structs.asdict(event.case), structs.asdict(state)
        if event.gen < evidence.snapshot.status.gen:  # a rebuild gives all of it the next gen, and tells nobody
            told["gen"] = evidence.snapshot.status.gen
        differing = [name for name in held if name not in _UNTOLD and name in told and told[name] != held[name]]
        if differing:
            yield _violation(Promise.SNAPSHOT, f"{event.id} and the store differ in {differing}")
    for unheard in cases.keys() - last.keys():
        yield _violation(Promise.SNAPSHOT, f"{unheard} is in the store and has no event")
    yield from _work_sets(evidence)


def _work_sets(evidence: Evidence) -> Iterator[Violation]:
    held: dict[str, set[str]] = defaultdict(set)
    for advisor in evidence.snapshot.advisors.values():
        if advisor.load > advisor.budget and not _has_over(evidence, advisor.work):
            yield _violation(Promise.CAPACITY, f"{advisor.id} has {advisor.load} of {advisor.budget} at the end")
        for case, item in advisor.work.items():
            if item.kind is not WorkKind.WRAP_UP:
                held[case].add(advisor.id)
    for name, state in evidence.snapshot.cases.items():
        rests = state.state in _RESTING or state.state is CaseStatus.QUEUED
        holders = {offer.advisor for offer in state.offers} | ({state.owner} if state.owner and not rests else set())
        holders |= set(state.consults)
        if held[name] != holders:
            yield _violation(
                Promise.ONE_OWNER, f"{name} is {state.state} with {sorted(holders)}, in {sorted(held[name])}"
            )


def _has_over(evidence: Evidence, work: dict[str, object] | object) -> bool:
    assert isinstance(work, dict)
    return any(case in evidence.snapshot.cases and evidence.snapshot.cases[case].over for case in work)


def _operations(evidence: Evidence) -> Iterator[Violation]:
    results: dict[str, str] = {}
    for entry in evidence.history:
        if entry.kind is Kind.OK and entry.op and results.setdefault(entry.op, entry.result) != entry.result:
            yield _violation(Promise.OPERATIONS, f"{entry.op} gave {results[entry.op]}, then {entry.result}")


def _confirmed(evidence: Evidence) -> Iterator[Violation]:
    """What an advisor was told is done is on the bus: his replies, what he took and what he resolved."""
    replied = Counter((reply.case, reply.text) for reply in {reply.id: reply for reply in evidence.replies}.values())
    acted = {(event.subject, event.type, event.about) for event in distinct(evidence)}
    for entry in _said_done(evidence):
        if entry.what == "reply":
            times = replied[entry.ref, entry.text]  # type: ignore[index]
            if times != 1:
                yield _violation(Promise.CONFIRMED, f"{entry.who}'s {entry.text!r} is on the bus {times} times")
        elif entry.what in _EFFECT and (entry.ref, _EFFECT[entry.what], entry.who) not in acted:
            yield _violation(Promise.CONFIRMED, f"{entry.who} was told that {entry.what} of {entry.ref} is done")


def _said_done(evidence: Evidence) -> Iterator[Entry]:
    """And is durable: of what isn't yet, the advisor was told so."""
    return (one for one in evidence.history if one.kind is Kind.OK and one.what != "write" and one.durable)


def _replies(evidence: Evidence) -> Iterator[Violation]:
    """Each reply was heard once, or its delivery says that it failed or that nobody knows; and nothing else was."""
    heard: Counter[str] = Counter(entry.text for entry in evidence.history if entry.kind is Kind.HEARD)
    became: dict[str, set[DeliveryState]] = defaultdict(set)
    for delivery in evidence.deliveries:
        became[delivery.reply].add(delivery.state)
    written = {reply.id: reply for reply in evidence.replies}
    for reply in written.values():
        times, states = heard[reply.text], became[reply.id]
        marked = bool(states & {DeliveryState.FAILED, DeliveryState.UNKNOWN})
        if times > 1 or (times == 0 and not marked):
            yield _violation(
                Promise.REPLIES, f"{reply.text!r} was heard {times} times, its deliveries: {sorted(states)}"
            )
        elif len(states) != 1:
            yield _violation(Promise.REPLIES, f"{reply.text!r} has the deliveries {sorted(states)}")
    texts = {reply.text for reply in written.values()}
    for text in heard.keys() - texts:
        yield _violation(Promise.REPLIES, f"{text!r} was heard and is not on the bus")


def _probes(evidence: Evidence) -> Iterator[Violation]:
    """What the run measured itself."""
    for id_ in evidence.committed_early:
        yield _violation(Promise.COMMITS, f"the offset of {id_} is committed, its event is not on the bus")
    for text in evidence.stale:
        yield _violation(Promise.FENCES, text)
    for text in evidence.uncounted:
        yield _violation(Promise.PRESENCE, text)
    if evidence.repeated:
        yield _violation(Promise.REPEATS, f"{evidence.repeated} requests came again as they were")
    for name, left in evidence.backlog.items():
        if left:
            yield _violation(Promise.DRAINED, f"{name}: {left} left")
    for name in sorted(evidence.online):
        advisor = evidence.snapshot.advisors.get(name)
        if advisor is None or advisor.presence != "online" or not advisor.connections:
            yield _violation(Promise.PRESENCE, f"{name} has a session open and is {advisor and advisor.presence}")
    if evidence.swept:
        yield _violation(Promise.WAITING, f"the sweep found {evidence.swept} cases")


def _letters(evidence: Evidence) -> Iterator[Violation]:
    for letter in evidence.letters:
        if letter not in evidence.expected_letters:
            yield _violation(Promise.LETTERS, f"{letter} is among the dead letters")
    for letter in evidence.expected_letters - set(evidence.letters):
        yield _violation(Promise.LETTERS, f"{letter} is poison and not among the dead letters")


def _bites(evidence: Evidence) -> Iterator[Violation]:
    for name in evidence.wanted_bites:
        if not evidence.bites.get(name):
            yield _violation(Promise.BITES, f"{name} did not happen: the run proves nothing")


def _folds(evidence: Evidence) -> Iterator[Violation]:
    return fold(evidence, distinct(evidence))


def _excluded(evidence: Evidence) -> Iterator[Violation]:
    return excluded(distinct(evidence))


def _timers(evidence: Evidence) -> Iterator[Violation]:
    return timers(evidence, distinct(evidence))


CHECKS: Final[tuple[Check, ...]] = (
    _inquiries,
    _conversations,
    _order,
    _versions,
    _numbers,
    _duplicates,
    _snapshot,
    _operations,
    _confirmed,
    _replies,
    _folds,
    _excluded,
    _timers,
    _probes,
    _letters,
    _bites,
)
