"""Acts by which a case stops taking capacity: pend, follow_up, resolve, close, move."""

from router.contract.case import CaseStatus
from router.contract.ids import AdvisorId
from router.store.acts import Close, FollowUp, Move, Outcome, Pend, Resolve, Result
from router.store.memory.txn import OPEN, Sent, Txn, forget


def pend(txn: Txn, act: Pend | FollowUp) -> Outcome:
    row = txn.current(act)
    if isinstance(row, Outcome):
        return row
    if not act.advisor or row.owner != act.advisor:
        return txn.refuse(Result.NOT_YOURS, row)
    txn.begin(row, act.plan, act.claim)
    txn.let_go(row)
    row.owner = act.advisor
    row.state = CaseStatus.PENDING
    row.over = False
    return txn.settle(row, Result.DONE, about=act.advisor, sent=Sent(notices=act.notices))


def resolve(txn: Txn, act: Resolve) -> Outcome:
    row = txn.current(act)
    if isinstance(row, Outcome):
        return row
    if row.state is CaseStatus.RESOLVED:
        return txn.refuse(Result.SAME, row)
    if act.advisor and row.owner != act.advisor:
        return txn.refuse(Result.NOT_YOURS, row)
    if act.seen and row.last_inquiry != act.seen:
        return txn.refuse(Result.UNSEEN, row)
    owner = row.owner
    txn.begin(row, act.plan, act.claim)
    if act.wrap_up_ms:
        txn.wrap_up(row, act.wrap_up_ms)
    txn.let_go(row)
    row.state = CaseStatus.RESOLVED
    row.over = False
    return txn.settle(row, Result.DONE, about=owner, sent=Sent(notices=act.notices))


def close(txn: Txn, act: Close) -> Outcome:
    row = txn.pool.cases.get(act.case)
    if row is None:
        return txn.refuse(Result.ABSENT)
    timer, deadline = act.claim
    if row.state is not CaseStatus.RESOLVED or row.timers.get(timer) != deadline:
        return txn.refuse(Result.GONE, row)
    txn.begin(row, claim=act.claim)
    row.state = CaseStatus.CLOSED
    outcome = txn.settle(row, Result.DONE, sent=Sent(final=True))
    forget(txn.pool, row.id)
    txn.pool.conversations.pop(row.conversation, None)
    return outcome


def move(txn: Txn, act: Move) -> Outcome:
    row = txn.current(act)
    if isinstance(row, Outcome):
        return row
    if row.state not in OPEN:
        return txn.refuse(Result.GONE, row)
    owner = AdvisorId(row.owner)
    txn.begin(row, act.plan, act.claim)
    txn.let_go(row)
    row.state = CaseStatus.MOVED
    sent = Sent(notices=act.notices, handovers=(act.handover,), final=True)
    outcome = txn.settle(row, Result.DONE, about=owner, sent=sent)
    forget(txn.pool, row.id)
    txn.pool.conversations[row.conversation].moved_to = act.to_pool
    return outcome
