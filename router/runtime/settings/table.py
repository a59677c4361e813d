"""Shows settings to people: what there is, and what a process runs with."""

import typing
from collections.abc import Iterator
from enum import Enum
from typing import Any, Literal, NamedTuple

import msgspec

from router.runtime.secret import RawOptions, Secret, masked
from router.runtime.settings.model import Settings
from router.runtime.settings.tree import bare, choices, struct_of, table_of

_TYPE_NAMES = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Secret: "secret",
    RawOptions: "any",
}


class SettingRow(NamedTuple):
    """One setting: its path, type, default (as in a file; empty for none) and meaning."""

    path: str
    type: str
    default: str
    meaning: str


def describe(kind: type[msgspec.Struct] = Settings, under: str = "") -> tuple[SettingRow, ...]:
    """Every setting there is, in the order of the struct; or every member of a plug-in's options, whose paths begin
    with ``under``."""
    return tuple(_rows(kind, under))


def public(settings: Settings) -> dict[str, Any]:
    """The settings as plain values, secrets masked."""
    plain: dict[str, Any] = msgspec.to_builtins(settings, enc_hook=masked)
    return plain


def _rows(kind: type[msgspec.Struct], path: str) -> Iterator[SettingRow]:
    for field in msgspec.structs.fields(kind):
        here = f"{path}{field.encode_name}"
        if (struct := struct_of(field.type)) is not None:
            yield from _rows(struct, f"{here}.")
        elif (table := table_of(field.type)) is not None:
            yield from _rows(table[1], f"{here}.<name>.")
        elif bare(field.type) is RawOptions:
            yield SettingRow(f"{here}.<option>", "any", "", _meaning(field.type))
        else:
            yield SettingRow(here, _type_name(field.type), _default(field), _meaning(field.type))


def _meaning(annotation: Any) -> str:
    notes = [note.description for note in getattr(annotation, "__metadata__", ()) if isinstance(note, msgspec.Meta)]
    return " ".join(note for note in notes if note)


def _type_name(annotation: Any) -> str:
    return " or ".join(_plain_name(bare(choice)) for choice in choices(annotation) if choice is not type(None))


def _plain_name(plain: Any) -> str:
    if typing.get_origin(plain) is tuple:
        item = bare(typing.get_args(plain)[0])
        return f"list of {_plain_name(item)}"
    if typing.get_origin(plain) is Literal:
        return " or ".join(str(choice) for choice in typing.get_args(plain))
    if isinstance(plain, type) and issubclass(plain, Enum):
        return " or ".join(str(member.value) for member in plain)
    if isinstance(plain, type) and issubclass(plain, msgspec.Struct):
        return "{" + ", ".join(field.encode_name for field in msgspec.structs.fields(plain)) + "}"
    return _TYPE_NAMES.get(plain, "any")


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "(required)"
    value = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value, enc_hook=masked).decode()
