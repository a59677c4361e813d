"""Who holds what after a rebuild: work sets made anew, and offers that no longer fit. Pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

import msgspec
from msgspec.structs import replace

from router.contract.advisor import AdvisorState, Presence, Work, WorkKind
from router.contract.case import CaseState, CaseStatus
from router.contract.ids import AdvisorId

Requeue = Callable[[CaseState], CaseState]
"""What a case is when its offers have ended, one version later: it waits again, or is who has it's alone."""

_GRACE: Final = "grace|0"


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """``requeued`` names the cases whose offers didn't fit."""

    cases: tuple[CaseState, ...]
    advisors: tuple[AdvisorState, ...]
    requeued: frozenset[str]


def settle(
    cases: Iterable[CaseState],
    advisors: Mapping[AdvisorId, AdvisorState],
    *,
    gen: int,
    grace_until_ms: int,
    requeue: Requeue,
) -> Settled:
    """Put all cases and advisors under the new gen, and give every advisor the work set that the cases make.

    Assignments and consultations always stand. Offers stand where there is room, the oldest first; a case of which
    one doesn't fit is requeued, and one beside its owner ends. What somebody gave an advisor above his capacity
    (``over``) takes no room here: an offer may have been there before it. Whoever isn't offline has until
    ``grace_until_ms`` to connect again.
    """
    desks = _Desks(advisors)
    ordered = [replace(state, gen=gen) for state in sorted(cases, key=_age)]
    for state in ordered:
        if not state.over:
            desks.assign(state)
    requeued: set[str] = set()
    kept: list[CaseState] = []
    for state in ordered:
        if state.offers and not desks.offer(state):
            requeued.add(state.id)
            kept.append(requeue(state))
        else:
            kept.append(state)
    for state in ordered:
        if state.over:
            desks.assign(state)
    grace = {_GRACE: grace_until_ms}
    people = [
        replace(person, gen=gen, timers={} if person.presence is Presence.OFFLINE else grace)
        for person in desks.people.values()
    ]
    return Settled(cases=tuple(kept), advisors=tuple(people), requeued=frozenset(requeued))


def _age(state: CaseState) -> tuple[int, str]:
    return (state.changed_at_ms, state.id)


class _Desks:
    """The advisors with what they hold so far. One whom no record tells of is there, offline."""

    def __init__(self, advisors: Mapping[AdvisorId, AdvisorState]) -> None:
        self.people = {name: replace(person, work={}) for name, person in advisors.items()}

    def assign(self, state: CaseState) -> None:
        for name, units in state.consults.items():
            self._hold(name, state, WorkKind.CONSULT, units)
        if state.state is CaseStatus.ASSIGNED:
            self._hold(state.owner, state, WorkKind.CASE, state.units)
        if state.state is CaseStatus.PARKED:
            self._hold(state.owner, state, WorkKind.PARKED, state.units)

    def offer(self, state: CaseState) -> bool:
        """Whether all offers of the case fit; if one doesn't, none is held."""
        kind = WorkKind.OFFER if state.state is CaseStatus.OFFERED else WorkKind.CONSULT_OFFER
        rung = [(self._of(offer.advisor), offer.units or state.units) for offer in state.offers]
        if not all(person.has_room(units, state.channel, besides=state.id) for person, units in rung):
            return False
        for person, units in rung:
            self._hold(person.id, state, kind, units)
        return True

    def _hold(self, name: str, state: CaseState, kind: WorkKind, units: int) -> None:
        person = self._of(name)
        # Filled in place: an advisor's work set is made here and shared with nobody yet.
        person.work[state.id] = Work(units=units, channel=state.channel, kind=kind)

    def _of(self, name: str) -> AdvisorState:
        known = AdvisorId(name)
        if known not in self.people:
            self.people[known] = AdvisorState(id=known, work={})
        return self.people[known]
