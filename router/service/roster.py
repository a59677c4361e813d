"""The roster tail: a snapshot, then every change, so that decisions see the advisors as they are."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from router.contract.advisor import AdvisorState
from router.contract.ids import PoolId
from router.engine.roster import Roster
from router.service.hindsight import Hindsight
from router.store.acts import Outcome
from router.store.protocol import Change, Reads

LOG = logging.getLogger(__name__)
_WAIT_MS: Final = 1_000

Changed = Callable[[AdvisorState], None]


class RosterTail:
    """Keeps one ``Roster`` up to date. A stale one is a missed shot, never a danger: acts check for themselves.
    ``past``, if there is one, is told of every change."""

    def __init__(self, pool: PoolId, reads: Reads, *, past: Hindsight | None = None) -> None:
        self.roster = Roster()
        self._past = past
        self._pool = pool
        self._reads = reads
        self._caught_up = asyncio.Condition()
        self.ready = asyncio.Event()
        self._told: list[Changed] = []
        self._is_stale = False

    def listen(self, told: Changed) -> None:
        """``told`` is given every state that is read from now on: each of an advisor's versions in order, some
        again or left out where the roster is read anew."""
        self._told.append(told)

    async def run(self) -> None:
        """Snapshot, then follow, until cancelled; a hole in the numbers means a new snapshot."""
        while True:
            await self._snapshot()
            self.ready.set()
            while await self._follow():
                pass
            LOG.info("the roster is read anew", extra={"event": "roster.hole", "pool": self._pool})

    def read_anew(self) -> None:
        """Take a new snapshot soon: the pool was rebuilt, and what was known of it is of an older gen."""
        self._is_stale = True

    async def caught_up(self, change: int) -> None:
        """Return once every change up to that number has been applied."""
        async with self._caught_up:
            await self._caught_up.wait_for(lambda: self.roster.change >= change)

    def correct(self, outcome: Outcome) -> None:
        """Take over what an act saw of the advisors it touched."""
        for state in outcome.advisors:
            self.roster.apply(state)

    async def _snapshot(self) -> None:
        page = await self._reads.roster(self._pool)
        change, gen = page.change, page.gen
        while True:
            for state in page.advisors:
                self._apply(state)
            if not page.cursor:
                break
            page = await self._reads.roster(self._pool, page.cursor)
        self.roster.gen = gen
        if self._past is not None:
            self._past.begin(gen, change, (member.state for member in self.roster))
        await self._reach(change)

    async def _follow(self) -> bool:
        """Apply what has come; False when a change is missing or of another generation, or on ``read_anew``."""
        if self._is_stale:
            self._is_stale = False
            return False
        changes = await self._reads.changes(self._pool, self.roster.change, wait_ms=_WAIT_MS)
        for change in changes:
            if not self._is_next(change):
                return False
            self._apply(change.advisor)
            if self._past is not None:
                self._past.note(change.number, change.advisor)
            self.roster.change = change.number
        if changes:
            await self._reach(self.roster.change)
        return True

    def _apply(self, state: AdvisorState) -> None:
        self.roster.apply(state)
        # Told even when an act's outcome had brought the roster further: listeners want each step.
        for told in self._told:
            told(state)

    def _is_next(self, change: Change) -> bool:
        return change.gen == self.roster.gen and change.number == self.roster.change + 1

    async def _reach(self, change: int) -> None:
        async with self._caught_up:
            self.roster.change = change
            self._caught_up.notify_all()
