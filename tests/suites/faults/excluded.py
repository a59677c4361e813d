"""What the events say of advisors who must not have a case: they never do, and nothing but a person's word ends it."""

from collections.abc import Iterator, Sequence
from typing import Final

from router.contract.case import Case, CaseStatus
from router.contract.events import CaseEvent
from tests.suites.faults.evidence import Promise, Violation

_AT_HAND: Final = frozenset({CaseStatus.ASSIGNED, CaseStatus.PARKED})


def excluded(events: Sequence[CaseEvent]) -> Iterator[Violation]:
    """Cases that somebody excluded works on, is offered or is asked in on anew; and exclusions that are forgotten.
    ``events`` in the order of the store."""
    before: dict[str, Case] = {}
    for event in events:
        case, was = event.case, before.get(event.subject)
        kept_from = {*case.excluded}
        for name in sorted((_has(case) | (_beside(case) - _beside(was))) & kept_from):
            yield Violation(promise=Promise.EXCLUDED, evidence=f"{event.id}: {name} has the case")
        lifted = {said.advisor for said in case.exclusions if said.lifted}
        for name in sorted({*was.excluded} - kept_from - lifted if was else ()):
            yield Violation(promise=Promise.EXCLUDED, evidence=f"{event.id}: that {name} is excluded is forgotten")
        before[event.subject] = case


def _has(case: Case) -> set[str]:
    """Who works on it, or is offered it."""
    if case.state is CaseStatus.OFFERED:
        return {str(offer.advisor) for offer in case.offers}
    return {case.owner} if case.state in _AT_HAND else set()


def _beside(case: Case | None) -> set[str]:
    """Who gives advice on it, or is rung for it."""
    if case is None:
        return set()
    rung = {str(offer.advisor) for offer in case.offers} if case.state is not CaseStatus.OFFERED else set()
    return rung | {*case.consults}
