"""What must never be so, looked for where it costs next to nothing: in the roster that every router keeps anyway."""

import asyncio
import logging
from collections import deque
from enum import StrEnum
from typing import Final

from prometheus_client import CollectorRegistry, Counter

from router.contract.advisor import AdvisorState, WorkKind
from router.contract.ids import AdvisorId, CaseId, PoolId
from router.service.roster import RosterTail
from router.store.protocol import Reads

LOG = logging.getLogger(__name__)
_MAX_SUSPECTS: Final = 100
_CHUNK: Final = 500


class Invariant(StrEnum):
    """What is promised and counted when it is found broken."""

    OVER_CAPACITY = "over_capacity"
    TWO_OWNERS = "two_owners"


class InvariantMetrics:
    """One counter, which must stay zero, and one of what was too much to look into."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.broken = Counter(
            "turnout_invariant_broken_total",
            "Promises found broken: an advisor above capacity without leave, a case with two owners.",
            ("invariant",),
            registry=registry,
        )
        self.unlooked = Counter(
            "turnout_invariant_suspects_dropped_total",
            "Advisors perhaps put above capacity who weren't looked into, as too many were at once.",
            registry=registry,
        )
        for invariant in Invariant:
            self.broken.labels(invariant)


class Invariants:
    """Watches one pool's roster. Every change of an advisor passes by here, so whom an act put above his capacity is
    noticed at once, and is no suspect when his budget was lowered under what he has; ``check`` then asks the store."""

    def __init__(self, pool: PoolId, reads: Reads, tail: RosterTail, metrics: InvariantMetrics) -> None:
        self._pool = pool
        self._reads = reads
        self._tail = tail
        self._metrics = metrics
        self._before: dict[AdvisorId, AdvisorState] = {}
        self._suspects: deque[tuple[AdvisorId, CaseId]] = deque(maxlen=_MAX_SUSPECTS)
        self._shared: frozenset[CaseId] = frozenset()
        self._told_of: frozenset[CaseId] = frozenset()
        tail.listen(self._told)

    def _told(self, state: AdvisorState) -> None:
        before = self._before.get(state.id)
        self._before[state.id] = state
        # Only a step that was seen whole tells what it added.
        if before is None or state.ver != before.ver + 1 or len(state.work) <= len(before.work):
            return
        for case in state.work.keys() - before.work.keys():
            added = state.work[case]
            if not state.has_room(added.units, added.channel, besides=case):
                if len(self._suspects) == _MAX_SUSPECTS:
                    self._metrics.unlooked.inc()
                self._suspects.append((state.id, CaseId(case)))

    async def check(self) -> None:
        """Look into what is suspected. What is found is counted once and logged."""
        while self._suspects:
            advisor, case = self._suspects.popleft()
            state = await self._reads.case(self._pool, case)
            holds = state is not None and (state.owner == advisor or any(o.advisor == advisor for o in state.offers))
            if state is not None and holds and not state.over:
                self._report(Invariant.OVER_CAPACITY, case)
        shared = await self._owned_twice()
        # Changes of one act come one after the other: only what is found at two looks is so.
        confirmed = shared & self._shared
        for case in confirmed - self._told_of:
            self._report(Invariant.TWO_OWNERS, case)
        self._shared, self._told_of = shared, confirmed

    def forget(self) -> None:
        """Another router checks: what is suspected is left to it."""
        self._suspects.clear()
        self._shared = frozenset()

    async def _owned_twice(self) -> frozenset[CaseId]:
        owned: set[str] = set()
        twice: set[str] = set()
        for number, member in enumerate(list(self._tail.roster), start=1):
            mine = {case for case, work in member.state.work.items() if work.kind is WorkKind.CASE}
            twice |= owned & mine
            owned |= mine
            if not number % _CHUNK:
                await asyncio.sleep(0)  # a roster of thousands must not hold up the loop
        return frozenset(CaseId(case) for case in twice)

    def _report(self, invariant: Invariant, case: CaseId) -> None:
        self._metrics.broken.labels(invariant).inc()
        LOG.error(
            "a promise is broken: %s",
            invariant,
            extra={"event": "invariant.broken", "pool": self._pool, "case": case, "invariant": str(invariant)},
        )
