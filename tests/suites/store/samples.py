"""One plain example of each act."""

from typing import Any

from router.contract.advisor import Presence
from router.contract.plan import Placing, Plan
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

# What each act has besides the common members, on the case ``c1`` that Ann has and Bob is consulted on.
MEMBERS: dict[type[Act], dict[str, Any]] = {
    Admit: {
        "case": "c9",
        "conversation": "talk-c9",
        "inquiry": "c9",
        "message": "m",
        "channel": "chat",
        "units": 30,
        "plan": Plan(ver=0, class_key="k"),
    },
    Match: {"class_key": "k", "placing": Placing()},
    Assign: {"advisor": "bob"},
    Accept: {"advisor": "bob", "offer_ver": 1},
    Decline: {"advisor": "bob", "offer_ver": 1},
    Expire: {"offer_ver": 1},
    Requeue: {},
    Transfer: {"advisor": "ann"},
    Consult: {"advisor": "ann", "units": 1},
    HandBack: {"advisor": "bob"},
    Park: {},
    Unpark: {},
    Pend: {"advisor": "ann"},
    FollowUp: {"advisor": "ann"},
    Note: {"message": "m"},
    Label: {},
    Reply: {"advisor": "ann", "message": "m", "reply": "r"},
    Delivered: {"reply": "r1", "state": "sent"},
    Resolve: {"advisor": "ann"},
    Close: {"claim": ("close|0", 5)},
    Escalate: {"step": 1},
    Snooze: {},
    Rejudge: {},
    Replan: {},
    Move: {"to_pool": "other", "handover": "{}"},
    PresenceAct: {"advisor": "ann", "presence": Presence.AWAY},
    ProfileAct: {"advisor": "ann", "budget": 55, "profile": "{}"},
    WrapUp: {"advisor": "ann", "case": "c1"},
    Due: {},
    Done: {"item": "a|ann", "stamp": 3},
}

KINDS = tuple(MEMBERS)
PLANNED = tuple(kind for kind in KINDS if issubclass(kind, PlannedAct))
ON_A_CASE = tuple(kind for kind in KINDS if issubclass(kind, CaseAct))

# The planned acts that succeed on that case at once, with what they give.
SUCCEED: dict[type[Act], Result] = {
    Assign: Result.ASSIGNED,
    Requeue: Result.QUEUED,
    Transfer: Result.QUEUED,
    Park: Result.DONE,
    Pend: Result.DONE,
    FollowUp: Result.DONE,
    Label: Result.DONE,
    Reply: Result.DONE,
    Delivered: Result.DONE,
    Resolve: Result.DONE,
    Escalate: Result.DONE,
    Snooze: Result.DONE,
    Rejudge: Result.DONE,
    Replan: Result.DONE,
    HandBack: Result.DONE,
}


def members_of(kind: type[Act], *, ver: int = 0, case: str = "c1") -> dict[str, Any]:
    """The members of an example of that act, on a case as of a version."""
    members = dict(MEMBERS[kind])
    if issubclass(kind, CaseAct):
        members["case"] = case
    if issubclass(kind, PlannedAct):
        members["plan"] = Plan(ver=ver, class_key="k", score=1)
    return members
