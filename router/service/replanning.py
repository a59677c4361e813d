"""A change of policies or calendars, brought to the cases that are there: in the background, and to look at before."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final

import msgspec

from router.contract.case import CaseState, CaseStatus, read_detail
from router.contract.ids import CaseId
from router.engine import replanning
from router.engine.plans import Scene
from router.runtime.clock import Clock
from router.service.acting import Actor
from router.service.configuration.policies import Policies
from router.service.errors import Contended
from router.service.measuring.metrics import ServiceMetrics
from router.store.acts import AnyAct, Outcome, Replan, Result
from router.store.protocol import Lines, Reads
from rules import Rulebook

LOG = logging.getLogger(__name__)
_LOOK_EVERY_MS: Final = 1_000
_AGAIN_MS: Final = 60_000
_BATCH: Final = 20
_LONGEST_REST_MS: Final = 10
_SHOWN: Final = 50
_UNTOUCHED: Final = Outcome(result=Result.SAME)


class MovedCase(msgspec.Struct, frozen=True, kw_only=True):
    """One case that a change moves: its clocks with where they are due now and would be, those overdue by it, and the
    policy that it would have, if another."""

    case: CaseId
    queue: str
    moved: dict[str, tuple[int | None, int | None]]
    overdue: tuple[str, ...] = ()
    policy: str = ""


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What a change would do: cases looked at, those it touches, due times that move to earlier or later, clocks that
    begin or end to be promised, those overdue at once by clock, cases that would have another policy by that policy,
    and the first cases, overdue ones before others."""

    cases: int
    touched: int
    earlier: int
    later: int
    other: int
    overdue: dict[str, int]
    policies: dict[str, int]
    shown: tuple[MovedCase, ...]


class Replanner:
    """One loop over one pool: brings every case up to the policies in force, and looks again a minute later, since a
    router may have opened cases by the old ones until then. ``is_ours`` says whether this router does it for all. A
    case that is right already is not written to, so beginning anew is harmless."""

    def __init__(
        self,
        actor: Actor,
        reads: Reads,
        lines: Lines,
        *,
        policies: Policies,
        clock: Clock,
        metrics: ServiceMetrics,
    ) -> None:
        self._actor = actor
        self._reads = reads
        self._lines = lines
        self._policies = policies
        self._clock = clock
        self._metrics = metrics
        self._done_for = ""
        self._again_at_ms: int | None = None
        self.is_ours: Callable[[], bool] = lambda: True

    async def run(self) -> None:
        """Look for another rulebook every second until cancelled."""
        while True:
            await self.look()
            await self._clock.sleep_until_ms(self._clock.now_ms() + _LOOK_EVERY_MS)

    async def look(self) -> None:
        """Bring all cases up to the rulebook in force, if that hasn't been done."""
        active = self._policies.active
        if not self.is_ours():
            self._done_for = ""
        elif active.hash != self._done_for:
            await self._bring_all(active, again_in_ms=_AGAIN_MS)
        elif self._again_at_ms is not None and self._clock.now_ms() >= self._again_at_ms:
            await self._bring_all(active, again_in_ms=None)

    async def _bring_all(self, active: Rulebook, *, again_in_ms: int | None) -> None:
        counted = await self._bring_to(active)
        if counted is None:
            return
        self._done_for = active.hash
        self._again_at_ms = None if again_in_ms is None else self._clock.now_ms() + again_in_ms
        told = {"event": "replan.done", "pool": self._actor.pool, **counted}
        LOG.info("rulebook %s has reached all cases", active.hash, extra=told)

    async def _bring_to(self, active: Rulebook) -> Counter[str] | None:
        """How many cases came to what; None when it isn't this router's any more, or another rulebook is in force."""
        counted: Counter[str] = Counter()
        async for names in _batches(self._lines, self._actor):
            if not self.is_ours() or self._policies.active is not active:
                return None
            began = self._clock.monotonic()
            known = await _read(self._reads, self._actor, names)
            for one in known:
                # One at a time: several together would be quicker, and hold up who waits for an offer meanwhile.
                counted[await self._bring(*one, active)] += 1
            # Others have had their turns while the store answered; a rest besides, the longer the slower it is.
            took_ms = round((self._clock.monotonic() - began) * 1000)
            rest_ms = min(_LONGEST_REST_MS, max(1, took_ms))
            await self._clock.sleep_until_ms(self._clock.now_ms() + rest_ms)
        return counted

    async def _bring(self, name: CaseId, known: CaseState | None, active: Rulebook) -> str:
        try:
            outcome = await self._actor.attempt(name, lambda state: self._act(state, active), state=known)
        except Contended:
            # Whoever keeps changing it will be through soon; it is looked at again with the next rulebook or router.
            LOG.warning("a case was not replanned", extra={"event": "replan.contended", "case": name})
            came = "contended"
        except msgspec.DecodeError:
            LOG.exception("a case can't be read", extra={"event": "replan.unreadable", "case": name})
            came = "unreadable"
        else:
            came = "moved" if outcome.result is Result.DONE else "untouched"
        self._metrics.replanned.labels(came).inc()
        return came

    def _act(self, state: CaseState, active: Rulebook) -> AnyAct | Outcome:
        change = _change(state, self._policies, active, self._actor.now_ms())
        if change is None:
            return _UNTOUCHED
        now_ms = self._actor.now_ms()
        scene = Scene(rulebook=self._policies.judged_by(state), now_ms=now_ms, clocked_by=active)
        return Replan(
            pool=self._actor.pool,
            gen=self._actor.gen,
            now_ms=now_ms,
            case=state.id,
            plan=replanning.plan(state, change, scene),
            reason=f"policy or calendar changed: rulebook {active.hash}",
        )


async def forecast(actor: Actor, reads: Reads, lines: Lines, policies: Policies, *, against: Rulebook) -> Forecast:
    """What a rulebook would do to the clocks of the cases of a pool if it came into force now. Writes nothing, and
    gives way to others between the parts. Raises ``StoreUnavailable``."""
    seen, counted, overdue, given = 0, Counter[str](), Counter[str](), Counter[str]()
    shown: list[MovedCase] = []
    async for names in _batches(lines, actor):
        for _, state in await _read(reads, actor, names):
            if state is None:
                continue
            seen += 1
            change = _change(state, policies, against, actor.now_ms())
            if change is not None:
                counted.update(_kinds(change))
                overdue.update(change.replanned.overdue)
                given.update([change.replanned.policy] if change.replanned.policy else [])
                _show(shown, state, change)
        await asyncio.sleep(0)
    return Forecast(
        cases=seen,
        touched=counted["touched"],
        earlier=counted["earlier"],
        later=counted["later"],
        other=counted["other"],
        overdue=dict(sorted(overdue.items())),
        policies=dict(sorted(given.items())),
        shown=tuple(sorted(shown, key=lambda each: (not each.overdue, each.case))[:_SHOWN]),
    )


def _change(state: CaseState, policies: Policies, after: Rulebook, now_ms: int) -> replanning.Change | None:
    """What a rulebook changes of a case; None when nothing."""
    detail, before = read_detail(state.detail), policies.clocked_by(state)
    if state.state in {CaseStatus.CLOSED, CaseStatus.MOVED} or not replanning.is_touched(detail, before, after):
        return None
    return replanning.change_of(detail, before, after, now_ms)


def _kinds(change: replanning.Change) -> list[str]:
    kinds = ["touched"]
    for move in change.replanned.moved.values():
        if move.was_ms is None or move.now_ms is None:
            kinds.append("other")
        elif move.was_ms != move.now_ms:
            kinds.append("later" if move.now_ms > move.was_ms else "earlier")
    return kinds


def _show(shown: list[MovedCase], state: CaseState, change: replanning.Change) -> None:
    """Keep as many as are shown of each sort."""
    told = change.replanned
    if sum(bool(each.overdue) == bool(told.overdue) for each in shown) < _SHOWN:
        moved = {name: (move.was_ms, move.now_ms) for name, move in told.moved.items()}
        queue = change.detail.verdict.queue
        shown.append(MovedCase(case=state.id, queue=queue, moved=moved, overdue=told.overdue, policy=told.policy))


async def _read(reads: Reads, actor: Actor, names: Sequence[CaseId]) -> list[tuple[CaseId, CaseState | None]]:
    """Cases as they are, asked for together; None is one that isn't there, or can't be read."""

    async def one(name: CaseId) -> CaseState | None:
        try:
            return await reads.case(actor.pool, name)
        except msgspec.DecodeError:
            return None

    return list(zip(names, await asyncio.gather(*map(one, names)), strict=True))


async def _batches(lines: Lines, actor: Actor) -> AsyncIterator[Sequence[CaseId]]:
    cursor = ""
    while True:
        page = await lines.case_names(actor.pool, cursor)
        for at in range(0, len(page.cases), _BATCH):
            yield page.cases[at : at + _BATCH]
        cursor = page.cursor
        if not cursor:
            return
