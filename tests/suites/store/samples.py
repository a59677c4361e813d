"""One plain example of each act."""

from typing import Any

from router.contract.advisor import Presence
from router.contract.plan import Placing, Plan
from router.store import acts
from router.store.acts import Act, CaseAct, PlannedAct, Result

# What each act has besides the common members, on the case ``c1`` that Ann has and Bob is consulted on.
MEMBERS: dict[type[Act], dict[str, Any]] = {
    acts.Admit: {
        "case": "c9",
        "conversation": "talk-c9",
        "inquiry": "c9",
        "message": "m",
        "channel": "chat",
        "units": 30,
        "plan": Plan(ver=0, class_key="k"),
    },
    acts.Match: {"class_key": "k", "placing": Placing()},
    acts.Assign: {"advisor": "bob"},
    acts.Accept: {"advisor": "bob", "offer_ver": 1},
    acts.Decline: {"advisor": "bob", "offer_ver": 1},
    acts.Expire: {"offer_ver": 1},
    acts.Requeue: {},
    acts.Transfer: {"advisor": "ann"},
    acts.Consult: {"advisor": "ann", "units": 1},
    acts.HandBack: {"advisor": "bob"},
    acts.Park: {},
    acts.Unpark: {},
    acts.Pend: {"advisor": "ann"},
    acts.FollowUp: {"advisor": "ann"},
    acts.Note: {"message": "m"},
    acts.Label: {},
    acts.Reply: {"advisor": "ann", "message": "m", "reply": "r"},
    acts.Delivered: {"reply": "r1", "state": "sent"},
    acts.Resolve: {"advisor": "ann"},
    acts.Close: {"claim": ("close|0", 5)},
    acts.Escalate: {"step": 1},
    acts.Snooze: {},
    acts.Rejudge: {},
    acts.Replan: {},
    acts.Move: {"to_pool": "other", "handover": "{}"},
    acts.PresenceAct: {"advisor": "ann", "presence": Presence.AWAY},
    acts.ProfileAct: {"advisor": "ann", "budget": 55, "profile": "{}"},
    acts.WrapUp: {"advisor": "ann", "case": "c1"},
    acts.Due: {},
    acts.Done: {"item": "a|ann", "stamp": 3},
}

KINDS = tuple(MEMBERS)
PLANNED = tuple(kind for kind in KINDS if issubclass(kind, PlannedAct))
ON_A_CASE = tuple(kind for kind in KINDS if issubclass(kind, CaseAct))

# The planned acts that succeed on that case at once, with what they give.
SUCCEED: dict[type[Act], Result] = {
    acts.Assign: Result.ASSIGNED,
    acts.Requeue: Result.QUEUED,
    acts.Transfer: Result.QUEUED,
    acts.Park: Result.DONE,
    acts.Pend: Result.DONE,
    acts.FollowUp: Result.DONE,
    acts.Label: Result.DONE,
    acts.Reply: Result.DONE,
    acts.Delivered: Result.DONE,
    acts.Resolve: Result.DONE,
    acts.Escalate: Result.DONE,
    acts.Snooze: Result.DONE,
    acts.Rejudge: Result.DONE,
    acts.Replan: Result.DONE,
    acts.HandBack: Result.DONE,
}


def members_of(kind: type[Act], *, ver: int = 0, case: str = "c1") -> dict[str, Any]:
    """The members of an example of that act, on a case as of a version."""
    members = dict(MEMBERS[kind])
    if issubclass(kind, CaseAct):
        members["case"] = case
    if issubclass(kind, PlannedAct):
        members["plan"] = Plan(ver=ver, class_key="k", score=1)
    return members
