"""The wire as documents: JSON Schemas, an AsyncAPI document and a page for people, made from the types.

``python -m router.contract.schema docs/wire`` writes them; a test holds that what is there is current.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from router.contract.advisor import Advisor
from router.contract.asyncapi import CHANNELS, Channel, asyncapi_document, topic_settings
from router.contract.config import ActiveRulebook, ApiKey
from router.contract.events import CaseEvent, RelayNote
from router.contract.messages import CaseNote, Delivery, Handover, Inquiry, Notice, Reply

Schema = dict[str, Any]

MESSAGES: Final[Mapping[str, type[msgspec.Struct]]] = {
    "inquiry": Inquiry,
    "handover": Handover,
    "reply": Reply,
    "delivery": Delivery,
    "notice": Notice,
    "case-event": CaseEvent,
    "advisor": Advisor,
    "relay-note": RelayNote,
    "note": CaseNote,
    "api-key": ApiKey,
    "active-rulebook": ActiveRulebook,
}
"""Every message of the wire by the name that the documents give it."""

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_PAGE: Final = """\
# The wire

What travels on the bus, made from the types of `router/contract`: change those, then run
`python -m router.contract.schema docs/wire`.

Values are JSON in UTF-8. Headers are those of CloudEvents 1.0 in binary mode (`ce_specversion`, `ce_id`,
`ce_type`, `ce_source`, `ce_time`, `content-type`), and `traceparent` where a trace is on. Times are integer
milliseconds since the Unix epoch, in `ce_time` RFC 3339 in UTC. A reader ignores members it doesn't know, and who
writes a case or a profile anew hands them on as they are; a new member has a default; a member never changes its
type. The same `ce_id` is the same message: drop the second.

## Topics

{topics}

A pool has an inquiries topic of its own. Partition counts are those a fresh installation gets; they are settings,
and fixed once the topic is there.

The records of `turnout.config.v1` are told apart by their keys. `key/<id>` holds an api-key, `rulebook/active` the
active-rulebook, `relay/<pool>` that pool's relay-note. `rulebook/<hash>` holds a rulebook as canonical JSON: members
sorted, those that have their defaults left out, no blanks; the hash is the first 16 hexadecimal digits of the SHA-256
of these very bytes. It is no message of its own: its members are those of the rule files, its `ce_type` that of
active-rulebook. The `ce_id` of keys and rulebooks is the record's key, a colon and the time of writing; an entry that
is written again is another record, a record without value takes its entry away, and a reader ignores what it doesn't
know.

## Messages

{messages}

[asyncapi.json](asyncapi.json) says the same to machines (AsyncAPI 3.0). Examples, byte for byte, are in
`tests/golden/wire`; after a change that is meant, `TURNOUT_GOLDEN=write make test ARGS=tests/router/contract`
writes them anew.
"""


def message_schemas() -> dict[str, Schema]:
    """For each message, by name, a JSON Schema (2020-12) that stands alone."""
    return {name: _standalone(kind) for name, kind in MESSAGES.items()}


def asyncapi() -> Schema:
    """The AsyncAPI 3.0 document of all topics."""
    _, components = msgspec.json.schema_components(MESSAGES.values(), ref_template="#/components/schemas/{name}")
    return asyncapi_document({name: kind.__name__ for name, kind in MESSAGES.items()}, flowing(components))


def page() -> str:
    """The page for people, in Markdown."""
    rows = [_topic_row(channel) for channel in CHANNELS.values()]
    topics = _table(("topic", "key", "messages", "partitions", "cleanup", "kept"), rows)
    messages = _table(("message", "what it is"), [_message_row(name, kind) for name, kind in MESSAGES.items()])
    return _PAGE.format(topics=topics, messages=messages)


def documents() -> dict[str, str]:
    """All files of ``docs/wire`` by name."""
    schemas = {f"{name}.schema.json": pretty(schema) for name, schema in message_schemas().items()}
    return {"README.md": page(), "asyncapi.json": pretty(asyncapi())} | schemas


def main(folder: str) -> None:
    """Write the documents into a folder, and take away what is no longer one of them."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    wanted = documents()
    for stale in target.iterdir():
        if stale.name not in wanted and stale.suffix in (".json", ".md"):
            stale.unlink()
    for name, text in wanted.items():
        (target / name).write_text(text, encoding="utf-8")


def _standalone(kind: type[msgspec.Struct]) -> Schema:
    (root,), definitions = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    return {"$schema": _DIALECT, **root, "$defs": flowing(definitions)}


def flowing(part: Any) -> Any:
    """A part of a document with each description on one line: how a docstring is indented depends on the Python
    version."""
    match part:
        case dict():
            return {
                name: " ".join(value.split()) if name == "description" and isinstance(value, str) else flowing(value)
                for name, value in part.items()
            }
        case list() | tuple():
            return [flowing(item) for item in part]
        case _:
            return part


def pretty(document: Schema) -> str:
    """A document as text: indented, the same however its members are ordered."""
    return msgspec.json.format(msgspec.json.encode(document, order="deterministic"), indent=2).decode() + "\n"


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _topic_row(channel: Channel) -> tuple[str, ...]:
    settings = topic_settings(channel.spec)
    messages = ", ".join(f"[{name}]({name}.schema.json)" for name in channel.messages) or "any"
    return (
        f"`{channel.spec.name}`",
        channel.key,
        messages,
        str(channel.spec.partitions),
        str(channel.spec.cleanup),
        settings.kept,
    )


def _message_row(name: str, kind: type[msgspec.Struct]) -> tuple[str, str]:
    summary = " ".join((kind.__doc__ or "").split("\n\n", maxsplit=1)[0].split())
    return f"[{name}]({name}.schema.json)", summary.replace("``", "`")


if __name__ == "__main__":
    main(*sys.argv[1:])
