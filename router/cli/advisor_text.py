"""Text for a terminal: what strangers wrote is made harmless, wide characters are measured. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from rich.cells import cell_len, chop_cells, set_cell_size

# Whole escape sequences, so that their letters don't stay behind: CSI; OSC, DCS, SOS, PM, APC with their text;
# the short ones. The 8-bit forms stand beside the 7-bit ones. A string that never ends takes its line only.
_ESCAPES: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
_BREAKS: Final = re.compile(r"\r\n?|[\u2028\u2029\x85\x0b\x0c]")
_JOINERS: Final = frozenset("\u200c\u200d")
_TAB: Final = "    "
GUTTER: Final = "  | "
_LEAST_WIDTH: Final = 20


class Span(NamedTuple):
    """A piece of a line, and how it looks where colours are shown."""

    text: str
    style: str = ""


Line = tuple[Span, ...]


def line(*pieces: str | Span) -> Line:
    """A line of plain and styled pieces."""
    return tuple(Span(piece) if isinstance(piece, str) else piece for piece in pieces)


def harmless(text: str) -> str:
    """The text without anything a terminal would obey: no escape sequences, no control characters but the line
    feed, no characters that reverse or hide what stands beside them. What is left reads as before."""
    cleaned = _ESCAPES.sub("", _BREAKS.sub("\n", text)).replace("\t", _TAB)
    return "".join(_kept(char) for char in cleaned)


def one_line(text: str) -> str:
    """Harmless, and on one line."""
    return " ".join(harmless(text).split())


def _kept(char: str) -> str:
    if char == "\n" or char in _JOINERS:
        return char
    match unicodedata.category(char):
        case "Cc" | "Cf":
            return ""
        case "Cs":
            return "\N{REPLACEMENT CHARACTER}"
        case _:
            return char


def column(text: str, cells: int) -> str:
    """One line in exactly so many cells: padded or cut, a Korean character taking two."""
    plain = one_line(text)
    if cell_len(plain) <= cells:
        return set_cell_size(plain, cells)
    return set_cell_size(set_cell_size(plain, cells - 1).rstrip() + "…", cells)


def quoted(text: str, *, width: int | None, style: str = "") -> Iterator[Line]:
    """Somebody's words, each line behind a gutter: none of them can pass for a line of ours, wrapped or not.
    ``width`` is the terminal's in cells, None where lines may be of any length."""
    for row in harmless(text).split("\n"):
        rows = [row] if width is None else chop_cells(row, max(width - len(GUTTER), _LEAST_WIDTH)) or [""]
        for part in rows:
            yield (Span(GUTTER, "dim"), Span(part, style))


def plain(lines: Iterable[Line]) -> Iterator[str]:
    """The lines as text without styles, harmless whatever was put into them."""
    for pieces in lines:
        yield "".join(one_row(piece.text) for piece in pieces)


def one_row(text: str) -> str:
    """Harmless, its line feeds made spaces; unlike ``one_line`` it keeps the spaces between columns."""
    return harmless(text).replace("\n", " ")
