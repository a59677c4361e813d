"""Events: one type for each act on a case, with the case's whole post-state."""

from enum import StrEnum
from typing import Final

import msgspec

from router.contract.case import Case
from router.contract.ids import CaseId, EventId, PoolId
from router.contract.values import Integer


class EventType(StrEnum):
    """``turnout.case.<act>.v1``. Which way an act went is the event's ``outcome``."""

    ADMIT = "turnout.case.admit.v1"
    MATCH = "turnout.case.match.v1"
    ASSIGN = "turnout.case.assign.v1"
    ACCEPT = "turnout.case.accept.v1"
    DECLINE = "turnout.case.decline.v1"
    EXPIRE = "turnout.case.expire.v1"
    REQUEUE = "turnout.case.requeue.v1"
    TRANSFER = "turnout.case.transfer.v1"
    CONSULT = "turnout.case.consult.v1"
    HAND_BACK = "turnout.case.hand_back.v1"
    PARK = "turnout.case.park.v1"
    UNPARK = "turnout.case.unpark.v1"
    PEND = "turnout.case.pend.v1"
    FOLLOW_UP = "turnout.case.follow_up.v1"
    NOTE = "turnout.case.note.v1"
    LABEL = "turnout.case.label.v1"
    REPLY = "turnout.case.reply.v1"
    DELIVERED = "turnout.case.delivered.v1"
    RESOLVE = "turnout.case.resolve.v1"
    CLOSE = "turnout.case.close.v1"
    ESCALATE = "turnout.case.escalate.v1"
    SNOOZE = "turnout.case.snooze.v1"
    REJUDGE = "turnout.case.rejudge.v1"
    REPLAN = "turnout.case.replan.v1"
    MOVE = "turnout.case.move.v1"
    DUE = "turnout.case.due.v1"


class CaseEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one act did to one case.

    ``ver`` is dense within a case and ``gen``; ``number`` is dense within a pool's outbox and ``gen``.
    ``actor`` is an advisor's or a key's id, or empty for the router itself. ``about`` is what the act was
    about: an inquiry, a reply, an advisor, a clock. ``op`` is the id of the operation that asked for it, if one did.
    """

    type: EventType
    id: EventId
    pool: PoolId
    subject: CaseId
    gen: Integer
    ver: Integer
    number: Integer
    at_ms: Integer
    outcome: str
    case: Case
    actor: str = ""
    about: str = ""
    reason: str = ""
    op: str = ""


class RelayNote(msgspec.Struct, frozen=True, kw_only=True):
    """How far the relay of a pool has come: everything up to ``number`` of ``gen`` is on the bus."""

    pool: PoolId
    gen: Integer
    number: Integer
    at_ms: Integer


CASE_EVENT_TYPES: Final = tuple(EventType)
