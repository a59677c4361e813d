"""A case's event between its two forms: the state of the store, and the bytes on the bus.

The relay composes the bytes from the state's flat members and the raw members of its detail, and a rebuild
takes them apart again. Neither looks into what it doesn't know, so a member that a newer version added to
the detail goes to the bus and back. Where such a member has the name of a flat one, the flat one stands.
"""

from typing import Final

import msgspec

from router.contract.case import Case, CaseState
from router.contract.codec import Headers, cloud_headers
from router.contract.errors import Undecodable
from router.contract.events import CaseEvent, EventType
from router.contract.ids import CaseId, EventId, PoolId, event_id
from router.contract.sources import pool_source

Members = dict[str, msgspec.Raw]


class _RawEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``CaseEvent`` with its case's members as they are. A test holds the two together."""

    type: EventType
    id: EventId
    pool: PoolId
    subject: CaseId
    gen: int
    ver: int
    number: int
    at_ms: int
    outcome: str
    case: msgspec.Raw
    actor: str = ""
    about: str = ""
    reason: str = ""
    op: str = ""


_TEXTS: Final = ("detail", "why")
_FLAT: Final = tuple(name for name in CaseState.__struct_fields__ if name not in _TEXTS)
_OURS: Final = frozenset((*_FLAT, "pool", "why"))
_DETAIL: Final = frozenset(Case.__struct_fields__) - _OURS


def _composed() -> type[msgspec.Struct]:
    """``Case`` with flat members as in ``CaseState`` and those of the detail as they are, absent where it has none."""
    flat = {field.name: field for field in msgspec.structs.fields(CaseState)}
    members: list[tuple[str, object] | tuple[str, object, object]] = []
    for name in Case.__struct_fields__:
        if name in _DETAIL:
            members.append((name, msgspec.Raw | msgspec.UnsetType, msgspec.UNSET))
        elif name in _FLAT and flat[name].default is not msgspec.NODEFAULT:
            members.append((name, flat[name].type, flat[name].default))
        elif name in _FLAT and flat[name].default_factory is not msgspec.NODEFAULT:
            factory = flat[name].default_factory
            members.append((name, flat[name].type, msgspec.field(default_factory=factory)))
        else:
            members.append((name, str if name == "pool" else msgspec.Raw))
    return msgspec.defstruct("_Composed", members, frozen=True, kw_only=True, omit_defaults=True)


NUMBER_HEADER: Final = "ce_number"
"""The header in which a tombstone tells its outbox number: it has no value to tell it."""

_COMPOSED: Final = _composed()
_ENCODER: Final = msgspec.json.Encoder()
_CANONICAL: Final = msgspec.json.Encoder(order="deterministic")
_MEMBERS: Final = msgspec.json.Decoder(Members)
_ANY: Final = msgspec.json.Decoder(msgspec.Raw)
_STATE: Final = msgspec.json.Decoder(CaseState)
_EVENT: Final = msgspec.json.Decoder(_RawEvent)
_CHECK: Final = msgspec.json.Decoder(CaseEvent)


def wire_case(pool: PoolId, state: CaseState) -> bytes:
    """The ``case`` member of an event: a ``Case``, its known members in order, then the others by name.

    The same state gives the same bytes. Raises ``Undecodable`` when ``detail`` or ``why`` isn't JSON.
    """
    return _compose(pool, state)


def case_event_bytes(  # noqa: PLR0913 - one keyword for each member of the event
    *,
    type: EventType,  # noqa: A002 - the member's name
    pool: PoolId,
    state: CaseState,
    number: int,
    at_ms: int,
    outcome: str,
    actor: str = "",
    about: str = "",
    reason: str = "",
    op: str = "",
) -> bytes:
    """The value of a ``CaseEvent`` record, the same however often it is made.

    ``state`` is the post-state and names the event's ``subject``, ``gen`` and ``ver``. Raises
    ``Undecodable`` when its ``detail`` or ``why`` isn't JSON.
    """
    return _ENCODER.encode(
        _RawEvent(
            type=type,
            id=event_id(state.id, state.gen, state.ver),
            pool=pool,
            subject=state.id,
            gen=state.gen,
            ver=state.ver,
            number=number,
            at_ms=at_ms,
            outcome=outcome,
            case=msgspec.Raw(_compose(pool, state)),
            actor=actor,
            about=about,
            reason=reason,
            op=op,
        )
    )


def case_event_headers(
    *,
    type: EventType,  # noqa: A002 - the member's name
    pool: PoolId,
    state: CaseState,
    at_ms: int,
    traceparent: str = "",
) -> Headers:
    """The headers that go with ``case_event_bytes``."""
    return cloud_headers(
        id=event_id(state.id, state.gen, state.ver),
        type=type,
        source=pool_source(pool),
        time_ms=at_ms,
        traceparent=traceparent,
    )


def case_of(event: bytes) -> CaseState:
    """The post-state that an event carries; ``detail`` has the members that aren't flat, by name.

    Raises ``Undecodable`` for anything that isn't a ``CaseEvent``.
    """
    try:
        _CHECK.decode(event)
        members = _MEMBERS.decode(_EVENT.decode(event).case)
        flat = {name: members.pop(name) for name in _FLAT if name in members}
        state = _STATE.decode(_ENCODER.encode(flat))
        why = bytes(members.pop("why", b"null")).decode()
        members.pop("pool")
        detail = _CANONICAL.encode(members).decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise Undecodable(str(exc)) from exc
    return msgspec.structs.replace(state, detail=detail, why=why)


def _compose(pool: PoolId, state: CaseState) -> bytes:
    try:
        members = _MEMBERS.decode(state.detail)
        why = _ANY.decode(state.why)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise Undecodable(f"the detail or why of case {state.id}: {exc}") from exc
    newer = {name: members.pop(name) for name in sorted(members.keys() - _DETAIL)}
    values: dict[str, object] = msgspec.structs.asdict(state)
    del values["detail"]
    values.update(members, pool=pool, why=why)
    known = _CANONICAL.encode(_COMPOSED(**values))
    newer = {name: value for name, value in newer.items() if name not in _OURS}
    return known[:-1] + b"," + _ENCODER.encode(newer)[1:] if newer else known
