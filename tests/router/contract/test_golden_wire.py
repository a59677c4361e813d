"""Every message of the wire against its golden file. To write them anew: see ``tests/suites/golden.py``."""

from typing import Any

import msgspec
import pytest

from router.contract import (
    CLOUD_TYPES,
    CONFIG,
    AnyMessage,
    Case,
    Decoder,
    EventType,
    Headers,
    Inquiry,
    IntakeMessage,
    case_event_bytes,
    case_event_headers,
    case_of,
    config_headers,
    encode,
    header,
    record_head,
    rulebook_entry,
)
from router.contract.asyncapi import CHANNELS
from router.contract.schema import MESSAGES
from tests.suites.golden import check_golden, read_golden, strangers
from tests.suites.wire_cases import case_event, case_state, happening
from tests.suites.wire_examples import CONFIG_EXAMPLES, EXAMPLES, START_MS

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
PLACED: dict[str, AnyMessage] = {
    **EXAMPLES,
    **{f"case-event-{kind.name.lower()}": case_event(kind) for kind in EventType},
}
ALL: dict[str, msgspec.Struct] = {**PLACED, **{name: message for name, (_, message) in CONFIG_EXAMPLES.items()}}

# One case event stands for all: what differs between them is the type.
LABELLED = [*EXAMPLES, "case-event-admit"]


def decoded(value: bytes, kind: type[Any]) -> Any:
    return Decoder(kind).decode(value, kind)


def in_order(members: dict[str, Any]) -> bytes:
    return msgspec.json.format(msgspec.json.encode(members), indent=2)


def outside(topic: str, key: str, headers: Headers) -> bytes:
    return in_order({"topic": topic, "key": key, "headers": {name: value.decode() for name, value in headers}})


@pytest.mark.parametrize("name", ALL)
def test_encoding_gives_the_golden_bytes(name: str) -> None:
    check_golden(f"wire/{name}.json", encode(ALL[name]))


@pytest.mark.parametrize("name", ALL)
def test_decoding_gives_the_message(name: str) -> None:
    assert decoded(read_golden(f"wire/{name}.json"), type(ALL[name])) == ALL[name]


@pytest.mark.parametrize("name", ALL)
def test_members_of_a_newer_version_are_ignored(name: str) -> None:
    value = read_golden(f"wire/{name}.json").replace(b"{", b'{"added_later":{"a":[1,null]},', 1)
    assert decoded(value, type(ALL[name])) == ALL[name]


@pytest.mark.parametrize("kind", EventType)
def test_the_relay_composes_the_same_bytes(kind: EventType) -> None:
    assert case_event_bytes(**happening(kind)) == read_golden(f"wire/case-event-{kind.name.lower()}.json")


@pytest.mark.parametrize("kind", EventType)
def test_a_rebuild_finds_the_state_in_the_golden_bytes(kind: EventType) -> None:
    state = case_of(read_golden(f"wire/case-event-{kind.name.lower()}.json"))
    expected = case_state(kind)
    assert msgspec.structs.replace(state, detail="") == msgspec.structs.replace(expected, detail="")
    assert msgspec.json.decode(state.detail) == msgspec.json.decode(expected.detail)


@pytest.mark.parametrize("name", LABELLED)
def test_headers_are_the_golden_ones(name: str) -> None:
    head = record_head(PLACED[name], traceparent=TRACE)
    check_golden(f"wire/headers/{name}.json", outside(head.topic, head.key, head.headers))


@pytest.mark.parametrize("name", CONFIG_EXAMPLES)
def test_headers_of_the_configuration_are_the_golden_ones(name: str) -> None:
    entry, _ = CONFIG_EXAMPLES[name]
    check_golden(f"wire/headers/{name}.json", outside(CONFIG, entry, config_headers(entry, at_ms=START_MS)))


def test_the_content_of_a_rulebook_has_the_type_of_the_active_one() -> None:
    headers = config_headers(rulebook_entry("3b1f0c9e5a7d2468"), at_ms=START_MS)
    assert header(headers, "ce_type") == CLOUD_TYPES["active-rulebook"]
    assert header(headers, "ce_id") == f"rulebook/3b1f0c9e5a7d2468:{START_MS}"


@pytest.mark.parametrize("entry", ["relay/main", "key", "", "keys/a"])
def test_only_entries_of_the_configuration_get_its_headers(entry: str) -> None:
    with pytest.raises(KeyError):
        config_headers(entry, at_ms=START_MS)


@pytest.mark.parametrize("kind", EventType)
def test_the_relay_writes_the_same_headers(kind: EventType) -> None:
    state = case_state(kind)
    at_ms = happening(kind)["at_ms"]
    headers = case_event_headers(type=kind, pool=case_event(kind).pool, state=state, at_ms=at_ms, traceparent=TRACE)
    assert headers == record_head(case_event(kind), traceparent=TRACE).headers


def test_every_golden_file_has_its_example() -> None:
    assert strangers("wire", {f"{name}.json" for name in ALL}) == set()
    assert strangers("wire/headers", {f"{name}.json" for name in [*LABELLED, *CONFIG_EXAMPLES]}) == set()


def test_every_message_and_every_topic_has_an_example() -> None:
    assert {type(message) for message in ALL.values()} == set(MESSAGES.values())
    taken = {record_head(message).topic for message in PLACED.values()}
    # The cases topic takes the records of the events topic; dead letters are whatever they were.
    rest = {
        channel.spec.name for name, channel in CHANNELS.items() if name not in ("inquiries", "cases", "dead-letters")
    }
    assert rest <= taken
    assert taken - rest == {"turnout.inquiries.v1.main", "turnout.inquiries.v1.b2b"}


@pytest.mark.parametrize("name", ["inquiry", "handover"])
def test_a_tagged_message_is_told_from_its_siblings(name: str) -> None:
    message = Decoder(IntakeMessage).decode(read_golden(f"wire/{name}.json"), msgspec.Struct)
    assert message == EXAMPLES[name]


def test_the_examples_show_every_member() -> None:
    """A member that no golden file shows could change unseen. Tags of unions are written always."""
    for kind in MESSAGES.values():
        shown: set[str] = set()
        for name, message in ALL.items():
            if type(message) is kind:
                shown |= msgspec.json.decode(read_golden(f"wire/{name}.json")).keys()
        assert set(kind.__struct_fields__) <= shown, kind


def test_the_case_events_show_every_member_of_a_case() -> None:
    shown: set[str] = set()
    for kind in EventType:
        shown |= msgspec.json.decode(read_golden(f"wire/case-event-{kind.name.lower()}.json"))["case"].keys()
    assert set(Case.__struct_fields__) <= shown


def test_a_message_without_optional_members_takes_their_defaults() -> None:
    value = (
        b'{"type":"inquiry","id":"i","pool":"main","account":"a","channel":"chat","conversation":"c",'
        b'"customer":{"id":"u"},"reply_to":{"account":"a","address":"u"},"received_at_ms":%d}' % START_MS
    )
    inquiry = decoded(value, Inquiry)
    assert (inquiry.text, inquiry.language, inquiry.labels, inquiry.automatic) == ("", None, (), False)
    assert encode(inquiry) == value
