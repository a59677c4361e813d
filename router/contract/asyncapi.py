"""The topics and messages of the wire as an AsyncAPI 3.0 document.

Source: AsyncAPI Specification 3.0.0, Kafka bindings 0.5.0.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from router.contract.events import EventType
from router.contract.ids import PoolId
from router.contract.records import CLOUD_TYPES
from router.contract.topics import DAY_MS, HOUR_MS, Cleanup, TopicSpec, topic_specs

Document = dict[str, Any]

_BINDING: Final = "0.5.0"
_ANY_POOL: Final = PoolId("{pool}")


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """A topic with what lies on it. ``sent``: the router writes it, otherwise it reads it. ``messages`` is
    empty where any bytes may lie."""

    spec: TopicSpec
    key: str
    messages: tuple[str, ...]
    sent: bool
    summary: str


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """How long records stay: in words, and as settings of a Kafka topic."""

    kept: str
    settings: dict[str, int | list[str]]


def _channels() -> dict[str, Channel]:
    """By the short name, in the order of ``topic_specs``: a topic without a row here is an error at once."""
    about: dict[str, tuple[str, tuple[str, ...], bool, str]] = {
        "inquiries": (
            "conversation",
            ("inquiry", "handover"),
            False,
            "What customers write to one pool, normalised, and cases that move there.",
        ),
        "events": ("case", ("case-event",), True, "What happened to each case, with its whole state afterwards."),
        "cases": (
            "case",
            ("case-event",),
            True,
            "The last event of each case, the same bytes; a record without value when it is closed for good.",
        ),
        "advisors": ("advisor", ("advisor",), True, "Each advisor's latest profile and presence."),
        "config": (
            "kind/name",
            ("relay-note", "api-key", "active-rulebook"),
            True,
            "API keys, which rulebook is in force, each rulebook's content as it is, and how far each relay is.",
        ),
        "replies": ("conversation", ("reply",), True, "Messages to customers, for the account they name."),
        "deliveries": ("conversation", ("delivery",), False, "What became of replies."),
        "notices": ("case", ("notice",), True, "Messages to staff."),
        "notes": ("case", ("note",), True, "What staff wrote on cases for themselves, for a rebuild of a lost store."),
        "dead-letters": (
            "as it was",
            (),
            True,
            "What could not be handled: the original bytes and headers, and the reason.",
        ),
    }
    specs = topic_specs((_ANY_POOL,))
    return {
        name: Channel(spec=spec, key=key, messages=messages, sent=sent, summary=summary)
        for (name, (key, messages, sent, summary)), spec in zip(about.items(), specs, strict=True)
    }


CHANNELS: Final[Mapping[str, Channel]] = _channels()
"""Every topic by its short name; that of the inquiries stands for one topic a pool."""


def topic_settings(spec: TopicSpec) -> Kept:
    """How long a topic keeps records."""
    policy: dict[str, int | list[str]] = {"cleanup.policy": [str(spec.cleanup)]}
    if spec.cleanup is Cleanup.DELETE:
        days = spec.retention_ms // DAY_MS
        return Kept(kept=f"{days} days", settings=policy | {"retention.ms": spec.retention_ms})
    lag = f", all of the last {spec.min_compaction_lag_ms // HOUR_MS} h" if spec.min_compaction_lag_ms else ""
    settings = policy | {"delete.retention.ms": HOUR_MS, "min.compaction.lag.ms": spec.min_compaction_lag_ms}
    return Kept(kept=f"the last of each key{lag}", settings=settings)


def asyncapi_document(types: Mapping[str, str], schemas: Mapping[str, Any]) -> Document:
    """The document: ``types`` maps a message's name to that of its schema in ``schemas``."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Turnout: the wire",
            "version": "1.0.0",
            "description": "Topics and messages of the inquiry routing engine, as its router sends and receives them.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {name: _channel(channel) for name, channel in CHANNELS.items()},
        "operations": {_operation_name(name, channel): _operation(name, channel) for name, channel in CHANNELS.items()},
        "components": {
            "messages": {name: _message(name, schema) for name, schema in types.items()}
            | {"dead-letter": _DEAD_LETTER},
            "schemas": dict(schemas),
        },
    }


_DEAD_LETTER: Final[Document] = {
    "name": "dead-letter",
    "title": "Dead letter",
    "summary": "Any bytes, as they were.",
    "payload": {"description": "The original value."},
}


def _names(channel: Channel) -> tuple[str, ...]:
    return channel.messages or ("dead-letter",)


def _channel(channel: Channel) -> Document:
    spec = channel.spec
    binding = {
        "topic": spec.name,
        "partitions": spec.partitions,
        "topicConfiguration": topic_settings(spec).settings,
        "bindingVersion": _BINDING,
    }
    own = {"parameters": {"pool": {"description": "The pool's id."}}} if _ANY_POOL in spec.name else {}
    return {
        "address": spec.name,
        "summary": channel.summary,
        "description": f"Key of each record: {channel.key}.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in _names(channel)},
        "bindings": {"kafka": binding},
        **own,
    }


def _operation_name(name: str, channel: Channel) -> str:
    return f"{'send' if channel.sent else 'receive'}-{name}"


def _operation(name: str, channel: Channel) -> Document:
    return {
        "action": "send" if channel.sent else "receive",
        "channel": {"$ref": f"#/channels/{name}"},
        "summary": channel.summary,
        "messages": [{"$ref": f"#/channels/{name}/messages/{message}"} for message in _names(channel)],
    }


def _message(name: str, schema: str) -> Document:
    keys = sorted({channel.key for channel in CHANNELS.values() if name in channel.messages})
    return {
        "name": name,
        "title": name.replace("-", " ").capitalize(),
        "contentType": "application/json",
        "headers": _headers(name),
        "payload": {"$ref": f"#/components/schemas/{schema}"},
        "bindings": {
            "kafka": {"key": {"type": "string", "description": " or ".join(keys)}, "bindingVersion": _BINDING}
        },
    }


def _headers(name: str) -> Document:
    kinds = [CLOUD_TYPES[name]] if name in CLOUD_TYPES else sorted(EventType)
    text = {"type": "string", "minLength": 1}
    return {
        "type": "object",
        "required": ["ce_specversion", "ce_id", "ce_type", "ce_source", "ce_time", "content-type"],
        "properties": {
            "ce_specversion": {"const": "1.0"},
            "ce_id": text,
            "ce_type": {"enum": [str(kind) for kind in kinds]},
            "ce_source": text | {"format": "uri-reference"},
            "ce_time": text | {"format": "date-time"},
            "content-type": {"const": "application/json"},
            "traceparent": text | {"pattern": "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$"},
        },
    }
