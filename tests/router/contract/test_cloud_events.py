"""Our records read by the CloudEvents project's own library, where that is installed."""

import importlib
from typing import Any

import msgspec
import pytest

from router.contract import AnyMessage, EventType, encode, from_rfc3339, header, record_head
from tests.suites.wire_cases import case_event
from tests.suites.wire_examples import EXAMPLES

pytest.importorskip("cloudevents.core.bindings.kafka", reason="pip install 'cloudevents>=2.2' to compare with it")

ALL: dict[str, AnyMessage] = {**EXAMPLES, **{kind.name: case_event(kind) for kind in EventType}}
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def read(message: AnyMessage) -> Any:
    # By name: whoever checks the types need not have it installed.
    kafka: Any = importlib.import_module("cloudevents.core.bindings.kafka")
    json_format: Any = importlib.import_module("cloudevents.core.formats.json")
    head = record_head(message, traceparent=TRACE)
    record = kafka.KafkaMessage(headers=dict(head.headers), key=head.key, value=encode(message))
    return kafka.from_binary(record, json_format.JSONFormat())


@pytest.mark.parametrize("name", ALL)
def test_a_record_is_a_cloud_event_in_binary_mode(name: str) -> None:
    message = ALL[name]
    head = record_head(message)
    event = read(message)
    assert event.get_specversion() == "1.0"
    assert event.get_id() == header(head.headers, "ce_id")
    assert event.get_type() == header(head.headers, "ce_type")
    assert event.get_source() == header(head.headers, "ce_source")
    assert event.get_datacontenttype() == "application/json"
    assert round(event.get_time().timestamp() * 1_000) == from_rfc3339(header(head.headers, "ce_time"))
    assert event.get_data() == msgspec.json.decode(encode(message))
