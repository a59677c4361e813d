"""Acts on advisors: presence, profile and wrap_up."""

from router.contract.advisor import Presence, WorkKind
from router.store.acts import Outcome, PresenceAct, ProfileAct, Result, WrapUp
from router.store.memory.rows import AdvisorRow
from router.store.memory.txn import Txn, wrap_up_timer


def presence(txn: Txn, act: PresenceAct) -> Outcome:
    row = txn.pool.advisors.get(act.advisor)
    if row is None:
        return txn.refuse(Result.ABSENT)
    if again := txn.repeated(row):
        return again
    if act.claim and row.timers.get(act.claim[0]) != act.claim[1]:
        txn.show(row)
        return txn.refuse(Result.GONE)
    shown = _connections(txn, act, row)
    if act.claim:
        txn.arm(row, {act.claim[0]: 0})
    if act.left_ms:
        txn.arm(row, {"left|0": act.left_ms})
    presence, reason = (row.presence, row.reason) if act.presence is None else (act.presence, act.reason)
    away_from = row.away_from if act.away_from is None else act.away_from
    if presence is Presence.OFFLINE:
        away_from = ()
    if (presence, reason, away_from) == (row.presence, row.reason, row.away_from):
        return _quiet(txn, row, changed=shown)
    row.away_from = away_from
    txn.set_presence(row, presence, reason)
    return _announce(txn, row, presence)


def profile(txn: Txn, act: ProfileAct) -> Outcome:
    row = txn.pool.advisors.get(act.advisor)
    if row is None:
        row = AdvisorRow(id=act.advisor, gen=txn.pool.gen, idle_since_ms=txn.now)
        txn.pool.advisors[row.id] = row
    elif again := txn.repeated(row):
        return again
    elif (row.profile, row.budget, row.caps) == (act.profile, act.budget, act.caps):
        txn.show(row)
        return txn.refuse(Result.SAME)
    row.profile, row.budget, row.caps = act.profile, act.budget, dict(act.caps)
    row.elig += 1
    txn.touch(row)
    txn.stamp(f"a|{row.id}")
    return _announce(txn, row, "profile")


def wrap_up(txn: Txn, act: WrapUp) -> Outcome:
    row = txn.pool.advisors.get(act.advisor)
    if row is None:
        return txn.refuse(Result.ABSENT)
    if again := txn.repeated(row):
        return again
    item = row.work.get(act.case)
    is_over = item is None or item.kind is not WorkKind.WRAP_UP
    if is_over or (act.claim and row.timers.get(act.claim[0]) != act.claim[1]):
        txn.show(row)
        return txn.refuse(Result.GONE)
    if act.until_ms:
        txn.arm(row, {wrap_up_timer(act.case): act.until_ms})
    else:
        txn.free(row, act.case)
    return _quiet(txn, row, changed=True)


def _connections(txn: Txn, act: PresenceAct, row: AdvisorRow) -> bool:
    """Count connections in and out; whether one came or went (a renewed lease is nobody else's business)."""
    before = row.snapshot().connections
    if act.connect:
        txn.arm(row, {f"lease|{act.connect}": act.lease_ms, "grace|0": 0, "left|0": 0})
    if act.disconnect:
        txn.arm(row, {f"lease|{act.disconnect}": 0})
    after = row.snapshot().connections
    if before and not after and act.grace_ms:
        txn.arm(row, {"grace|0": act.grace_ms})
    return before != after


def _quiet(txn: Txn, row: AdvisorRow, *, changed: bool) -> Outcome:
    """No new presence: the roster learns of a connection or a wrap-up, the bus of nothing."""
    if not changed:
        txn.show(row)
        return txn.refuse(Result.SAME)
    txn.touch(row)
    txn.flush()
    txn.remember(row, Result.DONE, 0)
    return Outcome(result=Result.DONE, advisors=(row.snapshot(),))


def _announce(txn: Txn, row: AdvisorRow, outcome: str) -> Outcome:
    txn.flush()
    number = txn.emit(outcome, about=row.id, advisor=row.snapshot())
    txn.remember(row, Result.DONE, number)
    return Outcome(result=Result.DONE, advisors=(row.snapshot(),), number=number)
