"""Builds a struct from a tree of plain values and collects every problem, where msgspec stops at the first."""

import difflib
import typing
from collections.abc import Iterable, Mapping
from types import UnionType
from typing import Any, Final, TypeVar, Union

import msgspec

from router.runtime.secret import unmasked

Struct = TypeVar("Struct", bound=msgspec.Struct)

_FAILED: Final = object()


class Loose(str):
    """A value that could only be written as text (an environment variable): numbers and lists are read
    from it. ``source`` is named in problems."""

    __slots__ = ("source",)

    source: str

    def __new__(cls, text: str, source: str) -> "Loose":
        loose = super().__new__(cls, text)
        loose.source = source
        return loose


def build(kind: type[Struct], tree: object, *, path: str = "", problems: list[str]) -> Struct | None:
    """The struct, or None with at least one problem added. A problem starts with the path it is about."""
    built = _struct(kind, tree, path, problems)
    return None if built is _FAILED else typing.cast("Struct", built)


def suggestion(name: str, known: Iterable[str]) -> str:
    """`` (did you mean ...?)`` if one of the known names is close, else nothing."""
    close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return f" (did you mean {close[0]!r}?)" if close else ""


def struct_of(annotation: Any) -> type[msgspec.Struct] | None:
    """The struct type that an annotation stands for, if it stands for one."""
    plain = bare(annotation)
    return plain if isinstance(plain, type) and issubclass(plain, msgspec.Struct) else None


def table_of(annotation: Any) -> tuple[Any, type[msgspec.Struct]] | None:
    """The types of key and value if an annotation is a mapping of structs by name."""
    plain = bare(annotation)
    if typing.get_origin(plain) is dict:
        key, value = typing.get_args(plain)
        if (struct := struct_of(value)) is not None:
            return key, struct
    return None


def bare(annotation: Any) -> Any:
    """The type without its ``Annotated``."""
    while typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    return annotation


def choices(annotation: Any) -> tuple[Any, ...]:
    """The types that a value may have: the members of a union, or the one type itself."""
    plain = bare(annotation)
    return typing.get_args(plain) if typing.get_origin(plain) in (Union, UnionType) else (plain,)


def _struct(kind: type[msgspec.Struct], tree: object, path: str, problems: list[str]) -> object:
    if not isinstance(tree, Mapping):
        problems.append(f"{path or 'settings'}: expected a mapping of names to values")
        return _FAILED
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    before = len(problems)
    for name in tree:
        if name not in fields:
            problems.append(f"{_join(path, name)}: unknown name{suggestion(str(name), fields)}")
    values: dict[str, object] = {}
    for name, field in fields.items():
        if name in tree:
            values[field.name] = _value(field.type, tree[name], _join(path, name), problems)
        elif field.required:
            problems.append(f"{_join(path, name)}: missing")
    if len(problems) > before:
        return _FAILED
    try:
        return kind(**values)
    except (TypeError, ValueError) as exc:
        problems.append(f"{path or 'settings'}: {exc}")
        return _FAILED


def _value(annotation: Any, tree: object, path: str, problems: list[str]) -> object:
    if (struct := struct_of(annotation)) is not None:
        return _struct(struct, tree, path, problems)
    if (table := table_of(annotation)) is not None:
        return _table(table, tree, path, problems)
    return _leaf(annotation, tree, path, problems)


def _table(table: tuple[Any, type[msgspec.Struct]], tree: object, path: str, problems: list[str]) -> object:
    key, struct = table
    if not isinstance(tree, Mapping):
        problems.append(f"{path}: expected a mapping of names to values")
        return _FAILED
    return {
        _leaf(key, name, _join(path, name), problems): _struct(struct, row, _join(path, name), problems)
        for name, row in tree.items()
    }


def _leaf(annotation: Any, tree: object, path: str, problems: list[str]) -> object:
    try:
        if isinstance(tree, Loose):
            return msgspec.convert(_parts(annotation, tree), annotation, strict=False, dec_hook=unmasked)
        return msgspec.convert(tree, annotation, dec_hook=unmasked)
    except ValueError as exc:  # msgspec's ValidationError is one
        origin = f" (from {tree.source})" if isinstance(tree, Loose) else ""
        problems.append(f"{path}: {exc}{origin}")
        return _FAILED


def _parts(annotation: Any, text: Loose) -> object:
    possible = choices(annotation)
    if any(typing.get_origin(bare(choice)) in (tuple, list) for choice in possible):
        return [part.strip() for part in text.split(",") if part.strip()]
    # An empty variable is how many launchers write "not set".
    if not text and type(None) in possible:
        return None
    return str(text)


def _join(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)
