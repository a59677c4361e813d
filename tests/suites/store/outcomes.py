"""Every result that each act can give: the table behind the docstrings of ``acts``."""

from collections.abc import Iterable
from typing import Final

from router.store.acts import (
    Accept,
    Act,
    Admit,
    Assign,
    CaseAct,
    Close,
    Consult,
    Decline,
    Delivered,
    Done,
    Due,
    Escalate,
    Expire,
    FollowUp,
    HandBack,
    Label,
    Match,
    Move,
    Note,
    Park,
    Pend,
    PlannedAct,
    PresenceAct,
    ProfileAct,
    Rejudge,
    Replan,
    Reply,
    Requeue,
    Resolve,
    Result,
    Snooze,
    Transfer,
    Unpark,
    WrapUp,
)
from router.store.marks import YIELDING

R = Result

_OWN: Final[dict[type[Act], set[Result]]] = {
    Admit: {
        *(R.ASSIGNED, R.OFFERED, R.QUEUED, R.APPENDED, R.RETURNED),
        *(R.DUPLICATE, R.CONFLICT, R.FENCED, R.MOVED_ON),
    },
    Match: {R.OFFERED, R.ASSIGNED, R.REFUSED, R.NOT_HEAD},
    Assign: {R.ASSIGNED, R.SAME, R.NO_ROOM, R.UNFIT},
    Accept: {R.ASSIGNED, R.DONE, R.SAME, R.GONE, R.CONFLICT},
    Decline: {R.QUEUED, R.OFFERED, R.DONE},
    Expire: {R.QUEUED, R.OFFERED, R.DONE},
    Requeue: {R.RETURNED, R.ASSIGNED, R.OFFERED, R.QUEUED},
    Transfer: {R.ASSIGNED, R.OFFERED, R.QUEUED, R.REFUSED, R.NOT_YOURS},
    Consult: {R.OFFERED, R.DONE, R.SAME, R.REFUSED, R.NOT_YOURS},
    HandBack: {R.DONE, R.SAME},
    Park: {R.DONE, R.NOT_YOURS},
    Unpark: {R.RETURNED, R.NO_ROOM, R.NOT_YOURS},
    Pend: {R.DONE, R.NOT_YOURS},
    FollowUp: {R.DONE, R.NOT_YOURS},
    Note: {R.DONE},
    Label: {R.DONE},
    Reply: {R.DONE, R.NOT_YOURS},
    Delivered: {R.DONE},
    Resolve: {R.DONE, R.SAME, R.NOT_YOURS, R.UNSEEN},
    Close: {R.DONE, R.GONE},
    Escalate: {R.DONE, R.QUEUED, R.SAME, R.NOT_YOURS},
    Snooze: {R.DONE},
    Rejudge: {R.DONE},
    Replan: {R.DONE},
    Move: {R.DONE},
    PresenceAct: {R.DONE, R.SAME, R.GONE, R.ABSENT},
    ProfileAct: {R.DONE, R.SAME},
    WrapUp: {R.DONE, R.GONE, R.ABSENT},
    Due: {R.DONE},
    Done: {R.DONE, R.SAME},
}
# After these the subject is gone, or there is none. (A move can still carry the id of an older operation.)
_SELDOM_REPEATED: Final = frozenset({Admit, Close, Move, Due, Done})

Seen = set[tuple[type[Act], Result | str]]


def results_of(kind: type[Act]) -> set[Result]:
    """All results that the act can give."""
    found = _OWN[kind] | {R.NEWER, R.FOREIGN, R.SKEWED}
    if issubclass(kind, CaseAct):
        found.add(R.ABSENT)
    if issubclass(kind, PlannedAct):
        found |= {R.CONFLICT, R.GONE}
    if kind in YIELDING:
        found.add(R.FULL)
    return found


def everything() -> Seen:
    """Each act with each of its results, and with ``repeated`` where it can be."""
    found: Seen = {(kind, result) for kind in _OWN for result in results_of(kind)}
    return found | {(kind, "repeated") for kind in _OWN.keys() - _SELDOM_REPEATED}


def named(pairs: Iterable[tuple[type[Act], Result | str]]) -> list[str]:
    """For a message."""
    return sorted(f"{kind.__name__}: {result}" for kind, result in pairs)
