"""The documents of the wire: current, true to the golden files, and sound."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it ships no types

from router.contract import EventType
from router.contract.schema import MESSAGES, asyncapi, documents, main, message_schemas
from router.contract.topics import topic_specs
from tests.suites.golden import FOLDER, read_golden

DOCS = Path(__file__).parents[3] / "docs" / "wire"
GOLDEN = sorted(path.name for path in (FOLDER / "wire").glob("*.json"))
HEADERS = sorted(path.name for path in (FOLDER / "wire" / "headers").glob("*.json"))
DOCUMENT = asyncapi()


def message_name(file: str) -> str:
    """The message that a golden file is an example of: the longest name that it begins with."""
    return max((name for name in MESSAGES if file.startswith(name)), key=len)


def references(part: Any) -> Iterator[str]:
    match part:
        case dict():
            for name, value in part.items():
                if name == "$ref" and isinstance(value, str):
                    yield value
                else:
                    yield from references(value)
        case list():
            for value in part:
                yield from references(value)
        case _:
            pass


def resolve(document: dict[str, Any], reference: str) -> Any:
    assert reference.startswith("#/"), reference
    found: Any = document
    for step in reference[2:].split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return found


def test_the_documents_are_current() -> None:
    there = {path.name: path.read_text(encoding="utf-8") for path in DOCS.iterdir()}
    assert there == documents(), "run: python -m router.contract.schema docs/wire"


def test_main_writes_all_and_takes_away_what_is_stale(tmp_path: Path) -> None:
    folder = tmp_path / "wire"
    folder.mkdir()
    (folder / "gone.schema.json").write_text("{}")
    (folder / "kept.txt").write_text("")
    main(str(folder))
    assert {path.name for path in folder.iterdir()} == {*documents(), "kept.txt"}


@pytest.mark.parametrize("name", MESSAGES)
def test_a_schema_is_one_and_stands_alone(name: str) -> None:
    schema = message_schemas()[name]
    Draft202012Validator.check_schema(schema)
    assert all(resolve(schema, reference) for reference in references(schema))


@pytest.mark.parametrize("file", GOLDEN)
def test_schemas_take_the_golden_files(file: str) -> None:
    Draft202012Validator(message_schemas()[message_name(file)]).validate(
        msgspec.json.decode(read_golden(f"wire/{file}"))
    )


@pytest.mark.parametrize("file", GOLDEN)
def test_schemas_allow_members_of_a_newer_version(file: str) -> None:
    message = msgspec.json.decode(read_golden(f"wire/{file}")) | {"added_later": {"a": 1}}
    Draft202012Validator(message_schemas()[message_name(file)]).validate(message)


@pytest.mark.parametrize("name", MESSAGES)
def test_schemas_refuse_what_the_decoder_refuses(name: str) -> None:
    validator = Draft202012Validator(message_schemas()[name])
    message = msgspec.json.decode(read_golden(f"wire/{'case-event-admit' if name == 'case-event' else name}.json"))
    at_ms = next(member for member in message if member.endswith("at_ms"))
    assert not validator.is_valid({})
    assert not validator.is_valid(message | {"hash" if name == "active-rulebook" else "pool": 7})
    assert not validator.is_valid(message | {at_ms: "now"})


def test_no_description_depends_on_indentation() -> None:
    """Python 3.13 strips it from docstrings, earlier ones don't."""
    assert "\\n " not in "".join(documents().values())


def test_asyncapi_has_what_the_specification_demands() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert DOCUMENT["info"].keys() >= {"title", "version"}
    for channel in DOCUMENT["channels"].values():
        assert channel["messages"]
        assert channel["bindings"]["kafka"]["topic"] == channel["address"]
    for message in DOCUMENT["components"]["messages"].values():
        assert message["payload"]
    for operation in DOCUMENT["operations"].values():
        assert operation["action"] in ("send", "receive")


def test_every_reference_in_asyncapi_resolves() -> None:
    found = set(references(DOCUMENT))
    assert {"#/components/schemas/CaseEvent", "#/channels/cases", "#/components/messages/inquiry"} <= found
    assert all(resolve(DOCUMENT, reference) for reference in found)


def test_an_operation_names_messages_of_its_own_channel() -> None:
    for operation in DOCUMENT["operations"].values():
        place = operation["channel"]["$ref"]
        assert operation["messages"]
        for message in operation["messages"]:
            assert message["$ref"].startswith(f"{place}/messages/")


def test_every_parameter_of_an_address_is_described() -> None:
    for channel in DOCUMENT["channels"].values():
        named = {piece.split("}")[0] for piece in channel["address"].split("{")[1:]}
        assert named == channel.get("parameters", {}).keys()


def test_channels_are_the_topics() -> None:
    specs = {spec.name: spec for spec in topic_specs(())}
    channels = {channel["address"]: channel["bindings"]["kafka"] for channel in DOCUMENT["channels"].values()}
    assert channels.keys() - specs.keys() == {"turnout.inquiries.v1.{pool}"}
    for name, spec in specs.items():
        assert channels[name]["partitions"] == spec.partitions
        assert channels[name]["topicConfiguration"]["cleanup.policy"] == [spec.cleanup]


def test_component_names_are_allowed() -> None:
    names = [name for kind in DOCUMENT["components"].values() for name in kind]
    assert all(name.replace(".", "").replace("-", "").replace("_", "").isalnum() for name in names)


@pytest.mark.parametrize("file", HEADERS)
def test_header_schemas_take_the_golden_headers(file: str) -> None:
    schema = DOCUMENT["components"]["messages"][message_name(file)]["headers"]
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    headers = msgspec.json.decode(read_golden(f"wire/headers/{file}"))["headers"]
    validator.validate(headers)
    assert not validator.is_valid(headers | {"ce_type": "turnout.other.v1"})
    assert not validator.is_valid({name: value for name, value in headers.items() if name != "ce_id"})


def test_the_headers_of_a_case_event_know_every_type() -> None:
    headers = DOCUMENT["components"]["messages"]["case-event"]["headers"]
    assert headers["properties"]["ce_type"]["enum"] == sorted(EventType)
