"""A case's event between the state of the store and the bytes on the bus."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.contract import (
    AdvisorId,
    Case,
    CaseEvent,
    CaseId,
    CaseState,
    CaseStatus,
    ConversationId,
    Decoder,
    EventType,
    Offer,
    PoolId,
    Undecodable,
    case_event_bytes,
    case_of,
    encode,
    read_detail,
    wire_case,
    write_detail,
)
from router.contract.envelope import _RawEvent
from tests.suites.wire_cases import case_state, happening
from tests.suites.wire_examples import MAIN
from tests.suites.wire_json import INTEGERS, JSON, NAMES, TEXTS

EVENT = Decoder(CaseEvent)
DETAILS = st.sampled_from([case_state(kind).detail for kind in EventType])
COUNTS = st.integers(0, 2**53 - 1)


def raw_detail(detail: str, newer: dict[str, Any]) -> str:
    return write_detail(read_detail(detail), before=msgspec.json.encode(newer).decode())


STATES = st.builds(
    CaseState,
    id=TEXTS.map(CaseId),
    state=st.sampled_from(CaseStatus),
    ver=COUNTS,
    gen=COUNTS,
    conversation=TEXTS.map(ConversationId),
    channel=TEXTS,
    units=COUNTS,
    opened_at_ms=INTEGERS,
    changed_at_ms=INTEGERS,
    score=INTEGERS,
    class_key=TEXTS,
    owner=TEXTS,
    offers=st.lists(st.builds(Offer, advisor=TEXTS.map(AdvisorId), ver=COUNTS, deadline_ms=INTEGERS), max_size=3).map(
        tuple
    ),
    consults=st.dictionaries(TEXTS, COUNTS, max_size=3),
    timers=st.dictionaries(TEXTS, INTEGERS, max_size=3),
    step=COUNTS,
    over=st.booleans(),
    inquiries=COUNTS,
    last_inquiry=TEXTS,
    detail=st.builds(raw_detail, DETAILS, st.dictionaries(NAMES, JSON, max_size=3)),
    why=JSON.map(lambda value: msgspec.json.encode(value).decode()),
)
HAPPENINGS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(EventType),
        "pool": TEXTS.map(PoolId),
        "state": STATES,
        "number": COUNTS,
        "at_ms": INTEGERS,
        "outcome": TEXTS,
        "actor": TEXTS,
        "about": TEXTS,
        "reason": TEXTS,
    }
)


@given(HAPPENINGS)
def test_the_bytes_are_a_case_event(event: dict[str, Any]) -> None:
    state: CaseState = event["state"]
    value = case_event_bytes(**event)
    read = EVENT.decode(value, CaseEvent)
    assert (read.subject, read.gen, read.ver, read.case.id) == (state.id, state.gen, state.ver, state.id)
    assert read.id == f"{state.id}:{state.gen}.{state.ver}"
    for name in event.keys() - {"state"}:
        assert getattr(read, name) == event[name]
    assert read.case.pool == event["pool"]
    assert read.case.timers == state.timers
    assert case_event_bytes(**event) == value


@given(HAPPENINGS)
def test_a_state_survives_the_bus(event: dict[str, Any]) -> None:
    state: CaseState = event["state"]
    value = case_event_bytes(**event)
    back = case_of(value)
    assert msgspec.structs.replace(back, detail="") == msgspec.structs.replace(state, detail="")
    assert msgspec.json.decode(back.detail) == msgspec.json.decode(state.detail)
    assert case_event_bytes(**event | {"state": back}) == value
    assert case_of(case_event_bytes(**event | {"state": back})) == back


@given(state=STATES, order=st.randoms(use_true_random=False))
def test_the_order_of_members_does_not_matter(state: CaseState, order: Any) -> None:
    members = list(msgspec.json.decode(state.detail, type=dict[str, msgspec.Raw]).items())
    timers = list(state.timers.items())
    order.shuffle(members)
    order.shuffle(timers)
    other = msgspec.structs.replace(state, detail=msgspec.json.encode(dict(members)).decode(), timers=dict(timers))
    assert wire_case(MAIN, other) == wire_case(MAIN, state)


@given(STATES)
def test_members_of_a_newer_version_are_on_the_bus(state: CaseState) -> None:
    detail = msgspec.json.decode(state.detail)
    case = msgspec.json.decode(wire_case(MAIN, state))
    assert {name: case[name] for name in detail} == detail
    assert case["why"] == msgspec.json.decode(state.why)


def test_a_reader_of_the_message_writes_the_same_bytes() -> None:
    for kind in EventType:
        value = case_event_bytes(**happening(kind))
        assert encode(EVENT.decode(value, CaseEvent)) == value


def test_the_raw_form_has_the_members_of_the_message() -> None:
    raw, whole = msgspec.structs.fields(_RawEvent), msgspec.structs.fields(CaseEvent)
    assert [(field.name, field.default) for field in raw] == [(field.name, field.default) for field in whole]


def test_a_newer_member_with_the_name_of_a_flat_one_gives_way() -> None:
    state = case_state(EventType.ADMIT)
    other = msgspec.structs.replace(state, detail=state.detail.replace("{", '{"step":9,"pool":"x","why":1,', 1))
    assert wire_case(MAIN, other) == wire_case(MAIN, state)


@pytest.mark.parametrize(
    "broken",
    [{"detail": ""}, {"detail": "[]"}, {"detail": '{"a":'}, {"why": ""}, {"why": "nul"}, {"why": "1 2"}],
    ids=str,
)
def test_a_state_that_holds_no_json_is_undecodable(broken: dict[str, str]) -> None:
    state = msgspec.structs.replace(case_state(EventType.ADMIT), **broken)
    with pytest.raises(Undecodable, match=state.id):
        wire_case(MAIN, state)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"null",
        b"{}",
        b"\xff",
        encode(msgspec.json.decode(wire_case(MAIN, case_state(EventType.ADMIT)), type=Case)),
        case_event_bytes(**happening(EventType.ADMIT)).replace(b"admit", b"created"),
        case_event_bytes(**happening(EventType.ADMIT)).replace(b'"customer":', b'"client":'),
        case_event_bytes(**happening(EventType.ADMIT)).replace(b'"why":', b'"later":"\xff","why":'),
        case_event_bytes(**happening(EventType.ADMIT)).replace(b'"why":', b'"later":' + b"[" * 100_000),
    ],
    ids=["nothing", "null", "empty", "no text", "a bare case", "unknown act", "lacks a member", "no UTF-8", "too deep"],
)
def test_what_is_no_event_is_undecodable(value: bytes) -> None:
    with pytest.raises(Undecodable):
        case_of(value)


@given(st.binary(max_size=100))
def test_garbage_is_undecodable(value: bytes) -> None:
    with pytest.raises(Undecodable):
        case_of(value)
