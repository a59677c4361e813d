"""Acts that hand work on or put it aside: requeue, transfer, park, unpark."""

from router.contract.advisor import Presence, WorkKind
from router.contract.case import CaseStatus
from router.contract.ids import AdvisorId
from router.store.acts import Outcome, Park, Requeue, Result, Transfer, Unpark
from router.store.memory.placing import choose, hand_to, place
from router.store.memory.rows import CaseRow
from router.store.memory.txn import OPEN, Sent, Txn, park_timer


def requeue(txn: Txn, act: Requeue) -> Outcome:
    row = txn.current(act)
    if isinstance(row, Outcome):
        return row
    if row.state not in OPEN:
        return txn.refuse(Result.GONE, row)
    owner = row.owner
    txn.begin(row, act.plan, act.claim)
    txn.let_go(row)
    result = place(txn, row, act.plan, act.placing)
    if result is Result.ASSIGNED and row.owner == owner:
        result = Result.RETURNED
    return txn.settle(row, result, about=owner, taken=_holder(row), sent=Sent(notices=act.notices))


def transfer(txn: Txn, act: Transfer) -> Outcome:
    row = txn.current(act)
    if isinstance(row, Outcome):
        return row
    if row.state not in OPEN:
        return txn.refuse(Result.GONE, row)
    if act.advisor and row.owner != act.advisor:
        return txn.refuse(Result.NOT_YOURS, row)
    chosen = choose(txn, row, act.placing)
    if act.must and not chosen:
        return txn.refuse(Result.REFUSED, row)
    giver = row.owner
    txn.begin(row, act.plan, act.claim)
    if act.message:
        txn.note(row, act.message)
    if act.wrap_up_ms:
        txn.wrap_up(row, act.wrap_up_ms)
    txn.let_go(row)
    if chosen:
        result = hand_to(txn, row, chosen, act.placing, plan=act.plan)
    else:
        txn.enqueue(row, act.plan)
        result = Result.QUEUED
    return txn.settle(row, result, about=giver, taken=_holder(row), sent=Sent(notices=act.notices))


def park(txn: Txn, act: Park) -> Outcome:
    row = txn.current(act)
    if isinstance(row, Outcome):
        return row
    if act.advisor and row.owner != act.advisor:
        return txn.refuse(Result.NOT_YOURS, row)
    if not _may_park(txn, act, row):
        return txn.refuse(Result.GONE, row)
    txn.begin(row, act.plan, act.claim)
    txn.park(row, act.until_ms)
    row.state = CaseStatus.PARKED
    row.over = False
    return txn.settle(row, Result.DONE, about=row.owner, sent=Sent(notices=act.notices))


def _may_park(txn: Txn, act: Park, row: CaseRow) -> bool:
    if row.state is CaseStatus.ASSIGNED:
        return not act.held_ms
    if row.state is not CaseStatus.PARKED:
        return False
    held_ms = txn.pool.advisors[AdvisorId(row.owner)].timers.get(park_timer(row.id))
    return held_ms == act.held_ms if act.held_ms else bool(act.until_ms)


def unpark(txn: Txn, act: Unpark) -> Outcome:
    row = txn.current(act)
    if isinstance(row, Outcome):
        return row
    if act.advisor and row.owner != act.advisor:
        return txn.refuse(Result.NOT_YOURS, row)
    advisor = txn.pool.advisors.get(AdvisorId(row.owner))
    if row.state not in {CaseStatus.PARKED, CaseStatus.PENDING} or advisor is None:
        return txn.refuse(Result.GONE, row)
    able = advisor.presence in {Presence.ONLINE, Presence.FINISHING}
    if not able or not (act.over or advisor.has_room(row.units, row.channel, besides=row.id)):
        txn.show(advisor)
        return txn.refuse(Result.NO_ROOM, row)
    txn.begin(row, act.plan, act.claim)
    row.over = False
    txn.reserve(row, advisor, WorkKind.CASE)
    row.state = CaseStatus.ASSIGNED
    return txn.settle(row, Result.RETURNED, about=row.owner, taken=row.owner, sent=Sent(notices=act.notices))


def _holder(row: CaseRow) -> str:
    return row.owner or (row.offers[0].advisor if row.offers else "")
