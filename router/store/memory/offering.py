"""Acts around offers: match, assign, accept, decline, expire."""

from router.contract.advisor import Presence, WorkKind
from router.contract.case import CaseStatus
from router.contract.ids import AdvisorId
from router.store.acts import Accept, Assign, Decline, Expire, Match, Outcome, Result
from router.store.memory.consulting import is_consult, join, ring_on
from router.store.memory.placing import choose, hand_to
from router.store.memory.rows import CaseRow
from router.store.memory.txn import OPEN, Sent, Txn


def match(txn: Txn, act: Match) -> Outcome:
    row = txn.current(act)
    if isinstance(row, Outcome):
        return row
    line = txn.pool.lines.get(act.class_key)
    head = line.head()[1] if line else ""
    if row.state is not CaseStatus.QUEUED or row.class_key != act.class_key or head != row.id:
        return txn.refuse(Result.NOT_HEAD, row, head=head)
    chosen = choose(txn, row, act.placing)
    if not chosen:
        return txn.refuse(Result.REFUSED, row)
    txn.begin(row, act.plan, act.claim)
    txn.dequeue(row)
    result = hand_to(txn, row, chosen, act.placing, plan=act.plan)
    return txn.settle(row, result, about=chosen[0].id, taken=chosen[0].id, sent=Sent(notices=act.notices))


def assign(txn: Txn, act: Assign) -> Outcome:
    row = txn.current(act)
    if isinstance(row, Outcome):
        return row
    if row.state not in OPEN:
        return txn.refuse(Result.GONE, row)
    if row.owner == act.advisor and row.state is CaseStatus.ASSIGNED:
        return txn.refuse(Result.SAME, row)
    advisor = txn.pool.advisors.get(act.advisor)
    if advisor is None or advisor.presence is Presence.OFFLINE:
        return txn.refuse(Result.UNFIT, row)
    if not act.over and not advisor.has_room(row.units, row.channel, besides=row.id):
        txn.show(advisor)
        return txn.refuse(Result.NO_ROOM, row)
    txn.begin(row, act.plan, act.claim)
    txn.let_go(row)
    row.over = False
    txn.reserve(row, advisor, WorkKind.CASE)
    row.owner = advisor.id
    row.state = CaseStatus.ASSIGNED
    return txn.settle(row, Result.ASSIGNED, about=advisor.id, taken=advisor.id, sent=Sent(notices=act.notices))


def accept(txn: Txn, act: Accept) -> Outcome:
    row = txn.pool.cases.get(act.case)
    if row is None:
        return txn.refuse(Result.ABSENT)
    if again := txn.repeated(row):
        return again
    if (row.owner == act.advisor and row.state is CaseStatus.ASSIGNED) or act.advisor in row.consults:
        return txn.refuse(Result.SAME, row)
    if not _has_offer(row, act.advisor, act.offer_ver):
        return txn.refuse(Result.GONE, row)
    if act.plan is not None and act.plan.ver != row.ver:
        return txn.refuse(Result.CONFLICT, row)
    txn.begin(row, act.plan)
    if is_consult(row):
        return join(txn, row, act.advisor)
    txn.withdraw(row, but=act.advisor)
    advisor = txn.pool.advisors[act.advisor]
    advisor.missed = 0
    row.owner = act.advisor
    row.state = CaseStatus.ASSIGNED
    row.over = False
    txn.reserve(row, advisor, WorkKind.CASE)
    return txn.settle(row, Result.ASSIGNED, about=act.advisor, taken=act.advisor)


def decline(txn: Txn, act: Decline) -> Outcome:
    row = txn.current(act)
    if isinstance(row, Outcome):
        return row
    if not _has_offer(row, act.advisor, act.offer_ver):
        return txn.refuse(Result.GONE, row)
    txn.begin(row, act.plan, act.claim)
    txn.pool.advisors[act.advisor].missed = 0
    if is_consult(row):
        return _go_on(txn, act, row, sent=Sent(notices=act.notices), about=act.advisor)
    txn.release(row, act.advisor)
    row.offers = [offer for offer in row.offers if offer.advisor != act.advisor]
    if row.offers:
        return txn.settle(row, Result.OFFERED, about=act.advisor, sent=Sent(notices=act.notices))
    txn.arm(row, {f"offer|{act.offer_ver}": 0})
    txn.enqueue(row, act.plan)
    return txn.settle(row, Result.QUEUED, about=act.advisor, sent=Sent(notices=act.notices))


def expire(txn: Txn, act: Expire) -> Outcome:
    row = txn.current(act)
    if isinstance(row, Outcome):
        return row
    missed = [offer.advisor for offer in row.offers if offer.ver == act.offer_ver]
    if not missed:
        return txn.refuse(Result.GONE, row)
    txn.begin(row, act.plan, act.claim)
    notices = act.notices
    for name in missed:
        if _count_miss(txn, name, act.away_after):
            notices += act.told.get(name, ())
    if is_consult(row):
        return _go_on(txn, act, row, sent=Sent(notices=notices), about=missed[0])
    txn.withdraw(row)
    txn.enqueue(row, act.plan)
    return txn.settle(row, Result.QUEUED, about=missed[0], sent=Sent(notices=notices))


def _go_on(txn: Txn, act: Decline | Expire, row: CaseRow, *, sent: Sent, about: AdvisorId) -> Outcome:
    """A consult that came to nothing with one rings at the next."""
    units = row.offers[0].units or row.units
    txn.withdraw(row)
    result = ring_on(txn, row, act.placing, units=units)
    return txn.settle(row, result, about=about, sent=sent)


def _has_offer(row: CaseRow, advisor: AdvisorId, ver: int) -> bool:
    return any(offer.advisor == advisor and offer.ver == ver for offer in row.offers)


def _count_miss(txn: Txn, name: AdvisorId, away_after: int) -> bool:
    """Whether it was one too many."""
    advisor = txn.pool.advisors[name]
    advisor.missed += 1
    is_too_many = bool(away_after) and advisor.missed >= away_after and advisor.presence is Presence.ONLINE
    if is_too_many:
        txn.set_presence(advisor, Presence.AWAY, "missed-offers")
    txn.touch(advisor)
    return is_too_many
