"""Folding events in the order of the store: who had what at each moment, and who waited while somebody was free."""

from collections.abc import Iterator, Sequence
from typing import Final

from router.contract.case import Case, CaseStatus
from router.contract.events import CaseEvent, EventType
from tests.suites.faults.evidence import AdvisorRecord, Evidence, Promise, Violation

_ENDS: Final = frozenset({EventType.CLOSE, EventType.MOVE})
_AT_HAND: Final = frozenset({CaseStatus.ASSIGNED, CaseStatus.PARKED})
_TAKEN_AWAY: Final = _ENDS | {EventType.ASSIGN, EventType.TRANSFER}


def fold(evidence: Evidence, events: Sequence[CaseEvent]) -> Iterator[Violation]:
    """Cases with two advisors, advisors above their capacity, and cases that waited too long beside a free one."""
    office = _Office(evidence)
    things: list[tuple[int, int, CaseEvent | AdvisorRecord]] = [(one.gen, one.number, one) for one in events]
    things += [(one.gen, one.number, one) for one in evidence.advisors if one.number]
    for _, _, thing in sorted(things, key=lambda thing: thing[:2]):
        yield from office.pass_to(thing.at_ms)
        if isinstance(thing, CaseEvent):
            yield from office.take(thing)
        else:
            office.present[thing.id] = thing.presence
        office.look(thing.at_ms)
    yield from office.pass_to(evidence.now_ms)


def _beside(case: Case) -> dict[str, int]:
    """Who gives advice on the case, or is rung for it, and what that takes of him."""
    rung = {str(offer.advisor): offer.units for offer in case.offers if offer.units is not None}
    return rung | case.consults


class _Office:
    """The state after the events so far."""

    def __init__(self, evidence: Evidence) -> None:
        self.present: dict[str, str] = {}
        self._budgets = {name: advisor.budget for name, advisor in evidence.snapshot.advisors.items()}
        self._bound_ms = evidence.wait_bound_ms
        self._held: dict[str, dict[str, int]] = {}
        self._advises: dict[str, dict[str, int]] = {}
        self._waiting: dict[str, tuple[str, int]] = {}
        self._since: dict[str, int] = {}
        self._told: set[str] = set()
        self._over: set[str] = set()
        self._rings = evidence.rings
        self._wrap_ups_ms = evidence.wrap_ups_ms
        self._wrapping: dict[str, tuple[str, int, int, int]] = {}  # (whose, units, until, gen): a rebuild ends it
        self._parked: dict[str, str] = {}
        self._gen = 0

    def take(self, event: CaseEvent) -> Iterator[Violation]:
        case, self._gen = event.case, event.gen
        yield from self._put_aside(event)
        beside = _beside(case)
        holders = {str(offer.advisor) for offer in case.offers if str(offer.advisor) not in beside}
        if case.owner and case.state is CaseStatus.ASSIGNED:
            holders.add(case.owner)
        if len(holders) > (self._rings.get(case.verdict.queue, 1) if case.offers else 1):
            yield Violation(promise=Promise.ONE_OWNER, evidence=f"{event.id}: {sorted(holders)}")
        if case.owner in beside or (beside and case.state not in _AT_HAND):
            yield Violation(promise=Promise.ONE_OWNER, evidence=f"{event.id}: {sorted(beside)} beside {case.owner}")
        # Only a person may give somebody more than he has room for.
        if case.over and event.type is EventType.ASSIGN:
            self._over.add(event.subject)
        elif not case.over:
            self._over.discard(event.subject)
        self._wrap_up(event, goes_on=bool(holders))
        took = dict.fromkeys(holders, 0 if event.subject in self._over else case.units)
        yield from self._hold(event, self._held, took if event.type not in _ENDS else {})
        yield from self._hold(event, self._advises, beside if event.type not in _ENDS else {})
        if case.state is CaseStatus.QUEUED and not case.held_for and not case.declined:
            self._waiting[event.subject] = (event.id, case.units)
        else:
            self._waiting.pop(event.subject, None)
            self._since.pop(event.subject, None)

    def _hold(self, event: CaseEvent, desks: dict[str, dict[str, int]], holders: dict[str, int]) -> Iterator[Violation]:
        """The case is with these from now on, and takes so much of each."""
        for name, held in desks.items():
            if name not in holders:
                held.pop(event.subject, None)
        for name, units in holders.items():
            held = desks.setdefault(name, {})
            held[event.subject] = units
            if name in self._budgets and self._load(name, event.at_ms) > self._budgets[name]:
                yield Violation(promise=Promise.CAPACITY, evidence=f"{event.id}: {name} holds {sorted(held)}")

    def _put_aside(self, event: CaseEvent) -> Iterator[Violation]:
        """A parked case comes back to who had it, unless a person or its end takes it from him."""
        was, case = self._parked.pop(event.subject, None), event.case
        if case.state is CaseStatus.PARKED:
            self._parked[event.subject] = case.owner or ""
        if was is not None and case.owner != was and event.type not in _TAKEN_AWAY:
            yield Violation(promise=Promise.PARKED, evidence=f"{event.id}: {was} had it, then {case.owner or 'nobody'}")

    def _wrap_up(self, event: CaseEvent, *, goes_on: bool) -> None:
        """The room of what is resolved stays taken for a while of who had it."""
        lasts_ms = self._wrap_ups_ms.get(event.case.channel, 0)
        if event.type is EventType.RESOLVE and lasts_ms:
            for name, held in self._held.items():
                if event.subject in held:
                    ends_ms = event.at_ms + lasts_ms
                    self._wrapping[event.subject] = (name, held[event.subject], ends_ms, event.gen)
        elif goes_on:
            self._wrapping.pop(event.subject, None)

    def _load(self, name: str, now_ms: int) -> int:
        wrapping = sum(
            units
            for who, units, ends_ms, gen in self._wrapping.values()
            if who == name and now_ms < ends_ms and gen == self._gen
        )
        return sum(self._held.get(name, {}).values()) + sum(self._advises.get(name, {}).values()) + wrapping

    def look(self, now_ms: int) -> None:
        """Since when each case waits while somebody has room for it."""
        for case, (_, units) in self._waiting.items():
            if self._somebody_is_free(units, now_ms):
                self._since.setdefault(case, now_ms)
            else:
                self._since.pop(case, None)

    def pass_to(self, now_ms: int) -> Iterator[Violation]:
        """Time goes on with everything as it is."""
        for case, since in self._since.items():
            if now_ms - since > self._bound_ms and case not in self._told:
                self._told.add(case)
                event, _ = self._waiting[case]
                yield Violation(promise=Promise.WAITING, evidence=f"{case} waited {now_ms - since} ms after {event}")

    def _somebody_is_free(self, units: int, now_ms: int) -> bool:
        return any(
            presence == "online" and self._load(name, now_ms) + units <= self._budgets.get(name, 0)
            for name, presence in self.present.items()
        )
