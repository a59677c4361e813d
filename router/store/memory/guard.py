"""What every act is checked for before it is looked at, and which function serves it."""

from collections.abc import Callable
from typing import Any, Final

from router.store import acts
from router.store.acts import Act, Admit, AnyAct, Fence, Outcome, Result
from router.store.memory import (
    admitting,
    climbing,
    clockwork,
    consulting,
    handing,
    marking,
    offering,
    peopling,
    resting,
)
from router.store.memory.rows import PoolRows
from router.store.memory.txn import Txn
from router.store.protocol import MAX_SKEW_MS

FORMAT: Final = 1

# Any: each function takes its own act; the table pairs them.
_SERVED_BY: Final[dict[type[Act], Callable[[Txn, Any], Outcome]]] = {
    acts.Admit: admitting.admit,
    acts.Match: offering.match,
    acts.Assign: offering.assign,
    acts.Accept: offering.accept,
    acts.Decline: offering.decline,
    acts.Expire: offering.expire,
    acts.Requeue: handing.requeue,
    acts.Transfer: handing.transfer,
    acts.Consult: consulting.consult,
    acts.HandBack: consulting.hand_back,
    acts.Park: handing.park,
    acts.Unpark: handing.unpark,
    acts.Pend: resting.pend,
    acts.FollowUp: resting.pend,
    acts.Note: marking.note,
    acts.Label: marking.label,
    acts.Reply: marking.reply,
    acts.Delivered: marking.delivered,
    acts.Resolve: resting.resolve,
    acts.Close: resting.close,
    acts.Escalate: climbing.escalate,
    acts.Snooze: marking.snooze,
    acts.Rejudge: marking.rejudge,
    acts.Replan: marking.replan,
    acts.Move: resting.move,
    acts.PresenceAct: peopling.presence,
    acts.ProfileAct: peopling.profile,
    acts.WrapUp: peopling.wrap_up,
    acts.Due: clockwork.due,
    acts.Done: clockwork.done,
}


def name_of(act: Act) -> str:
    """The business name of an act: the tag of its struct."""
    return str(type(act).__struct_config__.tag)


def serve(pool: PoolRows | None, act: AnyAct, *, witness_ms: int, verified: bool = True) -> Outcome:
    """Check, then apply. ``witness_ms`` is the server's time: only a witness against a skewed clock. ``verified``:
    somebody has vouched for the pool since the server began."""
    if pool is None:
        return Outcome(result=Result.FOREIGN)
    if refusal := refused(pool, act, witness_ms=witness_ms, verified=verified):
        return Outcome(result=refusal)
    pool.now_ms = max(pool.now_ms, act.now_ms)
    return _SERVED_BY[type(act)](Txn(pool, act, name_of(act)), act)


def refused(pool: PoolRows, act: Act, *, witness_ms: int, verified: bool) -> Result | None:
    if pool.format > FORMAT:
        return Result.NEWER
    if act.gen != pool.gen or not verified:
        return Result.FOREIGN
    if is_skewed(pool, act.now_ms, witness_ms):
        return Result.SKEWED
    if isinstance(act, Admit) and act.fence and not holds(pool, act.fence):
        return Result.FENCED
    return None


def is_skewed(pool: PoolRows, now_ms: int, witness_ms: int) -> bool:
    """Whether a caller's clock is far ahead of the pool's and the server's."""
    return now_ms > max(pool.now_ms, witness_ms) + MAX_SKEW_MS


def holds(pool: PoolRows, fence: Fence) -> bool:
    """Whether that epoch is the partition's newest."""
    row = pool.fences.get(fence.partition)
    return row is not None and row.epoch == fence.epoch
