"""What an operation id was answered with before: the store remembers the last 8 of each case and advisor."""

from typing import Any, Final

from router.api.desks import Caller
from router.contract.ids import AdvisorId, CaseId
from router.contract.plan import Plan
from router.store.acts import Label, Outcome, PresenceAct

_NO_VERSION: Final = -1
_NO_TIMER: Final = ("none|0", 1)


async def seen_on_case(caller: Caller, case: CaseId, op: str) -> Outcome | None:
    """What this key's operation on a case came to, with the case as it is now; None when it never took effect, or is
    forgotten. Changes nothing."""
    # No case has this version, so the act never takes effect; but an operation id that the store has seen is
    # answered before the version is looked at.
    return await _seen(caller, Label(**_common(caller, op), case=case, plan=Plan(ver=_NO_VERSION)))


async def seen_on_advisor(caller: Caller, advisor: AdvisorId, op: str) -> Outcome | None:
    """As ``seen_on_case``, of an operation on an advisor: his presence, his wrap-up."""
    # As above: no advisor has this timer.
    return await _seen(caller, PresenceAct(**_common(caller, op), advisor=advisor, claim=_NO_TIMER))


async def _seen(caller: Caller, probe: Label | PresenceAct) -> Outcome | None:
    outcome = await caller.desk.actor.one(probe)
    return outcome if outcome.repeated else None


def _common(caller: Caller, op: str) -> dict[str, Any]:
    actor = caller.desk.actor
    return {"pool": actor.pool, "gen": actor.gen, "now_ms": actor.now_ms(), "op": caller.request(op).op}
