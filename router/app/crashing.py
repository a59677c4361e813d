"""Crash points of the store, and which parts of a process get theirs: for tests of crashes (setting ``crash_at``)."""

from collections.abc import Sequence
from typing import Final

from router.contract.ids import PoolId
from router.runtime.bus.protocol import Bus
from router.runtime.crash_points import CrashPoint, CrashPoints
from router.runtime.crashing import CrashingBus, CrashingLedger
from router.runtime.ledger import Ledger
from router.runtime.redis import RedisClient
from router.store.acts import Accept, AnyAct, Due, Outcome, Resolve
from router.store.protocol import RelayLease
from router.store.redis import RedisStore

_BEFORE: Final[dict[type, CrashPoint]] = {Accept: CrashPoint.BEFORE_ACCEPT, Resolve: CrashPoint.BEFORE_RESOLVE}
_AFTER: Final[dict[type, CrashPoint]] = {Accept: CrashPoint.AFTER_ACCEPT, Resolve: CrashPoint.AFTER_RESOLVE}


class CrashingStore(RedisStore):
    """As ``RedisStore`` until a point is reached."""

    def __init__(self, commands: RedisClient, waits: RedisClient, *, points: CrashPoints) -> None:
        super().__init__(commands, waits)
        self._points = points

    async def apply(self, acts: Sequence[AnyAct]) -> Sequence[Outcome]:
        for act in acts:
            self._around(_BEFORE, act, CrashPoint.BEFORE_ACT)
        outcomes = await super().apply(acts)
        for act, outcome in zip(acts, outcomes, strict=True):
            if outcome.claims:
                self._points.reached(CrashPoint.AFTER_CLAIM)
            if outcome.number and not outcome.repeated:  # it took effect
                self._around(_AFTER, act, CrashPoint.AFTER_ACT)
        return outcomes

    async def trim(self, pool: PoolId, lease: RelayLease, upto: int) -> bool:
        held = await super().trim(pool, lease, upto)
        if upto:  # else it was but a word of the relay
            self._points.reached(CrashPoint.AFTER_CURSOR)
        return held

    def _around(self, special: dict[type, CrashPoint], act: AnyAct, point: CrashPoint) -> None:
        if type(act) in special:
            self._points.reached(special[type(act)])
        if not isinstance(act, Due):  # that one is applied all the time
            self._points.reached(point)


class Crashes:
    """Wraps what a process is made of so that it crashes as ``plan`` says; with an empty plan, wraps nothing."""

    def __init__(self, plan: Sequence[str]) -> None:
        self._points = CrashPoints(plan) if plan else None

    def bus(self, bus: Bus) -> Bus:
        return CrashingBus(bus, self._points) if self._points else bus

    def store(self, commands: RedisClient, waits: RedisClient) -> RedisStore:
        if self._points is None:
            return RedisStore(commands, waits)
        return CrashingStore(commands, waits, points=self._points)

    def ledger(self, ledger: Ledger) -> Ledger:
        return CrashingLedger(ledger, self._points) if self._points else ledger
