"""Takes apart what a customer wrote and what the mail program quoted below it. Pure.

One pass over the lines; at each, a bounded look at the next few, with plain string tests. So time grows with
the length of the text and nothing else.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, TypeVar

from channels.email.quote_phrases import FORWARDED, ORIGINAL, OTHER_LABELS, SENDER_LABELS, WROTE, Wrote

_Item = TypeVar("_Item")

_LOOK: Final = 400
_WRAPPED: Final = 4
_BLOCK: Final = 8
_COLONS: Final = " :："
_DECORATION: Final = " \t*>-_=─━—:："
_RULES: Final = ("--", "__", "==", "──", "━━", "——")
_LABEL: Final = re.compile(r"[\s*]{0,8}([^\s:*：][^:：*]{0,24}?)[\s*]{0,4}[:：]")
_MARKS: Final = (">", " >")
_GAP: Final = re.compile(r"\n{3,}")
_DIGIT: Final = re.compile(r"\d|@")


def _all(table: Mapping[str, tuple[_Item, ...]]) -> tuple[_Item, ...]:
    return tuple(item for items in table.values() for item in items)


_WROTE: Final = _all(WROTE)
_ORIGINAL: Final = frozenset(_all(ORIGINAL))
_FORWARDED: Final = frozenset(_all(FORWARDED))
_SENDERS: Final = frozenset(_all(SENDER_LABELS))
_OTHERS: Final = frozenset(_all(OTHER_LABELS))


class Split(NamedTuple):
    """``text`` is the customer's own; ``quoted`` what was taken out, line by line, in order."""

    text: str
    quoted: str


def split_quoted(text: str) -> Split:
    """Separate a reply from what it quotes.

    Answers between or below quoted lines stay. Forwarded mail is no quotation. When nothing would be left,
    nothing is taken: then the quotation is the message.
    """
    lines = text.split("\n")
    own: list[str] = []
    quoted: list[str] = []
    place = 0
    while place < len(lines):
        if _is_forward(lines[place]):
            own.extend(lines[place:])
            break
        if _opens_rest(lines, place):
            quoted.extend(lines[place:])
            break
        taken = _quoted_here(lines, place)
        (quoted if taken else own).extend(lines[place : place + max(taken, 1)])
        place += max(taken, 1)
    kept = _trimmed(own)
    if not kept or not quoted:
        return Split(_trimmed(lines), "")
    return Split(_GAP.sub("\n\n", kept), _trimmed(quoted))


def _quoted_here(lines: Sequence[str], place: int) -> int:
    """How many lines from here on are quoted; 0 for a line of the customer's own."""
    if lines[place].startswith(_MARKS):
        return 1
    taken = _attribution(lines, place)
    if taken and not _is_marked(lines, place + taken):
        # Nothing below bears a mark, so there is no telling where the quotation ends: it is the rest.
        return len(lines) - place
    return taken


def _opens_rest(lines: Sequence[str], place: int) -> bool:
    """Whether everything from here on is the quoted mail."""
    line = lines[place]
    if len(line) > _LOOK or not line.strip():
        return False
    core = _core(line)
    if core in _ORIGINAL:
        return True
    if not core and line.strip().startswith(_RULES):
        return _is_block(lines, _next_filled(lines, place + 1))
    return _is_block(lines, place)


def _is_forward(line: str) -> bool:
    return len(line) <= _LOOK and _core(line) in _FORWARDED


def _core(line: str) -> str:
    return line.strip(_DECORATION).lower()


def _is_block(lines: Sequence[str], place: int) -> bool:
    """Whether a block of mail headers starts here: a sender and two others within a few lines."""
    if place >= len(lines) or not _is_label(_label(lines[place])):
        return False
    labels = {_label(line) for line in lines[place : place + _BLOCK]}
    return not labels.isdisjoint(_SENDERS) and len(labels & _OTHERS) >= 2


def _is_label(label: str) -> bool:
    return label in _SENDERS or label in _OTHERS


def _label(line: str) -> str:
    found = _LABEL.match(line[:60])
    return "" if found is None else found[1].strip().lower()


def _attribution(lines: Sequence[str], place: int) -> int:
    """How many lines announce a quotation here ("On ... wrote:", often wrapped); 0 if none do."""
    joined = ""
    for count, line in enumerate(lines[place : place + _WRAPPED], 1):
        stripped = line.strip()
        if not stripped or len(joined) + len(stripped) > _LOOK:
            return 0
        joined = f"{joined} {stripped}" if joined else stripped
        if joined.endswith((":", "：", "작성", "쓴 글")):
            return count if _says_wrote(joined.lower().rstrip(_COLONS)) else 0
    return 0


def _says_wrote(line: str) -> bool:
    if _DIGIT.search(line) is None:
        return False
    return any(_fits(line, wrote) for wrote in _WROTE)


def _fits(line: str, wrote: Wrote) -> bool:
    if wrote.starts and not line.startswith(wrote.starts):
        return False
    if wrote.ends and not line.endswith(wrote.ends):
        return False
    return not wrote.holds or any(phrase in line for phrase in wrote.holds)


def _is_marked(lines: Sequence[str], place: int) -> bool:
    """Whether quoted lines follow."""
    following = _next_filled(lines, place)
    return following < len(lines) and lines[following].startswith(_MARKS)


def _next_filled(lines: Sequence[str], place: int) -> int:
    """The next line with something on it, within a few lines; else the end."""
    for number in range(place, min(place + _WRAPPED, len(lines))):
        if lines[number].strip():
            return number
    return len(lines)


def _trimmed(lines: Sequence[str]) -> str:
    return "\n".join(line.rstrip() for line in lines).strip("\n")
