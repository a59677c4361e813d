"""Reminders that a third party is late: when the next is due, and whom it tells."""

from msgspec.structs import replace

from router.contract.case import CaseDetail, CaseState
from router.engine import sla, telling
from router.engine.telling import Happening, Teller
from router.engine.terms import Terms
from rules.policies import Clock as Kind
from rules.policies import PendingOn

THIRD_PARTY = str(Kind.THIRD_PARTY)
KIND = "chase"


def timers(detail: CaseDetail, terms: Terms, *, armed: dict[str, int], now_ms: int) -> dict[str, int]:
    """What to arm and disarm so that the next reminder comes. One that is overdue and not armed is armed for now; one
    that is armed and overdue is left to whoever has claimed it."""
    wanted: dict[str, int] = {}
    at = _due(detail, terms)
    if at is not None:
        timer = f"{KIND}|{detail.chased}"
        wanted[timer] = at if at > now_ms else armed.get(timer, now_ms)
    changes = {timer: due for timer, due in wanted.items() if armed.get(timer) != due}
    return changes | {timer: 0 for timer in armed if timer.startswith(f"{KIND}|") and timer not in wanted}


def chased(detail: CaseDetail) -> CaseDetail:
    """The case with one more reminder sent."""
    return replace(detail, chased=detail.chased + 1)


def notices(teller: Teller, state: CaseState, detail: CaseDetail, terms: Terms) -> tuple[str, ...]:
    """The reminder that is due, for each who is told; the same whenever it is computed again."""
    own, clock = terms.get(THIRD_PARTY), detail.clocks.get(THIRD_PARTY)
    if own is None or own.chase is None or clock is None:
        return ()
    happening = Happening(
        kind="chaser",
        mark=f"chase-{clock.cycle}-{detail.chased}",
        step=detail.chased + 1,
        clock=THIRD_PARTY,
        due_at_ms=clock.due_at_ms,
        owner=state.owner,
    )
    return telling.notices(teller, state, detail=detail, happening=happening, told=own.chase.notify)


def reason(detail: CaseDetail) -> str:
    """What the event of the reminder says that is due."""
    return f"reminder {detail.chased + 1}: a third party is late"


def _due(detail: CaseDetail, terms: Terms) -> int | None:
    """When the next reminder is due; None when there is none."""
    own, clock = terms.get(THIRD_PARTY), detail.clocks.get(THIRD_PARTY)
    is_out = detail.pending is not None and detail.pending.on == PendingOn.THIRD_PARTY
    if own is None or own.chase is None or clock is None or clock.due_at_ms is None or not is_out:
        return None
    most = own.chase.most if own.chase.every_s is not None else 1
    if detail.chased >= most:
        return None
    amount_ms = clock.target_ms + detail.chased * (own.chase.every_s or 0) * 1000
    return sla.will_have_used(clock, amount_ms, own.calendar)
