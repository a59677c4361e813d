"""The parts of a mail, found in linear time with small constants whatever the bytes are. Pure.

Only header blocks go through the standard library's parser (compat32): its body parser looks at every line in
Python, once a level of nesting, and half a minute of that can be asked for with one mail of 25 MB.
"""

import re
from collections.abc import Iterator, Mapping
from email import policy
from email.parser import BytesHeaderParser
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from channels.email.decoding import decoded, header_text, transfer_decoded

MAX_HEAD_BYTES: Final = 65_536
MAX_PARTS: Final = 200
MAX_DEPTH: Final = 20
_MAX_PART_HEAD_BYTES: Final = 16_384
_MAX_PARAMETERS: Final = 3_000
_BLANK_LINE: Final = re.compile(rb"\r?\n[ \t]*\r?\n")
_HEADER_LINE: Final = re.compile(rb"[!-9;-~]{1,100}[ \t]*:")
_PARAMETER: Final = re.compile(r';\s*([^\s=;"]{1,60})\s*=\s*("(?:[^"\\]|\\.)*"|[^;]*)')
_ESCAPE: Final = re.compile(r"\\(.)")
_PARSER: Final = BytesHeaderParser(policy=policy.compat32)


class Headers:
    """Headers by name, unfolded, still encoded. Names in lower case."""

    def __init__(self, values: Mapping[str, tuple[str, ...]]) -> None:
        self._values = values

    def all(self, name: str) -> tuple[str, ...]:
        return self._values.get(name, ())

    def first(self, name: str) -> str:
        """The first header of this name, empty if there is none."""
        return next(iter(self.all(name)), "")

    def text(self, name: str) -> str:
        """The first header of this name as a person reads it."""
        return header_text(self.first(name))

    def names(self) -> frozenset[str]:
        return frozenset(self._values)

    def parameters(self, name: str) -> dict[str, str]:
        """The parameters of a header (``charset``, ``filename``), RFC 2231 and its predecessors decoded."""
        return _parameters(self.first(name)[:_MAX_PARAMETERS])


class Part(NamedTuple):
    """A part: children if it is a multipart, else ``body`` as it was transferred."""

    headers: Headers
    media_type: str
    body: bytes
    children: tuple["Part", ...]

    def content(self) -> bytes:
        """The bytes without their transfer encoding."""
        return transfer_decoded(self.body, self.headers.first("content-transfer-encoding"))

    def leaves(self) -> Iterator["Part"]:
        """Every part that isn't a multipart, in order."""
        if not self.children:
            yield self
        for child in self.children:
            yield from child.leaves()


class Tree(NamedTuple):
    """A mail. ``is_whole`` is False when a limit cut something off. ``raw_body`` is all behind the headers."""

    root: Part
    is_whole: bool
    raw_body: bytes


def parse(data: bytes) -> Tree:
    """Read a mail. Attached mails (message/rfc822) are leaves."""
    splitter = _Splitter(data)
    start, _ = splitter.head_of(0, len(data))
    root = splitter.part(0, len(data), depth=0)
    return Tree(root, splitter.is_whole, data[start:])


def read_headers(block: bytes) -> Headers:
    """The headers of a block of lines."""
    values: dict[str, list[str]] = {}
    for name, value in _PARSER.parsebytes(block).raw_items():
        unfolded = str(value).replace("\r", "").replace("\n", "").strip()
        values.setdefault(name.lower(), []).append(unfolded)
    return Headers({name: tuple(each) for name, each in values.items()})


class _Splitter:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._parts = 0
        self.is_whole = True

    def part(self, start: int, end: int, *, depth: int) -> Part:
        self._parts += 1
        body_start, headers = self.head_of(start, end, MAX_HEAD_BYTES if depth == 0 else _MAX_PART_HEAD_BYTES)
        media_type = _media_type(headers)
        if media_type.startswith("multipart/"):
            children = self._children(headers, body_start, end, depth)
            if children:
                return Part(headers, media_type, b"", children)
            media_type = "text/plain"
        return Part(headers, media_type, self._data[body_start:end], ())

    def head_of(self, start: int, end: int, max_bytes: int = MAX_HEAD_BYTES) -> tuple[int, Headers]:
        """Where the body starts, and the headers before it."""
        if self._data[start : start + 1] in (b"\r", b"\n"):
            return start + (2 if self._data[start : start + 2] == b"\r\n" else 1), Headers({})
        if _HEADER_LINE.match(self._data, start, end) is None and not self._data.startswith(b"From ", start):
            return start, Headers({})
        blank = _BLANK_LINE.search(self._data, start, end)
        head_end, body_start = (end, end) if blank is None else (blank.start(), blank.end())
        if head_end - start > max_bytes:
            self.is_whole = False
            head_end = self._data.rfind(b"\n", start, start + max_bytes)
            head_end = start + max_bytes if head_end < 0 else head_end
        return body_start, read_headers(self._data[start:head_end])

    def _children(self, headers: Headers, start: int, end: int, depth: int) -> tuple[Part, ...]:
        boundary = headers.parameters("content-type").get("boundary", "").rstrip()
        if not boundary or depth >= MAX_DEPTH:
            self.is_whole = self.is_whole and not boundary
            return ()
        children: list[Part] = []
        for child_start, child_end in self._between(boundary, start, end):
            if self._parts >= MAX_PARTS:
                self.is_whole = False
                break
            children.append(self.part(child_start, child_end, depth=depth + 1))
        return tuple(children)

    def _between(self, boundary: str, start: int, end: int) -> Iterator[tuple[int, int]]:
        """The spans between boundary lines. A part that nothing closes goes on to the end."""
        escaped = re.escape(boundary[:200].encode("utf-8", "surrogateescape"))
        # The line break before a boundary belongs to it; as a literal start it also makes the search quick.
        line = re.compile(rb"\n--" + escaped + rb"(--)?[ \t]*(?=\r?\n|\r?\Z)")
        opened: int | None = None
        for found in line.finditer(self._data, max(start - 1, 0), end):
            if opened is not None:
                yield opened, max(opened, self._before_break(found.start()))
            opened = self._next_line(found.end(), end)
            if found[1]:
                return
        if opened is not None:
            yield opened, end

    def _before_break(self, place: int) -> int:
        return place - 1 if self._data[place - 1 : place] == b"\r" else place

    def _next_line(self, place: int, end: int) -> int:
        found = self._data.find(b"\n", place, end)
        return end if found < 0 else found + 1


def _media_type(headers: Headers) -> str:
    kind = headers.first("content-type").partition(";")[0].strip().lower()
    if not kind:
        return "text/plain"
    return kind[:100] if kind.count("/") == 1 and kind.isascii() else "application/octet-stream"


def _parameters(value: str) -> dict[str, str]:
    plain: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, bool, str]]] = {}
    for found in _PARAMETER.finditer(value):
        name, text = found[1].lower(), _unquoted(found[2].strip())
        base, _, rest = name.partition("*")
        if not rest and not name.endswith("*"):
            plain.setdefault(name, header_text(text))
            continue
        number = rest.rstrip("*")
        pieces.setdefault(base, []).append((int(number) if number.isdecimal() else 0, name.endswith("*"), text))
    return plain | {name: _joined(sorted(each)) for name, each in pieces.items()}


def _joined(pieces: list[tuple[int, bool, str]]) -> str:
    charset, data = "", b""
    for position, (_, is_encoded, text) in enumerate(pieces):
        rest = text
        if position == 0 and is_encoded and text.count("'") >= 2:
            charset, _, rest = text.split("'", 2)
        raw = rest.encode("utf-8", "surrogateescape")
        data += unquote_to_bytes(raw) if is_encoded else raw
    return decoded(data, charset)


def _unquoted(text: str) -> str:
    return _ESCAPE.sub(r"\1", text[1:-1]) if len(text) >= 2 and text[0] == text[-1] == '"' else text
