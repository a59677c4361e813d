"""Acts that change what is known of a case, not who has it: note, label, reply, delivered, snooze,
rejudge, replan."""

from router.contract.case import CaseStatus
from router.store.acts import (
    Delivered,
    Label,
    Note,
    Outcome,
    PlannedAct,
    Rejudge,
    Replan,
    Reply,
    Result,
    Snooze,
)
from router.store.memory.rows import CaseRow
from router.store.memory.txn import OPEN, Sent, Txn


def note(txn: Txn, act: Note) -> Outcome:
    row = txn.pool.cases.get(act.case)
    if row is None:
        return txn.refuse(Result.ABSENT)
    if again := txn.repeated(row):
        return again
    if txn.is_short:
        return txn.refuse(Result.FULL, row)
    txn.begin(row)
    txn.note(row, act.message)
    return txn.settle(row, Result.DONE)


def label(txn: Txn, act: Label) -> Outcome:
    row = txn.current(act)
    return row if isinstance(row, Outcome) else rekey(txn, act, row)


def snooze(txn: Txn, act: Snooze) -> Outcome:
    row = txn.current(act)
    if isinstance(row, Outcome):
        return row
    txn.begin(row, act.plan, act.claim)
    return txn.settle(row, Result.DONE, sent=Sent(notices=act.notices))


def reply(txn: Txn, act: Reply) -> Outcome:
    row = txn.current(act)
    if isinstance(row, Outcome):
        return row
    if act.advisor and act.advisor != row.owner and act.advisor not in row.consults:
        return txn.refuse(Result.NOT_YOURS, row)
    txn.begin(row, act.plan, act.claim)
    txn.say(row, act.message)
    return txn.settle(row, Result.DONE, about=act.advisor or "", sent=Sent(replies=(act.reply,), notices=act.notices))


def delivered(txn: Txn, act: Delivered) -> Outcome:
    row = txn.current(act)
    if isinstance(row, Outcome):
        return row
    txn.begin(row, act.plan, act.claim)
    return txn.settle(row, Result.DONE, about=f"{act.reply}={act.state}", sent=Sent(notices=act.notices))


def rejudge(txn: Txn, act: Rejudge) -> Outcome:
    row = txn.current(act)
    if isinstance(row, Outcome):
        return row
    return rekey(txn, act, row, about=act.about) if row.state in OPEN else txn.refuse(Result.GONE, row)


def replan(txn: Txn, act: Replan) -> Outcome:
    row = txn.current(act)
    return row if isinstance(row, Outcome) else rekey(txn, act, row)


def rekey(txn: Txn, act: PlannedAct, row: CaseRow, *, about: str = "") -> Outcome:
    """Write the plan, and end the act."""
    rewrite(txn, act, row)
    return txn.settle(row, Result.DONE, about=about, sent=Sent(notices=act.notices))


def rewrite(txn: Txn, act: PlannedAct, row: CaseRow) -> None:
    """Write the plan, with what the case weighs; a waiting case changes to the plan's line."""
    txn.begin(row, act.plan, act.claim)
    txn.weigh(row, act.plan.units)
    if row.state is CaseStatus.QUEUED:
        txn.dequeue(row)
        txn.line_up(row, act.plan)
