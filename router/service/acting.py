"""Applying acts: every one counted and timed, a planned one computed again when the case has moved on."""

from collections.abc import Callable, Sequence
from typing import Final

from router.contract.case import CaseState
from router.contract.ids import CaseId, PoolId
from router.runtime.clock import Clock
from router.service.errors import Contended, PoolUnsettled, SkewedClock, Superseded
from router.service.latest import Latest
from router.service.measuring.metrics import ServiceMetrics
from router.store.acts import AnyAct, Outcome, Result
from router.store.protocol import Reads, Store

MAX_ATTEMPTS: Final = 5
_WAS_SO: Final = frozenset({Result.SAME, Result.DUPLICATE})

MakeAct = Callable[[CaseState], AnyAct | Outcome]
Told = Callable[[Outcome], None]
Seen = Callable[[AnyAct, Outcome], None]


class Actor:
    """The one way from the service to the store's verb. ``gen`` is the pool's, learnt at start and whenever ``open``
    is called again.

    ``told`` is given every outcome, so that the roster is corrected by what acts saw; ``seen`` the act as well, and
    before that.
    """

    def __init__(self, pool: PoolId, store: Store, reads: Reads, *, clock: Clock, metrics: ServiceMetrics) -> None:
        self.pool = pool
        self.gen = 0
        self._store = store
        self._reads = reads
        self._clock = clock
        self._metrics = metrics
        self._told: list[Told] = []
        self._seen: list[Seen] = []
        self._unsettled: Callable[[], object] | None = None
        self._latest = Latest(forgotten=metrics.limits.labels("cases").inc)

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def tell(self, told: Told) -> None:
        self._told.append(told)

    def show(self, seen: Seen) -> None:
        self._seen.append(seen)

    def when_unsettled(self, told: Callable[[], object]) -> None:
        """``told`` is called when the store knows no such pool of our gen: it has to be looked after."""
        self._unsettled = told

    async def open(self, *, make: bool = True) -> None:
        """Learn the pool's ``gen``, and make the pool if it isn't there, unless somebody else sees to that. Repeating
        it learns it anew."""
        gen = (await self._store.open_pool(self.pool, make=make)).gen
        if gen != self.gen:
            self._latest.forget()
        self.gen = gen

    async def apply(self, acts: Sequence[AnyAct]) -> Sequence[Outcome]:
        """Raises ``StoreUnavailable`` (``PoolUnsettled`` when the pool was rebuilt or may have to be, and somebody
        looks after that; else ``Superseded``) and ``SkewedClock``."""
        before = self._clock.monotonic()
        outcomes = await self._store.apply(acts)
        elapsed = self._clock.monotonic() - before
        for act, outcome in zip(acts, outcomes, strict=True):
            self._metrics.act_took(str(type(act).__struct_config__.tag), outcome.result, elapsed)
            self._check(outcome)
            if _is_crowded(act, outcome):
                self._metrics.limits.labels("wait_classes").inc()
            if outcome.case is not None and act.gen == self.gen:
                self._latest.see(outcome.case)
            for seen in self._seen:
                seen(act, outcome)
            for told in self._told:
                told(outcome)
        return outcomes

    async def one(self, act: AnyAct) -> Outcome:
        return (await self.apply((act,)))[0]

    async def attempt(self, case: CaseId, make: MakeAct, *, state: CaseState | None = None) -> Outcome:
        """Compute an act for a case as it is and apply it, again if it has changed meanwhile, at most 5 times. What an
        act has shown of the case lately is tried first, without a read.

        ``make`` may answer an ``Outcome`` instead when there is nothing to do. An absent case gives ``ABSENT``.
        Raises ``Contended``.
        """
        remembered = None if state else self._latest.get(case, now_ms=self.now_ms())
        if remembered is not None:
            outcome, is_tried = await self._try(make, remembered)
            if is_tried and outcome.result is not Result.CONFLICT:
                return outcome
            # That there is nothing to do may have been said of a state that is out of date.
            state = outcome.case if is_tried else None
        current = state or await self._reads.case(self.pool, case)
        for _ in range(MAX_ATTEMPTS):
            if current is None:
                return Outcome(result=Result.ABSENT)
            outcome, _is_tried = await self._try(make, current)
            if outcome.result is not Result.CONFLICT:
                return outcome
            current = outcome.case
        raise Contended(f"case {case} changed under {MAX_ATTEMPTS} attempts; repeat the act")

    async def _try(self, make: MakeAct, state: CaseState) -> tuple[Outcome, bool]:
        """What comes of a state, and whether the store has said it."""
        act = make(state)
        return (act, False) if isinstance(act, Outcome) else (await self.one(act), True)

    async def durable_at(self, outcome: Outcome) -> int:
        """The outbox number to wait for until what an outcome tells is on the bus. What was so already may not be there
        yet, as whoever did it may have died: then all that has happened so far has to be."""
        if outcome.number or outcome.result not in _WAS_SO:
            return outcome.durable_at
        return (await self._reads.status(self.pool)).number

    def _check(self, outcome: Outcome) -> None:
        if outcome.result is Result.SKEWED:
            raise SkewedClock("this host's clock is ahead of the store's by more than 5 s: correct it and restart")
        if outcome.result is Result.FOREIGN and self._unsettled is not None:
            self._unsettled()
            raise PoolUnsettled(f"pool {self.pool} has to be looked after before acts go on")
        if outcome.result is Result.NEWER:
            raise Superseded(f"the state of pool {self.pool} has a newer format: upgrade this process")
        if outcome.result is Result.FOREIGN:
            raise Superseded(f"the state of pool {self.pool} is not of this process's time ({outcome.result}): restart")


def _is_crowded(act: AnyAct, outcome: Outcome) -> bool:
    """Whether the case has to share a wait class, as there are as many as there may be."""
    plan, case = getattr(act, "plan", None), outcome.case
    if plan is None or case is None or not outcome.number or outcome.repeated:
        return False
    return bool(plan.crowded_key) and plan.crowded_key != plan.class_key and case.class_key == plan.crowded_key
