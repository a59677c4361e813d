"""What the entries of an outbox become on the bus; pure, so a repeat gives the same bytes."""

from collections.abc import Iterator
from typing import Final, cast

import msgspec

from router.contract import topics
from router.contract.advisor import AdvisorState
from router.contract.advisor_record import advisor_bytes, advisor_headers
from router.contract.case import CaseState
from router.contract.codec import encode
from router.contract.envelope import NUMBER_HEADER, case_event_bytes, case_event_headers
from router.contract.errors import Undecodable
from router.contract.events import EventType
from router.contract.ids import PoolId
from router.contract.messages import CaseNote, Handover, Notice, Reply, StaffNote
from router.contract.records import record_head
from router.runtime.bus.protocol import Outgoing
from router.store.protocol import UNREADABLE, OutboxEntry

_MESSAGE: Final[msgspec.json.Decoder[Reply | Notice | Handover]] = msgspec.json.Decoder(Reply | Notice | Handover)
_NOTE: Final = msgspec.json.Decoder(StaffNote)
_TYPES: Final = {kind.split(".")[2]: kind for kind in EventType}
_ENTRY: Final = msgspec.json.Encoder(order="deterministic")
_MAX_REASON_BYTES: Final = 1_000


def records_of(pool: PoolId, entry: OutboxEntry) -> Iterator[Outgoing]:
    """All records that one outbox entry becomes, in the order in which they go out. Raises ``Undecodable`` for one
    that the store couldn't read, or whose state isn't JSON where it should be."""
    if entry.kind == UNREADABLE:
        raise Undecodable(entry.reason)
    if entry.case is not None:
        yield from _case_records(pool, entry, entry.case)
        yield from _note_records(pool, entry, entry.case)
    if entry.advisor is not None:
        yield _advisor_record(pool, entry, entry.advisor)
    for text in (*entry.replies, *entry.notices, *entry.handovers):
        head = record_head(_MESSAGE.decode(text))
        yield Outgoing(topic=head.topic, key=head.key, value=text.encode(), headers=head.headers)


def refused_letter(record: Outgoing, reason: str) -> Outgoing:
    """The dead letter of a record that the bus will never take; it has no place of its own."""
    where = (("turnout-topic", record.topic.encode()), ("turnout-reason", _cut(reason)))
    return Outgoing(topic=topics.DEAD_LETTERS, key=record.key, value=record.value, headers=(*record.headers, *where))


def poison_letter(pool: PoolId, entry: OutboxEntry, reason: str) -> Outgoing:
    """The dead letter of an entry that no record can be made of: the entry itself, as JSON."""
    key = entry.case.id if entry.case else entry.advisor.id if entry.advisor else f"{pool}/{entry.number}"
    where = (("turnout-outbox", f"{pool}/{entry.gen}.{entry.number}".encode()), ("turnout-reason", _cut(reason)))
    return Outgoing(topic=topics.DEAD_LETTERS, key=key, value=_ENTRY.encode(entry), headers=where)


def _cut(reason: str) -> bytes:
    return reason.encode("utf-8", "replace")[:_MAX_REASON_BYTES]


def _case_records(pool: PoolId, entry: OutboxEntry, state: CaseState) -> Iterator[Outgoing]:
    # An act that only a newer version knows goes to the bus all the same: a newer reader will know it.
    kind = _TYPES.get(entry.kind) or cast("EventType", f"turnout.case.{entry.kind}.v1")
    value = case_event_bytes(
        type=kind,
        pool=pool,
        state=state,
        number=entry.number,
        at_ms=entry.at_ms,
        outcome=entry.outcome,
        actor=entry.actor,
        about=entry.about,
        reason=entry.reason,
        op=entry.op,
    )
    headers = case_event_headers(type=kind, pool=pool, state=state, at_ms=entry.at_ms)
    yield Outgoing(topic=topics.EVENTS, key=state.id, value=value, headers=headers)
    if entry.final:
        # A tombstone has no value to tell its number, by which a rebuild knows it from a later life of the same id.
        headers = (*headers, (NUMBER_HEADER, str(entry.number).encode()))
    yield Outgoing(topic=topics.CASES, key=state.id, value=None if entry.final else value, headers=headers)


def _note_records(pool: PoolId, entry: OutboxEntry, state: CaseState) -> Iterator[Outgoing]:
    for said in map(_NOTE.decode, entry.notes):
        note = CaseNote(
            pool=pool,
            case=state.id,
            gen=state.gen,
            ver=state.ver,
            number=entry.number,
            text=said.text,
            at_ms=said.at_ms,
            author=said.author,
        )
        head = record_head(note)
        yield Outgoing(topic=head.topic, key=head.key, value=encode(note), headers=head.headers)


def _advisor_record(pool: PoolId, entry: OutboxEntry, state: AdvisorState) -> Outgoing:
    value = advisor_bytes(pool=pool, state=state, number=entry.number, at_ms=entry.at_ms)
    headers = advisor_headers(pool=pool, state=state, at_ms=entry.at_ms)
    return Outgoing(topic=topics.ADVISORS, key=state.id, value=value, headers=headers)
