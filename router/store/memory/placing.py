"""Handing a case to somebody, or letting it wait."""

from collections.abc import Callable

from router.contract.advisor import Presence, WorkKind
from router.contract.case import CaseStatus, Offer
from router.contract.plan import Candidate, Placing, Plan
from router.store.acts import Result
from router.store.memory.rows import AdvisorRow, CaseRow
from router.store.memory.txn import Txn

MAX_CANDIDATES = 5
# What an advisor has of a case that he may be handed nonetheless: it takes the place of that.
_GIVES_WAY = frozenset({WorkKind.CONSULT, WorkKind.WRAP_UP})


def choose(
    txn: Txn,
    row: CaseRow,
    placing: Placing,
    *,
    barred: Callable[[AdvisorRow], bool] = lambda _: False,
    consult_units: int | None = None,
) -> list[AdvisorRow]:
    """The first candidates who fit, as many as ring at once; the states of those who don't go into the answer."""
    chosen: list[AdvisorRow] = []
    ring = 1 if placing.auto_accept else placing.ring
    for candidate in placing.candidates[:MAX_CANDIDATES]:
        advisor = txn.pool.advisors.get(candidate.advisor)
        if advisor is None or barred(advisor):
            continue
        if fits(row, advisor, candidate, consult_units=consult_units):
            chosen.append(advisor)
            if len(chosen) == ring:
                break
        else:
            txn.show(advisor)
    return chosen


def fits(row: CaseRow, advisor: AdvisorRow, candidate: Candidate, *, consult_units: int | None = None) -> bool:
    """Whether he is still who the caller judged, and has room for the case, or for a consult on it: above his capacity
    nobody is asked in, whatever the candidate says."""
    if advisor.presence is not Presence.ONLINE or advisor.elig != candidate.elig:
        return False
    held = advisor.work.get(row.id)
    if held is not None and held.kind not in _GIVES_WAY:
        return False
    if candidate.over and consult_units is None:
        return True
    units = row.units if consult_units is None else consult_units
    return advisor.has_room(units, row.channel, besides=row.id)


def hand_to(txn: Txn, row: CaseRow, chosen: list[AdvisorRow], placing: Placing, *, plan: Plan) -> Result:
    """Assign to the one chosen, as the plan says for a case that is taken, or offer to all of them. The case must be in
    no line and nobody's."""
    row.over = False
    if placing.auto_accept:
        txn.reserve(row, chosen[0], WorkKind.CASE)
        row.owner = chosen[0].id
        row.state = CaseStatus.ASSIGNED
        if plan.taken is not None:
            row.detail = plan.taken.detail
            txn.arm(row, plan.taken.timers)
        return Result.ASSIGNED
    for advisor in chosen:
        txn.reserve(row, advisor, WorkKind.OFFER)
    deadline = placing.offer_deadline_ms
    row.offers = [Offer(advisor=advisor.id, ver=row.ver, deadline_ms=deadline) for advisor in chosen]
    row.owner = ""
    row.state = CaseStatus.OFFERED
    txn.arm(row, {f"offer|{row.ver}": deadline})
    return Result.OFFERED


def place(txn: Txn, row: CaseRow, plan: Plan, placing: Placing, *, patient: bool = False, owner: str = "") -> Result:
    """Hand over to a candidate, else let it wait.

    With ``patient`` nobody overtakes: the case's class must be empty, and whom the matcher has yet to serve is
    left out, since he may be due an older case. Only to ``owner`` it may go all the same: it comes back to him.
    """
    behind = txn.line_key(plan) in txn.pool.lines

    def barred(advisor: AdvisorRow) -> bool:
        return patient and advisor.id != owner and (behind or f"a|{advisor.id}" in txn.pool.work)

    chosen = choose(txn, row, placing, barred=barred)
    if chosen:
        return hand_to(txn, row, chosen, placing, plan=plan)
    txn.enqueue(row, plan)
    return Result.QUEUED
