"""Acts of the loops: due (timers) and done (work items)."""

from router.store.acts import Done, Due, Outcome, Result, TimerClaim
from router.store.memory.rows import AdvisorRow, CaseRow
from router.store.memory.txn import Txn

_FIRES_HERE = ("warn.", "breach.")
MAX_DUE = 10


def due(txn: Txn, act: Due) -> Outcome:
    claims = []
    number = 0
    for deadline, member in txn.pool.timers.upto(txn.now, min(act.limit, MAX_DUE)):
        subject, name, timer = member.split("|", 2)
        row: CaseRow | AdvisorRow | None = _subject(txn, subject, name)
        if row is None or row.timers.get(timer) != deadline:
            txn.pool.timers.drop(member)
            continue
        fires = isinstance(row, CaseRow) and timer.startswith(_FIRES_HERE)
        if isinstance(row, CaseRow) and fires:
            number = _fire(txn, row, timer)
            put_off = deadline
        else:
            put_off = txn.now + act.retry_ms
            txn.arm(row, {timer: put_off})
        claims.append(
            TimerClaim(subject=subject, id=name, timer=timer, due_ms=deadline, deadline_ms=put_off, fired=fires)
        )
    return Outcome(result=Result.DONE, number=number, claims=tuple(claims))


def done(txn: Txn, act: Done) -> Outcome:
    if act.item not in txn.pool.work or txn.pool.work[act.item][1] != act.stamp:
        return Outcome(result=Result.SAME)
    del txn.pool.work[act.item]
    return Outcome(result=Result.DONE)


def _subject(txn: Txn, subject: str, name: str) -> CaseRow | AdvisorRow | None:
    rows: dict[str, CaseRow] | dict[str, AdvisorRow] = txn.pool.cases if subject == "c" else txn.pool.advisors  # type: ignore[assignment]  # ids are NewTypes of str
    return rows.get(name)


def _fire(txn: Txn, row: CaseRow, timer: str) -> int:
    """The claim is the effect: disarmed and told in one step."""
    txn.begin(row, claim=(timer, row.timers[timer]))
    return txn.settle(row, Result.DONE, about=timer).number
