"""Folding events in the order of the store: who had what at each moment, and who waited while somebody was free."""

from collections.abc import Iterator, Sequence

from router.contract.case import CaseStatus
from router.contract.events import CaseEvent, EventType
from tests.suites.fault_evidence import AdvisorRecord, Evidence, Promise, Violation


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


class _Office:
    """The state after the events so far."""

    def __init__(self, evidence: Evidence) -> None:
        self.present: dict[str, str] = {}
        self._budgets = {name: advisor.budget for name, advisor in evidence.snapshot.advisors.items()}
        self._bound_ms = evidence.wait_bound_ms
        self._held: dict[str, dict[str, int]] = {}
        self._waiting: dict[str, tuple[str, int]] = {}
        self._since: dict[str, int] = {}
        self._told: set[str] = set()
        self._over: set[str] = set()

    def take(self, event: CaseEvent) -> Iterator[Violation]:
        case = event.case
        holders = {offer.advisor for offer in case.offers}
        if case.owner and case.state is CaseStatus.ASSIGNED:
            holders.add(case.owner)  # type: ignore[arg-type]
        if len(holders) > 1:
            yield Violation(promise=Promise.ONE_OWNER, evidence=f"{event.id}: {sorted(holders)}")
        # Only a person may give somebody more than he has room for.
        if case.over and event.type is EventType.ASSIGN:
            self._over.add(event.subject)
        elif not case.over:
            self._over.discard(event.subject)
        gone = event.type in (EventType.CLOSE, EventType.MOVE)
        for name, held in self._held.items():
            if name not in holders or gone:
                held.pop(event.subject, None)
        for name in holders if not gone else ():
            held = self._held.setdefault(name, {})
            held[event.subject] = 0 if event.subject in self._over else case.units
            if name in self._budgets and sum(held.values()) > self._budgets[name]:
                yield Violation(promise=Promise.CAPACITY, evidence=f"{event.id}: {name} holds {sorted(held)}")
        waits = case.state is CaseStatus.QUEUED and not case.held_for and not case.declined
        if waits:
            self._waiting[event.subject] = (event.id, case.units)
        else:
            self._waiting.pop(event.subject, None)
            self._since.pop(event.subject, None)

    def look(self, now_ms: int) -> None:
        """Since when each case waits while somebody has room for it."""
        for case, (_, units) in self._waiting.items():
            if self._somebody_is_free(units):
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

    def _somebody_is_free(self, units: int) -> bool:
        return any(
            presence == "online" and sum(self._held.get(name, {}).values()) + units <= self._budgets.get(name, 0)
            for name, presence in self.present.items()
        )
