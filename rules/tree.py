"""YAML text to plain values, with the place of each.

Reads the event stream rather than composing nodes: depth and size are checked as the text goes by, so
no input can exhaust the stack or the memory. Scalars follow the YAML 1.2 core schema: `no`, `on` and
`12:30` are text. Anchors, aliases, tags, repeated keys and several documents are refused.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, NoReturn

import yaml
from msgspec import Struct

from rules.errors import Path, Place, Problem

MAX_CHARACTERS: Final = 1_000_000
MAX_DEPTH: Final = 32
MAX_VALUES: Final = 200_000

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER: Final = re.compile(r"[-+]?[0-9]{1,18}")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]{1,18}|[0-9]{1,18}(\.[0-9]{0,18})?)([eE][-+]?[0-9]{1,3})?")
_WORDS: Final[dict[str, bool | None]] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class Tree(Struct, frozen=True):
    """Plain values, and where each value and each key stands.

    When it isn't whole, part of the text could not be understood and checking the rest would mislead.
    """

    plain: dict[str, Any]
    places: dict[Path, Place] = {}
    keys: dict[Path, Place] = {}
    is_whole: bool = True

    def place(self, path: Path, *, of_key: bool = False) -> Place | None:
        """The place of `path`, or of the nearest value around it; None for a tree without text."""
        if of_key and path in self.keys:
            return self.keys[path]
        for length in range(len(path), -1, -1):
            found = self.places.get(path[:length])
            if found:
                return found
        return None


def read_tree(file: str, text: str, problems: list[Problem]) -> Tree:
    """Read one file; what is wrong with it is added to `problems`, and the rest is still returned."""
    builder = _Builder(file, problems)
    if len(text) > MAX_CHARACTERS:
        builder.complain(f"the file is longer than {MAX_CHARACTERS:,} characters", Place(file, 1, 1))
        return builder.tree(is_whole=False)
    try:
        for event in _events(text):
            builder.take(event)
    except _Unreadable:
        return builder.tree(is_whole=False)
    except yaml.MarkedYAMLError as exc:
        builder.complain(f"not YAML: {exc.problem or exc.context}", _place(file, exc.problem_mark))
        return builder.tree(is_whole=False)
    except (yaml.YAMLError, UnicodeEncodeError):
        builder.complain("not YAML: holds a character that YAML doesn't allow", Place(file, 1, 1))
        return builder.tree(is_whole=False)
    return builder.tree()


def resolve(text: str) -> str | int | float | bool | None:
    """A plain scalar's value by the YAML 1.2 core schema, without octal, hexadecimal, infinite or NaN."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        value = float(text)
        return value if abs(value) < 1e300 else text
    return text


class _Unreadable(Exception):
    """The rest of this file can't be understood; the problem is already noted."""


class _Frame:
    """A mapping or list being filled."""

    __slots__ = ("holder", "key", "path")

    def __init__(self, holder: dict[str, Any] | list[Any], path: Path) -> None:
        self.holder = holder
        self.path = path
        self.key: str | None = None


class _Builder:
    """Turns events into a `Tree`."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self._file = file
        self._problems = problems
        self._frames: list[_Frame] = []
        self._root: Any = None
        self._values = 0
        self._documents = 0
        self._has_aliases = False
        self._places: dict[Path, Place] = {}
        self._keys: dict[Path, Place] = {}

    def tree(self, *, is_whole: bool = True) -> Tree:
        """What was read so far; no mapping at the top counts as an empty one."""
        plain = self._root if isinstance(self._root, dict) else {}
        return Tree(plain, self._places, self._keys, is_whole and not self._has_aliases)

    def complain(self, message: str, place: Place | None, path: Path = ()) -> None:
        """Note a problem."""
        self._problems.append(Problem(message, show(path), place))

    def take(self, event: Any) -> None:
        """Take the next event of the stream."""
        place = _place(self._file, event.start_mark)
        match event:
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    self._give_up("only one document a file", place)
            case yaml.AliasEvent():
                self._has_aliases = True
                self.complain("anchors and aliases are not allowed: write the value out", place)
                self._put(None, place, plain_key=f"*{event.anchor}")
            case yaml.ScalarEvent():
                self._refuse_marks(event, place)
                value = resolve(event.value) if event.implicit[0] and not event.style else event.value
                self._put(value, place, plain_key=event.value)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._refuse_marks(event, place)
                self._open({} if isinstance(event, yaml.MappingStartEvent) else [], place)
            case yaml.CollectionEndEvent():
                self._frames.pop()

    def _refuse_marks(self, event: Any, place: Place) -> None:
        if event.anchor:
            self.complain("anchors and aliases are not allowed: write the value out", place)
        if event.tag:
            self.complain(f"tags are not allowed: {event.tag}", place)

    def _open(self, holder: dict[str, Any] | list[Any], place: Place) -> None:
        if not self._frames and not isinstance(holder, dict):
            self._give_up("expected a mapping at the top", place)
        path = self._put(holder, place, plain_key=None)
        if len(self._frames) >= MAX_DEPTH:
            self._give_up(f"nested deeper than {MAX_DEPTH} levels", place)
        self._frames.append(_Frame(holder, path))

    def _put(self, value: object, place: Place, *, plain_key: str | None) -> Path:
        """Store a value, or remember it as the key of the next one. Returns the value's path."""
        self._values += 1
        if self._values > MAX_VALUES:
            self._give_up(f"more than {MAX_VALUES:,} values", place)
        if not self._frames:
            self._root = value
            self._places[()] = place
            if value is not None and not isinstance(value, dict):
                self._give_up("expected a mapping at the top", place)
            return ()
        frame = self._frames[-1]
        if isinstance(frame.holder, list):
            frame.holder.append(value)
            path = (*frame.path, len(frame.holder) - 1)
        elif frame.key is None:
            self._begin_entry(frame, plain_key, place)
            return frame.path
        else:
            path = (*frame.path, frame.key)
            if path in self._places:
                # A repeated entry is dropped; a path of its own keeps its inside from looking repeated too.
                path = (*frame.path, f"{frame.key} (line {place.line}:{place.column})")
            else:
                frame.holder[frame.key] = value
            frame.key = None
        self._places[path] = place
        return path

    def _begin_entry(self, frame: _Frame, key: str | None, place: Place) -> None:
        if key is None:
            self._give_up("a key must be plain text", place)
        frame.key = key
        path: Path = (*frame.path, key)
        if path in self._keys:
            first = self._keys[path]
            self.complain(f"`{key}` is given twice (first in line {first.line})", place, path)
        else:
            self._keys[path] = place

    def _give_up(self, message: str, place: Place) -> NoReturn:
        self.complain(message, place)
        raise _Unreadable


def show(path: Path) -> str:
    """A path as people write it: `rules[3].match.text`."""
    shown = ""
    for part in path:
        shown += f"[{part}]" if isinstance(part, int) else f".{part}" if shown else part
    return shown


def _events(text: str) -> Iterator[Any]:
    return iter(yaml.parse(text, Loader=_LOADER))


def _place(file: str, mark: Any) -> Place:
    return Place(file, mark.line + 1, mark.column + 1) if mark else Place(file, 1, 1)
