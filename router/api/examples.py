"""One example of every request body and of the answers that many share; a test holds them against the schemas."""

from typing import Any, Final

BODIES: Final[dict[str, dict[str, Any]]] = {
    "Accept": {"offer_ver": 3},
    "Decline": {"offer_ver": 3, "reason": "I know the customer"},
    "Reply": {"text": "Your parcel left our house this morning and should be with you tomorrow."},
    "Note": {"text": "Called the courier; they look for it."},
    "Label": {"add": ["courier-lost"], "remove": ["late"]},
    "Pend": {"on": "third-party", "reason": "the courier looks for it", "until": "2026-11-23T09:00:00+09:00"},
    "FollowUp": {"at": "2026-11-24T14:00:00+09:00", "reason": "ask whether it has arrived"},
    "Resolve": {"outcome": "solved", "seen": "0b9c6c1e-6d0a-5a53-9a0e-0d1f7a4c7b11"},
    "Transfer": {"queue": "billing", "reason": "it is about the invoice"},
    "Assign": {"to": "minji", "over": False, "reason": "she knows the customer"},
    "Requeue": {"reason": "her shift has ended"},
    "Exclude": {"exclude": ["minji"], "reason": "the complaint is about her"},
    "Forecast": {"rulebook": {"defaults": {"queue": "delivery"}, "queues": {"delivery": {"policy": "standard"}}}},
    "Consult": {"tier": "senior", "skills": {"refunds": 5}, "note": "Is this a case for a refund?"},
    "HandBack": {"reason": "answered in a note"},
    "Pick": {"reason": "I know the customer"},
    "WrapUp": {"more_s": 30},
    "Park": {"for_s": 1800, "reason": "the warehouse opens at nine"},
    "Unpark": {},
    "Take": {},
    "Snooze": {"for_s": 900},
    "Acknowledge": {},
    "Escalate": {"reason": "over my head", "note": "He wants the contract explained."},
    "Lower": {"step": 0, "reason": "a misunderstanding"},
}
"""By the name of the act's type."""

CASE: Final[dict[str, Any]] = {
    "id": "0b9c6c1e-6d0a-5a53-9a0e-0d1f7a4c7b11",
    "state": "assigned",
    "ver": 4,
    "queue": "delivery",
    "channel": "email",
    "priority": 3,
    "conversation": "f2f0a1b8-1b0c-5d7e-8a31-5a4f3c2b1a00",
    "account": "support",
    "customer": "ann@example.com",
    "units": 10,
    "opened_at": "2026-11-22T05:19:35.120Z",
    "changed_at": "2026-11-22T05:21:02.004Z",
    "inquiries": 1,
    "rulebook": "3f2a9c1d0b4e5f67",
    "last_inquiry": "0b9c6c1e-6d0a-5a53-9a0e-0d1f7a4c7b11",
    "owner": "minji",
    "clocks": {"first_response": {"target_s": 14400, "due_at": "2026-11-22T09:19:35.120Z"}},
}

ANSWERS: Final[dict[str, dict[str, Any]]] = {
    "ActView": {"operation": "9d1c", "result": "assigned", "durable": True, "case": CASE},
    "OperationView": {"operation": "9d1c", "state": "durable", "result": "assigned"},
    "Problem": {
        "type": "urn:turnout:problem:gone",
        "title": "That is over",
        "status": 409,
        "detail": "The offer has expired or was taken, or the case no longer is in a state for this.",
    },
    "MeView": {"key": "5f0c9a1b2c3d", "role": "supervisor", "pool": "default", "name": "shift lead"},
    "QueuesPage": {"queues": [{"queue": "delivery", "title": "Delivery", "waiting": 12, "classes": 3}]},
}
"""By the name of the answer's type."""
