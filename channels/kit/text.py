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
_BLANKS: Final = re.compile(r"\s+")


def clean(text: str) -> str:
    """Several lines: NFC, line breaks as ``\\n``, no control and direction characters, lone surrogates
    replaced by U+FFFD. Joined emoji and accents stay. Cleaning twice changes nothing."""
    text = _SURROGATE.sub("\ufffd", text)
    text = _DROPPED.sub("", _BREAK.sub("\n", text))
    return unicodedata.normalize("NFC", text)


def one_line(text: str, max_chars: int = 500) -> str:
    """One line for names and subjects: cleaned, blanks and breaks as single spaces, cut."""
    return _BLANKS.sub(" ", clean(text)).strip()[:max_chars].rstrip()
