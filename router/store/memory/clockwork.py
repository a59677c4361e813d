"""Acts of the loops: due (timers) and done (work items)."""

from typing import NamedTuple

from router.store.acts import Done, Due, Outcome, Result, TimerClaim
from router.store.marks import LATE_MS, PUT_OFF, PUT_OFF_MS, Level, late_reason
from router.store.memory.rows import AdvisorRow, CaseRow
from router.store.memory.txn import Sent, Txn

_FIRES_HERE = ("warn.", "breach.")
MAX_DUE = 10


class _Due(NamedTuple):
    """A timer whose time has come: where it stood in the line, and when it was due by its row."""

    subject: str
    name: str
    timer: str
    score: int
    deadline: int


def due(txn: Txn, act: Due) -> Outcome:
    claims = []
    number, waiting = 0, 0
    for score, member in txn.pool.timers.upto(txn.now, min(act.limit, MAX_DUE)):
        subject, name, timer = member.split("|", 2)
        row = _subject(txn, subject, name)
        deadline = row.timers.get(timer) if row else None
        # The row says when. One that was put off stands later in the line, and never earlier.
        if row is None or deadline is None or deadline > score:
            txn.pool.timers.drop(member)
        elif txn.level >= Level.HARD and isinstance(row, CaseRow) and timer.startswith(PUT_OFF):
            txn.pool.timers.set(member, txn.now + PUT_OFF_MS)
            waiting += 1
        else:
            claim, told = _serve(txn, act, row, _Due(subject, name, timer, score, deadline))
            claims.append(claim)
            number = told or number
    return Outcome(result=Result.DONE, number=number, claims=tuple(claims), put_off=waiting)


def _serve(txn: Txn, act: Due, row: CaseRow | AdvisorRow, found: _Due) -> tuple[TimerClaim, int]:
    """It fires, or is handed out; its claim, and the number of its event."""
    was_put_off = found.score > found.deadline
    late_ms = txn.now - found.deadline
    late_ms = late_ms if was_put_off or late_ms >= LATE_MS else 0
    put_off, number, fires = found.deadline, 0, False
    if isinstance(row, CaseRow) and found.timer.startswith(_FIRES_HERE):
        fires, number = True, _fire(txn, row, found.timer, _why_late(late_ms, put_off=was_put_off))
    else:
        put_off = txn.now + act.retry_ms
        txn.arm(row, {found.timer: put_off})
    claim = TimerClaim(
        subject=found.subject,
        id=found.name,
        timer=found.timer,
        due_ms=found.deadline,
        deadline_ms=put_off,
        fired=fires,
        late_ms=late_ms,
        put_off=was_put_off,
    )
    return claim, number


def done(txn: Txn, act: Done) -> Outcome:
    if act.item not in txn.pool.work or txn.pool.work[act.item][1] != act.stamp:
        return Outcome(result=Result.SAME)
    del txn.pool.work[act.item]
    return Outcome(result=Result.DONE)


def _subject(txn: Txn, subject: str, name: str) -> CaseRow | AdvisorRow | None:
    rows: dict[str, CaseRow] | dict[str, AdvisorRow] = txn.pool.cases if subject == "c" else txn.pool.advisors  # type: ignore[assignment]  # ids are NewTypes of str
    return rows.get(name)


def _why_late(late_ms: int, *, put_off: bool) -> Sent:
    return Sent(reason=late_reason(late_ms, put_off=put_off)) if late_ms else Sent()


def _fire(txn: Txn, row: CaseRow, timer: str, sent: Sent) -> int:
    """The claim is the effect: disarmed and told in one step."""
    txn.begin(row, claim=(timer, row.timers[timer]))
    return txn.settle(row, Result.DONE, about=timer, sent=sent).number
