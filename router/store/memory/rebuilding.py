"""Rebuilding a pool in memory, and the life of a server that has none: a number that tests may change."""

from collections.abc import Callable, MutableMapping, Sequence

import msgspec

from router.contract.advisor import AdvisorState, Presence
from router.contract.case import CaseState, CaseStatus
from router.contract.ids import PoolId
from router.contract.plan import Plan
from router.store.acts import Done, Result
from router.store.memory.rows import AdvisorRow, Applied, CaseRow, ConversationRow, PoolRows
from router.store.memory.txn import Txn
from router.store.rebuilds import Foundation, RebuildStatus, RestoredCase, Standing, first_number


class RebuildRow(msgspec.Struct, kw_only=True):
    """One rebuild in progress."""

    epoch: int
    holder: str
    until_ms: int
    gen: int = 0
    done: int = 0
    total: int = 0


class MemoryRebuilds:
    """Implements ``Rebuilds`` over the pools of a store in memory."""

    def __init__(
        self, pools: MutableMapping[PoolId, PoolRows], witness: Callable[[], int], make: Callable[[int], PoolRows]
    ) -> None:
        self._pools = pools
        self._witness = witness
        self._make = make
        self._rebuilds: dict[PoolId, RebuildRow] = {}
        self.life = 1

    def is_verified(self, rows: PoolRows) -> bool:
        """Whether the pool has been vouched for in this life."""
        return rows.verified == str(self.life)

    def is_rebuilt(self, pool: PoolId) -> bool:
        """Whether a rebuild is in progress."""
        return pool in self._rebuilds

    async def inspect(self, pool: PoolId) -> Standing:
        rows, row = self._pools.get(pool), self._rebuilds.get(pool)
        return Standing(
            life=str(self.life),
            verified=rows is not None and row is None and self.is_verified(rows),
            is_there=rows is not None,
            gen=rows.gen if rows else 0,
            number=rows.number if rows else 0,
            rebuild=self._status(row) if row else None,
        )

    def _status(self, row: RebuildRow) -> RebuildStatus:
        left_ms = max(row.until_ms - self._witness(), 0)
        return RebuildStatus(holder=row.holder, gen=row.gen, done=row.done, total=row.total, left_ms=left_ms)

    async def vouch(self, pool: PoolId, seen: Standing) -> bool:
        rows = self._pools.get(pool)
        if rows is None or pool in self._rebuilds or seen.life != str(self.life):
            return False
        if rows.gen != seen.gen or rows.number < seen.number:
            return False
        rows.verified = seen.life
        return True

    async def begin_rebuild(self, pool: PoolId, holder: str, *, lease_ms: int) -> int:
        row, now = self._rebuilds.get(pool), self._witness()
        if row is not None and row.holder != holder and row.until_ms > now:
            return 0
        if row is None or row.holder != holder:
            row = RebuildRow(epoch=(row.epoch if row else 0) + 1, holder=holder, until_ms=0, gen=row.gen if row else 0)
            self._rebuilds[pool] = row
        row.until_ms = now + lease_ms
        if rows := self._pools.get(pool):
            rows.verified = ""
        return row.epoch

    async def clear(self, pool: PoolId, fence: int, start: Foundation) -> bool:
        row = self._mine(pool, fence)
        if row is None:
            return False
        before, rows, base = self._pools.get(pool), self._make(0), first_number(start.gen)
        rows.verified = ""
        rows.now_ms = start.now_ms
        rows.number = rows.trimmed = rows.change = rows.stamp = base
        if before is not None:
            rows.fences, rows.relay.epoch = before.fences, before.relay.epoch
        self._pools[pool] = rows
        row.gen, row.done, row.total = start.gen, 0, start.total
        return True

    async def restore(
        self,
        pool: PoolId,
        fence: int,
        *,
        cases: Sequence[RestoredCase] = (),
        advisors: Sequence[AdvisorState] = (),
        lease_ms: int,
    ) -> bool:
        row = self._mine(pool, fence)
        if row is None:
            return False
        rows = self._pools[pool]
        for restored in cases:
            if restored.state.id not in rows.cases:
                _put_case(rows, restored, row.gen)
        for state in advisors:
            if state.id not in rows.advisors:
                _put_advisor(rows, state)
        row.done += len(cases) + len(advisors)
        row.until_ms = self._witness() + lease_ms
        return True

    async def finish_rebuild(self, pool: PoolId, fence: int) -> bool:
        row = self._mine(pool, fence)
        if row is None or pool not in self._pools:
            return False
        rows = self._pools[pool]
        rows.gen = row.gen
        rows.verified = str(self.life)
        rows.relay.epoch += 1
        del self._rebuilds[pool]
        if rows.advisors:
            # One change wakes those who wait for one: it is of the new gen, so they read the roster anew.
            txn = _txn(rows, rows.gen)
            txn.touch(rows.advisors[min(rows.advisors)])
            txn.flush()
        return True

    def _mine(self, pool: PoolId, fence: int) -> RebuildRow | None:
        row = self._rebuilds.get(pool)
        return row if row is not None and row.epoch == fence else None


def _txn(rows: PoolRows, gen: int) -> Txn:
    act = Done(pool=PoolId(""), gen=gen, now_ms=rows.now_ms, reason="rebuilt", item="", stamp=0)
    return Txn(rows, act, "requeue")


def _put_case(rows: PoolRows, restored: RestoredCase, gen: int) -> None:
    state = restored.state
    members = {name: getattr(state, name) for name in CaseState.__struct_fields__}
    members |= {"offers": list(state.offers), "consults": dict(state.consults), "timers": {}}
    row = CaseRow(**members, messages=list(restored.messages), history=list(restored.history))
    row.operations = [Applied(*each) for each in restored.operations]
    rows.cases[row.id] = row
    rows.conversations[row.conversation] = ConversationRow(case=row.id, seen=list(restored.seen))
    txn = _txn(rows, gen)
    txn.arm(row, state.timers)
    if row.state is CaseStatus.QUEUED:
        txn.line_up(row, Plan(ver=row.ver, class_key=row.class_key, score=row.score))
    if restored.requeued:
        before, rows.gen = rows.gen, gen
        # An assigned or parked case has lost what rang of it beside its owner only.
        outcome = Result.QUEUED if row.state is CaseStatus.QUEUED else Result.RETURNED
        txn.emit(outcome, case=row.snapshot())
        rows.gen = before


def _put_advisor(rows: PoolRows, state: AdvisorState) -> None:
    members = {name: getattr(state, name) for name in AdvisorState.__struct_fields__}
    members |= {"caps": dict(state.caps), "work": dict(state.work), "timers": {}}
    row = AdvisorRow(**members)
    rows.advisors[row.id] = row
    txn = _txn(rows, row.gen)
    txn.arm(row, state.timers)
    if row.presence is Presence.ONLINE:
        txn.stamp(f"a|{row.id}")
