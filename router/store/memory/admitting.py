"""Admit: an inquiry comes to its case."""

from router.contract.case import CaseStatus
from router.contract.ids import AdvisorId
from router.store.acts import Admit, Fence, Outcome, Result
from router.store.memory.placing import place
from router.store.memory.rows import SEEN_INQUIRIES, CaseRow, ConversationRow, PoolRows
from router.store.memory.txn import Sent, Txn
from router.store.protocol import MAX_SKEW_MS

_TAKES_MORE = frozenset({CaseStatus.QUEUED, CaseStatus.OFFERED, CaseStatus.ASSIGNED, CaseStatus.PARKED})


def admit(txn: Txn, act: Admit) -> Outcome:
    pool = txn.pool
    talk = pool.conversations.get(act.conversation)
    row = pool.cases.get(talk.case) if talk else None
    if act.fence and is_applied(pool, act.fence):
        return txn.refuse(Result.DUPLICATE, row)
    if talk and act.inquiry in talk.seen:
        return txn.refuse(Result.DUPLICATE, row)
    if talk and talk.moved_to:
        return Outcome(result=Result.MOVED_ON, moved_to=talk.moved_to)
    if txn.is_short or pool.number - pool.trimmed >= pool.outbox_mark:
        return txn.refuse(Result.FULL, row)
    if talk is None or row is None:
        return _open(txn, act)
    if row.state in _TAKES_MORE and act.fresh and act.plan.ver != row.ver:
        return txn.refuse(Result.CONFLICT, row)
    if row.state in _TAKES_MORE:
        return _append(txn, act, row, talk)
    return _bring_back(txn, act, row, talk) if act.plan.ver == row.ver else txn.refuse(Result.CONFLICT, row)


def is_applied(pool: PoolRows, fence: Fence) -> bool:
    """Whether the record was applied before. One published well after the mark was noted can't have been: the
    topic was made anew, and its offsets with it."""
    row = pool.fences[fence.partition]
    return fence.offset < row.applied and fence.published_at_ms <= row.applied_at_ms + MAX_SKEW_MS


def _open(txn: Txn, act: Admit) -> Outcome:
    if act.plan.ver:
        return txn.refuse(Result.CONFLICT)
    # One mail can come twice and claim another thread the second time; its case must not be overwritten.
    if other := txn.pool.cases.get(act.case):
        return txn.refuse(Result.DUPLICATE, other)
    row = CaseRow(
        id=act.case,
        state=CaseStatus.QUEUED,
        gen=txn.pool.gen,
        conversation=act.conversation,
        channel=act.channel,
        units=act.units,
        opened_at_ms=txn.now,
        changed_at_ms=txn.now,
        last_inquiry=act.inquiry,
    )
    txn.pool.cases[row.id] = row
    txn.pool.conversations[row.conversation] = ConversationRow(case=row.id, seen=[act.inquiry])
    txn.say(row, act.message)
    txn.begin(row, act.plan)
    result = place(txn, row, act.plan, act.placing, patient=True)
    return txn.settle(row, result, about=act.inquiry, taken=_taken(row), sent=Sent(replies=act.replies))


def _append(txn: Txn, act: Admit, row: CaseRow, talk: ConversationRow) -> Outcome:
    fresh = act.plan.ver == row.ver
    _note_inquiry(txn, act, row, talk)
    txn.begin(row, act.plan if fresh else None)
    if act.fresh and row.state is CaseStatus.QUEUED:
        txn.dequeue(row)
        txn.line_up(row, act.plan)
    return txn.settle(row, Result.APPENDED, about=act.inquiry)


def _bring_back(txn: Txn, act: Admit, row: CaseRow, talk: ConversationRow) -> Outcome:
    owner = row.owner
    _note_inquiry(txn, act, row, talk)
    txn.begin(row, act.plan)
    txn.weigh(row, act.plan.units)
    txn.let_go(row)
    result = place(txn, row, act.plan, act.placing, patient=True, owner=owner)
    if result is Result.ASSIGNED and row.owner == owner:
        result = Result.RETURNED
    return txn.settle(row, result, about=act.inquiry, taken=_taken(row), sent=Sent(replies=act.replies))


def _note_inquiry(txn: Txn, act: Admit, row: CaseRow, talk: ConversationRow) -> None:
    talk.seen = [*talk.seen, act.inquiry][-SEEN_INQUIRIES:]
    txn.say(row, act.message)
    row.inquiries += 1
    row.last_inquiry = act.inquiry


def _taken(row: CaseRow) -> AdvisorId:
    return AdvisorId(row.owner or (row.offers[0].advisor if row.offers else ""))
