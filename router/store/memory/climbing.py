"""The act of ladders: escalate."""

from router.contract.case import CaseStatus
from router.store.acts import Escalate, Outcome, Result
from router.store.memory.consulting import ask_in, choose_beside
from router.store.memory.marking import rewrite
from router.store.memory.rows import AdvisorRow, CaseRow
from router.store.memory.txn import OPEN, Sent, Txn


def escalate(txn: Txn, act: Escalate) -> Outcome:
    row = txn.current(act)
    if isinstance(row, Outcome):
        return row
    if row.state not in OPEN:
        return txn.refuse(Result.GONE, row)
    if act.advisor and row.owner != act.advisor:
        return txn.refuse(Result.NOT_YOURS, row)
    if act.step == row.step or (act.step < row.step and not act.lower):
        return txn.refuse(Result.SAME, row)
    txn.weigh(row, act.plan.units)
    asked = _asked_in(txn, act, row)
    row.step = act.step
    if act.message:
        txn.note(row, act.message)
    if act.take:
        txn.begin(row, act.plan, act.claim)
        txn.let_go(row)
        txn.enqueue(row, act.plan)
        return txn.settle(row, Result.QUEUED, about=str(act.step), sent=Sent(notices=act.notices))
    rewrite(txn, act, row)
    taken = ""
    if asked is not None and ask_in(txn, row, asked, act.placing, units=row.units) is Result.DONE:
        taken = asked.id
    return txn.settle(row, Result.DONE, about=str(act.step), taken=taken, sent=Sent(notices=act.notices))


def _asked_in(txn: Txn, act: Escalate, row: CaseRow) -> AdvisorRow | None:
    """Who comes in beside the owner, or is rung to; one is rung at a time."""
    if act.take or row.state is not CaseStatus.ASSIGNED or (row.offers and not act.placing.auto_accept):
        return None
    return choose_beside(txn, row, act.placing, units=row.units)
