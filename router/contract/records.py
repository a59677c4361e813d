"""How a message lies on the bus: its topic, its key, its headers."""

from collections.abc import Mapping
from typing import Final, assert_never

import msgspec

from router.contract import topics
from router.contract.advisor import Advisor
from router.contract.codec import Headers, cloud_headers
from router.contract.events import CaseEvent, RelayNote
from router.contract.ids import advisor_record_id, event_id
from router.contract.messages import CaseNote, Delivery, Handover, Inquiry, Notice, Reply
from router.contract.sources import account_source, pool_source

AnyMessage = Inquiry | Handover | Reply | Delivery | Notice | CaseEvent | Advisor | RelayNote | CaseNote

CLOUD_TYPES: Final[Mapping[str, str]] = {
    name: f"turnout.{name}.v1"
    for name in ("inquiry", "handover", "reply", "delivery", "notice", "advisor", "relay-note", "note")
} | {"api-key": "turnout.key.v1", "active-rulebook": "turnout.rulebook.v1"}
"""The CloudEvents type of each message; a case event's is its own ``type``. Those of the configuration are named
after what the record key begins with, so a rulebook's content has that of ``active-rulebook``."""


class RecordHead(msgspec.Struct, frozen=True, kw_only=True):
    """What stands outside a record's value. The same message always gets the same."""

    topic: str
    key: str
    headers: Headers


def record_head(message: AnyMessage, *, traceparent: str = "") -> RecordHead:
    """Where a message goes, and under which key and headers. Entries of the configuration are not among them:
    theirs tell when they were written (``config_headers``).

    A ``CaseEvent`` goes to the events topic; the cases topic takes the same record. A malformed
    ``traceparent`` is left out.
    """
    kind, id_, source, time_ms = _attributes(message)
    headers = cloud_headers(id=id_, type=kind, source=source, time_ms=time_ms, traceparent=traceparent)
    topic, key = _place(message)
    return RecordHead(topic=topic, key=key, headers=headers)


def _place(message: AnyMessage) -> tuple[str, str]:
    match message:
        case Inquiry() | Handover():
            return topics.inquiries(message.pool), message.conversation
        case Reply():
            return topics.REPLIES, message.conversation
        case Delivery():
            return topics.DELIVERIES, message.conversation
        case Notice():
            return topics.NOTICES, message.case
        case CaseEvent():
            return topics.EVENTS, message.subject
        case Advisor():
            return topics.ADVISORS, message.id
        case RelayNote():
            return topics.CONFIG, f"relay/{message.pool}"
        case CaseNote():
            return topics.NOTES, message.case
        case _:
            assert_never(message)


def _attributes(message: AnyMessage) -> tuple[str, str, str, int]:
    """The CloudEvents attributes type, id, source and time (in milliseconds)."""
    match message:
        case Inquiry():
            return CLOUD_TYPES["inquiry"], message.id, account_source(message.account), message.received_at_ms
        case Handover():
            # Not the bare id, which may be that of the event it came with, from the same source.
            id_ = f"handover/{message.id}"
            return CLOUD_TYPES["handover"], id_, pool_source(message.from_pool), message.at_ms
        case Reply():
            return CLOUD_TYPES["reply"], message.id, pool_source(message.pool), message.created_at_ms
        case Delivery():
            # A bounce may follow a ``sent``: two deliveries of one reply differ in their state.
            id_ = f"{message.reply}/{message.state}"
            return CLOUD_TYPES["delivery"], id_, account_source(message.account), message.at_ms
        case Notice():
            return CLOUD_TYPES["notice"], message.id, pool_source(message.pool), message.at_ms
        case CaseEvent():
            return message.type, message.id, pool_source(message.pool), message.at_ms
        case Advisor():
            id_ = advisor_record_id(message.id, message.gen, message.ver)
            return CLOUD_TYPES["advisor"], id_, pool_source(message.pool), message.at_ms
        case RelayNote() | CaseNote():
            kind, id_ = _note(message)
            return CLOUD_TYPES[kind], id_, pool_source(message.pool), message.at_ms
        case _:
            assert_never(message)


def _note(note: RelayNote | CaseNote) -> tuple[str, str]:
    """The kind of a note, and its id."""
    if isinstance(note, RelayNote):
        return "relay-note", f"relay/{note.pool}:{note.gen}.{note.number}"
    # Not the bare id, which is that of the event it came with, from the same source.
    return "note", f"note/{event_id(note.case, note.gen, note.ver)}"
