"""An advisor's connection: a number with a lease, so that no replica has to know what the others do."""

import asyncio
import logging
import secrets
from typing import Any, Final

from router.api.acts.asking import SetPresence
from router.api.desks import Caller
from router.contract.advisor import AdvisorState
from router.contract.ids import AdvisorId
from router.runtime.clock import Clock
from router.runtime.errors import RuntimeFailure
from router.service.errors import ServiceError
from router.store.acts import Outcome, PresenceAct, Result

LOG = logging.getLogger(__name__)
RENEW_S: Final = 10.0
LEASE_MS: Final = 30_000


class Connection:
    """One connection of one advisor. Its lease is renewed every 10 s, and at once when he is seen without it; it runs
    out 30 s after the last time."""

    def __init__(self, caller: Caller, advisor: AdvisorId, clock: Clock) -> None:
        # Positive and of 31 bits: every client language can hold it, and two hardly ever meet.
        self.number = secrets.randbelow(2**31 - 1) + 1
        self._caller = caller
        self._advisor = advisor
        self._clock = clock
        self._counted: tuple[int, int] | None = None
        self._missing = asyncio.Event()

    async def open(self) -> AdvisorState | None:
        """Count this connection; the advisor's state, or None when there is no such advisor. Grace time that
        runs for him ends. Raises ``StoreUnavailable``."""
        outcome = await self._renew()
        return None if outcome.result is Result.ABSENT else self._state(outcome)

    async def keep(self) -> None:
        """Renew the lease until cancelled; return when the advisor is gone. A store that is away is tried again,
        and the lease outlasts two failures."""
        while True:
            await self._clock.wait(self._missing, RENEW_S)
            self._missing.clear()
            try:
                outcome = await self._renew()
            except RuntimeFailure as exc:
                LOG.warning("a lease was not renewed: %s", exc, extra={"event": "lease.retry"})
                continue
            if outcome.result is Result.ABSENT:
                return

    def check(self, state: AdvisorState) -> None:
        """Have it counted again if it isn't in a state of the advisor from after it was counted last: leases are lost
        with a store that is rebuilt, and run out under a process that hangs."""
        counted = self._counted
        if counted and (state.gen, state.ver) > counted and self.number not in state.connections:
            self._missing.set()

    async def close(self) -> None:
        """Uncount it; if it was the last, grace time begins. Never raises: the lease ends by itself otherwise."""
        grace_ms = self._caller.desk.policies.active.grace_s * 1000
        try:
            await self._act(disconnect=self.number, grace_ms=self._clock.now_ms() + grace_ms)
        except (RuntimeFailure, ServiceError) as exc:
            LOG.warning("a connection is left to its lease: %s", exc, extra={"event": "lease.left"})

    async def set(self, ask: SetPresence) -> Outcome:
        """Set his presence. Gives ``DONE``, ``SAME``, ``ABSENT``."""
        request = self._caller.request(ask.op, ask.reason)
        away_from = None if ask.away_from is None else tuple(sorted(set(ask.away_from)))
        return await self._act(presence=ask.presence, away_from=away_from, op=request.op, reason=ask.reason)

    async def _renew(self) -> Outcome:
        outcome = await self._act(connect=self.number, lease_ms=self._clock.now_ms() + LEASE_MS)
        if (state := self._state(outcome)) is not None:
            self._counted = (state.gen, state.ver)
        return outcome

    def _state(self, outcome: Outcome) -> AdvisorState | None:
        return next((state for state in outcome.advisors if state.id == self._advisor), None)

    async def _act(self, **members: Any) -> Outcome:
        actor = self._caller.desk.actor
        common: dict[str, Any] = {
            "pool": actor.pool,
            "gen": actor.gen,
            "now_ms": actor.now_ms(),
            "actor": self._advisor,
        }
        return await actor.one(PresenceAct(**common, advisor=self._advisor, **members))
