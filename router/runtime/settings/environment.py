"""Lays environment variables over a tree of settings: a variable's name is the path of its setting."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from router.runtime.secret import RawOptions
from router.runtime.settings.tree import Loose, bare, struct_of, suggestion, table_of

PREFIX: Final = "TURNOUT__"
_FILE: Final = "_file"
_MAX_FILE_BYTES: Final = 65_536


class _Misnamed(Exception):
    """The variable can't be used; the text says why."""


def overlay(tree: dict[str, Any], environ: Mapping[str, str], kind: type[msgspec.Struct], problems: list[str]) -> None:
    """Put every variable of ours into the tree, at the place its name says, as ``Loose`` text."""
    for name in sorted(environ):
        if name.startswith(PREFIX):
            steps = name[len(PREFIX) :].lower().split("__")
            try:
                _place(tree, kind, steps, Loose(environ[name], name))
            except _Misnamed as exc:
                problems.append(f"{name}: {exc}")


def _place(tree: dict[str, Any], kind: type[msgspec.Struct], steps: list[str], value: Loose) -> None:
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    step, rest = steps[0], steps[1:]
    stem = step.removesuffix(_FILE)
    if step not in fields and stem in fields and not rest:
        # Only a name that is no setting itself means "read the value from a file".
        step, value = stem, _content(value)
    if step not in fields:
        raise _Misnamed(f"unknown name {step!r}{suggestion(step, fields)}")
    annotation = fields[step]
    struct, table = struct_of(annotation), table_of(annotation)
    if struct is not None and rest:
        _place(_child(tree, step), struct, rest, value)
    elif table is not None and len(rest) > 1:
        rows = _child(tree, step)
        _place(_child(rows, _row_name(rows, rest[0])), table[1], rest[1:], value)
    elif bare(annotation) is RawOptions and len(rest) == 1:
        _place_option(_child(tree, step), rest[0], value)
    elif rest or struct or table or bare(annotation) is RawOptions:
        raise _Misnamed("does not name a single value")
    else:
        tree[step] = value


def _place_option(options: dict[str, Any], name: str, value: Loose) -> None:
    # The names of options are the plug-in's: _FILE always means a file here.
    if name.endswith(_FILE):
        options[name.removesuffix(_FILE)] = _content(value)
    else:
        options[name] = value


def _child(tree: dict[str, Any], step: str) -> dict[str, Any]:
    child = tree.setdefault(step, {})
    if child is None:
        child = tree[step] = {}
    if not isinstance(child, dict):
        raise _Misnamed(f"{step!r} is no mapping in the settings file")
    return child


def _row_name(rows: Mapping[str, Any], step: str) -> str:
    # Variables can't hold "-", names can't hold "_".
    return step if step in rows else step.replace("_", "-")


def _content(value: Loose) -> Loose:
    try:
        with Path(value).open("rb") as file:
            content = file.read(_MAX_FILE_BYTES + 1)
        text = content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise _Misnamed(f"the file it names cannot be read: {exc}") from exc
    if len(content) > _MAX_FILE_BYTES:
        raise _Misnamed(f"the file it names is larger than {_MAX_FILE_BYTES} bytes")
    return Loose(text.rstrip("\r\n"), value.source)
