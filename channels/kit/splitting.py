"""A long text as the parts that a provider takes. Pure, and the same parts however often it is asked."""

import unicodedata
from collections.abc import Iterator
from typing import Final

_JOINER: Final = "\u200d"
_LONGEST_CHARACTER: Final = 32


def parts(text: str, max_units: int) -> Iterator[str]:
    """The text in parts of at most so many UTF-16 units (no provider's own measure is stricter), ended at
    a paragraph, a line or a word where one ends in the second half."""
    rest = text.strip()
    while units(rest) > max_units:
        end = _end(rest, _fitting(rest, max_units))
        yield rest[:end].rstrip()
        rest = rest[end:].lstrip()
    if rest:
        yield rest


def units(text: str) -> int:
    """The length in UTF-16 units."""
    return len(text) + sum(char > "\uffff" for char in text)


def _fitting(text: str, max_units: int) -> int:
    """How many characters of a text that is too long fit."""
    left = max_units
    for index, char in enumerate(text):
        left -= 2 if char > "\uffff" else 1
        if left < 0:
            return index
    return len(text)


def _end(text: str, fitting: int) -> int:
    window = text[:fitting]
    for mark in ("\n\n", "\n", " "):
        at = window.rfind(mark)
        if at >= fitting // 2:
            return at + len(mark)
    for end in range(fitting, max(fitting - _LONGEST_CHARACTER, 1), -1):
        if not _is_inside(text, end):
            return end
    return fitting


def _is_inside(text: str, end: int) -> bool:
    """Whether a cut here would part what a person sees as one character."""
    following = text[end]
    is_mark = unicodedata.category(following) in ("Mn", "Me", "Mc") or "\U0001f3fb" <= following <= "\U0001f3ff"
    return is_mark or _JOINER in (following, text[end - 1])
