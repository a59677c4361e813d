"""Where messages lie, and what stands outside them."""

import pytest

from router.contract import (
    CLOUD_TYPES,
    AccountId,
    AnyMessage,
    DeliveryState,
    EventType,
    PoolId,
    account_source,
    header,
    pool_source,
    record_head,
    topic_specs,
)
from router.contract.schema import MESSAGES
from tests.suites.wire_cases import case_event
from tests.suites.wire_examples import CASE, CONVERSATION, EXAMPLES, MINJI

EVENT = case_event(EventType.ADMIT)
PLACES: dict[str, tuple[AnyMessage, str, str]] = {
    "inquiry": (EXAMPLES["inquiry"], "turnout.inquiries.v1.main", CONVERSATION),
    "handover": (EXAMPLES["handover"], "turnout.inquiries.v1.b2b", CONVERSATION),
    "reply": (EXAMPLES["reply"], "turnout.replies.v1", CONVERSATION),
    "delivery": (EXAMPLES["delivery"], "turnout.deliveries.v1", CONVERSATION),
    "notice": (EXAMPLES["notice"], "turnout.notices.v1", CASE),
    "case-event": (EVENT, "turnout.events.v1", CASE),
    "advisor": (EXAMPLES["advisor"], "turnout.advisors.v1", MINJI),
    "relay-note": (EXAMPLES["relay-note"], "turnout.config.v1", "relay/main"),
    "note": (EXAMPLES["note"], "turnout.notes.v1", CASE),
}


@pytest.mark.parametrize(("message", "topic", "key"), PLACES.values(), ids=PLACES)
def test_where_a_message_lies(message: AnyMessage, topic: str, key: str) -> None:
    head = record_head(message)
    assert (head.topic, head.key) == (topic, key)
    assert topic in {spec.name for spec in topic_specs((PoolId("main"), PoolId("b2b")))}


def test_every_message_has_a_place_and_a_type() -> None:
    # The writer of the configuration places its entries: their heads tell when they were written.
    assert PLACES.keys() == MESSAGES.keys() - {"api-key", "active-rulebook"}
    assert CLOUD_TYPES.keys() == MESSAGES.keys() - {"case-event"}


@pytest.mark.parametrize(("message", "_topic", "_key"), PLACES.values(), ids=PLACES)
def test_the_same_message_has_the_same_head(message: AnyMessage, _topic: str, _key: str) -> None:
    assert record_head(message) == record_head(message)
    assert all(value for _, value in record_head(message).headers)


def test_cloud_ids_differ_between_messages() -> None:
    messages = [*EXAMPLES.values(), *(case_event(kind) for kind in EventType)]
    ids = [header(record_head(message).headers, "ce_id") for message in messages]
    # The failed delivery of the examples is of the same reply, and is told apart.
    assert len(set(ids)) == len(messages)
    assert any(str(DeliveryState.FAILED) in id_ for id_ in ids)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (pool_source(PoolId("main")), "/turnout/pools/main"),
        (account_source(AccountId("help@x.com")), "/turnout/accounts/help%40x.com"),
        (account_source(AccountId("a/b c")), "/turnout/accounts/a%2Fb%20c"),
        (account_source(AccountId("고객")), "/turnout/accounts/%EA%B3%A0%EA%B0%9D"),
    ],
)
def test_a_source_is_a_uri_reference(source: str, expected: str) -> None:
    assert source == expected
