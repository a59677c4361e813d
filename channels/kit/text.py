"""What customers write, made safe to show and to store: the same text, without what only harms. Pure."""

import re
import unicodedata
from typing import Final

# Marks that turn the direction of text around: harmless in a letter, a disguise in a list of cases.
_BIDI: Final = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
# Everything that draws nothing and steers terminals or parsers; tab and line break stay.
_CONTROL: Final = "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufff9-\ufffb"
_DROPPED: Final = re.compile(f"[{_BIDI}{_CONTROL}]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_BREAK: Final = re.compile("\r\n|[\r\x85\u2028\u2029]")
# Marks that sit on a letter are in here; so are symbols, which are sorted out one by one.
_STACK: Final = re.compile(r"[^\w\s\x00-\x7f]{31,}")
_MAX_MARKS: Final = 30
_BLANKS: Final = re.compile(r"\s+")


def clean(text: str) -> str:
    """Several lines: NFC, line breaks as ``\\n``, no control and direction characters, lone surrogates
    replaced by U+FFFD, at most 30 marks on a letter. Joined emoji and accents stay. Cleaning twice changes
    nothing; the time is linear."""
    text = _SURROGATE.sub("\ufffd", text)
    text = _DROPPED.sub("", _BREAK.sub("\n", text))
    # Putting marks in order takes the square of their number: one letter with 100,000 of them, minutes.
    normal = unicodedata.normalize("NFC", _STACK.sub(_thinned, text))
    # Again, since a stack of few characters may have become one of many.
    return _STACK.sub(_thinned, normal)


def one_line(text: str, max_chars: int = 500) -> str:
    """One line for names and subjects: cleaned, blanks and breaks as single spaces, cut."""
    return _BLANKS.sub(" ", clean(text[: 8 * max_chars])).strip()[:max_chars].rstrip()


def _thinned(stack: re.Match[str]) -> str:
    kept, marks = [], 0
    for char in stack.group():
        # One mark may be made of two, and counts as what it becomes: three Tibetan vowel signs don't even
        # call themselves combining, only their parts do.
        parts = unicodedata.normalize("NFD", char)
        marks = marks + len(parts) if unicodedata.combining(parts[0]) else 0
        if marks <= _MAX_MARKS:
            kept.append(char)
    return "".join(kept)
