"""Checks plain values against a struct type, finding every flaw at once, each with its path.

`msgspec.convert` stops at the first flaw and hides the keys of mappings; this walks the same types and
leaves only single values to it.
"""

import re
import types
from collections.abc import Iterable
from difflib import get_close_matches
from enum import Enum
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from rules.errors import Path

_AT_ROOT: Final = re.compile(r" - at `(key in )?\$`$")
_SWITCH_WORDS: Final = frozenset({"yes", "no", "on", "off", "y", "n"})
_NAME_HINT: Final = 'must be up to 64 small letters, digits, "-" and "_", and not begin with a sign'
_TIME_LIKE: Final = re.compile(r"[0-9]{1,4}(:[0-9]{1,2}){1,2}")


class Flaw(Struct, frozen=True):
    """Something wrong at `path`, or with the key that ends it."""

    path: Path
    message: str
    of_key: bool = False


def flaws_of(value: object, kind: Any, path: Path = ()) -> Iterable[Flaw]:
    """Every way in which `value` isn't a `kind`. None found means that `msgspec.convert` takes it."""
    base, metas = _unwrap(kind)
    if _is_struct(base):
        yield from _struct_flaws(value, base, path)
    elif get_origin(base) is dict and isinstance(value, dict):
        yield from _dict_flaws(value, get_args(base), path)
    elif get_origin(base) is tuple and isinstance(value, list):
        yield from _tuple_flaws(value, kind, get_args(base)[0], path)
    elif get_origin(base) in (Union, types.UnionType):
        yield from _union_flaws(value, base, path)
    else:
        yield from _leaf_flaws(value, Annotated[base, *metas] if metas else base, path)


def suggestion(word: str, choices: Iterable[str]) -> str:
    """` (did you mean "x"?)` for the choice nearest to the word, or nothing."""
    near = get_close_matches(word[:64], list(choices), n=1, cutoff=0.65)
    return f' (did you mean "{near[0]}"?)' if near else ""


def _unwrap(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    if get_origin(kind) is Annotated:
        base, *metas = get_args(kind)
        return base, tuple(metas)
    return kind, ()


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct)


def _struct_flaws(value: object, kind: Any, path: Path) -> Iterable[Flaw]:
    if not isinstance(value, dict):
        yield Flaw(path, f"expected a mapping, got {_said(value)}")
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    for key, inner in value.items():
        if key in fields:
            yield from flaws_of(inner, fields[key].type, (*path, key))
        else:
            yield Flaw((*path, key), f"unknown field `{key}`{suggestion(key, fields)}", of_key=True)
    for name, field in fields.items():
        if field.required and name not in value:
            yield Flaw(path, f"the field `{name}` is missing")


def _dict_flaws(value: dict[str, Any], kinds: tuple[Any, ...], path: Path) -> Iterable[Flaw]:
    key_kind, value_kind = kinds
    for key, inner in value.items():
        for flaw in _leaf_flaws(key, key_kind, (*path, key)):
            yield Flaw(flaw.path, f"the name `{key[:80]}` can't be used: {flaw.message}", of_key=True)
        yield from flaws_of(inner, value_kind, (*path, key))


def _tuple_flaws(value: list[Any], kind: Any, item: Any, path: Path) -> Iterable[Flaw]:
    for meta in _unwrap(kind)[1]:
        if isinstance(meta, Meta):
            yield from _leaf_flaws([None] * len(value), Annotated[list[Any], meta], path)
    for index, inner in enumerate(value):
        yield from flaws_of(inner, item, (*path, index))


def _union_flaws(value: object, union: Any, path: Path) -> Iterable[Flaw]:
    """Flaws by the member that fits the value's shape; single values are left to msgspec."""
    for member in get_args(union):
        base, _ = _unwrap(member)
        if isinstance(value, dict) and (_is_struct(base) or get_origin(base) is dict):
            yield from flaws_of(value, member, path)
            return
        if isinstance(value, list) and get_origin(base) is tuple:
            yield from flaws_of(value, member, path)
            return
    yield from _leaf_flaws(value, union, path)


def _leaf_flaws(value: object, kind: Any, path: Path) -> Iterable[Flaw]:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as exc:
        yield Flaw(path, _message(value, kind, _AT_ROOT.sub("", str(exc))))


def _message(value: object, kind: Any, reason: str) -> str:
    choices = _choices(kind)
    if choices and isinstance(value, str):
        return f'"{value[:80]}" is none of {", ".join(choices)}{suggestion(value, choices)}'
    plain = reason[:1].lower() + reason[1:]
    if not isinstance(value, str):
        return plain
    if "bool" in reason and value.lower() in _SWITCH_WORDS:
        return f"{plain}: only `true` and `false` are booleans, `{value}` is text"
    if ("int" in reason or "float" in reason) and _TIME_LIKE.fullmatch(value):
        return f"{plain}: `{value}` is text; give durations in seconds"
    if "matching regex" in reason:
        return f'"{value[:80]}" {_hint(kind) or _NAME_HINT}'
    return plain


def _hint(kind: Any) -> str:
    """What the type says of values that don't match its pattern: `Meta(extra={"hint": ...})`, through unions."""
    base, metas = _unwrap(kind)
    own = (meta.extra["hint"] for meta in metas if isinstance(meta, Meta) and meta.extra and "hint" in meta.extra)
    members = get_args(base) if get_origin(base) in (Union, types.UnionType) else ()
    return next(iter((*own, *filter(None, map(_hint, members)))), "")


def _choices(kind: Any) -> list[str]:
    """The words that a closed set allows, through unions."""
    base, _ = _unwrap(kind)
    if isinstance(base, type) and issubclass(base, Enum):
        return [str(member.value) for member in base]
    if get_origin(base) in (Union, types.UnionType):
        return [word for member in get_args(base) for word in _choices(member)]
    if get_origin(base) is Literal:
        return [str(word) for word in get_args(base)]
    return []


def _said(value: object) -> str:
    if value is None:
        return "nothing"
    return {bool: "a boolean", int: "a number", float: "a number", str: "text", list: "a list"}[type(value)]
