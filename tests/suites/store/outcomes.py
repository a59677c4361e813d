"""Every result that each act can give: the table behind the docstrings of ``acts``."""

from collections.abc import Iterable
from typing import Final

from router.store import acts
from router.store.acts import Act, CaseAct, PlannedAct, Result
from router.store.marks import YIELDING

R = Result

_OWN: Final[dict[type[Act], set[Result]]] = {
    acts.Admit: {
        *(R.ASSIGNED, R.OFFERED, R.QUEUED, R.APPENDED, R.RETURNED),
        *(R.DUPLICATE, R.CONFLICT, R.FENCED, R.MOVED_ON),
    },
    acts.Match: {R.OFFERED, R.ASSIGNED, R.REFUSED, R.NOT_HEAD},
    acts.Assign: {R.ASSIGNED, R.SAME, R.NO_ROOM, R.UNFIT},
    acts.Accept: {R.ASSIGNED, R.DONE, R.SAME, R.GONE, R.CONFLICT},
    acts.Decline: {R.QUEUED, R.OFFERED, R.DONE},
    acts.Expire: {R.QUEUED, R.OFFERED, R.DONE},
    acts.Requeue: {R.RETURNED, R.ASSIGNED, R.OFFERED, R.QUEUED},
    acts.Transfer: {R.ASSIGNED, R.OFFERED, R.QUEUED, R.REFUSED, R.NOT_YOURS},
    acts.Consult: {R.OFFERED, R.DONE, R.SAME, R.REFUSED, R.NOT_YOURS},
    acts.HandBack: {R.DONE, R.SAME},
    acts.Park: {R.DONE, R.NOT_YOURS},
    acts.Unpark: {R.RETURNED, R.NO_ROOM, R.NOT_YOURS},
    acts.Pend: {R.DONE, R.NOT_YOURS},
    acts.FollowUp: {R.DONE, R.NOT_YOURS},
    acts.Note: {R.DONE},
    acts.Label: {R.DONE},
    acts.Reply: {R.DONE, R.NOT_YOURS},
    acts.Delivered: {R.DONE},
    acts.Resolve: {R.DONE, R.SAME, R.NOT_YOURS, R.UNSEEN},
    acts.Close: {R.DONE, R.GONE},
    acts.Escalate: {R.DONE, R.QUEUED, R.SAME, R.NOT_YOURS},
    acts.Snooze: {R.DONE},
    acts.Rejudge: {R.DONE},
    acts.Replan: {R.DONE},
    acts.Move: {R.DONE},
    acts.PresenceAct: {R.DONE, R.SAME, R.GONE, R.ABSENT},
    acts.ProfileAct: {R.DONE, R.SAME},
    acts.WrapUp: {R.DONE, R.GONE, R.ABSENT},
    acts.Due: {R.DONE},
    acts.Done: {R.DONE, R.SAME},
}
# After these the subject is gone, or there is none. (A move can still carry the id of an older operation.)
_SELDOM_REPEATED: Final = frozenset({acts.Admit, acts.Close, acts.Move, acts.Due, acts.Done})

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
