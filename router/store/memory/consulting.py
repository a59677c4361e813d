"""Acts by which others are asked in beside the owner: consult, hand_back; and how a consult goes on ringing."""

from router.contract.advisor import WorkKind
from router.contract.case import MOST_CONSULTS, CaseStatus, Offer
from router.contract.ids import AdvisorId
from router.contract.plan import Placing
from router.store.acts import Consult, HandBack, Outcome, Result
from router.store.memory.placing import choose
from router.store.memory.rows import AdvisorRow, CaseRow
from router.store.memory.txn import Sent, Txn


def consult(txn: Txn, act: Consult) -> Outcome:
    row = txn.current(act)
    if isinstance(row, Outcome):
        return row
    if row.state is not CaseStatus.ASSIGNED or row.owner != act.advisor:
        return txn.refuse(Result.NOT_YOURS, row)
    beside = {*row.consults, *(offer.advisor for offer in row.offers)}
    if any(candidate.advisor in beside for candidate in act.placing.candidates):
        return txn.refuse(Result.SAME, row)
    asked = None if row.offers else choose_beside(txn, row, act.placing, units=act.units)
    if asked is None:
        return txn.refuse(Result.REFUSED, row)
    txn.begin(row, act.plan, act.claim)
    if act.message:
        txn.note(row, act.message)
    result = ask_in(txn, row, asked, act.placing, units=act.units)
    return txn.settle(row, result, about=asked.id, sent=Sent(notices=act.notices))


def hand_back(txn: Txn, act: HandBack) -> Outcome:
    row = txn.current(act)
    if isinstance(row, Outcome):
        return row
    is_rung = is_consult(row) and any(offer.advisor == act.advisor for offer in row.offers)
    if act.advisor not in row.consults and not is_rung:
        return txn.refuse(Result.SAME, row)
    txn.begin(row, act.plan, act.claim)
    if is_rung:
        txn.withdraw(row)
    else:
        txn.release(row, act.advisor)
        row.consults = {name: units for name, units in row.consults.items() if name != act.advisor}
    return txn.settle(row, Result.DONE, about=act.advisor, sent=Sent(notices=act.notices))


def is_consult(row: CaseRow) -> bool:
    """Whether what rings, if anything does, is a consult: somebody has the case."""
    return row.state is not CaseStatus.OFFERED


def choose_beside(txn: Txn, row: CaseRow, placing: Placing, *, units: int) -> AdvisorRow | None:
    """The first candidate who may come in beside the owner; None as well when as many are in, or rung, as can be."""
    if len(row.consults) + len(row.offers) >= MOST_CONSULTS:
        return None
    chosen = choose(txn, row, placing, barred=lambda advisor: advisor.id in row.consults, consult_units=units)
    return chosen[0] if chosen else None


def ask_in(txn: Txn, row: CaseRow, advisor: AdvisorRow, placing: Placing, *, units: int) -> Result:
    """He is in at once (``DONE``), or rung (``OFFERED``)."""
    if placing.auto_accept:
        bring_in(txn, row, advisor, units=units)
        return Result.DONE
    _ring(txn, row, advisor, placing, units=units)
    return Result.OFFERED


def bring_in(txn: Txn, row: CaseRow, advisor: AdvisorRow, *, units: int) -> None:
    """He is in on the case from now on."""
    txn.reserve(row, advisor, WorkKind.CONSULT, units=units)
    row.consults = {**row.consults, advisor.id: units}


def join(txn: Txn, row: CaseRow, advisor: AdvisorId) -> Outcome:
    """Who is rung comes in; the end of an act that has begun."""
    units = next(offer.units for offer in row.offers if offer.advisor == advisor)
    txn.withdraw(row, but=advisor)
    person = txn.pool.advisors[advisor]
    person.missed = 0
    bring_in(txn, row, person, units=row.units if units is None else units)
    return txn.settle(row, Result.DONE, about=advisor)


def ring_on(txn: Txn, row: CaseRow, placing: Placing, *, units: int) -> Result:
    """Nobody is rung any more: the next is, if there is one."""
    asked = choose_beside(txn, row, placing, units=units)
    if asked is None:
        return Result.DONE
    _ring(txn, row, asked, placing, units=units)
    return Result.OFFERED


def _ring(txn: Txn, row: CaseRow, advisor: AdvisorRow, placing: Placing, *, units: int) -> None:
    txn.reserve(row, advisor, WorkKind.CONSULT_OFFER, units=units)
    deadline = placing.offer_deadline_ms
    row.offers = [Offer(advisor=advisor.id, ver=row.ver, deadline_ms=deadline, units=units)]
    txn.arm(row, {f"offer|{row.ver}": deadline})
